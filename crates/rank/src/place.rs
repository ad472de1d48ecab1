//! Which cell a joining position gets: its coordinate's own, a fresh one, or, when the pool is full, a neighbour's.
//!
//! Merging never makes a haircut exceed a profit: a cell's row is that of its least favourable entry. So a position merges
//! into a row whose entries are no better than its own, and only where there is none, the nearest cell moves to
//! the position's row.

use crate::{
    Error, bits,
    cell::Cell,
    chain,
    grid::{COLUMNS, ROWS, bucket, column, distance, distance_at, funding_shift, row_bounds, slot},
    layout::{Fixed, SideBook},
    pool,
};
use ballast_units::{Price, Side};

/// Where a joining position wants to stand.
struct Wish {
    side: Side,
    bucket: u16,
    row: usize,
    column: usize,
    distance: i64,
}

/// The cell for a joining position, in the grid and open.
#[inline(always)]
pub(crate) fn place(
    fixed: &mut Fixed,
    cells: &mut [Cell],
    side: Side,
    entry: Price,
    beta: i64,
    funding: i64,
) -> Result<u32, Error> {
    let bucket = bucket(entry);
    let row = slot(bucket);
    let distance = distance(side, entry, beta);
    let book = &fixed.sides[side.index()];
    if !book.row_is_empty(row) && book.rows[row].bucket == bucket {
        let column = usize::from(column(distance_at(side, distance, book.rows[row].origin)));
        let head = book.head(row, column);
        if let Some(cell) = cells.get(usize::from(head))
            && cell.is_open()
        {
            return Ok(u32::from(head));
        }
    }
    place_elsewhere(fixed, cells, side, bucket, distance, funding)
}

/// The same where the coordinate has no open cell.
#[cold]
#[inline(never)]
fn place_elsewhere(
    fixed: &mut Fixed,
    cells: &mut [Cell],
    side: Side,
    bucket: u16,
    distance: i64,
    funding: i64,
) -> Result<u32, Error> {
    let row = slot(bucket);
    let book = &mut fixed.sides[side.index()];
    let empty = book.row_is_empty(row);
    let origin = if empty {
        funding_shift(funding, row_bounds(bucket).middle)
    } else if book.rows[row].bucket == bucket {
        book.rows[row].origin
    } else {
        return Err(Error::PriceSpan);
    };
    let column = usize::from(column(distance_at(side, distance, origin)));
    let wish = Wish { side, bucket, row, column, distance };
    let Some(id) = pool::take(fixed, cells, empty)? else {
        let book = &mut fixed.sides[side.index()];
        book.merged = book.merged.wrapping_add(1);
        return merge(book, cells, &wish, origin);
    };
    let book = &mut fixed.sides[side.index()];
    open_row(book, &wish, origin);
    let cell = pool::get_mut(cells, id)?;
    cell.side = side.index() as u8;
    cell.scale = crate::SCALE_START;
    cell.funding_at = funding;
    cell.distance = distance;
    chain::link(book, cells, id, bucket, column)?;
    Ok(id)
}

/// Notes bucket and origin of a row that gets its first cell.
fn open_row(book: &mut SideBook, wish: &Wish, origin: i64) {
    if book.row_is_empty(wish.row) {
        let row = &mut book.rows[wish.row];
        row.bucket = wish.bucket;
        row.origin = origin;
    }
}

/// The open cell nearest to a wish, for a pool without a free one. Costs a look at every occupied row, unless the wished
/// row itself has an open cell.
fn merge(book: &mut SideBook, cells: &mut [Cell], wish: &Wish, origin: i64) -> Result<u32, Error> {
    if let Some(id) = nearest_in_row(book, cells, wish.row, wish.column)? {
        return Ok(id);
    }
    let mut worse: Option<(u16, u32)> = None;
    let mut better: Option<(u16, u32)> = None;
    for row in bits::each(book.rows_occupied) {
        let bucket = book.rows[row % ROWS].bucket;
        // A row whose entries are no better than the wished row's: higher for longs, lower for shorts.
        let nearest = match (wish.side, bucket > wish.bucket) {
            (Side::Long, true) | (Side::Short, false) => &mut worse,
            (Side::Long, false) | (Side::Short, true) => &mut better,
        };
        let gap = bucket.abs_diff(wish.bucket);
        if nearest.is_none_or(|(least, _)| gap < least)
            && let Some(id) = nearest_in_row(book, cells, row, wish.column)?
        {
            *nearest = Some((gap, id));
        }
    }
    if let Some((_, id)) = worse {
        return Ok(id);
    }
    let (_, id) = better.ok_or(Error::Full)?;
    open_row(book, wish, origin);
    relocate(book, cells, id, wish)
}

/// Moves a cell to the wished coordinate.
fn relocate(book: &mut SideBook, cells: &mut [Cell], id: u32, wish: &Wish) -> Result<u32, Error> {
    chain::unlink(book, cells, id)?;
    chain::link(book, cells, id, wish.bucket, wish.column)?;
    pool::get_mut(cells, id)?.distance = wish.distance;
    // The lots have changed places under a pro-rata pass: the next one starts over.
    book.cursor = 0;
    Ok(id)
}

/// The open cell of a row that is nearest to a column; of two at the same distance, the one with the higher score.
fn nearest_in_row(book: &SideBook, cells: &[Cell], row: usize, column: usize) -> Result<Option<u32>, Error> {
    for gap in 0..COLUMNS {
        for candidate in [column.checked_sub(gap), column.checked_add(gap)] {
            let Some(candidate) = candidate.filter(|&candidate| candidate < COLUMNS) else { continue };
            let head = u32::from(book.head(row, candidate));
            if head != 0 && pool::get(cells, head)?.is_open() {
                return Ok(Some(head));
            }
        }
    }
    Ok(None)
}
