//! The memory of one instruction. Allocations grow down from its end and are not given back, but a vector that grows and is the
//! latest of them grows where it is. The record of events grows up from the start, so that it lies in one piece however often
//! something is allocated in between.

use core::alloc::{GlobalAlloc, Layout};
use std::io;

use anchor_lang::solana_program::entrypoint::{HEAP_LENGTH, HEAP_START_ADDRESS};

use crate::record::{TAG, send};

/// The heap's first bytes. The runtime zeroes the heap before each instruction.
#[repr(C)]
struct Head {
    /// Lowest address that was given away; zero before the first allocation.
    lowest: usize,
    /// Bytes of the record, without its tag.
    recorded: usize,
}

#[allow(clippy::cast_possible_truncation)]
const START: usize = HEAP_START_ADDRESS as usize;
/// The record's tag, and behind it the record.
const RECORD: usize = START + size_of::<Head>();
const EVENTS: usize = RECORD + TAG.len();

/// The allocator.
struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

/// The heap's first bytes.
///
/// # Safety
/// The runtime gives every instruction these bytes for itself, and nothing here runs at the same time as anything else. What is taken
/// of them is copied: no reference outlives the expression that it is in.
const HEAD: *mut Head = START as *mut Head;

#[inline(always)]
fn lowest() -> usize {
    // SAFETY: as of `HEAD`.
    let lowest = unsafe { (*HEAD).lowest };
    if lowest == 0 { START + HEAP_LENGTH } else { lowest }
}

/// The block that ends at `end`, or below it where it has to be aligned. Where the record is in the way, it is sent first; null where
/// that is not enough.
#[inline(always)]
fn give(end: usize, layout: Layout) -> *mut u8 {
    let at = end.saturating_sub(layout.size()) & !layout.align().wrapping_sub(1);
    // SAFETY: as of `HEAD`.
    if at < EVENTS.wrapping_add(unsafe { (*HEAD).recorded }) {
        // Clears the record, and allocates nothing.
        send();
        if at < EVENTS {
            return core::ptr::null_mut();
        }
    }
    // SAFETY: as of `HEAD`.
    unsafe { (*HEAD).lowest = at };
    at as *mut u8
}

// SAFETY: every allocation lies below all earlier ones and above the record, in memory that is this instruction's own.
unsafe impl GlobalAlloc for Heap {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        give(lowest(), layout)
    }

    #[inline]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (end, lowest) = ((block as usize).wrapping_add(layout.size()), lowest());
        // The latest grows into the room below it.
        let from = if block as usize == lowest { end } else { lowest };
        // SAFETY: sizes are those of vectors, which keep them below half the address space.
        let moved = give(from, unsafe { Layout::from_size_align_unchecked(size, layout.align()) });
        if !moved.is_null() {
            // SAFETY: both blocks are this allocation's own; they may overlap.
            unsafe { core::ptr::copy(block, moved, layout.size().min(size)) };
        }
        moved
    }
}

/// Where an event is written: free bytes behind the record.
pub struct Room {
    start: usize,
    length: usize,
    room: usize,
}

impl Room {
    /// Puts the length of what has been written behind its first two bytes there.
    pub fn prefix_length(&mut self) {
        let length = u16::try_from(self.length.saturating_sub(2)).unwrap_or(u16::MAX);
        // SAFETY: the caller of `record` begins with these two bytes; nothing is written where they are not.
        if self.length >= 2 {
            unsafe { (self.start as *mut [u8; 2]).write_unaligned(length.to_le_bytes()) };
        }
    }
}

impl io::Write for Room {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline(always)]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.room - self.length {
            return Err(io::ErrorKind::WriteZero.into());
        }
        // SAFETY: nobody was given these bytes, and nobody is while they are written: what writes allocates nothing.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), (self.start + self.length) as *mut u8, bytes.len());
        }
        self.length += bytes.len();
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Adds to the record what `write` writes, which may allocate nothing. The bytes, or nothing where the call would have more than
/// `limit`, or the heap has no room: then what is recorded has to be sent first.
#[inline(always)]
pub fn record(limit: usize, write: impl FnOnce(&mut Room) -> io::Result<()>) -> Option<&'static [u8]> {
    // SAFETY: as of `HEAD`.
    let start = EVENTS + unsafe { (*HEAD).recorded };
    let room = lowest().min(RECORD + limit).saturating_sub(start);
    let mut to = Room { start, length: 0, room };
    write(&mut to).ok()?;
    // SAFETY: as of `HEAD`; and these bytes were just written, and stay until the record is sent.
    unsafe {
        (*HEAD).recorded += to.length;
        Some(core::slice::from_raw_parts(start as *const u8, to.length))
    }
}

/// The record with its tag, if there is any; what is recorded afterwards begins a new one.
pub fn take_record() -> Option<&'static [u8]> {
    // SAFETY: as of `HEAD`.
    let length = unsafe { core::mem::take(&mut (*HEAD).recorded) };
    if length == 0 {
        return None;
    }
    // SAFETY: the bytes up to here were written by `record`, but for the tag, which is now.
    unsafe { (RECORD as *mut [u8; 8]).write_unaligned(TAG) };
    Some(unsafe { core::slice::from_raw_parts(RECORD as *const u8, TAG.len() + length) })
}
