//! Fees and insurance: who is charged, who gets it, and how far insurance goes.

use ballast_client::{ballast::error::BallastError, instructions, units::Side};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Trader, World};
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

#[test]
fn taker_and_maker_pay_their_fees_and_insurance_has_its_share() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    world.update_market(BTC, |params| params.settle_bounty = 0).succeeds();
    world.ask(bob, BTC, 100, PRICE);
    world.buy(ann, BTC, 100, PRICE).succeeds();
    // $1,000: 350 ppm from the taker at once, 100 ppm from the maker at folding; a fifth to insurance.
    assert_eq!(world.collateral(ann), 1_000 * DOLLAR - 350_000);
    assert_eq!((world.market(BTC).fees, world.market(BTC).insurance_fees), (280_000, 70_000));
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!(world.collateral(bob), 1_000 * DOLLAR - 100_000);
    assert_eq!((world.market(BTC).fees, world.market(BTC).insurance_fees), (360_000, 90_000));
}

#[test]
fn fees_round_up() {
    let mut world = World::new(&[MarketSpec { price: 10_000, ..MarketSpec::btc() }]);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    world.ask(bob, BTC, 1, 10_000);
    world.buy(ann, BTC, 1, 10_000).succeeds();
    // 3.5 and 1 atoms.
    assert_eq!(world.collateral(ann), 1_000 * DOLLAR - 4);
    world.settle(ann, bob, BTC).succeeds();
    assert_eq!(world.collateral(bob), 1_000 * DOLLAR - 1);
}

#[test]
fn the_admin_collects_fees_and_nobody_else() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let admin = world.admin.insecure_clone();
    let (keys, market, target) = (world.keys, world.market_keys(BTC).market, world.wallet(ann));
    let owner = world.owner(ann);
    let collect = |by| instructions::withdraw_fees(&by, &keys, &market, &target);
    world.send(&[collect(owner.pubkey())], &[&owner]).fails_with(BallastError::Unauthorized);
    let (fees, before) = (world.market(BTC).fees, world.wallet_tokens(ann));
    world.send(&[collect(admin.pubkey())], &[&admin]).succeeds();
    assert_eq!((world.market(BTC).fees, world.wallet_tokens(ann)), (0, before + fees));
    world.send(&[collect(admin.pubkey())], &[&admin]).fails_with(BallastError::ZeroAmount);
}

#[test]
fn insurance_fees_are_swept_into_the_vault_by_anyone() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.sweep_insurance_fees(BTC).fails_with(BallastError::ZeroAmount);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let (due, before) = (world.market(BTC).insurance_fees, world.insurance_tokens());
    world.sweep_insurance_fees(BTC).succeeds();
    assert_eq!((world.market(BTC).insurance_fees, world.insurance_tokens()), (0, before + due));
}

#[test]
fn a_fee_that_collateral_does_not_cover_is_charged_to_unsettled_profit() {
    let mut world = World::btc();
    let (ann, bob, cal) = (world.trader(510 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, 11 * DOLLAR);
    let settled = world.collateral(ann);
    world.withdraw(ann, settled).succeeds();
    world.bid(cal, BTC, 1_000, 11 * DOLLAR);
    world.reduce(ann, BTC, Side::Short, 1_000, 11 * DOLLAR).succeeds();
    let fee = 1_000 * 11 * DOLLAR / 1_000_000 * 350;
    assert_eq!(world.market(BTC).fee_claims.unsigned_abs(), fee);
    assert_eq!(world.slot(ann, BTC).unsettled.unsigned_abs(), 1_000 * DOLLAR - fee);
    // The claim is paid out of the pool once losses have filled it.
    world.settle(ann, cal, BTC).succeeds();
    world.ask(cal, BTC, 1_000, 11 * DOLLAR);
    world.reduce(bob, BTC, Side::Long, 1_000, 11 * DOLLAR).succeeds();
    let admin = world.admin.insecure_clone();
    let (keys, market, target) = (world.keys, world.market_keys(BTC).market, world.wallet(cal));
    let (fees, before) = (world.market(BTC).fees, world.wallet_tokens(cal));
    world.send(&[instructions::withdraw_fees(&admin.pubkey(), &keys, &market, &target)], &[&admin]).succeeds();
    assert_eq!((world.wallet_tokens(cal) - before, world.market(BTC).fee_claims), (fees + fee, 0));
    world.settle(cal, ann, BTC).succeeds();
    assert_eq!((world.slot(ann, BTC).unsettled, world.market(BTC).pool), (0, 0));
}

/// Ann, long 1,000 lots with $600, is bankrupt at $9.30 by about ten cents a lot.
fn bankrupt(world: &mut World, market: u16, price: u64) -> Trader {
    let (ann, bob) = (world.trader(price * 60), world.trader(100_000 * DOLLAR));
    world.trade(market, ann, bob, 1_000, price);
    world.move_price(market, price / 100 * 93);
    assert_eq!(world.stage(ann), Stage::Bankrupt);
    ann
}

#[test]
fn insurance_pays_what_a_taker_of_a_bankrupt_position_needs() {
    let mut world = World::btc();
    world.fund_insurance(1_000 * DOLLAR);
    let ann = bankrupt(&mut world, BTC, PRICE);
    let kit = world.trader(100_000 * DOLLAR);
    let bankruptcy = world.bankruptcy_price(ann, BTC).unsigned_abs();
    let mark = 9 * DOLLAR + 30 * CENT;
    let offered = mark - mark / 10_000 * 25;
    world.take_over(kit, ann, BTC, 1_000).succeeds();
    assert_eq!((world.position(ann, BTC), world.position(kit, BTC)), (0, 1_000));
    assert_eq!(world.slot(kit, BTC).basis.unsigned_abs(), 1_000 * offered);
    assert_eq!(1_000 * DOLLAR - world.insurance_tokens(), 1_000 * (bankruptcy - offered));
    assert_eq!(world.equity(ann) / 1_000, 0, "nothing is left, nothing is owed");
}

#[test]
fn insurance_pays_no_more_than_the_vault_holds() {
    let mut world = World::btc();
    let ann = bankrupt(&mut world, BTC, PRICE);
    let kit = world.trader(100_000 * DOLLAR);
    world.take_over(kit, ann, BTC, 1_000).fails_with(BallastError::InsuranceExhausted);
    world.fund_insurance(50 * DOLLAR);
    world.take_over(kit, ann, BTC, 1_000).succeeds();
    let taken = world.position(kit, BTC);
    assert!((300..500).contains(&taken), "as many lots as fifty dollars pay for: {taken}");
    assert!(world.insurance_tokens() < DOLLAR);
    world.take_over(kit, ann, BTC, 1_000).fails_with(BallastError::InsuranceExhausted);
}

#[test]
fn one_market_does_not_drain_anothers_budget_and_time_restores_it() {
    let limit = 60 * DOLLAR;
    let spec = |spec: MarketSpec| spec.with(|params| params.insurance_limit_per_day = limit);
    let mut world = World::new(&[spec(MarketSpec::btc()), spec(MarketSpec::eth())]);
    world.fund_insurance(10_000 * DOLLAR);
    let ann = bankrupt(&mut world, BTC, PRICE);
    let kit = world.trader(100_000 * DOLLAR);
    world.take_over(kit, ann, BTC, 1_000).succeeds();
    let paid = 10_000 * DOLLAR - world.insurance_tokens();
    assert!(paid <= limit && paid > limit - DOLLAR, "a part of the position, for what the budget has");
    world.take_over(kit, ann, BTC, 1_000).fails_with(BallastError::InsuranceExhausted);
    let cal = bankrupt(&mut world, ETH, 4 * DOLLAR);
    world.take_over(kit, cal, ETH, 1_000).succeeds();
    let both = 10_000 * DOLLAR - world.insurance_tokens();
    assert!(both > paid && both <= 2 * limit);
    // An hour restores a twenty-fourth.
    world.advance(3_600);
    world.move_price(BTC, 9 * DOLLAR + 30 * CENT);
    world.take_over(kit, ann, BTC, 1_000).succeeds();
    let restored = 10_000 * DOLLAR - world.insurance_tokens() - both;
    assert!(restored > DOLLAR && restored < 4 * DOLLAR, "{restored}");
}

#[test]
fn funding_flows_from_longs_to_shorts_and_nothing_is_lost() {
    let mut world = World::btc();
    let (ann, bob, maker) =
        (world.trader(5_000 * DOLLAR), world.trader(5_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    // The book stands a per cent above the index.
    world.bid(maker, BTC, 1_000, PRICE + 9 * CENT);
    world.ask(maker, BTC, 1_000, PRICE + 11 * CENT);
    for _ in 0..60 {
        world.advance(60);
    }
    let (long, short) = (world.holding(ann, BTC).funding.0, world.holding(bob, BTC).funding.0);
    assert!(long < -5_000_000, "an hour at up to half a per cent: {long}");
    assert!(short > 0 && short <= -long && -long - short <= 2, "what longs pay shorts get: {long}, {short}");
    world.settle(maker, ann, BTC).succeeds();
    assert!(world.market(BTC).pool >= long.unsigned_abs());
    let before = world.collateral(bob);
    world.settle(maker, bob, BTC).succeeds();
    assert_eq!(world.collateral(bob), before + short.unsigned_abs());
}
