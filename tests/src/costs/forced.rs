//! Forced reductions of one account.

use ballast_client::units::Side;
use ballast_risk::health::Stage;

use super::{
    Cost, Extent,
    crowd::{MARK, RICH, TICK, quiet},
};
use crate::harness::{BTC, DOLLAR, Expect, MarketSpec, Trader, World};

/// The position that is liquidated.
const LOTS: u64 = 1_000;

/// A world in which one account is below its maintenance margin.
struct Distress {
    world: World,
    /// Long with thin margin.
    debtor: Trader,
    /// Bids for all of it.
    bidder: Trader,
    /// Calls.
    liquidator: Trader,
}

impl Distress {
    /// `orders` orders of the debtor rest.
    fn new(orders: u64) -> Distress {
        let mut world = quiet(&[MarketSpec::btc()]);
        let (debtor, seller) = (world.trader(600 * DOLLAR), world.trader(RICH));
        let (bidder, liquidator) = (world.trader(RICH), world.trader(RICH));
        world.trade(BTC, debtor, seller, LOTS, MARK);
        for at in 1..=orders {
            world.rest(debtor, BTC, Side::Short, 1, MARK + at * TICK);
        }
        world.bid(bidder, BTC, 5 * LOTS, MARK * 959 / 1_000);
        world.move_price(BTC, MARK * 960 / 1_000);
        assert_eq!(world.stage(debtor), Stage::Partial);
        Distress { world, debtor, bidder, liquidator }
    }

    fn liquidate(&mut self) -> u64 {
        self.world.liquidate(self.liquidator, self.debtor, BTC).succeeds().units()
    }

    /// After a partial liquidation.
    fn take_over(&mut self) -> u64 {
        self.world.cancel_all(self.bidder, BTC, None, 10).succeeds();
        self.world.move_price(BTC, MARK * 950 / 1_000);
        assert_eq!(self.world.stage(self.debtor), Stage::Takeover);
        self.world.take_over(self.liquidator, self.debtor, BTC, LOTS).succeeds().units()
    }
}

/// Partial liquidation on the book, and takeover by an account without a position.
pub(super) fn forced(_: Extent) -> Vec<Cost> {
    let mut plain = Distress::new(0);
    vec![
        Cost::units("partial liquidation, 1 fill", plain.liquidate()).at_most(45_000),
        Cost::units("partial liquidation, 1 fill, 10 orders cancelled", Distress::new(10).liquidate()),
        Cost::units("takeover", plain.take_over()),
    ]
}
