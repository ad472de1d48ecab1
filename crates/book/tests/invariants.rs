//! The crate's invariants about the slab: 2 to 6 and 10 to 12. (See also `model.rs` and `corruption.rs`.)

mod common;

use ballast_book::{BLOCK, Book, BookError, BookView, Broken, HEADER, NewOrder, OrderId, space};
use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Price, Side};
use common::{Slab, ids, key, order, take, taker, two_seats};

#[test]
fn inv_2_and_3_damage_that_the_check_does_not_find_does_not_matter() {
    let build = || {
        let mut slab = two_seats(20);
        for (n, price) in [3, 5, 5, 9, 12, 5].into_iter().enumerate() {
            slab.book().rest(order(Side::Short, price, 4, 1 + n as u32 % 2)).unwrap();
            let bid = slab.book().rest(order(Side::Long, 1, 4, 2)).unwrap();
            if n > 1 {
                slab.book().cancel(bid, 2).unwrap();
            }
        }
        slab
    };
    let traded = |slab: &mut Slab| {
        let mut traded = Vec::new();
        for side in Side::BOTH {
            let fills = take(slab, taker(side, 100)).1;
            traded.extend(fills.into_iter().map(|(id, lots)| (id.side(), id.price(), lots)));
        }
        let mut book = slab.book();
        while book.free_blocks() > 0 {
            book.rest(order(Side::Long, 1, 4, 2)).unwrap();
        }
        assert_eq!(slab.view().check(), Ok(()));
        traded
    };
    let expected = traded(&mut build());
    let (mut found, mut harmless) = (0, 0);
    for at in 8..HEADER + 12 * BLOCK {
        let mut slab = build();
        slab.bytes()[at] ^= 0x40;
        if slab.view().check().is_ok() {
            assert_eq!(traded(&mut slab), expected, "byte {at}");
            harmless += 1;
        } else {
            found += 1;
        }
    }
    assert!(found > 600 && harmless > 0, "{found} found, {harmless} harmless");
}

#[test]
fn inv_3_blocks_are_used_again() {
    let mut slab = two_seats(4);
    assert_eq!(slab.view().free_blocks(), 2);
    for round in 0..10 {
        let a = slab.book().rest(order(Side::Long, 5 + round, 1, 1)).unwrap();
        let b = slab.book().rest(order(Side::Short, 50, 1, 2)).unwrap();
        assert_eq!(slab.book().rest(order(Side::Short, 51, 1, 2)), Err(BookError::Full));
        assert_eq!(slab.book().open_seat(key(9), key(9)), Err(BookError::Full));
        slab.book().cancel(a, 1).unwrap();
        slab.book().cancel(b, 2).unwrap();
        assert_eq!((slab.view().free_blocks(), slab.view().check()), (2, Ok(())));
    }
}

#[test]
fn inv_4_a_seat_holds_the_sums_of_its_orders() {
    let mut slab = two_seats(20);
    slab.book().rest(order(Side::Long, 100, 3, 1)).unwrap();
    slab.book().rest(order(Side::Long, 90, 5, 1)).unwrap();
    slab.book().rest(order(Side::Short, 110, 7, 1)).unwrap();
    let sums = |slab: &Slab| {
        let seat = slab.view().seat(1, &key(101)).unwrap();
        (seat.orders, seat.bid_lots, seat.bid_quote, seat.ask_lots, seat.ask_quote)
    };
    assert_eq!(sums(&slab), (3, 8, 750, 7, 770));
    take(&mut slab, taker(Side::Short, 4));
    assert_eq!(sums(&slab), (2, 4, 360, 7, 770));
    slab.book().cancel_all(1, Some(Side::Short), 9, |_| ()).unwrap();
    assert_eq!(sums(&slab), (1, 4, 360, 0, 0));
    assert_eq!(slab.view().seat(1, &key(102)), Err(BookError::SeatNotFound));
}

#[test]
fn inv_5_the_total_of_pending_base_follows_fills_and_settlement() {
    let mut slab = two_seats(20);
    slab.book().rest(order(Side::Short, 10, 5, 1)).unwrap();
    slab.book().rest(order(Side::Short, 11, 5, 2)).unwrap();
    take(&mut slab, taker(Side::Long, 7));
    assert_eq!(slab.view().pending_base_total(), -7);
    assert_eq!(slab.book().take_pending(1).unwrap().base, -5);
    assert_eq!(slab.view().pending_base_total(), -2);
    assert_eq!(slab.book().close_seat(1, &key(101)), Ok(()));
    assert_eq!(slab.book().close_seat(2, &key(102)), Err(BookError::SeatInUse));
    assert_eq!(slab.view().check(), Ok(()));
}

#[test]
fn inv_6_an_id_is_never_given_twice() {
    let mut slab = two_seats(4);
    let mut known = std::collections::HashSet::new();
    for _ in 0..50 {
        let id = slab.book().rest(order(Side::Long, 5, 1, 1)).unwrap();
        assert!(known.insert(id));
        slab.book().cancel(id, 1).unwrap();
        assert_eq!(slab.book().cancel(id, 1), Err(BookError::OrderNotFound));
    }
}

#[test]
fn inv_6_ids_sort_as_orders_do() {
    let mut slab = two_seats(40);
    for (price, side) in
        [(5, Side::Long), (9, Side::Short), (6, Side::Long), (5, Side::Long), (9, Side::Short), (8, Side::Short)]
    {
        slab.book().rest(order(side, price, 1, 1)).unwrap();
    }
    let (bids, asks) = (ids(&slab.view(), Side::Long), ids(&slab.view(), Side::Short));
    assert!(bids.is_sorted_by(|a, b| a > b) && asks.is_sorted_by(|a, b| a < b));
    assert!(bids.iter().all(|id| id.side() == Side::Long) && asks.iter().all(|id| id.side() == Side::Short));
}

#[test]
fn inv_10_a_slab_that_grows_keeps_its_contents() {
    let mut slab = two_seats(3);
    let first = slab.book().rest(order(Side::Long, 5, 1, 1)).unwrap();
    assert_eq!(slab.book().rest(order(Side::Long, 6, 1, 1)), Err(BookError::Full));
    slab.grow(2);
    assert_eq!((slab.view().capacity(), slab.view().free_blocks()), (5, 2));
    let second = slab.book().rest(order(Side::Long, 6, 1, 1)).unwrap();
    assert_eq!(ids(&slab.view(), Side::Long), [second, first]);
    assert_eq!(slab.view().check(), Ok(()));
}

#[test]
fn inv_10_initialising_writes_eight_bytes() {
    let mut slab = Slab::zeros(70_000);
    Book::init(slab.bytes()).unwrap();
    assert_eq!(slab.bytes().iter().rposition(|byte| *byte != 0).map(|at| at < 8), Some(true));
    assert_eq!(Book::init(slab.bytes()).unwrap_err(), BookError::AlreadyInitialised);
    assert_eq!(slab.view().capacity(), 70_000);
}

#[test]
fn inv_11_short_misaligned_and_foreign_bytes_are_no_book() {
    let mut slab = Slab::new(4);
    for length in 0..HEADER {
        assert_eq!(BookView::load(&slab.bytes()[..length]).unwrap_err(), BookError::Corrupt);
    }
    let length = slab.bytes().len();
    assert!(BookView::load(&slab.bytes()[..length - 1]).is_ok_and(|view| view.capacity() == 3));
    assert_eq!(BookView::load(&slab.bytes()[4..]).unwrap_err(), BookError::Corrupt);
    assert_eq!(BookView::load(Slab::zeros(4).bytes()).unwrap_err(), BookError::Corrupt);
}

#[test]
fn inv_12_a_refused_call_changes_nothing() {
    let mut slab = two_seats(4);
    let id = slab.book().rest(order(Side::Long, MAX_PRICE, (1 << 23) - 1, 1)).unwrap();
    let full = order(Side::Long, MAX_PRICE, (1 << 23) - 1, 1);
    let before = slab.bytes().to_vec();
    let invalid = [
        NewOrder { lots: Lots(0), ..full },
        NewOrder { lots: Lots(MAX_LOTS + 1), price: Price(1), ..full },
        NewOrder { price: Price(0), ..full },
        NewOrder { price: Price(MAX_PRICE + 1), lots: Lots(1), ..full },
        NewOrder { lots: Lots(1 << 24), ..full },
        NewOrder { expires_at: -1, ..full },
    ];
    for new in invalid {
        assert_eq!(slab.book().rest(new), Err(BookError::InvalidOrder), "{new:?}");
    }
    assert_eq!(slab.book().rest(NewOrder { seat: 3, ..full }), Err(BookError::SeatNotFound));
    assert_eq!(slab.book().rest(NewOrder { seat: 0, ..full }), Err(BookError::SeatNotFound));
    assert_eq!(slab.book().rest(full), Err(BookError::Overflow));
    assert_eq!(slab.book().cancel(id, 2), Err(BookError::OrderNotFound));
    assert_eq!(slab.book().cancel(OrderId(id.0 ^ 1), 1), Err(BookError::OrderNotFound));
    assert_eq!(slab.book().cancel(OrderId(id.0 ^ 1 << 70), 1), Err(BookError::OrderNotFound));
    assert_eq!(slab.book().close_seat(1, &key(101)), Err(BookError::SeatInUse));
    assert_eq!(slab.book().close_seat(1, &key(102)), Err(BookError::SeatNotFound));
    assert_eq!(slab.bytes(), before);
    slab.book().rest(order(Side::Long, 1, 1, 1)).unwrap();
    let before = slab.bytes().to_vec();
    assert_eq!(slab.book().rest(order(Side::Long, 1, 1, 1)), Err(BookError::Full));
    assert_eq!(slab.bytes(), before);
}

#[test]
fn errors_and_findings_say_what_is_wrong() {
    assert_eq!(BookError::Full.to_string(), "the order book has no free block");
    assert_eq!(Broken::Ring(7).to_string(), "the ring of a price is broken at block 7");
    assert_eq!(space(3), HEADER + 3 * BLOCK);
}

#[test]
fn inv_2_twenty_thousand_orders_come_and_go() {
    let mut slab = two_seats(20_100);
    let mut random = 88_172_645_463_325_252u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut live = Vec::new();
    // The deepest tree there is: prices that part from one price at every bit.
    let deep = 0xAA_AAAA_AAAA;
    for bit in 0..40 {
        live.push(slab.book().rest(order(Side::Short, deep ^ 1 << bit, 1, 1)).unwrap());
    }
    while live.len() < 20_000 {
        let side = Side::BOTH[next(2) as usize];
        let price = match next(3) {
            0 => 1 + next(MAX_PRICE),
            1 => 1_000_000 + next(500),
            _ => 1 << next(40),
        };
        live.push(slab.book().rest(order(side, price, 1 + next(100), 1)).unwrap());
    }
    assert_eq!(slab.view().check(), Ok(()));
    for _ in 0..10_000 {
        let id = live.swap_remove(next(live.len() as u64) as usize);
        slab.book().cancel(id, 1).unwrap();
    }
    assert_eq!(slab.view().check(), Ok(()));
    let fills = Side::BOTH.map(|side| take(&mut slab, taker(side.opposite(), MAX_LOTS)).1);
    live.sort();
    let bids = live.iter().rev().filter(|id| id.side() == Side::Long);
    assert!(fills[0].iter().map(|fill| &fill.0).eq(bids));
    let asks = live.iter().filter(|id| id.side() == Side::Short);
    assert!(fills[1].iter().map(|fill| &fill.0).eq(asks));
}
