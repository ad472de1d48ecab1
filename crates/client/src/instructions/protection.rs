//! Triggers and the deleveraging ladder.

use ballast::{
    BracketEntry, TriggerArgs, TriggerExecution, TriggerKind, TriggerTerms, accounts, events::LadderRung, instruction,
};
use ballast_book::TriggerId;
use ballast_units::{Lots, Price, Side};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{Tend, build, cancel_accounts};
use crate::addresses::{MarketKeys, PROGRAM_ID};

/// How far a market trigger may slip beyond the mark unless asked otherwise: five per cent, in basis points.
pub const DEFAULT_SLIPPAGE_BPS: u16 = 500;

/// A stop-loss that reduces a position of `position`'s side by market order once the mark has fallen (risen, for a short)
/// to `price`. `None`: the whole position.
pub fn stop_loss(position: Side, price: Price, lots: Option<Lots>) -> TriggerArgs {
    trigger(position, TriggerKind::StopLoss, price, lots)
}

/// A take-profit that reduces a position of `position`'s side by market order once the mark has risen (fallen, for a short)
/// to `price`. `None`: the whole position.
pub fn take_profit(position: Side, price: Price, lots: Option<Lots>) -> TriggerArgs {
    trigger(position, TriggerKind::TakeProfit, price, lots)
}

/// A stop-loss that stays `trail_ppm` millionths behind the best mark.
pub fn trailing_stop(position: Side, trail_ppm: u32, lots: Option<Lots>) -> TriggerArgs {
    let mut args = stop_loss(position, Price(0), lots);
    args.terms.trail_ppm = trail_ppm;
    args
}

/// The same trigger with a limit order at `price`.
pub fn at_limit(mut args: TriggerArgs, price: Price) -> TriggerArgs {
    args.terms.execution = TriggerExecution::Limit { price: price.0 };
    args
}

fn trigger(position: Side, kind: TriggerKind, price: Price, lots: Option<Lots>) -> TriggerArgs {
    TriggerArgs {
        buys: position == Side::Short,
        kind,
        terms: TriggerTerms {
            price: price.0,
            lots: lots.map_or(0, |lots| lots.0),
            execution: TriggerExecution::Market { slippage_bps: DEFAULT_SLIPPAGE_BPS },
            trail_ppm: 0,
            expires_at: 0,
        },
        client_id: 0,
    }
}

/// Places a trigger, or two of which one cancels the other, for a position that is there.
pub fn place_triggers(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    first: TriggerArgs,
    second: Option<TriggerArgs>,
) -> Instruction {
    build(&set_accounts(trader, margin, market), &instruction::PlaceTriggers { first, second, entry: None }, &[])
}

/// Places a trigger, or two of which one cancels the other, for what an order opens: in one transaction after that order's
/// `place_order`, by its client id.
pub fn place_bracket(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    entry: BracketEntry,
    (first, second): (TriggerArgs, Option<TriggerArgs>),
) -> Instruction {
    build(&set_accounts(trader, margin, market), &instruction::PlaceTriggers { first, second, entry: Some(entry) }, &[])
}

/// Gives a trigger new terms.
pub fn edit_trigger(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    trigger: TriggerId,
    terms: TriggerTerms,
) -> Instruction {
    build(&set_accounts(trader, margin, market), &instruction::EditTrigger { trigger: trigger.0, terms }, &[])
}

/// Cancels one trigger.
pub fn cancel_trigger(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys, trigger: TriggerId) -> Instruction {
    build(&cancel_accounts(trader, margin, market), &instruction::CancelTrigger { trigger: trigger.0 }, &[])
}

/// Cancels all triggers of the account in a market.
pub fn cancel_all_triggers(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys) -> Instruction {
    build(&cancel_accounts(trader, margin, market), &instruction::CancelAllTriggers {}, &[])
}

/// Executes a trigger that is due.
pub fn execute_trigger(tend: &Tend, trigger: TriggerId) -> Instruction {
    build(&tend.accounts(), &instruction::ExecuteTrigger { trigger: trigger.0 }, &tend.others)
}

/// Lets a trailing stop follow the mark.
pub fn ratchet_trigger(market: &MarketKeys, trigger: TriggerId) -> Instruction {
    build(
        &accounts::RatchetTrigger { market: market.market, book: market.book, program: PROGRAM_ID },
        &instruction::RatchetTrigger { trigger: trigger.0 },
        &[],
    )
}

/// Sets the account's ladder from pairs of margin ratio and part of the position, in basis points; without any, it has
/// none.
pub fn set_ladder(owner: &Pubkey, margin: &Pubkey, rules: &[(u16, u16)], slippage_bps: u16) -> Instruction {
    let rungs = rules.iter().map(|&(ratio_bps, reduce_bps)| LadderRung { ratio_bps, reduce_bps }).collect();
    build(
        &accounts::OwnMarginAccount { owner: *owner, margin: *margin, program: PROGRAM_ID },
        &instruction::SetLadder { rungs, slippage_bps },
        &[],
    )
}

/// Carries out the rung of the account's ladder that is due. The market is that of the position with the most relief.
pub fn execute_ladder(tend: &Tend) -> Instruction {
    build(&tend.accounts(), &instruction::ExecuteLadder {}, &tend.others)
}

fn set_accounts(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys) -> accounts::SetTriggers {
    accounts::SetTriggers {
        trader: *trader,
        margin: *margin,
        market: market.market,
        book: market.book,
        program: PROGRAM_ID,
    }
}
