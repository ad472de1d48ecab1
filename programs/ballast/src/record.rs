//! The record of what the program did: at the end of each instruction, it calls itself with all events of the instruction as
//! the data of that call. So they are part of the transaction for good, whole and in order. A transaction's log is not: it
//! holds 10,000 bytes, and any caller can fill it with other things before.
//!
//! A record is a call of the program, without accounts, whose caller is the program too. Anybody can send the same bytes;
//! nobody else can send them from inside an instruction of the program. For the call, every instruction is given the
//! program's own account.
//!
//! Its data: [`TAG`], then each event behind its length in two bytes, little endian. An instruction with more events than one
//! call holds makes several.

use anchor_lang::Event;

/// What the data of a record starts with.
pub const TAG: [u8; 8] = *b"ballast1";
/// Most bytes of data that the runtime lets a call have.
#[cfg(all(target_os = "solana", feature = "entrypoint"))]
const MAX_CALL: usize = 10 * 1024;

/// Reports an event: it goes into the record of the instruction, if that succeeds, and into the transaction's log as far as
/// there is room.
///
/// # Panics
/// When the event alone does not fit a call. None is that large.
#[inline(never)]
pub fn tell<E: Event>(event: &E) {
    #[cfg(all(target_os = "solana", feature = "entrypoint"))]
    {
        use crate::chain::heap;

        let mut retried = false;
        let written = loop {
            let written = heap::record(MAX_CALL, |to| {
                write(to, event)?;
                to.prefix_length();
                Ok(())
            });
            if let Some(written) = written {
                break written;
            }
            assert!(!retried, "an event fits a call");
            retried = true;
            send();
        };
        anchor_lang::solana_program::log::sol_log_data(&[&written[2..]]);
    }
    #[cfg(not(all(target_os = "solana", feature = "entrypoint")))]
    {
        let _ = event;
    }
}

/// Makes the call that holds what was reported, if anything was.
#[cfg(all(target_os = "solana", feature = "entrypoint"))]
pub fn send() {
    use solana_define_syscall::definitions::sol_invoke_signed_c;

    /// An instruction as the runtime reads it.
    #[repr(C)]
    struct Call {
        program: *const u8,
        accounts: *const u8,
        accounts_len: u64,
        data: *const u8,
        data_len: u64,
    }

    if let Some(data) = crate::chain::heap::take_record() {
        let program: &'static anchor_lang::prelude::Pubkey = &crate::ID;
        let none = core::ptr::null();
        let call = Call {
            program: program.as_ref().as_ptr(),
            accounts: none,
            accounts_len: 0,
            data: data.as_ptr(),
            data_len: data.len() as u64,
        };
        // SAFETY: the call outlives it. A call that fails ends the transaction.
        unsafe { sol_invoke_signed_c((&raw const call).cast(), none, 0, none, 0) };
    }
}

/// Writes an event behind two bytes for its length.
#[cfg(any(all(target_os = "solana", feature = "entrypoint"), test))]
#[inline(always)]
fn write<E: Event>(to: &mut impl std::io::Write, event: &E) -> std::io::Result<()> {
    to.write_all(&[0; 2])?;
    to.write_all(E::DISCRIMINATOR)?;
    event.serialize(to)
}

/// The events in the data of a call, each as the program serialised it; `None` if the call is no record. Bytes that make no
/// whole event end it.
pub fn events(data: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let mut rest = data.strip_prefix(&TAG)?;
    Some(core::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk()?;
        let (event, behind) = behind.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        rest = behind;
        Some(event)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{BountyPaid, DustSwept};

    #[test]
    fn what_is_written_is_read_back() {
        let (dust, bounty) = (
            DustSwept { market: 3, amount: 7 },
            BountyPaid { market: 3, account: crate::ID, charged: None, amount: 9 },
        );
        let mut bytes = TAG.to_vec();
        let mut append = |event: Vec<u8>| {
            bytes.extend(u16::try_from(event.len() - 2).unwrap().to_le_bytes());
            bytes.extend(&event[2..]);
        };
        let (mut one, mut other) = (Vec::new(), Vec::new());
        write(&mut one, &dust).unwrap();
        write(&mut other, &bounty).unwrap();
        append(one);
        append(other);
        let read: Vec<_> = events(&bytes).unwrap().collect();
        assert_eq!(read, [dust.data(), bounty.data()]);
        assert_eq!(events(&bytes[..bytes.len() - 1]).unwrap().count(), 1);
        assert!(events(&bytes[1..]).is_none());
    }

    #[test]
    fn no_instruction_is_mistaken_for_a_record() {
        let description: &str = include_str!("../idl/ballast.json");
        let tag = TAG.map(|byte| byte.to_string()).join(",");
        let compact: String = description.split_whitespace().collect();
        assert!(compact.contains("\"discriminator\":["));
        assert!(!compact.contains(&format!("\"discriminator\":[{tag}]")));
    }
}
