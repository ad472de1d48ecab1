//! Bringing a position's place in the ranking index up to date, by anyone.

use anchor_lang::prelude::*;
use ballast_risk::oracle::Action;

use super::{
    TendPosition,
    accounts::{require_distinct, require_same_exchange},
};
use crate::{
    error::{BallastError, OrFail},
    events::Reranked,
    logic::{Marks, Others, Venue, assess, charge_bounty, close_idle_seat, rejoin, slab, touch},
    state::Current as _,
};

/// Columns by which a position must have been out of place to earn its caller a bounty.
const BOUNTY_COLUMNS: u16 = 2;
/// Seconds between two bounties for one position.
const BOUNTY_INTERVAL_S: i64 = 60;

/// Recomputes the position's bankruptcy price, which moves with the account's other markets and its collateral, and
/// moves the position to the cell where it belongs now.
pub fn rerank<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    let accounts = ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.margin.key();
    require_distinct(&key, &accounts.reward.key())?;
    let margin = &mut *accounts.margin.current_mut()?;
    let reward = &mut *accounts.reward.current_mut()?;
    let market = &mut *accounts.market.current_mut()?;
    require_same_exchange(margin, market)?;
    require_same_exchange(reward, market)?;
    market.require_price(Action::Reduce, now)?;
    let others = Others::new(ctx.remaining_accounts, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index(venue.market.index).ok_or(BallastError::NothingHere)?;
    require!(margin.slots[slot].is_member(), BallastError::NothingHere);

    let before = venue.ranks.view().coordinates_of(margin.slots[slot].membership()).or_fail()?;
    touch(venue, margin, slot, &key)?;
    close_idle_seat(venue, margin, slot, &key)?;
    let assessment = assess(margin, &key, Some((venue, slot)), &others, Marks::Current, Some(Action::Reduce), now)?;
    rejoin(venue, margin, slot, &key, &assessment)?;
    let membership = margin.slots[slot].membership();
    let moved = if membership.is_member() {
        venue.ranks.view().coordinates_of(membership).or_fail()?.column.abs_diff(before.column)
    } else {
        0
    };
    let due = moved >= BOUNTY_COLUMNS && now.saturating_sub(margin.slots[slot].reranked_at) >= BOUNTY_INTERVAL_S;
    if due {
        margin.slots[slot].reranked_at = now;
        charge_bounty(venue.market, (margin, &key), (reward, &accounts.reward.key()))?;
    }
    emit!(Reranked { market: venue.market.index, account: key, columns: moved });
    Ok(())
}
