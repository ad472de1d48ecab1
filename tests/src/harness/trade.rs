//! Orders.

use ballast_book::{OrderId, RestingOrder};
use ballast_client::{
    ballast::{BatchArgs, OrderArgs, OrderRef},
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

    /// Puts an order in the place of another.
    pub fn replace(
        &mut self,
        trader: Trader,
        market: u16,
        target: OrderRef,
        order: OrderArgs,
        even_if_gone: bool,
    ) -> Outcome {
        let owner = self.owner(trader);
        let (others, keys, margin) = (self.others(trader, Some(market)), self.market_keys(market), self.margin(trader));
        let replace =
            instructions::replace_order(&owner.pubkey(), &margin, &keys, target, order, even_if_gone, &others);
        self.send(&[replace], &[&owner])
    }

    /// Cancels and places orders at once.
    pub fn batch(&mut self, trader: Trader, market: u16, batch: BatchArgs) -> Outcome {
        let owner = self.owner(trader);
        let others = self.others(trader, Some(market));
        let keys = self.market_keys(market);
        let batch = instructions::batch_orders(&owner.pubkey(), &self.margin(trader), &keys, batch, &others);
        self.send(&[batch], &[&owner])
    }

    /// Cancels the newest order with a client id.
    pub fn cancel_client_id(&mut self, trader: Trader, market: u16, client_id: u64) -> Outcome {
        let owner = self.owner(trader);
        let keys = self.market_keys(market);
        let cancel = instructions::cancel_by_client_id(&owner.pubkey(), &self.margin(trader), &keys, client_id);
        self.send(&[cancel], &[&owner])
    }

    /// Removes those of these orders that have expired.
    pub fn prune_expired(&mut self, market: u16, orders: &[OrderId]) -> Outcome {
        let prune = instructions::prune_expired(&self.market_keys(market), orders);
        self.send(&[prune], &[])
    }

    /// Gives a book room for 64 more, at the payer's cost.
    pub fn grow_book(&mut self, market: u16) -> Outcome {
        let grow = instructions::grow_book(&self.payer.pubkey(), &self.market_keys(market));
        self.send(&[grow], &[])
    }

    /// Cancels what `trader` cannot fund; `reward` gets the bounty.
    pub fn cancel_unfunded(&mut self, reward: Trader, trader: Trader, market: u16) -> Outcome {
        let cancel = instructions::cancel_unfunded(&self.tend(reward, trader, market));
        self.send(&[cancel], &[])
    }

    /// The id of a trader's newest order.
    pub fn newest_order(&mut self, trader: Trader, market: u16) -> OrderId {
        self.orders_of(trader, market)[0].id
    }

    /// The id of a trader's order at a price.
    pub fn oldest_of(&mut self, trader: Trader, market: u16, price: u64) -> OrderId {
        let at = |order: &&RestingOrder| order.price.0 == price;
        self.orders_of(trader, market).iter().rev().find(at).expect("an order at that price").id
    }

    /// A trader's orders, newest first; none without a seat.
    pub fn orders_of(&mut self, trader: Trader, market: u16) -> Vec<RestingOrder> {
        let seat = self.slot(trader, market).seat;
        if seat == 0 {
            return Vec::new();
        }
        let snapshot = self.snapshot();
        let view = snapshot.view().expect("sound slabs");
        view.market(market).expect("the market").book.seat_orders(seat).expect("a seat").collect()
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

/// Price and lots of the orders with a price of their own that rest on a side, best first.
pub fn resting<C: Chain>(world: &mut World<C>, market: u16, side: Side) -> Vec<(u64, u64)> {
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("sound slabs");
    let book = &view.market(market).expect("the market").book;
    book.orders(side).map(|order| (order.price.0, order.lots.0)).collect()
}

/// The ids of the orders that came to rest.
pub fn order_ids(receipt: &Receipt) -> Vec<OrderId> {
    let events = receipt.events();
    let placed = events.iter().filter_map(|event| match event {
        Event::OrderPlaced(placed) => Some(OrderId(placed.order_id)),
        _ => None,
    });
    placed.collect()
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
