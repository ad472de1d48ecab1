//! Cancelling orders. Always possible, whatever state the market is in and however stale its price.

use anchor_lang::prelude::*;
use ballast_book::{Book, BookError, OrderId};
use ballast_risk::oracle::Action;

use super::accounts::{require_same_exchange, side_filter};
use crate::{
    error::{BallastError, OrFail},
    events::{OrderRemoved, OrdersCancelledFor, OrdersPruned},
    logic::{Gone, leave_idle_seat, removed_order, slab},
    record::tell,
    state::{BOOK_MAGIC, Current as _, MarginAccount, Market, slab_bytes_mut},
};

/// Most orders that one `prune_orders` or `prune_expired` removes, so that its event fits a transaction's log.
pub const MAX_PRUNED: u32 = 64;
/// Most orders that one instruction cancels without naming them, for the same reason.
pub const MAX_CANCELLED: u32 = 256;

/// Accounts of `cancel_order`, `cancel_by_client_id` and `cancel_all`.
#[derive(Accounts)]
pub struct CancelOrders<'info> {
    /// Owner or delegate.
    pub trader: Signer<'info>,
    /// The account whose orders they are.
    #[account(mut)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The market.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

impl CancelOrders<'_> {
    /// Has `work` take something out of the account's seat, given its number and the market's, and gives back a seat that is empty then.
    pub(super) fn at_seat(&self, work: impl FnOnce(&mut Book, u32, u16) -> Result<()>) -> Result<()> {
        let key = self.margin.key();
        let margin = &mut *self.margin.current_mut()?;
        let market = self.market.current()?;
        margin.require_trader(self.trader.key)?;
        require_same_exchange(margin, &market)?;
        let slot = margin.slot_index(market.index).ok_or(BallastError::NothingHere)?;
        let seat = margin.slots[slot].seat;
        require!(seat != 0, BallastError::NothingHere);
        let mut data = slab(&self.book)?;
        let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
        book.seat(seat, &key.to_bytes()).or_fail()?;
        work(&mut book, seat, market.index)?;
        leave_idle_seat(&mut book, market.index, margin, slot, &key)
    }
}

/// Accounts of `prune_orders` and `prune_expired`.
#[derive(Accounts)]
pub struct PruneOrders<'info> {
    /// The market.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Removes up to `limit` orders from the best of a side on (0 bids, 1 asks) that takers only pass over: expired, beyond the
/// band, or pegged and beyond their limit. By anyone.
pub fn prune_orders(ctx: Context<PruneOrders>, side: u8, limit: u32) -> Result<()> {
    let side = side_filter(side)?.ok_or(BallastError::ParameterOutOfBounds)?;
    let now = Clock::get()?.unix_timestamp;
    let market = ctx.accounts.market.current()?;
    // Where the band is, only a price says.
    market.require_price(Action::Liquidate, now)?;
    let mut data = slab(&ctx.accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    let mut removed = Vec::new();
    book.clean(side, &market.terms(now)?, limit.min(MAX_PRUNED), |order| removed.push(removed_order(order)))
        .or_fail()?;
    report_pruned(market.index, removed)
}

/// Removes those of these orders that have expired, wherever they are in the book; passes over the others. By anyone.
pub fn prune_expired(ctx: Context<PruneOrders>, order_ids: Vec<u128>) -> Result<()> {
    require!(u32::try_from(order_ids.len()).is_ok_and(|count| count <= MAX_PRUNED), BallastError::TooLarge);
    let now = Clock::get()?.unix_timestamp;
    let mut data = slab(&ctx.accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    let mut removed = Vec::new();
    for id in order_ids {
        match book.cancel_expired(OrderId(id), now) {
            Ok(order) => removed.push(removed_order(&order)),
            Err(BookError::OrderNotFound | BookError::NotExpired) => {}
            Err(error) => return Err(error).or_fail(),
        }
    }
    report_pruned(ctx.accounts.market.current()?.index, removed)
}

fn report_pruned(market: u16, removed: Vec<OrderRemoved>) -> Result<()> {
    require!(!removed.is_empty(), BallastError::NothingHere);
    tell(&OrdersPruned { market, removed });
    Ok(())
}

/// Cancels one order by its id.
pub fn cancel_order(ctx: Context<CancelOrders>, order_id: u128) -> Result<()> {
    cancel(ctx, |book, seat, gone| {
        gone.note(&book.cancel(OrderId(order_id), seat).or_fail()?);
        Ok(())
    })
}

/// Cancels the newest of the account's orders with this client id.
pub fn cancel_by_client_id(ctx: Context<CancelOrders>, client_id: u64) -> Result<()> {
    cancel(ctx, |book, seat, gone| {
        gone.note(&book.cancel_by_client_id(seat, client_id).or_fail()?);
        Ok(())
    })
}

/// Cancels up to `limit` of the account's orders, newest first, at most [`MAX_CANCELLED`], on one side (0 bids, 1 asks) or on
/// both (2).
pub fn cancel_all(ctx: Context<CancelOrders>, side: u8, limit: u32) -> Result<()> {
    let side = side_filter(side)?;
    cancel(ctx, |book, seat, gone| {
        book.cancel_all(seat, side, limit.min(MAX_CANCELLED), |order| gone.note(order)).or_fail()?;
        Ok(())
    })
}

/// Has `work` cancel orders of the account's seat, and reports them.
fn cancel(ctx: Context<CancelOrders>, work: impl FnOnce(&mut Book, u32, &mut Gone) -> Result<()>) -> Result<()> {
    ctx.accounts.at_seat(|book, seat, market| {
        let mut gone = Gone::default();
        work(book, seat, &mut gone)?;
        gone.report(market, &ctx.accounts.margin.key(), OrdersCancelledFor::Request);
        Ok(())
    })
}
