//! Orders that follow the mark.

use ballast_client::{
    ballast::{OrderArgs, OrderRef, error::BallastError},
    instructions::{limit_order, market_order, pegged_order},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, Expect, Trader, World, order_ids};

const PRICE: u64 = 10 * DOLLAR;
const TICK: u64 = 100;

fn two() -> (World, Trader, Trader) {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    (world, ann, bob)
}

fn ticks(count: i64) -> i64 {
    count * 100
}

fn peg(side: Side, offset: i64, limit: u64, lots: u64) -> OrderArgs {
    pegged_order(side, ticks(offset), Price(limit), Lots(lots))
}

#[test]
fn a_pegged_order_trades_where_the_mark_has_brought_it() {
    let (mut world, ann, bob) = two();
    world.place(bob, BTC, peg(Side::Short, 5, PRICE - DOLLAR, 10)).succeeds();
    world.buy(ann, BTC, 1, PRICE + 4 * TICK).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
    world.buy(ann, BTC, 1, PRICE + 5 * TICK).succeeds();
    assert_eq!((world.position(ann, BTC), world.slot(ann, BTC).basis.unsigned_abs()), (1, PRICE + 5 * TICK));
    // Between two ticks an ask stands from the upper one, a bid from the lower.
    world.move_price(BTC, PRICE + DOLLAR / 10 + TICK / 2);
    let standing = PRICE + DOLLAR / 10 + 6 * TICK;
    world.buy(ann, BTC, 1, standing - TICK).succeeds();
    assert_eq!(world.position(ann, BTC), 1);
    world.buy(ann, BTC, 1, standing).succeeds();
    assert_eq!(world.position(ann, BTC), 2);
    world.place(bob, BTC, peg(Side::Long, -5, PRICE + DOLLAR, 10)).succeeds();
    world.sell(ann, BTC, 1, PRICE + DOLLAR / 10 - 4 * TICK).succeeds();
    assert_eq!(world.position(ann, BTC), 2);
    world.sell(ann, BTC, 1, PRICE + DOLLAR / 10 - 5 * TICK).succeeds();
    assert_eq!(world.position(ann, BTC), 1);
    assert_eq!(world.position(bob, BTC), -1);
}

#[test]
fn pegged_and_fixed_orders_at_a_price_wait_in_the_order_of_their_arrival() {
    let (mut world, ann, bob) = two();
    let (cal, dan) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.ask(bob, BTC, 1, PRICE + TICK);
    world.place(cal, BTC, peg(Side::Short, 1, PRICE, 1)).succeeds();
    world.ask(dan, BTC, 1, PRICE + TICK);
    let held = |world: &mut World| [bob, cal, dan].map(|trader| -world.position(trader, BTC));
    world.buy(ann, BTC, 1, PRICE + TICK).succeeds();
    assert_eq!(held(&mut world), [1, 0, 0]);
    world.buy(ann, BTC, 1, PRICE + TICK).succeeds();
    assert_eq!(held(&mut world), [1, 1, 0]);
    world.buy(ann, BTC, 1, PRICE + TICK).succeeds();
    assert_eq!(held(&mut world), [1, 1, 1]);
}

#[test]
fn a_peg_that_stands_beyond_its_limit_is_removed_by_whoever_meets_it() {
    let (mut world, ann, bob) = two();
    world.place(bob, BTC, peg(Side::Short, 5, PRICE, 10)).succeeds();
    world.ask(bob, BTC, 10, PRICE - DOLLAR / 20);
    let reserved = world.holding(bob, BTC).ask_quote;
    world.move_price(BTC, PRICE - DOLLAR / 10);
    assert_eq!(world.holding(bob, BTC).ask_quote, reserved, "the mark does not change what is reserved");
    // It stands far below ten dollars, the least it may be sold for, and before the other.
    world.buy(ann, BTC, 4, PRICE).succeeds();
    assert_eq!((world.position(ann, BTC), world.slot(ann, BTC).basis.unsigned_abs()), (4, 4 * (PRICE - DOLLAR / 20)));
    assert_eq!(world.holding(bob, BTC).asks.0, 6);
}

#[test]
fn pegs_that_nobody_can_hit_are_pruned() {
    let (mut world, _, bob) = two();
    world.place(bob, BTC, peg(Side::Short, 5, PRICE, 10)).succeeds();
    world.prune(BTC, Side::Short, 9).fails_with(BallastError::NothingHere);
    world.move_price(BTC, PRICE - DOLLAR / 10);
    world.prune(BTC, Side::Short, 9).succeeds();
    assert_eq!(world.holding(bob, BTC).asks.0, 0);
}

#[test]
fn any_number_of_pegs_beyond_their_limit_keeps_nobody_from_resting() {
    let (mut world, ann, bob) = two();
    for _ in 0..30 {
        world.place(bob, BTC, peg(Side::Short, 1, PRICE + TICK, 1)).succeeds();
    }
    world.move_price(BTC, PRICE - TICK);
    let rests = |price| ballast_client::instructions::post_only_order(Side::Long, Price(price), Lots(1));
    world.place(ann, BTC, rests(PRICE)).succeeds();
    assert_eq!((world.holding(ann, BTC).bids.0, world.holding(bob, BTC).asks.0), (1, 0));
}

#[test]
fn a_post_only_peg_never_takes_and_no_post_only_order_takes_a_peg() {
    let (mut world, ann, bob) = two();
    world.place(bob, BTC, peg(Side::Short, 2, PRICE, 10)).succeeds();
    let high = PRICE + DOLLAR / 2;
    world.place(ann, BTC, peg(Side::Long, 2, high, 1)).fails_with(BallastError::WouldMatch);
    world.place(ann, BTC, peg(Side::Long, 1, high, 1)).succeeds();
    let fixed = ballast_client::instructions::post_only_order(Side::Short, Price(PRICE + TICK), Lots(1));
    world.place(bob, BTC, fixed).fails_with(BallastError::WouldMatch);
    // As a limit order it takes, and the rest stands where its peg puts it.
    let takes = OrderArgs { peg: Some(ticks(2)), ..limit_order(Side::Long, Price(high), Lots(15)) };
    world.place(ann, BTC, takes).succeeds();
    assert_eq!((world.position(ann, BTC), world.holding(ann, BTC).bids.0), (10, 6));
}

#[test]
fn a_peg_slides_to_another_offset() {
    let (mut world, ann, bob) = two();
    world.ask(bob, BTC, 1, PRICE);
    let slides = OrderArgs {
        kind: ballast_client::ballast::OrderKind::PostOnlySlide,
        ..peg(Side::Long, 3, PRICE + DOLLAR / 10, 1)
    };
    let id = order_ids(&world.place(ann, BTC, slides).succeeds())[0];
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("sound slabs");
    let order = view.market(BTC).expect("the market").book.order(id).expect("it rests");
    assert_eq!((order.peg, order.price.0), (Some(ticks(-1)), PRICE + DOLLAR / 10));
}

#[test]
fn pegs_that_make_no_sense_are_refused() {
    let (mut world, ann, _) = two();
    let place = |world: &mut World, order| world.place(ann, BTC, order);
    let off_tick = OrderArgs { peg: Some(-150), ..peg(Side::Long, -1, PRICE, 1) };
    place(&mut world, off_tick).fails_with(BallastError::BadPrice);
    // Beyond its limit already.
    place(&mut world, peg(Side::Long, 1, PRICE, 1)).fails_with(BallastError::BadPrice);
    place(&mut world, peg(Side::Short, -1, PRICE, 1)).fails_with(BallastError::BadPrice);
    // Outside the band of ten per cent, below nothing, beyond all numbers.
    place(&mut world, peg(Side::Long, -10_001, PRICE, 1)).fails_with(BallastError::OutsideBand);
    place(&mut world, peg(Side::Long, -100_001, PRICE, 1)).fails_with(BallastError::BadPrice);
    for offset in [i64::MAX / 100 * 100, i64::MIN / 100 * 100] {
        let far = OrderArgs { peg: Some(offset), ..peg(Side::Long, -1, PRICE, 1) };
        place(&mut world, far).fails_with(BallastError::BadPrice);
    }
    let taking = OrderArgs { peg: Some(0), ..market_order(Side::Long, Price(PRICE), Lots(1)) };
    place(&mut world, taking).fails_with(BallastError::BadPrice);
}

#[test]
fn a_peg_reserves_margin_at_its_limit_and_is_replaced_and_cancelled_like_any_order() {
    let (mut world, ann, _) = two();
    let id = order_ids(&world.place(ann, BTC, peg(Side::Long, -5, PRICE, 10)).succeeds())[0];
    assert_eq!(world.holding(ann, BTC).bid_quote, 10 * PRICE);
    world.replace(ann, BTC, OrderRef::Id(id.0), peg(Side::Long, -5, PRICE, 4), false).succeeds();
    assert_eq!(world.holding(ann, BTC).bid_quote, 4 * PRICE);
    world.cancel(ann, BTC, id).succeeds();
    assert_eq!(world.holding(ann, BTC).bid_quote, 0);
}
