//! Arithmetic in loops, where one operand is the same in every round: what an optimiser moves out of the loop, or turns into
//! something else, must still be guarded by the checks that stand before it. A division that is moved in front of the check
//! for zero would end the program on chain.

use ballast_units::wide;

/// The loops that are calculated. `a` and `b` are operands, one of them the same in every round; `c` is a divisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
#[expect(missing_docs, reason = "each is named for what it does in every round")]
pub enum Loop {
    Mul = 1_000,
    MulBothInvariant,
    MulOverflows,
    ScaleFloor,
    ScaleCeil,
    MulDivFloor64,
    MulDivCeil64,
    SignedMulDivFloor64,
    MulDivFloor,
    MulDivCeil,
    SignedMulDivFloor,
    DivFloor,
    DivCeil,
    WideningMul,
    NativeMul,
    NativeSignedMul,
    NativeDiv,
    NativeRem,
    NativeShl,
    NativeShr,
    /// Two guarded divisions by the same, each in a branch of its own.
    DivTwice,
}

impl Loop {
    /// Every loop, in the order of their numbers.
    pub const ALL: [Self; 21] = [
        Self::Mul,
        Self::MulBothInvariant,
        Self::MulOverflows,
        Self::ScaleFloor,
        Self::ScaleCeil,
        Self::MulDivFloor64,
        Self::MulDivCeil64,
        Self::SignedMulDivFloor64,
        Self::MulDivFloor,
        Self::MulDivCeil,
        Self::SignedMulDivFloor,
        Self::DivFloor,
        Self::DivCeil,
        Self::WideningMul,
        Self::NativeMul,
        Self::NativeSignedMul,
        Self::NativeDiv,
        Self::NativeRem,
        Self::NativeShl,
        Self::NativeShr,
        Self::DivTwice,
    ];

    /// The sum over the loop's rounds of their results, wrapping; a round without one counts as [`NONE`]. There are up to
    /// seven rounds, from the lowest bits of `a`.
    pub fn evaluate(self, a: u128, b: u128, c: u128) -> u128 {
        let (low_a, low_b, low_c) = (a as u64, b as u64, c as u64);
        let (signed_b, places) = (b.cast_signed(), (b & 0x7f) as u32);
        let word = |result: Option<u64>| result.map(u128::from);
        let signed = |result: Option<i128>| result.map(i128::cast_unsigned);
        match self {
            Self::Mul => rounds(a, |i| word(wide::mul(low_a.wrapping_add(i), low_b))),
            Self::MulBothInvariant => rounds(a, |i| word(wide::mul(low_c, low_b)).map(|x| x ^ u128::from(i))),
            Self::MulOverflows => rounds(a, |i| Some(wide::mul(low_a.wrapping_mul(i), low_b).is_none().into())),
            Self::ScaleFloor => {
                rounds(a, |i| word(wide::scale_floor(low_a.wrapping_add(i), low_b as u32, low_c as u32)))
            }
            Self::ScaleCeil => rounds(a, |i| word(wide::scale_ceil(low_a.wrapping_add(i), low_b as u32, low_c as u32))),
            Self::MulDivFloor64 => rounds(a, |i| word(wide::mul_div_floor_u64(low_a.wrapping_add(i), low_b, low_c))),
            Self::MulDivCeil64 => rounds(a, |i| word(wide::mul_div_ceil_u64(low_a.wrapping_add(i), low_b, low_c))),
            Self::SignedMulDivFloor64 => rounds(a, |i| {
                let a = low_a.wrapping_add(i).cast_signed();
                signed(wide::signed_mul_div_floor_i64(a, low_b, low_c).map(i128::from))
            }),
            Self::MulDivFloor => rounds(a, |i| wide::mul_div_floor(a.wrapping_add(i.into()), b, c)),
            Self::MulDivCeil => rounds(a, |i| wide::mul_div_ceil(a.wrapping_add(i.into()), b, c)),
            Self::SignedMulDivFloor => {
                rounds(a, |i| signed(wide::signed_mul_div_floor(a.wrapping_add(i.into()).cast_signed(), b, c)))
            }
            Self::DivFloor => rounds(a, |i| wide::div_floor(a.wrapping_add(i.into()), b)),
            Self::DivCeil => rounds(a, |i| wide::div_ceil(a.wrapping_add(i.into()), b)),
            Self::WideningMul => rounds(a, |i| {
                let (low, high) = wide::widening_mul(a.wrapping_add(i.into()), b);
                Some(low ^ high)
            }),
            Self::NativeMul => rounds(a, |i| a.wrapping_add(i.into()).checked_mul(b)),
            Self::NativeSignedMul => {
                rounds(a, |i| signed(a.wrapping_add(i.into()).cast_signed().checked_mul(signed_b)))
            }
            Self::NativeDiv => rounds(a, |i| a.wrapping_add(i.into()).checked_div(b)),
            Self::NativeRem => rounds(a, |i| a.wrapping_add(i.into()).checked_rem(b)),
            Self::NativeShl => rounds(a, |i| Some(a.wrapping_add(i.into()) << places)),
            Self::DivTwice => div_twice(low_a, low_b, low_c).into(),
            Self::NativeShr => rounds(a, |i| Some(a.wrapping_add(i.into()) >> places)),
        }
    }
}

/// What a round without a result counts as.
const NONE: u128 = 0x5eed_0000_0000_0000_0000_0000_0000_0001;

#[inline(always)]
fn rounds(seed: u128, round: impl Fn(u64) -> Option<u128>) -> u128 {
    (0..(seed & 7) as u64).fold(0, |sum: u128, i| sum.wrapping_add(round(i).unwrap_or(NONE)))
}

/// Two divisions by `b`, of which either, both or none happen: neither may be moved in front of both branches.
#[inline(never)]
fn div_twice(a: u64, b: u64, c: u64) -> u64 {
    let mut sum = 0;
    if b > 1 {
        sum = a / b;
    }
    sum = core::hint::black_box(sum);
    if b > core::hint::black_box(c & 7) {
        sum = sum.wrapping_add(a / b);
    }
    sum
}
