//! Orders: how they match, rest, expire and are cancelled.

use ballast_client::{
    ballast::{OrderArgs, SelfTradeMode, error::BallastError, state::MarketStatus},
    instructions::{self, limit_order, market_order, pegged_order, post_only_order},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, Expect, MarketSpec, Trader, World};
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const TICK: u64 = 100;

fn two() -> (World, Trader, Trader) {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    (world, ann, bob)
}

/// Lots that rest on a side of the book, best first.
fn resting(world: &mut World, side: Side) -> Vec<(u64, u64)> {
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("sound slabs");
    let book = &view.market(BTC).expect("the market").book;
    book.orders(side).map(|order| (order.price.0, order.lots.0)).collect()
}

#[test]
fn a_limit_order_matches_what_it_can_and_rests_with_the_rest() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 30, PRICE);
    world.place(ann, BTC, limit_order(Side::Long, Price(PRICE), Lots(50))).succeeds();
    assert_eq!(world.position(ann, BTC), 30);
    assert_eq!(resting(&mut world, Side::Long), [(PRICE, 20)]);
    assert_eq!(resting(&mut world, Side::Short), []);
}

#[test]
fn the_taker_gets_the_makers_price_best_first_and_oldest_first() {
    let (mut world, ann, bob) = two();
    let cal = world.trader(10_000 * DOLLAR);
    world.ask(bob, BTC, 10, PRICE + TICK);
    world.ask(cal, BTC, 10, PRICE);
    world.ask(bob, BTC, 10, PRICE);
    world.buy(ann, BTC, 15, PRICE + 5 * TICK).succeeds();
    assert_eq!(world.position(cal, BTC), -10, "first in time at the best price");
    assert_eq!(world.position(bob, BTC), -5);
    assert_eq!(world.slot(ann, BTC).basis.unsigned_abs(), 15 * PRICE);
    world.buy(ann, BTC, 100, PRICE + 5 * TICK).succeeds();
    assert_eq!(world.slot(ann, BTC).basis.unsigned_abs(), 20 * PRICE + 10 * (PRICE + TICK));
}

#[test]
fn what_an_immediate_order_does_not_get_is_dropped() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 10, PRICE);
    world.buy(ann, BTC, 25, PRICE).succeeds();
    assert_eq!((world.position(ann, BTC), resting(&mut world, Side::Long)), (10, vec![]));
    // Nothing to match is no error, and leaves nothing behind.
    world.buy(ann, BTC, 25, PRICE).succeeds();
    assert_eq!(world.position(ann, BTC), 10);
}

#[test]
fn a_fill_or_kill_order_fills_completely_or_not_at_all() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 10, PRICE);
    let order = |lots| instructions::fill_or_kill_order(Side::Long, Price(PRICE), Lots(lots));
    world.place(ann, BTC, order(11)).fails_with(BallastError::NotFilled);
    assert_eq!(resting(&mut world, Side::Short), [(PRICE, 10)]);
    world.place(ann, BTC, order(10)).succeeds();
    assert_eq!(world.position(ann, BTC), 10);
}

#[test]
fn a_post_only_order_never_takes() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 10, PRICE);
    let order = |price| post_only_order(Side::Long, Price(price), Lots(10));
    world.place(ann, BTC, order(PRICE)).fails_with(BallastError::WouldMatch);
    world.place(ann, BTC, order(PRICE + TICK)).fails_with(BallastError::WouldMatch);
    world.place(ann, BTC, order(PRICE - TICK)).succeeds();
}

#[test]
fn a_reduce_only_order_stops_at_zero() {
    let (mut world, ann, bob) = two();
    world.reduce(ann, BTC, Side::Short, 1, PRICE).fails_with(BallastError::NotReducing);
    world.trade(BTC, ann, bob, 20, PRICE);
    world.reduce(ann, BTC, Side::Long, 1, PRICE).fails_with(BallastError::NotReducing);
    world.bid(bob, BTC, 100, PRICE);
    let pegged = OrderArgs { reduce_only: true, ..pegged_order(Side::Short, 0, Price(PRICE), Lots(20)) };
    world.place(ann, BTC, pegged).fails_with(BallastError::NotReducing);
    world.reduce(ann, BTC, Side::Short, 100, PRICE).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
}

#[test]
fn orders_of_one_owner_never_trade_with_each_other() {
    let (mut world, ann, bob) = two();
    let twin = world.another_account(ann, 10_000 * DOLLAR);
    let buy = |mode| OrderArgs { self_trade: mode, ..market_order(Side::Long, Price(PRICE), Lots(15)) };

    world.ask(twin, BTC, 10, PRICE);
    world.ask(bob, BTC, 10, PRICE);
    world.place(ann, BTC, buy(SelfTradeMode::CancelTaking)).succeeds();
    assert_eq!((world.position(ann, BTC), world.position(twin, BTC)), (0, 0), "the new order ends there");

    world.place(ann, BTC, buy(SelfTradeMode::Decrement)).succeeds();
    assert_eq!((world.position(ann, BTC), world.position(twin, BTC)), (5, 0), "both shrink by ten");
    assert_eq!(resting(&mut world, Side::Short), [(PRICE, 5)]);

    world.cancel_all(bob, BTC, None, 10).succeeds();
    world.ask(twin, BTC, 10, PRICE);
    world.ask(bob, BTC, 10, PRICE);
    world.place(ann, BTC, buy(SelfTradeMode::CancelResting)).succeeds();
    assert_eq!((world.position(ann, BTC), world.position(twin, BTC)), (15, 0), "the resting order is gone");
    assert_eq!(resting(&mut world, Side::Short), []);
}

#[test]
fn an_order_is_cancelled_by_its_owner_alone_and_once() {
    let (mut world, ann, bob) = two();
    let order = world.bid(ann, BTC, 10, PRICE);
    world.cancel(bob, BTC, order).fails_with(BallastError::NothingHere);
    world.bid(bob, BTC, 10, PRICE);
    world.cancel(bob, BTC, order).fails_with(BallastError::OrderNotFound);
    let other = world.bid(ann, BTC, 10, PRICE - TICK);
    world.cancel(ann, BTC, order).succeeds();
    world.cancel(ann, BTC, order).fails_with(BallastError::OrderNotFound);
    world.cancel(ann, BTC, other).succeeds();
    // With her last order went her seat.
    world.cancel(ann, BTC, other).fails_with(BallastError::NothingHere);
    assert_eq!(resting(&mut world, Side::Long), [(PRICE, 10)]);
}

#[test]
fn all_orders_or_those_of_a_side_are_cancelled() {
    let (mut world, ann, _bob) = two();
    for step in 1..=5 {
        world.bid(ann, BTC, 1, PRICE - step * TICK);
        world.ask(ann, BTC, 1, PRICE + step * TICK);
    }
    world.cancel_all(ann, BTC, Some(Side::Long), 2).succeeds();
    assert_eq!((resting(&mut world, Side::Long).len(), resting(&mut world, Side::Short).len()), (3, 5));
    world.cancel_all(ann, BTC, Some(Side::Short), 100).succeeds();
    assert_eq!((resting(&mut world, Side::Long).len(), resting(&mut world, Side::Short).len()), (3, 0));
    world.cancel_all(ann, BTC, None, 100).succeeds();
    assert_eq!(resting(&mut world, Side::Long), []);
}

#[test]
fn nothing_rests_or_matches_outside_the_band() {
    let (mut world, ann, bob) = two();
    // The band is ten per cent wide on each side.
    let (low, high) = (9 * DOLLAR, 11 * DOLLAR);
    let rest = |side, price| post_only_order(side, Price(price), Lots(10));
    world.place(ann, BTC, rest(Side::Long, low - TICK)).fails_with(BallastError::OutsideBand);
    world.place(bob, BTC, rest(Side::Short, high + TICK)).fails_with(BallastError::OutsideBand);
    world.place(ann, BTC, rest(Side::Long, low)).succeeds();
    world.place(bob, BTC, rest(Side::Short, high)).succeeds();
    // The mark falls: the ask is out of reach now, even for whoever would pay it.
    world.move_price(BTC, 9 * DOLLAR + DOLLAR / 2);
    world.buy(ann, BTC, 10, high).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
    world.sell(bob, BTC, 10, low).succeeds();
    assert_eq!(world.position(bob, BTC), -10, "the bid is still inside");
}

#[test]
fn an_expired_order_does_not_match_and_makes_room() {
    let (mut world, ann, bob) = two();
    let expires_at = world.now + 30;
    let order = OrderArgs { expires_at, ..post_only_order(Side::Short, Price(PRICE), Lots(10)) };
    world.place(bob, BTC, order.clone()).succeeds();
    world.advance(29);
    world.buy(ann, BTC, 4, PRICE).succeeds();
    assert_eq!(world.position(ann, BTC), 4);
    world.advance(1);
    world.buy(ann, BTC, 4, PRICE).succeeds();
    assert_eq!((world.position(ann, BTC), resting(&mut world, Side::Short)), (4, vec![]));
    world.place(bob, BTC, order).fails_with(BallastError::Expired);
}

#[test]
fn orders_that_nobody_can_hit_are_pruned_by_anyone_and_no_others() {
    let (mut world, ann, bob) = two();
    world.bid(ann, BTC, 10, PRICE);
    world.bid(ann, BTC, 10, PRICE - TICK);
    world.bid(ann, BTC, 10, 9 * DOLLAR);
    let expires_at = world.now + 10;
    let expiring = OrderArgs { expires_at, ..post_only_order(Side::Short, Price(PRICE + TICK), Lots(10)) };
    world.place(bob, BTC, expiring).succeeds();
    world.prune(BTC, Side::Long, 10).fails_with(BallastError::NothingHere);
    world.prune(BTC, Side::Short, 10).fails_with(BallastError::NothingHere);
    // The mark falls to where the two upper bids are more than a tenth above it.
    world.move_price(BTC, 9 * DOLLAR);
    world.prune(BTC, Side::Long, 1).succeeds();
    world.prune(BTC, Side::Long, 10).succeeds();
    world.prune(BTC, Side::Long, 10).fails_with(BallastError::NothingHere);
    assert_eq!(resting(&mut world, Side::Long), [(9 * DOLLAR, 10)]);
    world.prune(BTC, Side::Short, 10).succeeds();
    assert_eq!(resting(&mut world, Side::Short), []);
    world.wait(121);
    world.prune(BTC, Side::Long, 10).fails_with(BallastError::OracleStale);
}

#[test]
fn sizes_and_prices_outside_the_markets_limits_are_refused() {
    let (mut world, ann, _bob) = two();
    world.update_market(BTC, |params| params.min_lots = 5).succeeds();
    let order = |price, lots| limit_order(Side::Long, Price(price), Lots(lots));
    world.place(ann, BTC, order(PRICE, 0)).fails_with(BallastError::ZeroAmount);
    world.place(ann, BTC, order(PRICE, 4)).fails_with(BallastError::TooSmall);
    world.place(ann, BTC, order(PRICE, 1 << 40)).fails_with(BallastError::TooLarge);
    world.place(ann, BTC, order(PRICE, u64::MAX)).fails_with(BallastError::TooLarge);
    world.place(ann, BTC, order(0, 5)).fails_with(BallastError::BadPrice);
    world.place(ann, BTC, order(PRICE + 1, 5)).fails_with(BallastError::BadPrice);
    world.place(ann, BTC, order(1 << 40, 5)).fails_with(BallastError::BadPrice);
    world.place(ann, BTC, OrderArgs { max_makers: 65, ..order(PRICE, 5) }).fails_with(BallastError::TooLarge);
}

#[test]
fn an_account_rests_only_so_many_orders() {
    let (mut world, ann, _bob) = two();
    world.update_market(BTC, |params| params.max_orders_per_account = 3).succeeds();
    for step in 1..=3 {
        world.bid(ann, BTC, 1, PRICE - step * TICK);
    }
    let fourth = post_only_order(Side::Long, Price(PRICE), Lots(1));
    world.place(ann, BTC, fourth).fails_with(BallastError::TooLarge);
}

#[test]
fn a_taker_meets_no_more_makers_than_it_allows_and_does_not_rest_across_them() {
    let (mut world, ann, bob) = two();
    for _ in 0..3 {
        world.ask(bob, BTC, 1, PRICE);
    }
    let order = OrderArgs { max_makers: 2, ..limit_order(Side::Long, Price(PRICE), Lots(10)) };
    world.place(ann, BTC, order).succeeds();
    assert_eq!(world.position(ann, BTC), 2);
    assert_eq!((resting(&mut world, Side::Long), resting(&mut world, Side::Short).len()), (vec![], 1));
}

#[test]
fn a_market_that_only_reduces_or_is_paused_takes_no_new_risk() {
    let (mut world, ann, bob) = two();
    world.trade(BTC, ann, bob, 20, PRICE);
    let bid = world.bid(bob, BTC, 20, PRICE);
    let admin = world.admin.insecure_clone();
    let (exchange, market) = (world.keys.exchange, world.market_keys(BTC).market);
    let set = |status| instructions::set_market_status(&admin.pubkey(), &exchange, &market, status);
    world.send(&[set(MarketStatus::ReduceOnly)], &[&admin]).succeeds();
    world.buy(ann, BTC, 1, PRICE).fails_with(BallastError::MarketState);
    world.reduce(ann, BTC, Side::Short, 5, PRICE).succeeds();
    world.send(&[set(MarketStatus::Paused)], &[&admin]).succeeds();
    world.reduce(ann, BTC, Side::Short, 5, PRICE).fails_with(BallastError::MarketState);
    world.cancel(bob, BTC, bid).succeeds();
    world.settle(ann, bob, BTC).succeeds();
}

#[test]
fn an_account_is_in_sixteen_markets_at_most() {
    let small = MarketSpec { cells: 64, blocks: 64, ..MarketSpec::btc() };
    let mut world = World::new(&vec![small; 17]);
    let ann = world.trader(10_000 * DOLLAR);
    let order = || post_only_order(Side::Long, Price(PRICE), Lots(1));
    for market in 0..16 {
        world.place(ann, market, order()).succeeds();
    }
    world.place(ann, 16, order()).fails_with(BallastError::NoFreeSlot);
    // One that is empty again makes room.
    world.cancel_all(ann, 7, None, 1).succeeds();
    world.place(ann, 16, order()).succeeds();
}

#[test]
fn a_full_book_says_so_and_pruning_or_cancelling_makes_room() {
    let mut world = World::new(&[MarketSpec { blocks: 64, ..MarketSpec::btc() }]);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    for step in 1..=63 {
        world.bid(ann, BTC, 1, PRICE - step * TICK);
    }
    let order = || post_only_order(Side::Long, Price(PRICE), Lots(1));
    world.place(bob, BTC, order()).fails_with(BallastError::BookFull);
    // Whoever takes needs no room.
    world.sell(bob, BTC, 1, 9 * DOLLAR).succeeds();
    world.cancel_all(ann, BTC, None, 2).succeeds();
    world.place(bob, BTC, order()).succeeds();
}
