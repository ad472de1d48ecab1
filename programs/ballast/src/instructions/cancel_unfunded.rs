//! Orders that their account can no longer fund, cancelled by anyone.

use anchor_lang::prelude::*;
use ballast_risk::{health::Stage, oracle::Action};

use super::{
    TendPosition,
    accounts::{require_distinct, require_same_exchange},
};
use crate::{
    error::BallastError,
    logic::{Marks, Others, Venue, assess, cancel_increasing, charge_bounty, position_state, slab},
    state::Current as _,
};

/// Cancels the orders of an account below its initial margin, by marks that two ticks support, which would make its position
/// in this market larger if they filled. Those that reduce it stay, newest cancelled first where only some do. The caller
/// gets a bounty from the account whose orders they were.
pub fn cancel_unfunded<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    let accounts = ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let (key, reward_key) = (accounts.margin.key(), accounts.reward.key());
    require_distinct(&key, &reward_key)?;
    let margin = &mut *accounts.margin.current_mut()?;
    let reward = &mut *accounts.reward.current_mut()?;
    let market = &mut *accounts.market.current_mut()?;
    require_same_exchange(margin, market)?;
    require_same_exchange(reward, market)?;
    market.require_price(Action::Liquidate, now)?;
    let others = Others::new(ctx.remaining_accounts, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index(venue.market.index).ok_or(BallastError::NothingHere)?;

    let health = assess(margin, &key, Some((venue, slot)), &others, Marks::Confirmed, Some(Action::Liquidate), now)?;
    require!(health.account.stage() >= Stage::Restricted, BallastError::NotEligible);
    let state = position_state(&margin.slots[slot], &key, venue.market, &venue.book.view(), &venue.ranks.view())?;
    let cancelled = cancel_increasing(venue, margin, slot, &key, state.position)?;
    require!(cancelled > 0, BallastError::NothingHere);
    charge_bounty(venue.market, (margin, &key), (reward, &reward_key))?;
    Ok(())
}
