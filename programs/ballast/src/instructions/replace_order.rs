//! Putting an order in the place of another, with one assessment.

use anchor_lang::prelude::*;

use super::{OrderArgs, PlaceOrder, at_desk};

/// Which of an account's orders is meant.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// That with this id in the book.
    Id(u128),
    /// The newest with this client id.
    Client(u64),
}

/// Replaces an order. If the new one differs only in fewer lots, the old one shrinks and keeps its place in the queue;
/// otherwise it is cancelled and the new one placed. Refused if the old one is gone, unless `even_if_gone`.
pub fn replace_order<'info>(
    ctx: Context<'info, PlaceOrder<'info>>,
    target: OrderRef,
    order: OrderArgs,
    even_if_gone: bool,
) -> Result<()> {
    at_desk(ctx, order.reduce_only, |desk| desk.replace(target, &order, even_if_gone))
}
