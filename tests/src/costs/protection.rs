//! Triggers and ladders.

use ballast_client::{
    instructions::{stop_loss, take_profit, trailing_stop},
    units::{Lots, Price, Side},
};

use super::{
    Cost, Extent,
    crowd::{MARK, RICH, TICK, crowd, deep_market, quiet},
    population::Random,
};
use crate::harness::{BTC, DOLLAR, Expect, MarketSpec};

/// Orders a side in the book, and triggers beside them.
const RESTING: usize = 1_000;
const TRIGGERS: usize = 192;
/// The position that is protected.
const LOTS: u64 = 1_000;

/// Placing, executing and ratcheting in a book with a thousand orders a side and many triggers; a rung of a ladder.
pub(super) fn protection(_: Extent) -> Vec<Cost> {
    let mut costs = triggers();
    costs.push(ladder());
    costs
}

fn triggers() -> Vec<Cost> {
    let (mut world, mut random) = (quiet(&[deep_market()]), Random(7));
    crowd(&mut world, BTC, RESTING, &mut random);
    let (seller, keeper) = (world.trader(RICH), world.trader(RICH));
    for _ in 0..TRIGGERS / 16 {
        let holder = world.trader(RICH);
        world.trade(BTC, holder, seller, 100, MARK);
        for _ in 0..16 {
            let price = MARK * (700 + random.below(250)) / 1_000;
            world.protect(holder, BTC, stop_loss(Side::Long, Price(price), Some(Lots(1))));
        }
    }
    let trader = world.trader(RICH);
    world.trade(BTC, trader, seller, LOTS, MARK);
    let stop = stop_loss(Side::Long, Price(MARK * 99 / 100), Some(Lots(10)));
    let target = take_profit(Side::Long, Price(MARK * 120 / 100), Some(Lots(10)));
    let first = world.place_triggers(trader, BTC, stop, None).succeeds().units();
    let one = world.place_triggers(trader, BTC, stop, None).succeeds().units();
    let pair = world.place_triggers(trader, BTC, stop, Some(target)).succeeds().units();
    let cancel = world.triggers(trader, BTC)[3].id;
    let cancelled = world.cancel_trigger(trader, BTC, cancel).succeeds().units();
    let trailing = world.protect(trader, BTC, trailing_stop(Side::Long, 50_000, Some(Lots(10))));
    let due = world.triggers(trader, BTC);
    let (single, paired) = (due[3].id, due[2].id);

    let mut risen = world.fork();
    risen.move_price(BTC, MARK * 1_002 / 1_000);
    let ratcheted = risen.ratchet(BTC, trailing).succeeds().units();

    // The best bid of the book takes all of it.
    world.bid(seller, BTC, 10 * LOTS, MARK - TICK);
    world.move_price(BTC, MARK * 99 / 100);
    let execute = |trigger| world.fork().execute_trigger(keeper, trader, BTC, trigger).succeeds().units();
    let (executed, executed_pair) = (execute(single), execute(paired));
    vec![
        Cost::units("place trigger, the account's first", first),
        Cost::units("place trigger", one),
        Cost::units("place a pair of triggers", pair),
        Cost::units("cancel trigger", cancelled),
        Cost::units("ratchet trailing stop", ratcheted),
        Cost::units("execute trigger, 1 maker", executed).at_most(30_000),
        Cost::units("execute trigger of a pair, 1 maker", executed_pair),
    ]
}

fn ladder() -> Cost {
    let mut world = quiet(&[MarketSpec::btc()]);
    let (debtor, bidder) = (world.trader(1_000 * DOLLAR), world.trader(RICH));
    let keeper = world.trader(RICH);
    world.trade(BTC, debtor, bidder, LOTS, MARK);
    world.set_ladder(debtor, &[(20_000, 2_500)], 100).succeeds();
    let price = MARK * 947 / 1_000;
    world.move_price(BTC, price);
    world.bid(bidder, BTC, LOTS, price);
    Cost::units("ladder, 1 maker", world.execute_ladder(keeper, debtor, BTC).succeeds().units()).at_most(45_000)
}
