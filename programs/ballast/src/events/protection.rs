//! Triggers and ladders.

use anchor_lang::prelude::*;

/// A trigger was placed, edited, or ratcheted: its terms as they are now.
#[event]
#[derive(Clone, Debug)]
pub struct TriggerSet {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The trigger.
    pub trigger: u64,
    /// Why.
    pub cause: TriggerChange,
    /// Whether it buys.
    pub buys: bool,
    /// Whether it is a stop-loss; otherwise a take-profit.
    pub stop: bool,
    /// Where it fires.
    pub price: u64,
    /// Lots at most; 0 for the whole position.
    pub lots: u64,
    /// Price of its limit order; 0 for a market order.
    pub limit: u64,
    /// Slippage of its market order, in basis points of the mark.
    pub slippage_bps: u16,
    /// How far it trails, in ppm; 0 if it does not.
    pub trail_ppm: u32,
    /// The best mark that it has followed; 0 if it does not trail.
    pub best: u64,
    /// Unix time at which it expires; 0 for never.
    pub expires_at: i64,
    /// The client's own id.
    pub client_id: u64,
    /// The other of its pair, 0 if none.
    pub sibling: u64,
    /// Sequence of the order that opens what it protects, 0 if that is there already.
    pub entry: u64,
}

/// Why a trigger has the terms that it has.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerChange {
    /// It is new.
    Placed,
    /// Its owner changed it.
    Edited,
    /// It followed the mark.
    Ratcheted,
}

/// Triggers went without being executed.
#[event]
#[derive(Clone, Debug)]
pub struct TriggersRemoved {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Why.
    pub reason: TriggersRemovedFor,
    /// Which.
    pub triggers: Vec<u64>,
}

/// Why triggers went.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggersRemovedFor {
    /// The owner asked.
    Cancelled,
    /// Their time was over.
    Expired,
    /// What they protected is gone.
    NothingToProtect,
}

/// A trigger was executed. Its trade is in [`Traded`] and [`PositionChanged`], its reward in [`BountyPaid`].
#[event]
#[derive(Clone, Debug)]
pub struct TriggerExecuted {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The trigger.
    pub trigger: u64,
    /// Who called.
    pub caller: Pubkey,
    /// The mark that two price updates support, which has crossed its price.
    pub confirmed: u64,
    /// Its price.
    pub price: u64,
    /// Worst price of the order that it placed.
    pub worst: u64,
    /// Lots traded.
    pub lots: u64,
    /// Their value.
    pub quote: u64,
    /// Lots that came to rest as an order.
    pub rested: u64,
    /// Whether the trigger is gone.
    pub done: bool,
    /// Whether the other of its pair is gone with it.
    pub sibling_gone: bool,
}

/// The owner set the account's ladder.
#[event]
#[derive(Clone, Debug)]
pub struct LadderSet {
    /// The account.
    pub account: Pubkey,
    /// Pairs of margin ratio and part of the position, in basis points.
    pub rungs: Vec<LadderRung>,
    /// How far beyond the mark they may trade, in basis points.
    pub slippage_bps: u16,
}

/// One rule of a ladder.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderRung {
    /// The margin ratio (equity over maintenance margin) at or below which it is due, in basis points.
    pub ratio_bps: u16,
    /// What part of the position it takes, in basis points.
    pub reduce_bps: u16,
}

/// A rung of a ladder was executed, or rungs were armed again.
#[event]
#[derive(Clone, Debug)]
pub struct LadderExecuted {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Who called.
    pub caller: Pubkey,
    /// The margin ratio before, in basis points.
    pub ratio_bps: i64,
    /// The rung, from 0; `None` if none was due and rungs were only armed again.
    pub rung: Option<u8>,
    /// Lots traded.
    pub lots: u64,
    /// Their value.
    pub quote: u64,
    /// What is left of the rung, in millionths of the position.
    pub left_ppm: u32,
}
