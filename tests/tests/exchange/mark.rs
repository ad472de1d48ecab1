//! The book's say in the mark, and what pushing the book cannot do.

use ballast_client::{
    ballast::error::BallastError,
    instructions::post_only_order,
    units::{Lots, Price, Side},
};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, DOLLAR, Expect, MarketSpec, Trader, World};

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// A market whose book has half a say, up to one per cent from the oracle, where it holds $1,000 on both sides.
fn blended() -> World {
    World::new(&[MarketSpec { blocks: 1_024, ..MarketSpec::btc() }.with(|params| {
        params.mark_book_weight_bps = 5_000;
        params.mark_book_clamp_bps = 100;
        params.max_orders_per_account = 256;
        // Funding has no part in this.
        params.funding_clamp_ppb = 1;
    })])
}

/// Lets `maker` stand `lots` on both sides of a middle.
fn quote(world: &mut World, maker: Trader, middle: u64, lots: u64) {
    world.bid(maker, BTC, lots, middle - CENT);
    world.ask(maker, BTC, lots, middle + CENT);
}

fn clear(world: &mut World, maker: Trader) {
    world.cancel_all(maker, BTC, None, 256).succeeds();
}

fn mark(world: &mut World) -> u64 {
    world.market(BTC).mark().0
}

#[test]
fn a_book_with_depth_on_both_sides_moves_the_mark_by_its_weight() {
    let mut world = blended();
    let maker = world.trader(1_000_000 * DOLLAR);
    quote(&mut world, maker, PRICE + 8 * CENT, 200);
    world.advance(5);
    assert_eq!(mark(&mut world), PRICE, "one sample supports nothing");
    world.advance(5);
    assert_eq!(mark(&mut world), PRICE + 4 * CENT);
    // Further away than it counts.
    clear(&mut world, maker);
    quote(&mut world, maker, PRICE + 50 * CENT, 200);
    for _ in 0..3 {
        world.advance(5);
    }
    assert_eq!(mark(&mut world), PRICE + 5 * CENT);
    // Too thin on one side.
    clear(&mut world, maker);
    world.bid(maker, BTC, 200, PRICE + 7 * CENT);
    world.ask(maker, BTC, 90, PRICE + 9 * CENT);
    world.advance(5);
    assert_eq!(mark(&mut world), PRICE);
}

#[test]
fn switched_off_the_book_has_no_say() {
    let mut world = World::btc();
    let maker = world.trader(1_000_000 * DOLLAR);
    quote(&mut world, maker, PRICE + 50 * CENT, 1_000);
    for _ in 0..5 {
        world.advance(5);
    }
    assert_eq!(mark(&mut world), PRICE);
}

#[test]
fn a_book_pushed_for_one_refresh_moves_nothing() {
    let mut world = blended();
    let (maker, attacker) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    quote(&mut world, maker, PRICE, 200);
    for _ in 0..3 {
        world.advance(5);
    }
    clear(&mut world, maker);
    quote(&mut world, attacker, PRICE + 48 * CENT, 10_000);
    world.advance(5);
    assert_eq!(mark(&mut world), PRICE);
    clear(&mut world, attacker);
    quote(&mut world, maker, PRICE, 200);
    for _ in 0..3 {
        world.advance(5);
        assert_eq!(mark(&mut world), PRICE);
    }
}

#[test]
fn many_orders_of_next_to_nothing_are_no_depth() {
    let mut world = blended();
    let attacker = world.trader(1_000_000 * DOLLAR);
    for _ in 0..70 {
        world.bid(attacker, BTC, 1, PRICE + 48 * CENT);
        world.ask(attacker, BTC, 1, PRICE + 50 * CENT);
    }
    for _ in 0..4 {
        world.advance(5);
    }
    assert_eq!(mark(&mut world), PRICE, "64 lots of ten dollars are not a thousand");
}

#[test]
fn a_mark_that_the_book_pushed_liquidates_nobody() {
    let mut world = blended();
    let (ann, bob, attacker) =
        (world.trader(600 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let edge = 9 * DOLLAR + 66 * CENT;
    world.move_price(BTC, edge);
    assert_eq!(world.stage(ann), Stage::Restricted);
    quote(&mut world, attacker, edge - 46 * CENT, 10_000);
    for _ in 0..10 {
        world.advance(5);
        world.liquidate(bob, ann, BTC).fails_with(BallastError::NotEligible);
    }
    let pushed = mark(&mut world);
    assert!(pushed < edge - 4 * CENT, "{pushed}");
    let account = world.assess(ann).account;
    assert_eq!(account.stage(), Stage::Partial, "as it would be by the mark alone");
}

#[test]
fn a_mark_that_the_book_pushed_saves_nobody_and_lets_nobody_withdraw() {
    let mut world = blended();
    let (ann, bob, friend) =
        (world.trader(600 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    quote(&mut world, friend, PRICE + 50 * CENT, 10_000);
    for _ in 0..10 {
        world.advance(5);
    }
    assert_eq!(mark(&mut world), PRICE + 5 * CENT);
    // At the oracle's price $96.50 is free, at the mark five cents a lot more.
    world.withdraw(ann, 97 * DOLLAR).fails_with(BallastError::InsufficientMargin);
    clear(&mut world, friend);
    world.move_price(BTC, PRICE);
    let edge = 9 * DOLLAR + 63 * CENT;
    world.set_oracle_price(BTC, edge);
    for _ in 0..10 {
        world.advance(5);
        clear_and_quote(&mut world, friend, edge + 45 * CENT);
    }
    assert!(mark(&mut world) > edge + 4 * CENT);
    assert!(world.assess(ann).account.stage() < Stage::Partial, "by the mark alone");
    assert_eq!(world.stage(ann), Stage::Partial);
    world.liquidate(friend, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), 800);
}

fn clear_and_quote(world: &mut World, maker: Trader, middle: u64) {
    if world.slot(maker, BTC).seat != 0 {
        clear(world, maker);
    }
    quote(world, maker, middle / 100 * 100, 10_000);
}

#[test]
fn a_tick_that_was_seen_before_or_is_older_changes_nothing() {
    let mut world = World::btc();
    world.wait(1);
    let first = world.observe(BTC, PRICE + CENT);
    world.publish(BTC, &first).succeeds();
    let before = world.market(BTC);
    world.publish(BTC, &first).fails_with(BallastError::OracleNotNewer);
    world.wait(1);
    world.publish(BTC, &first).fails_with(BallastError::OracleNotNewer);
    // Another price with the same time is the same tick.
    let mut again = world.observe(BTC, PRICE * 2);
    again.price.publish_time = first.price.publish_time;
    world.publish(BTC, &again).fails_with(BallastError::OracleNotNewer);
    again.price.publish_time -= 1;
    world.publish(BTC, &again).fails_with(BallastError::OracleNotNewer);
    assert_eq!(*world.market(BTC).mark_state(), *before.mark_state());
}

#[test]
fn a_tick_from_the_future_cannot_stop_the_ticks_after_it() {
    let mut world = World::btc();
    world.wait(1);
    let mut future = world.observe(BTC, PRICE);
    future.price.publish_time = world.now + 6;
    world.publish(BTC, &future).fails_with(BallastError::OracleFuture);
    // Within what clocks may differ by, it stops others for as long at most.
    future.price.publish_time = world.now + 5;
    world.publish(BTC, &future).succeeds();
    world.wait(5);
    let next = world.observe(BTC, PRICE);
    world.publish(BTC, &next).fails_with(BallastError::OracleNotNewer);
    world.wait(1);
    let next = world.observe(BTC, PRICE);
    world.publish(BTC, &next).succeeds();
}

#[test]
fn a_wide_tick_moves_the_mark_but_nobody_opens_or_is_liquidated_on_it() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(600 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let wide = |world: &mut World| {
        world.wait(10);
        let mut observation = world.observe(BTC, 9 * DOLLAR);
        observation.price.conf = observation.price.price.unsigned_abs() / 50;
        world.publish(BTC, &observation).succeeds();
    };
    for _ in 0..3 {
        wide(&mut world);
    }
    assert!(mark(&mut world) < 9 * DOLLAR + 50 * CENT);
    world.liquidate(bob, ann, BTC).fails_with(BallastError::OracleWide);
    world.withdraw(ann, DOLLAR).fails_with(BallastError::OracleWide);
    let rest = post_only_order(Side::Long, Price(9 * DOLLAR), Lots(1));
    world.place(bob, BTC, rest).fails_with(BallastError::OracleWide);
}

#[test]
fn ticks_of_every_other_second_do_not_poison_the_slow_average() {
    let mut world = World::btc();
    for turn in 0..100 {
        world.wait(1);
        let observation = world.observe(BTC, if turn % 2 == 0 { PRICE * 19 / 10 } else { PRICE });
        world.publish(BTC, &observation).succeeds();
        assert_eq!(world.market(BTC).mark_state().slow_average(), Price(PRICE));
    }
}
