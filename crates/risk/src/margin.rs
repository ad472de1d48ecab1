//! What margin a notional needs: tiered by size, and continuous.
//!
//! As exchanges publish it: `margin = rate_n × notional − deduction_n` with `deduction_0 = 0` and `deduction_n =
//! deduction_{n−1} + lower_n × (rate_n − rate_{n−1})`, where `n` is the tier the notional falls in. It is the same as
//! taxing each tier's slice at the tier's own rate, so nothing jumps where tiers meet.

use crate::{BPS, Result, RiskError, TierError};
use bytemuck::{Pod, Zeroable};

/// Tiers of one market: as many as the longest published table has. Unused ones cost bytes, not compute: a margin reads
/// tiers up to its own.
pub const TIERS: usize = 10;
/// Highest notional at which a tier may start: $1,000,000,000. It keeps deductions within 64 bits.
pub const MAX_TIER_LOWER: u64 = 1_000_000_000_000_000;
/// Least maintenance margin rate: 0.3 %.
pub const MIN_MAINTENANCE_BPS: u32 = 30;
/// Least initial margin rate: 0.8 %, that is, leverage of 125.
pub const MIN_INITIAL_BPS: u32 = 80;

/// One tier. Rows after the last used one are all zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Tier {
    /// The notional, in atoms, where the tier starts.
    pub lower: u64,
    /// Maintenance margin rate of the slice of notional within the tier.
    pub maintenance_bps: u32,
    /// Initial margin rate of the slice of notional within the tier.
    pub initial_bps: u32,
}
const _: () = assert!(size_of::<Tier>() == 16);

/// Maintenance margin of a notional (atoms), rounded up.
#[inline]
pub fn maintenance<const N: usize>(notional: u64, tiers: &[Tier; N]) -> Result<u64> {
    requirement(notional, tiers, |tier| tier.maintenance_bps)
}

/// Initial margin of a notional (atoms), rounded up.
#[inline]
pub fn initial<const N: usize>(notional: u64, tiers: &[Tier; N]) -> Result<u64> {
    requirement(notional, tiers, |tier| tier.initial_bps)
}

/// Checks that tiers start at zero and rise, rates do not fall with size, initial margin is above maintenance margin,
/// and both are within this module's bounds.
pub fn validate<const N: usize>(tiers: &[Tier; N]) -> core::result::Result<(), TierError> {
    let used = tiers.iter().take_while(|tier| tier.maintenance_bps != 0).count();
    let (used, unused) = tiers.split_at(used);
    if used.first().is_none_or(|first| first.lower != 0) {
        return Err(TierError::FirstTier);
    }
    if unused.iter().any(|tier| *tier != Tier::default()) {
        return Err(TierError::Gap);
    }
    for tier in used {
        if tier.maintenance_bps < MIN_MAINTENANCE_BPS {
            return Err(TierError::MaintenanceTooLow);
        }
        if tier.initial_bps < MIN_INITIAL_BPS {
            return Err(TierError::LeverageTooHigh);
        }
        if tier.initial_bps <= tier.maintenance_bps || tier.initial_bps > BPS {
            return Err(TierError::InitialNotAboveMaintenance);
        }
    }
    for (before, after) in used.iter().zip(used.iter().skip(1)) {
        if after.lower <= before.lower || after.lower > MAX_TIER_LOWER {
            return Err(TierError::Lower);
        }
        if after.maintenance_bps < before.maintenance_bps || after.initial_bps < before.initial_bps {
            return Err(TierError::NotMonotonic);
        }
    }
    Ok(())
}

/// `⌈(rate × notional − deduction) ÷ 10,000⌉` in native arithmetic: the notional is split at 10,000 before it is
/// multiplied.
#[inline(always)]
fn requirement(notional: u64, tiers: &[Tier], rate_of: impl Fn(&Tier) -> u32) -> Result<u64> {
    let bps = u64::from(BPS);
    let mut rate = 0u64;
    // In atoms × basis points. At most `MAX_TIER_LOWER` × the last rate, which fits 64 bits if that is at most 100 %.
    let mut deduction = 0u64;
    for tier in tiers {
        let next = u64::from(rate_of(tier));
        if next == 0 || tier.lower > notional {
            break;
        }
        if next < rate || tier.lower > MAX_TIER_LOWER {
            return Err(RiskError::Corrupt);
        }
        deduction = deduction.wrapping_add(tier.lower.wrapping_mul(next.wrapping_sub(rate)));
        rate = next;
    }
    if rate == 0 || rate > bps {
        return Err(RiskError::Corrupt);
    }
    // notional = whole × 10,000 + rest, and the deduction likewise; the product is at most the notional.
    let whole = (notional / bps).wrapping_mul(rate);
    let rest = (notional % bps).wrapping_mul(rate);
    // One more than the rest rounded up, so that nothing is negative.
    let rounded = rest.wrapping_add(2 * bps - 1 - deduction % bps) / bps;
    whole.wrapping_add(rounded).checked_sub(deduction / bps + 1).ok_or(RiskError::Corrupt)
}
