//! The layouts of version 1, for migrations alone: what accounts were before [`super::MARKET_VERSION`] and its siblings
//! went up. Fields mean what their namesakes of today mean, unless a comment says otherwise.

use anchor_lang::prelude::Pubkey;
use ballast_risk::margin::TIERS;
use bytemuck::{Pod, Zeroable};

use super::{MARKET_VERSION, MarginAccount, MarginTier, Market, MarketParams};

/// Margin tiers of a market.
pub const TIERS_V1: usize = 5;

/// Parameters of a market.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
#[allow(missing_docs, reason = "as in `MarketParams`")]
pub struct MarketParamsV1 {
    pub tick: u64,
    pub min_lots: u64,
    pub max_position_lots: u64,
    pub max_open_interest_lots: u64,
    pub band_bps: u32,
    pub max_orders_per_account: u32,
    pub tiers: [MarginTier; TIERS_V1],
    pub profit_haircut_bps: u32,
    pub margin_multiplier_bps: u32,
    pub maker_fee_ppm: u32,
    pub taker_fee_ppm: u32,
    pub insurance_fee_share_bps: u32,
    pub settle_bounty: u32,
    pub max_age_open_s: u32,
    pub max_age_liquidate_s: u32,
    pub max_age_reduce_s: u32,
    pub max_future_s: u32,
    pub max_confidence_open_bps: u32,
    pub max_confidence_liquidate_bps: u32,
    pub max_confidence_reduce_bps: u32,
    pub max_deviation_open_bps: u32,
    pub max_deviation_liquidate_bps: u32,
    pub max_deviation_reduce_bps: u32,
    pub mark_cap_ppm_per_second: u32,
    pub mark_max_elapsed_s: u32,
    pub mark_band_bps: u32,
    pub mark_average_s: u32,
    pub liquidation_target_bps: u32,
    pub liquidation_max_fraction_bps: u32,
    pub liquidation_cooldown_s: u32,
    pub liquidation_fee_bps: u32,
    pub liquidator_share_bps: u32,
    pub deleverage_delay_s: u32,
    pub takeover_start_bps: u32,
    pub takeover_ppm_per_second: u32,
    pub takeover_max_bps: u32,
    pub funding_clamp_ppb: u32,
    pub funding_average_s: u32,
    pub funding_max_elapsed_s: u32,
    pub liquidation_whole_below: u64,
    pub liquidation_max_reward: u64,
    pub funding_impact_quote: u64,
    pub insurance_limit_per_day: u64,
}

/// One market.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
#[allow(missing_docs, reason = "as in `Market`")]
pub struct MarketV1 {
    pub version: u8,
    pub bump: u8,
    pub index: u16,
    pub status: u8,
    pub oracle_kind: u8,
    pub lot_exponent: u8,
    pub padding: u8,
    pub exchange: Pubkey,
    pub book: Pubkey,
    pub ranks: Pubkey,
    pub oracle_program: Pubkey,
    pub oracle_feed: [u8; 32],
    pub symbol: [u8; 16],
    pub params: MarketParamsV1,
    /// Without the held price and the book's last sample, both of which may be zero.
    pub mark_state: [u64; 6],
    pub reading: [u64; 3],
    pub funding: [u64; 4],
    pub pool: u64,
    pub fees: u64,
    pub insurance_fees: u64,
    pub fee_claims: i64,
    /// Funding that fills waiting in seats neither paid nor received, as an `i128` in units of 2^-24 atoms, low word
    /// first. Its owner was the exchange; today seats keep it themselves.
    pub funding_residual: [u64; 2],
    pub insurance_drawn: u64,
    pub budget: [u64; 3],
    pub deleverages: u64,
    pub deleveraged_lots: u64,
    pub liquidated_quote: u64,
    pub reserved: [u64; 32],
}

const _: () = assert!(size_of::<MarketParamsV1>() == 280);
const _: () = assert!(size_of::<MarketV1>() == 928);
// What has been added since came out of the room to grow: a market is rewritten where it is.
const _: () = assert!(size_of::<Market>() == size_of::<MarketV1>());
const _: () = assert!(core::mem::offset_of!(Market, params) == core::mem::offset_of!(MarketV1, params));

impl MarketParamsV1 {
    /// The same parameters today. What there was not yet is zero, which switches it off: a migrated market does what it
    /// did.
    pub fn upgrade(&self) -> MarketParams {
        let mut tiers = [MarginTier::zeroed(); TIERS];
        tiers[..TIERS_V1].copy_from_slice(&self.tiers);
        MarketParams {
            tiers,
            tick: self.tick,
            min_lots: self.min_lots,
            max_position_lots: self.max_position_lots,
            max_open_interest_lots: self.max_open_interest_lots,
            band_bps: self.band_bps,
            max_orders_per_account: self.max_orders_per_account,
            profit_haircut_bps: self.profit_haircut_bps,
            margin_multiplier_bps: self.margin_multiplier_bps,
            maker_fee_ppm: self.maker_fee_ppm,
            taker_fee_ppm: self.taker_fee_ppm,
            insurance_fee_share_bps: self.insurance_fee_share_bps,
            settle_bounty: self.settle_bounty,
            max_age_open_s: self.max_age_open_s,
            max_age_liquidate_s: self.max_age_liquidate_s,
            max_age_reduce_s: self.max_age_reduce_s,
            max_future_s: self.max_future_s,
            max_confidence_open_bps: self.max_confidence_open_bps,
            max_confidence_liquidate_bps: self.max_confidence_liquidate_bps,
            max_confidence_reduce_bps: self.max_confidence_reduce_bps,
            max_deviation_open_bps: self.max_deviation_open_bps,
            max_deviation_liquidate_bps: self.max_deviation_liquidate_bps,
            max_deviation_reduce_bps: self.max_deviation_reduce_bps,
            mark_cap_ppm_per_second: self.mark_cap_ppm_per_second,
            mark_max_elapsed_s: self.mark_max_elapsed_s,
            mark_band_bps: self.mark_band_bps,
            mark_average_s: self.mark_average_s,
            liquidation_target_bps: self.liquidation_target_bps,
            liquidation_max_fraction_bps: self.liquidation_max_fraction_bps,
            liquidation_cooldown_s: self.liquidation_cooldown_s,
            liquidation_fee_bps: self.liquidation_fee_bps,
            liquidator_share_bps: self.liquidator_share_bps,
            deleverage_delay_s: self.deleverage_delay_s,
            takeover_start_bps: self.takeover_start_bps,
            takeover_ppm_per_second: self.takeover_ppm_per_second,
            takeover_max_bps: self.takeover_max_bps,
            funding_clamp_ppb: self.funding_clamp_ppb,
            funding_average_s: self.funding_average_s,
            funding_max_elapsed_s: self.funding_max_elapsed_s,
            liquidation_whole_below: self.liquidation_whole_below,
            liquidation_max_reward: self.liquidation_max_reward,
            funding_impact_quote: self.funding_impact_quote,
            insurance_limit_per_day: self.insurance_limit_per_day,
            ..MarketParams::zeroed()
        }
    }
}

impl MarketV1 {
    /// [`MarketV1::funding_residual`] as a number.
    pub fn funding_residual(&self) -> i128 {
        // The two halves as they are.
        i128::from(self.funding_residual[1] as i64) << 64 | i128::from(self.funding_residual[0])
    }

    /// Writes the market as it is today over a market of zeros. The funding residual is for the caller to place.
    pub fn upgrade_into(&self, market: &mut Market) {
        market.version = MARKET_VERSION;
        market.bump = self.bump;
        market.index = self.index;
        market.status = self.status;
        market.oracle_kind = self.oracle_kind;
        market.lot_exponent = self.lot_exponent;
        market.exchange = self.exchange;
        market.book = self.book;
        market.ranks = self.ranks;
        market.oracle_program = self.oracle_program;
        market.oracle_feed = self.oracle_feed;
        market.symbol = self.symbol;
        market.params = self.params.upgrade();
        market.mark_state[..6].copy_from_slice(&self.mark_state);
        market.reading = self.reading;
        market.funding = self.funding;
        market.pool = self.pool;
        market.fees = self.fees;
        market.insurance_fees = self.insurance_fees;
        market.fee_claims = self.fee_claims;
        market.insurance_drawn = self.insurance_drawn;
        market.budget = self.budget;
        market.deleverages = self.deleverages;
        market.deleveraged_lots = self.deleveraged_lots;
        market.liquidated_quote = self.liquidated_quote;
    }
}

/// Bytes of a margin account: then as today, with less room to grow.
pub const MARGIN_ACCOUNT_V1: usize = 2_576;
const _: () = assert!(size_of::<MarginAccount>() == MARGIN_ACCOUNT_V1);
