//! What people try with triggers: too early, twice, on somebody else's, for the reward, to an accomplice.

use ballast_book::TriggerId;
use ballast_client::{
    ballast::{OrderRef, TriggerExecution, error::BallastError, state::MarketStatus},
    instructions::{self, at_limit, stop_loss, take_profit, trailing_stop},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Trader, World, trigger_execution};
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

fn crowd(world: &mut World) -> (Trader, Trader, Trader) {
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    (ann, bob, kit)
}

#[test]
fn nobody_executes_twice_in_one_transaction() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), Some(Lots(400))));
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 5_000, 950 * CENT);
    let execute = instructions::execute_trigger(&world.tend(kit, ann, BTC), stop);
    world.send(&[execute.clone(), execute.clone()], &[]).fails_with(BallastError::TriggerNotFound);
    assert_eq!(world.position(ann, BTC), 1_000);
    world.send(&[execute], &[]).succeeds();
    assert_eq!(world.position(ann, BTC), 600);
}

#[test]
fn nobody_executes_both_of_a_pair() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    // Both are stops, so both are due.
    let stops = [950, 940].map(|cents| stop_loss(Side::Long, Price(cents * CENT), Some(Lots(400))));
    let (one, other) = world.protect_both(ann, BTC, stops[0], stops[1]);
    world.move_price(BTC, 940 * CENT);
    world.bid(bob, BTC, 5_000, 940 * CENT);
    let tend = world.tend(kit, ann, BTC);
    let both = [one, other].map(|trigger| instructions::execute_trigger(&tend, trigger));
    world.send(&both, &[]).fails_with(BallastError::TriggerNotFound);
    world.send(&both[1..], &[]).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (600, 0));
}

#[test]
fn a_trigger_belongs_to_its_account_alone() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, kit) = crowd(&mut world);
    world.trade(ETH, ann, bob, 100, 4 * DOLLAR);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    let own = world.protect(bob, BTC, stop_loss(Side::Short, Price(1_100 * CENT), None));
    world.cancel_trigger(bob, BTC, stop).fails_with(BallastError::TriggerNotFound);
    let terms = stop_loss(Side::Short, Price(1_200 * CENT), None).terms;
    world.edit_trigger(bob, BTC, stop, terms).fails_with(BallastError::TriggerNotFound);
    world.move_price(BTC, 940 * CENT);
    world.bid(kit, BTC, 1_000, 940 * CENT);
    // Ann's trigger on Bob's account, and Bob's owner on Ann's.
    world.execute_trigger(kit, bob, BTC, stop).fails_with(BallastError::TriggerNotFound);
    let (thief, margin, keys) = (world.owner(bob), world.margin(ann), world.market_keys(BTC));
    let cancel = instructions::cancel_trigger(&thief.pubkey(), &margin, &keys, stop);
    world.send(&[cancel], &[&thief]).fails_with(BallastError::Unauthorized);
    let place = stop_loss(Side::Long, Price(900 * CENT), None);
    let place = instructions::place_triggers(&thief.pubkey(), &margin, &keys, place, None);
    world.send(&[place], &[&thief]).fails_with(BallastError::Unauthorized);
    // The wrong market's book, an id that never was, an order's id.
    let mut crossed = world.market_keys(ETH);
    crossed.book = keys.book;
    let ratchet = instructions::ratchet_trigger(&crossed, own);
    world.send(&[ratchet], &[]).fails_with(BallastError::WrongAccount);
    for id in [0, 1, u64::MAX, own.0 ^ 1, own.0 + (1 << 20)] {
        world.execute_trigger(kit, ann, BTC, TriggerId(id)).fails_with(BallastError::TriggerNotFound);
    }
    assert_eq!(world.triggers(ann, BTC).len(), 1);
}

#[test]
fn nobody_is_paid_for_his_own_or_with_a_foreign_account() {
    let mut world = World::btc();
    let (ann, bob, _kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 5_000, 950 * CENT);
    world.execute_trigger(ann, ann, BTC, stop).fails_with(BallastError::DuplicateAccount);
}

#[test]
fn tiny_triggers_of_ones_own_earn_nothing() {
    let mut world = World::btc();
    let (ann, bob, _kit) = crowd(&mut world);
    let twin = world.another_account(ann, 0);
    world.bid(bob, BTC, 5_000, 990 * CENT);
    let before = world.collateral(ann) + world.collateral(twin);
    let own: Vec<_> =
        (0..16).map(|_| world.protect(ann, BTC, stop_loss(Side::Long, Price(995 * CENT), Some(Lots(1))))).collect();
    world.move_price(BTC, 990 * CENT);
    for trigger in own {
        world.execute_trigger(twin, ann, BTC, trigger).succeeds();
    }
    // What one account is paid the other has paid; the fees and the loss are the owner's.
    assert!(world.collateral(ann) + world.collateral(twin) < before);
    assert_eq!(world.position(ann, BTC), 984);
}

#[test]
fn a_dust_trade_pays_no_more_than_its_part() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.move_price(BTC, 950 * CENT);
    let earned = world.collateral(kit);
    for done in 1..=5 {
        world.bid(bob, BTC, 1, 950 * CENT);
        world.execute_trigger(kit, ann, BTC, stop).succeeds();
        assert_eq!(world.collateral(kit), earned + done * (950 * CENT * 5 / 10_000));
    }
}

#[test]
fn nothing_leaves_an_account_in_trouble_by_a_trigger_far_from_the_mark() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR), world.trader(0));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let mut args = stop_loss(Side::Long, Price(999 * CENT), Some(Lots(500)));
    args.terms.execution = TriggerExecution::Market { slippage_bps: 10_000 };
    let stop = world.protect(ann, BTC, args);
    world.move_price(BTC, 970 * CENT);
    // The accomplice bids eight per cent below the mark: half the position would cost more than it frees.
    world.bid(bob, BTC, 500, 900 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::InsufficientMargin);
    // Beyond the band nothing matches at all.
    world.cancel_all(bob, BTC, None, 10).succeeds();
    world.move_price(BTC, 965 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingToMatch);
    world.bid(bob, BTC, 500, 964 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).succeeds();
}

#[test]
fn a_bankrupt_account_executes_nothing() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR), world.trader(0));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.set_ladder(ann, &[(20_000, 5_000)], 1_000).succeeds();
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(999 * CENT), None));
    world.move_price(BTC, 900 * CENT);
    world.bid(bob, BTC, 1_000, 899 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::InsufficientMargin);
    world.execute_ladder(kit, ann, BTC).fails_with(BallastError::InsufficientMargin);
}

#[test]
fn the_mark_of_before_a_trailing_stop_was_placed_does_not_push_it() {
    let mut world = World::btc();
    let (ann, ..) = crowd(&mut world);
    world.move_price(BTC, 1_100 * CENT);
    world.move_price(BTC, PRICE);
    let stop = world.protect(ann, BTC, trailing_stop(Side::Long, 50_000, None));
    world.ratchet(BTC, stop).fails_with(BallastError::NothingToRatchet);
    // Falling, with a peak that only one tick has seen.
    world.tick(BTC, 1_050 * CENT, 1);
    world.tick(BTC, 990 * CENT, 1);
    world.ratchet(BTC, stop).fails_with(BallastError::NothingToRatchet);
    assert_eq!(world.triggers(ann, BTC)[0].price, Price(950 * CENT));
}

#[test]
fn a_paused_market_executes_nothing_and_lets_triggers_be_cancelled() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 5_000, 950 * CENT);
    let (admin, key) = (world.admin.insecure_clone(), world.market_keys(BTC).market);
    let pause = instructions::set_market_status(&admin.pubkey(), &world.keys.exchange, &key, MarketStatus::Paused);
    world.send(&[pause], &[&admin]).succeeds();
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::MarketState);
    let more = take_profit(Side::Long, Price(1_100 * CENT), None);
    world.place_triggers(ann, BTC, more, None).fails_with(BallastError::MarketState);
    world.cancel_trigger(ann, BTC, stop).succeeds();
}

#[test]
fn triggers_leave_three_quarters_of_the_book_to_orders() {
    let mut world = World::new(&[MarketSpec { blocks: 64, ..MarketSpec::btc() }]);
    let (ann, bob, _kit) = crowd(&mut world);
    let far = |side, cents| stop_loss(side, Price(cents * CENT), Some(Lots(1)));
    for _ in 0..10 {
        world.protect(ann, BTC, far(Side::Long, 900));
    }
    for _ in 0..6 {
        world.protect(bob, BTC, far(Side::Short, 1_200));
    }
    let other = world.place_triggers(bob, BTC, far(Side::Short, 1_200), None);
    other.fails_with(BallastError::TooManyTriggers);
    for _ in 0..20 {
        world.bid(bob, BTC, 1, 990 * CENT);
    }
}

#[test]
fn nothing_rests_for_an_account_below_initial_margin() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR), world.trader(0));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    // Its rest would stand eight per cent below the mark, for an accomplice to take when it is worth most.
    let stop = at_limit(stop_loss(Side::Long, Price(999 * CENT), None), Price(900 * CENT));
    let stop = world.protect(ann, BTC, stop);
    world.move_price(BTC, 970 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingToMatch);
    world.bid(bob, BTC, 100, 970 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!(trigger_execution(&receipt).map(|done| (done.lots, done.rested, done.done)), Some((100, 0, false)));
    assert_eq!(world.triggers(ann, BTC).len(), 1);
}

#[test]
fn a_trigger_needs_the_accounts_other_markets() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, kit) = crowd(&mut world);
    world.trade(ETH, ann, bob, 100, 4 * DOLLAR);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 5_000, 950 * CENT);
    let mut tend = world.tend(kit, ann, BTC);
    tend.others.clear();
    let execute = instructions::execute_trigger(&tend, stop);
    world.send(&[execute], &[]).fails_with(BallastError::MissingMarket);
    world.execute_trigger(kit, ann, BTC, stop).succeeds();
}

#[test]
fn triggers_that_wait_for_a_position_hide_none_behind_them() {
    let mut world = World::btc();
    let (ann, bob, _kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    // Far above the mark, so first in the tree, and without a position.
    let mallory = world.trader(1_000 * DOLLAR);
    let entry = world.bid(mallory, BTC, 1, 990 * CENT);
    for _ in 0..16 {
        let stop = stop_loss(Side::Long, Price(1 << 39), None);
        world.place_bracket(mallory, BTC, OrderRef::Id(entry.0), (stop, None)).succeeds();
    }
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 1, 950 * CENT);
    let (snapshot, now) = (world.snapshot(), world.now);
    let due = snapshot.view().unwrap().due_triggers(BTC, now).unwrap();
    assert_eq!(due.iter().map(|due| due.trigger.id).collect::<Vec<_>>(), [stop]);
}
