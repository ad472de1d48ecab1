//! How much of a loss insurance pays, and what a staker's shares are worth.
//!
//! A market draws from the common vault within its own budget, which a draw uses up and time restores, so that one
//! market cannot drain another's. Stakers' shares round for the vault both ways; virtual shares beside the real ones
//! make it useless to be first and inflate the price of a share.

use crate::{ParamError, Result, RiskError};
use ballast_units::wide;
use bytemuck::{Pod, Zeroable};

/// The time in which a used-up budget is restored: a day.
pub const WINDOW_S: i64 = 86_400;
/// Largest limit per window of one market: $100,000,000.
pub const MAX_LIMIT_PER_WINDOW: u64 = 100_000_000_000_000;
/// Shortest cooldown of unstaking: a day, so that nobody leaves between a crash and its bill.
pub const MIN_UNSTAKE_COOLDOWN_S: u32 = 86_400;
/// Longest cooldown of unstaking: 60 days.
pub const MAX_UNSTAKE_COOLDOWN_S: u32 = 60 * 86_400;
/// Shares that nobody owns, beside one atom that nobody owns.
pub const VIRTUAL_SHARES: u64 = 1_000;

/// Parameters of one market's budget and of stakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct InsuranceParams {
    /// What the market may draw in a day, in atoms.
    pub limit_per_window: u64,
    /// Time between asking to unstake and leaving, in which the stake still bears losses.
    pub unstake_cooldown_s: u32,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<InsuranceParams>() == 16);

impl InsuranceParams {
    /// Checks the bounds.
    pub fn validate(&self) -> core::result::Result<(), ParamError> {
        if self.reserved != 0 {
            return Err(ParamError::Reserved);
        }
        if self.limit_per_window > MAX_LIMIT_PER_WINDOW {
            return Err(ParamError::InsuranceLimit);
        }
        if !(MIN_UNSTAKE_COOLDOWN_S..=MAX_UNSTAKE_COOLDOWN_S).contains(&self.unstake_cooldown_s) {
            return Err(ParamError::InsuranceCooldown);
        }
        Ok(())
    }
}

/// What one market has drawn. Zeroed: nothing, and nothing may be drawn until a limit is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Budget {
    /// When `spent` was last brought up to date.
    pub window_start: i64,
    /// Drawn and not yet restored, in atoms.
    pub spent: u64,
    /// What may be drawn in a window.
    pub limit_per_window: u64,
}
const _: () = assert!(size_of::<Budget>() == 24);

impl Budget {
    /// Takes as much of `wanted` as budget and vault have, and says how much.
    ///
    /// The budget is restored evenly, a limit per window, rounded down. So no window, wherever it begins, sees more
    /// than twice the limit, and no moment more than the limit.
    pub fn draw(&mut self, now: i64, wanted: u64, vault_balance: u64) -> u64 {
        let drawn = wanted.min(self.available(now)).min(vault_balance);
        self.restore(now);
        self.spent = self.spent.saturating_add(drawn);
        drawn
    }

    /// What could be drawn at `now`, if the vault had it.
    pub fn available(&self, now: i64) -> u64 {
        let mut then = *self;
        then.restore(now);
        then.limit_per_window.saturating_sub(then.spent)
    }

    fn restore(&mut self, now: i64) {
        let elapsed = now.saturating_sub(self.window_start);
        if elapsed <= 0 {
            return;
        }
        let restored = match u32::try_from(elapsed) {
            Ok(elapsed) if elapsed < WINDOW_U32 => wide::scale_floor(self.limit_per_window, elapsed, WINDOW_U32),
            // A window and longer restores everything, also what was spent under a higher limit.
            _ => Some(u64::MAX),
        };
        self.spent = self.spent.saturating_sub(restored.unwrap_or(0));
        self.window_start = now;
    }
}

const WINDOW_U32: u32 = 86_400;
const _: () = assert!(WINDOW_S == 86_400);

/// Shares for a stake of `atoms` into a vault that had `assets` behind `shares`, rounded down.
///
/// `atoms × (shares + 1,000) ÷ (assets + 1)`. Refuses a stake that would get no share, and a vault that lost everything
/// while it had stakers: theirs must be written off first. What the protocol itself puts in should be a stake like
/// any other: assets without shares belong to the virtual shares, and make the first real ones coarse.
pub fn shares_for_stake(atoms: u64, assets: u64, shares: u64) -> Result<u64> {
    if assets == 0 && shares != 0 {
        return Err(RiskError::WipedOut);
    }
    let (all, behind) = virtually(assets, shares)?;
    match wide::mul_div_floor_u64(atoms, all, behind) {
        Some(0) => Err(RiskError::StakeTooSmall),
        Some(shares) => Ok(shares),
        None => Err(RiskError::Overflow),
    }
}

/// What `owned` shares of a vault with `assets` behind `shares` are worth, rounded down.
pub fn atoms_for_shares(owned: u64, assets: u64, shares: u64) -> Result<u64> {
    if owned > shares {
        return Err(RiskError::Corrupt);
    }
    let (all, behind) = virtually(assets, shares)?;
    Ok(wide::mul_div_floor_u64(owned, behind, all).ok_or(RiskError::Overflow)?.min(assets))
}

fn virtually(assets: u64, shares: u64) -> Result<(u64, u64)> {
    let all = shares.checked_add(VIRTUAL_SHARES).ok_or(RiskError::Overflow)?;
    Ok((all, assets.checked_add(1).ok_or(RiskError::Overflow)?))
}
