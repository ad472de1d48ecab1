//! Cancelling and placing many orders at once, with one assessment: what market makers send.

use anchor_lang::prelude::*;

use super::{OrderArgs, OrderRef, PlaceOrder, accounts::side_filter, at_desk};
use crate::error::BallastError;

/// Most orders that one batch places.
pub const MAX_BATCH_ORDERS: usize = 32;
/// Most orders that one batch names to be cancelled.
pub const MAX_BATCH_CANCELS: usize = 64;

/// Orders to cancel and orders to place.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, Default)]
pub struct BatchArgs {
    /// Cancelled first: bids (0), asks (1) or all (2) of the account's orders in the market.
    pub cancel_side: Option<u8>,
    /// Cancelled then: these.
    pub cancel: Vec<OrderRef>,
    /// Whether an order to cancel that is gone is passed over. Otherwise the batch fails.
    pub skip_gone: bool,
    /// Placed last, one after the other.
    pub orders: Vec<OrderArgs>,
    /// Whether a post-only order that cannot rest, because it would match or is outside the band, is left out, and the
    /// others placed. Otherwise the batch fails.
    pub skip_crossing: bool,
}

/// Cancels and places orders and assesses the account once, after all of them. All of it happens or nothing, except for what
/// the flags say may be left out. A batch of orders that only reduce is judged like one such order; as soon as one does not,
/// the account needs initial margin afterwards. A batch that only cancels needs neither margin nor price.
pub fn batch_orders<'info>(ctx: Context<'info, PlaceOrder<'info>>, batch: BatchArgs) -> Result<()> {
    let BatchArgs { cancel_side, cancel, skip_gone, orders, skip_crossing } = batch;
    require!(cancel_side.is_some() || !cancel.is_empty() || !orders.is_empty(), BallastError::NothingHere);
    require!(orders.len() <= MAX_BATCH_ORDERS && cancel.len() <= MAX_BATCH_CANCELS, BallastError::TooLarge);
    let reduces = !orders.is_empty() && orders.iter().all(|order| order.reduce_only);
    at_desk(ctx, reduces, |desk| {
        if let Some(side) = cancel_side {
            desk.cancel_all(side_filter(side)?)?;
        }
        desk.cancel(cancel, skip_gone)?;
        for order in &orders {
            desk.place(order, skip_crossing)?;
        }
        Ok(())
    })
}
