//! The naive book.

use std::collections::BTreeMap;

use ballast_book::{
    BookError, BookView, CancelledOrder, Event, Fill, MatchTerms, Matched, NewOrder, OrderId, Pending, Reason,
    RestingOrder, SelfTrade, Standing, Stopped, Taker, VOLUME_STEP,
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
    /// A side's orders, or its pegged ones, best first, oldest first at a price or offset.
    pub fn tree(&self, side: Side, pegged: bool) -> Vec<RestingOrder> {
        let wanted = |order: &&RestingOrder| order.side == side && order.peg.is_some() == pegged;
        let mut orders: Vec<_> = self.orders.iter().filter(wanted).copied().collect();
        let sorted_by = |order: &RestingOrder| order.peg.unwrap_or(order.price.0 as i64);
        match side {
            Side::Long => orders.sort_by_key(|order| std::cmp::Reverse(sorted_by(order))),
            Side::Short => orders.sort_by_key(sorted_by),
        }
        orders
    }

    /// Where an order stands.
    pub fn standing(order: &RestingOrder, terms: &MatchTerms) -> Price {
        let reference = if order.side == Side::Long { terms.references.0 } else { terms.references.1 };
        match order.peg {
            None => order.price,
            Some(offset) => Price(reference.0.saturating_add_signed(offset)),
        }
    }

    /// A side's orders in the order in which takers meet them.
    pub fn side(&self, side: Side, terms: &MatchTerms) -> Vec<RestingOrder> {
        let mut orders = [self.tree(side, false), self.tree(side, true)].concat();
        let sign = -side.sign();
        // Where pegs cannot stand any lower, the trees' order remains.
        orders.sort_by_key(|order| match Self::standing(order, terms).0 {
            0 => (0, order.peg.unwrap() * sign, order.id.sequence()),
            price => (price as i64 * sign, 0, order.id.sequence()),
        });
        orders
    }

    /// Whether a pegged order cannot trade where it stands.
    pub fn beyond_limit(order: &RestingOrder, terms: &MatchTerms) -> bool {
        let price = Self::standing(order, terms);
        order.peg.is_some()
            && (price.0 == 0 || if order.side == Side::Long { price > order.price } else { price < order.price })
    }

    /// A side's orders that can trade.
    pub fn live(&self, side: Side, terms: &MatchTerms) -> Vec<(Price, RestingOrder)> {
        let (low, high) = terms.range(side);
        let inside = |price: Price| low <= price && price <= high;
        let orders = self.side(side, terms).into_iter();
        let live = orders.filter(|order| !order.expired(terms.now) && !Self::beyond_limit(order, terms));
        live.map(|order| (Self::standing(&order, terms), order)).filter(|(price, _)| inside(*price)).collect()
    }

    pub fn rest(&mut self, new: NewOrder, id: OrderId) {
        let NewOrder { side, price, peg, lots, seat, client_id, expires_at, reduce_only } = new;
        self.orders.push(RestingOrder { id, side, price, peg, lots, seat, client_id, expires_at, reduce_only });
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

    pub fn cut_reduce_only(&mut self, seat: u32, side: Side, keep: Lots) -> Vec<(RestingOrder, Lots)> {
        let of_side: Vec<_> = self.of_seat(seat).rev().filter(|order| order.side == side).copied().collect();
        let mut beyond = of_side.iter().map(|order| order.lots.0).sum::<u64>().saturating_sub(keep.0);
        let mut cut = Vec::new();
        for order in of_side.into_iter().filter(|order| order.reduce_only) {
            let less = order.lots.0.min(beyond);
            beyond -= less;
            if less > 0 {
                cut.push((order, self.reduce(order.id, seat, Lots(less)).unwrap()));
            }
        }
        cut
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

    pub fn clean(&mut self, side: Side, terms: &MatchTerms, limit: u32) -> Vec<CancelledOrder> {
        let mut cancelled = Vec::new();
        for pegged in [false, true] {
            for order in self.tree(side, pegged) {
                let price = Self::standing(&order, terms);
                let beyond = match side {
                    Side::Long => price > terms.bids.1,
                    Side::Short => price < terms.asks.0,
                };
                let reason = match (beyond, order.expired(terms.now), Self::beyond_limit(&order, terms)) {
                    (true, ..) => Reason::OutOfBand,
                    (false, true, _) => Reason::Expired,
                    (false, false, true) => Reason::BeyondLimit,
                    (false, false, false) => break,
                };
                if cancelled.len() == limit as usize {
                    break;
                }
                cancelled.push(self.remove(order.id, reason));
            }
        }
        cancelled
    }

    /// Whether the taker may trade with an order of this price.
    fn in_band(taker: &Taker, price: Price) -> bool {
        let (low, high) = taker.terms.range(taker.side.opposite());
        low <= price && price <= high
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
            beyond_limit: 0,
            stopped: Stopped::Filled,
        };
        let book = self.side(makers, &taker.terms);
        let mut eligible = book.iter().filter(|order| {
            let price = Self::standing(order, &taker.terms);
            Self::in_band(&taker, price) && Self::in_limit(&taker, price)
        });
        matched.stopped = loop {
            if left == 0 {
                break Stopped::Filled;
            }
            let Some(order) = eligible.next() else { break self.why_none(&taker) };
            if matched.makers >= taker.max_makers {
                break Stopped::MakerLimit;
            }
            let own = self.seats[&order.seat].owner == taker.owner;
            if order.expired(taker.terms.now) {
                matched.expired += 1;
                events.push(Event::Cancelled(self.remove(order.id, Reason::Expired)));
            } else if Self::beyond_limit(order, &taker.terms) {
                matched.beyond_limit += 1;
                events.push(Event::Cancelled(self.remove(order.id, Reason::BeyondLimit)));
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
        let book = self.side(taker.side.opposite(), &taker.terms);
        // The first that is not beyond the band on the takers' side.
        let mut prices = book.iter().map(|order| Self::standing(order, &taker.terms));
        let next = prices.find(|price| match taker.side {
            Side::Long => *price >= taker.terms.asks.0,
            Side::Short => *price <= taker.terms.bids.1,
        });
        match next {
            None if book.is_empty() => Stopped::Empty,
            None => Stopped::Band,
            Some(price) if Self::in_limit(taker, price) => Stopped::Band,
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
        let price = Self::standing(order, &taker.terms);
        let quote = lots * price.0;
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
        let earned = u64::try_from(i64::try_from(taker_fee).unwrap() + maker_fee).unwrap();
        pending.bounty_base = (pending.bounty_base + earned).min(u32::MAX.into());
        let steps = pending.volume / VOLUME_STEP + quote / VOLUME_STEP;
        pending.volume = steps.min(u32::MAX.into()) * VOLUME_STEP;
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
            price,
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
            let [fixed, pegs] = [false, true].map(|pegged| self.tree(side, pegged));
            assert_eq!(view.orders(side).collect::<Vec<_>>(), fixed);
            assert_eq!(view.pegs(side).collect::<Vec<_>>(), pegs);
            assert_eq!(view.order_count(side) as usize, fixed.len() + pegs.len());
            assert_eq!(view.peg_count(side) as usize, pegs.len());
            assert_eq!(view.best(side), fixed.first().map(|order| (order.price, order.lots)));
            let mut prices: Vec<_> = fixed.iter().map(|order| order.price).collect();
            prices.dedup();
            assert_eq!(view.level_count(side) as usize, prices.len());
            for (reference, now) in [(100, 0), (103, 10)] {
                let references = (Price(reference), Price(reference + 1));
                self.assert_same_at(view, side, &MatchTerms { references, now, ..WIDE });
            }
        }
        assert_eq!(view.seat_count() as usize, self.seats.len());
        let (mut total, mut funding, mut waits) = (0, 0, [0; 2]);
        for (id, expected) in &self.seats {
            let seat = view.seat(*id, &expected.account).unwrap();
            assert_eq!(
                (seat.owner, seat.pending(), seat.maker_fee_ppm),
                (expected.owner, expected.pending, expected.maker_fee_ppm)
            );
            let orders: Vec<_> = view.seat_orders(*id).unwrap().collect();
            assert_eq!(orders, self.of_seat(*id).rev().copied().collect::<Vec<_>>());
            assert_eq!(seat.orders as usize, orders.len());
            assert_eq!(seat.reduce_only as usize, orders.iter().filter(|order| order.reduce_only).count());
            let sum = |side| {
                let orders = orders.iter().filter(|order| order.side == side);
                orders.fold((0, 0), |(lots, quote), order| (lots + order.lots.0, quote + order.lots.0 * order.price.0))
            };
            assert_eq!(
                ((seat.bid_lots, seat.bid_quote), (seat.ask_lots, seat.ask_quote)),
                (sum(Side::Long), sum(Side::Short))
            );
            total += expected.pending.base;
            waits[usize::from(expected.pending.base < 0)] += expected.pending.base.unsigned_abs();
            funding += expected.pending.funding_at(77).unwrap();
        }
        assert_eq!(view.pending_base_total(), total);
        assert_eq!(Side::BOTH.map(|side| view.pending_of(side).0), waits);
        assert_eq!(view.pending_funding_at(77), Ok(funding));
        let blocks = u32::try_from(self.orders.len() + self.seats.len()).unwrap();
        assert_eq!(view.free_blocks(), view.capacity() - blocks);
    }

    /// What can be read on certain terms.
    fn assert_same_at(&self, view: &BookView<'_>, side: Side, terms: &MatchTerms) {
        let worst = self.side(side, terms).last().copied();
        let worst = worst.map(|order| Standing { order, price: Self::standing(&order, terms) });
        assert_eq!(view.worst(side, terms), worst);
        let live = self.live(side, terms);
        let standing: Vec<_> = view.standing(side, *terms).map(|standing| (standing.price, standing.order)).collect();
        assert_eq!(standing, live);
        let levels: Vec<_> = view.levels(side, *terms).collect();
        assert!(levels.windows(2).all(|pair| pair[0].price != pair[1].price));
        assert_eq!(levels.iter().map(|level| level.orders as usize).sum::<usize>(), live.len());
        let at = |price: Price| live.iter().filter(move |(at, _)| *at == price);
        let lots = |price: Price| at(price).map(|(_, order)| u128::from(order.lots.0)).sum();
        assert!(levels.iter().all(|level| level.lots == lots(level.price)));
    }
}

/// Everything but the edges, where pegs cannot stand.
const WIDE: MatchTerms = MatchTerms {
    bids: (Price(1), Price(3_000)),
    asks: (Price(1), Price(3_000)),
    references: (Price(0), Price(0)),
    now: 0,
};
