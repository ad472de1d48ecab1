//! Trigger orders: when they fire, what they trade, what becomes of them.

use ballast_book::{Execution, OrderId, TriggerPrice};
use ballast_client::{
    ballast::{BracketEntry, OrderArgs, OrderRef, error::BallastError},
    events::Event,
    instructions::{self, at_limit, post_only_order, stop_loss, take_profit, trailing_stop},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, Expect, Receipt, Trader, World, trigger_execution};
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// Ann is long 1,000 lots at $10, Bob short; Kit keeps.
fn crowd(world: &mut World) -> (Trader, Trader, Trader) {
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    (ann, bob, kit)
}

fn lots(lots: u64) -> Option<Lots> {
    Some(Lots(lots))
}

fn bounty(receipt: &Receipt) -> u64 {
    let paid = |event: &Event| if let Event::BountyPaid(paid) = event { paid.amount } else { 0 };
    receipt.events().iter().map(paid).sum()
}

#[test]
fn a_stop_closes_the_position_once_the_mark_has_crossed_its_price() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::TriggerNotDue);
    world.move_price(BTC, 951 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::TriggerNotDue);
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 2_000, 949 * CENT);
    let (paid, earned) = (world.collateral(ann), world.collateral(kit));
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    let done = trigger_execution(&receipt).unwrap();
    assert_eq!((done.lots, done.quote, done.done), (1_000, 1_000 * 949 * CENT, true));
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (0, 0));
    // Five basis points of the value, at most $5.
    let reward = done.quote * 5 / 10_000;
    assert_eq!((bounty(&receipt), world.collateral(kit)), (reward, earned + reward));
    assert!(world.collateral(ann) < paid - reward);
    assert_eq!(world.slot(ann, BTC).seat, 0, "the seat goes with the last trigger");
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingHere);
}

#[test]
fn a_take_profit_fires_in_the_other_direction_and_serves_shorts_alike() {
    let mut world = World::btc();
    let (_ann, bob, kit) = crowd(&mut world);
    let target = world.protect(bob, BTC, take_profit(Side::Short, Price(900 * CENT), lots(300)));
    let stop = world.protect(bob, BTC, stop_loss(Side::Short, Price(1_100 * CENT), lots(300)));
    world.move_price(BTC, 899 * CENT);
    world.execute_trigger(kit, bob, BTC, stop).fails_with(BallastError::TriggerNotDue);
    world.ask(kit, BTC, 1_000, 900 * CENT);
    let other = world.trader(0);
    world.execute_trigger(other, bob, BTC, target).succeeds();
    assert_eq!(world.position(bob, BTC), -700);
    assert_eq!(world.triggers(bob, BTC).len(), 1, "the stop stays: it is no pair");
}

#[test]
fn one_bad_tick_fires_nothing() {
    let mut world = World::btc_with(|params| params.mark_cap_ppm_per_second = 100_000);
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.bid(bob, BTC, 2_000, 940 * CENT);
    world.tick(BTC, 940 * CENT, 10);
    assert_eq!(world.market(BTC).mark().0, 940 * CENT, "the mark itself has followed");
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::TriggerNotDue);
    world.tick(BTC, PRICE, 10);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::TriggerNotDue);
    world.tick(BTC, 940 * CENT, 10);
    world.tick(BTC, 940 * CENT, 10);
    world.execute_trigger(kit, ann, BTC, stop).succeeds();
}

#[test]
fn a_stale_price_executes_and_ratchets_nothing() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    let trailing = world.protect(ann, BTC, trailing_stop(Side::Long, 100_000, lots(1)));
    world.move_price(BTC, 940 * CENT);
    world.bid(bob, BTC, 2_000, 940 * CENT);
    world.wait(121);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::OracleStale);
    world.ratchet(BTC, trailing).fails_with(BallastError::OracleStale);
    world.advance(1);
    world.execute_trigger(kit, ann, BTC, stop).succeeds();
}

#[test]
fn the_worst_price_holds_and_what_is_not_traded_stays_due() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let mut args = stop_loss(Side::Long, Price(950 * CENT), lots(400));
    args.terms.execution = ballast_client::ballast::TriggerExecution::Market { slippage_bps: 100 };
    let stop = world.protect(ann, BTC, args);
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 1_000, 940 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingToMatch);
    world.bid(bob, BTC, 150, 941 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!(trigger_execution(&receipt).map(|done| (done.lots, done.done)), Some((150, false)));
    assert_eq!(world.triggers(ann, BTC)[0].terms.lots, lots(250));
    assert_eq!(world.position(ann, BTC), 850);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingToMatch);
}

#[test]
fn it_shrinks_with_the_position_and_is_gone_with_it() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), lots(800)));
    world.bid(bob, BTC, 700, PRICE);
    world.reduce(ann, BTC, Side::Short, 700, PRICE).succeeds();
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 2_000, 950 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!(trigger_execution(&receipt).map(|done| done.lots), Some(300), "what the position has left");
    assert!(world.triggers(ann, BTC).is_empty());

    world.move_price(BTC, PRICE);
    world.trade(BTC, ann, kit, 100, PRICE);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.reduce(ann, BTC, Side::Short, 100, 950 * CENT).succeeds();
    assert!(world.triggers(ann, BTC).is_empty(), "whoever closes the position, the triggers go with it");
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingHere);
}

#[test]
fn a_position_that_fills_have_closed_in_the_meantime_is_not_sold_again() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.ask(ann, BTC, 1_000, PRICE);
    world.buy(bob, BTC, 1_000, PRICE).succeeds();
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 2_000, 950 * CENT);
    // The fills still wait in Ann's seat: her account says 1,000.
    assert_eq!((world.slot(ann, BTC).lots, world.position(ann, BTC)), (1_000, 0));
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert!(trigger_execution(&receipt).is_none() && bounty(&receipt) == 0);
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (0, 0));
}

#[test]
fn triggers_of_the_old_side_go_when_the_position_turns() {
    let mut world = World::btc();
    let (ann, bob, _kit) = crowd(&mut world);
    world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.bid(bob, BTC, 1_500, PRICE);
    world.sell(ann, BTC, 1_500, PRICE).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (-500, 0));
    world
        .place_triggers(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None), None)
        .fails_with(BallastError::NothingToProtect);
}

#[test]
fn what_one_of_a_pair_trades_comes_off_the_other() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let (stop, target) = world.protect_both(
        ann,
        BTC,
        stop_loss(Side::Long, Price(950 * CENT), lots(600)),
        take_profit(Side::Long, Price(1_050 * CENT), lots(600)),
    );
    world.move_price(BTC, 1_050 * CENT);
    world.bid(bob, BTC, 200, 1_050 * CENT);
    world.execute_trigger(kit, ann, BTC, target).succeeds();
    let left: Vec<_> = world.triggers(ann, BTC).iter().map(|trigger| trigger.terms.lots).collect();
    assert_eq!(left, [lots(400), lots(400)]);
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 1_000, 950 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    let done = trigger_execution(&receipt).unwrap();
    assert_eq!((done.lots, done.done, done.sibling_gone), (400, true, true));
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (400, 0));
}

#[test]
fn a_pair_reduces_one_side_by_the_same_lots() {
    let mut world = World::btc();
    let (ann, ..) = crowd(&mut world);
    let stop = stop_loss(Side::Long, Price(950 * CENT), lots(600));
    let other = |lots| take_profit(Side::Long, Price(1_050 * CENT), lots);
    world.place_triggers(ann, BTC, stop, Some(other(lots(500)))).fails_with(BallastError::InvalidTrigger);
    let buys = take_profit(Side::Short, Price(900 * CENT), lots(600));
    world.place_triggers(ann, BTC, stop, Some(buys)).fails_with(BallastError::InvalidTrigger);
}

#[test]
fn the_rest_of_a_limit_trigger_rests_and_its_pair_takes_it_back() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let (stop, target) = world.protect_both(
        ann,
        BTC,
        stop_loss(Side::Long, Price(950 * CENT), lots(1_000)),
        at_limit(take_profit(Side::Long, Price(1_050 * CENT), lots(1_000)), Price(1_050 * CENT)),
    );
    world.move_price(BTC, 1_050 * CENT);
    world.bid(bob, BTC, 300, 1_050 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, target).succeeds();
    let done = trigger_execution(&receipt).unwrap();
    assert_eq!((done.lots, done.rested, done.done), (300, 700, true));
    let order = receipt.events().iter().find_map(|event| match event {
        Event::OrderPlaced(placed) => Some((OrderId(placed.order_id), placed.lots, placed.buys)),
        _ => None,
    });
    assert_eq!(order.map(|(_, lots, buys)| (lots, buys)), Some((700, false)));
    assert_eq!(world.triggers(ann, BTC)[0].terms.lots, lots(700));
    // The market turns: the stop closes the position, and the order of its pair must not sell what is gone.
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 1_000, 950 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert!(trigger_execution(&receipt).unwrap().sibling_gone);
    let cancelled = receipt.events().into_iter().find_map(|event| match event {
        Event::OrdersCancelled(cancelled) => Some((cancelled.order_ids.len(), cancelled.lots)),
        _ => None,
    });
    assert_eq!(cancelled, Some((1, 700)), "what leaves the book is reported");
    assert_eq!((world.position(ann, BTC), world.slot(ann, BTC).seat), (0, 0));
    world.cancel(ann, BTC, order.unwrap().0).fails();
}

#[test]
fn a_limit_trigger_with_nothing_to_match_rests_for_no_reward() {
    let mut world = World::btc();
    let (ann, _bob, kit) = crowd(&mut world);
    let target = at_limit(take_profit(Side::Long, Price(1_050 * CENT), None), Price(1_060 * CENT));
    let target = world.protect(ann, BTC, target);
    world.move_price(BTC, 1_050 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, target).succeeds();
    assert_eq!(trigger_execution(&receipt).map(|done| (done.lots, done.rested)), Some((0, 1_000)));
    assert_eq!(bounty(&receipt), 0);
}

#[test]
fn a_bracket_waits_for_its_entry() {
    let mut world = World::btc();
    let (bob, kit) = (world.trader(1_000_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    let ann = world.trader(5_000 * DOLLAR);
    let owner = world.owner(ann);
    let (margin, keys) = (world.margin(ann), world.market_keys(BTC));
    let bracket = |entry| {
        let order = OrderArgs { client_id: 77, ..post_only_order(Side::Long, Price(990 * CENT), Lots(500)) };
        let place = instructions::place_order(&owner.pubkey(), &margin, &keys, order.clone(), &[]);
        let stop = stop_loss(Side::Long, Price(950 * CENT), None);
        let target = take_profit(Side::Long, Price(1_050 * CENT), None);
        let by_client_id = BracketEntry { order: OrderRef::Client(order.client_id), held: 0 };
        let protect = instructions::place_bracket(&owner.pubkey(), &margin, &keys, by_client_id, (stop, Some(target)));
        if entry { vec![place, protect] } else { vec![protect] }
    };
    world.send(&bracket(false), &[&owner]).fails_with(BallastError::NothingToProtect);
    world.send(&bracket(true), &[&owner]).succeeds();
    let stop = world.triggers(ann, BTC)[1].id;
    world.move_price(BTC, 950 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingToProtect);
    assert_eq!(world.triggers(ann, BTC).len(), 2);
    world.move_price(BTC, PRICE);
    world.sell(bob, BTC, 500, 990 * CENT).succeeds();
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 500, 950 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (0, 0));
}

#[test]
fn the_bracket_of_an_entry_that_was_cancelled_goes_with_it() {
    let mut world = World::btc();
    let ann = world.trader(5_000 * DOLLAR);
    let entry = world.bid(ann, BTC, 500, 990 * CENT);
    let stop = stop_loss(Side::Long, Price(950 * CENT), None);
    world.place_bracket(ann, BTC, OrderRef::Id(entry.0), (stop, None)).succeeds();
    world.cancel(ann, BTC, entry).succeeds();
    assert_eq!(world.slot(ann, BTC).seat, 0);
}

#[test]
fn a_trigger_that_would_fire_at_once_is_refused() {
    let mut world = World::btc();
    let (ann, ..) = crowd(&mut world);
    let due = BallastError::TriggerAlreadyDue;
    world.place_triggers(ann, BTC, stop_loss(Side::Long, Price(PRICE), None), None).fails_with(due);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(PRICE - CENT), None));
    let mut terms = stop_loss(Side::Long, Price(PRICE + CENT), None).terms;
    world.edit_trigger(ann, BTC, stop, terms).fails_with(BallastError::TriggerAlreadyDue);
    terms.price = 900 * CENT;
    world.edit_trigger(ann, BTC, stop, terms).succeeds();
    assert_eq!(world.triggers(ann, BTC)[0].price, Price(900 * CENT));
}

#[test]
fn a_trigger_whose_time_is_over_is_removed_by_whoever_meets_it() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let mut args = stop_loss(Side::Long, Price(950 * CENT), None);
    args.terms.expires_at = world.now + 100;
    let stop = world.protect(ann, BTC, args);
    world.move_price(BTC, 940 * CENT);
    world.bid(bob, BTC, 2_000, 940 * CENT);
    world.advance(100);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert!(trigger_execution(&receipt).is_none() && bounty(&receipt) == 0);
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (1_000, 0));
    args.terms.expires_at = world.now;
    world.place_triggers(ann, BTC, args, None).fails_with(BallastError::Expired);
}

#[test]
fn a_trailing_stop_follows_what_two_ticks_support_and_never_back() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, trailing_stop(Side::Long, 50_000, None));
    assert_eq!(world.triggers(ann, BTC)[0].price, Price(950 * CENT));
    world.ratchet(BTC, stop).fails_with(BallastError::NothingToRatchet);
    // One tick up supports nothing yet.
    world.tick(BTC, 1_100 * CENT, 10);
    world.ratchet(BTC, stop).fails_with(BallastError::NothingToRatchet);
    world.tick(BTC, PRICE, 10);
    world.ratchet(BTC, stop).fails_with(BallastError::NothingToRatchet);
    world.move_price(BTC, 1_100 * CENT);
    world.ratchet(BTC, stop).succeeds();
    world.ratchet(BTC, stop).fails_with(BallastError::NothingToRatchet);
    let followed = TriggerPrice::Trailing { ppm: 50_000, best: Price(1_100 * CENT) };
    assert_eq!(world.triggers(ann, BTC)[0].terms.price, followed);
    assert_eq!(world.triggers(ann, BTC)[0].price, Price(1_045 * CENT));
    world.move_price(BTC, 1_050 * CENT);
    world.ratchet(BTC, stop).fails_with(BallastError::NothingToRatchet);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::TriggerNotDue);
    world.move_price(BTC, 1_045 * CENT);
    world.bid(bob, BTC, 2_000, 1_045 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
}

#[test]
fn a_shorts_trailing_stop_follows_downwards() {
    let mut world = World::btc();
    let (_ann, bob, _kit) = crowd(&mut world);
    let stop = world.protect(bob, BTC, trailing_stop(Side::Short, 50_000, lots(10)));
    world.move_price(BTC, 900 * CENT);
    world.ratchet(BTC, stop).succeeds();
    assert_eq!(world.triggers(bob, BTC)[0].price, Price(945 * CENT));
    let fixed = world.protect(bob, BTC, stop_loss(Side::Short, Price(1_000 * CENT), lots(10)));
    world.ratchet(BTC, fixed).fails_with(BallastError::NothingToRatchet);
}

#[test]
fn terms_out_of_range_are_refused() {
    let mut world = World::btc();
    let (ann, ..) = crowd(&mut world);
    let good = stop_loss(Side::Long, Price(950 * CENT), None);
    let mut refuse = |args, error| world.place_triggers(ann, BTC, args, None).fails_with(error);
    refuse(stop_loss(Side::Long, Price(0), None), BallastError::InvalidTrigger);
    refuse(stop_loss(Side::Long, Price(950 * CENT), lots(1 << 41)), BallastError::InvalidTrigger);
    refuse(at_limit(good, Price(950 * CENT + 1)), BallastError::BadPrice);
    refuse(at_limit(good, Price(0)), BallastError::InvalidTrigger);
    let mut trails = trailing_stop(Side::Long, 50_000, None);
    trails.kind = ballast_client::ballast::TriggerKind::TakeProfit;
    refuse(trails, BallastError::InvalidTrigger);
    refuse(trailing_stop(Side::Long, 99, None), BallastError::InvalidTrigger);
    let mut both = trailing_stop(Side::Long, 50_000, None);
    both.terms.price = 950 * CENT;
    refuse(both, BallastError::InvalidTrigger);
    for _ in 0..16 {
        world.protect(ann, BTC, good);
    }
    world.place_triggers(ann, BTC, good, None).fails_with(BallastError::TooManyTriggers);
    assert!(matches!(world.triggers(ann, BTC)[0].terms.execution, Execution::Market { slippage_bps: 500 }));
    world.cancel_all_triggers(ann, BTC).succeeds();
    assert!(world.triggers(ann, BTC).is_empty());
}
