//! Markets with something in them.

use ballast_book::OrderId;
use ballast_client::{
    events::Event,
    instructions,
    units::{Lots, Price, Side},
};

use super::population::Random;
use crate::harness::{DOLLAR, Expect, MarketSpec, Receipt, Trader, World};

/// The price at which markets begin.
pub const MARK: u64 = 10 * DOLLAR;
/// Smallest step of a price.
pub const TICK: u64 = 100;
/// Ticks next to the mark that the crowd leaves free.
const FREE_TICKS: u64 = 100;
/// Ticks from the mark to the end of the band.
const BAND_TICKS: u64 = 10_000;
/// Market makers of the crowd.
const MAKERS: usize = 10;

/// Enough for everything.
pub const RICH: u64 = 1_000_000 * DOLLAR;

/// An exchange with these markets whose invariants are not checked after every instruction: that would take much longer
/// than what is measured.
pub fn quiet(markets: &[MarketSpec]) -> World {
    let mut world = World::new(markets);
    world.audited = false;
    world
}

/// A market with room for a large book.
pub fn deep_market() -> MarketSpec {
    MarketSpec { blocks: 4_096, ..MarketSpec::btc() }.with(|params| params.max_orders_per_account = 512)
}

/// Rests `per_side` orders a side in a market, each at a random price inside the band.
pub fn crowd(world: &mut World, market: u16, per_side: usize, random: &mut Random) {
    let makers: Vec<Trader> = (0..MAKERS).map(|_| world.trader(RICH)).collect();
    for at in 0..2 * per_side {
        let side = if at % 2 == 0 { Side::Long } else { Side::Short };
        let price = random_price(world.oracle_price(market), side, random);
        world.rest(makers[at / 2 % MAKERS], market, side, 1 + random.below(100), price);
    }
}

/// A random price for a resting order, uniform over the side's half of the band.
pub fn random_price(mark: u64, side: Side, random: &mut Random) -> u64 {
    let distance = TICK * (FREE_TICKS + random.below(BAND_TICKS * mark / MARK - FREE_TICKS));
    match side {
        Side::Long => mark - distance,
        Side::Short => mark + distance,
    }
}

/// Rests an order; gives its id and what it cost.
pub fn rest(world: &mut World, trader: Trader, market: u16, side: Side, lots: u64, price: u64) -> (OrderId, u64) {
    let order = instructions::post_only_order(side, Price(price), Lots(lots));
    let receipt = world.place(trader, market, order).succeeds();
    (placed(&receipt), receipt.units())
}

fn placed(receipt: &Receipt) -> OrderId {
    let id = receipt.events().into_iter().find_map(|event| match event {
        Event::OrderPlaced(placed) => Some(OrderId(placed.order_id)),
        _ => None,
    });
    id.expect("the order rests")
}
