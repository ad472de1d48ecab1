//! The bytes of the slab: a header, two sides (rows, and a table from coordinates to cells), scratch space for
//! deleveraging, and the pool of cells.
//!
//! A zeroed slab is empty: initialising writes the header only. The pool comes last and reaches to the end of the
//! slab, so an account that grows simply has more cells. Cell number 0 is never used: its number means none.

use crate::{
    Error,
    arithmetic::Wide,
    cell::Cell,
    grid::{COLUMNS, ROWS, funding_shift, row_bounds},
};
use bytemuck::{Pod, Zeroable};

/// "BALRANK" and the layout's version.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"BALRANK\x01");
/// Most cells in a pool: their numbers are 16 bits in the table, and 0 is none.
pub const MAX_CELLS: u32 = 65_535;
/// Words of the bitmap of occupied rows.
pub(crate) const ROW_WORDS: usize = ROWS / 64;

const _: () = assert!(COLUMNS == 64, "a row's occupied columns are one word");

/// One row of one side, 24 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Row {
    /// Bit per column that has a cell.
    pub occupied: u64,
    /// Funding shift (see [`crate::grid::funding_shift`]) at which distances are put into columns.
    pub origin: i64,
    /// The bucket of entry prices that the row holds while it has a cell.
    pub bucket: u16,
    pub padding: [u8; 6],
}

impl Row {
    /// How far a funding index is from the row's origin, as a ratio to its middle price (units of 2^-20).
    #[inline(always)]
    pub fn funding_since(&self, funding: i64) -> i64 {
        funding_shift(funding, row_bounds(self.bucket).middle).wrapping_sub(self.origin)
    }
}

/// Lots that belong to nobody in particular, and their cash; like a cell, relative to the funding index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct DustBook {
    pub lots: u64,
    pub cash: Wide,
}

/// One side of the market.
#[derive(Clone, Copy, Zeroable, Pod)]
#[repr(C)]
pub(crate) struct SideBook {
    /// Lots of all cells and of the dust.
    pub open_interest: u64,
    pub dust: DustBook,
    /// Lots that a pro-rata pass in progress has not visited yet.
    pub unvisited: u64,
    /// One more than the coordinate that a pro-rata pass visits next; 0 when none is in progress.
    pub cursor: u32,
    /// Cells in the grid.
    pub live: u32,
    /// Positions that were put into a neighbouring cell because the pool was full, ever.
    pub merged: u64,
    /// Bit per row that has a cell.
    pub rows_occupied: [u64; ROW_WORDS],
    pub rows: [Row; ROWS],
    /// First cell of each coordinate, 0 for none.
    pub table: [u16; ROWS * COLUMNS],
}

/// A row's state while deleveraging merges the rows.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Lane {
    /// Profit × (1 ± profit) at the row's middle: the numerator of its cells' scores.
    pub numerator: u64,
    /// Profit plus the funding since the row's origin: what a column's distance is added to.
    pub base: i64,
    /// Columns not tried yet, without the one in play.
    pub pending: u64,
    /// The coordinate in play.
    pub place: u32,
    /// Bucket of the row.
    pub bucket: u16,
    pub padding: u16,
}

/// Scratch space of one deleveraging. Its content is meaningless between calls.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Scratch {
    pub lanes: [Lane; ROWS],
    /// Losers of the tournament, by inner node.
    pub losers: [u64; ROWS],
    /// Winners while the tournament is set up.
    pub winners: [u64; 2 * ROWS],
}

/// Everything before the pool.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Fixed {
    pub magic: u64,
    /// First cell of the free list, 0 for none.
    pub free: u32,
    /// Cells that were ever used: those with a higher number are free and zero.
    pub used: u32,
    /// Cells in use.
    pub taken: u32,
    pub padding: u32,
    pub reserved: [u64; 8],
    pub sides: [SideBook; 2],
    pub scratch: Scratch,
}

/// Bytes for an index with `cells` cells, shared by both sides.
pub const fn space(cells: u32) -> usize {
    size_of::<Fixed>() + (cells as usize + 1) * size_of::<Cell>()
}

/// The pool of a slab.
fn pool_bytes(length: usize) -> usize {
    let cells = length.saturating_sub(size_of::<Fixed>()) / size_of::<Cell>();
    cells.min(MAX_CELLS as usize + 1) * size_of::<Cell>()
}

/// Splits a slab into its parts.
#[inline(always)]
pub(crate) fn split(slab: &[u8]) -> Result<(&Fixed, &[Cell]), Error> {
    let (fixed, rest) = slab.split_at_checked(size_of::<Fixed>()).ok_or(Error::Size)?;
    let pool = rest.get(..pool_bytes(slab.len())).ok_or(Error::Size)?;
    let fixed = bytemuck::try_from_bytes(fixed).map_err(|_| Error::Size)?;
    let cells = bytemuck::try_cast_slice(pool).map_err(|_| Error::Size)?;
    Ok((fixed, cells))
}

/// Splits a slab into its parts, to be changed.
#[inline(always)]
pub(crate) fn split_mut(slab: &mut [u8]) -> Result<(&mut Fixed, &mut [Cell]), Error> {
    let pool = pool_bytes(slab.len());
    let (fixed, rest) = slab.split_at_mut_checked(size_of::<Fixed>()).ok_or(Error::Size)?;
    let pool = rest.get_mut(..pool).ok_or(Error::Size)?;
    let fixed = bytemuck::try_from_bytes_mut(fixed).map_err(|_| Error::Size)?;
    let cells = bytemuck::try_cast_slice_mut(pool).map_err(|_| Error::Size)?;
    Ok((fixed, cells))
}

/// Index into a side's table.
#[inline(always)]
pub(crate) const fn at(row: usize, column: usize) -> usize {
    (row * COLUMNS + column) % (ROWS * COLUMNS)
}

impl SideBook {
    /// The first cell at a coordinate, 0 for none.
    #[inline(always)]
    pub fn head(&self, row: usize, column: usize) -> u16 {
        self.table[at(row, column)]
    }

    /// Marks a column as occupied, and its row with it.
    #[inline(always)]
    pub fn mark(&mut self, row: usize, column: usize) {
        self.rows[row % ROWS].occupied |= 1 << (column % COLUMNS);
        self.rows_occupied[row / 64 % ROW_WORDS] |= 1 << (row % 64);
    }

    /// Unmarks a column, and its row when that was the last.
    #[inline(always)]
    pub fn unmark(&mut self, row: usize, column: usize) {
        let occupied = &mut self.rows[row % ROWS].occupied;
        *occupied &= !(1 << (column % COLUMNS));
        if *occupied == 0 {
            self.rows_occupied[row / 64 % ROW_WORDS] &= !(1 << (row % 64));
        }
    }

    /// Whether a row has no cell.
    #[inline(always)]
    pub fn row_is_empty(&self, row: usize) -> bool {
        self.rows[row % ROWS].occupied == 0
    }

    /// Notes that a cell at a coordinate gained lots (or lost them), for a pro-rata pass that has still to visit it.
    #[inline(always)]
    pub fn note(&mut self, row: usize, column: u8, gained: u64, lost: u64) {
        if self.cursor != 0 && at(row, usize::from(column)) + 1 >= self.cursor as usize {
            self.unvisited = self.unvisited.saturating_add(gained).saturating_sub(lost);
        }
    }
}
