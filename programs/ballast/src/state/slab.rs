//! The two accounts that are byte slabs, `Book` and `Ranks`: larger than a program can create by itself, so the
//! client creates them zeroed and owned by the program, and `create_market` claims them.
//!
//! Layout: eight bytes of magic, one byte of version, seven of padding, then the pure crate's bytes.

use anchor_lang::prelude::*;

use super::{BOOK_VERSION, RANKS_VERSION, VERSION_AT, require_version};
use crate::error::BallastError;

/// First eight bytes of a claimed book account.
pub const BOOK_MAGIC: [u8; 8] = *b"BLSTBOOK";
/// First eight bytes of a claimed ranks account.
pub const RANKS_MAGIC: [u8; 8] = *b"BLSTRANK";
/// Bytes before the pure crate's slab.
pub const SLAB_PREFIX: usize = 16;

/// Most blocks of a book, orders and seats together: 5 MB.
pub const MAX_BOOK_BLOCKS: u32 = 1 << 15;
/// Most orders of a side, pegged ones included. Those of both sides leave a quarter of the largest book to seats and
/// triggers, which no flood of orders can take.
pub const MAX_ORDERS_PER_SIDE: u32 = MAX_BOOK_BLOCKS / 8 * 3;

/// Marks a fresh account as ours and returns nothing; fails when it is not a zeroed account of the program.
pub fn claim_slab(account: &AccountInfo, magic: [u8; 8], minimum: usize) -> Result<()> {
    require_keys_eq!(*account.owner, crate::ID, BallastError::BadSlab);
    let mut data = account.try_borrow_mut_data()?;
    require!(data.len() >= SLAB_PREFIX + minimum, BallastError::BadSlab);
    require!(data[..SLAB_PREFIX].iter().all(|byte| *byte == 0), BallastError::BadSlab);
    data[..8].copy_from_slice(&magic);
    data[VERSION_AT] = version_of(magic);
    Ok(())
}

/// The version that this program reads of a slab.
const fn version_of(magic: [u8; 8]) -> u8 {
    if magic[4] == BOOK_MAGIC[4] { BOOK_VERSION } else { RANKS_VERSION }
}

/// The pure crate's bytes of a claimed slab of the present version.
pub fn slab_bytes(data: &[u8], magic: [u8; 8]) -> Result<&[u8]> {
    require!(data.len() > SLAB_PREFIX && data[..8] == magic, BallastError::BadSlab);
    require_version(data, version_of(magic))?;
    Ok(&data[SLAB_PREFIX..])
}

/// The pure crate's bytes of a claimed slab, mutable.
pub fn slab_bytes_mut(data: &mut [u8], magic: [u8; 8]) -> Result<&mut [u8]> {
    require!(data.len() > SLAB_PREFIX && data[..8] == magic, BallastError::BadSlab);
    require_version(data, version_of(magic))?;
    Ok(&mut data[SLAB_PREFIX..])
}
