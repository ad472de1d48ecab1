//! Many orders in one instruction, and orders put in the place of others.

use ballast_client::{
    ballast::{BatchArgs, OrderArgs, OrderRef, error::BallastError},
    instructions::{limit_order, market_order, post_only_order, sliding_order},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Trader, World, order_ids, resting};

const PRICE: u64 = 10 * DOLLAR;
const TICK: u64 = 100;

fn two() -> (World, Trader, Trader) {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    (world, ann, bob)
}

fn bid(price: u64, lots: u64) -> OrderArgs {
    post_only_order(Side::Long, Price(price), Lots(lots))
}

fn ask(price: u64, lots: u64) -> OrderArgs {
    post_only_order(Side::Short, Price(price), Lots(lots))
}

fn batch(orders: Vec<OrderArgs>) -> BatchArgs {
    BatchArgs { orders, ..BatchArgs::default() }
}

#[test]
fn a_batch_replaces_a_whole_quote() {
    let (mut world, ann, _) = two();
    let quote = |middle: u64| {
        let steps = 1..=4;
        steps.flat_map(|step| [bid(middle - step * TICK, step), ask(middle + step * TICK, step)]).collect::<Vec<_>>()
    };
    world.batch(ann, BTC, batch(quote(PRICE))).succeeds();
    assert_eq!((resting(&mut world, BTC, Side::Long).len(), resting(&mut world, BTC, Side::Short).len()), (4, 4));
    let again = BatchArgs { cancel_side: Some(2), ..batch(quote(PRICE + 10 * TICK)) };
    let receipt = world.batch(ann, BTC, again).succeeds();
    assert_eq!(order_ids(&receipt).len(), 8);
    let best = resting(&mut world, BTC, Side::Long)[0];
    assert_eq!((best, resting(&mut world, BTC, Side::Long).len()), ((PRICE + 9 * TICK, 1), 4));
}

#[test]
fn a_batch_is_judged_once_by_where_it_ends() {
    let mut world = World::btc();
    let ann = world.trader(100 * DOLLAR);
    // $95 of the $100 are bound: another such order is one too many, unless it comes in the place of the first.
    let (first, second) = (bid(PRICE - TICK, 190), bid(PRICE - 2 * TICK, 190));
    let id = order_ids(&world.batch(ann, BTC, batch(vec![first])).succeeds())[0];
    world.batch(ann, BTC, batch(vec![second.clone()])).fails_with(BallastError::InsufficientMargin);
    let instead = BatchArgs { cancel: vec![OrderRef::Id(id.0)], ..batch(vec![second]) };
    world.batch(ann, BTC, instead).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - 2 * TICK, 190)]);
}

#[test]
fn a_post_only_order_of_a_batch_that_would_match_is_left_out_or_fails_it() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 10, PRICE);
    let orders = || vec![bid(PRICE - TICK, 1), bid(PRICE, 2), bid(PRICE + TICK, 3), bid(PRICE - 3 * TICK, 4)];
    world.batch(ann, BTC, batch(orders())).fails_with(BallastError::WouldMatch);
    assert_eq!(resting(&mut world, BTC, Side::Long), []);
    world.batch(ann, BTC, BatchArgs { skip_crossing: true, ..batch(orders()) }).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - TICK, 1), (PRICE - 3 * TICK, 4)]);
    // Nothing left of it is no error, and leaves no trace in the account.
    let cal = world.trader(DOLLAR);
    world.batch(cal, BTC, BatchArgs { skip_crossing: true, ..batch(vec![bid(PRICE, 1)]) }).succeeds();
    assert!(world.margin_account(cal).slot_index(BTC).is_none());
    // Anything else that is wrong with an order fails the batch.
    let small = BatchArgs { skip_crossing: true, ..batch(vec![bid(PRICE - TICK, 0)]) };
    world.batch(ann, BTC, small).fails_with(BallastError::ZeroAmount);
}

#[test]
fn orders_of_a_batch_see_those_before_them() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 10, PRICE);
    world.bid(bob, BTC, 5, PRICE - 5 * TICK);
    // Takes all that is asked, then rests above it, then sells to the bid: one touch, one assessment.
    let orders = vec![
        limit_order(Side::Long, Price(PRICE), Lots(12)),
        ask(PRICE + TICK, 4),
        market_order(Side::Short, Price(PRICE - 5 * TICK), Lots(5)),
    ];
    world.batch(ann, BTC, batch(orders)).succeeds();
    assert_eq!(world.position(ann, BTC), 10 - 5);
    assert_eq!(resting(&mut world, BTC, Side::Short), [(PRICE + TICK, 4)]);
    assert_eq!(resting(&mut world, BTC, Side::Long), [], "her own bid for two is met first, and goes");
}

#[test]
fn a_batch_cancels_by_either_id_and_says_when_one_is_gone() {
    let (mut world, ann, bob) = two();
    let named = |client_id, price| OrderArgs { client_id, ..bid(price, 1) };
    let orders = (1..=4).map(|id| named(id, PRICE - id * TICK)).collect();
    let ids = order_ids(&world.batch(ann, BTC, batch(orders)).succeeds());
    let cancel = |refs: &[OrderRef], skip_gone| BatchArgs { cancel: refs.to_vec(), skip_gone, ..BatchArgs::default() };
    let (by_id, by_client) = (OrderRef::Id(ids[0].0), OrderRef::Client(2));
    world.batch(ann, BTC, cancel(&[by_id, by_client], false)).succeeds();
    world.batch(ann, BTC, cancel(&[OrderRef::Client(3), by_id], false)).fails_with(BallastError::OrderNotFound);
    world.batch(ann, BTC, cancel(&[OrderRef::Client(3), by_id], true)).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - 4 * TICK, 1)]);
    // Another's are not hers, by whatever name.
    let other = world.bid(bob, BTC, 1, PRICE - 9 * TICK);
    world.batch(ann, BTC, cancel(&[OrderRef::Id(other.0)], false)).fails_with(BallastError::OrderNotFound);
    world.batch(ann, BTC, BatchArgs::default()).fails_with(BallastError::NothingHere);
    world.cancel_client_id(bob, BTC, 4).fails_with(BallastError::OrderNotFound);
    world.cancel_client_id(ann, BTC, 4).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - 9 * TICK, 1)]);
}

#[test]
fn cancelling_in_a_batch_needs_neither_margin_nor_price() {
    let (mut world, ann, bob) = two();
    world.trade(BTC, ann, bob, 500, PRICE);
    world.bid(ann, BTC, 10, PRICE - TICK);
    world.wait(100_000);
    world.batch(ann, BTC, BatchArgs { cancel_side: Some(2), ..BatchArgs::default() }).succeeds();
    world.batch(ann, BTC, batch(vec![bid(PRICE - TICK, 1)])).fails_with(BallastError::OracleStale);
    assert_eq!(resting(&mut world, BTC, Side::Long), []);
}

#[test]
fn a_batch_that_only_reduces_is_judged_like_one_that_reduces() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(550 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.bid(bob, BTC, 1_000, PRICE - DOLLAR / 5);
    world.move_price(BTC, PRICE - DOLLAR / 5);
    // Below initial margin: only what reduces is allowed, also two at a time.
    let reduce = |lots| OrderArgs { reduce_only: true, ..market_order(Side::Short, Price(9 * DOLLAR), Lots(lots)) };
    world.batch(ann, BTC, batch(vec![reduce(10), bid(PRICE / 2, 1)])).fails();
    world.batch(ann, BTC, batch(vec![reduce(10), reduce(20)])).succeeds();
    assert_eq!(world.position(ann, BTC), 970);
}

#[test]
fn a_smaller_order_keeps_its_place_and_any_other_goes_to_the_end() {
    let (mut world, ann, bob) = two();
    let cal = world.trader(10_000 * DOLLAR);
    let named = |lots, price| OrderArgs { client_id: 7, ..ask(price, lots) };
    let first = order_ids(&world.place(ann, BTC, named(10, PRICE)).succeeds())[0];
    world.ask(bob, BTC, 10, PRICE);
    world.replace(ann, BTC, OrderRef::Client(7), named(6, PRICE), false).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Short), [(PRICE, 6), (PRICE, 10)]);
    world.replace(ann, BTC, OrderRef::Id(first.0), named(6, PRICE), false).succeeds();
    world.buy(cal, BTC, 2, PRICE).succeeds();
    assert_eq!(world.position(ann, BTC), -2, "she is still the first");
    // Larger, or at another price: at the end of the queue, under a new id.
    let receipt = world.replace(ann, BTC, OrderRef::Id(first.0), named(5, PRICE), false).succeeds();
    let second = order_ids(&receipt)[0];
    assert_ne!(first, second);
    assert_eq!(resting(&mut world, BTC, Side::Short), [(PRICE, 10), (PRICE, 5)]);
    world.replace(ann, BTC, OrderRef::Id(first.0), named(1, PRICE), false).fails_with(BallastError::OrderNotFound);
    world.replace(ann, BTC, OrderRef::Id(first.0), named(1, PRICE + TICK), true).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Short), [(PRICE, 10), (PRICE, 5), (PRICE + TICK, 1)]);
    world.replace(bob, BTC, OrderRef::Id(second.0), named(1, PRICE), false).fails_with(BallastError::OrderNotFound);
}

#[test]
fn replacing_is_all_or_nothing_and_judged_by_where_it_ends() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(100 * DOLLAR), world.trader(10_000 * DOLLAR));
    let id = order_ids(&world.place(ann, BTC, bid(PRICE - TICK, 190)).succeeds())[0];
    world
        .replace(ann, BTC, OrderRef::Id(id.0), bid(PRICE - TICK, 210), false)
        .fails_with(BallastError::InsufficientMargin);
    world.ask(bob, BTC, 5, PRICE);
    world.replace(ann, BTC, OrderRef::Id(id.0), bid(PRICE, 190), false).fails_with(BallastError::WouldMatch);
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - TICK, 190)], "the old one is still there");
    let slides = sliding_order(Side::Long, Price(PRICE + 3 * TICK), Lots(190));
    world.replace(ann, BTC, OrderRef::Id(id.0), slides, false).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - TICK, 190)]);
    // Shrinking is possible whatever the price, but not to less than an order may be.
    world.update_market(BTC, |params| params.min_lots = 10).succeeds();
    world.wait(100_000);
    let id = world.newest_order(ann, BTC);
    let smaller = |lots| bid(PRICE - TICK, lots);
    world.replace(ann, BTC, OrderRef::Id(id.0), smaller(9), false).fails();
    world.replace(ann, BTC, OrderRef::Id(id.0), smaller(10), false).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - TICK, 10)]);
}

#[test]
fn an_order_that_would_match_slides_behind_what_it_would_match() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 10, PRICE);
    let slide = |side, price| sliding_order(side, Price(price), Lots(1));
    world.place(ann, BTC, slide(Side::Long, PRICE + 30 * TICK)).succeeds();
    world.place(ann, BTC, slide(Side::Long, PRICE - 3 * TICK)).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE - TICK, 1), (PRICE - 3 * TICK, 1)]);
    world.cancel_all(bob, BTC, None, 9).succeeds();
    world.place(bob, BTC, slide(Side::Short, PRICE / 2)).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Short), [(PRICE, 1)]);
}

#[test]
fn an_order_has_no_room_to_slide_below_an_ask_at_the_lowest_price_of_the_band() {
    let mut world = World::btc_with(|params| params.band_bps = 500);
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    let slide = |side, price| sliding_order(side, Price(price), Lots(1));
    world.ask(bob, BTC, 1, PRICE * 95 / 100);
    world.place(ann, BTC, slide(Side::Long, PRICE)).fails_with(BallastError::OutsideBand);
    world.batch(ann, BTC, BatchArgs { skip_crossing: true, ..batch(vec![slide(Side::Long, PRICE)]) }).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), []);
}

#[test]
fn a_batch_in_one_market_answers_for_the_whole_account() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob) = (world.trader(300 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(ETH, ann, bob, 1_000, 4 * DOLLAR);
    let spare = world.assess(ann).account.free_collateral();
    let lots = spare / (PRICE / 20);
    world
        .batch(ann, BTC, batch(vec![bid(PRICE, lots / 2), bid(PRICE, lots)]))
        .fails_with(BallastError::InsufficientMargin);
    world.batch(ann, BTC, batch(vec![bid(PRICE, lots / 2), bid(PRICE - TICK, lots / 4)])).succeeds();
}
