//! Rows: logarithmic buckets of the entry price.
//!
//! A bucket is an octave and the six bits after the leading one, so it is between 1/128 and 1/64 of its price wide;
//! prices below 64 have a bucket each. There are [`BUCKETS`] of them for all prices, and [`ROWS`] rows to hold them: a
//! bucket lives in the row `bucket mod ROWS`, so a side can hold entries over a span of 2^16 anywhere in the range of
//! prices, and a market needs no recentring when its price drifts by orders of magnitude over the years.

use crate::bits::highest;
use ballast_units::Price;

/// Mantissa bits of a bucket.
const MANTISSA_BITS: u64 = 6;
const MANTISSA: u64 = (1 << MANTISSA_BITS) - 1;

/// Number of buckets: 64 prices below 64, then 34 octaves of 64 up to 2^40.
pub const BUCKETS: u16 = 64 + 34 * 64;
/// Rows per side; a power of two, 16 octaves.
pub const ROWS: usize = 1024;

/// The entry prices of one bucket, in atoms per lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowBounds {
    /// Lowest entry price.
    pub low: u64,
    /// Highest entry price, inclusive.
    pub high: u64,
    /// The price that stands for all of them in the score: the middle.
    pub middle: u64,
}

/// The bucket of an entry price in 1..=`MAX_PRICE`. Monotonic in the price.
#[inline(always)]
pub fn bucket(entry: Price) -> u16 {
    let price = entry.0;
    if price <= MANTISSA {
        return price as u16;
    }
    // At least 6 here.
    let shift = (highest(price) as u64).wrapping_sub(MANTISSA_BITS);
    (shift.wrapping_add(1) << MANTISSA_BITS | price >> (shift & 63) & MANTISSA) as u16
}

/// The row that holds a bucket.
#[inline(always)]
pub const fn slot(bucket: u16) -> usize {
    bucket as usize % ROWS
}

/// The prices of a bucket below [`BUCKETS`] (of bucket 0, which no price has: 1).
#[inline(always)]
pub const fn row_bounds(bucket: u16) -> RowBounds {
    let bucket = bucket as u64;
    if bucket <= MANTISSA {
        let price = if bucket == 0 { 1 } else { bucket };
        return RowBounds { low: price, high: price, middle: price };
    }
    // Masked so that no content of a slab can shift out of range.
    let shift = ((bucket >> MANTISSA_BITS) - 1) & 63;
    let low = (MANTISSA + 1 + (bucket & MANTISSA)) << shift;
    let width = 1u64 << shift;
    RowBounds { low, high: low.wrapping_add(width - 1), middle: low.wrapping_add(width / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_units::MAX_PRICE;
    use proptest::prelude::*;

    #[test]
    fn buckets_tile_all_prices_without_gap() {
        let mut next = 1;
        for index in 1..BUCKETS {
            let RowBounds { low, high, middle } = row_bounds(index);
            assert_eq!(low, next, "bucket {index}");
            assert!(low <= middle && middle <= high);
            assert_eq!((bucket(Price(low)), bucket(Price(high))), (index, index));
            // No wider than 1/64 of its price.
            assert!((high - low) * 64 < low.max(64));
            next = high + 1;
        }
        assert_eq!(next, MAX_PRICE + 1);
    }

    proptest! {
        #[test]
        fn a_price_lies_in_its_bucket(price in (0u32..40).prop_flat_map(|s| (1u64 << s)..(2u64 << s))) {
            let bounds = row_bounds(bucket(Price(price)));
            prop_assert!(bounds.low <= price && price <= bounds.high);
        }

        #[test]
        fn any_bucket_number_has_bounds(index in any::<u16>()) {
            let bounds = row_bounds(index);
            prop_assert!(index >= BUCKETS || bounds.low <= bounds.high);
        }
    }
}
