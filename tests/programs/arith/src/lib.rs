//! Wide arithmetic on chain, so that a test can compare it with the host's.
//!
//! The program's one account holds [`Case`]s. It fills in the result of each and logs the compute units left before and
//! after. The test calls the same [`Operation::evaluate`], compiled for the host, where 128-bit arithmetic is the hardware's.

mod loops;

pub use loops::Loop;

use ballast_sbpf_builtins as _;
use ballast_units::wide;
use bytemuck::{Pod, Zeroable};

/// One calculation. Signed operations take and give the same bits as `i128`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Case {
    /// First operand.
    pub a: u128,
    /// Second operand.
    pub b: u128,
    /// Third operand, of the operations that have one.
    pub c: u128,
    /// The result, zero if there is none.
    pub result: u128,
    /// 1 if there is a result, 0 if it would overflow or the divisor is zero.
    pub has_result: u64,
    /// Which [`Operation`] or [`Loop`], as its number.
    pub operation: u64,
}

/// What a case calculates: the native operations that compile to calls of the 128-bit builtins, and `ballast_units::wide`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
#[expect(missing_docs, reason = "each is named for what it does")]
pub enum Operation {
    Nothing,
    Mul,
    WrappingMul,
    Div,
    Rem,
    Shl,
    Shr,
    SignedMul,
    SignedDiv,
    SignedRem,
    SignedShr,
    MulDivFloor,
    MulDivCeil,
    SignedMulDivFloor,
}

impl Operation {
    /// Every operation, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Nothing,
        Self::Mul,
        Self::WrappingMul,
        Self::Div,
        Self::Rem,
        Self::Shl,
        Self::Shr,
        Self::SignedMul,
        Self::SignedDiv,
        Self::SignedRem,
        Self::SignedShr,
        Self::MulDivFloor,
        Self::MulDivCeil,
        Self::SignedMulDivFloor,
    ];

    /// The operation's result, if it has one.
    pub fn evaluate(self, a: u128, b: u128, c: u128) -> Option<u128> {
        let signed = |result: Option<i128>| result.map(i128::cast_unsigned);
        let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
        let places = (b & 0xff) as u32;
        match self {
            Self::Nothing => Some(a),
            Self::Mul => a.checked_mul(b),
            Self::WrappingMul => Some(a.wrapping_mul(b)),
            Self::Div => a.checked_div(b),
            Self::Rem => a.checked_rem(b),
            Self::Shl => a.checked_shl(places),
            Self::Shr => a.checked_shr(places),
            Self::SignedMul => signed(signed_a.checked_mul(signed_b)),
            Self::SignedDiv => signed(signed_a.checked_div(signed_b)),
            Self::SignedRem => signed(signed_a.checked_rem(signed_b)),
            Self::SignedShr => signed(signed_a.checked_shr(places)),
            Self::MulDivFloor => wide::mul_div_floor(a, b, c),
            Self::MulDivCeil => wide::mul_div_ceil(a, b, c),
            Self::SignedMulDivFloor => signed(wide::signed_mul_div_floor(signed_a, b, c)),
        }
    }
}

/// The calculation of that number.
pub fn calculation(number: u64) -> Option<impl Fn(u128, u128, u128) -> Option<u128>> {
    let operation = Operation::ALL.into_iter().find(|operation| *operation as u64 == number);
    let in_loop = Loop::ALL.into_iter().find(|in_loop| *in_loop as u64 == number);
    if operation.is_none() && in_loop.is_none() {
        return None;
    }
    Some(move |a, b, c| match operation {
        Some(operation) => operation.evaluate(a, b, c),
        None => in_loop.map(|in_loop| in_loop.evaluate(a, b, c)),
    })
}

#[cfg(target_os = "solana")]
mod on_chain {
    use core::hint::black_box;

    use solana_account_info::AccountInfo;
    use solana_define_syscall::definitions::sol_log_compute_units_;
    use solana_program_error::ProgramError;
    use solana_pubkey::Pubkey;

    use super::{Case, calculation};

    solana_program_entrypoint::entrypoint!(fill_in_results);

    fn fill_in_results(_program: &Pubkey, accounts: &[AccountInfo], _data: &[u8]) -> Result<(), ProgramError> {
        let account = accounts.first().ok_or(ProgramError::NotEnoughAccountKeys)?;
        for bytes in account.try_borrow_mut_data()?.chunks_exact_mut(size_of::<Case>()) {
            let mut case: Case = bytemuck::pod_read_unaligned(bytes);
            let evaluate = calculation(case.operation).ok_or(ProgramError::InvalidAccountData)?;
            // The black boxes keep the compiler from moving the calculation out of the measured stretch.
            let (a, b, c) = black_box((case.a, case.b, case.c));
            unsafe { sol_log_compute_units_() };
            let result = black_box(evaluate(a, b, c));
            unsafe { sol_log_compute_units_() };
            case.has_result = u64::from(result.is_some());
            case.result = result.unwrap_or(0);
            bytes.copy_from_slice(bytemuck::bytes_of(&case));
        }
        Ok(())
    }
}
