//! Orders that rest, leave, and take.

use ballast_client::{
    ballast::{BatchArgs, OrderRef},
    events::Event,
    instructions,
    units::{Lots, Price, Side},
};

use super::{
    Cost, Extent,
    crowd::{MARK, RICH, TICK, crowd, deep_market, quiet, random_price, rest},
    population::Random,
    samples::Samples,
};
use crate::harness::{BTC, Expect, Receipt, Trader, World};

/// Orders a side in the book.
const RESTING: usize = 1_000;
/// Most makers that one order meets here.
const MAKERS: usize = 50;
/// Lots of an order.
const LOTS: u64 = 10;

/// A market with a full book, and a way of being random.
fn full_book() -> (World, Random) {
    let (mut world, mut random) = (quiet(&[deep_market()]), Random(1));
    crowd(&mut world, BTC, RESTING, &mut random);
    (world, random)
}

/// Two traders with positions against each other.
fn opponents(world: &mut World) -> (Trader, Trader) {
    let (buyer, seller) = (world.trader(RICH), world.trader(RICH));
    world.trade(BTC, buyer, seller, 100, MARK);
    (buyer, seller)
}

/// Placing and cancelling orders at random prices in a full book. The account has a position and orders in the market, so
/// that its margin has to be computed.
pub(super) fn resting(extent: Extent) -> Vec<Cost> {
    let (mut world, mut random) = full_book();
    let (trader, _) = opponents(&mut world);
    let mut quote = || {
        let side = if random.below(2) == 0 { Side::Long } else { Side::Short };
        (side, random_price(MARK, side, &mut random))
    };
    let (side, price) = quote();
    let (_, first) = rest(&mut world, trader, BTC, side, LOTS, price);
    let (mut placed, mut cancelled) = (Vec::new(), Vec::new());
    for _ in 0..extent.samples() {
        let (side, price) = quote();
        let (id, units) = rest(&mut world, trader, BTC, side, LOTS, price);
        placed.push(units);
        cancelled.push(world.cancel(trader, BTC, id).succeeds().units());
    }
    for _ in 1..10 {
        let (side, price) = quote();
        rest(&mut world, trader, BTC, side, LOTS, price);
    }
    let all = world.cancel_all(trader, BTC, None, 10).succeeds().units();

    let options = options(&mut world, trader, &mut quote);

    let newcomer = world.trader(RICH);
    let (side, price) = quote();
    let (_, very_first) = rest(&mut world, newcomer, BTC, side, LOTS, price);

    let mut costs = Vec::new();
    costs.extend(Samples::from_iter(placed).rows("post-only, 1,000 orders a side", 8_000));
    costs.push(Cost::units("post-only, an account's first order, with a position", first));
    costs.push(Cost::units("post-only, an account's first order, without one", very_first));
    costs.extend(Samples::from_iter(cancelled).rows("cancel, 1,000 orders a side", 4_000));
    costs.push(Cost::units("cancel all of 10 orders", all));
    costs.push(Cost::units("replace, another price", options.replaced));
    costs.push(Cost::units("replace, fewer lots in its place", options.shrunk));
    costs.push(Cost::units("batch of 8 post-only orders", options.batched));
    costs.push(Cost::units("batch of 8 post-only orders in the place of 8", options.rebatched));
    costs.push(Cost::units("post-only, pegged", options.pegged));
    costs
}

/// What replacing, batches and pegs cost an account with a position.
struct Options {
    replaced: u64,
    shrunk: u64,
    batched: u64,
    rebatched: u64,
    pegged: u64,
}

fn options(world: &mut World, trader: Trader, quote: &mut impl FnMut() -> (Side, u64)) -> Options {
    let order = |(side, price), lots| instructions::post_only_order(side, Price(price), Lots(lots));
    let (first, second) = (quote(), quote());
    let (id, _) = rest(world, trader, BTC, first.0, LOTS, first.1);
    let in_place = OrderRef::Id(id.0);
    let shrunk = world.replace(trader, BTC, in_place, order(first, LOTS - 1), false).succeeds().units();
    let replaced = world.replace(trader, BTC, in_place, order(second, LOTS), false).succeeds().units();
    world.cancel_all(trader, BTC, None, 10).succeeds();
    let [batched, rebatched] = [None, Some(2)].map(|cancel_side| {
        let orders = (0..8).map(|_| order(quote(), LOTS)).collect();
        let batch = BatchArgs { cancel_side, orders, ..BatchArgs::default() };
        world.batch(trader, BTC, batch).succeeds().units()
    });
    let peg = instructions::pegged_order(Side::Short, 50_000, Price(MARK), Lots(LOTS));
    let pegged = world.place(trader, BTC, peg).succeeds().units();
    world.cancel_all(trader, BTC, None, 10).succeeds();
    Options { replaced, shrunk, batched, rebatched, pegged }
}

/// Taking makers whole, each of another account and at another price, from a full book.
pub(super) fn taking(_: Extent) -> Vec<Cost> {
    let (mut world, _) = full_book();
    let (trader, _) = opponents(&mut world);
    let newcomer = world.trader(RICH);
    let mut best = MARK;
    for _ in 0..MAKERS {
        best += TICK;
        let maker = world.trader(RICH);
        rest(&mut world, maker, BTC, Side::Short, LOTS, best);
    }
    let take = |trader, makers: usize| {
        let receipt = world.fork().buy(trader, BTC, LOTS * makers as u64, best).succeeds();
        assert_eq!(makers_met(&receipt), makers);
        receipt.units()
    };
    let pegged = one_pegged(&world, trader);
    let [one, ten, fifty] = [1, 10, MAKERS].map(|makers| take(trader, makers));
    vec![
        Cost::units("take, 1 maker", one).at_most(20_000),
        Cost::units("take, 1 maker, the account's first trade", take(newcomer, 1)),
        Cost::units("take, 1 pegged maker", pegged),
        Cost::units("take, 10 makers", ten),
        Cost::units("take, 50 makers", fifty),
        Cost::units("each further maker, (50 makers - 1 maker) / 49", (fifty - one) / (MAKERS as u64 - 1))
            .at_most(1_600),
    ]
}

/// Taking one pegged maker, the best of a full book.
fn one_pegged(world: &World, trader: Trader) -> u64 {
    let mut world = world.fork();
    let maker = world.trader(RICH);
    let peg = instructions::pegged_order(Side::Short, 0, Price(MARK), Lots(LOTS));
    world.place(maker, BTC, peg).succeeds();
    let receipt = world.buy(trader, BTC, LOTS, MARK).succeeds();
    assert_eq!(makers_met(&receipt), 1);
    receipt.units()
}

fn makers_met(receipt: &Receipt) -> usize {
    let met = receipt.events().into_iter().map(|event| match event {
        Event::Traded(trade) => trade.fills.len(),
        _ => 0,
    });
    met.sum()
}
