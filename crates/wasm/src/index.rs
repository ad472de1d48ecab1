//! The ranking index: its cells in the order in which they would be deleveraged, and what that would do to a position.

use std::collections::HashMap;

use ballast_client::accounts::Slab;
use ballast_rank::{CellReceipt, Index, grid};
use ballast_units::{Lots, Price, Side};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;
use tsify::Tsify;

use crate::{
    desk::{Desk, open},
    error::Problem,
};

/// One side of a ranking index at the mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct IndexInfo {
    /// Lots of the side.
    pub total: u64,
    /// Lots in cells in profit.
    pub in_profit: u64,
    /// Lots that belong to no position: what rounding left.
    pub dust: u64,
    /// Cells, those in profit first and in the order of deleveraging, then the others.
    pub cells: Vec<CellInfo>,
}

/// One cell: positions of about one entry price and one distance to bankruptcy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct CellInfo {
    /// Its row.
    pub row: u16,
    /// Its column.
    pub column: u16,
    /// Lowest entry price of the row.
    pub entry_low: u64,
    /// Highest entry price of the row.
    pub entry_high: u64,
    /// The bankruptcy price that the column's middle stands for at the row's middle.
    pub bankruptcy: i64,
    /// Lots of its members.
    pub lots: u64,
    /// Members.
    pub members: u32,
    /// Its score in units of 2^-20; 0 when not in profit.
    pub score: u64,
}

/// What a deleveraging would do to a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct DeleverageEffect {
    /// Lots of the side that would be taken.
    pub taken: u64,
    /// Cells that would be reduced.
    pub cells: u32,
    /// Whether the cells in profit would not be enough.
    pub in_profit_exhausted: bool,
    /// The position's lots before.
    pub before: u64,
    /// The position's lots after.
    pub after: u64,
    /// What it would receive (negative: pay) for the difference.
    pub proceeds: i64,
}

fn failed(error: ballast_rank::Error) -> Problem {
    Problem::local("Ranks", error.to_string())
}

impl Desk {
    pub(crate) fn index(&self, market: u16, longs: bool) -> Result<IndexInfo, Problem> {
        let view = self.view()?;
        let open = open(&view, market)?;
        let funding = open.market.funding_index();
        let side = if longs { Side::Long } else { Side::Short };
        let queue = self.queue(market, side)?;
        let place_of: HashMap<(u32, u32), usize> =
            queue.iter().enumerate().map(|(at, receipt)| ((receipt.cell, receipt.generation), at)).collect();
        let origins: HashMap<u16, i64> = open.ranks.rows(side).map(|row| (row.bucket, row.origin)).collect();
        let mut in_profit = 0;
        let mut cells: Vec<(usize, CellInfo)> = Vec::new();
        for cell in open.ranks.cells(side, funding).filter(|cell| !cell.retired) {
            let entry = grid::row_bounds(cell.row);
            let origin = origins.get(&cell.row).copied().unwrap_or(0);
            let shift = grid::funding_shift(funding, entry.middle).wrapping_sub(origin);
            let place = place_of.get(&(cell.id, cell.generation)).copied();
            if place.is_some() {
                in_profit += cell.total.0;
            }
            let info = CellInfo {
                row: cell.row,
                column: cell.column,
                entry_low: entry.low,
                entry_high: entry.high,
                bankruptcy: bankruptcy(side, entry.middle, grid::column_middle(usize::from(cell.column)), shift),
                lots: cell.total.0,
                members: cell.members,
                score: place.map_or(0, |at| queue[at].score),
            };
            cells.push((place.unwrap_or(usize::MAX), info));
        }
        cells.sort_by_key(|(place, _)| *place);
        Ok(IndexInfo {
            total: open.ranks.open_interest(side).0,
            in_profit,
            dust: open.ranks.dust(side, funding).lots.0,
            cells: cells.into_iter().map(|(_, info)| info).collect(),
        })
    }

    /// The cells in profit at the mark, in the order of deleveraging: by really deleveraging all of the side on a copy.
    fn queue(&self, market: u16, side: Side) -> Result<Vec<CellReceipt>, Problem> {
        let view = self.view()?;
        let open = open(&view, market)?;
        let (mark, funding) = (open.market.mark(), open.market.funding_index());
        let mut receipts = Vec::new();
        if mark.0 == 0 {
            return Ok(receipts);
        }
        let mut copy = open.entry.ranks.clone();
        let lots = open.ranks.open_interest(side);
        let mut index = index_of(&mut copy)?;
        let noted = |receipt: &CellReceipt| {
            if receipt.score != 0 {
                receipts.push(*receipt);
            }
        };
        index.deleverage(side, lots, mark, mark, funding, u32::MAX, noted).map_err(failed)?;
        Ok(receipts)
    }

    pub(crate) fn deleverage_effect(
        &self,
        key: &Pubkey,
        market: u16,
        lots: u64,
        price: u64,
    ) -> Result<DeleverageEffect, Problem> {
        let view = self.view()?;
        let open = open(&view, market)?;
        let margin = self.margin(key)?;
        let nothing = || Problem::local("Missing", "the account has no position there that is in the ranking index");
        let slot = margin.slot_index(market).map(|at| margin.slots[at]).ok_or_else(nothing)?;
        let side = slot.position().side().filter(|_| slot.is_member()).ok_or_else(nothing)?;
        let (mark, funding) = (open.market.mark(), open.market.funding_index());
        let before = open.ranks.peek(side, slot.membership(), funding, mark).map_err(failed)?;
        let mut copy = open.entry.ranks.clone();
        let mut index = index_of(&mut copy)?;
        let done = index.deleverage(side, Lots(lots), Price(price), mark, funding, u32::MAX, |_| {}).map_err(failed)?;
        let after = index.peek(side, slot.membership(), funding, mark).map_err(failed)?;
        Ok(DeleverageEffect {
            taken: done.lots.0,
            cells: done.cells,
            in_profit_exhausted: done.in_profit_exhausted,
            before: before.lots.0,
            after: after.lots.0,
            proceeds: after.proceeds.0.saturating_sub(before.proceeds.0),
        })
    }
}

fn index_of(slab: &mut Slab) -> Result<Index<'_>, Problem> {
    let contents = ballast::state::slab_bytes_mut(slab.data_mut(), ballast::state::RANKS_MAGIC)?;
    Index::load(contents).map_err(failed)
}

/// The price at a distance (a ratio to the entry, units of 2^-20, at the row's origin of funding) from an entry price.
fn bankruptcy(side: Side, entry: u64, distance: i64, shift: i64) -> i64 {
    let ratio = i128::from(distance) - i128::from(side.sign()) * i128::from(shift);
    let away = (i128::from(entry) * ratio) >> grid::RATIO_BITS;
    let price = i128::from(entry) - i128::from(side.sign()) * away;
    i64::try_from(price).unwrap_or(i64::MAX)
}
