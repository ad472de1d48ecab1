//! How much is deleveraged before a position: for the five lights.

use crate::{
    Error, bits,
    grid::ROWS,
    index::IndexView,
    layout::{Row, at},
    membership::Membership,
    pool, score,
};
use ballast_units::{Lots, Price, Side};

/// A position's rank among its side's open interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Score of the position's cell (units of 2^-20); 0 when not in profit, or taken whole already.
    pub score: u64,
    /// Lots in cells that are deleveraged before: higher scores, and equal ones in an earlier place.
    pub lots_ahead: Lots,
    /// Lots in the same cell, the position's included: they shrink together.
    pub lots_same_cell: Lots,
    /// Lots in cells in profit.
    pub total_in_profit: Lots,
    /// Lots of the side, dust included.
    pub total: Lots,
}

impl Ahead {
    /// Lights, 1 to 5, by fifths of the open interest in profit from the least urgent: 5 lights are the first fifth to be deleveraged. 0
    /// when not in profit.
    pub fn lights(&self) -> u8 {
        if self.score == 0 || self.total_in_profit.is_zero() {
            return 0;
        }
        let fifth = u128::from(self.lots_ahead.0) * 5 / u128::from(self.total_in_profit.0);
        5 - fifth.min(4) as u8
    }
}

impl IndexView<'_> {
    /// What stands before a member at a mark (which is taken as the execution price, too). Looks at every occupied
    /// coordinate: for clients.
    pub fn ahead(&self, side: Side, member: &Membership, mark: Price, funding: i64) -> Result<Ahead, Error> {
        let cell = pool::get(self.cells, member.cell)?;
        if member.generation != cell.generation || cell.members == 0 || cell.side() != side {
            return Err(Error::NotAMember);
        }
        let mut ahead = Ahead { total: self.open_interest(side), ..Ahead::default() };
        if cell.is_live() {
            ahead.lots_same_cell = Lots(cell.total);
        }
        let book = &self.fixed.sides[side.index()];
        let own_row = cell.row();
        if cell.is_live() {
            ahead.score = row_score(&book.rows[own_row], side, usize::from(cell.column), mark, funding).unwrap_or(0);
        }
        // Dust goes first.
        ahead.lots_ahead = Lots(book.dust.lots);
        for row in bits::each(book.rows_occupied) {
            for column in bits::each([book.rows[row % ROWS].occupied]) {
                let Some(score) = row_score(&book.rows[row % ROWS], side, column, mark, funding) else { break };
                let own_place = row == own_row && column == usize::from(cell.column);
                // Of equal scores, the higher row goes first.
                let before = score > ahead.score || (score == ahead.score && row > own_row);
                let mut own_seen = false;
                let mut id = u32::from(book.table[at(row, column)]);
                let mut steps = self.cells.len();
                while id != 0 {
                    steps = steps.checked_sub(1).ok_or(Error::Corrupt)?;
                    let other = pool::get(self.cells, id)?;
                    own_seen |= id == member.cell;
                    ahead.total_in_profit = ahead.total_in_profit.add(Lots(other.total))?;
                    if ahead.score != 0 && (if own_place { !own_seen } else { before }) {
                        ahead.lots_ahead = ahead.lots_ahead.add(Lots(other.total))?;
                    }
                    id = u32::from(other.next);
                }
            }
        }
        if ahead.score == 0 {
            // Only after everything in profit.
            ahead.lots_ahead = ahead.lots_ahead.add(ahead.total_in_profit)?;
        }
        Ok(ahead)
    }
}

/// The score of a column of a row, or `None` when the row is not in profit.
fn row_score(row: &Row, side: Side, column: usize, mark: Price, funding: i64) -> Option<u64> {
    score::of_cell(side, row.bucket, column, mark, row.funding_since(funding))
}
