//! The life of a market in one piece: trade, crash, partial liquidation, takeover, deleveraging, settlement, withdrawal.
//! Written once over [`Chain`], so that every virtual machine must come to the same figures.

use ballast_client::{
    events::Event,
    units::{Lots, Price, Side},
};
use ballast_risk::health::Stage;

use crate::harness::{BTC, Chain, DOLLAR, Expect, MarketSpec, Receipt, Trader, Usage, World};

/// A tenth of a dollar per lot.
const DIME: u64 = DOLLAR / 10;
/// A cent per lot.
const CENT: u64 = DOLLAR / 100;

/// What everybody had after a step: per trader collateral, position and unsettled profit.
pub type Ledger = Vec<(&'static str, Vec<(u64, i64, i64)>)>;

/// Everybody in the story.
struct Cast {
    /// Long 1,000 with thin margin: liquidated in part, then taken over.
    ann: Trader,
    /// Bids below the market.
    bob: Trader,
    /// Long 10,000 with thin margin: goes bankrupt.
    cal: Trader,
    /// Short 6,000 with high leverage: first in the ranking.
    dee: Trader,
    /// Short 8,000 with low leverage.
    eve: Trader,
    /// Long 3,000, with more than enough margin.
    fay: Trader,
    /// Liquidates and takes over.
    kit: Trader,
}

impl Cast {
    fn all(&self) -> [Trader; 7] {
        [self.ann, self.bob, self.cal, self.dee, self.eve, self.fay, self.kit]
    }
}

/// Plays the story on a chain. Returns what everybody had after each step, and what the instructions cost.
///
/// # Panics
/// Wherever the exchange does not do what it should.
pub fn play<C: Chain>(chain: C) -> (Ledger, Usage) {
    let mut world = World::on(chain, &[MarketSpec::btc()]);
    world.fund_insurance(500 * DOLLAR);
    let cast = Cast {
        ann: world.trader(600 * DOLLAR),
        bob: world.trader(100_000 * DOLLAR),
        cal: world.trader(5_500 * DOLLAR),
        dee: world.trader(4_000 * DOLLAR),
        eve: world.trader(50_000 * DOLLAR),
        fay: world.trader(50_000 * DOLLAR),
        kit: world.trader(50_000 * DOLLAR),
    };
    let mut ledger = Ledger::new();
    let mut note = |world: &mut World<C>, step| {
        let figures = cast.all().map(|trader| {
            let slot = world.slot(trader, BTC);
            (world.collateral(trader), slot.lots, slot.unsettled)
        });
        ledger.push((step, figures.to_vec()));
    };
    trade(&mut world, &cast);
    note(&mut world, "trade");
    liquidate(&mut world, &cast);
    note(&mut world, "partial liquidation");
    take_over(&mut world, &cast);
    note(&mut world, "takeover");
    deleverage(&mut world, &cast);
    note(&mut world, "deleveraging");
    settle(&mut world, &cast);
    note(&mut world, "settlement");
    withdraw(&mut world, &cast);
    note(&mut world, "withdrawal");
    for trader in cast.all() {
        world.close_account(trader).succeeds();
    }
    (ledger, world.usage)
}

fn trade<C: Chain>(world: &mut World<C>, cast: &Cast) {
    let price = 10 * DOLLAR;
    world.ask(cast.dee, BTC, 6_000, price);
    world.ask(cast.eve, BTC, 8_000, price);
    world.buy(cast.ann, BTC, 1_000, price).succeeds();
    world.buy(cast.fay, BTC, 3_000, price).succeeds();
    world.buy(cast.cal, BTC, 10_000, price).succeeds();
    for trader in [cast.dee, cast.eve] {
        world.settle(cast.kit, trader, BTC).succeeds();
    }
    assert_eq!(world.position(cast.dee, BTC), -6_000);
    assert_eq!(world.position(cast.eve, BTC), -8_000);
}

fn liquidate<C: Chain>(world: &mut World<C>, cast: &Cast) {
    // Ann resting an order: liquidation cancels it.
    world.ask(cast.ann, BTC, 10, 10 * DOLLAR + DIME);
    world.bid(cast.bob, BTC, 5_000, 9 * DOLLAR + 59 * CENT);
    world.move_price(BTC, 9 * DOLLAR + 60 * CENT);
    assert_eq!(world.stage(cast.ann), Stage::Partial);
    let earned = world.collateral(cast.kit);
    world.liquidate(cast.kit, cast.ann, BTC).succeeds();
    let position = world.position(cast.ann, BTC);
    assert!((800..1_000).contains(&position), "a part is closed: {position} are left");
    assert!(world.collateral(cast.kit) > earned, "the caller is paid");
    world.settle(cast.kit, cast.bob, BTC).succeeds();
    assert_eq!(world.position(cast.bob, BTC), 1_000 - position);
}

fn take_over<C: Chain>(world: &mut World<C>, cast: &Cast) {
    world.cancel_all(cast.bob, BTC, None, 10).succeeds();
    world.move_price(BTC, 9 * DOLLAR + 50 * CENT);
    assert_eq!(world.stage(cast.ann), Stage::Takeover);
    let before = world.position(cast.ann, BTC);
    world.take_over(cast.kit, cast.ann, BTC, 1_000).succeeds();
    let (left, taken) = (world.position(cast.ann, BTC), world.position(cast.kit, BTC));
    assert_eq!(left + taken, before);
    assert!(taken > 0 && world.equity(cast.ann) >= 0);
}

fn deleverage<C: Chain>(world: &mut World<C>, cast: &Cast) {
    // Ann has learnt; Cal has not.
    world.deposit(cast.ann, 1_000 * DOLLAR).succeeds();
    world.move_price(BTC, 9 * DOLLAR);
    assert_eq!(world.stage(cast.cal), Stage::Bankrupt);
    let receipt = world.deleverage(cast.kit, cast.cal, BTC, 100).succeeds();
    assert_eq!(world.position(cast.cal, BTC), 0);
    assert_eq!(world.insurance_tokens(), 0, "insurance pays first");
    let (lots, price) = deleveraged(&receipt);
    assert_eq!(lots, Lots(10_000));
    // Dee is first in the ranking and loses all lots, Eve half of hers; each keeps the profit to the bankruptcy price.
    assert_eq!(world.position(cast.dee, BTC), 0);
    assert_eq!(world.position(cast.eve, BTC), -4_000);
    for (trader, lots) in [(cast.dee, 6_000), (cast.eve, 4_000)] {
        let holding = world.holding(trader, BTC);
        let profit = (10 * DOLLAR - price.0) * lots;
        assert_eq!(holding.unsettled.0.unsigned_abs(), profit, "profit to the bankruptcy price");
    }
}

fn settle<C: Chain>(world: &mut World<C>, cast: &Cast) {
    for trader in [cast.dee, cast.eve] {
        world.settle(cast.kit, trader, BTC).succeeds();
    }
    // What is left of longs and shorts meets.
    world.bid(cast.eve, BTC, 4_000, 9 * DOLLAR);
    for trader in [cast.ann, cast.bob, cast.fay, cast.kit] {
        let lots = world.position(trader, BTC).unsigned_abs();
        if lots > 0 {
            world.reduce(trader, BTC, Side::Short, lots, 9 * DOLLAR).succeeds();
        }
    }
    // Claims that came before the losses that pay them.
    for trader in [cast.eve, cast.dee, cast.kit] {
        let reward = if trader == cast.kit { cast.bob } else { cast.kit };
        if world.margin_account(trader).slot_index(BTC).is_some() {
            world.settle(reward, trader, BTC).succeeds();
        }
    }
    for trader in cast.all() {
        assert_eq!(world.position(trader, BTC), 0);
    }
}

fn withdraw<C: Chain>(world: &mut World<C>, cast: &Cast) {
    for trader in cast.all() {
        assert_eq!(world.slot(trader, BTC).unsettled, 0, "every claim is paid");
        let (collateral, wallet) = (world.collateral(trader), world.wallet_tokens(trader));
        if collateral > 0 {
            world.withdraw(trader, collateral).succeeds();
        }
        assert_eq!(world.wallet_tokens(trader), wallet + collateral);
    }
    let market = world.market(BTC);
    assert_eq!(world.vault_tokens(), market.fees + market.insurance_fees + market.pool, "the rest is fees");
    assert!(market.pool < 10, "and some rounding: {}", market.pool);
}

/// Lots and price of the deleveraging that a receipt reports.
fn deleveraged(receipt: &Receipt) -> (Lots, Price) {
    let found = receipt.events().into_iter().find_map(|event| match event {
        Event::Deleveraged(event) => Some((Lots(event.lots), Price(event.price))),
        _ => None,
    });
    found.expect("the instruction deleverages")
}
