//! Cells in profit by score, best first.
//!
//! Each row in profit plays one lane of a tournament with its best cell; within a row the next best is the next occupied
//! column. A cell that is taken whole costs no multiplication and no division: it is noted as closed and leaves the grid.

use super::{
    CellReceipt, Run, take_part,
    tournament::{PLAYER_BITS, play, player, replay},
};
use crate::{
    Error,
    bits::take_lowest,
    cell::{Cell, state},
    grid::{COLUMNS, ROWS, RowBounds, column_middle, distance_at, row_bounds},
    layout::{Fixed, Lane, Row, Scratch, SideBook},
    pool,
    score::{numerator, profit, quotient},
};
use ballast_units::{Price, Side};

const _: () = assert!(crate::score::SCORE_LIMIT <= 1 << (64 - PLAYER_BITS));
/// Coordinates of a side.
const PLACES: usize = ROWS * COLUMNS;

/// Reduces cells in profit until nothing is missing or the budget is used up (`false`), or none is left (`true`).
///
/// Never inlined: alone in its function, the loop keeps more in the chain's ten registers, worth 2 % of a cell.
#[inline(never)]
pub(super) fn reduce<R: FnMut(&CellReceipt)>(
    fixed: &mut Fixed,
    cells: &mut [Cell],
    run: &mut Run<'_, R>,
) -> Result<bool, Error> {
    let Fixed { sides, scratch, .. } = fixed;
    let Scratch { lanes, losers, winners } = scratch;
    let book = &mut sides[run.side.index()];

    let players = enter(book, lanes, losers, run);
    let mut key = play(losers, winners, players);
    let mut last_key = 0;
    let mut closed: u32 = 0;
    let exhausted = loop {
        if key == 0 {
            break true;
        }
        if closed == run.budget {
            break false;
        }
        let lane = &mut lanes[player(key)];
        let first = &mut book.table[lane.place as usize % PLACES];
        let cell = pool::get_mut(cells, u32::from(*first))?;
        if !cell.is_live() {
            return Err(Error::Corrupt);
        }
        if cell.total > run.missing {
            // The last one: reduced by what is missing, if anything is.
            let lots = run.missing;
            if lots != 0 {
                last_key = key;
                run.budget = run.budget.wrapping_sub(1);
                run.report(cell, u32::from(*first), lane.bucket, lots, key >> PLAYER_BITS);
                if take_part(&mut book.dust, cell, lots, run.price, run.funding)? {
                    cell.state = state::SETTLING;
                    *first = cell.next;
                    book.live = book.live.wrapping_sub(1);
                }
            }
            break false;
        }
        last_key = key;
        closed = closed.wrapping_add(1);
        run.report(cell, u32::from(*first), lane.bucket, cell.total, key >> PLAYER_BITS);
        cell.close(run.price, run.funding);
        *first = cell.next;
        // Another cell of the coordinate has the same key.
        if cell.next == 0 {
            key = replay(losers, players, player(key), next(lane, player(key)));
        }
    };
    if last_key != 0 {
        leave(book, lanes, players);
        book.live = book.live.wrapping_sub(closed);
        run.budget = run.budget.wrapping_sub(closed);
        run.done.last_score = last_key >> PLAYER_BITS;
    }
    Ok(exhausted)
}

/// Fills a lane for each row in profit and leaves the lanes' keys in `keys`; returns how many there are.
fn enter<R: FnMut(&CellReceipt)>(
    book: &SideBook,
    lanes: &mut [Lane; ROWS],
    keys: &mut [u64; ROWS],
    run: &Run<'_, R>,
) -> usize {
    let mut players: usize = 0;
    for (word, &occupied) in book.rows_occupied.iter().enumerate() {
        let mut rest = occupied;
        while rest != 0 {
            let row = (word * 64 + take_lowest(&mut rest)) % ROWS;
            let lane = &mut lanes[players % ROWS];
            if start(&book.rows[row], row, lane, run.side, run.price, run.mark, run.funding) {
                keys[players % ROWS] = next(lane, players);
                players = players.wrapping_add(1);
            }
        }
    }
    players
}

/// Sets up the lane of a row, unless its least favourable entry is not in profit.
#[inline(always)]
fn start(row: &Row, slot: usize, lane: &mut Lane, side: Side, price: Price, mark: Price, funding: i64) -> bool {
    let RowBounds { low, high, middle } = row_bounds(row.bucket);
    let in_profit = match side {
        Side::Long => high < mark.0 && high <= price.0,
        Side::Short => low > mark.0 && low >= price.0,
    };
    if !in_profit {
        return false;
    }
    let profit = profit(side, middle, mark).unwrap_or(0);
    lane.numerator = numerator(side, profit);
    lane.base = distance_at(side, profit as i64, row.funding_since(funding));
    lane.pending = row.occupied;
    lane.place = (slot * COLUMNS) as u32;
    lane.bucket = row.bucket;
    true
}

/// Advances a lane to its next column and returns the key of its score, or 0 when the row has no more cells.
#[inline(always)]
fn next(lane: &mut Lane, player: usize) -> u64 {
    if lane.pending == 0 {
        return 0;
    }
    let column = take_lowest(&mut lane.pending);
    lane.place = lane.place & !(COLUMNS as u32 - 1) | column as u32;
    let score = quotient(lane.numerator, lane.base.wrapping_add(column_middle(column)));
    (score << PLAYER_BITS) | player as u64
}

/// Writes back which columns the lanes have left: those not tried yet, and the one in play if it still has a cell.
fn leave(book: &mut SideBook, lanes: &[Lane; ROWS], players: usize) {
    for lane in lanes.iter().take(players) {
        let place = lane.place as usize % PLACES;
        let (row, column) = (place / COLUMNS, place % COLUMNS);
        let mut occupied = lane.pending;
        if book.table[place] != 0 {
            occupied |= 1 << column;
        }
        book.rows[row].occupied = occupied;
        if occupied == 0 {
            book.rows_occupied[row / 64] &= !(1 << (row % 64));
        }
    }
    // Whatever a pro-rata pass had still to visit, it is not that any more.
    book.cursor = 0;
}
