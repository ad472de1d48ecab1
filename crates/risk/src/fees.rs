//! What a trade costs, and who gets it.

mod volume;

pub use volume::{DAY_S, DAYS, Earned, TierVolumes, Volumes, are_ordered, day_of};

use crate::{BPS, PPM, ParamError, Result, RiskError};
use ballast_units::wide;
use bytemuck::{Pod, Zeroable};

/// Largest taker fee: 0.5 %.
pub const MAX_TAKER_PPM: u32 = 5_000;
/// Tiers above the base, which volume earns.
pub const FEE_TIERS: usize = 4;
/// Largest share of a referrer in what the exchange keeps of a fee: 40 %.
pub const MAX_REFERRAL_BPS: u32 = 4_000;

/// Trading fees of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FeeParams {
    /// Of the value traded, from the maker.
    pub maker_ppm: u32,
    /// Of the value traded, from the taker. Not below the maker's.
    pub taker_ppm: u32,
    /// Of the fees, to insurance.
    pub insurance_share_bps: u32,
    /// Of the fees that a seat's fills earned, to whoever folds the seat into its account.
    pub bounty_share_bps: u32,
}
const _: () = assert!(size_of::<FeeParams>() == 16);

/// Rates of one tier, in millionths of the value traded. All zero: those of the tier below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Rates {
    /// From the maker; negative: a rebate to it, out of the taker's fee.
    pub maker_ppm: i32,
    /// From the taker.
    pub taker_ppm: u32,
}
const _: () = assert!(size_of::<Rates>() == 8);

impl FeeParams {
    /// Checks the bounds.
    pub fn validate(&self) -> core::result::Result<(), ParamError> {
        if self.taker_ppm > MAX_TAKER_PPM || self.maker_ppm > self.taker_ppm {
            return Err(ParamError::Fee);
        }
        match self.insurance_share_bps.checked_add(self.bounty_share_bps) {
            Some(sum) if sum <= BPS => Ok(()),
            _ => Err(ParamError::FeeShares),
        }
    }

    /// Checks the rates of the tiers above the base: none rises with volume, no maker pays more than the taker, and a rebate
    /// is at most half of what the cheapest taker pays. So trading with oneself costs something at every tier.
    pub fn validate_tiers(&self, tiers: &[Rates; FEE_TIERS]) -> core::result::Result<(), ParamError> {
        let mut above = self.base();
        for tier in tiers.iter().filter(|tier| **tier != Rates::default()) {
            let rises = tier.taker_ppm > above.taker_ppm || tier.maker_ppm > above.maker_ppm;
            if rises || i64::from(tier.maker_ppm) > i64::from(tier.taker_ppm) {
                return Err(ParamError::FeeTiers);
            }
            above = *tier;
        }
        // The last has the lowest of both.
        let rebate = u64::from(above.maker_ppm.min(0).unsigned_abs());
        if rebate * 2 > u64::from(above.taker_ppm) { Err(ParamError::FeeTiers) } else { Ok(()) }
    }

    /// The rates that apply to a tier.
    #[inline]
    pub fn rates(&self, tiers: &[Rates; FEE_TIERS], tier: u8) -> Rates {
        let own = tiers.iter().take(tier.into()).rev().find(|tier| **tier != Rates::default());
        own.copied().unwrap_or_else(|| self.base())
    }

    fn base(&self) -> Rates {
        // A fee is at most half a per cent.
        Rates { maker_ppm: i32::try_from(self.maker_ppm).unwrap_or(i32::MAX), taker_ppm: self.taker_ppm }
    }
}

/// Who gets how much of a fee. The parts make up the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeSplit {
    /// To insurance.
    pub to_insurance: u64,
    /// To whoever settles the seat.
    pub to_bounty: u64,
    /// To the protocol.
    pub to_protocol: u64,
}

/// The fee on a value traded, rounded up.
#[inline]
pub fn charge(quote: u64, ppm: u32) -> Result<u64> {
    wide::scale_ceil(quote, ppm, PPM).ok_or(RiskError::Overflow)
}

/// Splits a fee; shares round down, the protocol has the rest.
#[inline]
pub fn split(fee: u64, params: &FeeParams) -> Result<FeeSplit> {
    let to_insurance = wide::scale_floor(fee, params.insurance_share_bps, BPS).ok_or(RiskError::Overflow)?;
    let to_bounty = wide::scale_floor(fee, params.bounty_share_bps, BPS).ok_or(RiskError::Overflow)?;
    let shared = to_insurance.checked_add(to_bounty).ok_or(RiskError::Overflow)?;
    let to_protocol = fee.checked_sub(shared).ok_or(RiskError::Corrupt)?;
    Ok(FeeSplit { to_insurance, to_bounty, to_protocol })
}

/// A referrer's share of what the exchange keeps of a fee that was paid, rounded down.
#[inline]
pub fn referral(kept: u64, share_bps: u32) -> Result<u64> {
    wide::scale_floor(kept, share_bps.min(MAX_REFERRAL_BPS), BPS).ok_or(RiskError::Overflow)
}
