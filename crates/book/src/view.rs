//! Reading the book: best and worst prices, what a new order would meet, and impact prices.

use ballast_units::{Lots, Price, Side};

use crate::cancel::find;
use crate::front::{Front, keys_within};
use crate::order::{Order, OrderId, RestingOrder, key_of, order, tree_of};
use crate::tree::node;
use crate::{Book, BookError, BookView, MatchTerms, Pending, Standing, walk};

/// Orders that cannot trade that [`BookView::best_inside`] looks past.
const MAX_PASSED: u32 = 16;
/// Orders that [`BookView::impact_price`] looks at; lots beyond are taken at the last one's price.
const MAX_IMPACT_ORDERS: u32 = 64;

impl<'a> BookView<'a> {
    /// Orders resting on a side, expired and pegged ones included.
    pub fn order_count(&self, side: Side) -> u32 {
        self.header.roots[tree_of(side, false)].count.saturating_add(self.peg_count(side))
    }

    /// Pegged orders resting on a side.
    pub fn peg_count(&self, side: Side) -> u32 {
        self.header.roots[tree_of(side, true)].count
    }

    /// Price levels on a side, pegged orders apart.
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

    /// Σ over seats of the lots of a side that their fills since the last touch come to, each seat's bought and sold lots set off
    /// against each other: at most so many of the side's open interest are in no position yet.
    pub fn pending_of(&self, side: Side) -> Lots {
        let bought = self.header.pending_bought;
        Lots(match side {
            Side::Long => bought,
            Side::Short => bought.saturating_add_signed(self.header.pending_base.saturating_neg()),
        })
    }

    /// What funding has brought (negative: cost) all fills that wait in seats at a funding index, exact, in 2^-24 atoms.
    ///
    /// # Errors
    /// `Overflow`, which takes sums that no fills make.
    pub fn pending_funding_at(&self, index: i64) -> Result<i128, BookError> {
        let (base, funding) = (self.header.pending_base, self.header.pending_funding.get());
        Pending { base, funding, ..Pending::default() }.funding_at(index)
    }

    /// Price and remaining lots of a side's first order with a price of its own, whether or not it is expired or outside a
    /// band.
    pub fn best(&self, side: Side) -> Option<(Price, Lots)> {
        let order = order(self.blocks, self.header.roots[side.index()].first).ok()?;
        Some((Price(order.limit), Lots(order.lots)))
    }

    /// The last order of a side, the newest of the worst price, and the price at which it stands.
    pub fn worst(&self, side: Side, terms: &MatchTerms) -> Option<Standing> {
        let (at, price) = self.worst_of(side, terms).ok()??;
        Some(Standing { order: order(self.blocks, at).ok()?.resting(), price: Price(price) })
    }

    /// As [`worst`](BookView::worst), its block.
    pub(crate) fn worst_of(&self, side: Side, terms: &MatchTerms) -> Result<Option<(u32, u64)>, BookError> {
        let mut worst: Option<(u64, u64, u32)> = None;
        for pegged in [false, true] {
            let head = walk::last_level(self.blocks, &self.header.roots[tree_of(side, pegged)])?;
            if head != 0 {
                let at = node(self.blocks, head)?.prev;
                let order = order(self.blocks, at)?;
                let last = (key_of(side, order.standing(terms)), order.sequence, at);
                worst = worst.max(Some(last));
            }
        }
        Ok(worst.map(|(key, _, at)| (at, key_of(side, key))))
    }

    /// The order of this id, if it still rests.
    ///
    /// # Errors
    /// `OrderNotFound`.
    pub fn order(&self, id: OrderId) -> Result<RestingOrder, BookError> {
        find(self.blocks, id).map(|(_, order)| order.resting())
    }

    /// Price and remaining lots of a side's first order inside the band that can trade: not expired, not a peg beyond its
    /// limit. Looks past at most 16 that cannot: the next counts as if it could, until somebody [`clean`](Book::clean)s.
    pub fn best_inside(&self, side: Side, terms: &MatchTerms) -> Option<(Price, Lots)> {
        let (order, price) = self.first_live(side, terms).ok()??;
        Some((Price(price), Lots(order.lots)))
    }

    /// Whether a new order of that side and price would trade with what [`best_inside`](BookView::best_inside) gives for the
    /// other side. Own orders count. A corrupt book says yes.
    pub fn would_match(&self, side: Side, price: Price, terms: &MatchTerms) -> bool {
        let makers = side.opposite();
        match self.first_live(makers, terms) {
            Ok(Some((_, standing))) => key_of(makers, standing) <= key_of(makers, price.0),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    #[inline]
    fn first_live(&self, side: Side, terms: &MatchTerms) -> Result<Option<(&'a Order, u64)>, BookError> {
        let (_, end) = keys_within(side, terms.range(side));
        let mut front = Front::new(self.header, self.blocks, side, terms)?;
        let mut passed = 0;
        while let Some(met) = front.met(self.blocks)? {
            if met.key > end {
                break;
            }
            let (order, price) = (order(self.blocks, met.id)?, key_of(side, met.key));
            if !(order.expired(terms.now) || order.is_beyond_limit(price)) || passed == MAX_PASSED {
                return Ok(Some((order, price)));
            }
            passed += 1;
            front.pass(self.blocks, &met)?;
        }
        Ok(None)
    }

    /// Average price, in atoms per lot, of trading `quote` atoms' worth as a taker of that side inside the band, rounded
    /// against the taker (up to buy, down to sell); `None` if the book does not hold that much. At most 64 orders are
    /// looked at: whatever they do not cover is taken at the last one's price.
    pub fn impact_price(&self, side: Side, quote: u64, terms: &MatchTerms) -> Option<Price> {
        let front = Front::new(self.header, self.blocks, side.opposite(), terms).ok()?;
        self.average_price(side, quote, terms, front, false)
    }

    /// As [`impact_price`](Self::impact_price), but of orders with a price of their own, since those that follow the mark say
    /// nothing about it; and `None` also where 64 orders do not cover the notional: orders of next to nothing are no depth.
    pub fn depth_price(&self, side: Side, quote: u64, terms: &MatchTerms) -> Option<Price> {
        let front = Front::new(self.header, self.blocks, side.opposite(), terms).ok()?;
        self.average_price(side, quote, terms, front.without_pegs(), true)
    }

    fn average_price(
        &self,
        side: Side,
        quote: u64,
        terms: &MatchTerms,
        mut front: Front,
        covered: bool,
    ) -> Option<Price> {
        let makers = side.opposite();
        let (_, end) = keys_within(makers, terms.range(makers));
        let (mut left, mut lots) = (quote, 0u64);
        for seen in 1..=MAX_IMPACT_ORDERS {
            let met = front.met(self.blocks).ok()??;
            if met.key > end {
                return None;
            }
            let (order, price) = (order(self.blocks, met.id).ok()?, key_of(makers, met.key));
            if !(order.expired(terms.now) || order.is_beyond_limit(price)) {
                // Checked when it came to rest, or just now.
                let value = order.lots.wrapping_mul(price);
                if value >= left || (seen == MAX_IMPACT_ORDERS && !covered) {
                    return average(side, quote, lots, left, price);
                }
                left -= value;
                lots = lots.checked_add(order.lots)?;
            }
            front.pass(self.blocks, &met).ok()?;
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
    pub fn best_inside(&self, side: Side, terms: &MatchTerms) -> Option<(Price, Lots)> {
        self.view().best_inside(side, terms)
    }

    /// As [`BookView::would_match`].
    pub fn would_match(&self, side: Side, price: Price, terms: &MatchTerms) -> bool {
        self.view().would_match(side, price, terms)
    }

    /// As [`BookView::impact_price`].
    pub fn impact_price(&self, side: Side, quote: u64, terms: &MatchTerms) -> Option<Price> {
        self.view().impact_price(side, quote, terms)
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
