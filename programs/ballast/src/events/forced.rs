//! Forced reductions, and who paid for them.

use anchor_lang::prelude::*;

/// An account was put through a stage of liquidation.
#[event]
#[derive(Clone, Debug)]
pub struct Liquidated {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The account that was credited with the reward, or took the position over: not necessarily the caller's.
    pub credited: Pubkey,
    /// The stage (see [`crate::logic::stage_code`]).
    pub stage: u8,
    /// Orders cancelled.
    pub orders_cancelled: u32,
    /// Lots closed or handed over.
    pub lots: u64,
    /// Their value at the prices obtained.
    pub quote: u64,
    /// Fee or discount to the credited account.
    pub reward: u64,
    /// Fee to insurance.
    pub to_insurance: u64,
    /// Drawn from insurance.
    pub insurance_drawn: u64,
    /// Mark used.
    pub mark: u64,
    /// Bankruptcy price of the position before.
    pub bankruptcy_price: i64,
    /// Account equity before.
    pub equity: i64,
    /// Account maintenance margin before.
    pub maintenance: u64,
    /// Lots of the position before, positive long.
    pub position: i64,
    /// What the position had cost before: paid for a long (positive), received for a short (negative).
    pub basis: i64,
    /// Realised profit in this market before that was not money yet, or loss not paid yet.
    pub unsettled: i64,
    /// Settled money of the account before.
    pub collateral: u64,
    /// Maintenance margin of the position before. Equity and margin beyond these are other markets'.
    pub position_maintenance: u64,
    /// For how many seconds takeovers had been allowed: what the discount grew from. Zero on the book.
    pub seconds: u64,
}

/// A bankrupt position was closed against the other side of the market.
#[event]
#[derive(Clone, Debug)]
pub struct Deleveraged {
    /// The market's index.
    pub market: u16,
    /// The bankrupt account.
    pub account: Pubkey,
    /// Whether longs were reduced.
    pub longs_reduced: bool,
    /// Lots.
    pub lots: u64,
    /// Price at which both sides were reduced.
    pub price: u64,
    /// Mark at which cells were ranked.
    pub mark: u64,
    /// Funding index at which cells were ranked.
    pub funding_index: i64,
    /// Number of deleverage instructions of this market so far.
    pub sequence: u64,
    /// Whether no profitable cells were left, and the rest was spread over all.
    pub in_profit_exhausted: bool,
    /// Drawn from insurance before.
    pub insurance_drawn: u64,
    /// Open interest of the reduced side before, in lots.
    pub open_interest: u64,
    /// Lots of the last cell before it was reduced. The cells before it were taken whole, as long as any was in profit.
    pub last_cell_before: u64,
    /// Cells in the order in which they were reduced, eight bytes each: row (2), column (1), lots taken (5), little
    /// endian.
    pub cells: Vec<u8>,
    /// For each row of the cells, in the order of first appearance and at most 128 of them: how far funding had moved since the
    /// row got its first cell, in units of 2^-20 of its middle price; four bytes, little endian. With row, column, mark
    /// and this, anyone computes the scores (see [`ballast_rank::score::of_cell`]).
    pub funding_since: Vec<u8>,
    /// Score of the last cell that was chosen by rank, in units of 2^-20; zero when none was.
    pub last_score: u64,
    /// Lots of the bankrupt position before, positive long.
    pub position: i64,
    /// Its bankruptcy price, before insurance paid.
    pub bankruptcy_price: i64,
    /// Mark at which the account was assessed: the more favourable of the last two price updates.
    pub assessed_mark: u64,
    /// Account equity before.
    pub equity: i64,
    /// Account maintenance margin before.
    pub maintenance: u64,
    /// Maintenance margin of the position before.
    pub position_maintenance: u64,
}

/// Insurance paid for a loss that nothing else covers.
#[event]
#[derive(Clone, Debug)]
pub struct BadDebtCovered {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Paid by insurance.
    pub paid: u64,
    /// Left unpaid.
    pub left: u64,
}
