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

#[test]
fn fills_that_wait_in_a_seat_pay_and_receive_funding_from_the_fill_on() {
    let mut world = World::btc();
    let [ann, bob, quoter] = [5_000, 5_000, 100_000].map(|dollars| world.trader(dollars * DOLLAR));
    // The book stands a per cent above the index: longs pay.
    world.bid(quoter, BTC, 1_000, PRICE + 90_000);
    world.ask(quoter, BTC, 1_000, PRICE + 110_000);
    let hours = |world: &mut World| (0..90).for_each(|_| world.advance(60));
    hours(&mut world);
    world.ask(bob, BTC, 1_003, PRICE + 100_000);
    world.buy(ann, BTC, 1_003, PRICE + 100_000).succeeds();
    hours(&mut world);
    let index = world.market(BTC).funding_index();
    let (long, short) = (world.holding(ann, BTC).funding.0, world.holding(bob, BTC).funding.0);
    assert!(long < -10_000_000, "an hour and a half: {long}");
    assert_eq!(short, -long - 1, "the receiver rounds down, the payer up");
    assert_eq!(world.slot(bob, BTC).lots, 0, "he was not touched");

    // He buys some back, at another index: those lots have received from the first fill to the second.
    world.bid(bob, BTC, 400, PRICE + 100_000);
    world.sell(ann, BTC, 400, PRICE + 100_000).succeeds();
    let kept = world.holding(bob, BTC).funding.0;
    hours(&mut world);
    let moved = world.market(BTC).funding_index() - index;
    let more = world.holding(bob, BTC).funding.0 - kept;
    assert!((more - 603 * moved / (1 << 24)).abs() <= 1, "{more}");

    // Whoever is settled first, all that longs pay reaches shorts, and what rounding leaves is dust, which the audit counts.
    world.settle(quoter, ann, BTC).succeeds();
    let (owed, before) = (world.holding(bob, BTC).funding.0, world.equity(bob));
    assert!(owed > 0);
    world.settle(quoter, bob, BTC).succeeds();
    assert_eq!((world.equity(bob), world.holding(bob, BTC).funding.0), (before, 0));
}

#[test]
fn a_rebate_is_set_aside_from_the_takers_fee_and_paid_when_the_seat_is_folded() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.ask(bob, BTC, 100, PRICE);
    world.set_maker_fee(bob, BTC, -100);
    world.buy(ann, BTC, 100, PRICE).succeeds();
    // $1,000 at 350 and 100 ppm.
    let (fee, rebate) = (350_000, 100_000);
    let market = world.market(BTC);
    assert_eq!((market.rebates, market.fees + market.insurance_fees), (rebate, fee - rebate));
    let before = world.collateral(bob);
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!((world.collateral(bob), world.market(BTC).rebates), (before + rebate, 0));
}

#[test]
fn a_taker_who_cannot_pay_its_fee_earns_nobody_a_rebate() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, PRICE + DOLLAR / 4);
    // All that Ann has is a profit that is not realised.
    let all = world.collateral(ann);
    let spare = world.assess(ann).account.free_collateral();
    world.withdraw(ann, spare).succeeds();
    assert!(spare < all);
    world.bid(bob, BTC, 1_000, PRICE + DOLLAR / 4);
    world.set_maker_fee(bob, BTC, -300);
    let left = world.collateral(ann);
    world.sell(ann, BTC, 1_000, PRICE + DOLLAR / 4).succeeds();
    let granted = world.market(BTC).rebates;
    assert!(granted <= left, "{granted} of {left}");
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!(world.market(BTC).rebates, 0);
}

#[test]
fn a_fee_takes_from_rebates_that_wait_and_a_rebate_pays_fees_that_wait() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    let before = world.collateral(bob);
    let mut fills = |ppm: i16| {
        world.ask(bob, BTC, 10, PRICE);
        world.set_maker_fee(bob, BTC, ppm);
        world.buy(ann, BTC, 10, PRICE).succeeds();
        world.market(BTC).rebates
    };
    // $100 each time.
    let waiting = [-100, 250, -200].map(&mut fills);
    assert_eq!(waiting, [10_000, 0, 5_000]);
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!((world.collateral(bob), world.market(BTC).rebates), (before + 5_000, 0));
}
