//! The score: profit ratio × effective leverage.
//!
//! For entry `e`, bankruptcy price `b` and mark `m`: a long's is `(m−e)/e × m/(m−b)`, a short's `(e−m)/e × m/(b−m)`. With
//! profit `p = |m−e|/e` and distance `d = |e−b|/e` that is `p(1+p)/(p+d)` and `p(1−p)/(p+d)`: one division, as profit belongs
//! to the row and distance to the column. (BitMEX's rule, "Auto-Deleveraging".)

use crate::grid::{RATIO_BITS, RowBounds, column_middle, distance_at, row_bounds};
use ballast_units::{Price, Side};

/// Profits beyond 64 times the entry score like 64 times, so that products fit.
const MOST_PROFIT: u64 = 64 << RATIO_BITS;
const ONE: u64 = 1 << RATIO_BITS;

/// No score is as high as this.
pub const SCORE_LIMIT: u64 = 1 << 53;

/// Profit as a ratio to the entry (units of 2^-20, rounded down, at most 64), or `None` without profit.
#[inline(always)]
pub fn profit(side: Side, entry: u64, mark: Price) -> Option<u64> {
    let gain = match side {
        Side::Long => mark.0.checked_sub(entry),
        Side::Short => entry.checked_sub(mark.0),
    }?;
    if gain == 0 || entry == 0 {
        return None;
    }
    // Prices are below 2^40, so this is below 2^60.
    Some(((gain << RATIO_BITS) / entry).min(MOST_PROFIT))
}

/// `p(1+p)` for a long, `p(1−p)` for a short: units of 2^-40, below [`SCORE_LIMIT`].
#[inline(always)]
pub fn numerator(side: Side, profit: u64) -> u64 {
    match side {
        Side::Long => profit.wrapping_mul(profit.wrapping_add(ONE)),
        Side::Short => profit.wrapping_mul(ONE.saturating_sub(profit)),
    }
}

/// The score, in units of 2^-20, rounded down, at least 1: `numerator ÷ remaining`, where `remaining` is profit plus
/// distance, what is left to bankruptcy as a ratio to the entry. Nothing left counts as 2^-20.
#[inline(always)]
pub fn quotient(numerator: u64, remaining: i64) -> u64 {
    let remaining = if remaining > 0 { remaining as u64 } else { 1 };
    (numerator / remaining).max(1)
}

/// The score of a cell at a mark: that of an entry at the middle of its row whose distance to bankruptcy is the middle of
/// its column's, `funding_since` (units of 2^-20 of the entry, see [`crate::IndexView::funding_since`]) after the row was
/// opened. `None` when the row is not in profit, which is when its least favourable entry is not.
pub fn of_cell(side: Side, row: u16, column: usize, mark: Price, funding_since: i64) -> Option<u64> {
    let RowBounds { low, high, middle } = row_bounds(row);
    let in_profit = match side {
        Side::Long => high < mark.0,
        Side::Short => low > mark.0,
    };
    if !in_profit {
        return None;
    }
    let profit = profit(side, middle, mark).unwrap_or(0);
    let base = distance_at(side, profit as i64, funding_since);
    Some(quotient(numerator(side, profit), base.wrapping_add(column_middle(column))))
}

/// The score of one position at a mark, with `bankruptcy` its bankruptcy price then; 0 without profit.
pub fn score(side: Side, entry: Price, bankruptcy: i64, mark: Price) -> u64 {
    match profit(side, entry.0, mark) {
        None => 0,
        Some(profit) => {
            let distance = crate::grid::distance(side, entry, bankruptcy);
            quotient(numerator(side, profit), distance.saturating_add(profit as i64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_units::MAX_PRICE;
    use proptest::prelude::*;

    fn exact(side: Side, entry: f64, bankruptcy: f64, mark: f64) -> f64 {
        match side {
            Side::Long => (mark - entry) / entry * mark / (mark - bankruptcy),
            Side::Short => (entry - mark) / entry * mark / (bankruptcy - mark),
        }
    }

    #[test]
    fn agrees_with_the_published_formula() {
        for (side, entry, bankruptcy, mark) in [
            (Side::Long, 1_000_000, 900_000, 1_100_000),
            (Side::Long, 1_000_000, 1_020_000, 1_100_000),
            (Side::Long, 1_000_000, -500_000, 4_000_000),
            (Side::Short, 1_000_000, 1_050_000, 800_000),
            (Side::Short, 1_000_000, 950_000, 800_000),
            (Side::Short, 1_000_000, 9_000_000, 100_000),
        ] {
            let expected = exact(side, entry as f64, bankruptcy as f64, mark as f64);
            let actual = score(side, Price(entry), bankruptcy, Price(mark)) as f64 / ONE as f64;
            assert!((actual / expected - 1.0).abs() < 1e-4, "{side:?} {actual} {expected}");
        }
    }

    proptest! {
        #[test]
        fn no_position_overflows_the_score(
            entry in 0..=MAX_PRICE, bankruptcy in any::<i64>(), mark in 0..=MAX_PRICE,
        ) {
            for side in Side::BOTH {
                let score = score(side, Price(entry), bankruptcy, Price(mark));
                prop_assert!(score < SCORE_LIMIT);
                let in_profit = entry != 0 && match side {
                    Side::Long => entry < mark,
                    Side::Short => entry > mark,
                };
                prop_assert_eq!(score > 0, in_profit);
            }
        }

        #[test]
        fn a_nearer_bankruptcy_never_scores_lower(
            entry in 1..=MAX_PRICE, bankruptcy in any::<i64>(), nearer in 0i64.., mark in 1..=MAX_PRICE,
        ) {
            let long = |b| score(Side::Long, Price(entry), b, Price(mark));
            prop_assert!(long(bankruptcy.saturating_add(nearer)) >= long(bankruptcy));
            let short = |b| score(Side::Short, Price(entry), b, Price(mark));
            prop_assert!(short(bankruptcy.saturating_sub(nearer)) >= short(bankruptcy));
        }
    }
}
