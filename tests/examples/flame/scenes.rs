//! What is looked at: the commonest instructions, as `cargo xtask bench` measures them.

use std::{error::Error, path::Path};

use ballast_client::{
    instructions::{market_order, post_only_order, stop_loss},
    units::{Lots, Price, Side},
};
use ballast_tests::{
    costs::{
        crowd::{MARK, RICH, TICK, crowd, deep_market, random_price, rest},
        population::Random,
    },
    harness::{BTC, Expect, Lite, Trader, World},
};

use super::trace::Tracer;

/// What is done at last, and what it cost.
type Last = Box<dyn FnMut() -> u64>;

/// An instruction in a situation.
pub struct Scene {
    /// The name of its file.
    pub name: &'static str,
    /// What happens.
    pub what: &'static str,
    prepare: fn(World, Random) -> Last,
}

impl Scene {
    /// Prepares everything up to the instruction.
    pub fn prepare(&self, program: &Path) -> Result<(Tracer, Last), Box<dyn Error>> {
        let mut chain = Lite::traced(program);
        let tracer = Tracer::listen(chain.vm());
        let mut world = World::on(chain, &[deep_market()]);
        world.audited = false;
        Ok((tracer, (self.prepare)(world, Random(1))))
    }

    /// The drawing's title.
    pub fn title(&self, units: u64) -> String {
        format!("{}: {units} compute units", self.what)
    }
}

/// All scenes.
pub fn all() -> [Scene; 5] {
    [
        Scene { name: "post-only", what: "post-only order, 1,000 orders a side", prepare: post_only },
        Scene { name: "cancel", what: "cancel, 1,000 orders a side", prepare: cancel },
        Scene { name: "take", what: "take 10 makers, 1,000 orders a side", prepare: take },
        Scene { name: "liquidate", what: "partial liquidation, 1 maker", prepare: liquidate },
        Scene { name: "trigger", what: "execute a trigger, 1 maker", prepare: trigger },
    ]
}

/// Somebody with a position and an order, in a full book.
fn trader(world: &mut World, random: &mut Random) -> Trader {
    crowd(world, BTC, 1_000, random);
    let (buyer, seller) = (world.trader(RICH), world.trader(RICH));
    world.trade(BTC, buyer, seller, 100, MARK);
    rest(world, buyer, BTC, Side::Long, 10, random_price(MARK, Side::Long, random));
    buyer
}

fn post_only(mut world: World, mut random: Random) -> Last {
    let trader = trader(&mut world, &mut random);
    let price = random_price(MARK, Side::Long, &mut random);
    Box::new(move || world.place(trader, BTC, post_only_order(Side::Long, Price(price), Lots(10))).succeeds().units())
}

fn cancel(mut world: World, mut random: Random) -> Last {
    let trader = trader(&mut world, &mut random);
    let price = random_price(MARK, Side::Long, &mut random);
    let (order, _) = rest(&mut world, trader, BTC, Side::Long, 10, price);
    Box::new(move || world.cancel(trader, BTC, order).succeeds().units())
}

fn take(mut world: World, mut random: Random) -> Last {
    let trader = trader(&mut world, &mut random);
    for at in 1..=10 {
        let maker = world.trader(RICH);
        rest(&mut world, maker, BTC, Side::Short, 10, MARK + at * TICK);
    }
    Box::new(move || {
        world.place(trader, BTC, market_order(Side::Long, Price(MARK + 10 * TICK), Lots(100))).succeeds().units()
    })
}

/// Somebody who is long $10,000 with `money`, somebody whose bid stands at the price to which the mark has fallen by `bps`, and the
/// keeper.
fn fallen(world: &mut World, money: u64, bps: u64, protect: impl FnOnce(&mut World, Trader)) -> (Trader, Trader) {
    let (long, short, keeper) = (world.trader(money), world.trader(RICH), world.trader(RICH));
    world.trade(BTC, long, short, 1_000, MARK);
    protect(world, long);
    let price = MARK * (10_000 - bps) / 10_000 / TICK * TICK;
    world.move_price(BTC, price);
    rest(world, short, BTC, Side::Long, 1_000, price);
    (long, keeper)
}

fn liquidate(mut world: World, _: Random) -> Last {
    let (long, keeper) = fallen(&mut world, MARK * 1_000 / 18, 350, |_, _| {});
    Box::new(move || world.liquidate(keeper, long, BTC).succeeds().units())
}

fn trigger(mut world: World, _: Random) -> Last {
    let mut stop = None;
    let price = MARK / 10_000 * 9_800 / TICK * TICK;
    let (long, keeper) = fallen(&mut world, RICH, 200, |world, long| {
        stop = Some(world.protect(long, BTC, stop_loss(Side::Long, Price(price), None)));
    });
    let stop = stop.expect("it was placed");
    Box::new(move || world.execute_trigger(keeper, long, BTC, stop).succeeds().units())
}
