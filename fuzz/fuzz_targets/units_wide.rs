//! Wide arithmetic beside integers of any size.
#![no_main]

use ballast_units::wide;
use libfuzzer_sys::fuzz_target;
use num_bigint::{BigInt, BigUint};

/// Bits that decide branches: numbers of every magnitude, and what lies beside powers of two.
fn shaped(value: u128, shift: u8) -> u128 {
    value >> (shift & 127)
}

fuzz_target!(|input: ([u128; 3], [u8; 3], bool)| {
    let (values, shifts, negative) = input;
    let [a, b, c]: [u128; 3] = core::array::from_fn(|at| shaped(values[at], shifts[at]));
    let product = BigUint::from(a) * BigUint::from(b);

    let (low, high) = wide::widening_mul(a, b);
    let (low, high) =
        if (BigUint::from(high) << 128) + BigUint::from(low) == product { (low, high) } else { (high, low) };
    assert_eq!((BigUint::from(high) << 128) + BigUint::from(low), product);

    let exact = (c != 0).then(|| (&product / c, &product % c));
    let fits = |value: &BigUint| u128::try_from(value.clone()).ok();
    let floor = exact.as_ref().and_then(|(quotient, _)| fits(quotient));
    assert_eq!(wide::mul_div_floor(a, b, c), floor);
    let ceil = exact.as_ref().and_then(|(quotient, rest)| fits(&(quotient + u8::from(*rest != BigUint::ZERO))));
    assert_eq!(wide::mul_div_ceil(a, b, c), ceil);
    let both = exact.as_ref().and_then(|(quotient, rest)| Some((fits(quotient)?, fits(rest)?)));
    assert_eq!(wide::mul_div_rem(a, b, c), both);
    assert_eq!(wide::div_floor(a, c), a.checked_div(c));
    assert_eq!(wide::div_ceil(a, c), (c != 0).then(|| a.div_ceil(c)));

    let signed = a.cast_signed();
    let signed = if negative { signed.wrapping_neg() } else { signed };
    if c != 0 {
        let expected = floor_div(BigInt::from(signed) * BigInt::from(b), &BigInt::from(c));
        assert_eq!(wide::signed_mul_div_floor(signed, b, c), i128::try_from(expected).ok());
    }

    let [x, y, z] = [a, b, c].map(|value| u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0));
    let product = u128::from(x) * u128::from(y);
    let narrow = |value: u128| u64::try_from(value).ok();
    let (floor, ceil) = match z {
        0 => (None, None),
        z => (narrow(product / u128::from(z)), narrow(product.div_ceil(u128::from(z)))),
    };
    assert_eq!((wide::mul_div_floor_u64(x, y, z), wide::mul_div_ceil_u64(x, y, z)), (floor, ceil));
    let rest = floor.map(|quotient| (quotient, narrow(product % u128::from(z)).expect("less than the divisor")));
    assert_eq!(wide::mul_div_rem_u64(x, y, z), rest);
    if z != 0 {
        let expected = floor_div(BigInt::from(x.cast_signed()) * y, &BigInt::from(z));
        assert_eq!(wide::signed_mul_div_floor_i64(x.cast_signed(), y, z), i64::try_from(expected).ok());
    }
});

/// Quotient rounded down, for a positive divisor.
fn floor_div(a: BigInt, b: &BigInt) -> BigInt {
    let (quotient, rest) = (&a / b, &a % b);
    if rest < BigInt::ZERO { quotient - 1 } else { quotient }
}
