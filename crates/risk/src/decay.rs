//! Exponential averages over irregular intervals, in integers.
//!
//! What is kept of an average after `t` seconds is `d^t` with `d = (2τ − 1) ÷ (2τ + 1)`, the Padé approximant of
//! `e^(−1/τ)`: the time constant is `τ` to within `1/(12τ)` seconds. Since `d^a × d^b = d^(a+b)`, cutting an interval
//! in two changes nothing but rounding, which is below `t × 2^-62` of the factor.

use ballast_units::wide::full_mul;

/// `d^elapsed` as a fraction of 2^64, rounded down. No time constant keeps nothing.
pub(crate) fn kept(time_constant_s: u32, elapsed_s: u32) -> u64 {
    if time_constant_s == 0 {
        return 0;
    }
    // 1 − 2/(2τ + 1), both divided down.
    let lost = (u64::MAX / (2 * u64::from(time_constant_s) + 1)) << 1;
    let mut base = u64::MAX - lost;
    let mut result = u64::MAX;
    let mut left = elapsed_s;
    loop {
        if left & 1 == 1 {
            result = if result == u64::MAX { base } else { full_mul(result, base).0 };
        }
        left >>= 1;
        if left == 0 {
            return result;
        }
        base = full_mul(base, base).0;
    }
}

/// How far an average moves towards an input at `distance` when `kept` of it is kept, rounded down.
#[inline(always)]
pub(crate) fn moved(distance: u64, kept: u64) -> u64 {
    // The largest fraction counts as one.
    if kept == 0 { distance } else { full_mul(distance, u64::MAX - kept).0 }
}
