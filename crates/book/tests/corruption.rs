//! Random damage to a slab's bytes: whatever is called must come back, with a result or an error.

mod common;

use ballast_book::{BLOCK, BookError, Broken, HEADER, MatchTerms, NewOrder, OrderId, SelfTrade, Taker};
use ballast_units::{Lots, Price, Side};
use common::damage::{damage, inflict};
use common::{Slab, key, order};
use proptest::prelude::*;

/// How many blocks the book below uses.
const USED: usize = 60;

/// A book with five seats and some fifty orders, some removed again.
fn sound() -> (Slab, Vec<OrderId>) {
    let mut slab = Slab::new(64);
    for n in 1..=5 {
        slab.book().open_seat(key(n), key(n)).unwrap();
    }
    let mut ids = Vec::new();
    for n in 0..55u64 {
        let side = if n % 2 == 0 { Side::Long } else { Side::Short };
        let price = 90 + n * 7 % 23 + if side == Side::Short { 20 } else { 0 };
        let (expires_at, peg) = (i64::from(n % 5 == 0), (n % 4 == 3).then_some(n as i64 % 7 - 3));
        let reduce_only = n % 3 == 0;
        let new = NewOrder { expires_at, peg, reduce_only, ..order(side, price, 1 + n % 9, 1 + (n % 5) as u32) };
        ids.push(slab.book().rest(new).unwrap());
    }
    for id in ids.iter().step_by(6) {
        let seat = slab.view().order(*id).unwrap().seat;
        slab.book().cancel(*id, seat).unwrap();
    }
    slab.view().check().unwrap();
    (slab, ids)
}

/// Calls everything; results do not matter.
fn call_everything(slab: &mut Slab, ids: &[OrderId], prices: (u64, u64), mode: SelfTrade) {
    let view = slab.view();
    let band = (Price(prices.0.min(prices.1)), Price(prices.0.max(prices.1)));
    let terms = MatchTerms { bids: band, asks: band, references: (Price(prices.1), Price(prices.0)), now: 1 };
    let _ = view.check();
    let _ = view.seats().count();
    for side in Side::BOTH {
        let _ = (view.best(side), view.worst(side, &terms), view.levels(side, terms).count());
        let _ = (view.orders(side).count(), view.pegs(side).count());
        let _ = view.would_match(side, Price(prices.0), &terms);
        let _ = view.impact_price(side, 1 << 40, &terms);
    }
    let mut book = slab.book();
    for (n, id) in ids.iter().enumerate().step_by(4) {
        let seat = 1 + (n % 5) as u32;
        let _ = (
            book.cancel(*id, seat),
            book.cancel_expired(*id, 1),
            book.reduce(ids[n + 1], 1 + (n as u32 + 1) % 5, Lots(1)),
        );
        let _ = book.rest(order(Side::BOTH[n % 2], prices.0.max(1), 3, seat));
        let _ = book.rest(order(Side::BOTH[n % 2], prices.1.max(1), 3, seat));
        let peg = Some(n as i64 - 30);
        let _ = book.rest(NewOrder { peg, ..order(Side::BOTH[n % 2], prices.1.max(1), 3, seat) });
    }
    for side in Side::BOTH {
        let limit = Price(if side == Side::Long { u64::MAX } else { 0 });
        let owner = key(3);
        let taker_fee_ppm = 500;
        let lots = Lots(40);
        let taker = Taker {
            side,
            lots,
            limit,
            terms,
            owner,
            self_trade: mode,
            max_makers: 50,
            funding_index: prices.0 as i64,
            taker_fee_ppm,
            rebate_budget: 100,
        };
        let _ = book.match_taker(taker, |_| ());
        let _ = book.clean(side, &terms, u32::MAX, |_| ());
        let terms = MatchTerms { bids: (Price(0), Price(u64::MAX)), asks: (Price(0), Price(u64::MAX)), ..terms };
        let _ = book.match_taker(Taker { terms, max_makers: u32::MAX, ..taker }, |_| ());
        let _ = book.evict_worst(side, &terms);
    }
    for seat in 0..7 {
        let _ = (
            book.take_pending(seat),
            book.cancel_by_client_id(seat, 1),
            book.set_maker_fee(seat, -90),
            book.open_seat(key(9), key(9)),
        );
        for (side, keep) in [(Side::Long, 20), (Side::Short, 3), (Side::Long, 0)] {
            let _ = book.cut_reduce_only(seat, side, Lots(keep), |_, _| ());
        }
        let _ = book.cancel_all(seat, Some(Side::Long), u32::MAX, |_| ());
        let _ = book.cancel_all(seat, None, u32::MAX, |_| ());
        let _ = book.close_seat(seat, &key(1));
    }
    for side in Side::BOTH {
        while book.evict_worst(side, &terms).is_ok() {}
    }
}

/// Bytes of block `id`.
fn block(slab: &mut Slab, id: u32) -> &mut [u8] {
    let start = HEADER + (id as usize - 1) * BLOCK;
    &mut slab.bytes()[start..start + BLOCK]
}

#[test]
fn inv_11_a_seats_list_that_leads_in_a_circle_comes_to_an_end() {
    let (mut slab, ids) = sound();
    let id = ids[53];
    let (seat, at) = (slab.view().order(id).unwrap().seat, (id.sequence() & 0xF_FFFF) as u32);
    assert_eq!(slab.view().seat_orders(seat).unwrap().next().unwrap().id, id);
    // The seat's newest order is its own next older one, and the seat counts 65,535.
    block(&mut slab, at)[72..76].copy_from_slice(&at.to_le_bytes());
    block(&mut slab, seat)[2..4].fill(0xFF);
    let start = std::time::Instant::now();
    assert_eq!(slab.book().cancel_by_client_id(seat, 999), Err(BookError::OrderNotFound));
    let side = slab.view().order(id).unwrap().side.opposite();
    assert_eq!(slab.book().cancel_all(seat, Some(side), u32::MAX, |_| ()), Ok(0));
    assert_eq!(slab.view().seat_orders(seat).unwrap().count(), 64);
    assert!(start.elapsed().as_millis() < 500);
    assert_eq!(slab.view().check(), Err(Broken::SeatList(seat)));
}

#[test]
fn inv_11_a_free_list_that_leads_to_an_order_is_refused() {
    let (mut slab, ids) = sound();
    let live = (ids[1].sequence() & 0xF_FFFF) as u32;
    let freed = (ids[54].sequence() & 0xF_FFFF) as u32;
    block(&mut slab, freed)[4..8].copy_from_slice(&live.to_le_bytes());
    let price = slab.view().order(ids[1]).unwrap().price;
    let mut refused = 0;
    for _ in 0..2 {
        let result = slab.book().rest(order(Side::Long, 1, 1, 1));
        refused += u32::from(result == Err(BookError::Corrupt));
    }
    assert_eq!((refused, slab.view().order(ids[1]).map(|order| order.price)), (1, Ok(price)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn inv_11_damaged_bytes_neither_panic_nor_run_without_end(
        damages in prop::collection::vec(damage(USED), 1..8),
        prices in (80u64..150, 80u64..150),
        mode in prop_oneof![Just(SelfTrade::CancelResting), Just(SelfTrade::CancelTaking), Just(SelfTrade::DecrementBoth)],
    ) {
        let (mut slab, ids) = sound();
        for damage in damages {
            inflict(slab.bytes(), damage);
        }
        if ballast_book::BookView::load(slab.bytes()).is_ok() {
            call_everything(&mut slab, &ids, prices, mode);
        }
    }
}
