//! The five symbols that LLVM calls for 128-bit arithmetic.
//!
//! `extern "unadjusted"` hands `i128` to LLVM as it is, so LLVM 23 returns it in two registers, as its callers expect.
//! None of these may use `*`, `/` or `%` on 128 bits, except that the signed two call the unsigned one on purpose.

use crate::wide::{U128, div_rem, mul};

/// The low 128 bits of `a * b`; the same for signed and unsigned operands.
#[unsafe(no_mangle)]
pub extern "unadjusted" fn __multi3(a: u128, b: u128) -> u128 {
    mul(U128::from(a), U128::from(b)).into()
}

/// `n / d`. Zero if `d` is zero, which Rust code never asks for: it panics before.
#[unsafe(no_mangle)]
pub extern "unadjusted" fn __udivti3(n: u128, d: u128) -> u128 {
    div_rem(U128::from(n), U128::from(d)).0.into()
}

/// `n % d`. Zero if `d` is zero, which Rust code never asks for: it panics before.
#[unsafe(no_mangle)]
pub extern "unadjusted" fn __umodti3(n: u128, d: u128) -> u128 {
    div_rem(U128::from(n), U128::from(d)).1.into()
}

/// `n / d`, truncated towards zero.
#[unsafe(no_mangle)]
pub extern "unadjusted" fn __divti3(n: i128, d: i128) -> i128 {
    let quotient = __udivti3(n.unsigned_abs(), d.unsigned_abs()).cast_signed();
    if (n < 0) != (d < 0) { quotient.wrapping_neg() } else { quotient }
}

/// `n % d`, with the sign of `n`.
#[unsafe(no_mangle)]
pub extern "unadjusted" fn __modti3(n: i128, d: i128) -> i128 {
    let remainder = __umodti3(n.unsigned_abs(), d.unsigned_abs()).cast_signed();
    if n < 0 { remainder.wrapping_neg() } else { remainder }
}
