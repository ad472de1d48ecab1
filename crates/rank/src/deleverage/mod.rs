//! Deleveraging: who is reduced, and by how much.
//!
//! First the dust of the side, then cells in profit by score, best first, each whole, until the last is reduced by what is
//! missing. A cell is in profit when its row's least favourable entry is: no loss at the execution price, and a profit
//! at the mark. Only when no such cell is left does the rest go to all cells of the side pro rata.

mod pro_rata;
mod ranked;
mod tournament;

use crate::{
    Error,
    cell::{Cell, relative},
    dust,
    index::{Index, check_funding, check_price},
    layout::DustBook,
};
use ballast_units::{Lots, Price, Side};

/// What one deleveraging did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleveraged {
    /// Lots taken, from dust and cells: at most what was asked for.
    pub lots: Lots,
    /// Of these, from the dust.
    pub dust: Lots,
    /// Cells reduced: as many as receipts.
    pub cells: u32,
    /// No cell in profit was left while lots were missing, so that the rest went (or goes) to all cells pro rata.
    pub in_profit_exhausted: bool,
    /// Lots taken pro rata.
    pub pro_rata: Lots,
    /// Score of the last cell that was reduced by rank (units of 2^-20); 0 when none was.
    pub last_score: u64,
}

/// What one cell lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellReceipt {
    /// The cell.
    pub cell: u32,
    /// Its life.
    pub generation: u32,
    /// Bucket of its entries (see [`crate::grid::row_bounds`]).
    pub row: u16,
    /// Column of its distances (see [`crate::grid::column_bounds`]).
    pub column: u16,
    /// Lots taken.
    pub lots: Lots,
    /// Lots before.
    pub before: Lots,
    /// Score by which it was chosen (units of 2^-20); 0 when chosen pro rata.
    pub score: u64,
}

/// One deleveraging under way.
struct Run<'r, R: FnMut(&CellReceipt)> {
    side: Side,
    price: Price,
    mark: Price,
    funding: i64,
    /// Lots asked for.
    asked: u64,
    /// Lots still to be taken.
    missing: u64,
    /// Cells that may still be visited.
    budget: u32,
    done: Deleveraged,
    on_cell: &'r mut R,
}

impl Index<'_> {
    /// Reduces `side` by `lots` at `price`, by rank at `mark`, visiting at most `max_cells` cells. Calls `on_cell` for each
    /// that is reduced, in order. Every cell receives (longs) or pays (shorts) exactly lots × price.
    ///
    /// Where the budget of cells ends first, fewer lots are taken and `in_profit_exhausted` says how far the ranking got;
    /// calling again continues. A pro-rata pass that is interrupted continues where it stopped: its fraction is what
    /// is missing at each call over what is still unvisited, so it is even when the caller asks for what is left, and
    /// otherwise each call is even in itself.
    ///
    /// # Errors
    /// `Argument` for a price out of range, `Overflow` when a cell's cash exceeds 102 bits of atoms, `Corrupt`.
    #[allow(clippy::too_many_arguments)] // The six numbers of one decision; the seventh reports it.
    pub fn deleverage(
        &mut self,
        side: Side,
        lots: Lots,
        price: Price,
        mark: Price,
        funding: i64,
        max_cells: u32,
        mut on_cell: impl FnMut(&CellReceipt),
    ) -> Result<Deleveraged, Error> {
        check_price(price)?;
        check_price(mark)?;
        check_funding(funding)?;
        let mut run = Run {
            side,
            price,
            mark,
            funding,
            asked: lots.0,
            missing: lots.0,
            budget: max_cells,
            done: Deleveraged::default(),
            on_cell: &mut on_cell,
        };
        self.take_dust(&mut run)?;
        if run.missing != 0 && run.budget != 0 {
            run.done.in_profit_exhausted = ranked::reduce(self.fixed, self.cells, &mut run)? && run.missing != 0;
        }
        if run.done.in_profit_exhausted {
            pro_rata::reduce(self.fixed, self.cells, &mut run)?;
        }
        let taken = lots.0.wrapping_sub(run.missing);
        let book = &mut self.fixed.sides[side.index()];
        book.open_interest = book.open_interest.checked_sub(taken).ok_or(Error::Corrupt)?;
        run.done.lots = Lots(taken);
        let done = run.done;
        dust::cancel(&mut self.fixed.sides, funding)?;
        Ok(done)
    }

    /// Deleverages the dust of the side.
    fn take_dust<R: FnMut(&CellReceipt)>(&mut self, run: &mut Run<'_, R>) -> Result<(), Error> {
        let book = &mut self.fixed.sides[run.side.index()];
        let lots = run.missing.min(book.dust.lots);
        if lots != 0 {
            book.dust.deleverage(run.side, lots, run.price, run.funding)?;
            run.missing = run.missing.wrapping_sub(lots);
            run.done.dust = Lots(lots);
        }
        Ok(())
    }
}

impl<R: FnMut(&CellReceipt)> Run<'_, R> {
    /// Reports a cell, and counts what it lost.
    #[inline(always)]
    fn report(&mut self, cell: &Cell, id: u32, bucket: u16, lots: u64, score: u64) {
        self.missing = self.missing.wrapping_sub(lots);
        self.done.cells = self.done.cells.wrapping_add(1);
        (self.on_cell)(&CellReceipt {
            cell: id,
            generation: cell.generation,
            row: bucket,
            column: u16::from(cell.column),
            lots: Lots(lots),
            before: Lots(cell.total),
            score,
        });
    }
}

/// Takes part of a live cell, in place. When nothing is left of its scale, no member has a lot left: what rounding kept of the
/// total becomes dust, and the answer is that the cell must leave the grid.
fn take_part(dust: &mut DustBook, cell: &mut Cell, lots: u64, price: Price, funding: i64) -> Result<bool, Error> {
    cell.reduce(lots, price, funding)?;
    if cell.scale != 0 {
        return Ok(false);
    }
    let side = cell.side();
    let value = relative(side, cell.total, funding);
    cell.cash.add(-value)?;
    dust.cash.add(value)?;
    dust.lots = dust.lots.checked_add(cell.total).ok_or(Error::Overflow)?;
    cell.total = 0;
    Ok(true)
}
