//! Accounts and money, and what anyone does for others.

use super::{
    Cost, Extent,
    crowd::{MARK, RICH, TICK, crowd, deep_market, quiet},
    population::Random,
    samples::Samples,
};
use crate::harness::{BTC, DOLLAR, Expect, MarketSpec};

/// Orders a side that a refresh finds.
const RESTING: usize = 100;
/// The market with the older oracle format.
const LEGACY: u16 = 1;
/// Lots of a position.
const LOTS: u64 = 100;

/// Opening an account (whose address takes a search of varying length), depositing, withdrawing, closing.
pub(super) fn money(extent: Extent) -> Vec<Cost> {
    let mut world = quiet(&[MarketSpec::btc()]);
    let opened = (0..extent.samples().min(100)).map(|_| {
        world.trader(0);
        *world.usage.of("OpenMarginAccount").last().expect("an account was opened")
    });
    let opened = Samples::from_iter(opened);
    let (idle, trader, other) = (world.trader(RICH), world.trader(RICH), world.trader(RICH));
    world.trade(BTC, trader, other, LOTS, MARK);
    let mut costs = vec![
        Cost::units("open account: median", opened.median()),
        Cost::units("deposit", world.deposit(idle, DOLLAR).succeeds().units()),
        Cost::units("withdraw, no position", world.withdraw(idle, DOLLAR).succeeds().units()),
        Cost::units("withdraw, position in 1 market", world.withdraw(trader, DOLLAR).succeeds().units()),
    ];
    let twin = world.another_account(trader, 0);
    let transfer = world.transfer(trader, twin, DOLLAR).succeeds().units();
    costs.push(Cost::units("transfer between an owner's accounts, position in 1 market", transfer));
    world.open_trader(other, None).succeeds();
    let referrer = world.owner_key(other);
    world.open_trader(trader, Some(referrer)).succeeds();
    world.roll_volume(&[trader]).succeeds();
    world.trade(BTC, trader, other, LOTS, MARK);
    let roll = world.roll_volume(&[trader, twin]).succeeds().units();
    costs.push(Cost::units("roll volume of 2 accounts, with a referrer", roll));
    let rest = world.collateral(idle);
    world.withdraw(idle, rest).succeeds();
    costs.push(Cost::units("close account", world.close_account(idle).succeeds().units()));
    costs
}

/// Prices, settlement, ranking.
pub(super) fn upkeep(_: Extent) -> Vec<Cost> {
    let legacy = MarketSpec { price: MARK, blocks: 4_096, ..MarketSpec::sol() };
    let (mut world, mut random) = (quiet(&[deep_market(), legacy]), Random(2));
    for market in [BTC, LEGACY] {
        crowd(&mut world, market, RESTING, &mut random);
    }
    world.wait(1);
    let [new, legacy] = [BTC, LEGACY].map(|market| {
        let observation = world.observe(market, MARK + TICK);
        world.publish(market, &observation).succeeds().units()
    });

    // The same with the book's say in the mark, and with an hour of funding to report.
    world.update_market(BTC, |params| params.mark_book_weight_bps = 2_000).succeeds();
    world.wait(1);
    let observation = world.observe(BTC, MARK + TICK);
    let blended = world.publish(BTC, &observation).succeeds().units();
    world.wait(3_600);
    let observation = world.observe(BTC, MARK + TICK);
    let hourly = world.publish(BTC, &observation).succeeds().units();
    world.wait(1);
    let observation = world.observe(LEGACY, MARK + TICK);
    world.publish(LEGACY, &observation).succeeds();

    let (maker, taker) = (world.trader(RICH), world.trader(RICH));
    let [opening, growing] = [(); 2].map(|()| {
        world.ask(maker, BTC, LOTS, MARK + TICK);
        world.buy(taker, BTC, LOTS, MARK + TICK).succeeds();
        world.settle(taker, maker, BTC).succeeds().units()
    });
    let idle = world.settle(taker, maker, BTC).succeeds().units();
    let rerank = world.rerank(taker, maker, BTC).succeeds().units();
    vec![
        Cost::units("refresh market, PriceUpdateV2, 100 orders a side", new),
        Cost::units("refresh market, with the book's say in the mark", blended),
        Cost::units("refresh market, the same at the end of an hour", hourly),
        Cost::units("refresh market, legacy Pyth account, 100 orders a side", legacy),
        Cost::units("settle seat, one fill, no position before", opening),
        Cost::units("settle seat, one fill, a position before", growing),
        Cost::units("settle seat, nothing waiting", idle),
        Cost::units("rerank", rerank),
    ]
}
