//! Bringing anyone's position up to date: fills that wait in its seat, what a deleveraging did to it, funding, and
//! realised profit and loss against the market's pool. Pays the caller a small bounty.

use anchor_lang::prelude::*;

use super::accounts::{require_distinct, require_same_exchange};
use crate::{
    error::BallastError,
    logic::{Marks, Others, Touched, Venue, assess, close_idle_seat, pay_bounty, rejoin, slab, touch},
    state::{Current as _, MarginAccount, Market},
};

/// The caller's share of the fees that the folded fills had earned: a tenth, so that nobody gains by trading with
/// himself and settling.
const SEAT_BOUNTY_DIVISOR: u64 = 10;
/// The caller's share of a realised loss that reaches the pool: a basis point.
const LOSS_BOUNTY_DIVISOR: u64 = 10_000;

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
}

/// Settles the account's seat, deleveraging, funding and realised profit and loss in the market. Needs no price: it
/// must be possible whenever the money is owed.
pub fn settle_seat<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    let accounts = ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.margin.key();
    require_distinct(&key, &accounts.reward.key())?;
    let margin = &mut *accounts.margin.current_mut()?;
    let reward = &mut *accounts.reward.current_mut()?;
    let market = &mut *accounts.market.current_mut()?;
    require_same_exchange(margin, market)?;
    require_same_exchange(reward, market)?;
    let others = Others::new(ctx.remaining_accounts, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index(venue.market.index).ok_or(BallastError::NothingHere)?;

    let touched = touch(venue, margin, slot, &key)?;
    close_idle_seat(venue, margin, slot, &key)?;
    let assessment = assess(margin, &key, Some((venue, slot)), &others, Marks::Current, None, now)?;
    rejoin(venue, margin, slot, &key, &assessment)?;
    pay_bounty(venue.market, reward, &accounts.reward.key(), bounty_cap(&touched))?;
    Ok(())
}

fn bounty_cap(touched: &Touched) -> u64 {
    touched.bounty_base / SEAT_BOUNTY_DIVISOR + touched.loss_settled / LOSS_BOUNTY_DIVISOR
}
