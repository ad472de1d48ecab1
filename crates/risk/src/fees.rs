//! What a trade costs, and who gets it.

use crate::{BPS, PPM, ParamError, Result, RiskError};
use ballast_units::wide;
use bytemuck::{Pod, Zeroable};

/// Largest taker fee: 0.5 %.
pub const MAX_TAKER_PPM: u32 = 5_000;

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
