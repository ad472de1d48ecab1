//! Markets as the tests have them.

use ballast_client::{
    ballast::{
        MarketIdentity,
        state::{FeeTier, MarginTier, MarketParams, OracleKind},
    },
    oracle_accounts::{LEGACY_PROGRAM, RECEIVER_PROGRAM},
};
use ballast_risk::{fees::FEE_TIERS, margin::TIERS};

/// A dollar, in atoms.
pub const DOLLAR: u64 = 1_000_000;

/// Parameters of a liquid market whose lot is worth about ten dollars: leverage up to 20, everything that a test may
/// want to meet switched on.
pub fn default_params() -> MarketParams {
    let unused = MarginTier { lower: 0, maintenance_bps: 0, initial_bps: 0 };
    let tier = |lower, maintenance_bps, initial_bps| MarginTier { lower, maintenance_bps, initial_bps };
    let mut tiers = [unused; TIERS];
    (tiers[0], tiers[1]) = (tier(0, 250, 500), tier(1_000_000 * DOLLAR, 500, 1_000));
    MarketParams {
        tick: 100,
        min_lots: 1,
        max_position_lots: 10_000_000,
        max_open_interest_lots: 100_000_000,
        band_bps: 1_000,
        max_orders_per_account: 64,
        tiers,
        profit_haircut_bps: 1_000,
        margin_multiplier_bps: 10_000,
        maker_fee_ppm: 100,
        taker_fee_ppm: 350,
        insurance_fee_share_bps: 2_000,
        settle_bounty: 10_000,
        max_age_open_s: 60,
        max_age_liquidate_s: 120,
        max_age_reduce_s: 3_600,
        max_future_s: 5,
        max_confidence_open_bps: 50,
        max_confidence_liquidate_bps: 100,
        max_confidence_reduce_bps: 500,
        max_deviation_open_bps: 2_000,
        max_deviation_liquidate_bps: 4_000,
        max_deviation_reduce_bps: 8_000,
        mark_cap_ppm_per_second: 5_000,
        mark_max_elapsed_s: 20,
        mark_band_bps: 4_000,
        mark_average_s: 600,
        liquidation_target_bps: 12_000,
        liquidation_max_fraction_bps: 2_000,
        liquidation_cooldown_s: 30,
        liquidation_fee_bps: 50,
        liquidator_share_bps: 5_000,
        deleverage_delay_s: 20,
        takeover_start_bps: 25,
        takeover_ppm_per_second: 100,
        takeover_max_bps: 500,
        funding_clamp_ppb: 5_000_000,
        funding_average_s: 3_600,
        funding_max_elapsed_s: 3_600,
        liquidation_whole_below: 50 * DOLLAR,
        liquidation_max_reward: 100 * DOLLAR,
        funding_impact_quote: 1_000 * DOLLAR,
        insurance_limit_per_day: 1_000_000 * DOLLAR,
        mark_book_quote: 1_000 * DOLLAR,
        mark_book_weight_bps: 0,
        mark_book_clamp_bps: 50,
        protection_max_reward: 5 * DOLLAR,
        trigger_fee_bps: 5,
        ladder_fee_bps: 20,
        fee_tiers: [FeeTier { maker_ppm: 0, taker_ppm: 0 }; FEE_TIERS],
    }
}

/// A market to be created.
#[derive(Clone, Debug)]
pub struct MarketSpec {
    /// Its name.
    pub symbol: &'static str,
    /// First price, in atoms per lot.
    pub price: u64,
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
    /// The oracle's format.
    pub oracle: OracleKind,
    /// Parameters.
    pub params: MarketParams,
    /// Blocks of the book.
    pub blocks: u32,
    /// Cells of the ranking index.
    pub cells: u32,
}

impl MarketSpec {
    /// Bitcoin at $100,000, in lots of 0.0001.
    pub fn btc() -> MarketSpec {
        MarketSpec {
            symbol: "BTC-PERP",
            price: 10 * DOLLAR,
            lot_exponent: 4,
            oracle: OracleKind::PythReceiver,
            params: default_params(),
            blocks: 512,
            cells: 256,
        }
    }

    /// Ether at $4,000, in lots of 0.001.
    pub fn eth() -> MarketSpec {
        MarketSpec { symbol: "ETH-PERP", price: 4 * DOLLAR, lot_exponent: 3, ..MarketSpec::btc() }
    }

    /// Solana at $200, in lots of 0.1, with the older Pyth format as its oracle.
    pub fn sol() -> MarketSpec {
        MarketSpec {
            symbol: "SOL-PERP",
            price: 20 * DOLLAR,
            lot_exponent: 1,
            oracle: OracleKind::PythLegacy,
            ..MarketSpec::btc()
        }
    }

    /// The same market with other parameters.
    pub fn with(mut self, change: impl FnOnce(&mut MarketParams)) -> MarketSpec {
        change(&mut self.params);
        self
    }

    /// What `create_market` is told about its oracle and lot.
    pub fn identity(&self, oracle_feed: [u8; 32]) -> MarketIdentity {
        let mut symbol = [0; 16];
        symbol[..self.symbol.len()].copy_from_slice(self.symbol.as_bytes());
        MarketIdentity {
            symbol,
            lot_exponent: self.lot_exponent,
            oracle_kind: self.oracle as u8,
            oracle_program: match self.oracle {
                OracleKind::PythReceiver => RECEIVER_PROGRAM,
                OracleKind::PythLegacy => LEGACY_PROGRAM,
            },
            oracle_feed,
        }
    }
}
