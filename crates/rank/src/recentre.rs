//! Recentring a row: its columns are finest where distances were small when its first cell came. Funding shifts all
//! distances of a row alike, so after months they may lie where columns are coarse. Anyone may have a row recentred.

use crate::{
    Error,
    cell::Cell,
    grid::{COLUMNS, ROWS, column, distance_at, funding_shift, row_bounds, slot},
    index::{Index, IndexView},
    layout::{SideBook, at},
    pool,
};
use ballast_units::Side;

impl Index<'_> {
    /// Puts the cells of the row that holds `bucket` into the columns of their distances at `funding`. Cells that meet
    /// in one column stay apart and share its place in the order. Returns the number of cells; 0 for an empty row.
    /// Costs in proportion to that, mostly below 128.
    pub fn recentre(&mut self, side: Side, bucket: u16, funding: i64) -> Result<u32, Error> {
        let row = slot(bucket);
        let book = &mut self.fixed.sides[side.index()];
        if book.rows[row].bucket != bucket || book.row_is_empty(row) {
            return Ok(0);
        }
        let shift = funding_shift(funding, row_bounds(bucket).middle);
        let mut rest = unload(book, self.cells, row)?;
        book.rows[row].origin = shift;
        book.cursor = 0;
        let mut moved = 0;
        while rest != 0 {
            let cell = pool::get_mut(self.cells, u32::from(rest))?;
            let next = cell.next;
            let column = usize::from(column(distance_at(side, cell.distance, shift)));
            cell.column = column as u8;
            insert(book, self.cells, rest, row, column)?;
            rest = next;
            moved += 1;
        }
        Ok(moved)
    }
}

impl IndexView<'_> {
    /// How far funding has shifted the distances of the row that holds `bucket` since it was centred, as a ratio to its price
    /// in units of 2^-20; `None` for an empty row. Beyond about 1/128 (8,192) recentring is worth its cost.
    pub fn drift(&self, side: Side, bucket: u16, funding: i64) -> Option<i64> {
        let book = &self.fixed.sides[side.index()];
        let row = &book.rows[slot(bucket)];
        if row.bucket != bucket || book.row_is_empty(slot(bucket)) {
            return None;
        }
        Some(funding_shift(funding, row_bounds(bucket).middle).wrapping_sub(row.origin))
    }
}

/// Takes all cells of a row out of the table, chained by `next`; returns the first.
fn unload(book: &mut SideBook, cells: &mut [Cell], row: usize) -> Result<u16, Error> {
    let mut all = 0;
    let mut steps = cells.len();
    for column in 0..COLUMNS {
        let mut id = core::mem::take(&mut book.table[at(row, column)]);
        while id != 0 {
            steps = steps.checked_sub(1).ok_or(Error::Corrupt)?;
            let cell = pool::get_mut(cells, u32::from(id))?;
            if !cell.is_live() {
                return Err(Error::Corrupt);
            }
            let next = core::mem::replace(&mut cell.next, all);
            all = id;
            id = next;
        }
    }
    book.rows[row % ROWS].occupied = 0;
    Ok(all)
}

/// Puts a cell at a coordinate: first when it takes new members, otherwise second, so that the first one does.
fn insert(book: &mut SideBook, cells: &mut [Cell], id: u16, row: usize, column: usize) -> Result<(), Error> {
    let place = at(row, column);
    let head = book.table[place];
    let open = pool::get(cells, u32::from(id))?.is_open();
    if head == 0 || open {
        pool::get_mut(cells, u32::from(id))?.next = head;
        book.table[place] = id;
    } else {
        let first = pool::get_mut(cells, u32::from(head))?;
        let second = core::mem::replace(&mut first.next, id);
        pool::get_mut(cells, u32::from(id))?.next = second;
    }
    book.mark(row, column);
    Ok(())
}
