//! 128-bit helpers: storage with an alignment of 8 bytes, and division by a cell's scale with named rounding.

use crate::{Error, cell::SCALE_START};
use bytemuck::{Pod, Zeroable};

/// Bits of [`SCALE_START`], a power of two: where nothing was deleveraged yet, dividing by it is a shift.
pub(crate) const SCALE_BITS: u32 = SCALE_START.trailing_zeros();

/// An `i128` as two words, low word first, so that a structure that holds it is aligned to 8 bytes on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Wide(pub [u64; 2]);

impl Wide {
    /// The number.
    #[inline(always)]
    pub const fn get(self) -> i128 {
        ((self.0[1] as i128) << 64) | self.0[0] as i128
    }

    /// From a number.
    #[inline(always)]
    pub const fn new(value: i128) -> Self {
        Self([value as u64, (value >> 64) as u64])
    }

    /// Adds, refusing to overflow.
    #[inline(always)]
    pub(crate) fn add(&mut self, amount: i128) -> Result<(), Error> {
        *self = Self::new(self.get().checked_add(amount).ok_or(Error::Overflow)?);
        Ok(())
    }

    /// Adds modulo 2^128. For running indices of which only differences are used, so that wrapping is harmless.
    #[inline(always)]
    pub(crate) fn add_wrapping(&mut self, amount: i128) {
        *self = Self::new(self.get().wrapping_add(amount));
    }
}

/// `lots × factor`, exact: below 2^127 for every pair. Two 64-bit multiplications where lots are below 2^32, as they mostly
/// are.
#[inline(always)]
pub(crate) fn signed_product(lots: u64, factor: i64) -> i128 {
    if lots >> 32 != 0 {
        let product = (u128::from(lots) * u128::from(factor.unsigned_abs())) as i128;
        return if factor < 0 { -product } else { product };
    }
    let low = lots.wrapping_mul(factor as u64 & 0xffff_ffff);
    // Below 2^63: 32 bits without sign times 32 bits with sign.
    let high = (lots as i64).wrapping_mul(factor >> 32);
    (i128::from(high) << 32).wrapping_add(i128::from(low))
}

/// `a × b` in full. Two 64-bit multiplications where `a` is below 2^32, as lots mostly are; a 128-bit one is a call, and
/// several times that.
#[inline(always)]
pub(crate) fn wide_product(a: u64, b: u64) -> u128 {
    if a >> 32 != 0 {
        return u128::from(a) * u128::from(b);
    }
    let low = a.wrapping_mul(b & 0xffff_ffff);
    let high = a.wrapping_mul(b >> 32);
    (u128::from(high) << 32).wrapping_add(u128::from(low))
}

/// `amount × scale`, a shift where the scale is still [`SCALE_START`]. Wraps modulo 2^128, for running indices.
#[inline(always)]
pub(crate) fn scaled(amount: i64, scale: u64) -> i128 {
    if scale == SCALE_START {
        i128::from(amount) << SCALE_BITS
    } else {
        i128::from(amount).wrapping_mul(i128::from(scale))
    }
}

/// `⌊lots × index ÷ scale⌋` and whether it was exact, for an index that moved by `index` since a joining at `scale`.
///
/// Split as `index = q·scale + r`, so that 128 bits hold every intermediate: `lots·q + ⌊lots·r ÷ scale⌋`.
#[inline(always)]
pub(crate) fn per_lot(lots: u64, index: i128, scale: u64) -> Result<i128, Error> {
    if index == 0 {
        return Ok(0);
    }
    let (quotient, remainder) = if scale == SCALE_START {
        (index >> SCALE_BITS, index as u64 & (SCALE_START - 1))
    } else {
        floor_division(index, scale)?
    };
    let whole = if let Ok(quotient) = i64::try_from(quotient) {
        signed_product(lots, quotient)
    } else {
        quotient.checked_mul(i128::from(lots)).ok_or(Error::Overflow)?
    };
    if remainder == 0 {
        return Ok(whole);
    }
    // lots < 2^64 and remainder < scale, so the quotient is below lots.
    let part = divide_by_scale(wide_product(lots, remainder), scale).0;
    whole.checked_add(i128::from(part)).ok_or(Error::Overflow)
}

/// Quotient and remainder of `product ÷ scale`, for a quotient that fits 64 bits; a shift at [`SCALE_START`].
#[inline(always)]
pub(crate) fn divide_by_scale(product: u128, scale: u64) -> (u64, u64) {
    if scale == SCALE_START {
        ((product >> SCALE_BITS) as u64, product as u64 & (SCALE_START - 1))
    } else {
        divide(product, scale)
    }
}

/// Quotient and remainder of `product ÷ divisor`; the quotient's low 64 bits. The divisor is not zero.
pub(crate) fn divide(product: u128, divisor: u64) -> (u64, u64) {
    let quotient = (product / u128::from(divisor)) as u64;
    (quotient, (product as u64).wrapping_sub(quotient.wrapping_mul(divisor)))
}

/// `index ÷ scale` rounded towards minus infinity, and the remainder in 0..scale.
fn floor_division(index: i128, scale: u64) -> Result<(i128, u64), Error> {
    if scale == 0 {
        return Err(Error::Corrupt);
    }
    let magnitude = index.unsigned_abs();
    let quotient = (magnitude / u128::from(scale)) as i128;
    let remainder = (magnitude as u64).wrapping_sub((quotient as u64).wrapping_mul(scale));
    Ok(match (index < 0, remainder) {
        (false, remainder) => (quotient, remainder),
        (true, 0) => (-quotient, 0),
        (true, remainder) => (-quotient - 1, scale - remainder),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn per_lot_is_the_floor_of_the_exact_quotient(
            lots in 0u64..1 << 40,
            index in any::<i128>().prop_flat_map(|x| (0u32..127).prop_map(move |s| x >> s)),
            scale in prop_oneof![Just(SCALE_START), 1u64..SCALE_START],
        ) {
            let exact = ballast_units::wide::signed_mul_div_floor(index, lots.into(), scale.into());
            match per_lot(lots, index, scale) {
                Ok(value) => prop_assert_eq!(Some(value), exact),
                Err(error) => {
                    prop_assert_eq!(error, Error::Overflow);
                    // Refuses only what does not fit, or nearly so.
                    prop_assert!(exact.is_none_or(|e| e.unsigned_abs() > 1 << 126));
                }
            }
        }

        #[test]
        fn wide_products_are_exact(a in any::<u64>(), b in any::<u64>(), shift in 0u32..64) {
            prop_assert_eq!(wide_product(a >> shift, b), u128::from(a >> shift) * u128::from(b));
        }

        #[test]
        fn signed_products_are_exact(lots in any::<u64>(), factor in any::<i64>(), shift in 0u32..64) {
            let lots = lots >> shift;
            prop_assert_eq!(signed_product(lots, factor), i128::from(lots) * i128::from(factor));
        }

        #[test]
        fn wide_numbers_survive_storage(value in any::<i128>()) {
            prop_assert_eq!(Wide::new(value).get(), value);
        }
    }
}
