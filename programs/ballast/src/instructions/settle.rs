//! Bringing anyone's position up to date: fills that wait in its seat, what a deleveraging did to it, funding, and
//! realised profit and loss against the market's pool. Pays the caller a small bounty.

use anchor_lang::prelude::*;

use super::{TendPosition, Tended, tend};
use crate::logic::{Marks, Touched, assess, close_idle_seat, pay_bounty, rejoin, touch};

/// The caller's share of the fees that the folded fills had earned: a tenth, so that nobody gains by trading with
/// himself and settling.
const SEAT_BOUNTY_DIVISOR: u64 = 10;
/// The caller's share of a realised loss that reaches the pool: a basis point.
const LOSS_BOUNTY_DIVISOR: u64 = 10_000;

/// Settles the account's seat, deleveraging, funding and realised profit and loss in the market. Needs no price: it
/// must be possible whenever the money is owed.
pub fn settle_seat<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    tend(ctx, None, |position| {
        let Tended { venue, margin, key, reward, reward_key, slot, others, now } = position;
        let touched = touch(venue, margin, slot, key)?;
        close_idle_seat(venue, margin, slot, key)?;
        let assessment = assess(margin, key, Some((venue, slot)), &others, Marks::Current, None, now)?;
        rejoin(venue, margin, slot, key, &assessment)?;
        pay_bounty(venue.market, reward, reward_key, bounty_cap(&touched))?;
        Ok(())
    })
}

fn bounty_cap(touched: &Touched) -> u64 {
    touched.bounty_base / SEAT_BOUNTY_DIVISOR + touched.loss_settled / LOSS_BOUNTY_DIVISOR
}
