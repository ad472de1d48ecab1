//! Seats: where fills wait until the maker's account is touched, and what folding them pays.

use ballast_client::{ballast::error::BallastError, units::Side};
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, World};

const PRICE: u64 = 10 * DOLLAR;

#[test]
fn a_fill_counts_for_the_maker_before_anybody_settles_it() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    world.ask(bob, BTC, 100, PRICE);
    world.buy(ann, BTC, 100, PRICE).succeeds();
    assert_eq!(world.slot(bob, BTC).lots, 0, "the account is untouched");
    assert_eq!(world.position(bob, BTC), -100, "but the position is there");
    let equity = world.equity(bob);
    world.move_price(BTC, PRICE + DOLLAR / 10);
    assert_eq!(world.equity(bob), equity - 100 * 100_000, "and loses");
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!((world.slot(bob, BTC).lots, world.position(bob, BTC)), (-100, -100));
    assert_eq!(world.equity(bob), equity - 100 * 100_000);
}

#[test]
fn a_filled_makers_margin_is_what_the_position_needs() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(600 * DOLLAR));
    world.ask(bob, BTC, 1_000, PRICE);
    world.buy(ann, BTC, 1_000, PRICE).succeeds();
    // $500 of $600 are bound; the fill waits in the seat.
    world.withdraw(bob, 200 * DOLLAR).fails_with(BallastError::InsufficientMargin);
    world.withdraw(bob, 90 * DOLLAR).succeeds();
}

#[test]
fn settling_a_seat_pays_a_tenth_of_the_fees_that_it_brought_up_to_the_limit() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    let kit = world.trader(0);
    world.ask(bob, BTC, 1, PRICE);
    world.buy(ann, BTC, 1, PRICE).succeeds();
    // Fees of 100 and 350 ppm of $10.
    let fees = 1_000 + 3_500;
    world.settle(kit, bob, BTC).succeeds();
    assert_eq!(world.collateral(kit), fees / 10);
    world.settle(kit, bob, BTC).succeeds();
    assert_eq!(world.collateral(kit), fees / 10, "once");
    world.ask(bob, BTC, 5_000, PRICE);
    world.buy(ann, BTC, 5_000, PRICE).succeeds();
    world.settle(kit, bob, BTC).succeeds();
    assert_eq!(world.collateral(kit), fees / 10 + 10_000, "a cent at most");
}

#[test]
fn a_seat_is_given_back_when_nothing_is_left_in_it() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    world.ask(bob, BTC, 10, PRICE);
    assert_ne!(world.slot(bob, BTC).seat, 0);
    world.buy(ann, BTC, 10, PRICE).succeeds();
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!(world.slot(bob, BTC).seat, 0);
    assert_eq!(world.slot(ann, BTC).seat, 0, "a taker needs none");
}

#[test]
fn fills_on_both_sides_leave_only_the_difference_of_the_prices() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.bid(bob, BTC, 100, PRICE - 100_000);
    world.ask(bob, BTC, 100, PRICE + 100_000);
    world.buy(ann, BTC, 100, PRICE + 100_000).succeeds();
    world.sell(ann, BTC, 100, PRICE - 100_000).succeeds();
    assert_eq!((world.position(ann, BTC), world.position(bob, BTC)), (0, 0));
    let before = world.collateral(bob);
    world.settle(ann, bob, BTC).succeeds();
    // Bob earned the spread; Ann's loss of it is in the pool already, and so is it paid.
    let fees = 2 * 1_000_000_000 / 10_000;
    assert_eq!(world.collateral(bob), before + 100 * 200_000 - fees);
    assert_eq!(world.market(BTC).pool, 0);
    assert!(world.margin_account(bob).slot_index(BTC).is_none(), "the slot is free again");
}

#[test]
fn settling_needs_neither_a_fresh_price_nor_an_open_market() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.trade(ETH, bob, ann, 10, 4 * DOLLAR);
    world.ask(bob, BTC, 10, PRICE);
    world.buy(ann, BTC, 10, PRICE).succeeds();
    world.wait(100_000);
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!(world.slot(bob, BTC).lots, -10);
    world.reduce(bob, BTC, Side::Long, 10, PRICE).fails_with(BallastError::OracleStale);
}

#[test]
fn settling_an_account_without_anything_in_the_market_is_refused() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(DOLLAR), world.trader(DOLLAR));
    world.settle(ann, bob, BTC).fails_with(BallastError::NothingHere);
}
