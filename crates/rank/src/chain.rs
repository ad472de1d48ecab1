//! Chains: the cells of one coordinate, first the one that takes new members. There is more than one only where a cell
//! is worn out (below [`crate::SCALE_OPEN`]) or where recentring a row brought two together.

use crate::{
    Error,
    cell::{Cell, state},
    grid::slot,
    layout::{SideBook, at},
    pool,
};

/// Puts a cell into the grid, as the first of its coordinate.
pub(crate) fn link(book: &mut SideBook, cells: &mut [Cell], id: u32, bucket: u16, column: usize) -> Result<(), Error> {
    let row = slot(bucket);
    let head = &mut book.table[at(row, column)];
    let cell = pool::get_mut(cells, id)?;
    cell.next = *head;
    cell.bucket = bucket;
    cell.column = column as u8;
    cell.state = state::LIVE;
    *head = u16::try_from(id).map_err(|_| Error::Corrupt)?;
    book.mark(row, column);
    book.live = book.live.wrapping_add(1);
    Ok(())
}

/// Takes a cell out of the grid.
pub(crate) fn unlink(book: &mut SideBook, cells: &mut [Cell], id: u32) -> Result<(), Error> {
    let cell = pool::get(cells, id)?;
    let (next, row, column) = (cell.next, cell.row(), usize::from(cell.column));
    let place = at(row, column);
    if u32::from(book.table[place]) == id {
        book.table[place] = next;
        if next == 0 {
            book.unmark(row, column);
        }
    } else {
        let mut before = u32::from(book.table[place]);
        // At most as many steps as there are cells, whatever the slab holds.
        let mut steps = cells.len();
        loop {
            let previous = pool::get_mut(cells, before)?;
            if u32::from(previous.next) == id {
                previous.next = next;
                break;
            }
            before = u32::from(previous.next);
            steps = steps.checked_sub(1).ok_or(Error::Corrupt)?;
        }
    }
    book.live = book.live.checked_sub(1).ok_or(Error::Corrupt)?;
    Ok(())
}
