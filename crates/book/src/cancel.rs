//! How an order leaves other than by a fill: at its maker's wish, by expiry, from outside the band, or evicted.

use ballast_units::{Lots, Price, Side};

use crate::front::keys_within;
use crate::order::{Order, OrderId, RestingOrder, key_of, order, order_mut, tree_of};
use crate::seat::{Listed, seat_mut, unlist};
use crate::slab::{Block, Header, index};
use crate::{Book, BookError, MatchTerms, slab, tree};

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
    /// It was the worst of its side and the book was full.
    Evicted,
    /// It was pegged and stood beyond its limit when a taker met it.
    BeyondLimit,
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
pub(crate) fn detach(header: &mut Header, blocks: &mut [Block], id: u32) -> Result<(), BookError> {
    let (listed, tree) = {
        let order = order(blocks, id)?;
        let (seat, older, newer) = (order.node.seat, order.older, order.newer);
        (Listed { seat, older, newer, reduce_only: order.is_reduce_only() }, order.tree())
    };
    unlist(blocks, &listed)?;
    tree::remove(blocks, &mut header.roots[tree], id)?;
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
    let (side, price, lots) = (order.side(), order.limit, order.lots);
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
    detach(header, blocks, id)?;
    Ok(cancelled)
}

/// The block of the order of this id.
pub(crate) fn find(blocks: &[Block], id: OrderId) -> Result<(u32, &Order), BookError> {
    let at = id.block();
    let order = match blocks.get(index(at)) {
        Some(block) if block.node.kind == slab::ORDER => bytemuck::cast_ref::<Block, Order>(block),
        _ => return Err(BookError::OrderNotFound),
    };
    let same = order.sequence == id.sequence()
        && order.node.key == key_of(id.side(), id.sorted_by())
        && order.side() == id.side()
        && order.is_pegged() == id.is_pegged();
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

    /// Cancels a seat's orders of a side, newest first, at most `limit`, until no more than `keep` lots of it rest. Gives
    /// their number.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn cancel_beyond(
        &mut self,
        seat: u32,
        side: Side,
        keep: Lots,
        limit: u32,
        mut on_cancel: impl FnMut(&CancelledOrder),
    ) -> Result<u32, BookError> {
        let (mut at, orders) = self.list_of(seat)?;
        let mut cancelled = 0;
        for _ in 0..orders {
            if cancelled == limit || self.view().seat_by_id(seat)?.lots(side) <= keep {
                break;
            }
            let order = order(self.blocks, at)?;
            let older = order.older;
            if side == order.side() {
                on_cancel(&self.withdraw(at, Reason::Requested)?);
                cancelled += 1;
            }
            at = older;
        }
        Ok(cancelled)
    }

    /// Cuts a seat's reduce-only orders of a side, newest first, until no more than `keep` lots of that side rest, other
    /// orders included. Tells of each what it was before and what is left of it.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn cut_reduce_only(
        &mut self,
        seat: u32,
        side: Side,
        keep: Lots,
        mut on_cut: impl FnMut(&RestingOrder, Lots),
    ) -> Result<(), BookError> {
        let (mut at, orders) = self.list_of(seat)?;
        for _ in 0..orders {
            let rest = self.view().seat_by_id(seat)?;
            let beyond = rest.lots(side).0.saturating_sub(keep.0);
            if beyond == 0 || rest.reduce_only == 0 {
                break;
            }
            let order = order(self.blocks, at)?;
            let older = order.older;
            if side == order.side() && order.is_reduce_only() {
                let before = order.resting();
                let left = if before.lots.0 > beyond {
                    shrink(self.blocks, at, beyond)?
                } else {
                    self.withdraw(at, Reason::Requested)?;
                    Lots::ZERO
                };
                on_cut(&before, left);
            }
            at = older;
        }
        Ok(())
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

    /// Removes orders from the best of `side` on, at most `limit`, while takers only pass over them: beyond the band on the
    /// takers' side, expired, or pegged and beyond their limit. First those with a price of their own, then the pegged ones.
    /// Gives their number. Anyone may have this done.
    ///
    /// # Errors
    /// None but `Corrupt`.
    pub fn clean(
        &mut self,
        side: Side,
        terms: &MatchTerms,
        limit: u32,
        mut on_cancel: impl FnMut(&CancelledOrder),
    ) -> Result<u32, BookError> {
        let mut cancelled = 0;
        for pegged in [false, true] {
            while cancelled < limit {
                let at = self.header.roots[tree_of(side, pegged)].first;
                if at == 0 {
                    break;
                }
                let Some(reason) = useless(order(self.blocks, at)?, terms) else { break };
                on_cancel(&self.withdraw(at, reason)?);
                cancelled += 1;
            }
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
    pub fn evict_worst(&mut self, side: Side, terms: &MatchTerms) -> Result<CancelledOrder, BookError> {
        let (at, _) = self.view().worst_of(side, terms)?.ok_or(BookError::OrderNotFound)?;
        self.withdraw(at, Reason::Evicted)
    }
}

/// Why takers only pass over an order at the front of its tree, if they do.
pub(crate) fn useless(order: &Order, terms: &MatchTerms) -> Option<Reason> {
    let price = order.standing(terms);
    let (start, _) = keys_within(order.side(), terms.range(order.side()));
    if key_of(order.side(), price) < start {
        Some(Reason::OutOfBand)
    } else if order.expired(terms.now) {
        Some(Reason::Expired)
    } else if order.is_beyond_limit(price) {
        Some(Reason::BeyondLimit)
    } else {
        None
    }
}

/// Takes `lots`, fewer than there are, off an order and its seat's sums. Gives what is left.
pub(crate) fn shrink(blocks: &mut [Block], id: u32, lots: u64) -> Result<Lots, BookError> {
    let order = order_mut(blocks, id)?;
    let left = order.lots.checked_sub(lots).ok_or(BookError::Corrupt)?;
    order.lots = left;
    let (side, price, seat) = (order.side(), order.limit, order.node.seat);
    seat_mut(blocks, seat)?.unreserve(side, lots, lots.wrapping_mul(price))?;
    Ok(Lots(left))
}
