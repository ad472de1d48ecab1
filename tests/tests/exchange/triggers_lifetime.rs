//! How long a trigger lives: with the position that it protects, or, of a bracket, with the entry order that opens it.

use ballast_book::{OrderId, TriggerId};
use ballast_client::{
    ballast::{BatchArgs, BracketEntry, OrderArgs, OrderRef, error::BallastError},
    instructions::{at_limit, limit_order, market_order, post_only_order, stop_loss, take_profit},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, Expect, Trader, World, trigger_execution, trigger_ids};

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// Ann is long 1,000 lots at $10, Bob short; Kit keeps.
fn crowd(world: &mut World) -> (Trader, Trader, Trader) {
    let (ann, bob) = (world.trader(50_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    (ann, bob, kit)
}

fn lots(lots: u64) -> Option<Lots> {
    Some(Lots(lots))
}

fn id(order: OrderId) -> OrderRef {
    OrderRef::Id(order.0)
}

#[test]
fn a_stop_does_not_outlive_its_position_when_the_next_one_begins_before_anybody_settles() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    // A resting order closes the position; the fill waits in the seat.
    world.ask(ann, BTC, 1_000, PRICE);
    world.buy(bob, BTC, 1_000, PRICE).succeeds();
    world.ask(bob, BTC, 300, PRICE);
    world.buy(ann, BTC, 300, PRICE).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (300, 0));
    world.move_price(BTC, 940 * CENT);
    world.bid(bob, BTC, 2_000, 940 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails();
    assert_eq!(world.position(ann, BTC), 300, "the new position is nobody's to sell");
}

#[test]
fn a_batch_that_closes_and_opens_again_takes_no_stop_along() {
    let mut world = World::btc();
    let (ann, bob, _kit) = crowd(&mut world);
    world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.bid(bob, BTC, 1_000, 999 * CENT);
    world.ask(bob, BTC, 200, PRICE);
    let orders = vec![
        market_order(Side::Short, Price(999 * CENT), Lots(1_000)),
        market_order(Side::Long, Price(PRICE), Lots(200)),
    ];
    let batch = BatchArgs { orders, ..BatchArgs::default() };
    world.batch(ann, BTC, batch).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (200, 0));
}

#[test]
fn an_order_that_has_nothing_to_do_with_it_keeps_no_stop_alive() {
    let mut world = World::btc();
    let (ann, bob, _kit) = crowd(&mut world);
    world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.bid(ann, BTC, 400, 960 * CENT);
    world.bid(bob, BTC, 1_000, 999 * CENT);
    world.sell(ann, BTC, 1_000, 999 * CENT).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (0, 0));
    // Nor is there anything to protect yet, unless that order is named as the entry.
    let stop = stop_loss(Side::Long, Price(950 * CENT), None);
    world.place_triggers(ann, BTC, stop, None).fails_with(BallastError::NothingToProtect);
    let entry = world.newest_order(ann, BTC);
    world.place_bracket(ann, BTC, id(entry), (stop, None)).succeeds();
}

#[test]
fn a_bracket_protects_all_of_its_entry_part_by_part() {
    let mut world = World::btc();
    let (bob, kit) = (world.trader(1_000_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    let ann = world.trader(50_000 * DOLLAR);
    let entry = world.bid(ann, BTC, 1_000, PRICE);
    let (stop, target) =
        (stop_loss(Side::Long, Price(950 * CENT), None), take_profit(Side::Long, Price(1_050 * CENT), None));
    let receipt = world.place_bracket(ann, BTC, id(entry), (stop, Some(target))).succeeds();
    let target = trigger_ids(&receipt)[1];
    // A tenth of the entry fills and is sold again at a profit.
    world.sell(bob, BTC, 100, PRICE).succeeds();
    world.move_price(BTC, 1_050 * CENT);
    world.bid(bob, BTC, 100, 1_050 * CENT);
    world.execute_trigger(kit, ann, BTC, target).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (0, 2), "the rest is still to come");
    world.execute_trigger(kit, ann, BTC, target).fails_with(BallastError::NothingToProtect);
    // The rest fills, and is protected.
    world.move_price(BTC, PRICE);
    world.sell(bob, BTC, 900, PRICE).succeeds();
    world.move_price(BTC, 1_050 * CENT);
    world.bid(bob, BTC, 900, 1_050 * CENT);
    world.execute_trigger(kit, ann, BTC, target).succeeds();
    assert_eq!(
        (world.position(ann, BTC), world.slot(ann, BTC).seat),
        (0, 0),
        "with the entry gone, it ends with the position"
    );
}

#[test]
fn a_bracket_follows_its_entry_to_another_price() {
    let mut world = World::btc();
    let ann = world.trader(50_000 * DOLLAR);
    let (bob, kit) = (world.trader(1_000_000 * DOLLAR), world.trader(0));
    let entry = world.bid(ann, BTC, 500, 990 * CENT);
    world.place_bracket(ann, BTC, id(entry), (stop_loss(Side::Long, Price(950 * CENT), None), None)).succeeds();
    let moved = post_only_order(Side::Long, Price(991 * CENT), Lots(500));
    world.replace(ann, BTC, id(entry), moved, false).succeeds();
    // Whoever looks at her account leaves it there.
    world.settle(kit, ann, BTC).succeeds();
    assert_eq!(world.triggers(ann, BTC).len(), 1);
    world.sell(bob, BTC, 500, 991 * CENT).succeeds();
    world.settle(kit, ann, BTC).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (500, 1));
}

#[test]
fn a_bracket_is_of_an_order_that_opens_what_it_protects() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(50_000 * DOLLAR), world.trader(50_000 * DOLLAR));
    let (bid, others) = (world.bid(ann, BTC, 500, 990 * CENT), world.bid(bob, BTC, 500, 990 * CENT));
    let of_a_short = stop_loss(Side::Short, Price(1_050 * CENT), None);
    world.place_bracket(ann, BTC, id(bid), (of_a_short, None)).fails_with(BallastError::InvalidTrigger);
    let stop = stop_loss(Side::Long, Price(950 * CENT), None);
    // Somebody else's order is not found, and without one there is nothing to protect.
    world.place_bracket(ann, BTC, id(others), (stop, None)).fails_with(BallastError::NothingToProtect);
    world.place_bracket(ann, BTC, OrderRef::Client(999), (stop, None)).fails_with(BallastError::NothingToProtect);
}

#[test]
fn fills_of_the_order_that_one_of_a_pair_became_come_off_the_other() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let (stop, target) = world.protect_both(
        ann,
        BTC,
        stop_loss(Side::Long, Price(950 * CENT), lots(800)),
        at_limit(take_profit(Side::Long, Price(1_050 * CENT), lots(800)), Price(1_050 * CENT)),
    );
    world.move_price(BTC, 1_050 * CENT);
    world.bid(bob, BTC, 300, 1_050 * CENT);
    world.execute_trigger(kit, ann, BTC, target).succeeds();
    // 500 rest, of which a taker fills 400.
    world.buy(bob, BTC, 400, 1_050 * CENT).succeeds();
    assert_eq!(world.triggers(ann, BTC)[0].terms.lots, lots(100));
    // The position is larger than what is left of the pair: no more than that is sold.
    world.ask(bob, BTC, 1_000, 1_060 * CENT);
    world.buy(ann, BTC, 1_000, 1_060 * CENT).succeeds();
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 5_000, 950 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!(trigger_execution(&receipt).unwrap().lots, 100);
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (1_200, 0));
}

#[test]
fn a_pair_is_over_when_the_order_that_one_of_it_became_is_filled() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let (stop, target) = world.protect_both(
        ann,
        BTC,
        stop_loss(Side::Long, Price(950 * CENT), lots(400)),
        at_limit(take_profit(Side::Long, Price(1_050 * CENT), lots(400)), Price(1_050 * CENT)),
    );
    world.move_price(BTC, 1_050 * CENT);
    world.execute_trigger(kit, ann, BTC, target).succeeds();
    world.buy(bob, BTC, 400, 1_050 * CENT).succeeds();
    assert!(world.triggers(ann, BTC)[0].spent);
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 5_000, 950 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert!(trigger_execution(&receipt).is_none(), "it is taken away, for nothing");
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (600, 0));
}

#[test]
fn orders_that_cannot_trade_do_not_keep_a_stop_from_executing() {
    let mut world = World::btc_with(|params| params.max_orders_per_account = 64);
    let (ann, bob, kit) = crowd(&mut world);
    let stop = world.protect(ann, BTC, stop_loss(Side::Long, Price(950 * CENT), None));
    world.move_price(BTC, 950 * CENT);
    world.bid(bob, BTC, 5_000, 945 * CENT);
    // As many of her own in front as one execution meets, and more.
    for _ in 0..40 {
        world
            .place(ann, BTC, OrderArgs { client_id: 1, ..post_only_order(Side::Long, Price(949 * CENT), Lots(1)) })
            .succeeds();
    }
    let receipt = world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!(trigger_execution(&receipt).map(|done| (done.lots, done.done)), Some((0, false)));
    assert_eq!(world.orders_of(ann, BTC).len(), 8);
    world.execute_trigger(kit, ann, BTC, stop).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (0, 0));
}

/// Ann without a position, with a bid at $9.90 whose bracket is a stop at $9.50 and a target at $9.95; Bob trades, Kit keeps.
fn bracketed(lots: u64) -> (World, [Trader; 3], OrderId, TriggerId) {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(50_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    let entry = world.bid(ann, BTC, lots, 990 * CENT);
    let stop = stop_loss(Side::Long, Price(950 * CENT), None);
    let target = take_profit(Side::Long, Price(995 * CENT), None);
    let receipt = world.place_bracket(ann, BTC, id(entry), (stop, Some(target))).succeeds();
    let target = trigger_ids(&receipt)[1];
    (world, [ann, bob, kit], entry, target)
}

#[test]
fn a_bracket_whose_entry_was_cancelled_is_not_of_the_next_position() {
    let (mut world, [ann, bob, _], entry, _) = bracketed(500);
    world.cancel(ann, BTC, entry).succeeds();
    assert_eq!(world.slot(ann, BTC).seat, 0, "they go with the entry");
    world.ask(bob, BTC, 100, PRICE);
    world.buy(ann, BTC, 100, PRICE).succeeds();
    assert!(world.triggers(ann, BTC).is_empty());
}

#[test]
fn a_bracket_sells_nothing_that_its_entry_did_not_buy() {
    let (mut world, [ann, bob, kit], _, target) = bracketed(500);
    world.ask(bob, BTC, 300, PRICE);
    world.buy(ann, BTC, 300, PRICE).succeeds();
    world.bid(bob, BTC, 5_000, 995 * CENT);
    // The mark is beyond the target, but what there is was not bought by the entry.
    world.execute_trigger(kit, ann, BTC, target).fails_with(BallastError::NothingToProtect);
    world.cancel_all(bob, BTC, None, 10).succeeds();
    world.sell(bob, BTC, 40, 990 * CENT).succeeds();
    world.bid(bob, BTC, 5_000, 995 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, target).succeeds();
    assert_eq!(trigger_execution(&receipt).unwrap().lots, 40);
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (300, 2));
}

#[test]
fn an_entry_that_expired_unfilled_leaves_its_bracket_nothing() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(50_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let order = OrderArgs { expires_at: world.now + 20, ..post_only_order(Side::Long, Price(990 * CENT), Lots(500)) };
    world.place(ann, BTC, order).succeeds();
    let entry = world.newest_order(ann, BTC);
    world.place_bracket(ann, BTC, id(entry), (stop_loss(Side::Long, Price(950 * CENT), None), None)).succeeds();
    // Another order of hers, which fills while nobody has looked at the account since.
    world.bid(ann, BTC, 50, 985 * CENT);
    world.advance(20);
    world.prune_expired(BTC, &[entry]).succeeds();
    world.sell(bob, BTC, 50, 985 * CENT).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (50, 0));
}

#[test]
fn a_replaced_entry_takes_its_bracket_along_and_no_other_order_does() {
    let (mut world, [ann, bob, kit], entry, target) = bracketed(500);
    let other = world.bid(ann, BTC, 70, 985 * CENT);
    // The new order takes all of its lots at once: the bracket is of them, not of the other bid.
    world.ask(bob, BTC, 500, 993 * CENT);
    world.replace(ann, BTC, id(entry), market_order(Side::Long, Price(993 * CENT), Lots(500)), false).succeeds();
    world.bid(bob, BTC, 5_000, 992 * CENT);
    world.move_price(BTC, 996 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, target).succeeds();
    assert_eq!(trigger_execution(&receipt).unwrap().lots, 500);
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (0, 0));
    world.cancel(ann, BTC, other).succeeds();
}

#[test]
fn a_bracket_stays_while_the_order_in_its_entrys_place_turns_the_position() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(50_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.trade(BTC, bob, ann, 200, PRICE);
    let entry = world.bid(ann, BTC, 500, 990 * CENT);
    world.place_bracket(ann, BTC, id(entry), (stop_loss(Side::Long, Price(950 * CENT), None), None)).succeeds();
    world.ask(bob, BTC, 200, 993 * CENT);
    let marketable = limit_order(Side::Long, Price(993 * CENT), Lots(500));
    world.replace(ann, BTC, id(entry), marketable, false).succeeds();
    assert_eq!((world.position(ann, BTC), world.orders_of(ann, BTC)[0].lots), (0, Lots(300)));
    assert_eq!(world.triggers(ann, BTC).len(), 1);
    world.sell(bob, BTC, 300, 993 * CENT).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC)[0].filled), (300, Lots(300)));
}

#[test]
fn of_a_pair_one_order_rests_at_most() {
    let mut world = World::btc();
    let (ann, _bob, kit) = crowd(&mut world);
    let (stop, target) = world.protect_both(
        ann,
        BTC,
        at_limit(stop_loss(Side::Long, Price(950 * CENT), lots(400)), Price(955 * CENT)),
        at_limit(take_profit(Side::Long, Price(1_050 * CENT), lots(400)), Price(1_060 * CENT)),
    );
    world.move_price(BTC, 1_050 * CENT);
    world.execute_trigger(kit, ann, BTC, target).succeeds();
    world.move_price(BTC, 950 * CENT);
    world.execute_trigger(kit, ann, BTC, stop).fails_with(BallastError::NothingToMatch);
    assert_eq!(world.orders_of(ann, BTC).iter().map(|order| order.lots.0).collect::<Vec<_>>(), [400]);
}

#[test]
fn an_order_of_the_other_side_in_an_entrys_place_ends_its_bracket() {
    let (mut world, [ann, bob, kit], entry, target) = bracketed(500);
    world.trade(BTC, ann, bob, 100, PRICE);
    world.bid(bob, BTC, 30, 992 * CENT);
    world.replace(ann, BTC, id(entry), market_order(Side::Short, Price(992 * CENT), Lots(30)), false).succeeds();
    // The rest of what she bought otherwise is not the bracket's.
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC).len()), (70, 0));
    world.execute_trigger(kit, ann, BTC, target).fails();
}

#[test]
fn a_bracket_on_more_of_a_position_leaves_what_was_held_alone() {
    let mut world = World::btc();
    let (ann, bob, kit) = crowd(&mut world);
    let beyond = |order| BracketEntry { order, held: 1_000 };
    let target = take_profit(Side::Long, Price(1_050 * CENT), lots(500));
    // At rest: nothing of it is there yet.
    let entry = world.bid(ann, BTC, 500, 990 * CENT);
    let receipt = world.place_bracket_beyond(ann, BTC, beyond(id(entry)), (target, None)).succeeds();
    let waiting = trigger_ids(&receipt)[0];
    world.move_price(BTC, 1_050 * CENT);
    world.bid(bob, BTC, 5_000, 1_050 * CENT);
    world.execute_trigger(kit, ann, BTC, waiting).fails_with(BallastError::NothingToProtect);
    world.cancel_all(bob, BTC, None, 10).succeeds();
    world.move_price(BTC, PRICE);
    world.cancel(ann, BTC, entry).succeeds();
    assert!(world.triggers(ann, BTC).is_empty());
    // Filled at once, in part: the bracket is of that part.
    world.ask(bob, BTC, 200, PRICE);
    world.buy(ann, BTC, 500, PRICE).succeeds();
    world.place_bracket_beyond(ann, BTC, beyond(OrderRef::Client(7)), (target, None)).succeeds();
    assert_eq!((world.position(ann, BTC), world.triggers(ann, BTC)[0].terms.lots), (1_200, lots(200)));
    // Not at all: there is nothing for it.
    let more = BracketEntry { order: OrderRef::Client(7), held: 1_200 };
    world.place_bracket_beyond(ann, BTC, more, (target, None)).fails_with(BallastError::NothingToProtect);
}
