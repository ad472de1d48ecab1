//! Iterators over a book: a side's orders and levels, a seat's orders, all seats. For readers off chain.

use ballast_units::{Price, Side};

use crate::cancel::{find, useless};
use crate::front::{Front, keys_within};
use crate::order::{RestingOrder, key_of, order, tree_of};
use crate::seat::{Seat, seat};
use crate::{BookError, BookView, MatchTerms, walk};

/// An order and the price at which it stands at a moment: its own, or where its peg puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The order.
    pub order: RestingOrder,
    /// The price at which it would trade.
    pub price: Price,
}

/// All orders of one price that can trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// Σ lots.
    pub lots: u128,
    /// How many orders.
    pub orders: u32,
}

impl<'a> BookView<'a> {
    /// A side's orders with a price of their own, best first, whether or not they can trade.
    pub fn orders(&self, side: Side) -> Orders<'a> {
        self.tree(tree_of(side, false))
    }

    /// A side's pegged orders, by offset, best first, whether or not they can trade.
    pub fn pegs(&self, side: Side) -> Orders<'a> {
        self.tree(tree_of(side, true))
    }

    fn tree(&self, number: usize) -> Orders<'a> {
        let root = &self.header.roots[number];
        Orders { view: *self, at: root.first, left: root.count.min(self.capacity()) }
    }

    /// The orders of a side that can trade, pegged ones included, in the order in which takers meet them.
    pub fn standing(&self, side: Side, terms: MatchTerms) -> StandingOrders<'a> {
        let front = Front::new(self.header, self.blocks, side, &terms).ok();
        let left = self.order_count(side).min(self.capacity());
        StandingOrders { view: *self, side, terms, front, left }
    }

    /// The prices of a side at which orders can trade, pegged ones included, with those of each summed, best first.
    pub fn levels(&self, side: Side, terms: MatchTerms) -> Levels<'a> {
        Levels { orders: self.standing(side, terms), pending: None }
    }

    /// The orders of a side that [`clean`](crate::Book::clean) would remove, in that order.
    pub fn useless(&self, side: Side, terms: MatchTerms) -> impl Iterator<Item = RestingOrder> + use<'a> {
        let view = *self;
        let is_useless = move |order: &RestingOrder| {
            let found = find(view.blocks, order.id);
            found.is_ok_and(|(_, order)| useless(order, &terms).is_some())
        };
        [false, true].into_iter().flat_map(move |pegged| view.tree(tree_of(side, pegged)).take_while(is_useless))
    }

    /// A seat's orders, newest first.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn seat_orders(&self, id: u32) -> Result<SeatOrders<'a>, BookError> {
        let seat = self.seat_by_id(id)?;
        Ok(SeatOrders { view: *self, at: seat.newest, left: u32::from(seat.orders).min(self.capacity()) })
    }

    /// All seats with their ids. Looks at every block.
    pub fn seats(&self) -> Seats<'a> {
        Seats { view: *self, at: 0 }
    }
}

/// Iterator of [`BookView::orders`]. Ends early on corrupt links.
#[derive(Clone, Debug)]
pub struct Orders<'a> {
    view: BookView<'a>,
    at: u32,
    left: u32,
}

impl Iterator for Orders<'_> {
    type Item = RestingOrder;

    fn next(&mut self) -> Option<RestingOrder> {
        self.left = self.left.checked_sub(1)?;
        let order = order(self.view.blocks, self.at).ok()?;
        self.at = walk::next(self.view.blocks, self.at).unwrap_or(0);
        Some(order.resting())
    }
}

/// Iterator of [`BookView::standing`]. Ends early on corrupt links.
#[derive(Clone, Debug)]
pub struct StandingOrders<'a> {
    view: BookView<'a>,
    side: Side,
    terms: MatchTerms,
    front: Option<Front>,
    left: u32,
}

impl Iterator for StandingOrders<'_> {
    type Item = Standing;

    fn next(&mut self) -> Option<Standing> {
        let (front, blocks) = (self.front.as_mut()?, self.view.blocks);
        let (_, end) = keys_within(self.side, self.terms.range(self.side));
        loop {
            self.left = self.left.checked_sub(1)?;
            let met = front.met(blocks).ok()?.filter(|met| met.key <= end)?;
            let (order, price) = (order(blocks, met.id).ok()?, key_of(self.side, met.key));
            let passed = front.pass(blocks, &met);
            if !(order.expired(self.terms.now) || order.is_beyond_limit(price)) {
                if passed.is_err() {
                    self.left = 0;
                }
                return Some(Standing { order: order.resting(), price: Price(price) });
            }
            passed.ok()?;
        }
    }
}

/// Iterator of [`BookView::levels`].
#[derive(Clone, Debug)]
pub struct Levels<'a> {
    orders: StandingOrders<'a>,
    pending: Option<Standing>,
}

impl Iterator for Levels<'_> {
    type Item = Level;

    fn next(&mut self) -> Option<Level> {
        let first = self.pending.take().or_else(|| self.orders.next())?;
        let mut level = Level { price: first.price, lots: u128::from(first.order.lots.0), orders: 1 };
        for standing in self.orders.by_ref() {
            if standing.price != level.price {
                self.pending = Some(standing);
                break;
            }
            level.lots += u128::from(standing.order.lots.0);
            level.orders += 1;
        }
        Some(level)
    }
}

/// Iterator of [`BookView::seat_orders`]. Ends early on corrupt links.
#[derive(Clone, Debug)]
pub struct SeatOrders<'a> {
    view: BookView<'a>,
    at: u32,
    left: u32,
}

impl Iterator for SeatOrders<'_> {
    type Item = RestingOrder;

    fn next(&mut self) -> Option<RestingOrder> {
        self.left = self.left.checked_sub(1)?;
        let order = order(self.view.blocks, self.at).ok()?;
        self.at = order.older;
        Some(order.resting())
    }
}

/// Iterator of [`BookView::seats`].
#[derive(Clone, Debug)]
pub struct Seats<'a> {
    view: BookView<'a>,
    at: u32,
}

impl<'a> Iterator for Seats<'a> {
    type Item = (u32, &'a Seat);

    fn next(&mut self) -> Option<(u32, &'a Seat)> {
        while self.at < self.view.header.used.min(self.view.capacity()) {
            self.at += 1;
            if let Ok(seat) = seat(self.view.blocks, self.at) {
                return Some((self.at, seat));
            }
        }
        None
    }
}
