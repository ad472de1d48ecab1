//! Multiplication and division of 128-bit numbers with 64-bit instructions only.
//!
//! Numbers are pairs of 64-bit halves. Products are built from 32-bit digits. Division picks the cheapest way that the
//! operands allow, and in the worst case is Knuth's algorithm D (The Art of Computer Programming, volume 2, section 4.3.1)
//! with two quotient digits of 32 bits: about a hundred instructions, where a loop over bits needs thousands.

const DIGIT: u32 = 32;
const DIGIT_MASK: u64 = 0xffff_ffff;

/// A 128-bit number as two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct U128 {
    /// Bits 64 to 127.
    pub hi: u64,
    /// Bits 0 to 63.
    pub lo: u64,
}

impl From<u128> for U128 {
    #[inline(always)]
    fn from(value: u128) -> Self {
        Self { hi: (value >> 64) as u64, lo: value as u64 }
    }
}

impl From<U128> for u128 {
    #[inline(always)]
    fn from(value: U128) -> Self {
        (u128::from(value.hi) << 64) | u128::from(value.lo)
    }
}

impl U128 {
    const ZERO: Self = Self { hi: 0, lo: 0 };

    #[inline(always)]
    const fn from_low(lo: u64) -> Self {
        Self { hi: 0, lo }
    }

    #[inline(always)]
    const fn less_than(self, other: Self) -> bool {
        self.hi < other.hi || (self.hi == other.hi && self.lo < other.lo)
    }

    #[inline(always)]
    const fn wrapping_sub(self, other: Self) -> Self {
        let borrow = (self.lo < other.lo) as u64;
        Self { hi: self.hi.wrapping_sub(other.hi).wrapping_sub(borrow), lo: self.lo.wrapping_sub(other.lo) }
    }
}

/// The whole product of two 64-bit numbers.
#[inline(always)]
pub const fn mul_64(a: u64, b: u64) -> U128 {
    let (a1, a0) = (a >> DIGIT, a & DIGIT_MASK);
    let (b1, b0) = (b >> DIGIT, b & DIGIT_MASK);
    let low = a0 * b0;
    // Neither sum can overflow: (2^32 - 1)^2 + 2 * (2^32 - 1) = 2^64 - 1.
    let middle = a1 * b0 + (low >> DIGIT);
    let other_middle = a0 * b1 + (middle & DIGIT_MASK);
    U128 { hi: a1 * b1 + (middle >> DIGIT) + (other_middle >> DIGIT), lo: (other_middle << DIGIT) | (low & DIGIT_MASK) }
}

/// The low 128 bits of `a * b`.
#[inline(always)]
pub const fn mul(a: U128, b: U128) -> U128 {
    let product = mul_64(a.lo, b.lo);
    let cross = a.hi.wrapping_mul(b.lo).wrapping_add(a.lo.wrapping_mul(b.hi));
    U128 { hi: product.hi.wrapping_add(cross), lo: product.lo }
}

/// Quotient and remainder of `n / d`; both zero if `d` is zero.
#[inline(always)]
pub const fn div_rem(n: U128, d: U128) -> (U128, U128) {
    if d.hi != 0 {
        return div_rem_by_wide(n, d);
    }
    if n.hi == 0 {
        if d.lo == 0 {
            return (U128::ZERO, U128::ZERO);
        }
        return (U128::from_low(n.lo / d.lo), U128::from_low(n.lo % d.lo));
    }
    if d.lo >> DIGIT == 0 {
        return div_rem_by_digit(n, d.lo);
    }
    // The divisor has 33 to 64 bits: the high half is one division, its remainder goes into the low half.
    let (high, rest) = if n.hi < d.lo { (0, n.hi) } else { (n.hi / d.lo, n.hi % d.lo) };
    let shift = leading_zeros(d.lo);
    let (low, remainder) = div_rem_normalised(shift_left(U128 { hi: rest, lo: n.lo }, shift), d.lo << shift);
    (U128 { hi: high, lo: low }, U128::from_low(remainder >> shift))
}

/// Short division by a divisor of one 32-bit digit; both zero if it is zero.
#[inline(always)]
const fn div_rem_by_digit(n: U128, d: u64) -> (U128, U128) {
    if d == 0 {
        return (U128::ZERO, U128::ZERO);
    }
    let high = n.hi / d;
    let upper = ((n.hi - high * d) << DIGIT) | (n.lo >> DIGIT);
    let upper_quotient = upper / d;
    let lower = ((upper - upper_quotient * d) << DIGIT) | (n.lo & DIGIT_MASK);
    let lower_quotient = lower / d;
    (U128 { hi: high, lo: (upper_quotient << DIGIT) | lower_quotient }, U128::from_low(lower - lower_quotient * d))
}

/// Division by more than 64 bits, so that the quotient fits 64.
///
/// Divides half of `n` by the 64 leading bits of `d`, which gives a quotient that is right or one too big
/// (Warren, Hacker's Delight, 2nd edition, section 9-5), takes one off, and adds it back if the remainder says so.
#[inline(always)]
const fn div_rem_by_wide(n: U128, d: U128) -> (U128, U128) {
    if n.less_than(d) {
        return (U128::ZERO, n);
    }
    let shift = leading_zeros(d.hi);
    let leading = shift_left(d, shift).hi;
    let half = U128 { hi: n.hi >> 1, lo: (n.hi << 63) | (n.lo >> 1) };
    let (estimate, _) = div_rem_normalised(half, leading);
    // `estimate << shift >> 63` without losing bits: shift is at most 63.
    let estimate = estimate >> (63 - shift);
    let quotient = estimate.saturating_sub(1);
    let product = mul_64(quotient, d.lo);
    let product = U128 { hi: product.hi.wrapping_add(quotient.wrapping_mul(d.hi)), lo: product.lo };
    let remainder = n.wrapping_sub(product);
    if remainder.less_than(d) {
        (U128::from_low(quotient), remainder)
    } else {
        (U128::from_low(quotient + 1), remainder.wrapping_sub(d))
    }
}

/// Divides by a 64-bit divisor whose highest bit is set. Needs `n.hi < d`, so that the quotient fits 64 bits.
#[inline(always)]
const fn div_rem_normalised(n: U128, d: u64) -> (u64, u64) {
    let (d1, d0) = (d >> DIGIT, d & DIGIT_MASK);
    let (high, rest) = next_digit(n.hi, n.lo >> DIGIT, d, d1, d0);
    let (low, rest) = next_digit(rest, n.lo & DIGIT_MASK, d, d1, d0);
    ((high << DIGIT) | low, rest)
}

/// One quotient digit of `(rest * 2^32 + digit) / d`, and what remains. Needs `rest < d`.
///
/// The estimate from the divisor's leading digit alone is at most two too big, because the divisor is normalised.
#[inline(always)]
const fn next_digit(rest: u64, digit: u64, d: u64, d1: u64, d0: u64) -> (u64, u64) {
    let mut quotient = rest / d1;
    let mut remainder = rest - quotient * d1;
    while quotient >> DIGIT != 0 || quotient * d0 > (remainder << DIGIT) | digit {
        quotient -= 1;
        remainder += d1;
        if remainder >> DIGIT != 0 {
            break;
        }
    }
    let rest = ((rest << DIGIT) | digit).wrapping_sub(quotient.wrapping_mul(d));
    (quotient, rest)
}

/// `value << shift` for `shift` below 64; bits above 128 are lost.
#[inline(always)]
const fn shift_left(value: U128, shift: u32) -> U128 {
    // Two shifts for the carried bits, because a shift by 64 is not defined when `shift` is zero.
    U128 { hi: (value.hi << shift) | (value.lo >> 1 >> (63 - shift)), lo: value.lo << shift }
}

/// Leading zeros of a number that is not zero, by halving: SBPF has no instruction for it, and the code generator's own
/// expansion is twice as long.
#[inline(always)]
const fn leading_zeros(value: u64) -> u32 {
    let mut value = value;
    let mut zeros = 0;
    let mut step = 32;
    while step != 0 {
        if value >> (64 - step) == 0 {
            zeros += step;
            value <<= step;
        }
        step >>= 1;
    }
    zeros
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Operands of every width, with runs of ones and zeros, where carries and estimates go wrong.
    fn operand() -> impl Strategy<Value = u128> {
        let width = 0..128u32;
        prop_oneof![
            any::<u128>(),
            (any::<u128>(), width.clone()).prop_map(|(value, shift)| value >> shift),
            (width.clone(), 0..3u128).prop_map(|(shift, below)| (1u128 << shift).wrapping_sub(below)),
            (width.clone(), width).prop_map(|(one, other)| (1u128 << one) | (1u128 << other)),
            (any::<u32>(), 0..97u32).prop_map(|(value, shift)| !(u128::from(value) << shift)),
        ]
    }

    fn check(n: u128, d: u128) {
        assert_eq!(u128::from(mul(n.into(), d.into())), n.wrapping_mul(d), "{n:#x} * {d:#x}");
        let (quotient, remainder) = div_rem(n.into(), d.into());
        let expected = (n.checked_div(d).unwrap_or(0), n.checked_rem(d).unwrap_or(0));
        assert_eq!((quotient.into(), remainder.into()), expected, "{n:#x} / {d:#x}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn agrees_with_native_arithmetic(n in operand(), d in operand()) {
            check(n, d);
        }

        #[test]
        fn finds_the_quotient_next_to_an_exact_multiple(d in operand(), q in operand(), off in 0..3u128) {
            let product = d.wrapping_mul(q);
            check(product.wrapping_add(off), d);
            check(product.wrapping_sub(off), d);
        }

        #[test]
        fn counts_leading_zeros(value in 1u64.., shift in 0..64u32) {
            let value = (value >> shift).max(1);
            prop_assert_eq!(leading_zeros(value), value.leading_zeros());
        }
    }

    #[test]
    fn agrees_with_native_arithmetic_at_every_edge() {
        let edges =
            || (0..128u32).flat_map(|shift| [-1i32, 0, 1].map(|by| (1u128 << shift).wrapping_add_signed(by.into())));
        for n in edges().chain([u128::MAX, u128::MAX - 1]) {
            for d in edges().chain([u128::MAX, u128::MAX - 1]) {
                check(n, d);
            }
        }
    }
}
