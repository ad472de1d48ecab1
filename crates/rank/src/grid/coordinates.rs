//! From a position to its coordinates.
//!
//! With entry `e`, bankruptcy price `b = beta + F` (`F`: funding index in atoms per lot), the distance is `(e − b)/e` for
//! a long and `(b − e)/e` for a short. `F` moves, so what is bucketed is the distance at a row's own funding origin
//! `F₀`: `(e − beta − F₀)/e`, or `(beta + F₀ − e)/e`. Within a row all distances then change by the same amount
//! when funding does, so the order of columns is the order by score at every mark and every funding index.

use super::{RATIO_BITS, bucket, column, row_bounds};
use ballast_units::{FUNDING_ONE, MAX_PRICE, Price, Side};

/// Bankruptcy prices beyond this are cut off: twice the largest price, so no leverage at all.
const FARTHEST: i64 = 1 << 41;
/// Fixed-point bits in which a funding index exceeds a ratio.
const FUNDING_SHIFT: u32 = FUNDING_ONE.trailing_zeros() - RATIO_BITS;

/// A position's place in the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coordinates {
    /// Bucket of the entry price (see [`bucket`]).
    pub row: u16,
    /// Column of the distance to bankruptcy, 0 the nearest.
    pub column: u16,
}

/// Distance from `entry` to the bankruptcy price at funding index zero, as a ratio to the entry in units of 2^-20, rounded
/// down. `beta` is the bankruptcy price less the funding index. Negative where bankruptcy lies beyond the entry.
#[inline(always)]
pub fn distance(side: Side, entry: Price, beta: i64) -> i64 {
    let entry = entry.0.clamp(1, MAX_PRICE) as i64;
    let beta = beta.clamp(-FARTHEST, FARTHEST);
    // Below 2^42, so it can be shifted by 20.
    let gap = match side {
        Side::Long => entry.wrapping_sub(beta),
        Side::Short => beta.wrapping_sub(entry),
    };
    floor_quotient(gap << RATIO_BITS, entry as u64)
}

/// The funding index as a ratio to a row's middle price, in units of 2^-20, rounded down: how far it shifts the
/// distances of that row, towards bankruptcy for a long and away from it for a short.
#[inline(always)]
pub fn funding_shift(funding: i64, row_middle: u64) -> i64 {
    floor_quotient(funding >> FUNDING_SHIFT, row_middle.max(1))
}

/// Row bucket and column of a position, in a row whose origin is `origin` (a funding index; 0 compares positions that
/// joined when the index was near zero).
pub fn coordinates(side: Side, entry: Price, beta: i64, origin: i64) -> Coordinates {
    let row = bucket(entry);
    let shift = funding_shift(origin, row_bounds(row).middle);
    Coordinates { row, column: column(distance_at(side, distance(side, entry, beta), shift)) }
}

/// A distance at funding index zero, seen at the index whose [`funding_shift`] is `shift`.
#[inline(always)]
pub(crate) fn distance_at(side: Side, distance: i64, shift: i64) -> i64 {
    // Both below 2^63 in magnitude, and where they come near it the order of distances no longer matters.
    match side {
        Side::Long => distance.wrapping_sub(shift),
        Side::Short => distance.wrapping_add(shift),
    }
}

/// `⌊value ÷ divisor⌋` for a positive divisor, with an unsigned division, which is one instruction everywhere.
#[inline(always)]
fn floor_quotient(value: i64, divisor: u64) -> i64 {
    if value >= 0 {
        (value as u64 / divisor) as i64
    } else {
        // −⌈|value| ÷ divisor⌉; |value| ≥ 1, so nothing underflows.
        -1 - ((value.unsigned_abs() - 1) / divisor) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn distances_are_the_floor_of_the_exact_ratio(entry in 1..=MAX_PRICE, beta in -(1i64 << 41)..1 << 41) {
            let gap = i128::from(entry) - i128::from(beta);
            let exact = (gap << RATIO_BITS).div_euclid(i128::from(entry));
            prop_assert_eq!(i128::from(distance(Side::Long, Price(entry), beta)), exact);
            let exact = (-gap << RATIO_BITS).div_euclid(i128::from(entry));
            prop_assert_eq!(i128::from(distance(Side::Short, Price(entry), beta)), exact);
        }

        #[test]
        fn no_trader_can_overflow_a_distance(entry in 1..=MAX_PRICE, beta in any::<i64>(), origin in any::<i64>()) {
            for side in Side::BOTH {
                let place = coordinates(side, Price(entry), beta, origin);
                prop_assert!(usize::from(place.column) < super::super::COLUMNS);
            }
        }

        #[test]
        fn a_nearer_bankruptcy_never_has_a_higher_column(
            entry in 1..=MAX_PRICE, beta in any::<i64>(), nearer in 0i64.., origin in any::<i64>(),
        ) {
            let column = |side, beta| coordinates(side, Price(entry), beta, origin).column;
            prop_assert!(column(Side::Long, beta.saturating_add(nearer)) <= column(Side::Long, beta));
            prop_assert!(column(Side::Short, beta.saturating_sub(nearer)) <= column(Side::Short, beta));
        }
    }
}
