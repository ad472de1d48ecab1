//! Orders that leave the book without a trade, and what is told of them.

use anchor_lang::prelude::*;
use ballast_book::{CancelledOrder, OrderId, Reason};
use ballast_units::{Lots, Side};

use super::Venue;
use crate::{
    error::{BallastError, OrFail},
    events::{OrderReduced, OrderRemoved, OrderRemovedFor, OrdersCancelled, OrdersCancelledFor},
    record::tell,
    state::MarginAccount,
};

/// Orders of one account that left the book for one reason.
#[derive(Default)]
pub struct Gone {
    order_ids: Vec<u128>,
    lots: u64,
}

impl Gone {
    /// Adds an order as it was.
    pub fn add(&mut self, id: OrderId, lots: Lots) {
        self.order_ids.push(id.0);
        self.lots = self.lots.saturating_add(lots.0);
    }

    /// Adds a cancelled order.
    pub fn note(&mut self, order: &CancelledOrder) {
        self.add(order.id, order.lots);
    }

    /// Emits the event, if there is anything to tell.
    pub fn report(self, market: u16, account: &Pubkey, reason: OrdersCancelledFor) {
        let Gone { order_ids, lots } = self;
        if !order_ids.is_empty() {
            tell(&OrdersCancelled { market, account: *account, reason, order_ids, lots });
        }
    }
}

/// What an event says of an order that was removed without its owner.
pub fn removed_order(order: &CancelledOrder) -> OrderRemoved {
    let reason = match order.reason {
        // The others are told by events of their own.
        Reason::Expired | Reason::Requested | Reason::Evicted => OrderRemovedFor::Expired,
        Reason::SelfTrade => OrderRemovedFor::SelfTrade,
        Reason::OutOfBand => OrderRemovedFor::OutOfBand,
        Reason::BeyondLimit => OrderRemovedFor::BeyondLimit,
    };
    OrderRemoved { seat: order.seat, order_id: order.id.0, lots: order.lots.0, reason }
}

/// Cuts the account's reduce-only orders to what is there to reduce: of a side that has some, all orders together are no
/// more than the position, as far as it has been touched, and with the fills that wait. So whichever of them fill, and in
/// whatever order, none of them opens a position.
pub fn cut_reduce_only(venue: &mut Venue, margin: &MarginAccount, index: usize, key: &Pubkey) -> Result<()> {
    let slot = &margin.slots[index];
    if slot.seat == 0 {
        return Ok(());
    }
    let seat = venue.book.seat(slot.seat, &key.to_bytes()).or_fail()?;
    if seat.reduce_only == 0 {
        return Ok(());
    }
    let held = slot.lots.checked_add(seat.pending_base).ok_or(BallastError::Overflow)?;
    let market = venue.market.index;
    let reason = OrdersCancelledFor::NothingToReduce;
    let mut gone = Gone::default();
    for side in Side::BOTH {
        let keep = reducible(side, held);
        venue
            .book
            .cut_reduce_only(slot.seat, side, keep, |order, left| {
                if left.is_zero() {
                    gone.add(order.id, order.lots);
                } else {
                    let order_id = order.id.0;
                    tell(&OrderReduced { market, account: *key, order_id, lots: left.0, reason });
                }
            })
            .or_fail()?;
    }
    gone.report(market, key, reason);
    Ok(())
}

/// What orders of a side can reduce of a position of `held` lots, positive long.
pub fn reducible(side: Side, held: i64) -> Lots {
    match side {
        Side::Long if held < 0 => Lots(held.unsigned_abs()),
        Side::Short if held > 0 => Lots(held.unsigned_abs()),
        Side::Long | Side::Short => Lots::ZERO,
    }
}
