//! Bringing a position's place in the ranking index up to date, by anyone.

use anchor_lang::prelude::*;
use ballast_risk::oracle::Action;

use super::{TendPosition, Tended, tend};
use crate::{
    error::{BallastError, OrFail},
    events::Reranked,
    logic::{Marks, assess, charge_bounty, close_idle_seat, rejoin, touch},
    record::tell,
};

/// Columns by which a position must have been out of place to earn its caller a bounty.
const BOUNTY_COLUMNS: u16 = 2;
/// Seconds between two bounties for one position.
const BOUNTY_INTERVAL_S: i64 = 60;

/// Recomputes the position's bankruptcy price, which moves with the account's other markets and its collateral, and
/// moves the position to the cell where it belongs now.
pub fn rerank<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    tend(ctx, Some(Action::Reduce), |position| {
        let Tended { venue, margin, key, reward, reward_key, slot, others, now } = position;
        require!(margin.slots[slot].is_member(), BallastError::NothingHere);

        let before = venue.ranks.view().coordinates_of(margin.slots[slot].membership()).or_fail()?;
        touch(venue, margin, slot, key)?;
        close_idle_seat(venue, margin, slot, key)?;
        let assessment = assess(margin, key, Some((venue, slot)), &others, Marks::Current, Some(Action::Reduce), now)?;
        rejoin(venue, margin, slot, key, &assessment)?;
        let membership = margin.slots[slot].membership();
        let moved = if membership.is_member() {
            venue.ranks.view().coordinates_of(membership).or_fail()?.column.abs_diff(before.column)
        } else {
            0
        };
        let due = moved >= BOUNTY_COLUMNS && now.saturating_sub(margin.slots[slot].reranked_at) >= BOUNTY_INTERVAL_S;
        if due {
            margin.slots[slot].reranked_at = now;
            charge_bounty(venue.market, (margin, key), (reward, reward_key))?;
        }
        tell(&Reranked { market: venue.market.index, account: *key, columns: moved });
        Ok(())
    })
}
