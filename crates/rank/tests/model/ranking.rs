//! The order of deleveraging, found by sorting.

use ballast_rank::{IndexView, grid};
use ballast_units::{Price, Side};
use std::collections::BTreeMap;

/// A cell's place in the order. Cells of one coordinate share their places.
pub struct Place {
    pub score: u64,
    pub row: u16,
    pub column: u16,
    pub cells: Vec<u32>,
}

/// The cells in profit, best score first; of equal scores, the higher row first.
pub fn ranking(view: &IndexView<'_>, side: Side, price: Price, mark: Price, funding: i64) -> Vec<Place> {
    let mut coordinates: BTreeMap<(u16, u16), Vec<u32>> = BTreeMap::new();
    for cell in view.cells(side, funding).filter(|cell| !cell.retired) {
        coordinates.entry((cell.row, cell.column)).or_default().push(cell.id);
    }
    let mut places = Vec::new();
    for ((row, column), cells) in coordinates {
        let origin = view.rows(side).find(|view| view.bucket == row).expect("its row").origin;
        if let Some(score) = score(side, row, column, origin, price, mark, funding) {
            places.extend(cells.iter().map(|_| Place { score, row, column, cells: cells.clone() }));
        }
    }
    places.sort_by_key(|place| core::cmp::Reverse((place.score, usize::from(place.row) % grid::ROWS)));
    places
}

/// A cell's score in 128-bit integers, or `None` when its corner is not in profit.
fn score(side: Side, row: u16, column: u16, origin: i64, price: Price, mark: Price, funding: i64) -> Option<u64> {
    let bounds = grid::row_bounds(row);
    let corner = match side {
        Side::Long => bounds.high,
        Side::Short => bounds.low,
    };
    let sign = i128::from(side.sign());
    let gain = |entry: u64, at: Price| sign * (i128::from(at.0) - i128::from(entry));
    if gain(corner, mark) <= 0 || gain(corner, price) < 0 {
        return None;
    }
    let one = 1i128 << 20;
    let middle = i128::from(bounds.middle);
    let profit = (gain(bounds.middle, mark) * one / middle).min(64 * one);
    let since = (i128::from(funding) >> 4).div_euclid(middle) - i128::from(origin);
    let remaining = (profit + i128::from(grid::column_middle(column.into())) - sign * since).max(1);
    let numerator = profit * (one + sign * profit);
    Some(u64::try_from(numerator / remaining).unwrap().max(1))
}
