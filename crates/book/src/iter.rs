//! Iterators over a book: a side's orders and levels, a seat's orders, all seats. For readers off chain.

use ballast_units::{Price, Side};

use crate::order::{RestingOrder, order};
use crate::seat::{Seat, seat};
use crate::{BookError, BookView, walk};

/// All orders of one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// Σ lots, expired orders included.
    pub lots: u128,
    /// How many orders.
    pub orders: u32,
}

impl<'a> BookView<'a> {
    /// A side's orders, best first.
    pub fn orders(&self, side: Side) -> Orders<'a> {
        let root = &self.header.roots[side.index()];
        Orders { view: *self, at: root.first, left: root.count.min(self.capacity()) }
    }

    /// A side's prices with the orders of each summed, best first.
    pub fn levels(&self, side: Side) -> Levels<'a> {
        Levels { orders: self.orders(side), pending: None }
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

/// Iterator of [`BookView::levels`].
#[derive(Clone, Debug)]
pub struct Levels<'a> {
    orders: Orders<'a>,
    pending: Option<RestingOrder>,
}

impl Iterator for Levels<'_> {
    type Item = Level;

    fn next(&mut self) -> Option<Level> {
        let first = self.pending.take().or_else(|| self.orders.next())?;
        let mut level = Level { price: first.price, lots: u128::from(first.lots.0), orders: 1 };
        for order in self.orders.by_ref() {
            if order.price != level.price {
                self.pending = Some(order);
                break;
            }
            level.lots += u128::from(order.lots.0);
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
