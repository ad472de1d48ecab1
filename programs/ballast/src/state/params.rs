//! What a market can be set to. The same struct is the argument of `create_market` and `update_market` and lies in the
//! market account: all integers, no padding, so that its Borsh and memory layouts are the same bytes.
//! The bounds that no key can exceed are the pure crates' `validate` functions, called by [`MarketParams::validate`].

use anchor_lang::prelude::borsh::{BorshDeserialize, BorshSerialize};
use anchor_lang::prelude::*;
use ballast_risk::{
    fees::{FEE_TIERS, FeeParams, Rates},
    funding::FundingParams,
    health,
    insurance::MAX_LIMIT_PER_WINDOW,
    liquidation::{LiquidationParams, TakeoverParams},
    margin::{self, TIERS, Tier},
    mark::MarkParams,
    oracle::OracleParams,
    protection::ProtectionParams,
};
use ballast_units::{BPS, MAX_LOTS, MAX_PRICE};

use crate::error::{BallastError, OrFail};

/// Widest band around the mark within which orders match: half of it.
pub const MAX_BAND_BPS: u32 = 5_000;
/// Most resting orders that one account can have in one market.
pub const MAX_ORDERS_PER_ACCOUNT: u32 = 512;
/// Largest bounty of a permissionless settlement: a cent.
pub const MAX_SETTLE_BOUNTY: u32 = 10_000;

/// Least notional on each side of a book that has a say in the mark: a thousand dollars.
pub const MIN_MARK_BOOK_QUOTE: u64 = 1_000_000_000;

/// One margin tier; the layout of [`ballast_risk::margin::Tier`].
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct MarginTier {
    /// Notional in atoms from which the rates apply.
    pub lower: u64,
    /// Maintenance margin rate in basis points.
    pub maintenance_bps: u32,
    /// Initial margin rate in basis points.
    pub initial_bps: u32,
}

/// Rates of one fee tier; the layout of [`ballast_risk::fees::Rates`]. All zero: those of the tier below.
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct FeeTier {
    /// Maker fee in millionths of the value; negative for a rebate out of the taker's fee.
    pub maker_ppm: i32,
    /// Taker fee in millionths of the value.
    pub taker_ppm: u32,
}

/// Parameters of a market.
#[zero_copy]
#[derive(BorshSerialize, BorshDeserialize, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct MarketParams {
    /// Smallest step of an order's price, in atoms per lot.
    pub tick: u64,
    /// Smallest order, in lots.
    pub min_lots: u64,
    /// Largest position, in lots.
    pub max_position_lots: u64,
    /// Largest open interest of the market, in lots per side.
    pub max_open_interest_lots: u64,
    /// Nothing matches further from the mark than this, in basis points.
    pub band_bps: u32,
    /// Most resting orders of one account.
    pub max_orders_per_account: u32,
    /// Margin tiers, ascending; unused ones at the end are zero.
    pub tiers: [MarginTier; TIERS],
    /// Haircut on unrealised profit for initial margin, in basis points.
    pub profit_haircut_bps: u32,
    /// Multiplier on margins, in basis points; 10,000 is one.
    pub margin_multiplier_bps: u32,
    /// Maker fee in millionths of the value.
    pub maker_fee_ppm: u32,
    /// Taker fee in millionths of the value.
    pub taker_fee_ppm: u32,
    /// Insurance's share of trading fees, in basis points.
    pub insurance_fee_share_bps: u32,
    /// Most that a permissionless settlement pays its caller, in atoms.
    pub settle_bounty: u32,
    /// Oldest price for opening, in seconds.
    pub max_age_open_s: u32,
    /// Oldest price for liquidating, in seconds.
    pub max_age_liquidate_s: u32,
    /// Oldest price for reducing, in seconds.
    pub max_age_reduce_s: u32,
    /// How far a price may be ahead of the clock, in seconds.
    pub max_future_s: u32,
    /// Widest confidence interval for opening, in basis points of the price.
    pub max_confidence_open_bps: u32,
    /// Widest confidence interval for liquidating.
    pub max_confidence_liquidate_bps: u32,
    /// Widest confidence interval for reducing.
    pub max_confidence_reduce_bps: u32,
    /// Farthest from the slow average for opening, in basis points of it.
    pub max_deviation_open_bps: u32,
    /// Farthest from the slow average for liquidating.
    pub max_deviation_liquidate_bps: u32,
    /// Farthest from the slow average for reducing.
    pub max_deviation_reduce_bps: u32,
    /// Farthest that the mark moves in a second, in millionths.
    pub mark_cap_ppm_per_second: u32,
    /// Most seconds that count for that cap between two prices.
    pub mark_max_elapsed_s: u32,
    /// Farthest that the mark leaves the slow average, in basis points.
    pub mark_band_bps: u32,
    /// Time constant of the slow average, in seconds.
    pub mark_average_s: u32,
    /// Margin ratio (equity over maintenance) that a partial liquidation restores, in basis points.
    pub liquidation_target_bps: u32,
    /// Largest part of a position that one partial liquidation closes, in basis points.
    pub liquidation_max_fraction_bps: u32,
    /// Seconds between partial liquidations of one account.
    pub liquidation_cooldown_s: u32,
    /// Liquidation fee in basis points of the value closed.
    pub liquidation_fee_bps: u32,
    /// The caller's share of the liquidation fee, in basis points; the rest goes to insurance.
    pub liquidator_share_bps: u32,
    /// Seconds for which a bankrupt position waits for a taker that insurance pays, before it is deleveraged.
    pub deleverage_delay_s: u32,
    /// Discount of a takeover at its start, in basis points of the mark.
    pub takeover_start_bps: u32,
    /// Growth of the discount, in millionths of the mark per second.
    pub takeover_ppm_per_second: u32,
    /// Largest discount, in basis points.
    pub takeover_max_bps: u32,
    /// Largest funding rate per hour, in billionths.
    pub funding_clamp_ppb: u32,
    /// Time constant of the premium's average, in seconds.
    pub funding_average_s: u32,
    /// Longest silence of the oracle for which funding is charged, in seconds.
    pub funding_max_elapsed_s: u32,
    /// A position worth no more than this is closed at once, in atoms.
    pub liquidation_whole_below: u64,
    /// Most that the caller of a liquidation earns from its fee, in atoms.
    pub liquidation_max_reward: u64,
    /// Notional that measures the impact prices for funding, in atoms.
    pub funding_impact_quote: u64,
    /// Most that insurance pays for this market in a day, in atoms.
    pub insurance_limit_per_day: u64,
    /// Notional that the book must hold on both sides, within the band, to have a say in the mark, in atoms.
    pub mark_book_quote: u64,
    /// How much of the book's distance from the oracle the mark takes over, in basis points; 0 switches it off.
    pub mark_book_weight_bps: u32,
    /// Farthest that the book's mid counts to be from the oracle, in basis points.
    pub mark_book_clamp_bps: u32,
    /// Most that executing a trigger or a rung of a ladder pays its caller, in atoms.
    pub protection_max_reward: u64,
    /// What executing a trigger pays its caller, in basis points of the value traded.
    pub trigger_fee_bps: u32,
    /// What executing a rung of a ladder pays its caller, in basis points of the value traded. Below the liquidation fee.
    pub ladder_fee_bps: u32,
    /// Rates of the fee tiers above the base, which 30-day volume earns.
    pub fee_tiers: [FeeTier; FEE_TIERS],
}

impl MarketParams {
    /// The margin tiers as the pure crate reads them.
    pub fn tiers(&self) -> &[Tier; TIERS] {
        bytemuck::cast_ref(&self.tiers)
    }

    /// Limits on the oracle's price, for a lot of 10^`lot_exponent` of the base asset.
    pub fn oracle(&self, lot_exponent: i32) -> OracleParams {
        OracleParams {
            max_age_open_s: self.max_age_open_s,
            max_age_liquidate_s: self.max_age_liquidate_s,
            max_age_reduce_s: self.max_age_reduce_s,
            max_future_s: self.max_future_s,
            max_confidence_bps_open: self.max_confidence_open_bps,
            max_confidence_bps_liquidate: self.max_confidence_liquidate_bps,
            max_confidence_bps_reduce: self.max_confidence_reduce_bps,
            max_deviation_bps_open: self.max_deviation_open_bps,
            max_deviation_bps_liquidate: self.max_deviation_liquidate_bps,
            max_deviation_bps_reduce: self.max_deviation_reduce_bps,
            lot_exponent,
            reserved: 0,
        }
    }

    /// How the mark follows the oracle.
    pub fn mark(&self) -> MarkParams {
        MarkParams {
            cap_ppm_per_second: self.mark_cap_ppm_per_second,
            max_elapsed_s: self.mark_max_elapsed_s,
            band_bps: self.mark_band_bps,
            average_s: self.mark_average_s,
            book_weight_bps: self.mark_book_weight_bps,
            book_clamp_bps: self.mark_book_clamp_bps,
        }
    }

    /// Liquidation and takeover.
    pub fn liquidation(&self) -> LiquidationParams {
        LiquidationParams {
            whole_below: self.liquidation_whole_below,
            max_reward: self.liquidation_max_reward,
            target_ratio_bps: self.liquidation_target_bps,
            max_fraction_bps: self.liquidation_max_fraction_bps,
            cooldown_s: self.liquidation_cooldown_s,
            fee_bps: self.liquidation_fee_bps,
            liquidator_share_bps: self.liquidator_share_bps,
            backstop_ratio_bps: 0,
            deleverage_delay_s: self.deleverage_delay_s,
            reserved: 0,
            takeover: TakeoverParams {
                start_bps: self.takeover_start_bps,
                per_second_ppm: self.takeover_ppm_per_second,
                max_bps: self.takeover_max_bps,
                reserved: 0,
            },
        }
    }

    /// Funding.
    pub fn funding(&self) -> FundingParams {
        FundingParams {
            impact_quote: self.funding_impact_quote,
            clamp_ppb: self.funding_clamp_ppb,
            average_s: self.funding_average_s,
            max_elapsed_s: self.funding_max_elapsed_s,
            reserved: 0,
        }
    }

    /// What executing triggers and ladders pays.
    pub fn protection(&self) -> ProtectionParams {
        ProtectionParams {
            trigger_fee_bps: self.trigger_fee_bps,
            ladder_fee_bps: self.ladder_fee_bps,
            max_reward: self.protection_max_reward,
        }
    }

    /// The rates of a fee tier.
    pub fn rates(&self, tier: u8) -> Rates {
        self.fees().rates(bytemuck::cast_ref(&self.fee_tiers), tier)
    }

    /// Trading fees.
    pub fn fees(&self) -> FeeParams {
        FeeParams {
            maker_ppm: self.maker_fee_ppm,
            taker_ppm: self.taker_fee_ppm,
            insurance_share_bps: self.insurance_fee_share_bps,
            bounty_share_bps: 0,
        }
    }

    /// Checks every parameter against the bounds that no key can exceed.
    pub fn validate(&self, lot_exponent: i32) -> Result<()> {
        let within = |holds: bool| -> Result<()> {
            require!(holds, BallastError::ParameterOutOfBounds);
            Ok(())
        };
        within(self.tick > 0 && self.tick <= MAX_PRICE / u64::from(MAX_BAND_BPS))?;
        within(self.min_lots > 0 && self.min_lots <= self.max_position_lots)?;
        within(self.max_position_lots <= MAX_LOTS && self.max_open_interest_lots <= MAX_LOTS)?;
        within(self.band_bps > 0 && self.band_bps <= MAX_BAND_BPS)?;
        // A side's orders offset each other in an account's worst case: n bids at the lower edge of the band pay for n at the
        // upper one. Filled at the upper edge, these must not cost more than the initial margin of both.
        within(self.band_bps <= self.tiers[0].initial_bps.saturating_mul(2))?;
        within(self.max_orders_per_account > 0 && self.max_orders_per_account <= MAX_ORDERS_PER_ACCOUNT)?;
        within(self.settle_bounty <= MAX_SETTLE_BOUNTY)?;
        within(self.insurance_limit_per_day <= MAX_LIMIT_PER_WINDOW)?;
        within(u64::from(self.insurance_fee_share_bps) <= BPS)?;
        // A book that needs no depth would be anybody's word.
        within(self.mark_book_weight_bps == 0 || self.mark_book_quote >= MIN_MARK_BOOK_QUOTE)?;
        margin::validate(self.tiers()).or_fail()?;
        health::validate(self.profit_haircut_bps, self.margin_multiplier_bps).or_fail()?;
        self.fees().validate().or_fail()?;
        self.fees().validate_tiers(bytemuck::cast_ref(&self.fee_tiers)).or_fail()?;
        self.oracle(lot_exponent).validate().or_fail()?;
        self.mark().validate().or_fail()?;
        self.liquidation().validate().or_fail()?;
        self.protection().validate(self.liquidation_fee_bps).or_fail()?;
        self.funding().validate().or_fail()
    }
}

const _: () = assert!(core::mem::size_of::<MarginTier>() == core::mem::size_of::<Tier>());
const _: () = assert!(core::mem::size_of::<FeeTier>() == core::mem::size_of::<Rates>());
