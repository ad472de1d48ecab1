//! Positions and the money in them: trades, what they did to an account, and settlement with the pool.

use anchor_lang::prelude::*;

use super::OrderRemoved;

/// Why an account's position in a market changed.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its own order took liquidity.
    Taker,
    /// Fills of its resting orders, folded from its seat.
    Maker,
    /// A partial liquidation on the book.
    Liquidation,
    /// Another account took the position over.
    Takeover,
    /// It took another account's position over.
    TakeoverReceived,
    /// It was bankrupt and its position was deleveraged against the other side.
    Bankruptcy,
    /// It was on the other side of a deleveraging, settled now.
    Deleveraged,
    /// One of its triggers was executed.
    Trigger,
    /// A rung of its ladder was executed.
    Ladder,
}

/// One maker's part in a trade.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct MakerFill {
    /// Seat of the maker.
    pub seat: u32,
    /// The order's id in the book.
    pub order_id: u128,
    /// Price.
    pub price: u64,
    /// Lots.
    pub lots: u64,
}

/// A taker met makers.
#[event]
#[derive(Clone, Debug)]
pub struct Traded {
    /// The market's index.
    pub market: u16,
    /// The taker's account.
    pub taker: Pubkey,
    /// Whether the taker bought.
    pub bought: bool,
    /// Why the taker traded.
    pub cause: Cause,
    /// Lots that it was to trade at most.
    pub wanted: u64,
    /// Its worst price.
    pub limit: u64,
    /// The client's own id of its order; 0 of what others did to the account.
    pub client_id: u64,
    /// The taker's fee.
    pub fee: u64,
    /// The makers, best price first.
    pub fills: Vec<MakerFill>,
    /// Orders removed without a trade.
    pub removed: Vec<OrderRemoved>,
}

/// An account's position and money in a market after a change.
#[event]
#[derive(Clone, Debug)]
pub struct PositionChanged {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Why.
    pub cause: Cause,
    /// Lots traded, positive bought.
    pub base: i64,
    /// Cash received (negative: paid), without the fee.
    pub cash: i64,
    /// Fee paid; negative: a rebate received.
    pub fee: i64,
    /// Position afterwards.
    pub lots: i64,
    /// Basis afterwards.
    pub basis: i64,
}

/// Money moved between an account and the market's pool, or funding was paid.
#[event]
#[derive(Clone, Debug)]
pub struct Settled {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Funding received (negative: paid) and added to the unsettled profit.
    pub funding: i64,
    /// Moved from the pool into collateral (negative: from collateral into the pool).
    pub moved: i64,
    /// Unsettled profit left.
    pub unsettled: i64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// A position's place in the ranking index was brought to date.
#[event]
#[derive(Clone, Debug)]
pub struct Reranked {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Columns by which it had been out of place.
    pub columns: u16,
}
