//! Sums of base × funding index: signed numbers of 128 bits in blocks that are aligned to eight bytes.

use ballast_units::wide;
use bytemuck::{Pod, Zeroable};

use crate::BookError;

/// An `i128` as two words, low word first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Wide([u64; 2]);

impl Wide {
    /// The number.
    #[inline(always)]
    pub const fn get(self) -> i128 {
        // Both halves as they are.
        (self.0[1] as i128) << 64 | self.0[0] as i128
    }

    #[inline(always)]
    fn new(value: i128) -> Wide {
        // Truncated on purpose: the two halves.
        Wide([value as u64, (value >> 64) as u64])
    }

    /// Adds `base` × `index`, by native multiplications of halves: a call for 128 bits costs more.
    #[inline(always)]
    pub fn add_product(&mut self, base: i64, index: i64) -> Result<(), BookError> {
        let (high, low) = wide::full_mul(base.unsigned_abs(), index.unsigned_abs());
        let size = Wide([low, high]).get();
        // At most 2^126 either way.
        self.add(if (base < 0) == (index < 0) { size } else { size.wrapping_neg() })
    }

    /// Adds.
    #[inline(always)]
    pub fn add(&mut self, amount: i128) -> Result<(), BookError> {
        *self = Wide::new(self.get().checked_add(amount).ok_or(BookError::Overflow)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn factor() -> impl Strategy<Value = i64> {
        (any::<i64>(), 0u32..64).prop_map(|(value, shift)| value >> shift)
    }

    proptest! {
        #[test]
        fn prop_sums_of_products_are_exact(factors in prop::collection::vec((factor(), factor()), 0..20)) {
            let (mut sum, mut expected) = (Wide::default(), Some(0i128));
            for (base, index) in factors {
                let product = i128::from(base) * i128::from(index);
                expected = expected.and_then(|sum| sum.checked_add(product));
                match (sum.add_product(base, index), expected) {
                    (Ok(()), Some(expected)) => prop_assert_eq!(sum.get(), expected),
                    (result, _) => {
                        prop_assert_eq!(result, Err(BookError::Overflow));
                        return Ok(());
                    }
                }
            }
        }
    }
}
