//! Margin: what positions and orders bind, isolated and cross, and what may be withdrawn.

use ballast_client::{
    ballast::error::BallastError,
    instructions::{limit_order, post_only_order},
    units::{Lots, Price, Side},
};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, World};

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

#[test]
fn opening_needs_initial_margin_after_the_fee_to_the_atom() {
    let mut world = World::btc();
    // $10,000 at 20 times, and 350 ppm of it as the fee.
    let enough = 500 * DOLLAR + 3_500_000;
    let (ann, bob, cal) = (world.trader(enough - 1), world.trader(enough), world.trader(100_000 * DOLLAR));
    world.ask(cal, BTC, 2_000, PRICE);
    world.buy(ann, BTC, 1_000, PRICE).fails_with(BallastError::InsufficientMargin);
    world.buy(bob, BTC, 1_000, PRICE).succeeds();
    assert_eq!(world.equity(bob), 500_000_000);
}

#[test]
fn resting_orders_reserve_their_worst_case() {
    let mut world = World::btc();
    let ann = world.trader(500 * DOLLAR);
    world.bid(ann, BTC, 600, PRICE);
    let order = |side, lots| post_only_order(side, Price(PRICE + CENT * (side == Side::Short) as u64), Lots(lots));
    world.place(ann, BTC, order(Side::Long, 401)).fails_with(BallastError::InsufficientMargin);
    // The other side binds nothing more until it is larger.
    world.place(ann, BTC, order(Side::Short, 600)).succeeds();
    world.place(ann, BTC, order(Side::Short, 401)).fails_with(BallastError::InsufficientMargin);
    world.place(ann, BTC, order(Side::Short, 400)).succeeds();
    world.withdraw(ann, 1).fails_with(BallastError::InsufficientMargin);
    world.cancel_all(ann, BTC, None, 10).succeeds();
    world.withdraw(ann, 500 * DOLLAR).succeeds();
}

#[test]
fn an_order_that_would_lose_against_the_mark_reserves_the_loss() {
    let mut world = World::btc();
    let ann = world.trader(100 * DOLLAR);
    // A lot binds $0.50 of initial margin at the mark, and loses $0.40 at once.
    let dear = |lots| limit_order(Side::Long, Price(PRICE + 40 * CENT), Lots(lots));
    world.place(ann, BTC, dear(112)).fails_with(BallastError::InsufficientMargin);
    world.place(ann, BTC, dear(110)).succeeds();
}

#[test]
fn one_accounts_loss_does_not_touch_the_owners_other_account() {
    let mut world = World::btc();
    let isolated = world.trader(510 * DOLLAR);
    let other = world.another_account(isolated, 10_000 * DOLLAR);
    let bob = world.trader(50_000 * DOLLAR);
    world.trade(BTC, isolated, bob, 1_000, PRICE);
    world.move_price(BTC, 9 * DOLLAR);
    assert_eq!(world.stage(isolated), Stage::Bankrupt);
    assert_eq!(world.equity(other), 10_000_000_000);
    world.withdraw(other, 10_000 * DOLLAR).succeeds();
}

#[test]
fn in_a_cross_account_one_markets_profit_carries_anothers_loss() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    // Short ether of the same value, as a hedge.
    world.trade(ETH, bob, ann, 2_000, 4 * DOLLAR);
    world.move_price(BTC, 9 * DOLLAR + 20 * CENT);
    world.move_price(ETH, 3 * DOLLAR + 60 * CENT);
    // −$800 on one side, +$800 on the other.
    assert!(world.equity(ann) > 990_000_000);
    assert_eq!(world.stage(ann), Stage::Healthy);
    let alone = world.trader(1_000 * DOLLAR);
    world.trade(BTC, alone, bob, 1_000, 9 * DOLLAR + 20 * CENT);
    world.move_price(BTC, 8 * DOLLAR + 40 * CENT);
    assert_ne!(world.stage(alone), Stage::Healthy);
}

#[test]
fn every_market_of_a_cross_account_has_to_be_shown() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 100, PRICE);
    world.trade(ETH, ann, bob, 100, 4 * DOLLAR);
    let (owner, margin, wallet) = (world.owner(ann), world.margin(ann), world.wallet(ann));
    let all = world.others(ann, None);
    let key = solana_signer::Signer::pubkey(&owner);
    let keys = world.keys;
    let withdraw = |others: &[_]| ballast_client::instructions::withdraw(&key, &keys, &margin, &wallet, DOLLAR, others);
    for missing in [&all[..0], &all[..3], &all[3..]] {
        world.send(&[withdraw(missing)], &[&owner]).fails_with(BallastError::MissingMarket);
    }
    world.send(&[withdraw(&all[..5])], &[&owner]).fails_with(BallastError::MissingMarket);
    // In any order.
    let turned: Vec<_> = all[3..].iter().chain(&all[..3]).cloned().collect();
    world.send(&[withdraw(&turned)], &[&owner]).succeeds();
}

#[test]
fn unrealised_profit_backs_positions_with_a_haircut_but_is_not_withdrawn() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(510 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, 11 * DOLLAR);
    // +$1,000, of which $900 count; $550 are bound.
    let account = world.assess(ann).account;
    assert_eq!(account.equity.0 - account.initial_equity.0, 100_000_000);
    world.withdraw(ann, 507 * DOLLAR).fails_with(BallastError::InsufficientSettled);
    let settled = world.collateral(ann);
    world.withdraw(ann, settled).succeeds();
    assert!(world.equity(ann) > 0);
    world.withdraw(ann, 1).fails_with(BallastError::InsufficientSettled);
}

#[test]
fn realised_profit_is_withdrawn_only_when_the_losers_loss_is_realised() {
    let mut world = World::btc();
    let (ann, bob, cal) = (world.trader(1_000 * DOLLAR), world.trader(5_000 * DOLLAR), world.trader(5_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, 10 * DOLLAR + 50 * CENT);
    // Ann sells to Cal: the profit is realised, but Bob's loss is not.
    world.bid(cal, BTC, 1_000, 10 * DOLLAR + 50 * CENT);
    world.reduce(ann, BTC, Side::Short, 1_000, PRICE).succeeds();
    let claim = world.slot(ann, BTC).unsettled;
    assert_eq!(claim, 500_000_000);
    let settled = world.collateral(ann);
    world.withdraw(ann, settled + 1).fails_with(BallastError::InsufficientSettled);
    world.settle(cal, ann, BTC).succeeds();
    assert_eq!(world.slot(ann, BTC).unsettled, claim, "there is nothing in the pool");
    // Bob buys back from Cal: his loss is realised.
    world.settle(bob, cal, BTC).succeeds();
    world.ask(cal, BTC, 1_000, 10 * DOLLAR + 50 * CENT);
    world.reduce(bob, BTC, Side::Long, 1_000, 11 * DOLLAR).succeeds();
    assert_eq!(world.market(BTC).pool, 500 * DOLLAR);
    world.settle(cal, ann, BTC).succeeds();
    assert_eq!((world.market(BTC).pool, world.collateral(ann)), (0, settled + 500 * DOLLAR));
    world.withdraw(ann, settled + 500 * DOLLAR).succeeds();
}

#[test]
fn a_waiting_loss_is_settled_by_anyone_for_a_bounty() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(1_000 * DOLLAR), world.trader(5_000 * DOLLAR), world.trader(0));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, 10 * DOLLAR + 50 * CENT);
    // Bob's loss waits in his seat.
    world.bid(bob, BTC, 1_000, 10 * DOLLAR + 50 * CENT);
    world.reduce(ann, BTC, Side::Short, 1_000, PRICE).succeeds();
    assert_eq!((world.slot(ann, BTC).unsettled, world.market(BTC).pool), (500_000_000, 0));
    world.settle(kit, bob, BTC).succeeds();
    assert_eq!(world.collateral(kit), 10_000);
    world.settle(kit, ann, BTC).succeeds();
    assert_eq!((world.slot(ann, BTC).unsettled, world.market(BTC).pool), (0, 0));
}

#[test]
fn a_loss_that_waits_cannot_be_left_behind_by_withdrawing() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, cal) =
        (world.trader(1_000 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    // Ann has a claim of $200 on the ether pool, which is empty.
    world.trade(ETH, ann, bob, 2_000, 4 * DOLLAR);
    world.move_price(ETH, 4 * DOLLAR + 10 * CENT);
    world.bid(cal, ETH, 2_000, 4 * DOLLAR + 10 * CENT);
    world.reduce(ann, ETH, Side::Short, 2_000, 4 * DOLLAR).succeeds();
    assert_eq!(world.slot(ann, ETH).unsettled, 200_000_000);
    // And a loss of $150 in Bitcoin that waits in the seat.
    world.trade(BTC, bob, ann, 500, PRICE);
    world.move_price(BTC, 10 * DOLLAR + 30 * CENT);
    world.bid(ann, BTC, 500, 10 * DOLLAR + 30 * CENT);
    world.sell(cal, BTC, 500, PRICE).succeeds();
    let settled = world.collateral(ann);
    world.withdraw(ann, settled).fails_with(BallastError::InsufficientSettled);
    world.withdraw(ann, settled - 150 * DOLLAR).fails_with(BallastError::InsufficientSettled);
    let fee = 500 * (10 * DOLLAR + 30 * CENT) / 10_000;
    world.withdraw(ann, settled - 150 * DOLLAR - fee).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!(world.market(BTC).pool, 150 * DOLLAR, "paid in full");
}

#[test]
fn below_initial_margin_one_may_still_reduce_but_not_add() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(520 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let price = 9 * DOLLAR + 80 * CENT;
    world.move_price(BTC, price);
    assert_eq!(world.stage(ann), Stage::Restricted);
    world.bid(bob, BTC, 100, price);
    world.ask(bob, BTC, 100, price + CENT);
    world.buy(ann, BTC, 1, price + CENT).fails_with(BallastError::InsufficientMargin);
    let rest = post_only_order(Side::Short, Price(price + CENT), Lots(1));
    world.place(ann, BTC, rest).fails_with(BallastError::InsufficientMargin);
    world.withdraw(ann, 1).fails_with(BallastError::InsufficientMargin);
    world.reduce(ann, BTC, Side::Short, 100, price).succeeds();
    assert_eq!(world.position(ann, BTC), 900);
}

#[test]
fn nobody_gives_the_margin_away_by_reducing_far_from_the_mark() {
    let mut world = World::btc();
    let (ann, bob, accomplice) =
        (world.trader(520 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, 9 * DOLLAR + 80 * CENT);
    world.bid(accomplice, BTC, 1_000, 9 * DOLLAR);
    world.reduce(ann, BTC, Side::Short, 1_000, 9 * DOLLAR).fails_with(BallastError::InsufficientMargin);
    world.reduce(ann, BTC, Side::Short, 1, 9 * DOLLAR).fails_with(BallastError::InsufficientMargin);
}

#[test]
fn larger_positions_need_margin_at_the_higher_tiers_rate() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(200_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.trade(BTC, ann, bob, 150_000, PRICE);
    // $1,000,000 at 2.5 % and $500,000 at 5 %; initial margin is twice that.
    let account = world.assess(ann).account;
    assert_eq!((account.maintenance, account.initial), (50_000 * DOLLAR, 100_000 * DOLLAR));
}

#[test]
fn fills_that_wait_count_for_the_limit_on_open_interest() {
    let mut world = World::btc_with(|params| params.max_open_interest_lots = 1_000);
    let [ann, bob, cal, dan] = [0; 4].map(|_| world.trader(1_000_000 * DOLLAR));
    // Ann is long 600 from Bob, whose short waits in his seat.
    world.ask(bob, BTC, 600, PRICE);
    world.buy(ann, BTC, 600, PRICE).succeeds();
    // Cal would be short another 600 against Dan: 1,200 together, though the index has 600 a side.
    world.bid(dan, BTC, 600, PRICE);
    world.sell(cal, BTC, 401, PRICE).fails_with(BallastError::TooLarge);
    world.sell(cal, BTC, 400, PRICE).succeeds();
    // Nor does it help to turn: a short of 400 that becomes a long of as many adds 400 to the longs.
    world.update_market(BTC, |params| params.max_open_interest_lots = 999).succeeds();
    world.ask(dan, BTC, 800, PRICE + CENT);
    world.buy(cal, BTC, 800, PRICE + CENT).fails_with(BallastError::TooLarge);
    world.update_market(BTC, |params| params.max_open_interest_lots = 1_000).succeeds();
    // What is settled counts once.
    world.settle(cal, bob, BTC).succeeds();
    world.settle(cal, dan, BTC).succeeds();
    world.sell(cal, BTC, 1, PRICE - CENT).fails_with(BallastError::TooLarge);
}

#[test]
fn positions_and_open_interest_have_limits() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.update_market(BTC, |params| params.max_position_lots = 1_000).succeeds();
    world.ask(bob, BTC, 900, PRICE);
    world.ask(bob, BTC, 100, PRICE);
    world.buy(ann, BTC, 900, PRICE).succeeds();
    let cal = world.trader(100_000 * DOLLAR);
    world.update_market(BTC, |params| params.max_open_interest_lots = 950).succeeds();
    world.buy(cal, BTC, 51, PRICE).fails_with(BallastError::TooLarge);
    world.buy(cal, BTC, 50, PRICE).succeeds();
    world.update_market(BTC, |params| params.max_open_interest_lots = 10_000).succeeds();
    world.cancel_all(bob, BTC, None, 10).succeeds();
    world.ask(cal, BTC, 101, PRICE);
    world.buy(ann, BTC, 101, PRICE).fails_with(BallastError::TooLarge);
    world.buy(ann, BTC, 100, PRICE).succeeds();
}
