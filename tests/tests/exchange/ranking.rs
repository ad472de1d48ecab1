//! The place of a position in the order of deleveraging, and bringing it up to date.

use ballast_client::{ballast::error::BallastError, view::share_ahead_bps};
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Trader, World};

const PRICE: u64 = 10 * DOLLAR;

/// The part of open interest that is deleveraged before the trader, in basis points.
fn ahead(world: &mut World, trader: Trader) -> u32 {
    let key = world.margin(trader);
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("sound slabs");
    share_ahead_bps(&view.rank(&key, BTC).expect("a rank").expect("a position"))
}

#[test]
fn more_leverage_and_more_profit_stand_further_up() {
    let mut world = World::btc();
    let (ann, low, high, late) = (
        world.trader(1_000_000 * DOLLAR),
        world.trader(10_000 * DOLLAR),
        world.trader(1_000 * DOLLAR),
        world.trader(1_000 * DOLLAR),
    );
    world.trade(BTC, ann, low, 1_000, PRICE);
    world.trade(BTC, ann, high, 1_000, PRICE);
    world.move_price(BTC, PRICE - DOLLAR / 4);
    world.trade(BTC, ann, late, 1_000, PRICE - DOLLAR / 4);
    world.move_price(BTC, PRICE - DOLLAR / 2);
    assert_eq!(ahead(&mut world, high), 0, "leverage and profit");
    assert!(ahead(&mut world, late) >= 3_333);
    assert!(ahead(&mut world, low) >= 3_333);
}

#[test]
fn reranking_moves_a_position_whose_leverage_changed_and_pays_for_it() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(1_000_000 * DOLLAR), world.trader(10_000 * DOLLAR), world.trader(0));
    let eve = world.trader(5_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.trade(BTC, ann, eve, 1_000, PRICE);
    world.move_price(BTC, PRICE - DOLLAR / 2);
    assert!(ahead(&mut world, bob) > 0, "Eve comes first");
    world.withdraw(bob, 9_000 * DOLLAR).succeeds();
    assert!(ahead(&mut world, bob) > 0, "the index does not know yet");
    world.rerank(kit, bob, BTC).succeeds();
    assert_eq!(ahead(&mut world, bob), 0);
    assert_eq!(world.collateral(kit), 10_000);
    world.rerank(kit, bob, BTC).succeeds();
    assert_eq!(world.collateral(kit), 10_000, "nothing moved");
}

#[test]
fn the_bounty_for_one_position_is_paid_once_a_minute() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(1_000_000 * DOLLAR), world.trader(20_000 * DOLLAR), world.trader(0));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.withdraw(bob, 15_000 * DOLLAR).succeeds();
    world.rerank(kit, bob, BTC).succeeds();
    world.deposit(bob, 15_000 * DOLLAR).succeeds();
    world.rerank(kit, bob, BTC).succeeds();
    assert_eq!(world.collateral(kit), 10_000);
    world.advance(60);
    world.withdraw(bob, 15_000 * DOLLAR).succeeds();
    world.rerank(kit, bob, BTC).succeeds();
    assert_eq!(world.collateral(kit), 20_000);
}

#[test]
fn another_markets_loss_moves_a_cross_position_up() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, kit) = (world.trader(1_000_000 * DOLLAR), world.trader(4_000 * DOLLAR), world.trader(0));
    let eve = world.trader(2_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.trade(BTC, ann, eve, 1_000, PRICE);
    world.trade(ETH, bob, ann, 5_000, 4 * DOLLAR);
    world.move_price(BTC, PRICE - DOLLAR / 2);
    world.move_price(ETH, 4 * DOLLAR * 86 / 100);
    assert!(ahead(&mut world, bob) > 0);
    world.rerank(kit, bob, BTC).succeeds();
    assert_eq!(ahead(&mut world, bob), 0);
}

#[test]
fn only_a_position_is_reranked() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR), world.trader(0));
    world.rerank(kit, ann, BTC).fails_with(BallastError::NothingHere);
    world.ask(bob, BTC, 10, PRICE);
    world.buy(ann, BTC, 10, PRICE).succeeds();
    world.rerank(kit, bob, BTC).fails_with(BallastError::NothingHere);
    world.rerank(kit, ann, BTC).succeeds();
    world.rerank(ann, ann, BTC).fails_with(BallastError::DuplicateAccount);
}
