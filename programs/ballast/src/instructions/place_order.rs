//! Placing an order: it matches what it can, and what is left of a limit order rests.

use anchor_lang::prelude::*;
use ballast_book::SelfTrade;
use ballast_units::Side;

use super::accounts::require_same_exchange;
use crate::{
    error::BallastError,
    logic::{Desk, Others, Venue, slab},
    state::{Current as _, MarginAccount, Market},
};

/// Most makers that one order meets, so that it fits a transaction.
pub const MAX_MAKERS: u8 = 64;

/// How long an order lives.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Matches, then rests.
    Limit,
    /// Rests, or is refused if it would match.
    PostOnly,
    /// Matches; what is left is dropped.
    ImmediateOrCancel,
    /// Matches completely or not at all.
    FillOrKill,
    /// Rests; if it would match, one tick behind the best order that it would match. Refused where that is outside the band.
    PostOnlySlide,
}

/// Most reduce-only orders of an account that rest: what cuts them to the position, a liquidation for one, does so in one go, and
/// tells of each.
pub const MAX_REDUCE_ONLY: u16 = 64;

/// What happens when an order meets one of the same owner.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTradeMode {
    /// The resting order is cancelled.
    CancelResting,
    /// The rest of the new order is cancelled.
    CancelTaking,
    /// Both shrink by the smaller size.
    Decrement,
}

impl From<SelfTradeMode> for SelfTrade {
    fn from(mode: SelfTradeMode) -> SelfTrade {
        match mode {
            SelfTradeMode::CancelResting => SelfTrade::CancelResting,
            SelfTradeMode::CancelTaking => SelfTrade::CancelTaking,
            SelfTradeMode::Decrement => SelfTrade::DecrementBoth,
        }
    }
}

/// An order.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct OrderArgs {
    /// Whether it buys.
    pub buys: bool,
    /// How long it lives.
    pub kind: OrderKind,
    /// Worst price, in atoms per lot; of a pegged order its limit, beyond which it never trades.
    pub price: u64,
    /// Lots.
    pub lots: u64,
    /// Whether it may only reduce the position. Only for orders that do not rest.
    pub reduce_only: bool,
    /// The client's own id.
    pub client_id: u64,
    /// Unix time at which a resting order expires; 0 for never.
    pub expires_at: i64,
    /// What happens on meeting an order of the same owner.
    pub self_trade: SelfTradeMode,
    /// Makers at most, up to [`MAX_MAKERS`].
    pub max_makers: u8,
    /// Of an order that follows the mark: its distance from it in atoms per lot, a multiple of the tick. Bids count from the
    /// mark rounded down to the tick, asks from the mark rounded up. Only for orders that rest.
    pub peg: Option<i64>,
}

impl OrderArgs {
    /// Long to buy, short to sell.
    pub fn side(&self) -> Side {
        if self.buys { Side::Long } else { Side::Short }
    }

    /// Whether it may come to rest.
    pub fn rests(&self) -> bool {
        match self.kind {
            OrderKind::Limit | OrderKind::PostOnly | OrderKind::PostOnlySlide => true,
            OrderKind::ImmediateOrCancel | OrderKind::FillOrKill => false,
        }
    }
}

/// Accounts of `place_order`, `replace_order` and `batch_orders`; then a triple (market, book, ranks) for each other market in which the account has
/// anything.
#[derive(Accounts)]
pub struct PlaceOrder<'info> {
    /// Owner or delegate.
    pub trader: Signer<'info>,
    /// The account that trades.
    #[account(mut)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The market.
    #[account(mut, has_one = book @ BallastError::WrongAccount, has_one = ranks @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's ranking index.
    #[account(mut)]
    pub ranks: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Places an order.
pub fn place_order<'info>(ctx: Context<'info, PlaceOrder<'info>>, order: OrderArgs) -> Result<()> {
    at_desk(ctx, order.reduce_only, |desk| desk.place(&order, false).map(drop))
}

/// Lets `work` place orders for the account and assesses it afterwards.
pub(super) fn at_desk<'info>(
    ctx: Context<'info, PlaceOrder<'info>>,
    reduces: bool,
    work: impl FnOnce(&mut Desk) -> Result<()>,
) -> Result<()> {
    let accounts = ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.margin.key();
    let margin = &mut *accounts.margin.current_mut()?;
    let market = &mut *accounts.market.current_mut()?;
    margin.require_trader(accounts.trader.key)?;
    require_same_exchange(margin, market)?;
    let others = Others::new(ctx.remaining_accounts, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let mut desk = Desk::open(venue, margin, &key, &others, reduces, now)?;
    work(&mut desk)?;
    desk.finish()
}
