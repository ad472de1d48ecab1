//! Both books side by side.

use ballast_book::{BookError, Event, NewOrder, OrderId, Reason, RestingOrder, Taker};
use ballast_units::{Price, Side};

use super::model::{Model, ModelSeat};
use super::ops::{Op, Pick};
use super::{Slab, key};

/// Both books, and every order id that ever was.
struct Run {
    slab: Slab,
    model: Model,
    ids: Vec<OrderId>,
    /// How often each kind of thing happened, so that a harness that reaches nothing is seen.
    seen: Seen,
}

#[derive(Debug, Default)]
pub struct Seen {
    pub fills: u32,
    pub partial: u32,
    pub expired: u32,
    pub self_cancelled: u32,
    pub decremented: u32,
    pub full: u32,
    pub unknown: u32,
    pub pegged: u32,
    pub beyond_limit: u32,
}

impl Run {
    fn new(blocks: u32) -> Run {
        Run { slab: Slab::new(blocks), model: Model::default(), ids: Vec::new(), seen: Seen::default() }
    }

    fn seat(&self, index: Pick) -> u32 {
        // Zero is nobody's seat.
        let seats: Vec<_> = self.model.seats.keys().copied().chain([0]).collect();
        *index.of(&seats)
    }

    fn id(&self, index: Pick) -> OrderId {
        if self.ids.is_empty() { OrderId(u128::from(index.place(1000) as u64)) } else { *index.of(&self.ids) }
    }

    fn step(&mut self, op: &Op) {
        match op {
            Op::OpenSeat { account, owner } => self.open_seat(*account, *owner),
            Op::CloseSeat(seat) => self.close_seat(self.seat(*seat)),
            Op::Rest { seat, order } => self.rest(NewOrder { seat: self.seat(*seat), ..*order }),
            Op::Match { taker } => self.match_taker(*taker),
            Op::Cancel { order, seat } => {
                let id = self.id(*order);
                let maker = self.model.orders.iter().find(|order| order.id == id).map_or(0, |order| order.seat);
                let seat = seat.map_or(maker, |seat| self.seat(seat));
                let expected = self.model.cancel(id, seat);
                self.seen.unknown += u32::from(expected.is_err());
                assert_eq!(self.slab.book().cancel(id, seat), expected);
            }
            Op::CancelByClientId { seat, client_id } => {
                let seat = self.seat(*seat);
                let newest = self.model.of_seat(seat).rev().find(|order| order.client_id == *client_id);
                let expected = match newest.map(|order| order.id) {
                    Some(id) => self.model.cancel(id, seat),
                    None if seat == 0 => Err(BookError::SeatNotFound),
                    None => Err(BookError::OrderNotFound),
                };
                assert_eq!(self.slab.book().cancel_by_client_id(seat, *client_id), expected);
            }
            Op::CancelAll { seat, side, limit } => {
                let seat = self.seat(*seat);
                let mut cancelled = Vec::new();
                let done = self.slab.book().cancel_all(seat, *side, *limit, |order| cancelled.push(*order));
                assert_eq!(cancelled, self.model.cancel_all(seat, *side, *limit));
                assert_eq!(done.ok(), (seat != 0).then_some(u32::try_from(cancelled.len()).unwrap()));
            }
            Op::CancelExpired { order, now } => {
                let id = self.id(*order);
                let expected = match self.model.orders.iter().find(|order| order.id == id) {
                    None => Err(BookError::OrderNotFound),
                    Some(order) if !order.expired(*now) => Err(BookError::NotExpired),
                    Some(_) => Ok(self.model.remove(id, Reason::Expired)),
                };
                assert_eq!(self.slab.book().cancel_expired(id, *now), expected);
            }
            Op::Clean { side, terms, limit } => {
                let mut cancelled = Vec::new();
                let done = self.slab.book().clean(*side, terms, *limit, |order| cancelled.push(*order));
                assert_eq!(cancelled, self.model.clean(*side, terms, *limit));
                assert_eq!(done.map(|done| done as usize), Ok(cancelled.len()));
            }
            Op::Reduce { order, lots } => {
                let id = self.id(*order);
                let maker = self.model.orders.iter().find(|order| order.id == id).map_or(0, |order| order.seat);
                assert_eq!(self.slab.book().reduce(id, maker, *lots), self.model.reduce(id, maker, *lots));
            }
            Op::CutReduceOnly { seat, side, keep } => {
                let seat = self.seat(*seat);
                let mut cut = Vec::new();
                let done = self.slab.book().cut_reduce_only(seat, *side, *keep, |order, left| cut.push((*order, left)));
                assert_eq!(cut, self.model.cut_reduce_only(seat, *side, *keep));
                assert_eq!(done.is_ok(), seat != 0);
            }
            Op::EvictWorst(side, terms) => {
                let worst = self.model.side(*side, terms).last().map(|order| order.id);
                let expected = worst.map(|id| self.model.remove(id, Reason::Evicted)).ok_or(BookError::OrderNotFound);
                assert_eq!(self.slab.book().evict_worst(*side, terms), expected);
            }
            Op::SetMakerFee(seat, ppm) => {
                let seat = self.seat(*seat);
                let known = self.model.seats.get_mut(&seat).map(|seat| seat.maker_fee_ppm = *ppm);
                assert_eq!(self.slab.book().set_maker_fee(seat, *ppm).ok(), known);
            }
            Op::TakePending(seat) => {
                let seat = self.seat(*seat);
                let expected = self.model.seats.get_mut(&seat).map(|seat| std::mem::take(&mut seat.pending));
                assert_eq!(self.slab.book().take_pending(seat).ok(), expected);
            }
            Op::Grow(blocks) => self.slab.grow(*blocks),
        }
    }

    fn open_seat(&mut self, account: u8, owner: u8) {
        let full = self.slab.view().free_blocks() == 0;
        match self.slab.book().open_seat(key(account), key(owner)) {
            Ok(id) => {
                let seat = ModelSeat {
                    account: key(account),
                    owner: key(owner),
                    maker_fee_ppm: 0,
                    pending: Default::default(),
                };
                assert!(!full && id != 0 && self.model.seats.insert(id, seat).is_none());
            }
            Err(error) => assert!(full && error == BookError::Full),
        }
    }

    fn close_seat(&mut self, seat: u32) {
        let account = self.model.seats.get(&seat).map_or(key(0), |seat| seat.account);
        let expected = match self.model.seats.get(&seat) {
            None => Err(BookError::SeatNotFound),
            Some(known) if known.pending != Default::default() || self.model.of_seat(seat).next().is_some() => {
                Err(BookError::SeatInUse)
            }
            Some(_) => Ok(()),
        };
        let wrong = key(account[0].wrapping_add(1));
        assert_eq!(self.slab.book().close_seat(seat, &wrong), Err(BookError::SeatNotFound));
        assert_eq!(self.slab.book().close_seat(seat, &account), expected);
        if expected.is_ok() {
            self.model.seats.remove(&seat);
        }
    }

    fn rest(&mut self, new: NewOrder) {
        let full = self.slab.view().free_blocks() == 0;
        match self.slab.book().rest(new) {
            Ok(id) => {
                assert!(!full && !self.ids.contains(&id));
                let price = if new.peg.is_some() { Price(0) } else { new.price };
                assert_eq!((id.side(), id.price(), id.is_pegged()), (new.side, price, new.peg.is_some()));
                self.ids.push(id);
                self.model.rest(new, id);
            }
            Err(error) if !full => assert!(new.seat == 0 && error == BookError::SeatNotFound),
            Err(error) => {
                assert_eq!(error, BookError::Full);
                self.seen.full += 1;
            }
        }
    }

    fn match_taker(&mut self, taker: Taker) {
        let makers = taker.side.opposite();
        let crosses = |price: Price| match taker.side {
            Side::Long => price <= taker.limit,
            Side::Short => price >= taker.limit,
        };
        let (live, all) = (self.model.live(makers, &taker.terms), self.model.side(makers, &taker.terms));
        let would = live.iter().any(|(price, _)| crosses(*price));
        let answer = self.slab.view().would_match(taker.side, taker.limit, &taker.terms);
        let is_dead =
            |order: &&RestingOrder| order.expired(taker.terms.now) || Model::beyond_limit(order, &taker.terms);
        assert!(answer == would || (answer && all.iter().filter(is_dead).count() >= 16));
        let pegs: Vec<_> = all.iter().filter(|order| order.peg.is_some()).map(|order| order.id).collect();

        let before =
            self.model.seats.values().map(|seat| seat.pending).fold((0, 0), |(b, c), p| (b + p.base, c + p.cash));
        let mut events = Vec::new();
        let matched = self.slab.book().match_taker(taker, |event| events.push(*event)).unwrap();
        let (expected, expected_events) = self.model.match_taker(taker);
        assert_eq!(matched, expected);
        assert_eq!(events, expected_events);

        let seats = self.slab.view();
        let after = seats.seats().fold((0, 0), |(b, c), (_, s)| (b + s.pending_base, c + s.pending_cash));
        let (lots, quote) = (i64::try_from(matched.lots.0).unwrap(), i64::try_from(matched.quote).unwrap());
        let sign = taker.side.sign();
        assert_eq!(after.0 - before.0 + sign * lots, 0);
        assert_eq!(after.1 - before.1 - sign * quote, 0);
        for event in events {
            match event {
                Event::Fill(fill) => {
                    self.seen.fills += 1;
                    self.seen.partial += u32::from(!fill.maker_done);
                    self.seen.pegged += u32::from(pegs.contains(&fill.order_id));
                    let (low, high) = taker.terms.range(taker.side.opposite());
                    assert!(crosses(fill.price) && low <= fill.price && fill.price <= high);
                }
                Event::Cancelled(order) => {
                    self.seen.expired += u32::from(order.reason == Reason::Expired);
                    self.seen.self_cancelled += u32::from(order.reason == Reason::SelfTrade);
                    self.seen.beyond_limit += u32::from(order.reason == Reason::BeyondLimit);
                }
                Event::Decremented { .. } => self.seen.decremented += 1,
            }
        }
    }
}

/// Runs operations on a book of `blocks` and on the naive one, which must be the same after each.
pub fn run(blocks: u32, ops: &[Op]) -> Seen {
    let mut run = Run::new(blocks);
    run.open_seat(1, 1);
    for op in ops {
        run.step(op);
        run.model.assert_same(&run.slab.view());
    }
    run.seen
}
