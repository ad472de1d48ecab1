//! What triggers and ladders have in common: what they protect, which price they believe, and what executing them pays.

use anchor_lang::prelude::*;
use ballast_book::{Book, BookView, Fires, Trigger, TriggerId, worst_price};
use ballast_risk::{mark, protection};
use ballast_units::{Lots, Position, Price, Quote, Side};

use super::Assessment;
use crate::{
    error::{BallastError, OrFail},
    events::{BountyPaid, TriggersRemoved, TriggersRemovedFor},
    record::tell,
    state::{MarginAccount, Market, MarketStatus},
};

/// What a trigger has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It protects the position.
    Protects,
    /// The order that opens what it is to protect still rests.
    Waits,
    /// It is over: its position is gone and no order opens it any more, or the other of its pair has done its work.
    Over,
}

/// What a trigger has to do for an account that holds `position`.
///
/// # Errors
/// When the book does not have the trigger.
pub fn duty(position: Position, book: &BookView, trigger: &Trigger) -> Result<Duty> {
    if trigger.spent {
        return Ok(Duty::Over);
    }
    // A bracket is of what its entry filled, whatever else the account holds.
    let covers = trigger.entry == 0 || trigger.filled > Lots::ZERO;
    if covers && position.side() == Some(trigger.side.opposite()) {
        return Ok(Duty::Protects);
    }
    // One that trails has followed a position, and is of no other.
    let waits = !trigger.trails() && book.awaits(trigger.id).or_fail()?;
    Ok(if waits { Duty::Waits } else { Duty::Over })
}

/// Whether a rung of a ladder would find anything for this position on the book: inside the band, no worse than the ladder's
/// slippage from the mark, in a market that is not paused.
pub fn rung_would_trade(
    position: Position,
    market: &Market,
    book: &BookView,
    slippage_bps: u16,
    now: i64,
) -> Result<bool> {
    let Some(side) = position.side() else { return Ok(false) };
    if market.status()? == MarketStatus::Paused {
        return Ok(false);
    }
    let side = side.opposite();
    let limit = worst_price(side, market.mark(), slippage_bps.into());
    Ok(book.would_match(side, limit, &market.terms(now)?))
}

/// The price that decides whether a trigger fires: of the mark, what two ticks support, and the last two ticks, the one
/// that is hardest to reach. It is the one by which liquidation judges the position that the trigger protects, so a stop
/// in front of the liquidation price is due no later than the liquidation, and one bad tick fires nothing.
pub fn confirmed_mark(market: &Market, fires: Fires) -> Result<Price> {
    let side = match fires {
        Fires::AtOrBelow => Side::Long,
        Fires::AtOrAbove => Side::Short,
    };
    mark::liquidation_price(side, market.mark_state()).ok_or_else(|| BallastError::OracleSingleTick.into())
}

/// Removes a seat's triggers that are over ([`Duty::Over`]) for this position.
pub fn drop_stale_triggers(book: &mut Book, market: u16, seat: u32, position: Position, key: &Pubkey) -> Result<()> {
    if seat == 0 || !book.seat(seat, &key.to_bytes()).or_fail()?.has_triggers() {
        return Ok(());
    }
    let view = book.view();
    let mut triggers = Vec::new();
    for trigger in view.seat_triggers(seat).or_fail()? {
        if duty(position, &view, &trigger)? == Duty::Over {
            triggers.push(trigger.id.0);
        }
    }
    if position.side().is_none() {
        book.forget_filled(seat).or_fail()?;
    }
    for trigger in &triggers {
        book.remove_trigger(TriggerId(*trigger), seat).or_fail()?;
    }
    if !triggers.is_empty() {
        tell(&TriggersRemoved { market, account: *key, reason: TriggersRemovedFor::NothingToProtect, triggers });
    }
    Ok(())
}

/// Fails unless a reduction from `before` to `after` is allowed, and pays its caller from the account's settled collateral
/// for the `quote` atoms that it traded, as far as that leaves the account allowed to be where it is. Gives the reward.
pub fn pay_protection(
    market: &Market,
    (margin, from): (&mut MarginAccount, &Pubkey),
    (reward, to): (&mut MarginAccount, &Pubkey),
    (before, after): (&Assessment, &mut Assessment),
    quote: u64,
    fee_bps: u32,
) -> Result<u64> {
    let leeway = protection::leeway(&before.account, &after.account).ok_or(BallastError::InsufficientMargin)?;
    // What the account still owes to other pools is not there to be given away.
    let settled = margin.collateral.saturating_sub(after.losses_owed);
    let max = market.params.protection().max_reward;
    let amount = protection::reward(quote, fee_bps, max, settled, leeway).or_fail()?;
    if amount == 0 {
        return Ok(0);
    }
    margin.collateral = margin.collateral.checked_sub(amount).ok_or(BallastError::Overflow)?;
    reward.credit(amount)?;
    let cost = Quote(i64::try_from(amount).map_err(|_| BallastError::Overflow)?);
    after.account.equity = after.account.equity.sub(cost).or_fail()?;
    after.account.initial_equity = after.account.initial_equity.sub(cost).or_fail()?;
    after.account.collateral = margin.collateral;
    tell(&BountyPaid { market: market.index, account: *to, charged: Some(*from), amount });
    Ok(amount)
}
