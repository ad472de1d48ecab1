//! Cancelling orders. Always possible, whatever state the market is in and however stale its price.

use anchor_lang::prelude::*;
use ballast_book::{Book, OrderId};
use ballast_risk::oracle::Action;
use ballast_units::Side;

use super::accounts::require_same_exchange;
use crate::{
    error::{BallastError, OrFail},
    events::{OrderRemoved, OrdersCancelled, OrdersPruned},
    logic::slab,
    state::{BOOK_MAGIC, MarginAccount, Market, slab_bytes_mut},
};

/// Most orders that one `prune_orders` removes, so that its event fits a transaction's log.
const MAX_PRUNED: u32 = 64;

/// Accounts of `cancel_order` and `cancel_all`.
#[derive(Accounts)]
pub struct CancelOrders<'info> {
    /// Owner or delegate.
    pub trader: Signer<'info>,
    /// The account whose orders they are.
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The market.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

impl CancelOrders<'_> {
    /// Checks the signer and finds the account's seat.
    pub(super) fn seat(&self) -> Result<(u16, u32)> {
        let margin = self.margin.load()?;
        let market = self.market.load()?;
        margin.require_trader(self.trader.key)?;
        require_same_exchange(&margin, &market)?;
        let slot = margin.slot_index(market.index).ok_or(BallastError::NothingHere)?;
        let seat = margin.slots[slot].seat;
        require!(seat != 0, BallastError::NothingHere);
        Ok((market.index, seat))
    }
}

/// Accounts of `prune_orders`.
#[derive(Accounts)]
pub struct PruneOrders<'info> {
    /// The market.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

/// Removes up to `limit` orders from the best of a side on (0 bids, 1 asks) that takers only pass over: expired, or
/// beyond the band. By anyone.
pub fn prune_orders(ctx: Context<PruneOrders>, side: u8, limit: u32) -> Result<()> {
    let side = match side {
        0 => Side::Long,
        1 => Side::Short,
        _ => return err!(BallastError::ParameterOutOfBounds),
    };
    let now = Clock::get()?.unix_timestamp;
    let market = ctx.accounts.market.load()?;
    // Where the band is, only a price says.
    market.require_price(Action::Liquidate, now)?;
    let mut data = slab(&ctx.accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    let mut removed = Vec::new();
    book.clean(side, market.band()?, now, limit.min(MAX_PRUNED), |order| {
        removed.push(OrderRemoved { seat: order.seat, order_id: order.id.0, lots: order.lots.0 });
    })
    .or_fail()?;
    require!(!removed.is_empty(), BallastError::NothingHere);
    emit!(OrdersPruned { market: market.index, removed });
    Ok(())
}

/// Cancels one order by its id.
pub fn cancel_order(ctx: Context<CancelOrders>, order_id: u128) -> Result<()> {
    let accounts = ctx.accounts;
    let (market, seat) = accounts.seat()?;
    let key = accounts.margin.key();
    let mut data = slab(&accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    book.seat(seat, &key.to_bytes()).or_fail()?;
    let cancelled = book.cancel(OrderId(order_id), seat).or_fail()?;
    emit!(OrdersCancelled { market, account: key, orders: 1, lots: cancelled.lots.0 });
    Ok(())
}

/// Cancels up to `limit` of the account's orders, on one side (0 bids, 1 asks) or on both (2).
pub fn cancel_all(ctx: Context<CancelOrders>, side: u8, limit: u32) -> Result<()> {
    let side = match side {
        0 => Some(Side::Long),
        1 => Some(Side::Short),
        2 => None,
        _ => return err!(BallastError::ParameterOutOfBounds),
    };
    let accounts = ctx.accounts;
    let (market, seat) = accounts.seat()?;
    let key = accounts.margin.key();
    let mut data = slab(&accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    book.seat(seat, &key.to_bytes()).or_fail()?;
    let mut lots = 0u64;
    let orders =
        book.cancel_all(seat, side, limit, |cancelled| lots = lots.saturating_add(cancelled.lots.0)).or_fail()?;
    emit!(OrdersCancelled { market, account: key, orders, lots });
    Ok(())
}
