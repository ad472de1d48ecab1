//! The deleveraging ladder on chain.

use ballast_client::{
    ballast::{error::BallastError, events::LadderExecuted},
    events::Event,
    instructions,
};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Receipt, Trader, World};
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// Ann is long 1,000 lots at $10 with $1,000, four times her maintenance margin; her ladder takes a quarter at twice it
/// and all at one and a half.
fn ladder(world: &mut World) -> (Trader, Trader, Trader) {
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.set_ladder(ann, &[(20_000, 2_500), (15_000, 10_000)], 100).succeeds();
    (ann, bob, kit)
}

fn executed(receipt: &Receipt) -> LadderExecuted {
    let found = receipt.events().into_iter().find_map(|event| match event {
        Event::LadderExecuted(done) => Some(done),
        _ => None,
    });
    found.expect("the instruction reports a rung")
}

fn ratio(world: &mut World, trader: Trader) -> i64 {
    world.assess(trader).account.margin_ratio_bps()
}

#[test]
fn a_rung_reduces_at_its_ratio_once_until_it_has_recovered() {
    let mut world = World::btc();
    let (ann, bob, kit) = ladder(&mut world);
    world.set_ladder(ann, &[(20_000, 500)], 100).succeeds();
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::NotEligible);
    let price = 947 * CENT;
    world.move_price(BTC, price);
    assert!((15_001..=20_000).contains(&ratio(&mut world, ann)));
    world.bid(bob, BTC, 5_000, price);
    let (before, earned) = (ratio(&mut world, ann), world.collateral(kit));
    let done = executed(&world.execute_ladder(kit, ann, BTC).succeeds());
    assert_eq!((done.rung, done.lots, done.left_ppm, done.ratio_bps), (Some(0), 50, 0, before));
    // 20 bps of the value, less than the liquidation fee of 50.
    assert_eq!(world.collateral(kit), earned + done.quote / 500);
    assert!(ratio(&mut world, ann) > before);
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::NotEligible);
    // Recovered: armed again by whoever looks, for nothing.
    world.move_price(BTC, 1_010 * CENT);
    assert!(ratio(&mut world, ann) >= 22_000);
    let armed = executed(&world.execute_ladder(kit, ann, BTC).succeeds());
    assert_eq!((armed.rung, armed.lots), (None, 0));
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::NotEligible);
}

#[test]
fn the_next_rung_comes_when_the_first_is_used_up() {
    let mut world = World::btc();
    let (ann, bob, kit) = ladder(&mut world);
    let price = 925 * CENT;
    world.move_price(BTC, price);
    world.bid(bob, BTC, 5_000, price);
    assert_eq!(executed(&world.execute_ladder(kit, ann, BTC).succeeds()).rung, Some(0));
    let done = executed(&world.execute_ladder(kit, ann, BTC).succeeds());
    assert_eq!((done.rung, done.lots), (Some(1), 750));
    assert_eq!(world.position(ann, BTC), 0);
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::NothingHere);
}

#[test]
fn what_the_book_does_not_hold_within_the_slippage_stays_due() {
    let mut world = World::btc();
    let (ann, bob, kit) = ladder(&mut world);
    let price = 947 * CENT;
    world.move_price(BTC, price);
    world.bid(bob, BTC, 1_000, 930 * CENT);
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::NothingToMatch);
    world.bid(bob, BTC, 100, price);
    let done = executed(&world.execute_ladder(kit, ann, BTC).succeeds());
    assert_eq!((done.lots, done.left_ppm), (100, 166_666), "150 of 900 are left");
}

#[test]
fn one_bad_tick_is_not_the_ratio() {
    let mut world = World::btc_with(|params| params.mark_cap_ppm_per_second = 100_000);
    let (ann, bob, kit) = ladder(&mut world);
    world.bid(bob, BTC, 5_000, 930 * CENT);
    world.tick(BTC, 930 * CENT, 10);
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::NotEligible);
    world.wait(121);
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::OracleStale);
}

#[test]
fn the_position_with_the_most_relief_comes_first() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, kit) = ladder(&mut world);
    world.trade(ETH, ann, bob, 100, 4 * DOLLAR);
    world.move_price(BTC, 946 * CENT);
    world.bid(bob, BTC, 5_000, 946 * CENT);
    world.bid(bob, ETH, 5_000, 4 * DOLLAR);
    world.execute_ladder(kit, ann, ETH).fails_with(BallastError::NotMostRelief);
    world.execute_ladder(kit, ann, BTC).succeeds();
}

#[test]
fn an_empty_book_of_the_first_position_does_not_keep_the_next_from_its_turn() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, kit) = ladder(&mut world);
    world.trade(ETH, ann, bob, 100, 4 * DOLLAR);
    world.move_price(BTC, 946 * CENT);
    // Beyond the ladder's slippage is as good as empty.
    world.bid(bob, BTC, 5_000, 930 * CENT);
    world.bid(bob, ETH, 5_000, 4 * DOLLAR);
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::NothingToMatch);
    let due = world.snapshot().view().expect("sound slabs").due_ladder(&world.margin(ann), world.now);
    assert_eq!(due.expect("a price"), Some(ETH), "keepers see it");
    let mut served = world.fork();
    served.bid(bob, BTC, 10, 946 * CENT);
    served.execute_ladder(kit, ann, ETH).fails_with(BallastError::NotMostRelief);
    assert!(executed(&world.execute_ladder(kit, ann, ETH).succeeds()).lots > 0);
}

#[test]
fn only_the_owner_sets_a_ladder_and_within_bounds() {
    let mut world = World::btc();
    let (ann, bob, _kit) = ladder(&mut world);
    let delegate = world.owner(bob);
    world.set_delegate(ann, &delegate.pubkey()).succeeds();
    let set = instructions::set_ladder(&delegate.pubkey(), &world.margin(ann), &[(20_000, 10_000)], 100);
    world.send(&[set], &[&delegate]).fails_with(BallastError::Unauthorized);
    world.set_ladder(ann, &[(10_000, 10_000)], 100).fails_with(BallastError::InvalidLadder);
    world.set_ladder(ann, &[(20_000, 1), (19_000, 1)], 100).fails_with(BallastError::InvalidLadder);
    world.set_ladder(ann, &[(20_000, 1_000); 5], 100).fails_with(BallastError::InvalidLadder);
    world.set_ladder(ann, &[], 0).succeeds();
    assert_eq!(*world.margin_account(ann).ladder(), Default::default());
}

#[test]
fn the_caller_does_not_reduce_for_himself() {
    let mut world = World::btc();
    let (ann, bob, _kit) = ladder(&mut world);
    world.move_price(BTC, 947 * CENT);
    world.bid(bob, BTC, 5_000, 947 * CENT);
    world.execute_ladder(ann, ann, BTC).fails_with(BallastError::DuplicateAccount);
}

#[test]
fn a_ladder_comes_before_liquidation() {
    let mut world = World::btc();
    let (ann, bob, kit) = ladder(&mut world);
    world.move_price(BTC, 940 * CENT);
    world.bid(bob, BTC, 5_000, 940 * CENT);
    assert!(world.stage(ann) < Stage::Partial);
    world.liquidate(kit, ann, BTC).fails_with(BallastError::NotEligible);
    world.execute_ladder(kit, ann, BTC).succeeds();
}
