//! Reading the book: best and worst prices, what a new order would meet, and impact prices.

use ballast_units::{Lots, Price, Side};

use crate::cancel::{find, keys_within};
use crate::matching::first_from;
use crate::order::{Order, OrderId, RestingOrder, key_of, order};
use crate::tree::node;
use crate::{Book, BookError, BookView, Pending, walk};

/// Expired orders that [`BookView::best_inside`] looks past.
const MAX_EXPIRED: u32 = 16;
/// Orders that [`BookView::impact_price`] looks at; lots beyond are taken at the last one's price.
const MAX_IMPACT_ORDERS: u32 = 64;

impl<'a> BookView<'a> {
    /// Orders resting on a side, expired ones included.
    pub fn order_count(&self, side: Side) -> u32 {
        self.header.roots[side.index()].count
    }

    /// Price levels on a side.
    pub fn level_count(&self, side: Side) -> u32 {
        self.header.roots[side.index()].levels
    }

    /// Open seats.
    pub fn seat_count(&self) -> u32 {
        self.header.seats
    }

    /// Blocks that the slab has, used or not.
    pub fn capacity(&self) -> u32 {
        let blocks = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        blocks.saturating_sub(1).min(crate::MAX_BLOCKS)
    }

    /// Blocks that new orders and seats can have.
    pub fn free_blocks(&self) -> u32 {
        self.capacity().saturating_sub(self.header.used).saturating_add(self.header.free_count)
    }

    /// Σ over seats of the pending base, in lots.
    pub fn pending_base_total(&self) -> i64 {
        self.header.pending_base
    }

    /// What funding has brought (negative: cost) all fills that wait in seats at a funding index, exact, in 2^-24 atoms.
    ///
    /// # Errors
    /// `Overflow`, which takes sums that no fills make.
    pub fn pending_funding_at(&self, index: i64) -> Result<i128, BookError> {
        let (base, funding) = (self.header.pending_base, self.header.pending_funding.get());
        Pending { base, funding, ..Pending::default() }.funding_at(index)
    }

    /// Price and remaining lots of the first order of a side, whether or not it is expired or outside a band.
    pub fn best(&self, side: Side) -> Option<(Price, Lots)> {
        let order = order(self.blocks, self.header.roots[side.index()].first).ok()?;
        Some((Price(order.price()), Lots(order.lots)))
    }

    /// The last order of a side: the newest of the worst price.
    pub fn worst(&self, side: Side) -> Option<RestingOrder> {
        let head = walk::last_level(self.blocks, &self.header.roots[side.index()]).ok()?;
        let last = node(self.blocks, head).ok()?.prev;
        Some(order(self.blocks, last).ok()?.resting())
    }

    /// The order of this id, if it still rests.
    ///
    /// # Errors
    /// `OrderNotFound`.
    pub fn order(&self, id: OrderId) -> Result<RestingOrder, BookError> {
        find(self.blocks, id).map(|(_, order)| order.resting())
    }

    /// Price and remaining lots of a side's first order inside the band that is not expired at `now`. Looks past at most
    /// 16 expired orders: the next counts as if it were not, until somebody [`clean`](Book::clean)s.
    pub fn best_inside(&self, side: Side, band: (Price, Price), now: i64) -> Option<(Price, Lots)> {
        let order = self.first_live(side, band, now).ok()??;
        Some((Price(order.price()), Lots(order.lots)))
    }

    /// Whether a new order of that side and price would trade at `now` with what [`best_inside`](BookView::best_inside)
    /// gives for the other side. Own orders count. A corrupt book says yes.
    pub fn would_match(&self, side: Side, price: Price, band: (Price, Price), now: i64) -> bool {
        let makers = side.opposite();
        match self.first_live(makers, band, now) {
            Ok(Some(order)) => order.node.key <= key_of(makers, price.0),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    #[inline]
    fn first_live(&self, side: Side, band: (Price, Price), now: i64) -> Result<Option<&'a Order>, BookError> {
        let (start, end) = keys_within(side, band);
        let mut at = first_from(self.blocks, &self.header.roots[side.index()], start)?;
        let mut expired = 0;
        while at != 0 {
            let order = order(self.blocks, at)?;
            if order.node.key > end {
                break;
            }
            if !order.expired(now) || expired == MAX_EXPIRED {
                return Ok(Some(order));
            }
            expired += 1;
            at = walk::next(self.blocks, at)?;
        }
        Ok(None)
    }

    /// Average price, in atoms per lot, of trading `quote` atoms' worth as a taker of that side inside the band, rounded
    /// against the taker (up to buy, down to sell); `None` if the book does not hold that much. At most 64 orders are
    /// looked at: whatever they do not cover is taken at the last one's price.
    pub fn impact_price(&self, side: Side, quote: u64, band: (Price, Price), now: i64) -> Option<Price> {
        self.average_price(side, quote, band, now, false)
    }

    /// As [`impact_price`](Self::impact_price), but `None` also where 64 orders do not cover the notional: orders of next
    /// to nothing are no depth.
    pub fn depth_price(&self, side: Side, quote: u64, band: (Price, Price), now: i64) -> Option<Price> {
        self.average_price(side, quote, band, now, true)
    }

    fn average_price(&self, side: Side, quote: u64, band: (Price, Price), now: i64, covered: bool) -> Option<Price> {
        let makers = side.opposite();
        let (start, end) = keys_within(makers, band);
        let mut at = first_from(self.blocks, &self.header.roots[makers.index()], start).ok()?;
        let (mut left, mut lots) = (quote, 0u64);
        for seen in 1..=MAX_IMPACT_ORDERS {
            let order = order(self.blocks, at).ok()?;
            if order.node.key > end {
                return None;
            }
            if !order.expired(now) {
                let price = order.price();
                // Checked when it came to rest.
                let value = order.lots.wrapping_mul(price);
                if value >= left || (seen == MAX_IMPACT_ORDERS && !covered) {
                    return average(side, quote, lots, left, price);
                }
                left -= value;
                lots = lots.checked_add(order.lots)?;
            }
            at = walk::next(self.blocks, at).ok()?;
        }
        None
    }
}

impl Book<'_> {
    /// As [`BookView::best`].
    pub fn best(&self, side: Side) -> Option<(Price, Lots)> {
        self.view().best(side)
    }

    /// As [`BookView::best_inside`].
    pub fn best_inside(&self, side: Side, band: (Price, Price), now: i64) -> Option<(Price, Lots)> {
        self.view().best_inside(side, band, now)
    }

    /// As [`BookView::would_match`].
    pub fn would_match(&self, side: Side, price: Price, band: (Price, Price), now: i64) -> bool {
        self.view().would_match(side, price, band, now)
    }

    /// As [`BookView::impact_price`].
    pub fn impact_price(&self, side: Side, quote: u64, band: (Price, Price), now: i64) -> Option<Price> {
        self.view().impact_price(side, quote, band, now)
    }

    /// As [`BookView::order_count`].
    pub fn order_count(&self, side: Side) -> u32 {
        self.view().order_count(side)
    }

    /// As [`BookView::free_blocks`].
    pub fn free_blocks(&self) -> u32 {
        self.view().free_blocks()
    }

    /// As [`BookView::pending_base_total`].
    pub fn pending_base_total(&self) -> i64 {
        self.header.pending_base
    }
}

/// quote ÷ (lots + left ÷ price): what was bought whole, and the last order in part.
fn average(side: Side, quote: u64, lots: u64, left: u64, price: u64) -> Option<Price> {
    let value_at_last = u128::from(lots) * u128::from(price) + u128::from(left);
    if value_at_last == 0 {
        return None;
    }
    let product = u128::from(quote) * u128::from(price);
    let rounded_up = match side {
        Side::Long => value_at_last - 1,
        Side::Short => 0,
    };
    let average = product.checked_add(rounded_up)? / value_at_last;
    u64::try_from(average).ok().map(Price)
}
