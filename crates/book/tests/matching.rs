//! The crate's invariants about who trades with whom at what price: 1, 7, 8, 9; and what readers are told of it.

mod common;

use ballast_book::{BookError, Event, Fill, MatchTerms, NewOrder, Reason, SelfTrade, Stopped, Taker};
use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Price, Side};
use common::{EVERYWHERE, Slab, key, order, take, taker, terms, two_seats};

#[test]
fn inv_1_better_prices_trade_first_and_at_one_price_the_older_order() {
    let mut slab = two_seats(20);
    let mut rest = |side, price| slab.book().rest(order(side, price, 10, 1)).unwrap();
    let (dear, first, second, cheap) =
        (rest(Side::Short, 12), rest(Side::Short, 11), rest(Side::Short, 11), rest(Side::Short, 10));
    let (low, high) = (rest(Side::Long, 7), rest(Side::Long, 8));
    let (matched, fills) = take(&mut slab, taker(Side::Long, 35));
    assert_eq!(fills, [(cheap, 10), (first, 10), (second, 10), (dear, 5)]);
    assert_eq!((matched.quote, matched.stopped), (100 + 110 + 110 + 60, Stopped::Filled));
    let (matched, fills) = take(&mut slab, taker(Side::Short, 35));
    assert_eq!(fills, [(high, 10), (low, 10)]);
    assert_eq!((matched.lots, matched.stopped), (Lots(20), Stopped::Empty));
}

#[test]
fn inv_1_nothing_trades_beyond_the_limit_or_outside_the_band() {
    let mut slab = two_seats(20);
    for price in [80, 90, 100, 110, 120] {
        slab.book().rest(order(Side::Short, price, 1, 1)).unwrap();
    }
    let within = |limit, band| Taker { limit: Price(limit), terms: terms(band, 0), ..taker(Side::Long, 9) };
    let (matched, fills) = take(&mut slab, within(119, (Price(85), Price(105))));
    assert_eq!(fills.iter().map(|fill| fill.0.price().0).collect::<Vec<_>>(), [90, 100]);
    assert_eq!(matched.stopped, Stopped::Band);
    let (matched, fills) = take(&mut slab, within(115, (Price(85), Price(1000))));
    assert_eq!(fills.iter().map(|fill| fill.0.price().0).collect::<Vec<_>>(), [110]);
    assert_eq!(matched.stopped, Stopped::Price);
    let (matched, fills) = take(&mut slab, within(1000, (Price(121), Price(1000))));
    assert_eq!((matched.stopped, fills.len()), (Stopped::Band, 0));
    let prices: Vec<_> = slab.view().orders(Side::Short).map(|order| order.price.0).collect();
    assert_eq!(prices, [80, 120], "what was passed over still rests");
}

#[test]
fn inv_1_orders_outside_the_band_do_not_count_as_makers() {
    let mut slab = two_seats(200);
    for price in 1..=100 {
        slab.book().rest(order(Side::Short, price, 1, 1)).unwrap();
    }
    let band = (Price(99), Price(1000));
    let (matched, fills) = take(&mut slab, Taker { terms: terms(band, 0), max_makers: 1, ..taker(Side::Long, 5) });
    assert_eq!((matched.makers, fills[0].0.price()), (1, Price(99)));
    assert_eq!(matched.stopped, Stopped::MakerLimit);
}

#[test]
fn inv_7_makers_get_what_the_taker_is_told() {
    let mut slab = two_seats(20);
    slab.book().rest(order(Side::Long, 999_999_999, 1_000_000_007, 1)).unwrap();
    slab.book().rest(order(Side::Long, 999_999_998, 12, 2)).unwrap();
    let (matched, _) = take(&mut slab, taker(Side::Short, 1_000_000_010));
    assert_eq!(matched.quote, 999_999_999 * 1_000_000_007 + 999_999_998 * 3);
    assert_eq!((matched.lots, matched.maker_base_delta), (Lots(1_000_000_010), 1_000_000_010));
    let pending = [1, 2].map(|seat| slab.book().take_pending(seat).unwrap());
    assert_eq!(pending[0].base + pending[1].base, 1_000_000_010);
    assert_eq!(-(pending[0].cash + pending[1].cash), i64::try_from(matched.quote).unwrap());
}

#[test]
fn inv_8_own_orders_are_cancelled_or_stop_the_taker_or_shrink_with_it() {
    for (mode, expected, left, stopped) in [
        (SelfTrade::CancelResting, 6, vec![(11, 4)], Stopped::Filled),
        (SelfTrade::CancelTaking, 0, vec![(10, 5), (11, 10)], Stopped::SelfTrade),
        (SelfTrade::DecrementBoth, 1, vec![(11, 9)], Stopped::Filled),
    ] {
        let mut slab = two_seats(20);
        slab.book().rest(order(Side::Short, 10, 5, 1)).unwrap();
        slab.book().rest(order(Side::Short, 11, 10, 2)).unwrap();
        let (matched, _) = take(&mut slab, Taker { owner: key(1), self_trade: mode, ..taker(Side::Long, 6) });
        let rest: Vec<_> = slab.view().orders(Side::Short).map(|order| (order.price.0, order.lots.0)).collect();
        assert_eq!((matched.lots.0, rest, matched.stopped), (expected, left, stopped), "{mode:?}");
        assert_eq!(slab.view().seat_by_id(1).unwrap().pending(), Default::default());
    }
}

#[test]
fn inv_8_an_owners_other_accounts_count_as_the_owner() {
    let mut slab = two_seats(20);
    let other = slab.book().open_seat(key(103), key(1)).unwrap();
    slab.book().rest(order(Side::Short, 10, 5, other)).unwrap();
    let (matched, fills) = take(&mut slab, Taker { owner: key(1), ..taker(Side::Long, 6) });
    assert_eq!((matched.stopped, fills.len()), (Stopped::SelfTrade, 0));
}

#[test]
fn inv_8_an_expired_order_is_removed_by_whoever_meets_it_and_counts_as_a_maker() {
    let mut slab = two_seats(20);
    let until = |expires_at| NewOrder { expires_at, ..order(Side::Short, 10, 5, 1) };
    let old = slab.book().rest(until(100)).unwrap();
    slab.book().rest(until(101)).unwrap();
    assert!(slab.view().would_match(Side::Long, Price(10), &terms(EVERYWHERE, 100)));
    assert!(!slab.view().would_match(Side::Long, Price(10), &terms(EVERYWHERE, 101)));
    assert_eq!(slab.book().cancel_expired(old, 99), Err(BookError::NotExpired));
    let mut events = Vec::new();
    let taker = Taker { terms: terms(EVERYWHERE, 100), max_makers: 2, ..taker(Side::Long, 5) };
    let matched = slab.book().match_taker(taker, |event| events.push(*event)).unwrap();
    assert!(matches!(events[0], Event::Cancelled(order) if order.id == old && order.reason == Reason::Expired));
    assert!(matches!(events[1], Event::Fill(Fill { lots: Lots(5), maker_done: true, .. })));
    assert_eq!((matched.makers, matched.expired, slab.view().order_count(Side::Short)), (2, 1, 0));
}

#[test]
fn inv_9_fees_round_up_for_the_maker_and_down_for_what_was_earned() {
    let mut slab = two_seats(20);
    for _ in 0..3 {
        slab.book().rest(order(Side::Short, 7, 1, 1)).unwrap();
    }
    // A ten-thousandth of 7 atoms is less than one: each fill costs the maker one atom, and earned nothing of the taker.
    slab.book().set_maker_fee(1, 100).unwrap();
    let (matched, _) = take(&mut slab, Taker { taker_fee_ppm: 100, ..taker(Side::Long, 3) });
    let pending = slab.book().take_pending(1).unwrap();
    assert_eq!((pending.fees, pending.bounty_base, matched.maker_fees), (3, 3, 3));
    let wrong = Taker { taker_fee_ppm: 1_000_001, ..taker(Side::Long, 3) };
    assert_eq!(slab.book().match_taker(wrong, |_| ()), Err(BookError::InvalidOrder));
}

#[test]
fn inv_9_a_rebate_is_at_most_what_the_taker_pays_for_the_fill_and_can_pay_at_all() {
    let mut slab = two_seats(20);
    let mut take_lot = |maker_ppm, taker_fee_ppm, rebate_budget| {
        slab.book().rest(order(Side::Short, 100_000, 1, 1)).unwrap();
        slab.book().set_maker_fee(1, maker_ppm).unwrap();
        let (matched, _) = take(&mut slab, Taker { taker_fee_ppm, rebate_budget, ..taker(Side::Long, 1) });
        (matched.maker_fees, matched.rebates_owed)
    };
    assert_eq!(take_lot(-99, 500, u64::MAX), (-9, 9), "9.9 atoms, rounded down");
    assert_eq!(take_lot(-99, 80, u64::MAX), (-8, 8), "the taker's fee for the fill");
    assert_eq!(take_lot(-99, 500, 5), (-5, 5), "all that the taker can pay");
    assert_eq!(take_lot(-99, 0, u64::MAX), (0, 0), "a taker without fee");
    assert_eq!(take_lot(300, 500, u64::MAX), (30, -22), "a fee takes from the rebates that wait first");
    assert_eq!(take_lot(-99, 500, u64::MAX), (-9, 1), "a rebate pays the fee that waits first");
    let pending = slab.book().take_pending(1).unwrap();
    assert_eq!((pending.fees, pending.rebate()), (-1, 1));
    assert_eq!(pending.bounty_base, 41 + 45 + 80 + 41);
}

#[test]
fn inv_9_rebates_of_one_taker_share_its_budget() {
    let mut slab = two_seats(20);
    for seat in [1, 2] {
        slab.book().rest(order(Side::Short, 100_000, 1, seat)).unwrap();
        slab.book().set_maker_fee(seat, -100).unwrap();
    }
    take(&mut slab, Taker { taker_fee_ppm: 500, rebate_budget: 13, ..taker(Side::Long, 2) });
    let rebates = [1, 2].map(|seat| slab.book().take_pending(seat).unwrap().rebate());
    assert_eq!(rebates, [10, 3]);
}

#[test]
fn inv_7_funding_of_waiting_fills_is_exact_from_each_fill_on() {
    let mut slab = two_seats(20);
    for (side, lots, index) in [(Side::Short, 3, 1_000), (Side::Short, 4, -500), (Side::Long, 5, i64::MAX)] {
        slab.book().rest(order(side, 10, lots, 1)).unwrap();
        take(&mut slab, Taker { funding_index: index, ..taker(side.opposite(), lots) });
    }
    let expected = |index: i64| {
        let at = |base: i128, from: i64| -base * (i128::from(index) - i128::from(from));
        at(-3, 1_000) + at(-4, -500) + at(5, i64::MAX)
    };
    for index in [0, 77, -77, i64::MAX, i64::MIN] {
        assert_eq!(slab.view().pending_funding_at(index), Ok(expected(index)));
        assert_eq!(slab.view().seat_by_id(1).unwrap().pending().funding_at(index), Ok(expected(index)));
    }
    // Bought back at another index: nothing waits but the funding between.
    slab.book().rest(order(Side::Long, 10, 2, 1)).unwrap();
    take(&mut slab, Taker { funding_index: 9, ..taker(Side::Short, 2) });
    let pending = slab.book().take_pending(1).unwrap();
    assert_eq!(
        (pending.base, pending.funding_at(1), pending.funding_at(2)),
        (0, pending.funding_at(2), Ok(pending.funding))
    );
    assert_eq!(slab.view().pending_funding_at(5), Ok(0));
    assert_eq!(slab.view().check(), Ok(()));
}

#[test]
fn impact_price_is_the_average_for_the_notional_inside_the_band() {
    let mut slab = two_seats(100);
    for (price, lots) in [(50, 1_000), (100, 10), (110, 10), (120, 10)] {
        slab.book().rest(order(Side::Short, price, lots, 1)).unwrap();
    }
    let band = (Price(90), Price(115));
    let impact = |quote| slab.view().impact_price(Side::Long, quote, &terms(band, 0));
    assert_eq!(impact(500), Some(Price(100)));
    // 1,000 buy ten lots at 100, and 550 five at 110: 1,550 ÷ 15 is 103.3, rounded up for a buyer.
    assert_eq!(impact(1_550), Some(Price(104)));
    assert_eq!(impact(2_100), Some(Price(105)));
    assert_eq!(impact(2_101), None, "what is above the band does not count");
    assert_eq!(slab.view().impact_price(Side::Short, 1, &terms(band, 0)), None);
}

#[test]
fn cleaning_removes_what_nobody_may_trade_with_and_stops_at_the_first_good_order() {
    let mut slab = two_seats(100);
    for (price, expires_at) in [(80, 0), (90, 5), (95, 0), (96, 5)] {
        slab.book().rest(NewOrder { expires_at, ..order(Side::Short, price, 1, 1) }).unwrap();
    }
    let mut removed = Vec::new();
    let band = (Price(85), Price(200));
    let done = slab.book().clean(Side::Short, &terms(band, 10), 9, |order| removed.push((order.price.0, order.reason)));
    assert_eq!((done, removed), (Ok(2), vec![(80, Reason::OutOfBand), (90, Reason::Expired)]));
    assert_eq!(slab.view().best(Side::Short), Some((Price(95), Lots(1))));
}

#[test]
fn the_best_inside_the_band_looks_past_sixteen_expired_orders() {
    let mut slab = two_seats(100);
    let mut rest = |price, expires_at| {
        slab.book().rest(NewOrder { expires_at, ..order(Side::Short, price, 1, 1) }).unwrap();
    };
    rest(50, 0);
    (0..16).for_each(|more| rest(90 + more, 5));
    rest(110, 0);
    let band = (Price(60), Price(200));
    let (view, terms) = (slab.view(), |now| common::terms(band, now));
    assert_eq!(view.best_inside(Side::Short, &terms(4)), Some((Price(90), Lots(1))));
    assert_eq!(view.best_inside(Side::Short, &terms(5)), Some((Price(110), Lots(1))));
    assert_eq!(view.best_inside(Side::Short, &common::terms((Price(60), Price(100)), 5)), None);
    assert_eq!(view.best_inside(Side::Long, &terms(5)), None);
    assert!(
        view.would_match(Side::Long, Price(110), &terms(5)) && !view.would_match(Side::Long, Price(109), &terms(5))
    );
    slab.book().rest(NewOrder { expires_at: 5, ..order(Side::Short, 100, 1, 1) }).unwrap();
    assert_eq!(slab.view().best_inside(Side::Short, &terms(5)), Some((Price(105), Lots(1))), "the seventeenth counts");
}

/// Where everything may trade, with the mark between these references.
fn around(bids: u64, asks: u64) -> MatchTerms {
    MatchTerms { references: (Price(bids), Price(asks)), ..terms(EVERYWHERE, 0) }
}

fn pegged(side: Side, offset: i64, limit: u64, lots: u64, seat: u32) -> NewOrder {
    NewOrder { peg: Some(offset), ..order(side, limit, lots, seat) }
}

#[test]
fn inv_1_pegged_orders_follow_the_reference_and_wait_their_turn_among_the_others() {
    let mut slab = two_seats(20);
    let mut rest = |new| slab.book().rest(new).unwrap();
    let fixed = rest(order(Side::Short, 105, 1, 1));
    let peg = rest(pegged(Side::Short, 4, 1, 1, 2));
    let later = rest(order(Side::Short, 105, 1, 1));
    let meet = |slab: &mut Slab, reference| {
        let (_, fills) = take(slab, Taker { terms: around(reference, reference), ..taker(Side::Long, 3) });
        fills.into_iter().map(|fill| fill.0).collect::<Vec<_>>()
    };
    let mut copy = || Slab::of(slab.bytes());
    let (mut low, mut same, mut high) = (copy(), copy(), copy());
    assert_eq!(meet(&mut low, 100), [peg, fixed, later], "at 104");
    assert_eq!(meet(&mut same, 101), [fixed, peg, later], "at 105, between the two by arrival");
    assert_eq!(meet(&mut high, 102), [fixed, later, peg], "at 106");
}

#[test]
fn inv_1_a_peg_trades_where_it_stands_and_its_seat_reserves_its_limit() {
    let mut slab = two_seats(20);
    let id = slab.book().rest(pegged(Side::Long, -5, 99, 10, 1)).unwrap();
    assert_eq!((id.is_pegged(), id.peg(), id.price(), id.side()), (true, Some(-5), Price(0), Side::Long));
    let seat = |slab: &Slab| *slab.view().seat_by_id(1).unwrap();
    assert_eq!((seat(&slab).bid_lots, seat(&slab).bid_quote), (10, 990));
    let (matched, _) = take(&mut slab, Taker { terms: around(100, 101), ..taker(Side::Short, 4) });
    assert_eq!((matched.quote, seat(&slab).bid_lots, seat(&slab).bid_quote), (4 * 95, 6, 6 * 99));
    assert_eq!(slab.book().reduce(id, 1, Lots(1)), Ok(Lots(5)));
    assert_eq!(slab.view().best_inside(Side::Long, &around(104, 104)), Some((Price(99), Lots(5))));
    let order = slab.view().order(id).unwrap();
    assert_eq!((order.price, order.peg, order.lots), (Price(99), Some(-5), Lots(5)));
    assert_eq!(slab.book().cancel(id, 1).unwrap().price, Price(99));
    assert_eq!((seat(&slab).orders, seat(&slab).bid_quote), (0, 0));
}

#[test]
fn inv_1_a_peg_beyond_its_limit_blocks_nobody() {
    let mut slab = two_seats(20);
    let far = slab.book().rest(pegged(Side::Short, 1, 110, 5, 1)).unwrap();
    slab.book().rest(order(Side::Short, 104, 5, 2)).unwrap();
    // Its best price is 110; at a mark of 100 it stands at 101.
    let terms = around(100, 100);
    assert!(!slab.view().would_match(Side::Long, Price(103), &terms));
    assert_eq!(slab.view().best_inside(Side::Short, &terms), Some((Price(104), Lots(5))));
    assert_eq!(slab.view().impact_price(Side::Long, 500, &terms), Some(Price(104)));
    let mut events = Vec::new();
    let taker = Taker { terms, ..taker(Side::Long, 5) };
    let matched = slab.book().match_taker(taker, |event| events.push(*event)).unwrap();
    assert!(matches!(events[0], Event::Cancelled(order) if order.id == far && order.reason == Reason::BeyondLimit));
    assert_eq!((matched.lots, matched.makers, matched.beyond_limit), (Lots(5), 2, 1));
    assert_eq!(slab.view().seat_by_id(1).unwrap().ask_quote, 0);
}

#[test]
fn inv_1_no_reference_makes_a_peg_overflow_or_trade_for_nothing() {
    let mut slab = two_seats(20);
    let max = i64::try_from(MAX_PRICE).unwrap();
    assert_eq!(slab.book().rest(pegged(Side::Long, max + 1, 5, 1, 1)), Err(BookError::InvalidOrder));
    for (side, offset, limit, lots) in [
        (Side::Short, -max, 1, 1),
        (Side::Short, max, 1, MAX_LOTS),
        (Side::Long, max, MAX_PRICE, 1),
        (Side::Long, -max, 1, 1),
    ] {
        slab.book().rest(pegged(side, offset, limit, lots, 1)).unwrap();
    }
    for reference in [0, 1, 100, MAX_PRICE, u64::MAX] {
        let terms = around(reference, reference);
        for side in Side::BOTH {
            let mut copy = Slab::of(slab.bytes());
            let (matched, fills) = take(&mut copy, Taker { terms, ..taker(side, 2) });
            assert!(fills.is_empty() || matched.quote > 0, "{reference}");
            assert_ne!(matched.stopped, Stopped::MakerLimit);
        }
    }
}

#[test]
fn the_worst_of_a_side_is_that_which_stands_worst() {
    let mut slab = two_seats(20);
    let fixed = slab.book().rest(order(Side::Short, 105, 1, 1)).unwrap();
    let peg = slab.book().rest(pegged(Side::Short, 4, 1, 1, 2)).unwrap();
    for (reference, worst) in [(100, fixed), (101, peg), (102, peg)] {
        let terms = around(reference, reference);
        assert_eq!(slab.view().worst(Side::Short, &terms).unwrap().order.id, worst, "of one price the newer");
        let mut copy = Slab::of(slab.bytes());
        assert_eq!(copy.book().evict_worst(Side::Short, &terms).unwrap().id, worst);
    }
}
