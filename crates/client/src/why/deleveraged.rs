//! A deleveraging: the price, and the cells in their order.

use ballast::{
    events::Deleveraged,
    logic::{as_limit, deleverage_price, loss_per_lot},
    state::Market,
};
use ballast_rank::{grid::row_bounds, score};
use ballast_risk::{RiskError, liquidation, margin};
use ballast_units::{Position, Price, Side};

use super::{Line, Verdict, What, account, at_most, same, same_alone, signed};
use crate::{events, view::ViewError};

/// A cell that was reduced, with its score computed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its row.
    pub row: u16,
    /// Its column.
    pub column: u8,
    /// Lowest entry price of the row.
    pub entry_low: u64,
    /// Highest entry price of the row.
    pub entry_high: u64,
    /// Its score at the mark in units of 2^-20; zero when it was not in profit at the price, and so taken pro rata. `None` when
    /// the event does not say how far funding had moved in its row.
    pub score: Option<u64>,
    /// Lots that were taken before it.
    pub ahead: u64,
    /// Lots taken from it.
    pub lots: u64,
    /// What part of it was taken, in millionths; `None` where the event does not say.
    pub taken_ppm: Option<u32>,
}

/// The side that was reduced.
fn reduced_side(event: &Deleveraged) -> Side {
    if event.longs_reduced { Side::Long } else { Side::Short }
}

/// The cells of a deleveraging, in their order, with scores computed anew.
pub fn cells_of(event: &Deleveraged) -> Vec<Cell> {
    let side = reduced_side(event);
    let taken: u64 = events::cells(event).map(|cell| cell.lots).sum();
    // What was taken beside them belonged to nobody, and went first.
    let mut ahead = event.lots.saturating_sub(taken);
    let mut found = Vec::new();
    for cell in events::cells(event) {
        let bounds = row_bounds(cell.row);
        let at_price = match side {
            Side::Long => bounds.high <= event.price,
            Side::Short => bounds.low >= event.price,
        };
        let of_cell =
            |since| score::of_cell(side, cell.row, usize::from(cell.column), Price(event.mark), since).unwrap_or(0);
        let score = if at_price { cell.funding_since.map(of_cell) } else { Some(0) };
        found.push(Cell {
            row: cell.row,
            column: cell.column,
            entry_low: bounds.low,
            entry_high: bounds.high,
            score,
            ahead,
            lots: cell.lots,
            taken_ppm: score.is_some_and(|score| score > 0).then_some(1_000_000),
        });
        ahead = ahead.saturating_add(cell.lots);
    }
    if let Some(last) = found.last_mut() {
        let part = u128::from(last.lots) * 1_000_000 / u128::from(event.last_cell_before.max(1));
        last.taken_ppm = u32::try_from(part).ok();
    }
    found
}

pub(super) fn lines(event: &Deleveraged, cells: &[Cell], market: &Market, alone: bool) -> Result<Vec<Line>, ViewError> {
    let position = Position(event.position);
    let mark = Price(event.assessed_mark);
    let notional = position.value(mark).map_err(RiskError::from)?.0.unsigned_abs();
    let own = margin::maintenance(notional, market.params.tiers())?;
    let whole = account(event.equity, event.maintenance);
    let bankruptcy = liquidation::bankruptcy_price(position, mark, event.position_maintenance, &whole)?;
    let per_lot = event.insurance_drawn / event.lots.max(1);
    let price = deleverage_price(reduced_side(event).opposite(), as_limit(bankruptcy), per_lot);
    // The same for each lot, and never more than closing at the bankruptcy price costs at the mark; less, when there is less.
    let most = loss_per_lot(reduced_side(event).opposite(), as_limit(bankruptcy), mark).saturating_mul(event.lots);
    let mut insurance = at_most(What::InsuranceDrawn, signed(event.insurance_drawn), signed(most));
    if per_lot.saturating_mul(event.lots) != event.insurance_drawn {
        insurance.verdict = Verdict::Differs;
    }
    let taken: u64 = cells.iter().map(|cell| cell.lots).sum();
    let mut lines = vec![
        same(What::PositionMaintenance, signed(event.position_maintenance), signed(own)),
        same_alone(What::Maintenance, signed(event.maintenance), signed(own), alone),
        same(What::BankruptcyPrice, event.bankruptcy_price, bankruptcy),
        insurance,
        same(What::Price, signed(event.price), signed(price.0)),
        at_most(What::CellLots, signed(taken), signed(event.lots)),
    ];
    let ranked: Vec<_> = cells.iter().filter_map(|cell| cell.score).filter(|score| *score > 0).collect();
    let out_of_order = ranked.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let mut order = same(What::OutOfOrder, 0, i64::try_from(out_of_order).unwrap_or(i64::MAX));
    let all_known = cells.iter().all(|cell| cell.score.is_some());
    if !all_known && order.verdict == Verdict::Same {
        order.verdict = Verdict::Unknown;
    }
    lines.push(order);
    if all_known {
        let last = ranked.last().copied().unwrap_or(0);
        lines.push(same(What::LastScore, signed(event.last_score), signed(last)));
    }
    Ok(lines)
}
