//! Orders that their account can no longer fund, cancelled by anyone.

use anchor_lang::prelude::*;
use ballast_risk::{health::Stage, oracle::Action};

use super::{TendPosition, Tended, tend};
use crate::{
    error::BallastError,
    logic::{Marks, assess, cancel_increasing, charge_bounty, position_state},
};

/// Cancels the orders of an account below its initial margin, by marks that two ticks support, which would make its position
/// in this market larger if they filled. Those that reduce it stay, newest cancelled first where only some do. The caller
/// gets a bounty from the account whose orders they were.
pub fn cancel_unfunded<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    tend(ctx, Some(Action::Liquidate), |position| {
        let Tended { venue, margin, key, reward, reward_key, slot, others, now } = position;
        let health = assess(margin, key, Some((venue, slot)), &others, Marks::Confirmed, Some(Action::Liquidate), now)?;
        require!(health.account.stage() >= Stage::Restricted, BallastError::NotEligible);
        let state = position_state(&margin.slots[slot], key, venue.market, &venue.book.view(), &venue.ranks.view())?;
        let cancelled = cancel_increasing(venue, margin, slot, key, state.position)?;
        require!(cancelled > 0, BallastError::NothingHere);
        charge_bounty(venue.market, (margin, key), (reward, reward_key))?;
        Ok(())
    })
}
