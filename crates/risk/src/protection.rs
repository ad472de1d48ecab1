//! Protective reductions that anyone may execute: when one is allowed, and what it pays its caller.
//!
//! A trigger and a rung of the ladder are the owner's own wish, so they pay less than a liquidation: a share of the value
//! traded, capped, from the account's settled collateral. Nothing traded pays nothing, so there is nothing in executing
//! small parts or one's own.

use crate::health::Account;
use crate::{BPS, ParamError, Result, RiskError};
use ballast_units::wide;
use bytemuck::{Pod, Zeroable};

/// Largest fee of either kind: half a percent.
pub const MAX_FEE_BPS: u32 = 50;
/// Largest cap of one execution's reward: $1,000.
pub const MAX_REWARD: u64 = 1_000_000_000;

/// What executing protection pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ProtectionParams {
    /// Of the value that a trigger trades: up to [`MAX_FEE_BPS`].
    pub trigger_fee_bps: u32,
    /// Of the value that a rung of the ladder trades: up to [`MAX_FEE_BPS`], and below the liquidation fee unless both are
    /// zero.
    pub ladder_fee_bps: u32,
    /// Most that one execution of either kind pays, in atoms: up to [`MAX_REWARD`].
    pub max_reward: u64,
}
const _: () = assert!(size_of::<ProtectionParams>() == 16);

impl ProtectionParams {
    /// Checks the bounds, for a market with that liquidation fee.
    pub fn validate(&self, liquidation_fee_bps: u32) -> core::result::Result<(), ParamError> {
        let below = self.ladder_fee_bps < liquidation_fee_bps || self.ladder_fee_bps == 0;
        if self.trigger_fee_bps > MAX_FEE_BPS || self.ladder_fee_bps > MAX_FEE_BPS || !below {
            return Err(ParamError::ProtectionFee);
        }
        if self.max_reward > MAX_REWARD { Err(ParamError::ProtectionReward) } else { Ok(()) }
    }
}

/// What a reduction may take from an account, in atoms; `None` if the reduction itself is not allowed.
///
/// Allowed is one that leaves the account solvent and with initial margin, or with no less equity above maintenance margin
/// than before: so nobody sells far below the mark to an accomplice and leaves the loss to others. What may be taken is
/// what keeps that true.
pub fn leeway(before: &Account, after: &Account) -> Option<u64> {
    if after.equity.0 < 0 {
        return None;
    }
    let above_initial = i128::from(after.initial_equity.0) - i128::from(after.initial);
    let improvement = excess(after) - excess(before);
    let leeway = above_initial.max(improvement).min(i128::from(after.equity.0));
    if leeway < 0 { None } else { Some(u64::try_from(leeway).unwrap_or(u64::MAX)) }
}

/// Equity above maintenance margin.
fn excess(account: &Account) -> i128 {
    i128::from(account.equity.0) - i128::from(account.maintenance)
}

/// The reward for trading `quote` atoms at a fee of `fee_bps`, rounded down: at most `max_reward`, the settled `collateral`
/// and the `leeway`.
pub fn reward(quote: u64, fee_bps: u32, max_reward: u64, collateral: u64, leeway: u64) -> Result<u64> {
    let fee = wide::scale_floor(quote, fee_bps, BPS).ok_or(RiskError::Overflow)?;
    Ok(fee.min(max_reward).min(collateral).min(leeway))
}
