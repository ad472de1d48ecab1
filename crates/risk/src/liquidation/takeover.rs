//! At what price another account takes a position over.

use crate::{PPM, Result, RiskError};
use ballast_units::{MAX_PRICE, Price, Side, wide};
use bytemuck::{Pod, Zeroable};

/// The discount at which positions are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TakeoverParams {
    /// Discount at the start: up to 500 bps.
    pub start_bps: u32,
    /// Growth of the discount: 1 to 10,000 ppm per second.
    pub per_second_ppm: u32,
    /// Largest discount: from the start's to 2,000 bps.
    pub max_bps: u32,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<TakeoverParams>() == 16);

/// A takeover's terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takeover {
    /// What the liquidator pays for a long's lots, or gets with a short's.
    pub price: Price,
    /// What insurance has to add per lot, in atoms, for the account to come out at zero. Zero unless it is bankrupt at
    /// the price.
    pub shortfall: u64,
}

/// The price at which another account takes lots of a position of `side` over, `seconds` after takeovers were allowed.
///
/// The discount off the mark starts at `start_bps`, grows by `per_second_ppm` and ends at `max_bps`; the price rounds
/// against the account. It is never past the bankruptcy price, unless that is already past the mark: then the account
/// has nothing to give, the liquidator still gets the discount, and insurance pays the shortfall.
pub fn takeover_price(
    side: Side,
    mark: Price,
    bankruptcy: i64,
    seconds: u64,
    params: &TakeoverParams,
) -> Result<Takeover> {
    let ramp = u64::from(params.per_second_ppm).saturating_mul(seconds);
    let ppm = u64::from(params.start_bps).saturating_mul(100).saturating_add(ramp);
    let ppm = u32::try_from(ppm.min(u64::from(params.max_bps) * 100)).map_err(|_| RiskError::Corrupt)?;
    let discount = wide::scale_ceil(mark.0, ppm, PPM).ok_or(RiskError::PriceOutOfRange)?;
    let offered = match side {
        Side::Long => mark.0.saturating_sub(discount).max(1),
        Side::Short => mark.0.saturating_add(discount).min(MAX_PRICE),
    };
    let limits = (i64::try_from(mark.0), i64::try_from(offered));
    let (Ok(mark), Ok(offered)) = limits else {
        return Err(RiskError::PriceOutOfRange);
    };
    let bankrupt = match side {
        Side::Long => bankruptcy > mark,
        Side::Short => bankruptcy < mark,
    };
    let price = match (side, bankrupt) {
        (_, true) => offered,
        (Side::Long, false) => offered.max(bankruptcy),
        (Side::Short, false) => offered.min(bankruptcy),
    };
    let shortfall = if bankrupt { price.abs_diff(bankruptcy) } else { 0 };
    Ok(Takeover { price: Price(u64::try_from(price).map_err(|_| RiskError::PriceOutOfRange)?), shortfall })
}
