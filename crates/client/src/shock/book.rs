//! One side of a book as a shock finds it: its levels, moved with the shock, and how far they have been taken.

use ballast_book::{BookView, MatchTerms};
use ballast_units::{Lots, MAX_PRICE, Price, Side, wide};

/// What forced trades can meet on one side, best first.
pub(super) struct Depth {
    side: Side,
    levels: Vec<(Price, Lots)>,
    /// The first level that has anything left.
    at: usize,
    /// The worst price that was reached.
    pub worst: Option<Price>,
}

/// What a forced trade got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Got {
    pub lots: Lots,
    /// Σ price × lots, in atoms.
    pub quote: u64,
}

impl Depth {
    /// The orders of a side, each as far from the `shocked` mark as it is from `mark` now: rounded away from whoever takes
    /// it. The band does not matter, as it moves with the mark.
    pub fn new(book: &BookView, side: Side, terms: MatchTerms, mark: Price, shocked: Price) -> Depth {
        let everywhere = MatchTerms { bids: (Price(1), Price(MAX_PRICE)), asks: (Price(1), Price(MAX_PRICE)), ..terms };
        let moved = |price: Price| {
            let moved = match side {
                Side::Long => wide::mul_div_floor_u64(price.0, shocked.0, mark.0.max(1)),
                Side::Short => wide::mul_div_ceil_u64(price.0, shocked.0, mark.0.max(1)),
            };
            Price(moved.unwrap_or(MAX_PRICE).clamp(1, MAX_PRICE))
        };
        let lots = |lots: u128| Lots(u64::try_from(lots).unwrap_or(u64::MAX));
        let levels = book.levels(side, everywhere).map(|level| (moved(level.price), lots(level.lots))).collect();
        Depth { side, levels, at: 0, worst: None }
    }

    /// Takes up to `wanted` lots no worse than `limit`.
    pub fn take(&mut self, wanted: Lots, limit: Price) -> Got {
        let mut got = Got::default();
        while let Some((price, lots)) = self.levels.get_mut(self.at) {
            let acceptable = match self.side {
                Side::Long => *price >= limit,
                Side::Short => *price <= limit,
            };
            let part = lots.0.min(wanted.0 - got.lots.0);
            if !acceptable || part == 0 {
                break;
            }
            let value = wide::mul(part, price.0).and_then(|value| got.quote.checked_add(value));
            let Some(quote) = value else { break };
            (got.lots.0, got.quote) = (got.lots.0 + part, quote);
            self.worst = Some(*price);
            lots.0 -= part;
            if lots.0 == 0 {
                self.at += 1;
            }
        }
        got
    }
}
