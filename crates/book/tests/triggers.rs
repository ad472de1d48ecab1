//! Triggers beside a naive list.

mod common;

use ballast_book::{
    BookError, Execution, Fires, MAX_TRIGGERS, NewOrder, NewTrigger, OrderId, Sibling, Terms, Trigger, TriggerId,
    TriggerPrice, trailing_price,
};
use ballast_units::{Lots, Price, Side};
use common::{Slab, key, order, take, taker};
use proptest::prelude::*;
use proptest::sample::Index;

/// A trigger and its partner, in the order of arrival.
#[derive(Clone, Debug)]
struct Entry {
    trigger: Trigger,
    sibling: Option<Sibling>,
}

/// Both, and every id that ever was.
struct Run {
    slab: Slab,
    seats: Vec<u32>,
    list: Vec<Entry>,
    orders: Vec<(OrderId, u32, u64)>,
    /// Those that triggers became.
    reducing: Vec<OrderId>,
    ids: Vec<TriggerId>,
    seen: Seen,
}

#[derive(Debug, Default)]
struct Seen {
    partial: u32,
    pairs_done: u32,
    became_orders: u32,
    sibling_orders_reduced: u32,
    spent_by_fills: u32,
    kept_for_entry: u32,
    ratcheted: u32,
    crowded: u32,
    share_used_up: u32,
    unknown: u32,
}

#[derive(Clone, Debug)]
enum Op {
    Place { seat: Index, side: Side, fires: Fires, terms: Terms, entry: Option<Index> },
    Take { side: Side, lots: u64 },
    MoveEntry(Index, Index),
    Pair(Index, Index),
    Edit { at: Index, seat: Option<Index>, terms: Terms },
    Ratchet { at: Index, mark: u64 },
    Remove { at: Index, seat: Option<Index> },
    RemoveSide { seat: Index, side: Side },
    Execute { at: Index, lots: u64, closed: bool },
    BecomeOrder { at: Index, lots: u64 },
    Rest { seat: Index, price: u64 },
    CancelOrder(Index),
    Due { fires: Fires, mark: u64 },
    Grow,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

fn fires() -> impl Strategy<Value = Fires> {
    prop_oneof![Just(Fires::AtOrBelow), Just(Fires::AtOrAbove)]
}

fn terms() -> impl Strategy<Value = Terms> {
    let price = prop_oneof![
        6 => (90u64..110).prop_map(|price| TriggerPrice::Fixed(Price(price))),
        3 => (50u64..150, 100u32..500_000)
            .prop_map(|(best, ppm)| TriggerPrice::Trailing { ppm, best: Price(best) }),
        1 => Just(TriggerPrice::Fixed(Price(0))),
        1 => Just(TriggerPrice::Trailing { ppm: 99, best: Price(100) }),
    ];
    let lots = prop_oneof![1 => Just(None), 3 => (1u64..20).prop_map(|lots| Some(Lots(lots)))];
    let execution = prop_oneof![
        (0u16..=10_000).prop_map(|slippage_bps| Execution::Market { slippage_bps }),
        (1u64..200).prop_map(|price| Execution::Limit(Price(price))),
        Just(Execution::Market { slippage_bps: 10_001 }),
    ];
    (price, lots, execution, 0i64..3).prop_map(|(price, lots, execution, expires_at)| Terms {
        price,
        lots,
        execution,
        expires_at,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<Index>;
    let other = || prop_oneof![6 => Just(None), 1 => any::<Index>().prop_map(Some)];
    prop_oneof![
        30 => (index(), side(), fires(), terms(), proptest::option::weighted(0.4, index()))
            .prop_map(|(seat, side, fires, terms, entry)| Op::Place { seat, side, fires, terms, entry }),
        5 => (side(), 1u64..20).prop_map(|(side, lots)| Op::Take { side, lots }),
        2 => (index(), index()).prop_map(|(from, to)| Op::MoveEntry(from, to)),
        8 => (index(), index()).prop_map(|(one, two)| Op::Pair(one, two)),
        6 => (index(), other(), terms()).prop_map(|(at, seat, terms)| Op::Edit { at, seat, terms }),
        8 => (index(), 40u64..200).prop_map(|(at, mark)| Op::Ratchet { at, mark }),
        8 => (index(), other()).prop_map(|(at, seat)| Op::Remove { at, seat }),
        1 => (index(), side()).prop_map(|(seat, side)| Op::RemoveSide { seat, side }),
        10 => (index(), 0u64..20, any::<bool>()).prop_map(|(at, lots, closed)| Op::Execute { at, lots, closed }),
        4 => (index(), 1u64..10).prop_map(|(at, lots)| Op::BecomeOrder { at, lots }),
        6 => (index(), 1u64..200).prop_map(|(seat, price)| Op::Rest { seat, price }),
        4 => index().prop_map(Op::CancelOrder),
        4 => (fires(), 80u64..120).prop_map(|(fires, mark)| Op::Due { fires, mark }),
        1 => Just(Op::Grow),
    ]
}

fn allowed(side: Side, fires: Fires, terms: &Terms) -> bool {
    let price = match terms.price {
        TriggerPrice::Fixed(price) => price.0 > 0,
        TriggerPrice::Trailing { ppm, .. } => ppm >= 100 && fires == Fires::stop(side),
    };
    price && !matches!(terms.execution, Execution::Market { slippage_bps: 10_001.. })
}

fn priced(side: Side, terms: &Terms) -> Price {
    match terms.price {
        TriggerPrice::Fixed(price) => price,
        TriggerPrice::Trailing { ppm, best } => trailing_price(side, best, ppm),
    }
}

impl Run {
    fn new() -> Run {
        let mut slab = Slab::new(64);
        let seats = (1..=3).map(|n| slab.book().open_seat(key(n), key(n)).unwrap()).collect();
        Run { slab, seats, list: vec![], orders: vec![], reducing: vec![], ids: vec![], seen: Seen::default() }
    }

    fn id(&self, index: &Index) -> TriggerId {
        // Mostly one that is there, now and then one that was or never was.
        match index.index(8) {
            0 if !self.ids.is_empty() => *index.get(&self.ids),
            1 => TriggerId(index.index(1 << 30) as u64),
            _ if !self.list.is_empty() => index.get(&self.list).trigger.id,
            _ => TriggerId(7),
        }
    }

    /// One that fits as the other of a pair if there is one, and sometimes whatever there is.
    fn partner(&self, of: TriggerId, index: &Index) -> TriggerId {
        let Some(at) = self.at(of) else { return self.id(index) };
        let (one, free) = (self.list[at].trigger, |entry: &&Entry| entry.sibling.is_none());
        let alike =
            |entry: &&Entry| entry.trigger.seat == one.seat && entry.trigger.side == one.side && entry.trigger.id != of;
        let fit: Vec<_> = self.list.iter().filter(free).filter(alike).map(|entry| entry.trigger.id).collect();
        if fit.is_empty() || index.index(5) == 0 { self.id(index) } else { *index.get(&fit) }
    }

    /// One of a pair if there is one.
    fn paired(&self, index: &Index) -> TriggerId {
        let paired: Vec<_> =
            self.list.iter().filter(|entry| entry.sibling.is_some()).map(|entry| entry.trigger.id).collect();
        if paired.is_empty() { self.id(index) } else { *index.get(&paired) }
    }

    fn at(&self, id: TriggerId) -> Option<usize> {
        self.list.iter().position(|entry| entry.trigger.id == id)
    }

    fn seat_of(&self, id: TriggerId, seat: Option<&Index>) -> (u32, Option<usize>) {
        let at = self.at(id);
        let own = at.map_or(self.seats[0], |at| self.list[at].trigger.seat);
        let seat = seat.map_or(own, |seat| *seat.get(&self.seats));
        (seat, at.filter(|_| own == seat))
    }

    fn step(&mut self, op: &Op) {
        match op {
            Op::Place { seat, side, fires, terms, entry } => {
                let entry = entry.as_ref().map_or(0, |at| self.some_order(at));
                self.place(*seat.get(&self.seats), *side, *fires, *terms, entry);
            }
            Op::Take { side, lots } => self.trade(*side, *lots),
            Op::MoveEntry(from, to) => self.move_entry(self.some_order(from), self.some_order(to)),
            Op::Pair(one, other) => self.pair(self.id(one), self.partner(self.id(one), other)),
            Op::Edit { at, seat, terms } => {
                let id = self.id(at);
                let (seat, at) = self.seat_of(id, seat.as_ref());
                let done = self.slab.book().edit_trigger(id, seat, *terms);
                let Some(at) = at else { return self.unknown(done) };
                let trigger = &mut self.list[at].trigger;
                if !allowed(trigger.side, trigger.fires, terms) {
                    return assert_eq!(done, Err(BookError::InvalidTrigger));
                }
                (trigger.terms, trigger.price) = (*terms, priced(trigger.side, terms));
                assert_eq!(done, Ok(()));
            }
            Op::Ratchet { at, mark } => self.ratchet(self.id(at), Price(*mark)),
            Op::Remove { at, seat } => {
                let id = self.id(at);
                let (seat, at) = self.seat_of(id, seat.as_ref());
                let done = self.slab.book().remove_trigger(id, seat);
                match at {
                    Some(at) => assert_eq!(done, Ok(self.list.remove(at).trigger)),
                    None => self.unknown(done.map(|_| ())),
                }
            }
            Op::RemoveSide { seat, side } => {
                let seat = *seat.get(&self.seats);
                let gone = |trigger: &Trigger| trigger.seat == seat && trigger.side == *side;
                let before = self.list.len();
                self.list.retain(|entry| !gone(&entry.trigger));
                let removed = self.slab.book().remove_triggers(seat, gone).unwrap();
                assert_eq!(before - self.list.len(), removed as usize);
            }
            Op::Execute { at, lots, closed } => self.execute(self.id(at), *lots, *closed),
            Op::BecomeOrder { at, lots } => self.become_order(self.paired(at), *lots),
            Op::Rest { seat, price } => {
                let seat = *seat.get(&self.seats);
                if let Ok(id) = self.slab.book().rest(order(Side::Long, *price, 5, seat)) {
                    self.orders.push((id, seat, 5));
                }
            }
            Op::CancelOrder(at) => {
                if !self.orders.is_empty() {
                    let (id, seat, _) = self.orders.remove(at.index(self.orders.len()));
                    self.slab.book().cancel(id, seat).unwrap();
                }
            }
            Op::Due { fires, mark } => {
                let due: Vec<_> = self.slab.view().due_triggers(*fires, Price(*mark)).collect();
                let expected =
                    |trigger: &Trigger| trigger.fires == *fires && fires.reached(trigger.price, Price(*mark));
                assert_eq!(due.len(), self.list.iter().filter(|entry| expected(&entry.trigger)).count());
                let first = |pair: &[Trigger]| fires.reached(pair[0].price, pair[1].price);
                assert!(due.iter().all(expected) && due.windows(2).all(first), "{due:?}");
            }
            Op::Grow => self.slab.grow(4),
        }
    }

    fn unknown(&mut self, done: Result<(), BookError>) {
        self.seen.unknown += 1;
        assert_eq!(done, Err(BookError::TriggerNotFound));
    }

    fn place(&mut self, seat: u32, side: Side, fires: Fires, terms: Terms, entry: u64) {
        let own = self.list.iter().filter(|entry| entry.trigger.seat == seat).count();
        let client_id = self.ids.len() as u64;
        let (room, share) = (self.slab.view().free_blocks(), self.slab.view().trigger_capacity() as usize);
        let filled = Lots(entry % 3);
        let done = self.slab.book().place_trigger(NewTrigger { seat, side, fires, terms, client_id, entry, filled });
        let expected = if !allowed(side, fires, &terms) {
            Err(BookError::InvalidTrigger)
        } else if own >= MAX_TRIGGERS as usize {
            self.seen.crowded += 1;
            Err(BookError::TooManyTriggers)
        } else if self.list.len() >= share {
            self.seen.share_used_up += 1;
            Err(BookError::TriggersFull)
        } else if room == 0 {
            Err(BookError::Full)
        } else {
            Ok(())
        };
        assert_eq!(done.map(|_| ()), expected);
        if let Ok(id) = done {
            assert!(!self.ids.contains(&id), "an id never names two");
            self.ids.push(id);
            let trigger = Trigger {
                id,
                seat,
                side,
                fires,
                price: priced(side, &terms),
                terms,
                client_id,
                entry,
                filled,
                spent: false,
            };
            self.list.push(Entry { trigger, sibling: None });
        }
    }

    fn pair(&mut self, one: TriggerId, other: TriggerId) {
        let done = self.slab.book().pair_triggers(one, other);
        let (Some(a), Some(b)) = (self.at(one), self.at(other)) else { return self.unknown(done) };
        if a == b {
            return assert_eq!(done, Err(BookError::TriggerNotFound));
        }
        let (first, second) = (&self.list[a], &self.list[b]);
        let alike = first.trigger.seat == second.trigger.seat && first.trigger.side == second.trigger.side;
        if !alike || first.sibling.is_some() || second.sibling.is_some() {
            return assert_eq!(done, Err(BookError::InvalidTrigger));
        }
        assert_eq!(done, Ok(()));
        self.list[a].sibling = Some(Sibling::Trigger(other));
        self.list[b].sibling = Some(Sibling::Trigger(one));
    }

    fn ratchet(&mut self, id: TriggerId, mark: Price) {
        let done = self.slab.book().ratchet_trigger(id, mark);
        let Some(at) = self.at(id) else { return self.unknown(done.map(|_| ())) };
        let trigger = &mut self.list[at].trigger;
        let TriggerPrice::Trailing { ppm, best } = trigger.terms.price else {
            return assert_eq!(done, Err(BookError::InvalidTrigger));
        };
        let better = if trigger.side == Side::Short { mark > best } else { mark < best };
        let before = trigger.price;
        if better {
            trigger.terms.price = TriggerPrice::Trailing { ppm, best: mark };
            trigger.price = trailing_price(trigger.side, mark, ppm);
            self.seen.ratcheted += 1;
        }
        // It never moves back.
        assert!(trigger.fires.reached(before, trigger.price) || trigger.price == before || better);
        assert_eq!(done, Ok(Some(trigger.price).filter(|price| *price != before)));
    }

    /// Whether the order that opens what it protects still rests.
    fn awaited(&self, at: usize) -> bool {
        let Trigger { entry, seat, side, .. } = self.list[at].trigger;
        let opens = |order: &(OrderId, u32, u64)| {
            order.0.sequence() == entry && order.1 == seat && order.0.side() == side.opposite()
        };
        self.orders.iter().any(opens)
    }

    /// A taker trades with what rests, and what of it was one of a pair comes off the other.
    fn trade(&mut self, side: Side, lots: u64) {
        let (_, fills) = take(&mut self.slab, taker(side, lots));
        for (order, lots) in fills {
            let at = self.orders.iter().position(|resting| resting.0 == order).unwrap();
            self.orders[at].2 -= lots;
            let seat = self.orders[at].1;
            let reduces = self.reducing.contains(&order);
            for entry in self
                .list
                .iter_mut()
                .filter(|entry| !reduces && entry.trigger.entry == order.sequence() && entry.trigger.seat == seat)
            {
                entry.trigger.filled.0 += lots;
            }
            self.orders.retain(|order| order.2 > 0);
            let paired = self.list.iter_mut().find(|entry| entry.sibling == Some(Sibling::Order(order)));
            let Some(trigger) = paired.map(|entry| &mut entry.trigger) else { continue };
            match &mut trigger.terms.lots {
                Some(left) if left.0 > lots => left.0 -= lots,
                Some(_) => {
                    trigger.spent = true;
                    self.seen.spent_by_fills += 1;
                }
                None => {}
            }
        }
    }

    /// The sequence of an order that rests, 0 if there is none.
    fn some_order(&self, at: &Index) -> u64 {
        if self.orders.is_empty() { 0 } else { at.get(&self.orders).0.sequence() }
    }

    fn move_entry(&mut self, from: u64, to: u64) {
        for seat in self.seats.clone() {
            self.slab.book().move_entry(seat, from, to, Lots(2)).unwrap();
        }
        for entry in self.list.iter_mut().filter(|entry| entry.trigger.entry == from && from != 0) {
            entry.trigger.entry = to;
            entry.trigger.filled.0 += 2;
        }
    }

    /// Takes lots off one in the list; whether it is gone.
    fn take_off(&mut self, id: TriggerId, lots: u64, closed: bool) -> bool {
        let at = self.at(id).unwrap();
        let awaited = self.awaited(at);
        self.seen.kept_for_entry += u32::from(
            closed && awaited && !self.list[at].trigger.trails() && self.list[at].trigger.terms.lots.is_none(),
        );
        let trails = self.list[at].trigger.trails();
        let left = &mut self.list[at].trigger.terms.lots;
        let whole = left.is_none();
        if let Some(left) = left.as_mut().filter(|left| left.0 > lots) {
            left.0 -= lots;
            self.seen.partial += 1;
        } else if !whole {
            self.list.remove(at);
            return true;
        }
        let trigger = &mut self.list[at].trigger;
        trigger.filled.0 = trigger.filled.0.saturating_sub(lots);
        let covered = trigger.entry != 0 && trigger.filled.0 == 0;
        let gone = whole && (closed || covered) && (trails || !awaited);
        if gone {
            self.list.remove(at);
        }
        gone
    }

    fn execute(&mut self, id: TriggerId, lots: u64, closed: bool) {
        let Some(at) = self.at(id) else {
            let done = self.slab.book().execute_trigger(id, Lots(lots), closed);
            return self.unknown(done.map(|_| ()));
        };
        let entry = self.list[at].clone();
        let lots = entry.trigger.terms.lots.map_or(lots, |left| lots.min(left.0));
        // Partners that have gone are forgotten when they are looked for.
        let sibling = entry.sibling.filter(|sibling| match sibling {
            Sibling::Trigger(id) => self.at(*id).is_some(),
            Sibling::Order(id) => self.orders.iter().any(|order| order.0 == *id),
        });
        assert_eq!(self.slab.view().sibling(id), Ok(sibling));
        assert_eq!(self.slab.view().awaits(id), Ok(self.awaited(at)));
        let done = self.slab.book().execute_trigger(id, Lots(lots), closed).unwrap();
        assert_eq!(done.done, self.take_off(id, lots, closed));
        let gone = match sibling {
            None => false,
            Some(Sibling::Trigger(other)) => {
                self.seen.pairs_done += 1;
                self.take_off(other, lots, closed)
            }
            Some(Sibling::Order(other)) => {
                self.seen.sibling_orders_reduced += 1;
                let at = self.orders.iter().position(|order| order.0 == other).unwrap();
                self.orders[at].2 = self.orders[at].2.saturating_sub(lots);
                let gone = self.orders[at].2 == 0;
                self.orders.retain(|order| order.2 > 0);
                gone
            }
        };
        assert_eq!(done.sibling_gone, sibling.filter(|_| gone));
    }

    fn become_order(&mut self, id: TriggerId, lots: u64) {
        let Some(at) = self.at(id) else { return };
        let entry = self.list[at].clone();
        let new = NewOrder {
            reduce_only: true,
            ..order(entry.trigger.side, entry.trigger.price.0, lots, entry.trigger.seat)
        };
        let Ok(placed) = self.slab.book().rest(new) else { return };
        self.slab.book().trigger_became_order(id, placed).unwrap();
        self.orders.push((placed, entry.trigger.seat, lots));
        self.reducing.push(placed);
        self.list.remove(at);
        if let Some(Sibling::Trigger(other)) = entry.sibling
            && let Some(at) = self.at(other)
        {
            self.list[at].sibling = Some(Sibling::Order(placed));
            self.seen.became_orders += 1;
        }
    }

    fn compare(&self) {
        let view = self.slab.view();
        assert_eq!(view.check(), Ok(()));
        assert_eq!(view.trigger_count() as usize, self.list.len());
        for seat in &self.seats {
            let own: Vec<_> = view.seat_triggers(*seat).unwrap().collect();
            let expected: Vec<_> =
                self.list.iter().rev().map(|entry| entry.trigger).filter(|trigger| trigger.seat == *seat).collect();
            assert_eq!(own, expected);
        }
    }
}

fn play(ops: &[Op]) -> Seen {
    let mut run = Run::new();
    for op in ops {
        run.step(op);
        run.compare();
    }
    run.seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn inv_13_triggers_are_as_a_naive_list_has_them(ops in proptest::collection::vec(op(), 1..120)) {
        play(&ops);
    }
}

#[test]
fn the_random_sequences_reach_what_they_claim_to_test() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut all = Seen::default();
    for _ in 0..120 {
        let ops = proptest::collection::vec(op(), 200).new_tree(&mut runner).unwrap().current();
        let seen = play(&ops);
        all.partial += seen.partial;
        all.pairs_done += seen.pairs_done;
        all.became_orders += seen.became_orders;
        all.sibling_orders_reduced += seen.sibling_orders_reduced;
        all.spent_by_fills += seen.spent_by_fills;
        all.kept_for_entry += seen.kept_for_entry;
        all.ratcheted += seen.ratcheted;
        all.share_used_up += seen.share_used_up;
        all.unknown += seen.unknown;
    }
    let counts = [
        all.partial,
        all.pairs_done,
        all.became_orders,
        all.sibling_orders_reduced,
        all.spent_by_fills,
        all.kept_for_entry,
        all.ratcheted,
        all.share_used_up,
        all.unknown,
    ];
    assert!(counts.iter().all(|count| *count > 0), "{all:?}");
}

#[test]
fn a_seat_with_triggers_is_not_closed_and_has_no_more_than_its_limit() {
    let mut slab = Slab::new(100);
    let mut book = slab.book();
    let seat = book.open_seat(key(1), key(1)).unwrap();
    let terms = Terms {
        price: TriggerPrice::Fixed(Price(90)),
        lots: None,
        execution: Execution::Market { slippage_bps: 50 },
        expires_at: 0,
    };
    let new =
        NewTrigger { seat, side: Side::Short, fires: Fires::AtOrBelow, terms, client_id: 0, entry: 0, filled: Lots(0) };
    for _ in 0..MAX_TRIGGERS {
        book.place_trigger(new).unwrap();
    }
    assert_eq!(book.place_trigger(new), Err(BookError::TooManyTriggers));
    assert_eq!(book.close_seat(seat, &key(1)), Err(BookError::SeatInUse));
    assert_eq!(book.remove_triggers(seat, |_| true), Ok(MAX_TRIGGERS));
    assert_eq!(book.close_seat(seat, &key(1)), Ok(()));
}

#[test]
fn a_partner_whose_block_was_reused_is_nobodys_partner() {
    let mut slab = Slab::new(40);
    let mut book = slab.book();
    let seat = book.open_seat(key(1), key(1)).unwrap();
    let terms = Terms {
        price: TriggerPrice::Fixed(Price(90)),
        lots: Some(Lots(5)),
        execution: Execution::Limit(Price(89)),
        expires_at: 0,
    };
    let new =
        NewTrigger { seat, side: Side::Short, fires: Fires::AtOrBelow, terms, client_id: 0, entry: 0, filled: Lots(0) };
    let (one, other) = (book.place_trigger(new).unwrap(), book.place_trigger(new).unwrap());
    book.pair_triggers(one, other).unwrap();
    book.remove_trigger(other, seat).unwrap();
    let third = book.place_trigger(new).unwrap();
    assert_eq!(third.0 & 0xf_ffff, other.0 & 0xf_ffff, "the same block");
    assert_eq!(book.execute_trigger(one, Lots(5), false).unwrap().sibling_gone, None);
    assert_eq!(book.view().trigger(third).map(|trigger| trigger.terms.lots), Ok(Some(Lots(5))));
}
