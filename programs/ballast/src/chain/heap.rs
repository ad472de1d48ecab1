//! The memory of one instruction. Allocations grow down from its end and are not given back, but a vector that grows and is the
//! latest of them grows where it is. The record of events grows up from the start, so that it lies in one piece however often
//! something is allocated in between.

use core::{
    alloc::{GlobalAlloc, Layout},
    mem::ManuallyDrop,
};

use anchor_lang::solana_program::entrypoint::{HEAP_LENGTH, HEAP_START_ADDRESS};

use crate::record::TAG;

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

/// Room that the largest event but for one of a deleveraging never exceeds: with less, the record is sent first.
const ENOUGH: usize = 4_096;

/// The allocator.
struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

/// # Safety
/// The runtime gives every instruction these bytes for itself, and nothing here runs at the same time as anything else. No
/// reference is kept.
unsafe fn head<'a>() -> &'a mut Head {
    unsafe { &mut *(START as *mut Head) }
}

impl Head {
    fn lowest(&self) -> usize {
        if self.lowest == 0 { START + HEAP_LENGTH } else { self.lowest }
    }

    /// The block that ends at `end`, or below it where it has to be aligned; null where the record is in the way.
    #[inline(always)]
    fn give(&mut self, end: usize, layout: Layout) -> *mut u8 {
        let at = end.saturating_sub(layout.size()) & !layout.align().wrapping_sub(1);
        if at < EVENTS.wrapping_add(self.recorded) {
            return core::ptr::null_mut();
        }
        self.lowest = at;
        at as *mut u8
    }
}

// SAFETY: every allocation lies below all earlier ones and above the record, in memory that is this instruction's own.
unsafe impl GlobalAlloc for Heap {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let head = unsafe { head() };
        head.give(head.lowest(), layout)
    }

    #[inline]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let head = unsafe { head() };
        let end = (block as usize).wrapping_add(layout.size());
        // The latest grows into the room below it.
        let from = if block as usize == head.lowest { end } else { head.lowest() };
        // SAFETY: sizes are those of vectors, which keep them below half the address space.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let moved = head.give(from, wanted);
        if !moved.is_null() {
            // SAFETY: both blocks are this allocation's own; they may overlap.
            unsafe { core::ptr::copy(block, moved, layout.size().min(size)) };
        }
        moved
    }
}

/// Adds to the record what `write` appends to the vector that it is given, and may not allocate otherwise. The bytes, or nothing
/// where the call would have more than `limit`, or there is so little room that what is recorded should be sent first.
#[inline(always)]
pub fn record(limit: usize, write: impl FnOnce(&mut Vec<u8>)) -> Option<&'static [u8]> {
    let head = unsafe { head() };
    let start = EVENTS + head.recorded;
    let room = head.lowest().saturating_sub(start);
    if room < ENOUGH && head.recorded > 0 {
        return None;
    }
    let room = room.min((RECORD + limit).saturating_sub(start));
    // SAFETY: nobody was given these bytes, and nobody will be while `write` runs; the vector does not free them. Where they are
    // too few it moves to where anything else is allocated, and is of no use.
    let mut bytes = ManuallyDrop::new(unsafe { Vec::from_raw_parts(start as *mut u8, 0, room) });
    write(&mut bytes);
    if bytes.as_ptr() as usize != start {
        return None;
    }
    head.recorded += bytes.len();
    Some(unsafe { core::slice::from_raw_parts(start as *const u8, bytes.len()) })
}

/// The record with its tag, if there is any; what is recorded afterwards begins a new one.
pub fn take_record() -> Option<&'static [u8]> {
    let head = unsafe { head() };
    let length = core::mem::take(&mut head.recorded);
    if length == 0 {
        return None;
    }
    // SAFETY: the bytes up to here were written by `record`, but for the tag, which is now.
    unsafe { (RECORD as *mut [u8; 8]).write_unaligned(TAG) };
    Some(unsafe { core::slice::from_raw_parts(RECORD as *const u8, TAG.len() + length) })
}
