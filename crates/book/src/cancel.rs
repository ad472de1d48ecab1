//! How an order leaves other than by a fill: at its maker's wish, by expiry, from outside the band, or evicted.

use ballast_units::{Lots, Price, Side};

use crate::order::{Order, OrderId, key_of, order, order_mut};
use crate::seat::{seat_mut, unlist};
use crate::slab::{Block, Header, index};
use crate::{Book, BookError, slab, tree, walk};

/// Why an order was removed without a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its maker asked.
    Requested,
    /// Its time was over.
    Expired,
    /// A taker of the same owner met it.
    SelfTrade,
    /// It rested beyond the band on the side of the takers, where nothing may match.
    OutOfBand,
    /// It was the worst of its side and the slab was full.
    Evicted,
}

/// An order that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelledOrder {
    /// Its id.
    pub id: OrderId,
    /// Long for a bid, short for an ask.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// What was left of it.
    pub lots: Lots,
    /// The maker's seat.
    pub seat: u32,
    /// The maker's own number for it.
    pub client_id: u64,
    /// Why.
    pub reason: Reason,
}

/// Takes an order out of its tree and its seat's list and frees its block. The seat's sums are the caller's.
#[inline]
pub(crate) fn detach(header: &mut Header, blocks: &mut [Block], id: u32, side: Side) -> Result<(), BookError> {
    let (older, newer, seat) = {
        let order = order(blocks, id)?;
        (order.older, order.newer, order.node.seat)
    };
    unlist(blocks, seat, older, newer)?;
    tree::remove(blocks, &mut header.roots[side.index()], id)?;
    slab::release(header, blocks, id)
}

/// Removes an order and takes what is left of it from its seat's sums.
pub(crate) fn withdraw(
    header: &mut Header,
    blocks: &mut [Block],
    id: u32,
    reason: Reason,
) -> Result<CancelledOrder, BookError> {
    let order: &Order = order(blocks, id)?;
    let (side, price, lots) = (order.side(), order.price(), order.lots);
    let cancelled = CancelledOrder {
        id: order.id(),
        side,
        price: Price(price),
        lots: Lots(lots),
        seat: order.node.seat,
        client_id: order.client_id,
        reason,
    };
    // Exact: checked when it came to rest.
    seat_mut(blocks, cancelled.seat)?.unreserve(side, lots, lots.wrapping_mul(price))?;
    detach(header, blocks, id, side)?;
    Ok(cancelled)
}

/// The block of the order of this id.
pub(crate) fn find(blocks: &[Block], id: OrderId) -> Result<(u32, &Order), BookError> {
    let at = id.block();
    let order = match blocks.get(index(at)) {
        Some(block) if block.node.kind == slab::ORDER => bytemuck::cast_ref::<Block, Order>(block),
        _ => return Err(BookError::OrderNotFound),
    };
    let price = u64::try_from(id.0 >> 64).map_err(|_| BookError::OrderNotFound)?;
    let same =
        order.sequence == id.sequence() && order.node.key == key_of(id.side(), price) && order.side() == id.side();
    if same { Ok((at, order)) } else { Err(BookError::OrderNotFound) }
}

impl Book<'_> {
    /// A seat's newest order and the number of its orders, which no corrupt count makes more than there are blocks.
    fn list_of(&self, id: u32) -> Result<(u32, u32), BookError> {
        let seat = self.view().seat_by_id(id)?;
        Ok((seat.newest, u32::from(seat.orders).min(self.header.used)))
    }

    fn withdraw(&mut self, id: u32, reason: Reason) -> Result<CancelledOrder, BookError> {
        withdraw(self.header, self.blocks, id, reason)
    }

    /// Cancels one order of a seat.
    ///
    /// # Errors
    /// `OrderNotFound` if it no longer rests or is another seat's.
    pub fn cancel(&mut self, id: OrderId, seat: u32) -> Result<CancelledOrder, BookError> {
        let (at, order) = find(self.blocks, id)?;
        if order.node.seat != seat {
            return Err(BookError::OrderNotFound);
        }
        self.withdraw(at, Reason::Requested)
    }

    /// Cancels the newest order of a seat that has this client id. Looks through the seat's orders one by one.
    ///
    /// # Errors
    /// `OrderNotFound` if none has; `SeatNotFound`.
    pub fn cancel_by_client_id(&mut self, seat: u32, client_id: u64) -> Result<CancelledOrder, BookError> {
        let (mut at, orders) = self.list_of(seat)?;
        for _ in 0..orders {
            let order = order(self.blocks, at)?;
            if order.client_id == client_id {
                return self.withdraw(at, Reason::Requested);
            }
            at = order.older;
        }
        Err(BookError::OrderNotFound)
    }

    /// Cancels a seat's orders, newest first, of one side or of both, at most `limit`. Gives their number.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn cancel_all(
        &mut self,
        seat: u32,
        side: Option<Side>,
        limit: u32,
        mut on_cancel: impl FnMut(&CancelledOrder),
    ) -> Result<u32, BookError> {
        let (mut at, orders) = self.list_of(seat)?;
        let mut cancelled = 0;
        for _ in 0..orders {
            if cancelled == limit {
                break;
            }
            let order = order(self.blocks, at)?;
            let older = order.older;
            if side.is_none_or(|side| side == order.side()) {
                on_cancel(&self.withdraw(at, Reason::Requested)?);
                cancelled += 1;
            }
            at = older;
        }
        Ok(cancelled)
    }

    /// Removes an order whose time is over, whoever's it is.
    ///
    /// # Errors
    /// `OrderNotFound`; `NotExpired` at `now`.
    pub fn cancel_expired(&mut self, id: OrderId, now: i64) -> Result<CancelledOrder, BookError> {
        let (at, order) = find(self.blocks, id)?;
        if !order.expired(now) {
            return Err(BookError::NotExpired);
        }
        self.withdraw(at, Reason::Expired)
    }

    /// Removes orders from the best of `side` on, at most `limit`, while they lie beyond the band (lowest and highest
    /// price that may match) on the takers' side, or are expired. Gives their number. Anyone may have this done.
    ///
    /// # Errors
    /// None but `Corrupt`.
    pub fn clean(
        &mut self,
        side: Side,
        band: (Price, Price),
        now: i64,
        limit: u32,
        mut on_cancel: impl FnMut(&CancelledOrder),
    ) -> Result<u32, BookError> {
        let (start, _) = keys_within(side, band);
        let mut cancelled = 0;
        while cancelled < limit {
            let at = self.header.roots[side.index()].first;
            if at == 0 {
                break;
            }
            let order = order(self.blocks, at)?;
            let reason = if order.node.key < start {
                Reason::OutOfBand
            } else if order.expired(now) {
                Reason::Expired
            } else {
                break;
            };
            on_cancel(&self.withdraw(at, reason)?);
            cancelled += 1;
        }
        Ok(cancelled)
    }

    /// Takes `lots` off an order of a seat, which keeps its place; removes it if nothing is left. Gives what is left.
    ///
    /// # Errors
    /// `OrderNotFound` if it no longer rests or is another seat's.
    pub fn reduce(&mut self, id: OrderId, seat: u32, lots: Lots) -> Result<Lots, BookError> {
        let (at, order) = find(self.blocks, id)?;
        if order.node.seat != seat {
            return Err(BookError::OrderNotFound);
        }
        if order.lots <= lots.0 {
            self.withdraw(at, Reason::Requested)?;
            return Ok(Lots::ZERO);
        }
        shrink(self.blocks, at, lots.0)
    }

    /// Removes the worst order of a side, the newest of the worst price, so that a better one finds room. Compare with
    /// [`worst`](crate::BookView::worst) first.
    ///
    /// # Errors
    /// `OrderNotFound` if the side is empty.
    pub fn evict_worst(&mut self, side: Side) -> Result<CancelledOrder, BookError> {
        let head = walk::last_level(self.blocks, &self.header.roots[side.index()])?;
        if head == 0 {
            return Err(BookError::OrderNotFound);
        }
        let at = tree::node(self.blocks, head)?.prev;
        self.withdraw(at, Reason::Evicted)
    }
}

/// Takes `lots`, fewer than there are, off an order and its seat's sums. Gives what is left.
pub(crate) fn shrink(blocks: &mut [Block], id: u32, lots: u64) -> Result<Lots, BookError> {
    let order = order_mut(blocks, id)?;
    let left = order.lots.checked_sub(lots).ok_or(BookError::Corrupt)?;
    order.lots = left;
    let (side, price, seat) = (order.side(), order.price(), order.node.seat);
    seat_mut(blocks, seat)?.unreserve(side, lots, lots.wrapping_mul(price))?;
    Ok(Lots(left))
}

/// First and last key of a side's orders inside a band of prices.
#[inline(always)]
pub(crate) fn keys_within(side: Side, (low, high): (Price, Price)) -> (u64, u64) {
    match side {
        Side::Long => (key_of(side, high.0), key_of(side, low.0)),
        Side::Short => (key_of(side, low.0), key_of(side, high.0)),
    }
}
