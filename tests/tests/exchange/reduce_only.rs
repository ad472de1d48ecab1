//! Resting orders that only reduce: whatever becomes of the position, they never open one.

use ballast_book::{OrderId, RestingOrder};
use ballast_client::{
    ballast::{OrderArgs, OrderRef, error::BallastError, events::OrdersCancelledFor, state::MarketStatus},
    events::Event,
    instructions::{self, at_limit, limit_order, post_only_order, take_profit},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{
    BTC, DOLLAR, Expect, MarketSpec, Receipt, Trader, World, order_ids, resting, trigger_execution,
};

use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// Ann is long 1,000 lots, and her limit take-profit rests as an order for all of them at $10.60.
fn resting_target() -> (World, [Trader; 3], OrderId) {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let target = at_limit(take_profit(Side::Long, Price(1_050 * CENT), None), Price(1_060 * CENT));
    let target = world.protect(ann, BTC, target);
    world.move_price(BTC, 1_050 * CENT);
    let receipt = world.execute_trigger(kit, ann, BTC, target).succeeds();
    assert_eq!(trigger_execution(&receipt).map(|done| done.rested), Some(1_000));
    (world, [ann, bob, kit], order_ids(&receipt)[0])
}

fn cancelled(receipt: &Receipt) -> Option<(OrdersCancelledFor, Vec<u128>)> {
    receipt.events().into_iter().find_map(|event| match event {
        Event::OrdersCancelled(gone) => Some((gone.reason, gone.order_ids)),
        _ => None,
    })
}

#[test]
fn when_the_position_goes_otherwise_the_order_goes_with_it() {
    let (mut world, [ann, bob, _], order) = resting_target();
    world.bid(bob, BTC, 1_000, 1_040 * CENT);
    let receipt = world.sell(ann, BTC, 1_000, 1_040 * CENT).succeeds();
    assert_eq!(cancelled(&receipt), Some((OrdersCancelledFor::NothingToReduce, vec![order.0])));
    // Whoever would have bought from it finds nothing.
    world.buy(bob, BTC, 1_000, 1_060 * CENT).succeeds();
    assert_eq!((world.position(ann, BTC), world.slot(ann, BTC).seat), (0, 0));
}

#[test]
fn it_shrinks_with_the_position() {
    let (mut world, [ann, bob, _], order) = resting_target();
    world.bid(bob, BTC, 300, 1_040 * CENT);
    let receipt = world.sell(ann, BTC, 300, 1_040 * CENT).succeeds();
    let reduced = receipt.events().into_iter().find_map(|event| match event {
        Event::OrderReduced(reduced) => Some((reduced.order_id, reduced.lots, reduced.reason)),
        _ => None,
    });
    assert_eq!(reduced, Some((order.0, 700, OrdersCancelledFor::NothingToReduce)));
    world.buy(bob, BTC, 5_000, 1_060 * CENT).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
}

#[test]
fn an_order_of_the_owner_before_it_takes_its_lots() {
    let (mut world, [ann, bob, _], order) = resting_target();
    // Both would fill in one sweep, without her account in the transaction.
    let before_it = post_only_order(Side::Short, Price(1_055 * CENT), Lots(600));
    let receipt = world.place(ann, BTC, before_it).succeeds();
    assert!(cancelled(&receipt).is_none(), "400 lots of it stay");
    assert_eq!(resting(&mut world, BTC, Side::Short), [(1_055 * CENT, 600), (1_060 * CENT, 400)]);
    world.place(ann, BTC, post_only_order(Side::Short, Price(1_056 * CENT), Lots(500))).succeeds();
    world.cancel(ann, BTC, order).fails_with(BallastError::OrderNotFound);
    // What she orders herself may turn the position; what protects it has not helped.
    world.buy(bob, BTC, 5_000, 1_060 * CENT).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), -100);
}

#[test]
fn fills_that_wait_count() {
    let (mut world, [ann, bob, _], order) = resting_target();
    world.buy(bob, BTC, 900, 1_060 * CENT).succeeds();
    // 900 of her 1,000 lots are sold, though her account says otherwise; 100 rest.
    world.place(ann, BTC, post_only_order(Side::Short, Price(1_058 * CENT), Lots(60))).succeeds();
    let left: Vec<RestingOrder> = world.orders_of(ann, BTC).into_iter().filter(|resting| resting.id == order).collect();
    assert_eq!(left.iter().map(|order| (order.lots.0, order.reduce_only)).collect::<Vec<_>>(), [(40, true)]);
    world.buy(bob, BTC, 5_000, 1_060 * CENT).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
}

#[test]
fn what_a_deleveraging_took_comes_off_at_the_next_touch() {
    let mut world = World::btc();
    let (cal, kit) = (world.trader(5_500 * DOLLAR), world.trader(1_000 * DOLLAR));
    let ann = world.trader(6_000 * DOLLAR);
    world.trade(BTC, cal, ann, 10_000, PRICE);
    let target = at_limit(take_profit(Side::Short, Price(930 * CENT), None), Price(910 * CENT));
    let target = world.protect(ann, BTC, target);
    world.move_price(BTC, 920 * CENT);
    let rested = world.execute_trigger(kit, ann, BTC, target).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), [(910 * CENT, 10_000)]);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    let settled = world.settle(kit, ann, BTC).succeeds();
    let gone = (OrdersCancelledFor::NothingToReduce, vec![order_ids(&rested)[0].0]);
    assert_eq!(cancelled(&settled), Some(gone));
    assert_eq!((world.position(ann, BTC), world.slot(ann, BTC).seat), (0, 0));
}

#[test]
fn an_account_rests_no_more_of_them_than_one_event_tells_of() {
    let mut world = World::new(&[MarketSpec::btc().with(|params| params.max_orders_per_account = 512)]);
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    // As many triggers as an account may have, again and again.
    let mut rest_some = |count: usize| {
        world.move_price(BTC, PRICE);
        let target = at_limit(take_profit(Side::Long, Price(1_040 * CENT), Some(Lots(1))), Price(1_060 * CENT));
        let targets: Vec<_> = (0..count).map(|_| world.protect(ann, BTC, target)).collect();
        world.move_price(BTC, 1_050 * CENT);
        targets.into_iter().map(|target| world.execute_trigger(kit, ann, BTC, target)).collect::<Vec<_>>()
    };
    for _ in 0..4 {
        for receipt in rest_some(16) {
            let receipt = receipt.succeeds();
            assert_eq!(trigger_execution(&receipt).map(|done| done.rested), Some(1));
        }
    }
    // The next one waits as a trigger.
    rest_some(1).remove(0).fails_with(BallastError::NothingToMatch);
    // All go at once where there is nothing left for them to reduce.
    world.bid(bob, BTC, 1_000, 1_040 * CENT);
    let receipt = world.sell(ann, BTC, 1_000, 1_040 * CENT).succeeds();
    let gone = cancelled(&receipt).map(|(reason, ids)| (reason, ids.len()));
    assert_eq!(gone, Some((OrdersCancelledFor::NothingToReduce, 64)));
}

/// An order that only reduces, at a price of its own.
fn reducing(side: Side, price: u64, lots: u64) -> OrderArgs {
    OrderArgs { reduce_only: true, ..post_only_order(side, Price(price), Lots(lots)) }
}

/// Ann is long 1,000 lots at $10 with `deposit`, Bob short.
fn long(deposit: u64) -> (World, Trader, Trader) {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(deposit), world.trader(1_000_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    (world, ann, bob)
}

#[test]
fn an_order_that_only_reduces_rests_for_as_much_as_there_is_to_reduce() {
    let (mut world, ann, bob) = long(5_000 * DOLLAR);
    world.place(ann, BTC, reducing(Side::Short, 1_010 * CENT, 700)).succeeds();
    // What two together could not reduce does not rest.
    world.place(ann, BTC, reducing(Side::Short, 1_020 * CENT, 700)).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Short), [(1_010 * CENT, 700), (1_020 * CENT, 300)]);
    world.place(ann, BTC, reducing(Side::Short, 1_030 * CENT, 700)).fails_with(BallastError::NotReducing);
    world.place(ann, BTC, reducing(Side::Long, 990 * CENT, 1)).fails_with(BallastError::NotReducing);
    world.buy(bob, BTC, 5_000, 1_020 * CENT).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!((world.position(ann, BTC), world.slot(ann, BTC).seat), (0, 0));
    world.place(ann, BTC, reducing(Side::Short, 1_010 * CENT, 1)).fails_with(BallastError::NotReducing);
}

#[test]
fn a_limit_order_that_only_reduces_takes_first_and_rests_with_the_rest() {
    let (mut world, ann, bob) = long(5_000 * DOLLAR);
    world.bid(bob, BTC, 400, 995 * CENT);
    let order = OrderArgs { reduce_only: true, ..limit_order(Side::Short, Price(995 * CENT), Lots(5_000)) };
    world.place(ann, BTC, order).succeeds();
    assert_eq!((world.position(ann, BTC), world.orders_of(ann, BTC)[0].lots), (600, Lots(600)));
    assert!(world.orders_of(ann, BTC)[0].reduce_only);
}

#[test]
fn it_counts_what_waits_in_the_seat_and_what_deleveraging_took() {
    let (mut world, ann, bob) = long(5_000 * DOLLAR);
    world.ask(ann, BTC, 800, PRICE);
    world.buy(bob, BTC, 800, PRICE).succeeds();
    world.place(ann, BTC, reducing(Side::Short, 1_010 * CENT, 1_000)).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Short), [(1_010 * CENT, 200)]);
}

#[test]
fn it_is_replaced_by_another_that_only_reduces_and_shrinks_in_its_place() {
    let (mut world, ann, _bob) = long(5_000 * DOLLAR);
    let receipt = world.place(ann, BTC, reducing(Side::Short, 1_010 * CENT, 700)).succeeds();
    let order = order_ids(&receipt)[0];
    world.replace(ann, BTC, OrderRef::Id(order.0), reducing(Side::Short, 1_010 * CENT, 500), false).succeeds();
    assert_eq!((world.orders_of(ann, BTC)[0].id, world.orders_of(ann, BTC)[0].lots), (order, Lots(500)));
    world.replace(ann, BTC, OrderRef::Id(order.0), reducing(Side::Short, 1_020 * CENT, 900), false).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Short), [(1_020 * CENT, 900)]);
    assert!(world.orders_of(ann, BTC)[0].reduce_only);
}

#[test]
fn a_market_that_only_reduces_takes_it() {
    let (mut world, ann, _bob) = long(5_000 * DOLLAR);
    let admin = world.admin.insecure_clone();
    let (exchange, market) = (world.keys.exchange, world.market_keys(BTC).market);
    let only_reduces = instructions::set_market_status(&admin.pubkey(), &exchange, &market, MarketStatus::ReduceOnly);
    world.send(&[only_reduces], &[&admin]).succeeds();
    world.place(ann, BTC, reducing(Side::Short, 1_010 * CENT, 700)).succeeds();
    let plain = post_only_order(Side::Short, Price(1_010 * CENT), Lots(700));
    world.place(ann, BTC, plain).fails_with(BallastError::MarketState);
}

#[test]
fn nothing_rests_for_an_account_without_initial_margin_but_it_may_reduce_at_once() {
    // $600 for a position of $10,000: initial margin is 5 %, so at $9.80 equity is $400.
    let (mut world, ann, bob) = long(600 * DOLLAR);
    world.move_price(BTC, 980 * CENT);
    // At the worst price that the band allows it would give away what the account does not have.
    world.place(ann, BTC, reducing(Side::Short, 975 * CENT, 1_000)).fails_with(BallastError::InsufficientMargin);
    world.bid(bob, BTC, 1_000, 980 * CENT);
    world.reduce(ann, BTC, Side::Short, 1_000, 980 * CENT).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
}
