//! Where the runtime enters. It takes the place of Anchor's own entry point, from which it differs in two things: a call that
//! is a record of events returns at once, and what an instruction has told is recorded when it has succeeded.

use core::mem::ManuallyDrop;

use anchor_lang::solana_program::entrypoint::{SUCCESS, custom_panic_default, deserialize};

use crate::record::{self, TAG};

custom_panic_default!();

/// # Safety
/// `input` is what the runtime gives: see [`deserialize`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    if unsafe { is_record(input) } {
        return SUCCESS;
    }
    let (program, accounts, data) = unsafe { deserialize(input) };
    // Memory is not given back anyway: taking the list apart would cost some two hundred compute units for nothing.
    let accounts = ManuallyDrop::new(accounts);
    match crate::entry(program, &accounts, data) {
        Ok(()) => {
            record::send();
            SUCCESS
        }
        Err(error) => error.into(),
    }
}

/// Whether the instruction is a record of events: without accounts, and with the tag. It does nothing, whoever sends it; a
/// reader takes it for the program's word only where the program itself is the caller.
unsafe fn is_record(input: *const u8) -> bool {
    // The number of accounts; without any, the length of the data, and the data.
    let word = |at: usize| unsafe { input.add(at).cast::<u64>().read_unaligned() };
    word(0) == 0 && word(8) >= 8 && word(16) == u64::from_le_bytes(TAG)
}
