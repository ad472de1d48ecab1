//! Forced reduction: at which price a position is worth nothing to its account, which position is reduced, by how much,
//! at what price another account takes it over, and for what fee.
//!
//! Everything is a decision on plain values; `docs/risk-model.md` derives the formulas. The price called *zero price*
//! where orders are limited and *bankruptcy price* where losses are shared is one and the same: at it, every position
//! of an account closes with the account's equity spent in proportion to maintenance margin.

mod partial;
mod price;
mod progress;
mod takeover;

pub use partial::partial_lots;
pub use price::liquidation_price;
pub use progress::{MEMORY_S, Progress, Step};
pub use takeover::{Takeover, TakeoverParams, takeover_price};

use crate::health::Account;
use crate::{BPS, ParamError, Result, RiskError};
use ballast_units::{FUNDING_ONE, Position, Price, Quote, Side, wide};
use bytemuck::{Pod, Zeroable};

/// Parameters of liquidation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LiquidationParams {
    /// A position worth no more than this closes whole: up to $100,000, in atoms.
    pub whole_below: u64,
    /// Most a caller earns from one liquidation's fee: up to $1,000, in atoms.
    pub max_reward: u64,
    /// Equity over maintenance margin that partial liquidation restores: 10,001 to 20,000 bps.
    pub target_ratio_bps: u32,
    /// Most of a position that one partial liquidation takes: 500 to 5,000 bps (20 % is 2,000).
    pub max_fraction_bps: u32,
    /// Time between two partial liquidations of an account: 1 to 600 s.
    pub cooldown_s: u32,
    /// Fee on the value closed: up to 200 bps.
    pub fee_bps: u32,
    /// Of the fee, to the caller; the rest to insurance.
    pub liquidator_share_bps: u32,
    /// Equity over maintenance margin below which insurance takes over: up to 5,000 bps.
    pub backstop_ratio_bps: u32,
    /// Time between bankruptcy and deleveraging, for the book and insurance to close the position: up to 3,600 s.
    pub deleverage_delay_s: u32,
    /// Zero.
    pub reserved: u32,
    /// The takeover discount.
    pub takeover: TakeoverParams,
}
const _: () = assert!(size_of::<LiquidationParams>() == 64);

impl LiquidationParams {
    /// Checks the bounds.
    pub fn validate(&self) -> core::result::Result<(), ParamError> {
        let TakeoverParams { start_bps, per_second_ppm, max_bps, reserved } = self.takeover;
        if self.reserved != 0 || reserved != 0 {
            return Err(ParamError::Reserved);
        }
        let checks = [
            ((10_001..=20_000).contains(&self.target_ratio_bps), ParamError::TargetRatio),
            ((500..=5_000).contains(&self.max_fraction_bps), ParamError::LiquidationFraction),
            (self.whole_below <= 100_000_000_000, ParamError::WholeBelow),
            ((1..=600).contains(&self.cooldown_s), ParamError::Cooldown),
            (self.fee_bps <= 200, ParamError::LiquidationFee),
            (self.liquidator_share_bps <= BPS && self.max_reward <= 1_000_000_000, ParamError::LiquidatorReward),
            (start_bps <= 500 && start_bps <= max_bps && max_bps <= 2_000, ParamError::TakeoverDiscount),
            ((1..=10_000).contains(&per_second_ppm), ParamError::TakeoverDiscount),
            (self.backstop_ratio_bps <= 5_000, ParamError::BackstopRatio),
            (self.deleverage_delay_s <= 3_600, ParamError::DeleverageDelay),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}

/// The price at which closing one position spends exactly its share of the account's equity, shared by maintenance
/// margin: `mark − equity × position maintenance ÷ account maintenance ÷ lots` for a long, plus for a short (dYdX v4's
/// rule). Rounded for the account: up for a long, down for a short, so that its equity stays at or above zero, by less
/// than one atom per lot. Zero or negative when a long's account is worth more than all of the position.
///
/// Errors: no position; no maintenance margin in the account, or less than the position's.
pub fn bankruptcy_price(position: Position, mark: Price, position_maintenance: u64, account: &Account) -> Result<i64> {
    let side = position.side().ok_or(RiskError::NoPosition)?;
    if account.maintenance == 0 || position_maintenance > account.maintenance {
        return Err(RiskError::NoMaintenance);
    }
    let share = if position_maintenance == account.maintenance {
        account.equity.0
    } else {
        wide::signed_mul_div_floor_i64(account.equity.0, position_maintenance, account.maintenance)
            .ok_or(RiskError::Overflow)?
    };
    let lots = i64::try_from(position.lots().0).map_err(|_| RiskError::Overflow)?;
    // Rounded down twice, which is as good as once; subtracted from a long's mark, that rounds up.
    let per_lot = share.div_euclid(lots);
    let mark = i64::try_from(mark.0).map_err(|_| RiskError::PriceOutOfRange)?;
    match side {
        Side::Long => mark.checked_sub(per_lot),
        Side::Short => mark.checked_add(per_lot),
    }
    .ok_or(RiskError::Overflow)
}

/// A bankruptcy price relative to the funding index, as the ranking index keeps it: `bankruptcy − ⌊index ÷ 2^24⌋`.
pub fn relative_to_funding(bankruptcy: i64, funding_index: i64) -> Result<i64> {
    bankruptcy.checked_sub(funding_index.div_euclid(FUNDING_ONE)).ok_or(RiskError::Overflow)
}

/// The bankruptcy price now that [`relative_to_funding`] was relative to: `relative + ⌊index ÷ 2^24⌋`.
pub fn with_funding(relative: i64, funding_index: i64) -> Result<i64> {
    relative.checked_add(funding_index.div_euclid(FUNDING_ONE)).ok_or(RiskError::Overflow)
}

/// The position whose reduction frees most maintenance margin: the largest margin, and of equals the first market.
/// `None` when no position needs any.
pub fn most_relief<K: Copy + Ord>(positions: impl IntoIterator<Item = (K, u64)>) -> Option<K> {
    let mut best: Option<(K, u64)> = None;
    for (market, maintenance) in positions {
        let better = match best {
            None => maintenance > 0,
            Some((key, most)) => maintenance > most || (maintenance == most && market < key),
        };
        if better {
            best = Some((market, maintenance));
        }
    }
    best.map(|(market, _)| market)
}

/// A liquidation fee's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeSplit {
    /// To the caller.
    pub to_liquidator: u64,
    /// To insurance.
    pub to_insurance: u64,
}

/// The fee on the value closed, rounded up, as far as the account's equity reaches. The caller's share rounds down and
/// is capped at `max_reward`; insurance has the rest.
pub fn fee(quote: u64, equity_left: Quote, params: &LiquidationParams) -> Result<FeeSplit> {
    let fee = wide::scale_ceil(quote, params.fee_bps, BPS).ok_or(RiskError::Overflow)?;
    let fee = fee.min(equity_left.positive_part());
    let share = wide::scale_floor(fee, params.liquidator_share_bps, BPS).ok_or(RiskError::Overflow)?;
    let to_liquidator = share.min(params.max_reward);
    let to_insurance = fee.checked_sub(to_liquidator).ok_or(RiskError::Corrupt)?;
    Ok(FeeSplit { to_liquidator, to_insurance })
}
