//! Fee tiers by volume, and referrals.

use ballast_client::{
    addresses,
    ballast::{
        error::BallastError,
        state::{FeeTier, MarginAccount, Trader as Owner},
    },
    instructions::{self, post_only_order},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, Expect, Trader, World};
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const DAY: i64 = 86_400;
/// From $50,000 and from $1,000,000 in thirty days.
const VOLUMES: [u64; 4] = [50_000 * DOLLAR, 1_000_000 * DOLLAR, 0, 0];

/// 350 and 100 ppm; 300 and 50 from the first tier on, 200 and a rebate of 40 from the second.
fn tiered() -> World {
    let mut world = World::btc_with(|params| {
        params.fee_tiers[0] = FeeTier { maker_ppm: 50, taker_ppm: 300 };
        params.fee_tiers[1] = FeeTier { maker_ppm: -40, taker_ppm: 200 };
        params.settle_bounty = 0;
    });
    world.set_fee_schedule(VOLUMES, 2_500).succeeds();
    world
}

fn owner(world: &mut World, trader: Trader) -> Owner {
    world.owner_account(trader).expect("it was opened")
}

/// What it costs to buy `lots` from a maker: the taker's fee, and the maker's at its folding (negative: received).
fn costs(world: &mut World, taker: Trader, maker: Trader, lots: u64) -> (i64, i64) {
    let held = |world: &mut World, trader| i64::try_from(world.collateral(trader)).expect("collateral");
    let (paid, folded) = (held(world, taker), held(world, maker));
    world.ask(maker, BTC, lots, PRICE);
    world.buy(taker, BTC, lots, PRICE).succeeds();
    world.settle(taker, maker, BTC).succeeds();
    (paid - held(world, taker), folded - held(world, maker))
}

#[test]
fn volume_earns_a_tier_from_the_next_trade_on() {
    let mut world = tiered();
    let (ann, bob) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.open_trader(ann, None).succeeds();
    world.open_trader(bob, None).succeeds();
    assert_eq!(costs(&mut world, ann, bob, 5_000), (17_500_000, 5_000_000));
    // $50,000 each: nothing changes before it is rolled.
    assert_eq!(costs(&mut world, ann, bob, 1_000), (3_500_000, 1_000_000));
    for trader in [ann, bob] {
        world.roll_volume(&[trader]).succeeds();
        let account = world.margin_account(trader);
        assert_eq!((account.fee_tier, account.volume), (1, 0));
    }
    // The maker's volume is counted in steps of seven cents a fill.
    let today = u32::try_from(world.now / DAY).expect("a day");
    assert_eq!(owner(&mut world, ann).volumes().total(today), 60_000 * DOLLAR);
    let made = owner(&mut world, bob).volumes().total(today);
    assert!((60_000 * DOLLAR - 2 * 65_536..=60_000 * DOLLAR).contains(&made), "{made}");
    assert_eq!(costs(&mut world, ann, bob, 1_000), (3_000_000, 500_000));
}

#[test]
fn the_best_tier_gives_the_maker_a_rebate_out_of_the_takers_fee() {
    let mut world = tiered();
    let (ann, bob) = (world.trader(10_000_000 * DOLLAR), world.trader(10_000_000 * DOLLAR));
    world.open_trader(bob, None).succeeds();
    costs(&mut world, ann, bob, 120_000);
    world.roll_volume(&[bob]).succeeds();
    assert_eq!(world.margin_account(bob).fee_tier, 2);
    let fees = world.market(BTC).fees + world.market(BTC).insurance_fees;
    assert_eq!(costs(&mut world, ann, bob, 1_000), (3_500_000, -400_000));
    let earned = world.market(BTC).fees + world.market(BTC).insurance_fees - fees;
    assert_eq!(earned, 3_100_000, "what is left of the taker's fee");
}

#[test]
fn a_tier_ends_when_the_volume_that_earned_it_is_too_old_rolled_or_not() {
    let mut world = tiered();
    let (ann, bob) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.open_trader(ann, None).succeeds();
    costs(&mut world, ann, bob, 5_000);
    world.roll_volume(&[ann]).succeeds();
    // To the last second of the thirtieth day.
    world.wait((world.now / DAY + 30) * DAY - 1 - world.now);
    world.advance(0);
    assert_eq!(costs(&mut world, ann, bob, 100).0, 300_000);
    world.advance(1);
    assert_eq!(costs(&mut world, ann, bob, 100).0, 350_000);
    world.roll_volume(&[ann]).succeeds();
    assert_eq!(world.margin_account(ann).fee_tier, 0);
}

#[test]
fn volume_that_is_kept_back_counts_for_the_day_on_which_it_began() {
    let mut world = tiered();
    let (ann, bob) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.open_trader(ann, None).succeeds();
    // $30,000 a fortnight, never $50,000 and more in thirty days but for what waits.
    costs(&mut world, ann, bob, 3_000);
    for _ in 0..3 {
        world.advance(14 * DAY);
        costs(&mut world, ann, bob, 100);
    }
    costs(&mut world, ann, bob, 3_000);
    world.roll_volume(&[ann]).succeeds();
    let account = world.margin_account(ann);
    assert_eq!((account.fee_tier, account.volume), (0, 0), "it began 42 days ago");
}

#[test]
fn a_tier_is_the_owners_over_all_accounts() {
    let mut world = tiered();
    let (ann, bob) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let twin = world.another_account(ann, 1_000_000 * DOLLAR);
    world.open_trader(ann, None).succeeds();
    costs(&mut world, ann, bob, 3_000);
    costs(&mut world, twin, bob, 3_000);
    world.roll_volume(&[ann, twin]).succeeds();
    assert_eq!((world.margin_account(ann).fee_tier, world.margin_account(twin).fee_tier), (1, 1));
    // Somebody else's account is not rolled into it, nor the same one twice for twice the volume.
    costs(&mut world, ann, bob, 1_000);
    world.roll_volume(&[ann, bob]).fails_with(BallastError::WrongAccount);
    world.roll_volume(&[ann, ann]).succeeds();
    let today = u32::try_from(world.now / DAY).expect("a day");
    assert_eq!(owner(&mut world, ann).volumes().total(today), 70_000 * DOLLAR);
}

/// Ann, whom Eve has referred, and Bob, whom nobody has.
fn referred() -> (World, [Trader; 3]) {
    let mut world = tiered();
    let (ann, bob, eve) =
        (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR), world.trader(5 * DOLLAR));
    world.open_trader(eve, None).succeeds();
    let referrer = world.owner_key(eve);
    world.open_trader(ann, Some(referrer)).succeeds();
    (world, [ann, bob, eve])
}

#[test]
fn a_referrer_has_a_share_of_what_the_exchange_keeps_and_claims_it() {
    let (mut world, [ann, bob, eve]) = referred();
    // From the first roll on, which tells an account that was there before that there is a referrer.
    world.roll_volume(&[ann]).succeeds();
    let before = (world.market(BTC).fees, world.market(BTC).insurance_fees);
    costs(&mut world, ann, bob, 1_000);
    // $3.50 from Ann: 70 cents to insurance, a quarter of the rest to Eve. Bob's dollar has no referrer.
    let owed = world.margin_account(ann).referral_owed;
    assert_eq!(owed, 700_000);
    let market = world.market(BTC);
    assert_eq!((market.fees - before.0, market.insurance_fees - before.1), (2_100_000 + 800_000, 900_000));
    world.claim_referral(eve).fails_with(BallastError::ZeroAmount);
    world.roll_volume(&[ann]).succeeds();
    assert_eq!((owner(&mut world, eve).earned, world.margin_account(ann).referral_owed), (owed, 0));
    world.claim_referral(eve).succeeds();
    assert_eq!((owner(&mut world, eve).earned, world.collateral(eve)), (0, 5 * DOLLAR + owed));
    world.withdraw(eve, 5 * DOLLAR + owed).succeeds();
}

#[test]
fn an_account_that_is_opened_later_has_its_owners_tier_and_referrer_from_the_first_trade_on() {
    let (mut world, [ann, bob, _]) = referred();
    world.roll_volume(&[ann]).succeeds();
    costs(&mut world, ann, bob, 50_000);
    world.roll_volume(&[ann]).succeeds();
    let known = world.margin_account(ann);
    assert!(known.fee_tier > 0 && known.referral_share_bps > 0);
    let new = world.another_account(ann, 1_000_000 * DOLLAR);
    let terms = |account: MarginAccount| (account.fee_tier, account.fee_tier_until, account.referral_share_bps);
    let (known, new_terms) = (terms(known), terms(world.margin_account(new)));
    assert_eq!(new_terms, known);
    costs(&mut world, new, bob, 1_000);
    assert!(world.margin_account(new).referral_owed > 0);
    // Nor is it found out by naming another owner's trader account.
    let owner = world.owner(bob);
    let mut open = instructions::open_margin_account(&world.payer.pubkey(), &owner.pubkey(), &world.keys.exchange, 9);
    open.accounts[4].pubkey = addresses::trader(&world.keys.exchange, &world.owner(ann).pubkey());
    world.send(&[open], &[&owner]).fails();
}

#[test]
fn a_fee_that_is_not_paid_in_settled_money_earns_no_referrer_anything() {
    let mut world = tiered();
    let (ann, bob, eve) = (world.trader(510 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(0));
    let cal = world.trader(100_000 * DOLLAR);
    world.open_trader(eve, None).succeeds();
    let referrer = world.owner_key(eve);
    world.open_trader(ann, Some(referrer)).succeeds();
    world.roll_volume(&[ann]).succeeds();
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.roll_volume(&[ann]).succeeds();
    world.move_price(BTC, 11 * DOLLAR);
    let settled = world.collateral(ann);
    world.withdraw(ann, settled).succeeds();
    world.bid(cal, BTC, 1_000, 11 * DOLLAR);
    world.reduce(ann, BTC, Side::Short, 1_000, 11 * DOLLAR).succeeds();
    assert!(world.market(BTC).fee_claims > 0);
    assert_eq!(world.margin_account(ann).referral_owed, 0);
}

#[test]
fn nobody_refers_himself_and_a_referrer_is_for_good() {
    let mut world = tiered();
    let (ann, eve) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    let own = world.owner_key(ann);
    // Not before there is one, and then it cannot be opened again.
    world.open_trader(ann, Some(own)).fails();
    world.open_trader(eve, None).succeeds();
    let referrer = world.owner_key(eve);
    world.open_trader(ann, Some(referrer)).succeeds();
    world.open_trader(ann, None).fails();
    assert_eq!(owner(&mut world, ann).referrer, referrer);
    // Neither are earnings claimed by others, nor into others' accounts.
    let (thief, exchange) = (world.owner(ann), world.keys.exchange);
    let mut theft = instructions::claim_referral(&thief.pubkey(), &exchange, &world.margin(ann));
    theft.accounts[2].pubkey = referrer;
    world.send(&[theft], &[&thief]).fails_with(BallastError::Unauthorized);
    // Another exchange's trader refers nobody here.
    let first = world.found_another();
    let zoe = world.trader(0);
    world.open_trader(zoe, None).succeeds();
    let foreign = world.owner_key(zoe);
    world.realm = first;
    let bob = world.trader(0);
    world.open_trader(bob, Some(foreign)).fails_with(BallastError::WrongAccount);
}

#[test]
fn whoever_rolls_names_the_right_referrer() {
    let mut world = tiered();
    let (ann, bob, eve) =
        (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    for trader in [eve, bob] {
        world.open_trader(trader, None).succeeds();
    }
    let (referrer, other) = (world.owner_key(eve), world.owner_key(bob));
    world.open_trader(ann, Some(referrer)).succeeds();
    world.roll_volume(&[ann]).succeeds();
    costs(&mut world, ann, bob, 1_000);
    let (exchange, key, margin) = (world.keys.exchange, world.owner_key(ann), world.margin(ann));
    let roll_to = |referrer| {
        let mut roll = instructions::roll_volume(&exchange, &key, &bytemuck::Zeroable::zeroed(), &[margin]);
        if let Some(referrer) = referrer {
            roll.accounts[2] = solana_instruction::AccountMeta::new(referrer, false);
        }
        roll
    };
    world.send(&[roll_to(Some(other))], &[]).fails_with(BallastError::WrongAccount);
    world.send(&[roll_to(None)], &[]).fails_with(BallastError::WrongAccount);
    world.send(&[roll_to(Some(referrer))], &[]).succeeds();
}

#[test]
fn trading_with_oneself_costs_more_than_tiers_rebates_and_referrals_bring() {
    let mut world = tiered();
    world.set_fee_schedule(VOLUMES, 4_000).succeeds();
    let (ann, bob, eve) = (world.trader(20_000_000 * DOLLAR), world.trader(20_000_000 * DOLLAR), world.trader(DOLLAR));
    world.open_trader(eve, None).succeeds();
    let referrer = world.owner_key(eve);
    for trader in [ann, bob] {
        world.open_trader(trader, Some(referrer)).succeeds();
        world.roll_volume(&[trader]).succeeds();
    }
    let crowd = [ann, bob, eve];
    let wealth = |world: &mut World| crowd.iter().map(|trader| world.equity(*trader)).sum::<i64>();
    let mut before = wealth(&mut world);
    for (turn, lots) in [100_000, 100_000, 10_000, 1_000, 100, 1].into_iter().enumerate() {
        let (buyer, seller) = if turn % 2 == 0 { (ann, bob) } else { (bob, ann) };
        costs(&mut world, buyer, seller, lots);
        for trader in [ann, bob] {
            world.roll_volume(&[trader]).succeeds();
        }
        world.claim_referral(eve).succeeds();
        let after = wealth(&mut world);
        assert!(after < before, "{lots} lots: {after}");
        before = after;
    }
    assert_eq!(world.margin_account(ann).fee_tier, 2, "at the best tier, with rebate and referral");
}

#[test]
fn a_schedule_out_of_bounds_is_refused_and_so_is_everybody_but_the_admin() {
    let mut world = tiered();
    for (volumes, share) in [([2, 1, 0, 0], 0), ([0, 1, 0, 0], 0), ([1, 1, 0, 0], 0), (VOLUMES, 4_001)] {
        world.set_fee_schedule(volumes, share).fails_with(BallastError::ParameterOutOfBounds);
    }
    let (guardian, exchange) = (world.guardian.insecure_clone(), world.keys.exchange);
    let set = instructions::set_fee_schedule(&guardian.pubkey(), &exchange, VOLUMES, 0);
    world.send(&[set], &[&guardian]).fails_with(BallastError::Unauthorized);
    let mut tier = |maker_ppm, taker_ppm| {
        world.update_market(BTC, |params| params.fee_tiers[2] = FeeTier { maker_ppm, taker_ppm })
    };
    tier(-101, 200).fails_with(BallastError::ParameterOutOfBounds);
    tier(0, 201).fails_with(BallastError::ParameterOutOfBounds);
    tier(-100, 200).succeeds();
}

#[test]
fn an_account_that_owes_a_referrer_is_not_closed_before_it_is_rolled() {
    let mut world = tiered();
    let (ann, bob, eve) = (world.trader(1_000 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(0));
    world.open_trader(eve, None).succeeds();
    let referrer = world.owner_key(eve);
    world.open_trader(ann, Some(referrer)).succeeds();
    world.roll_volume(&[ann]).succeeds();
    costs(&mut world, ann, bob, 100);
    let rest = post_only_order(Side::Long, Price(PRICE), Lots(100));
    world.place(bob, BTC, rest).succeeds();
    world.reduce(ann, BTC, Side::Short, 100, PRICE).succeeds();
    let settled = world.collateral(ann);
    world.withdraw(ann, settled).succeeds();
    world.close_account(ann).fails_with(BallastError::NotEmpty);
    world.roll_volume(&[ann]).succeeds();
    world.close_account(ann).succeeds();
}
