//! What an account without positions still owes, paid by insurance.

use anchor_lang::prelude::*;

use super::{
    ResolveBankruptcy,
    accounts::{require_distinct, require_same_exchange},
};
use crate::{
    error::BallastError,
    events::BadDebtCovered,
    logic::{
        Marks, Others, Venue, assess, cancel_for_force, close_idle_seat, draw_insurance, rejoin, settle_slot, slab,
        touch,
    },
    record::tell,
    state::{Current as _, Market},
};

/// Insurance pays, within its budget, what the account owes this market's pool beyond everything the account has. Only
/// once the account has no position left anywhere: its own positions and claims come first.
pub fn cover_bad_debt<'info>(ctx: Context<'info, ResolveBankruptcy<'info>>) -> Result<()> {
    let accounts = ctx.accounts;
    let drawn = cover(accounts, ctx.remaining_accounts)?;
    accounts.pay(drawn)
}

fn cover<'info>(accounts: &ResolveBankruptcy<'info>, remaining: &'info [AccountInfo<'info>]) -> Result<u64> {
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.margin.key();
    require_distinct(&key, &accounts.reward.key())?;
    let margin = &mut *accounts.margin.current_mut()?;
    let market: &mut Market = &mut *accounts.market.current_mut()?;
    require_same_exchange(margin, market)?;
    let others = Others::new(remaining, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index(venue.market.index).ok_or(BallastError::NothingHere)?;

    touch(venue, margin, slot, &key)?;
    cancel_for_force(venue, margin, slot, &key)?;
    close_idle_seat(venue, margin, slot, &key)?;
    let state = assess(margin, &key, Some((venue, slot)), &others, Marks::Current, None, now)?;
    require!(state.most_relief.is_none(), BallastError::NotEligible);
    let deficit = state.account.equity.negative_part();
    let owed_here = ballast_units::Quote(margin.slots[slot].unsettled).negative_part();
    let wanted = deficit.min(owed_here);
    require!(wanted > 0, BallastError::NotEligible);
    let paid = draw_insurance(venue.market, margin, slot, wanted, accounts.insurance.amount, now)?;
    require!(paid > 0, BallastError::InsuranceExhausted);
    settle_slot(venue.market, margin, slot, &key)?;
    let after = assess(margin, &key, Some((venue, slot)), &others, Marks::Current, None, now)?;
    tell(&BadDebtCovered { market: venue.market.index, account: key, paid, left: wanted - paid });
    rejoin(venue, margin, slot, &key, &after)?;
    Ok(paid)
}
