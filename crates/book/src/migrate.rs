//! From layout 1 to layout 2, in place and in parts.
//!
//! Layout 1 had blocks of 144 bytes. Every block keeps its number, so links, ids and lists stay as they are, and moves up
//! by 16 bytes for each block below it and two for the header: from the highest down, nothing is overwritten before it has
//! been moved. Meanwhile the header says that the slab is neither one nor the other, and which block is next.

use bytemuck::{Pod, Zeroable};

use crate::BookError;
use crate::order::Order;
use crate::seat::Seat;
use crate::slab::{BLOCK, Header, MAX_BLOCKS, ORDER, ROOTS, SEAT, index};
use crate::tree::Root;

/// Bytes of a block of layout 1.
const BLOCK_1: usize = 144;
/// First bytes of a slab of layout 1.
const MAGIC_1: u64 = u64::from_le_bytes(*b"blstbk\0\x01");
/// First bytes of a slab between the layouts.
const MAGIC_MOVING: u64 = u64::from_le_bytes(*b"blstbk\0\xff");
/// Where what layout 1 used of an order ends: the rest of its block was never set.
const ORDER_1: usize = 88;

/// The header of layout 1.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct HeaderV1 {
    magic: u64,
    arrivals: u64,
    pending_base: i64,
    free: u32,
    used: u32,
    free_count: u32,
    seats: u32,
    roots: [Root; ROOTS],
    /// On the way: the block that is moved next.
    next: u64,
}

const _: () = assert!(size_of::<HeaderV1>() == BLOCK_1);

/// What layout 1 left to the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromMarket {
    /// The market's funding index: fills that wait have paid and received funding up to here.
    pub funding_index: i64,
    /// The maker fee of every seat, in millionths.
    pub maker_fee_ppm: i16,
}

/// How far a migration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrated {
    /// So many blocks are left.
    Partly(u32),
    /// The slab has layout 2.
    Whole,
}

/// Bytes that a slab of layout 1 must have before [`migrate`] can begin.
///
/// # Errors
/// `Corrupt` if it is not one.
pub fn space_for_migration(slab: &[u8]) -> Result<usize, BookError> {
    Ok((index(header(slab)?.used) + 2) * BLOCK)
}

/// Moves up to `limit` blocks of a slab of layout 1. Call it with the same terms until the slab is whole; until then it
/// is no book.
///
/// # Errors
/// `Corrupt` if it is not of layout 1 or on its way from there; `Full` if it is shorter than [`space_for_migration`].
pub fn migrate(slab: &mut [u8], terms: &FromMarket, limit: u32) -> Result<Migrated, BookError> {
    let mut old = header(slab)?;
    if slab.len() < space_for_migration(slab)? {
        return Err(BookError::Full);
    }
    if old.magic == MAGIC_1 {
        (old.magic, old.next) = (MAGIC_MOVING, u64::from(old.used));
    }
    let mut next = u32::try_from(old.next).map_err(|_| BookError::Corrupt)?;
    if next > old.used {
        return Err(BookError::Corrupt);
    }
    let last = next.saturating_sub(limit);
    while next > last {
        move_block(slab, next, terms)?;
        next -= 1;
    }
    if next > 0 {
        old.next = u64::from(next);
        slab[..BLOCK_1].copy_from_slice(bytemuck::bytes_of(&old));
        return Ok(Migrated::Partly(next));
    }
    finish(slab, &old, terms)?;
    Ok(Migrated::Whole)
}

fn header(slab: &[u8]) -> Result<HeaderV1, BookError> {
    let bytes = slab.get(..BLOCK_1).ok_or(BookError::Corrupt)?;
    let header: HeaderV1 = bytemuck::pod_read_unaligned(bytes);
    let known = header.magic == MAGIC_1 || header.magic == MAGIC_MOVING;
    if known && header.used <= MAX_BLOCKS { Ok(header) } else { Err(BookError::Corrupt) }
}

fn move_block(slab: &mut [u8], id: u32, terms: &FromMarket) -> Result<(), BookError> {
    let (from, to) = ((index(id) + 1) * BLOCK_1, (index(id) + 1) * BLOCK);
    slab.copy_within(from..from + BLOCK_1, to);
    let block = &mut slab[to..to + BLOCK];
    block[BLOCK_1..].fill(0);
    match block[0] {
        ORDER => {
            block[ORDER_1..].fill(0);
            let mut order: Order = bytemuck::pod_read_unaligned(block);
            order.come_from_layout_1();
            block.copy_from_slice(bytemuck::bytes_of(&order));
        }
        SEAT => {
            let count = u32::from_le_bytes([block[4], block[5], block[6], block[7]]);
            let mut seat: Seat = bytemuck::pod_read_unaligned(block);
            seat.come_from_layout_1(count, terms)?;
            block.copy_from_slice(bytemuck::bytes_of(&seat));
        }
        _ => {}
    }
    Ok(())
}

/// The header, and block 0, which is zeros.
fn finish(slab: &mut [u8], old: &HeaderV1, terms: &FromMarket) -> Result<(), BookError> {
    let mut new = Header::zeroed();
    new.initialise()?;
    (new.arrivals, new.pending_base) = (old.arrivals, old.pending_base);
    new.pending_funding.add_product(old.pending_base, terms.funding_index)?;
    (new.free, new.used, new.free_count, new.seats) = (old.free, old.used, old.free_count, old.seats);
    new.roots = old.roots;
    slab[..BLOCK].copy_from_slice(bytemuck::bytes_of(&new));
    slab[BLOCK..2 * BLOCK].fill(0);
    Ok(())
}
