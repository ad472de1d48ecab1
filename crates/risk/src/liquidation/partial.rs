//! How much of a position is closed: the least that restores the account.

use super::LiquidationParams;
use crate::health::Account;
use crate::margin::{TIERS, Tier};
use crate::{BPS, Result, RiskError};
use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Position, Price, wide};

/// How many lots to close at `price` so that the account's equity reaches the target ratio over its maintenance margin:
/// the smallest number that does, plus those that free an atom each for the rounding of margin and fee (mostly one);
/// at most `max_fraction_bps` of the position (rounded up); and all of it when it is worth no more than `whole_below`.
/// Zero when the account is at the target already. The most allowed when no number of lots reaches it.
pub fn partial_lots(
    position: Position,
    mark: Price,
    price: Price,
    tiers: &[Tier; TIERS],
    account: &Account,
    params: &LiquidationParams,
) -> Result<Lots> {
    let side = position.side().ok_or(RiskError::NoPosition)?;
    let lots = position.lots();
    if lots.0 > MAX_LOTS {
        return Err(RiskError::Overflow);
    }
    if mark.0 == 0 || mark.0 > MAX_PRICE || price.0 > MAX_PRICE {
        return Err(RiskError::PriceOutOfRange);
    }
    if params.target_ratio_bps > 2 * BPS || params.fee_bps > BPS {
        return Err(RiskError::Corrupt);
    }
    let notional = lots.value(mark)?.positive_part();
    let (bps, target) = (i128::from(BPS), i128::from(params.target_ratio_bps));
    // What is missing, in atoms × bps²: exactly, which decides; and with an atom of rounding each of margin and fee.
    let exact = target * bps * i128::from(account.maintenance) - bps * bps * i128::from(account.equity.0);
    if exact <= 0 {
        return Ok(Lots::ZERO);
    }
    if notional <= params.whole_below {
        return Ok(lots);
    }
    let most = wide::scale_ceil(lots.0, params.max_fraction_bps, BPS).ok_or(RiskError::Corrupt)?.min(lots.0);
    // What closing a lot costs: the price's distance from the mark, and the fee.
    let off = i128::from(side.sign()) * (i128::from(mark.0) - i128::from(price.0));
    let cost = bps * (bps * off + i128::from(params.fee_bps) * i128::from(price.0));
    let missing = exact + target * bps + bps * bps;
    let needed = Walk { left: lots.0, missing, cost, mark: mark.0, target, tiers }.down()?;
    Ok(Lots(needed.map_or(most, |needed| needed.min(most))))
}

/// The way down from a position to nothing. Each lot frees margin at the rate of the tier that it is in, and costs the
/// same, so what a lot gains falls from tier to tier, and the first number of lots that makes up for what is missing is
/// the least.
struct Walk<'a> {
    left: u64,
    missing: i128,
    cost: i128,
    mark: u64,
    target: i128,
    tiers: &'a [Tier; TIERS],
}

impl Walk<'_> {
    /// Lots to close, or `None` when no number is enough.
    fn down(mut self) -> Result<Option<u64>> {
        let all = self.left;
        for tier in self.tiers.iter().rev().filter(|tier| tier.maintenance_bps != 0) {
            // As many lots as leave a position that is still in this tier, or at its beginning.
            let kept = tier.lower.div_ceil(self.mark);
            let relief = u64::from(tier.maintenance_bps.min(BPS)) * self.mark;
            if kept < self.left && !self.close(self.left - kept, relief)? {
                return Ok(self.result(all));
            }
            // And the one lot that reaches into the next. (All lots that are left have a value, so `kept` has one.)
            let straddles = self.left == kept && kept.wrapping_mul(self.mark) > tier.lower;
            if straddles && !self.close(1, self.relief(kept)?)? {
                return Ok(self.result(all));
            }
        }
        Ok(None)
    }

    /// Closes up to `lots` that each free `relief` (atoms × bps); says whether something is missing afterwards that
    /// more may give.
    fn close(&mut self, lots: u64, relief: u64) -> Result<bool> {
        let gain = self.target * i128::from(relief) - self.cost;
        if gain <= 0 {
            return Ok(false);
        }
        let needed = wide::div_ceil(self.missing.unsigned_abs(), gain.unsigned_abs()).ok_or(RiskError::Corrupt)?;
        let closed = u64::try_from(needed).unwrap_or(u64::MAX).min(lots);
        self.missing -= gain * i128::from(closed);
        self.left -= closed;
        Ok(self.missing > 0)
    }

    fn result(&self, all: u64) -> Option<u64> {
        if self.missing <= 0 { Some(all - self.left) } else { None }
    }

    /// What the last of `lots` adds to maintenance margin, in atoms × bps: slice by slice of its value.
    fn relief(&self, lots: u64) -> Result<u64> {
        let top = lots.checked_mul(self.mark).ok_or(RiskError::Overflow)?;
        let bottom = top - self.mark;
        let mut end = top;
        let mut relief = 0;
        for tier in self.tiers.iter().rev().filter(|tier| tier.maintenance_bps != 0) {
            let start = tier.lower.clamp(bottom, end);
            relief += (end - start) * u64::from(tier.maintenance_bps.min(BPS));
            end = start;
        }
        Ok(relief)
    }
}
