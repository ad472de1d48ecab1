//! What triggers and ladders have in common: what they protect, which price they believe, and what executing them pays.

use anchor_lang::prelude::*;
use ballast_book::{BookView, Fires, worst_price};
use ballast_risk::{mark, protection};
use ballast_units::{Position, Price, Quote, Side};

use super::{Assessment, Venue};
use crate::{
    error::{BallastError, OrFail},
    events::{BountyPaid, TriggersRemoved, TriggersRemovedFor},
    record::tell,
    state::{MarginAccount, Market},
};

/// Whether an account has something for orders of `reduces` to reduce: a position of the other side, or, as long as it
/// has none, resting `bids` or `asks` that open one.
pub fn protects(position: Position, bids: bool, asks: bool, reduces: Side) -> bool {
    match (position.side(), reduces) {
        (Some(side), _) => side == reduces.opposite(),
        (None, Side::Long) => asks,
        (None, Side::Short) => bids,
    }
}

/// Whether a rung of a ladder would find anything for this position on the book: inside the band, no worse than the ladder's
/// slippage from the mark.
pub fn rung_would_trade(
    position: Position,
    market: &Market,
    book: &BookView,
    slippage_bps: u16,
    now: i64,
) -> Result<bool> {
    let Some(side) = position.side() else { return Ok(false) };
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

/// Removes the seat's triggers that have nothing to protect: of a side that the account no longer holds, or of a position
/// that is gone, unless a resting order still opens one. Trailing ones have followed a position and go with it. The
/// seat's fills have been folded.
pub fn drop_stale_triggers(venue: &mut Venue, margin: &MarginAccount, index: usize, key: &Pubkey) -> Result<()> {
    let slot = &margin.slots[index];
    let seat = venue.book.seat(slot.seat, &key.to_bytes()).or_fail()?;
    if !seat.has_triggers() {
        return Ok(());
    }
    let (bids, asks) = (seat.bid_lots > 0, seat.ask_lots > 0);
    let position = slot.position();
    let flat = position.side().is_none();
    let mut triggers = Vec::new();
    venue
        .book
        .remove_triggers(slot.seat, |trigger| {
            let gone = (flat && trigger.trails()) || !protects(position, bids, asks, trigger.side);
            if gone {
                triggers.push(trigger.id.0);
            }
            gone
        })
        .or_fail()?;
    if !triggers.is_empty() {
        let (market, reason) = (venue.market.index, TriggersRemovedFor::NothingToProtect);
        tell(&TriggersRemoved { market, account: *key, reason, triggers });
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
