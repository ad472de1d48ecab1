//! The last resort: all cells of the side lose the same fraction, in profit or not.
//!
//! A pass visits the coordinates in order, from a cursor in the slab. When the first cells with `v` lots in all have been visited,
//! `⌊v × missing ÷ unvisited⌋` lots have been taken from them (both as they were when the call began), so the sum is exact and
//! no cell is a lot or more off its share.

use super::{CellReceipt, Run, take_part};
use crate::{
    Error,
    arithmetic::{divide, wide_product},
    bits::lowest,
    cell::{Cell, state},
    grid::{COLUMNS, ROWS},
    layout::{Fixed, SideBook, at},
    pool,
};
use ballast_units::Lots;

/// Reduces all cells pro rata until nothing is missing, the budget is used up, or no lots are left.
pub(super) fn reduce<R: FnMut(&CellReceipt)>(
    fixed: &mut Fixed,
    cells: &mut [Cell],
    run: &mut Run<'_, R>,
) -> Result<(), Error> {
    let before = run.missing;
    let book = &mut fixed.sides[run.side.index()];
    // A pass that was interrupted, and at most one that starts afresh.
    for _ in 0..2 {
        if run.missing == 0 || run.budget == 0 {
            break;
        }
        if book.cursor == 0 {
            // The counter still includes what this deleveraging took so far.
            let counted = book.open_interest.saturating_sub(run.asked.wrapping_sub(run.missing));
            book.unvisited = counted.saturating_sub(book.dust.lots);
            book.cursor = 1;
        }
        pass(book, cells, run)?;
    }
    run.done.pro_rata = Lots(before.wrapping_sub(run.missing));
    Ok(())
}

/// How far a pass has come in this call.
struct Progress {
    /// Lots missing when the call began.
    missing: u64,
    /// Lots unvisited when the call began.
    unvisited: u64,
    /// Lots of the cells visited.
    visited: u64,
    /// Lots that fell to them.
    taken: u64,
}

impl Progress {
    /// What falls to the next cell, with `total` lots.
    fn share(&mut self, total: u64) -> u64 {
        self.visited = self.visited.saturating_add(total);
        let taken = if self.missing >= self.unvisited || self.visited >= self.unvisited {
            self.missing.min(self.visited)
        } else {
            divide(wide_product(self.visited, self.missing), self.unvisited).0
        };
        let share = taken.saturating_sub(self.taken);
        self.taken = taken;
        share.min(total)
    }
}

/// Visits coordinates from the cursor on, and resets it at the end.
fn pass<R: FnMut(&CellReceipt)>(book: &mut SideBook, cells: &mut [Cell], run: &mut Run<'_, R>) -> Result<(), Error> {
    let mut progress = Progress { missing: run.missing, unvisited: book.unvisited, visited: 0, taken: 0 };
    while let Some(coordinate) = next_occupied(book, book.cursor.wrapping_sub(1) as usize) {
        if run.missing == 0 {
            // The unvisited ones' shares round to nothing.
            break;
        }
        if run.budget == 0 {
            return Ok(());
        }
        visit(book, cells, coordinate, &mut progress, run)?;
        book.cursor = coordinate as u32 + 2;
    }
    book.cursor = 0;
    Ok(())
}

/// The first occupied coordinate at or after one.
fn next_occupied(book: &SideBook, from: usize) -> Option<usize> {
    let (mut row, mut column) = (from / COLUMNS, from % COLUMNS);
    while row < ROWS {
        let rest = book.rows[row].occupied & (u64::MAX << column);
        if rest != 0 {
            return Some(row * COLUMNS + lowest(rest));
        }
        column = 0;
        row = next_row(book, row + 1)?;
    }
    None
}

/// The first occupied row at or after one.
fn next_row(book: &SideBook, from: usize) -> Option<usize> {
    let mut mask = u64::MAX << (from % 64);
    for word in from / 64..book.rows_occupied.len() {
        let rest = book.rows_occupied[word] & mask;
        if rest != 0 {
            return Some(word * 64 + lowest(rest));
        }
        mask = u64::MAX;
    }
    None
}

/// Takes their share from the cells of one coordinate.
fn visit<R: FnMut(&CellReceipt)>(
    book: &mut SideBook,
    cells: &mut [Cell],
    coordinate: usize,
    progress: &mut Progress,
    run: &mut Run<'_, R>,
) -> Result<(), Error> {
    let (row, column) = (coordinate / COLUMNS, coordinate % COLUMNS);
    let place = at(row, column);
    let bucket = book.rows[row % ROWS].bucket;
    let mut id = u32::from(book.table[place]);
    let mut previous = 0;
    // A chain has no more links than there are cells, whatever the slab holds.
    let mut steps = cells.len();
    while id != 0 {
        steps = steps.checked_sub(1).ok_or(Error::Corrupt)?;
        let cell = pool::get_mut(cells, id)?;
        if !cell.is_live() {
            return Err(Error::Corrupt);
        }
        run.budget = run.budget.saturating_sub(1);
        let (total, next) = (cell.total, cell.next);
        let lots = progress.share(total).min(run.missing);
        book.unvisited = book.unvisited.saturating_sub(total);
        let mut gone = false;
        if lots != 0 {
            run.report(cell, id, bucket, lots, 0);
            if lots == total {
                cell.close(run.price, run.funding);
                gone = true;
            } else if take_part(&mut book.dust, cell, lots, run.price, run.funding)? {
                cell.state = state::SETTLING;
                gone = true;
            }
        }
        if gone {
            book.live = book.live.wrapping_sub(1);
            if previous != 0 {
                pool::get_mut(cells, previous)?.next = next;
            } else {
                book.table[place] = next;
                if next == 0 {
                    book.unmark(row, column);
                }
            }
        } else {
            previous = id;
        }
        id = u32::from(next);
    }
    Ok(())
}
