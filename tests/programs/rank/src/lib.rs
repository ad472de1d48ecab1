//! The ranking index on chain without the exchange around it, so that what joining and leaving cost can be measured.
//!
//! The first account is the index's slab, the second holds [`Step`]s. The program carries out one after the other and logs
//! the compute units left before and after each: mainnet has no call that returns them. Who measures runs the same
//! [`Step::apply`] on the host, and compares the slabs.

use ballast_rank::{Error, Index, Membership};
use ballast_sbpf_builtins as _;
use ballast_units::{Lots, Price, Side};
use bytemuck::{Pod, Zeroable};

/// One position that joins or leaves. All zero: nothing happens, which is what measuring itself costs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Step {
    /// [`Step::NOTHING`], [`Step::JOIN`] or [`Step::LEAVE`].
    pub operation: u32,
    /// 0 for a long, 1 for a short.
    pub side: u32,
    /// Entry price (joining).
    pub entry: u64,
    /// Bankruptcy price less the funding index, in atoms per lot (joining).
    pub beta: i64,
    /// Lots: given when joining, found when leaving.
    pub lots: u64,
    /// The funding index.
    pub funding: i64,
    /// Price of a fractional lot (leaving).
    pub dust_price: u64,
    /// Given by joining, taken by leaving.
    pub membership: Membership,
}

impl Step {
    /// Does nothing.
    pub const NOTHING: u32 = 0;
    /// Joins.
    pub const JOIN: u32 = 1;
    /// Leaves.
    pub const LEAVE: u32 = 2;

    /// Carries the step out and notes its result.
    ///
    /// # Errors
    /// The index's.
    #[inline(always)]
    pub fn apply(&mut self, index: &mut Index) -> Result<(), Error> {
        let side = if self.side == 0 { Side::Long } else { Side::Short };
        match self.operation {
            Self::NOTHING => {}
            Self::JOIN => {
                self.membership = index.join(side, Price(self.entry), self.beta, Lots(self.lots), self.funding)?;
            }
            Self::LEAVE => {
                let holding = index.leave(side, &self.membership, self.funding, Price(self.dust_price))?;
                self.lots = holding.lots.0;
                self.membership = Membership::NONE;
            }
            _ => return Err(Error::Argument),
        }
        Ok(())
    }
}

#[cfg(target_os = "solana")]
mod on_chain {
    use core::hint::black_box;

    use ballast_rank::Index;
    use solana_account_info::AccountInfo;
    use solana_define_syscall::definitions::sol_log_compute_units_;
    use solana_program_error::ProgramError;
    use solana_pubkey::Pubkey;

    use super::Step;

    solana_program_entrypoint::entrypoint!(carry_out);

    fn carry_out(_program: &Pubkey, accounts: &[AccountInfo], _data: &[u8]) -> Result<(), ProgramError> {
        let [slab, steps] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
        let mut slab = slab.try_borrow_mut_data()?;
        let mut steps = steps.try_borrow_mut_data()?;
        let mut index = Index::load(&mut slab).map_err(|_| ProgramError::InvalidAccountData)?;
        for bytes in steps.chunks_exact_mut(size_of::<Step>()) {
            // The black boxes keep the compiler from moving the step out of the measured stretch.
            let mut step: Step = black_box(bytemuck::pod_read_unaligned(bytes));
            unsafe { sol_log_compute_units_() };
            let done = black_box(step.apply(black_box(&mut index)));
            unsafe { sol_log_compute_units_() };
            done.map_err(|_| ProgramError::InvalidArgument)?;
            bytes.copy_from_slice(bytemuck::bytes_of(black_box(&step)));
        }
        Ok(())
    }
}
