//! Forced reduction on the book and by takeover: when, how much, at what price, for what fee.

use ballast_client::{
    ballast::error::BallastError,
    events::{self, Event},
    instructions::post_only_order,
    units::{Lots, Price, Side},
};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Receipt, Trader, World};

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// Ann is long 1,000 lots at $10 with $600 (less a fee of $3.50), Bob is short.
fn thin(world: &mut World) -> (Trader, Trader, Trader) {
    let (ann, bob) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    (ann, bob, kit)
}

fn liquidated(receipt: &Receipt) -> (u64, u64, u64, u64) {
    let found = receipt.events().into_iter().find_map(|event| match event {
        Event::Liquidated(event) => Some((event.lots, event.quote, event.reward, event.to_insurance)),
        _ => None,
    });
    found.expect("the instruction reports a liquidation")
}

#[test]
fn an_account_with_its_maintenance_margin_is_left_alone() {
    let mut world = World::btc();
    let (ann, _bob, kit) = thin(&mut world);
    world.move_price(BTC, 9 * DOLLAR + 66 * CENT);
    assert_eq!(world.stage(ann), Stage::Restricted);
    world.liquidate(kit, ann, BTC).fails_with(BallastError::NotEligible);
    world.take_over(kit, ann, BTC, 1_000).fails_with(BallastError::NotEligible);
    world.deleverage(kit, ann, BTC, 10).fails_with(BallastError::NotEligible);
    world.cover_bad_debt(kit, ann, BTC).fails_with(BallastError::NotEligible);
}

#[test]
fn no_more_is_closed_than_restores_the_account() {
    let mut world = World::btc_with(|params| params.liquidation_max_fraction_bps = 5_000);
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 63 * CENT;
    world.bid(bob, BTC, 1_000, price);
    world.move_price(BTC, price);
    assert_eq!(world.stage(ann), Stage::Partial);
    let before = world.assess(ann).account;
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    let (lots, ..) = liquidated(&receipt);
    assert!(world.assess(ann).account.margin_ratio_bps() >= 12_000, "the target is reached");
    // With three lots fewer it would not be: each frees 2.5 % of a lot's value and costs the fee.
    let fewer = lots - 3;
    let equity = i128::from(before.equity.0) - i128::from(fewer * price / 200);
    let maintenance = i128::from(before.maintenance) * i128::from(1_000 - fewer) / 1_000;
    assert!(equity * 10_000 < maintenance * 12_000, "{lots} lots are the least");
}

#[test]
fn one_liquidation_closes_a_fifth_at_most_and_the_next_waits_for_the_cooldown() {
    let mut world = World::btc();
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 60 * CENT;
    world.bid(bob, BTC, 1_000, price);
    world.move_price(BTC, price);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    assert_eq!(liquidated(&receipt).0, 200);
    world.liquidate(kit, ann, BTC).fails_with(BallastError::Cooldown);
    world.take_over(kit, ann, BTC, 1_000).fails_with(BallastError::Cooldown);
    world.advance(29);
    world.liquidate(kit, ann, BTC).fails_with(BallastError::Cooldown);
    world.advance(1);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    assert!((1..=160).contains(&liquidated(&receipt).0));
}

#[test]
fn the_fee_is_shared_between_the_caller_and_insurance() {
    let mut world = World::btc();
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 60 * CENT;
    world.bid(bob, BTC, 1_000, price);
    world.move_price(BTC, price);
    let (collateral, earned) = (world.collateral(ann), world.collateral(kit));
    let insurance = world.market(BTC).insurance_fees;
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    let (lots, quote, reward, to_insurance) = liquidated(&receipt);
    assert_eq!(quote, lots * price);
    assert_eq!((reward, to_insurance), (quote / 400, quote / 400), "half of 0.5 % each");
    assert_eq!(world.collateral(kit), earned + reward);
    assert_eq!(world.market(BTC).insurance_fees, insurance + to_insurance);
    let loss = lots * (PRICE - price);
    assert_eq!(world.collateral(ann), collateral - loss - reward - to_insurance, "and no trading fee");
}

#[test]
fn the_callers_reward_is_capped() {
    let mut world = World::btc_with(|params| params.liquidation_max_reward = DOLLAR);
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 60 * CENT;
    world.bid(bob, BTC, 1_000, price);
    world.move_price(BTC, price);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    let (_, quote, reward, to_insurance) = liquidated(&receipt);
    assert_eq!((reward, to_insurance), (DOLLAR, quote / 200 - DOLLAR));
}

#[test]
fn a_small_position_closes_at_once() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(3 * DOLLAR), world.trader(10_000 * DOLLAR), world.trader(0));
    world.trade(BTC, ann, bob, 5, PRICE);
    let price = 9 * DOLLAR + 60 * CENT;
    world.bid(bob, BTC, 100, price);
    world.move_price(BTC, price);
    world.liquidate(kit, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
}

#[test]
fn the_accounts_orders_are_cancelled_first() {
    let mut world = World::btc();
    let (ann, _bob, kit) = thin(&mut world);
    for step in 1..=3 {
        world.ask(ann, BTC, 10, PRICE + step * CENT);
    }
    world.move_price(BTC, 9 * DOLLAR + 60 * CENT);
    world.liquidate(kit, ann, BTC).succeeds();
    assert!(world.holding(ann, BTC).asks.is_zero());
    assert_eq!(world.slot(ann, BTC).seat, 0);
}

#[test]
fn nothing_is_sold_below_the_bankruptcy_price() {
    let mut world = World::btc();
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 60 * CENT;
    world.move_price(BTC, price);
    let bankruptcy = u64::try_from(world.bankruptcy_price(ann, BTC)).expect("positive");
    assert!(bankruptcy < price);
    let below = bankruptcy / 100 * 100;
    world.bid(bob, BTC, 1_000, below);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    assert_eq!(liquidated(&receipt).0, 0);
    world.bid(bob, BTC, 10, below + 100);
    world.advance(30);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    assert_eq!(liquidated(&receipt).0, 10);
}

#[test]
fn the_position_with_the_most_relief_comes_first() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, kit) = (world.trader(720 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(ETH, ann, bob, 500, 4 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.bid(bob, ETH, 500, 4 * DOLLAR);
    world.bid(bob, BTC, 1_000, 9 * DOLLAR + 57 * CENT);
    world.move_price(BTC, 9 * DOLLAR + 57 * CENT);
    assert_eq!(world.stage(ann), Stage::Partial);
    world.liquidate(kit, ann, ETH).fails_with(BallastError::NotMostRelief);
    world.liquidate(kit, ann, BTC).succeeds();
    assert_eq!((world.position(ann, BTC), world.position(ann, ETH)), (800, 500));
}

#[test]
fn orders_in_another_market_are_cancelled_out_of_turn() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, kit) = (world.trader(720 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.ask(ann, ETH, 10, 4 * DOLLAR + CENT);
    world.move_price(BTC, 9 * DOLLAR + 52 * CENT);
    assert_eq!(world.stage(ann), Stage::Partial);
    world.liquidate(kit, ann, ETH).succeeds();
    assert!(world.margin_account(ann).slot_index(ETH).is_none());
    world.liquidate(kit, ann, ETH).fails_with(BallastError::NothingHere);
}

#[test]
fn an_empty_book_starts_the_clock_of_the_takeover() {
    let mut world = World::btc();
    let (ann, _bob, kit) = thin(&mut world);
    world.move_price(BTC, 9 * DOLLAR + 60 * CENT);
    assert_eq!(world.stage(ann), Stage::Partial);
    world.take_over(kit, ann, BTC, 1_000).fails_with(BallastError::NotEligible);
    world.liquidate(kit, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), 1_000);
    world.advance(30);
    world.take_over(kit, ann, BTC, 1_000).succeeds();
    assert!(world.position(kit, BTC) > 0);
    assert!(world.assess(ann).account.margin_ratio_bps() >= 12_000, "restored, without the book's cap of a fifth");
}

#[test]
fn the_discount_of_a_takeover_grows_and_ends_at_the_bankruptcy_price() {
    let mark = 9 * DOLLAR + 52 * CENT;
    let price_after = |seconds: i64| {
        let mut world = World::btc();
        let (ann, _bob, kit) = thin(&mut world);
        world.move_price(BTC, mark);
        assert_eq!(world.stage(ann), Stage::Takeover);
        // Starts the clock.
        world.liquidate(kit, ann, BTC).succeeds();
        // Somebody keeps looking, or the clock would start anew.
        for passed in (0..seconds).step_by(50) {
            world.advance((seconds - passed).min(50));
            if passed + 50 < seconds {
                world.liquidate(kit, ann, BTC).succeeds();
            }
        }
        let bankruptcy = world.bankruptcy_price(ann, BTC).unsigned_abs();
        let receipt = world.take_over(kit, ann, BTC, 100).succeeds();
        let (lots, quote, ..) = liquidated(&receipt);
        assert_eq!(lots, 100);
        assert!(world.equity(ann) >= 0);
        (quote / lots, bankruptcy)
    };
    let (at_once, _) = price_after(0);
    assert_eq!(at_once, mark - mark / 10_000 * 25);
    let (after_a_minute, _) = price_after(60);
    assert_eq!(after_a_minute, mark - mark / 10_000 * 85);
    let (at_last, bankruptcy) = price_after(1_000);
    assert_eq!(at_last, bankruptcy);
}

#[test]
fn whoever_takes_over_needs_the_margin_and_is_somebody_else() {
    let mut world = World::btc();
    let (ann, _bob, _kit) = thin(&mut world);
    let (poor, twin) = (world.trader(10 * DOLLAR), world.another_account(ann, 10_000 * DOLLAR));
    world.move_price(BTC, 9 * DOLLAR + 52 * CENT);
    world.take_over(poor, ann, BTC, 1_000).fails_with(BallastError::InsufficientMargin);
    world.take_over(twin, ann, BTC, 1_000).fails_with(BallastError::SelfLiquidation);
    world.take_over(ann, ann, BTC, 1_000).fails_with(BallastError::DuplicateAccount);
    world.take_over(poor, ann, BTC, 0).fails_with(BallastError::ZeroAmount);
    world.take_over(poor, ann, BTC, 1).succeeds();
}

#[test]
fn a_short_is_liquidated_like_a_long() {
    let mut world = World::btc();
    let (ann, bob, kit) =
        (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, bob, ann, 1_000, PRICE);
    let price = 10 * DOLLAR + 36 * CENT;
    world.ask(bob, BTC, 1_000, price);
    world.move_price(BTC, price);
    assert_eq!(world.stage(ann), Stage::Partial);
    world.liquidate(kit, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), -800);
    world.cancel_all(bob, BTC, None, 10).succeeds();
    world.move_price(BTC, 10 * DOLLAR + 50 * CENT);
    assert_eq!(world.stage(ann), Stage::Takeover);
    let before = world.position(ann, BTC);
    world.take_over(kit, ann, BTC, 10_000).succeeds();
    assert_eq!(world.position(ann, BTC) + world.position(kit, BTC), before);
    assert!(world.position(kit, BTC) < 0);
}

#[test]
fn a_bankrupt_account_does_nothing_until_it_is_resolved() {
    let mut world = World::btc();
    let (ann, _bob, kit) = thin(&mut world);
    world.move_price(BTC, 9 * DOLLAR + 30 * CENT);
    assert_eq!(world.stage(ann), Stage::Bankrupt);
    world.liquidate(kit, ann, BTC).succeeds();
    let order = post_only_order(Side::Short, Price(PRICE), Lots(1));
    world.place(ann, BTC, order.clone()).fails_with(BallastError::AccountBankrupt);
    world.reduce(ann, BTC, Side::Short, 1, 9 * DOLLAR).fails_with(BallastError::AccountBankrupt);
    world.withdraw(ann, 1).fails_with(BallastError::InsufficientMargin);
    // Its owner may still save it.
    world.deposit(ann, 2_000 * DOLLAR).succeeds();
    world.settle(kit, ann, BTC).succeeds();
    world.place(ann, BTC, order).succeeds();
}

#[test]
fn every_step_is_reported() {
    let mut world = World::btc();
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 60 * CENT;
    world.bid(bob, BTC, 1_000, price);
    world.move_price(BTC, price);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    let names: Vec<_> = receipt.events().iter().map(events::Event::name).collect();
    assert_eq!(names, ["Traded", "PositionChanged", "Settled", "Liquidated"]);
}
