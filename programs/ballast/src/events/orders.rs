//! Orders from coming to rest to their end. What rests of an order is what [`OrderPlaced`] says, less its fills
//! ([`Traded`](super::Traded)) and what the events here take off it; with nothing left, it is gone.

use anchor_lang::prelude::*;

/// An order came to rest.
#[event]
#[derive(Clone, Debug)]
pub struct OrderPlaced {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Its seat.
    pub seat: u32,
    /// The order's id in the book.
    pub order_id: u128,
    /// Whether it buys.
    pub buys: bool,
    /// Price; of an order that follows the mark, its limit.
    pub price: u64,
    /// Of an order that follows the mark: its distance from it in atoms per lot.
    pub peg: Option<i64>,
    /// Lots.
    pub lots: u64,
    /// Whether it only reduces a position.
    pub reduce_only: bool,
    /// Unix time at which it expires; 0 for never.
    pub expires_at: i64,
    /// The client's own id.
    pub client_id: u64,
}

/// An order was made smaller and kept its place.
#[event]
#[derive(Clone, Debug)]
pub struct OrderReduced {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The order's id in the book.
    pub order_id: u128,
    /// Lots that still rest.
    pub lots: u64,
    /// Why.
    pub reason: OrdersCancelledFor,
}

/// Orders of one account left the book unfilled.
#[event]
#[derive(Clone, Debug)]
pub struct OrdersCancelled {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Why.
    pub reason: OrdersCancelledFor,
    /// Which.
    pub order_ids: Vec<u128>,
    /// Lots that rested in all of them.
    pub lots: u64,
}

/// Why an account's orders left the book or became smaller.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrdersCancelledFor {
    /// Owner or delegate asked.
    Request,
    /// The account is in a stage of liquidation.
    Liquidation,
    /// The account could no longer fund them.
    Unfunded,
    /// The other of a pair of triggers was executed.
    Pair,
    /// What they were to reduce is no longer there.
    NothingToReduce,
}

/// The worst order of a side made room for a better one in a full book.
#[event]
#[derive(Clone, Debug)]
pub struct OrderEvicted {
    /// The market's index.
    pub market: u16,
    /// Its seat.
    pub seat: u32,
    /// Its id in the book.
    pub order_id: u128,
    /// Lots that rested in it.
    pub lots: u64,
}

/// Orders that takers only pass over were removed by anyone.
#[event]
#[derive(Clone, Debug)]
pub struct OrdersPruned {
    /// The market's index.
    pub market: u16,
    /// The orders.
    pub removed: Vec<OrderRemoved>,
}

/// A resting order that was removed or made smaller without a trade and without its owner.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct OrderRemoved {
    /// Its seat.
    pub seat: u32,
    /// Its id in the book.
    pub order_id: u128,
    /// Lots that no longer rest.
    pub lots: u64,
    /// Why.
    pub reason: OrderRemovedFor,
}

/// Why an order was removed without a trade and without its owner.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRemovedFor {
    /// Its time was over.
    Expired,
    /// A taker of the same owner met it.
    SelfTrade,
    /// It rested beyond the band, where nothing may match.
    OutOfBand,
    /// It followed the mark and stood beyond its limit.
    BeyondLimit,
}
