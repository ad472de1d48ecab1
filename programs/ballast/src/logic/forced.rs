//! What the forced reductions have in common.

use anchor_lang::prelude::*;
use ballast_risk::health::Stage;
use ballast_units::{MAX_PRICE, Position, Price, Side};

use super::{Assessment, Gone, Venue, reducible};
use crate::{
    error::{BallastError, OrFail},
    events::OrdersCancelledFor,
    state::MarginAccount,
};

/// Most orders that one forced reduction cancels; the rest needs another call.
pub const MAX_FORCED_CANCELS: u32 = 64;

/// The number under which a stage appears in events.
pub fn stage_code(stage: Stage) -> u8 {
    match stage {
        Stage::Healthy => 0,
        Stage::Restricted => 1,
        Stage::Partial => 2,
        Stage::Takeover => 3,
        Stage::Bankrupt => 4,
    }
}

/// Cancels the account's orders in this market, up to [`MAX_FORCED_CANCELS`].
pub fn cancel_for_force(venue: &mut Venue, margin: &MarginAccount, slot: usize, key: &Pubkey) -> Result<u32> {
    let seat = margin.slots[slot].seat;
    if seat == 0 {
        return Ok(0);
    }
    let mut gone = Gone::default();
    let orders = venue.book.cancel_all(seat, None, MAX_FORCED_CANCELS, |order| gone.note(order)).or_fail()?;
    gone.report(venue.market.index, key, OrdersCancelledFor::Liquidation);
    Ok(orders)
}

/// Cancels the account's orders in this market, up to [`MAX_FORCED_CANCELS`], as far as they would make a position of this
/// size larger or turn it.
pub fn cancel_increasing(
    venue: &mut Venue,
    margin: &MarginAccount,
    slot: usize,
    key: &Pubkey,
    position: Position,
) -> Result<u32> {
    let seat = margin.slots[slot].seat;
    if seat == 0 {
        return Ok(0);
    }
    let (mut orders, mut gone) = (0u32, Gone::default());
    for side in Side::BOTH {
        let left = MAX_FORCED_CANCELS.saturating_sub(orders);
        let keep = reducible(side, position.0);
        orders += venue.book.cancel_beyond(seat, side, keep, left, |order| gone.note(order)).or_fail()?;
    }
    gone.report(venue.market.index, key, OrdersCancelledFor::Unfunded);
    Ok(orders)
}

/// Fails when another of the account's positions comes first.
pub fn require_most_relief(assessment: &Assessment, market: u16) -> Result<()> {
    require!(assessment.most_relief == Some(market), BallastError::NotMostRelief);
    Ok(())
}

/// A bankruptcy price as the limit of an order: kept in the range of prices.
pub fn as_limit(bankruptcy_price: i64) -> Price {
    Price(u64::try_from(bankruptcy_price).unwrap_or(0).clamp(1, MAX_PRICE))
}

/// The price at which a bankrupt position of `side` is closed against the other side of the market: its bankruptcy price
/// (as a limit), moved towards the mark by what insurance pays per lot.
pub fn deleverage_price(side: Side, limit: Price, paid_per_lot: u64) -> Price {
    match side {
        Side::Long => Price(limit.0.saturating_sub(paid_per_lot).max(1)),
        Side::Short => Price(limit.0.saturating_add(paid_per_lot).min(MAX_PRICE)),
    }
}

/// What closing at `price` rather than at `mark` costs per lot; zero when it gains.
pub fn loss_per_lot(side: Side, price: Price, mark: Price) -> u64 {
    match side {
        Side::Long => price.0.saturating_sub(mark.0),
        Side::Short => mark.0.saturating_sub(price.0),
    }
}
