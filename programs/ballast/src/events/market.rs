//! A market: its life, its prices, its hours of funding, and what its pool owes others.

use anchor_lang::prelude::*;

use crate::state::MarketParams;

/// A market was created.
#[event]
#[derive(Clone, Debug)]
pub struct MarketCreated {
    /// The market.
    pub market: Pubkey,
    /// Its index.
    pub index: u16,
    /// Its name, padded with zeros.
    pub symbol: [u8; 16],
}

/// A market's state changed.
#[event]
#[derive(Clone, Debug)]
pub struct MarketStatusChanged {
    /// The market.
    pub market: Pubkey,
    /// Status before.
    pub before: u8,
    /// Status after.
    pub after: u8,
}

/// A market's parameters were set: at its creation, or later.
#[event]
#[derive(Clone, Debug)]
pub struct MarketParamsSet {
    /// The market's index.
    pub market: u16,
    /// All of them, as they are from here on.
    pub params: MarketParams,
}

/// A book's account grew.
#[event]
#[derive(Clone, Debug)]
pub struct BookGrown {
    /// The market's index.
    pub market: u16,
    /// Blocks for orders and seats that it has now.
    pub blocks: u32,
}

/// The mark moved.
#[event]
#[derive(Clone, Debug)]
pub struct MarkUpdated {
    /// The market's index.
    pub market: u16,
    /// Oracle price.
    pub oracle: u64,
    /// Mark.
    pub mark: u64,
    /// Publish time of the oracle price.
    pub publish_time: i64,
    /// Cumulative funding per lot, scaled by 2^24.
    pub funding_index: i64,
}

/// An hour of funding ended. One event an hour, at the first price after its end; after a silence of more than a day there
/// is one for all of it.
#[event]
#[derive(Clone, Debug)]
pub struct FundingHour {
    /// The market's index.
    pub market: u16,
    /// When the hour ended: unix seconds, a multiple of 3,600.
    pub end: i64,
    /// How many hours this event stands for: one, or all of a long silence.
    pub hours: u32,
    /// Cumulative funding per lot at that time, scaled by 2^24. The difference to the last event's is what a lot paid.
    pub index: i64,
    /// The hourly rate in force, in billionths: the premium's average over time. Positive when longs pay.
    pub rate_ppb: i64,
    /// The last sample of the premium, in billionths.
    pub premium_ppb: i64,
    /// The mark in force.
    pub mark: u64,
    /// Open interest of the longs in the ranking index, in lots.
    pub longs: u64,
    /// Open interest of the shorts in the ranking index, in lots.
    pub shorts: u64,
}

/// A market's trading fees were paid out.
#[event]
#[derive(Clone, Debug)]
pub struct FeesWithdrawn {
    /// The market's index.
    pub market: u16,
    /// The token account that was paid.
    pub target: Pubkey,
    /// Atoms that the exchange's own claim drew from the market's pool.
    pub from_pool: u64,
    /// Atoms of settled fees.
    pub from_fees: u64,
}

/// What rounding had left in the ranking index went to insurance, or came from it.
#[event]
#[derive(Clone, Debug)]
pub struct DustSwept {
    /// The market's index.
    pub market: u16,
    /// Atoms that moved from the market's pool to insurance's fees (negative: the other way).
    pub amount: i64,
}
