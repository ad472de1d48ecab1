//! The slab: a header, then blocks of one size that orders, seats and the free list share.
//!
//! Blocks are numbered from 1; block 0 is a reserve of zeros, so that 0 can mean "none" and still be looked up safely.
//! Blocks above the header's high-water mark have never been used, so a slab of zeros needs no preparation, and a slab
//! that grew has more of them without being told.

use bytemuck::{Pod, Zeroable};

use crate::BookError;
use crate::tree::{Node, Root};
use crate::wide::Wide;

/// Bytes of a block.
pub const BLOCK: usize = 160;
/// Bytes before block 1: the header and the reserved block 0.
pub const HEADER: usize = 2 * BLOCK;
/// Most blocks that a slab can use: an order's id has 20 bits for its block.
pub const MAX_BLOCKS: u32 = (1 << 20) - 1;

/// First bytes of an initialised slab. The last digit is the layout's version.
const MAGIC: u64 = u64::from_le_bytes(*b"blstbk\0\x02");

/// Number of trees that a slab has room for: bids, asks, and four for pegged orders and triggers.
pub(crate) const ROOTS: usize = 6;

/// Number of the tree of pegged bids; the next is that of pegged asks.
pub(crate) const PEGS: usize = 4;

/// What a block holds: never used or freed.
pub(crate) const FREE: u8 = 0;
/// What a block holds: an order.
pub(crate) const ORDER: u8 = 1;
/// What a block holds: a seat.
pub(crate) const SEAT: u8 = 2;
/// What a block holds: a trigger.
pub(crate) const TRIGGER: u8 = 3;

/// One block, as the tree sees it. Orders and seats are the same bytes, cast.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Block {
    pub node: Node,
    pub body: [u64; 15],
}

/// A block on the free list.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Free {
    pub kind: u8,
    pub padding: [u8; 3],
    /// The next free block, 0 at the end.
    pub next: u32,
    pub stale: [u64; 19],
}

/// The slab's own numbers.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Header {
    pub magic: u64,
    /// Orders that ever rested here: the number of the next arrival.
    pub arrivals: u64,
    /// Σ of the seats' pending base, in lots.
    pub pending_base: i64,
    /// Σ of the seats' pending funding: base × funding index of fills, in 2^-24 atoms.
    pub pending_funding: Wide,
    /// First block of the free list, 0 if none.
    pub free: u32,
    /// Blocks 1..=`used` have been used at least once.
    pub used: u32,
    /// Length of the free list.
    pub free_count: u32,
    /// Open seats.
    pub seats: u32,
    pub roots: [Root; ROOTS],
    /// Σ of the seats' pending base where that is positive, in lots. Less by what waited in a book that came from layout 1.
    pub pending_bought: u64,
}

const _: () = assert!(size_of::<Block>() == BLOCK && size_of::<Free>() == BLOCK && size_of::<Header>() == BLOCK);
const _: () = assert!(align_of::<Block>() == 8 && align_of::<Header>() == 8);

impl Header {
    pub(crate) fn initialise(&mut self) -> Result<(), BookError> {
        if self.magic != 0 {
            return Err(BookError::AlreadyInitialised);
        }
        self.magic = MAGIC;
        Ok(())
    }

    pub(crate) fn verify(&self) -> Result<(), BookError> {
        if self.magic == MAGIC { Ok(()) } else { Err(BookError::Corrupt) }
    }
}

/// Bytes of a slab with room for `blocks` orders and seats together.
pub fn space(blocks: u32) -> usize {
    HEADER + index(blocks) * BLOCK
}

/// Splits bytes into header and blocks, 0 first. Trailing bytes that do not fill a block are left alone.
pub(crate) fn split(slab: &[u8]) -> Result<(&Header, &[Block]), BookError> {
    let (header, rest) = slab.split_at_checked(BLOCK).ok_or(BookError::Corrupt)?;
    let whole = rest.len() / BLOCK * BLOCK;
    let blocks: &[Block] = bytemuck::try_cast_slice(&rest[..whole]).map_err(|_| BookError::Corrupt)?;
    let header = bytemuck::try_from_bytes(header).map_err(|_| BookError::Corrupt)?;
    if blocks.is_empty() { Err(BookError::Corrupt) } else { Ok((header, blocks)) }
}

/// As [`split`], to write.
pub(crate) fn split_mut(slab: &mut [u8]) -> Result<(&mut Header, &mut [Block]), BookError> {
    let (header, rest) = slab.split_at_mut_checked(BLOCK).ok_or(BookError::Corrupt)?;
    let whole = rest.len() / BLOCK * BLOCK;
    let blocks: &mut [Block] = bytemuck::try_cast_slice_mut(&mut rest[..whole]).map_err(|_| BookError::Corrupt)?;
    let header = bytemuck::try_from_bytes_mut(header).map_err(|_| BookError::Corrupt)?;
    if blocks.is_empty() { Err(BookError::Corrupt) } else { Ok((header, blocks)) }
}

/// A block number as an index. The one place where it is converted; `usize` has at least 32 bits wherever this runs.
#[inline(always)]
pub(crate) const fn index(id: u32) -> usize {
    id as usize
}

/// Whether [`allocate`] finds a block.
#[inline(always)]
pub(crate) fn has_room(header: &Header, blocks: &[Block]) -> bool {
    header.free != 0 || (header.used < MAX_BLOCKS && index(header.used) + 1 < blocks.len())
}

/// Takes a block off the free list, or the first that was never used. Its contents are stale.
#[inline]
pub(crate) fn allocate(header: &mut Header, blocks: &mut [Block]) -> Result<u32, BookError> {
    let id = header.free;
    if id != 0 {
        let block: &Free = bytemuck::cast_ref(blocks.get(index(id)).ok_or(BookError::Corrupt)?);
        if block.kind != FREE {
            return Err(BookError::Corrupt);
        }
        header.free = block.next;
        header.free_count = header.free_count.checked_sub(1).ok_or(BookError::Corrupt)?;
        return Ok(id);
    }
    let id = header.used.checked_add(1).ok_or(BookError::Corrupt)?;
    if id > MAX_BLOCKS || index(id) >= blocks.len() {
        return Err(BookError::Full);
    }
    header.used = id;
    Ok(id)
}

/// Puts a block on the free list.
#[inline]
pub(crate) fn release(header: &mut Header, blocks: &mut [Block], id: u32) -> Result<(), BookError> {
    let block: &mut Free = bytemuck::cast_mut(blocks.get_mut(index(id)).ok_or(BookError::Corrupt)?);
    block.kind = FREE;
    block.next = header.free;
    header.free = id;
    header.free_count = header.free_count.checked_add(1).ok_or(BookError::Corrupt)?;
    Ok(())
}
