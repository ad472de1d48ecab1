//! Exact multiplication and division over wide intermediates, each function named for the way it rounds.
//!
//! On the Solana virtual machine a 64-bit multiplication or division costs one compute unit, a call to a 128-bit
//! multiplication routine 20 to 40, to a 128-bit division routine 100 to 300. So nothing here calls either: products
//! are made of 32-bit halves, quotients by Knuth's algorithm D (The Art of Computer Programming, volume 2, 4.3.1) on
//! 32-bit digits, whose steps are native divisions; and whatever fits 64 bits takes a path of native instructions only.

/// Largest result of [`mul`] and [`scale_floor`]: what an amount may be ([`crate::Quote`] holds an `i64`).
const MAX_AMOUNT: u64 = i64::MAX.unsigned_abs();

/// `a × b`, or `None` above `i64::MAX`.
///
/// A comparison with a quotient, because `u64::checked_mul` is a 128-bit multiplication on chain.
#[inline(always)]
pub const fn mul(a: u64, b: u64) -> Option<u64> {
    if b != 0 && a > MAX_AMOUNT / b { None } else { Some(a.wrapping_mul(b)) }
}

/// `⌊amount × numerator ÷ denominator⌋`, exact, or `None` when the denominator is zero or the result exceeds
/// `i64::MAX`. Native instructions only: made for basis points and parts per million.
#[inline]
pub fn scale_floor(amount: u64, numerator: u32, denominator: u32) -> Option<u64> {
    let (whole, rest, denominator) = scale(amount, numerator, denominator)?;
    within_amount(whole.wrapping_add(rest / denominator))
}

/// `⌈amount × numerator ÷ denominator⌉`, under the same conditions as [`scale_floor`].
#[inline]
pub fn scale_ceil(amount: u64, numerator: u32, denominator: u32) -> Option<u64> {
    let (whole, rest, denominator) = scale(amount, numerator, denominator)?;
    within_amount(whole.wrapping_add(rest.div_ceil(denominator)))
}

/// `amount × numerator ÷ denominator` as an integer below 2^63 and a numerator below 2^64 of what remains.
#[inline(always)]
fn scale(amount: u64, numerator: u32, denominator: u32) -> Option<(u64, u64, u64)> {
    let (numerator, denominator) = (u64::from(numerator), u64::from(denominator));
    if denominator == 0 {
        return None;
    }
    let whole = mul(amount / denominator, numerator)?;
    // Both factors are below 2^32.
    Some((whole, (amount % denominator).wrapping_mul(numerator), denominator))
}

#[inline(always)]
fn within_amount(x: u64) -> Option<u64> {
    if x > MAX_AMOUNT { None } else { Some(x) }
}

/// `⌊a × b ÷ c⌋` on 64-bit operands, or `None` when `c` is zero or the result does not fit 64 bits.
#[inline]
pub fn mul_div_floor_u64(a: u64, b: u64, c: u64) -> Option<u64> {
    mul_div_rem_u64(a, b, c).map(|(quotient, _)| quotient)
}

/// `⌈a × b ÷ c⌉` on 64-bit operands, or `None` when `c` is zero or the result does not fit 64 bits.
#[inline]
pub fn mul_div_ceil_u64(a: u64, b: u64, c: u64) -> Option<u64> {
    let (quotient, remainder) = mul_div_rem_u64(a, b, c)?;
    if remainder == 0 { Some(quotient) } else { quotient.checked_add(1) }
}

/// `a × b ÷ c` as quotient and remainder, or `None` when `c` is zero or the quotient does not fit 64 bits.
#[inline]
pub fn mul_div_rem_u64(a: u64, b: u64, c: u64) -> Option<(u64, u64)> {
    if c == 0 {
        return None;
    }
    let (high, low) = full_mul(a, b);
    if high == 0 {
        return Some((low / c, low % c));
    }
    if high >= c {
        return None;
    }
    Some(divide_128_by_64(high, low, c))
}

/// `⌊a × b ÷ c⌋` on signed `a`, rounded towards minus infinity; `None` when `c` is zero or on overflow.
#[inline]
pub fn signed_mul_div_floor_i64(a: i64, b: u64, c: u64) -> Option<i64> {
    if a >= 0 {
        i64::try_from(mul_div_floor_u64(a.unsigned_abs(), b, c)?).ok()
    } else {
        0i64.checked_sub_unsigned(mul_div_ceil_u64(a.unsigned_abs(), b, c)?)
    }
}

/// `⌊a × b ÷ c⌋`, or `None` when `c` is zero or the result does not fit 128 bits.
pub fn mul_div_floor(a: u128, b: u128, c: u128) -> Option<u128> {
    mul_div_rem(a, b, c).map(|(quotient, _)| quotient)
}

/// `⌈a × b ÷ c⌉`, or `None` when `c` is zero or the result does not fit 128 bits.
pub fn mul_div_ceil(a: u128, b: u128, c: u128) -> Option<u128> {
    let (quotient, remainder) = mul_div_rem(a, b, c)?;
    if remainder == 0 { Some(quotient) } else { quotient.checked_add(1) }
}

/// `a × b ÷ c` as quotient and remainder, or `None` when `c` is zero or the quotient does not fit 128 bits.
pub fn mul_div_rem(a: u128, b: u128, c: u128) -> Option<(u128, u128)> {
    if c == 0 {
        return None;
    }
    if let ((0, a), (0, b), (0, c)) = (halves(a), halves(b), halves(c)) {
        let (high, low) = full_mul(a, b);
        let (q0, r) = divide_128_by_64(if high < c { high } else { high % c }, low, c);
        return Some((join(if high < c { 0 } else { high / c }, q0), u128::from(r)));
    }
    let (low, high) = widening_mul(a, b);
    if high == 0 {
        return Some(div_rem(low, c));
    }
    if high >= c {
        return None;
    }
    match halves(c) {
        (0, c) => {
            // `high < c`, so its upper half is zero, and each step's remainder stays below the divisor.
            let (low1, low0) = halves(low);
            let (q1, r) = divide_128_by_64(halves(high).1, low1, c);
            let (q0, r) = divide_128_by_64(r, low0, c);
            Some((join(q1, q0), u128::from(r)))
        }
        _ => Some(divide_256_by_128::<4>(high, low, c)),
    }
}

/// `⌊a × b ÷ c⌋` on signed `a`, rounded towards minus infinity; `None` when `c` is zero or on overflow.
pub fn signed_mul_div_floor(a: i128, b: u128, c: u128) -> Option<i128> {
    if a >= 0 {
        i128::try_from(mul_div_floor(a.unsigned_abs(), b, c)?).ok()
    } else {
        let magnitude = mul_div_ceil(a.unsigned_abs(), b, c)?;
        if magnitude == 1 << 127 { Some(i128::MIN) } else { i128::try_from(magnitude).ok().map(|m| -m) }
    }
}

/// `⌊a ÷ b⌋`, or `None` when `b` is zero.
#[inline]
pub fn div_floor(a: u128, b: u128) -> Option<u128> {
    if b == 0 { None } else { Some(div_rem(a, b).0) }
}

/// `⌈a ÷ b⌉`, or `None` when `b` is zero.
#[inline]
pub fn div_ceil(a: u128, b: u128) -> Option<u128> {
    if b == 0 {
        return None;
    }
    let (quotient, remainder) = div_rem(a, b);
    // A remainder means `b > 1`, so the quotient is at most half of the largest number.
    Some(if remainder == 0 { quotient } else { quotient + 1 })
}

/// The 256-bit product `a × b` as `(low, high)`.
pub fn widening_mul(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0) = halves(a);
    let (b1, b0) = halves(b);
    let low = wide(a0, b0);
    if a1 | b1 == 0 {
        return (low, 0);
    }
    // As in `full_mul`: `middle` is at most (2^64 − 1)^2 + 2^64 − 1 < 2^128, and adding the low half of `cross` cannot
    // overflow either.
    let cross = wide(a1, b0);
    let middle = wide(a0, b1).wrapping_add(low >> 64).wrapping_add(u128::from(halves(cross).1));
    let high = wide(a1, b1).wrapping_add(cross >> 64).wrapping_add(middle >> 64);
    (join(halves(middle).1, halves(low).1), high)
}

/// The 128-bit product of 64-bit operands as `(high, low)`, from 32-bit halves.
#[inline(always)]
pub const fn full_mul(a: u64, b: u64) -> (u64, u64) {
    const HALF: u64 = u32::MAX as u64;
    let (a1, a0) = (a >> 32, a & HALF);
    let (b1, b0) = (b >> 32, b & HALF);
    // Products of halves are at most (2^32 − 1)^2, which leaves room for two more halves: nothing wraps. Said so that
    // overflow checks, which are 128-bit multiplications, are not compiled in.
    let low = a0.wrapping_mul(b0);
    if a1 | b1 == 0 {
        return (0, low);
    }
    let middle = a1.wrapping_mul(b0).wrapping_add(low >> 32);
    let cross = a0.wrapping_mul(b1).wrapping_add(middle & HALF);
    (a1.wrapping_mul(b1).wrapping_add(middle >> 32).wrapping_add(cross >> 32), (cross << 32) | (low & HALF))
}

#[inline(always)]
fn halves(x: u128) -> (u64, u64) {
    ((x >> 64) as u64, x as u64)
}

#[inline(always)]
fn join(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

#[inline(always)]
fn wide(a: u64, b: u64) -> u128 {
    let (high, low) = full_mul(a, b);
    join(high, low)
}

/// `a ÷ b` as quotient and remainder for `b ≠ 0`.
fn div_rem(a: u128, b: u128) -> (u128, u128) {
    match (halves(a), halves(b)) {
        ((0, a), (0, b)) => (u128::from(a / b), u128::from(a % b)),
        ((high, low), (0, b)) => {
            let (q0, r) = divide_128_by_64(high % b, low, b);
            (join(high / b, q0), u128::from(r))
        }
        // A divisor of more than 64 bits leaves a quotient of at most 64: two digits.
        (_, _) if a < b => (0, a),
        ((high, low), _) => divide_256_by_128::<2>(u128::from(high), u128::from(low) << 64, b),
    }
}

/// `(high·2^64 + low) ÷ divisor` for `high < divisor`, by algorithm D on 32-bit digits.
fn divide_128_by_64(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    const HALF: u64 = u32::MAX as u64;
    if high == 0 {
        return (low / divisor, low % divisor);
    }
    if divisor <= HALF {
        // Every partial dividend is below 2^64: long division as at school, with the digits 2^32 apart.
        let upper = (high << 32) | (low >> 32);
        let lower = ((upper % divisor) << 32) | (low & HALF);
        return (((upper / divisor) << 32) | (lower / divisor), lower % divisor);
    }
    let shift = leading_zeros(divisor);
    let divisor = divisor << shift;
    // Two shifts, because a shift by 64 is not one.
    let high = (high << shift) | (low >> 1 >> (63 - shift));
    let low = low << shift;
    let (q1, r) = divide_96_by_64(high, low >> 32, divisor);
    let (q0, r) = divide_96_by_64(r, low & HALF, divisor);
    ((q1 << 32) | q0, r >> shift)
}

/// As `u64::leading_zeros`, for a number of more than 32 bits, by halving: the machine has no instruction for it, and
/// the compiler's sequence is twice as long.
#[inline(always)]
fn leading_zeros(mut x: u64) -> u32 {
    let mut zeros = 0;
    if x >> 48 == 0 {
        (zeros, x) = (16, x << 16);
    }
    if x >> 56 == 0 {
        (zeros, x) = (zeros | 8, x << 8);
    }
    if x >> 60 == 0 {
        (zeros, x) = (zeros | 4, x << 4);
    }
    if x >> 62 == 0 {
        (zeros, x) = (zeros | 2, x << 2);
    }
    if x >> 63 == 0 { zeros | 1 } else { zeros }
}

/// One digit of algorithm D: `(remainder·2^32 + digit) ÷ divisor` for a normalised divisor and `remainder < divisor`.
#[inline(always)]
fn divide_96_by_64(remainder: u64, digit: u64, divisor: u64) -> (u64, u64) {
    const HALF: u64 = u32::MAX as u64;
    let (top, bottom) = (divisor >> 32, divisor & HALF);
    let mut q = remainder / top;
    let mut r = remainder % top;
    // Never too small and at most two too large; the second digit of the divisor tells.
    while q > HALF || q.wrapping_mul(bottom) > ((r << 32) | digit) {
        q = q.wrapping_sub(1);
        r = r.wrapping_add(top);
        if r > HALF {
            break;
        }
    }
    // The true remainder is below 2^64, so what is lost above it in the intermediate results does not matter.
    let rest = (remainder << 32).wrapping_add(digit).wrapping_sub(q.wrapping_mul(divisor));
    (q, rest)
}

/// `(high·2^128 + low) ÷ divisor` for `high < divisor`, of which the first `DIGITS` 32-bit digits of `low` are used,
/// by algorithm D.
fn divide_256_by_128<const DIGITS: u32>(high: u128, low: u128, divisor: u128) -> (u128, u128) {
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    let high = if shift == 0 { high } else { (high << shift) | (low >> (128 - shift)) };
    let low = low << shift;
    // Dividend digits, most significant first; the running remainder occupies the first five of a sliding window.
    let mut remainder = high;
    let mut quotient: u128 = 0;
    for step in 0..DIGITS {
        let digit = (low >> (96 - 32 * step)) as u32;
        let (q, r) = divide_160_by_128(remainder, digit, divisor);
        quotient = (quotient << 32) | u128::from(q);
        remainder = r;
    }
    (quotient, remainder >> shift)
}

/// One digit of algorithm D: `(remainder·2^32 + digit) ÷ divisor` for a normalised divisor and `remainder < divisor`.
fn divide_160_by_128(remainder: u128, digit: u32, divisor: u128) -> (u32, u128) {
    let top = (remainder >> 64) as u64;
    let divisor_top = (divisor >> 96) as u64;
    // Estimated from the leading 64 bits over the leading 32: never too small, and at most two too large.
    let mut q = (top / divisor_top).min(u64::from(u32::MAX));
    // q × divisor, as (bits above 128, low 128 bits).
    let (product_low, product_high) = mul_by_digit(divisor, q);
    let dividend_high = (remainder >> 96) as u64;
    let dividend_low = (remainder << 32) | u128::from(digit);
    let (mut rest, borrow) = dividend_low.overflowing_sub(product_low);
    let mut rest_high = dividend_high.wrapping_sub(product_high).wrapping_sub(u64::from(borrow));
    while rest_high != 0 {
        // Negative: the estimate was too large; give one divisor back.
        let (sum, carry) = rest.overflowing_add(divisor);
        rest = sum;
        rest_high = rest_high.wrapping_add(u64::from(carry));
        q = q.wrapping_sub(1);
    }
    (q as u32, rest)
}

fn mul_by_digit(x: u128, digit: u64) -> (u128, u64) {
    let (x1, x0) = halves(x);
    let low = wide(x0, digit);
    let high = wide(x1, digit).wrapping_add(low >> 64);
    (join(halves(high).1, halves(low).1), halves(high).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bit by bit, as slow as it is plainly right.
    fn naive(a: u128, b: u128, c: u128) -> Option<(u128, u128)> {
        if c == 0 {
            return None;
        }
        let (mut quotient, mut remainder) = (0u128, 0u128);
        let mut overflow = false;
        for bit in (0..128).rev() {
            // quotient·c + remainder := 2 × itself + (a's bit ? b : 0), with b < c or reduced first.
            let (b_quotient, b_remainder) = (b / c, b % c);
            let (doubled, carry) = remainder.overflowing_add(remainder);
            overflow |= quotient >> 127 != 0;
            quotient <<= 1;
            remainder = if carry || doubled >= c {
                overflow |= quotient.checked_add(1).is_none();
                quotient = quotient.wrapping_add(1);
                doubled.wrapping_sub(c)
            } else {
                doubled
            };
            if a >> bit & 1 == 1 {
                let (sum, carry) = remainder.overflowing_add(b_remainder);
                let extra = u128::from(carry || sum >= c);
                remainder = if extra == 1 { sum.wrapping_sub(c) } else { sum };
                for part in [b_quotient, extra] {
                    match quotient.checked_add(part) {
                        Some(sum) => quotient = sum,
                        None => overflow = true,
                    }
                }
            }
        }
        if overflow { None } else { Some((quotient, remainder)) }
    }

    fn operand() -> impl Strategy<Value = u128> {
        prop_oneof![
            any::<u128>(),
            any::<u64>().prop_map(u128::from),
            (any::<u128>(), 0u32..128).prop_map(|(x, s)| x >> s),
            (0u32..128, -1i128..=1).prop_map(|(s, d)| (1u128 << s).wrapping_add_signed(d)),
            Just(0),
            Just(u128::MAX),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn mul_div_agrees_with_long_division(a in operand(), b in operand(), c in operand()) {
            prop_assert_eq!(mul_div_rem(a, b, c), naive(a, b, c));
        }

        #[test]
        fn widening_mul_agrees_with_its_halves(a in operand(), b in operand()) {
            let (low, high) = widening_mul(a, b);
            prop_assert_eq!(low, a.wrapping_mul(b));
            if b != 0 && high < b { prop_assert_eq!(divide_256_by_128::<4>(high, low, b), (a, 0)); }
        }

        #[test]
        fn a_digit_of_the_divisor_is_never_lost(high in operand(), low in operand(), divisor in operand()) {
            let (high, low, divisor) = (high as u64, low as u64, divisor as u64);
            if divisor != 0 {
                let (q, r) = divide_128_by_64(high % divisor, low, divisor);
                let (dividend, divisor) = (join(high % divisor, low), u128::from(divisor));
                prop_assert_eq!((u128::from(q), u128::from(r)), (dividend / divisor, dividend % divisor));
            }
        }

        #[test]
        fn a_native_quotient_agrees_with_the_wide_one(a in operand(), b in operand(), c in operand()) {
            let (a, b, c) = (a as u64, b as u64, c as u64);
            let wide = mul_div_rem(a.into(), b.into(), c.into());
            let fits = wide.and_then(|(q, r)| Some((u64::try_from(q).ok()?, u64::try_from(r).ok()?)));
            prop_assert_eq!(mul_div_rem_u64(a, b, c), fits);
            let up = mul_div_ceil(a.into(), b.into(), c.into()).and_then(|q| u64::try_from(q).ok());
            prop_assert_eq!(mul_div_ceil_u64(a, b, c), up);
            let signed = a as i64;
            let floor = signed_mul_div_floor(signed.into(), b.into(), c.into()).and_then(|q| i64::try_from(q).ok());
            prop_assert_eq!(signed_mul_div_floor_i64(signed, b, c), floor);
        }

        #[test]
        fn a_native_product_is_refused_above_an_amount(a in operand(), b in operand()) {
            let (a, b) = (a as u64, b as u64);
            let exact = u128::from(a) * u128::from(b);
            prop_assert_eq!(mul(a, b), i64::try_from(exact).ok().map(i64::unsigned_abs));
            prop_assert_eq!(wide(a, b), exact);
        }

        #[test]
        fn a_share_of_an_amount_is_exact(amount in operand(), numerator in any::<u32>(), denominator in any::<u32>()) {
            let amount = amount as u64;
            let fits = |x: u128| i64::try_from(x).ok().map(i64::unsigned_abs);
            let product = u128::from(amount) * u128::from(numerator);
            let (floor, ceil) = match denominator {
                0 => (None, None),
                d => (fits(product / u128::from(d)), fits(product.div_ceil(d.into()))),
            };
            prop_assert_eq!(scale_floor(amount, numerator, denominator), floor);
            prop_assert_eq!(scale_ceil(amount, numerator, denominator), ceil);
        }

        #[test]
        fn plain_division_agrees_with_the_machine(a in operand(), b in operand()) {
            prop_assert_eq!(div_floor(a, b), a.checked_div(b));
            prop_assert_eq!(div_ceil(a, b), if b == 0 { None } else { Some(a.div_ceil(b)) });
        }

        #[test]
        fn signed_division_rounds_down(a in any::<i64>(), b in any::<u32>(), c in 1u32..) {
            let expected = (i128::from(a) * i128::from(b)).div_euclid(i128::from(c));
            prop_assert_eq!(signed_mul_div_floor(a.into(), b.into(), c.into()), Some(expected));
        }
    }
}
