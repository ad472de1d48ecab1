//! The naive book.

use std::collections::BTreeMap;

use ballast_book::{
    BookError, BookView, CancelledOrder, Event, Fill, Matched, NewOrder, OrderId, Pending, Reason, RestingOrder,
    SelfTrade, Stopped, Taker,
};
use ballast_units::{Lots, Price, Side};

#[derive(Clone, Debug)]
pub struct ModelSeat {
    pub account: [u8; 32],
    pub owner: [u8; 32],
    pub maker_fee_ppm: i16,
    pub pending: Pending,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    /// All orders, oldest first.
    pub orders: Vec<RestingOrder>,
    pub seats: BTreeMap<u32, ModelSeat>,
}

impl Model {
    /// A side's orders, best first, oldest first at a price.
    pub fn side(&self, side: Side) -> Vec<RestingOrder> {
        let mut orders: Vec<_> = self.orders.iter().filter(|order| order.side == side).copied().collect();
        match side {
            Side::Long => orders.sort_by_key(|order| std::cmp::Reverse(order.price)),
            Side::Short => orders.sort_by_key(|order| order.price),
        }
        orders
    }

    pub fn rest(&mut self, new: NewOrder, id: OrderId) {
        let NewOrder { side, price, lots, seat, client_id, expires_at, flags } = new;
        self.orders.push(RestingOrder { id, side, price, lots, seat, client_id, expires_at, flags });
    }

    pub fn of_seat(&self, seat: u32) -> impl DoubleEndedIterator<Item = &RestingOrder> {
        self.orders.iter().filter(move |order| order.seat == seat)
    }

    pub fn remove(&mut self, id: OrderId, reason: Reason) -> CancelledOrder {
        let place = self.orders.iter().position(|order| order.id == id).unwrap();
        let RestingOrder { id, side, price, lots, seat, client_id, .. } = self.orders.remove(place);
        CancelledOrder { id, side, price, lots, seat, client_id, reason }
    }

    pub fn cancel(&mut self, id: OrderId, seat: u32) -> Result<CancelledOrder, BookError> {
        if !self.of_seat(seat).any(|order| order.id == id) {
            return Err(BookError::OrderNotFound);
        }
        Ok(self.remove(id, Reason::Requested))
    }

    pub fn cancel_all(&mut self, seat: u32, side: Option<Side>, limit: u32) -> Vec<CancelledOrder> {
        let wanted = |order: &&RestingOrder| side.is_none_or(|side| order.side == side);
        let ids: Vec<_> = self.of_seat(seat).rev().filter(wanted).map(|order| order.id).collect();
        ids.into_iter().take(limit as usize).map(|id| self.remove(id, Reason::Requested)).collect()
    }

    pub fn reduce(&mut self, id: OrderId, seat: u32, lots: Lots) -> Result<Lots, BookError> {
        let found = self.orders.iter_mut().find(|order| order.id == id && order.seat == seat);
        let order = found.ok_or(BookError::OrderNotFound)?;
        if order.lots <= lots {
            self.remove(id, Reason::Requested);
            return Ok(Lots::ZERO);
        }
        order.lots.0 -= lots.0;
        Ok(order.lots)
    }

    pub fn clean(&mut self, side: Side, band: (Price, Price), now: i64, limit: u32) -> Vec<CancelledOrder> {
        let mut cancelled = Vec::new();
        for order in self.side(side).into_iter().take(limit as usize) {
            let beyond = match side {
                Side::Long => order.price > band.1,
                Side::Short => order.price < band.0,
            };
            let reason = match (beyond, order.expired(now)) {
                (true, _) => Reason::OutOfBand,
                (false, true) => Reason::Expired,
                (false, false) => break,
            };
            cancelled.push(self.remove(order.id, reason));
        }
        cancelled
    }

    /// Whether the taker may trade with an order of this price.
    fn in_band(taker: &Taker, price: Price) -> bool {
        taker.band.0 <= price && price <= taker.band.1
    }

    fn in_limit(taker: &Taker, price: Price) -> bool {
        match taker.side {
            Side::Long => price <= taker.limit,
            Side::Short => price >= taker.limit,
        }
    }

    pub fn match_taker(&mut self, taker: Taker) -> (Matched, Vec<Event>) {
        let makers = taker.side.opposite();
        let (mut events, mut left, mut budget) = (Vec::new(), taker.lots.0, taker.rebate_budget);
        let mut matched = Matched {
            lots: Lots::ZERO,
            quote: 0,
            makers: 0,
            maker_base_delta: 0,
            maker_fees: 0,
            rebates_owed: 0,
            decremented: Lots::ZERO,
            cancelled_self: 0,
            expired: 0,
            stopped: Stopped::Filled,
        };
        let book = self.side(makers);
        let mut eligible =
            book.iter().filter(|order| Self::in_band(&taker, order.price) && Self::in_limit(&taker, order.price));
        matched.stopped = loop {
            if left == 0 {
                break Stopped::Filled;
            }
            let Some(order) = eligible.next() else { break self.why_none(&taker) };
            if matched.makers >= taker.max_makers {
                break Stopped::MakerLimit;
            }
            let own = self.seats[&order.seat].owner == taker.owner;
            if order.expired(taker.now) {
                matched.expired += 1;
                events.push(Event::Cancelled(self.remove(order.id, Reason::Expired)));
            } else if own && taker.self_trade == SelfTrade::CancelTaking {
                break Stopped::SelfTrade;
            } else if own && taker.self_trade == SelfTrade::CancelResting {
                matched.cancelled_self += 1;
                events.push(Event::Cancelled(self.remove(order.id, Reason::SelfTrade)));
            } else {
                let lots = left.min(order.lots.0);
                left -= lots;
                let maker_left = self.reduce(order.id, order.seat, Lots(lots)).unwrap();
                if own {
                    matched.decremented.0 += lots;
                    matched.cancelled_self += u32::from(maker_left.is_zero());
                    let (order_id, seat, client_id) = (order.id, order.seat, order.client_id);
                    events.push(Event::Decremented { order_id, seat, client_id, lots: Lots(lots), maker_left });
                } else {
                    events.push(Event::Fill(self.fill(&taker, order, (lots, maker_left), &mut budget, &mut matched)));
                }
            }
            matched.makers += 1;
        };
        (matched, events)
    }

    fn why_none(&self, taker: &Taker) -> Stopped {
        let book = self.side(taker.side.opposite());
        // The first that is not beyond the band on the takers' side.
        let next = book.iter().find(|order| match taker.side {
            Side::Long => order.price >= taker.band.0,
            Side::Short => order.price <= taker.band.1,
        });
        match next {
            None if book.is_empty() => Stopped::Empty,
            None => Stopped::Band,
            Some(order) if Self::in_limit(taker, order.price) => Stopped::Band,
            Some(_) => Stopped::Price,
        }
    }

    fn fill(
        &mut self,
        taker: &Taker,
        order: &RestingOrder,
        (lots, maker_left): (u64, Lots),
        budget: &mut u64,
        matched: &mut Matched,
    ) -> Fill {
        let quote = lots * order.price.0;
        let fee = |ppm: u32| (u128::from(quote) * u128::from(ppm), 1_000_000u128);
        let seat = self.seats.get_mut(&order.seat).unwrap();
        let taker_fee = u64::try_from(fee(taker.taker_fee_ppm).0 / 1_000_000).unwrap();
        let (product, million) = fee(seat.maker_fee_ppm.unsigned_abs().into());
        let maker_fee = if seat.maker_fee_ppm < 0 {
            let rebate = u64::try_from(product / million).unwrap().min(taker_fee).min(*budget);
            *budget -= rebate;
            -i64::try_from(rebate).unwrap()
        } else {
            i64::try_from(product.div_ceil(million)).unwrap()
        };
        let sign = order.side.sign();
        let pending = &mut seat.pending;
        let owed = pending.rebate();
        pending.base += sign * i64::try_from(lots).unwrap();
        pending.cash -= sign * i64::try_from(quote).unwrap();
        pending.fees += maker_fee;
        pending.bounty_base += u64::try_from(i64::try_from(taker_fee).unwrap() + maker_fee).unwrap();
        pending.funding += i128::from(sign) * i128::from(lots) * i128::from(taker.funding_index);
        matched.rebates_owed += i64::try_from(pending.rebate()).unwrap() - i64::try_from(owed).unwrap();
        matched.lots.0 += lots;
        matched.quote += quote;
        matched.maker_fees += maker_fee;
        matched.maker_base_delta += sign * i64::try_from(lots).unwrap();
        Fill {
            seat: order.seat,
            order_id: order.id,
            client_id: order.client_id,
            price: order.price,
            lots: Lots(lots),
            quote,
            maker_fee,
            maker_left,
            maker_done: maker_left.is_zero(),
        }
    }

    /// Everything that can be read from the book is what it should be.
    pub fn assert_same(&self, view: &BookView<'_>) {
        assert_eq!(view.check(), Ok(()));
        for side in Side::BOTH {
            let expected = self.side(side);
            let actual: Vec<_> = view.orders(side).collect();
            assert_eq!(actual, expected);
            assert_eq!(view.order_count(side) as usize, expected.len());
            assert_eq!(view.best(side), expected.first().map(|order| (order.price, order.lots)));
            assert_eq!(view.worst(side), expected.last().copied());
            let mut prices: Vec<_> = expected.iter().map(|order| order.price).collect();
            prices.dedup();
            assert_eq!(view.levels(side).map(|level| level.price).collect::<Vec<_>>(), prices);
            assert_eq!(view.level_count(side) as usize, prices.len());
        }
        assert_eq!(view.seat_count() as usize, self.seats.len());
        let (mut total, mut funding) = (0, 0);
        for (id, expected) in &self.seats {
            let seat = view.seat(*id, &expected.account).unwrap();
            assert_eq!(
                (seat.owner, seat.pending(), seat.maker_fee_ppm),
                (expected.owner, expected.pending, expected.maker_fee_ppm)
            );
            let orders: Vec<_> = view.seat_orders(*id).unwrap().collect();
            assert_eq!(orders, self.of_seat(*id).rev().copied().collect::<Vec<_>>());
            assert_eq!(seat.orders as usize, orders.len());
            let sum = |side| {
                let orders = orders.iter().filter(|order| order.side == side);
                orders.fold((0, 0), |(lots, quote), order| (lots + order.lots.0, quote + order.lots.0 * order.price.0))
            };
            assert_eq!(
                ((seat.bid_lots, seat.bid_quote), (seat.ask_lots, seat.ask_quote)),
                (sum(Side::Long), sum(Side::Short))
            );
            total += expected.pending.base;
            funding += expected.pending.funding_at(77).unwrap();
        }
        assert_eq!(view.pending_base_total(), total);
        assert_eq!(view.pending_funding_at(77), Ok(funding));
        let blocks = u32::try_from(self.orders.len() + self.seats.len()).unwrap();
        assert_eq!(view.free_blocks(), view.capacity() - blocks);
    }
}
