//! Columns: buckets of the distance from entry to bankruptcy, as a share of the entry price.
//!
//! The score divides by profit plus distance, so a bucket should be wide in proportion to distance plus a typical
//! small profit: widths grow geometrically from the finest at distance zero. Distances are negative where the
//! bankruptcy price lies beyond the entry (a cross account that lost elsewhere). The boundaries are computed when the
//! crate is compiled, in integers; finding a column is a binary search of six steps.

use super::RATIO_ONE;

/// Columns per row: one word of occupancy bits.
pub const COLUMNS: usize = 64;
/// Columns for negative distances.
const NEGATIVE: usize = 16;
/// The profit for which relative widths are even, a ratio: 1/32.
const TYPICAL_PROFIT: i64 = RATIO_ONE / 32;
/// A bucket of positive distance is (distance + typical profit) ÷ this wide.
const STEPS: i64 = 12;
/// The same for negative distances.
const NEGATIVE_STEPS: i64 = 5;

/// Lowest distance of each column; the first is open downwards, the last upwards.
const LOWER: [i64; COLUMNS] = boundaries();
/// The distance that stands for a column in the score.
const MIDDLE: [i64; COLUMNS] = middles();

const fn boundaries() -> [i64; COLUMNS] {
    let mut lower = [0i64; COLUMNS];
    let mut distance = 0;
    let mut column = NEGATIVE + 1;
    while column < COLUMNS {
        distance += (distance + TYPICAL_PROFIT) / STEPS;
        lower[column] = distance;
        column += 1;
    }
    let mut distance = 0;
    let mut column = NEGATIVE;
    while column > 0 {
        column -= 1;
        distance -= (TYPICAL_PROFIT - distance) / NEGATIVE_STEPS;
        lower[column] = distance;
    }
    lower
}

const fn middles() -> [i64; COLUMNS] {
    let mut middle = [0i64; COLUMNS];
    let mut column = 0;
    while column + 1 < COLUMNS {
        middle[column] = LOWER[column] + (LOWER[column + 1] - LOWER[column]) / 2;
        column += 1;
    }
    // The open end: as if it were as wide as its neighbour.
    middle[column] = LOWER[column] + (LOWER[column] - LOWER[column - 1]) / 2;
    middle
}

/// The column of a distance (ratio to the entry, units of 2^-20). Monotonic: a greater distance never has a lower column.
#[inline(always)]
pub fn column(distance: i64) -> u16 {
    let mut low = 0usize;
    let mut step = COLUMNS / 2;
    while step != 0 {
        // `low + step` stays below COLUMNS: the steps add up to COLUMNS − 1.
        if distance >= LOWER[(low + step) % COLUMNS] {
            low += step;
        }
        step /= 2;
    }
    low as u16
}

/// The distance that stands for a column in the score (units of 2^-20).
#[inline(always)]
pub fn column_middle(column: usize) -> i64 {
    MIDDLE[column % COLUMNS]
}

/// The distances of a column: lowest, and lowest of the next. The ends are open.
pub fn column_bounds(column: usize) -> (Option<i64>, Option<i64>) {
    let at = |index: usize| LOWER.get(index).copied();
    (if column == 0 { None } else { at(column) }, at(column + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn boundaries_rise() {
        assert!(LOWER.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(MIDDLE.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(LOWER[NEGATIVE], 0);
    }

    #[test]
    fn columns_reach_from_far_beyond_the_entry_to_no_leverage() {
        assert!(LOWER[1] < -RATIO_ONE * 2 / 5, "{}", LOWER[1]);
        assert!(LOWER[COLUMNS - 1] > RATIO_ONE * 9 / 10, "{}", LOWER[COLUMNS - 1]);
    }

    proptest! {
        #[test]
        fn a_distance_lies_in_its_column(distance in prop_oneof![any::<i64>(), -2 * RATIO_ONE..2 * RATIO_ONE]) {
            let (low, high) = column_bounds(usize::from(column(distance)));
            prop_assert!(low.is_none_or(|low| low <= distance));
            prop_assert!(high.is_none_or(|high| distance < high));
        }
    }
}
