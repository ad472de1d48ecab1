//! What the permissionless instructions on one position have in common: their accounts, and how they open them.

use anchor_lang::prelude::*;
use ballast_risk::oracle::Action;

use super::accounts::{require_distinct, require_same_exchange};
use crate::{
    error::BallastError,
    logic::{Others, Venue, slab},
    state::{Current as _, MarginAccount, Market},
};

/// Accounts of the permissionless instructions on one position; then a triple (market, book, ranks) for each other
/// market in which the account has anything.
#[derive(Accounts)]
pub struct TendPosition<'info> {
    /// Credited with the bounty: any other margin account of the exchange.
    #[account(mut)]
    pub reward: AccountLoader<'info, MarginAccount>,
    /// The account that is brought up to date.
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

/// These accounts, opened.
pub(super) struct Tended<'a, 'v, 'info> {
    /// The market with its slabs.
    pub venue: &'a mut Venue<'v>,
    /// The account that is tended, and its slot in the market.
    pub margin: &'a mut MarginAccount,
    pub key: &'info Pubkey,
    pub slot: usize,
    /// The account that is credited.
    pub reward: &'a mut MarginAccount,
    pub reward_key: &'info Pubkey,
    pub others: Others<'info>,
    /// Unix time.
    pub now: i64,
}

/// Opens the accounts for `work`: two of one exchange, a market with a price good enough for `action`, if one is named, and
/// something of the account's in it.
#[inline(always)]
pub(super) fn tend<'info>(
    ctx: Context<'info, TendPosition<'info>>,
    action: Option<Action>,
    work: impl FnOnce(Tended<'_, '_, 'info>) -> Result<()>,
) -> Result<()> {
    let accounts = ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let (key, reward_key) = (accounts.margin.as_ref().key, accounts.reward.as_ref().key);
    require_distinct(key, reward_key)?;
    let margin = &mut *accounts.margin.current_mut()?;
    let reward = &mut *accounts.reward.current_mut()?;
    let market = &mut *accounts.market.current_mut()?;
    require_same_exchange(margin, market)?;
    require_same_exchange(reward, market)?;
    if let Some(action) = action {
        market.require_price(action, now)?;
    }
    let others = Others::new(ctx.remaining_accounts, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index(venue.market.index).ok_or(BallastError::NothingHere)?;
    work(Tended { venue, margin, key, slot, reward, reward_key, others, now })
}
