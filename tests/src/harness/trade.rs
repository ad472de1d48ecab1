//! Orders.

use ballast_book::OrderId;
use ballast_client::{
    ballast::OrderArgs,
    events::Event,
    instructions,
    units::{Lots, Price, Side},
};
use solana_instruction::AccountMeta;
use solana_signer::Signer;

use super::{
    chain::{Chain, Outcome, Receipt},
    expect::Expect,
    traders::Trader,
    world::World,
};

impl<C: Chain> World<C> {
    /// The other markets that an instruction on `trader`'s account has to be given.
    pub fn others(&mut self, trader: Trader, except: Option<u16>) -> Vec<AccountMeta> {
        let account = self.margin_account(trader);
        instructions::others(&account, except, &self.markets).expect("all markets are known")
    }

    /// Places an order.
    pub fn place(&mut self, trader: Trader, market: u16, order: OrderArgs) -> Outcome {
        let owner = self.owner(trader);
        let others = self.others(trader, Some(market));
        let keys = self.market_keys(market);
        let place = instructions::place_order(&owner.pubkey(), &self.margin(trader), &keys, order, &others);
        self.send(&[place], &[&owner])
    }

    /// Rests a bid and gives its id.
    pub fn bid(&mut self, trader: Trader, market: u16, lots: u64, price: u64) -> OrderId {
        self.rest(trader, market, Side::Long, lots, price)
    }

    /// Rests an ask and gives its id.
    pub fn ask(&mut self, trader: Trader, market: u16, lots: u64, price: u64) -> OrderId {
        self.rest(trader, market, Side::Short, lots, price)
    }

    /// Rests an order on a side and gives its id.
    pub fn rest(&mut self, trader: Trader, market: u16, side: Side, lots: u64, price: u64) -> OrderId {
        let order = instructions::post_only_order(side, Price(price), Lots(lots));
        order_id(&self.place(trader, market, order).succeeds()).expect("it rests")
    }

    /// Buys immediately, at `worst` at most.
    pub fn buy(&mut self, trader: Trader, market: u16, lots: u64, worst: u64) -> Outcome {
        self.place(trader, market, instructions::market_order(Side::Long, Price(worst), Lots(lots)))
    }

    /// Sells immediately, at `worst` at least.
    pub fn sell(&mut self, trader: Trader, market: u16, lots: u64, worst: u64) -> Outcome {
        self.place(trader, market, instructions::market_order(Side::Short, Price(worst), Lots(lots)))
    }

    /// Reduces the position immediately, at no worse than `worst`.
    pub fn reduce(&mut self, trader: Trader, market: u16, side: Side, lots: u64, worst: u64) -> Outcome {
        self.place(trader, market, instructions::reducing_order(side, Price(worst), Lots(lots)))
    }

    /// `buyer` gets `lots` from `seller` at `price`, and both positions are brought up to date. Nothing else may rest at
    /// that price or better.
    pub fn trade(&mut self, market: u16, buyer: Trader, seller: Trader, lots: u64, price: u64) {
        self.ask(seller, market, lots, price);
        let receipt = self.buy(buyer, market, lots, price).succeeds();
        assert_eq!(traded(&receipt), lots, "the order is filled");
        self.settle(buyer, seller, market).succeeds();
    }

    /// Cancels an order.
    pub fn cancel(&mut self, trader: Trader, market: u16, order: OrderId) -> Outcome {
        let owner = self.owner(trader);
        let keys = self.market_keys(market);
        let cancel = instructions::cancel_order(&owner.pubkey(), &self.margin(trader), &keys, order);
        self.send(&[cancel], &[&owner])
    }

    /// Cancels up to `limit` orders, on one side or both.
    pub fn cancel_all(&mut self, trader: Trader, market: u16, side: Option<Side>, limit: u32) -> Outcome {
        let owner = self.owner(trader);
        let keys = self.market_keys(market);
        let cancel = instructions::cancel_all(&owner.pubkey(), &self.margin(trader), &keys, side, limit);
        self.send(&[cancel], &[&owner])
    }

    /// Removes up to `limit` orders of a side that nobody can hit.
    pub fn prune(&mut self, market: u16, side: Side, limit: u32) -> Outcome {
        let prune = instructions::prune_orders(&self.market_keys(market), side, limit);
        self.send(&[prune], &[])
    }
}

/// The id of the order that came to rest.
pub(super) fn order_id(receipt: &Receipt) -> Option<OrderId> {
    receipt.events().iter().find_map(|event| match event {
        Event::OrderPlaced(placed) => Some(OrderId(placed.order_id)),
        _ => None,
    })
}

/// Lots that an order traded.
fn traded(receipt: &Receipt) -> u64 {
    let lots = |event: &Event| match event {
        Event::Traded(trade) => trade.fills.iter().map(|fill| fill.lots).sum(),
        _ => 0,
    };
    receipt.events().iter().map(lots).sum()
}
