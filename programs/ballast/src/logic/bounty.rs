//! What permissionless work pays its caller.

use anchor_lang::prelude::*;

use crate::{
    error::BallastError,
    events::BountyPaid,
    record::tell,
    state::{MarginAccount, Market},
};

/// Pays the caller of a permissionless instruction out of the market's trading fees: at most `cap` atoms, never more
/// than the market's `settle_bounty`, and never more than the fees that are there. Returns what was paid.
pub fn pay_bounty(market: &mut Market, reward: &mut MarginAccount, to: &Pubkey, cap: u64) -> Result<u64> {
    let bounty = cap.min(u64::from(market.params.settle_bounty)).min(market.fees);
    market.fees -= bounty;
    credit(market, reward, to, None, bounty)
}

/// Pays the caller out of the tended account's own settled collateral, at most the market's `settle_bounty`: for work
/// that the account's owner could make up at will, so that doing it for oneself brings nothing.
pub fn charge_bounty(
    market: &Market,
    (margin, from): (&mut MarginAccount, &Pubkey),
    (reward, to): (&mut MarginAccount, &Pubkey),
) -> Result<u64> {
    let bounty = u64::from(market.params.settle_bounty).min(margin.collateral);
    margin.collateral = margin.collateral.checked_sub(bounty).ok_or(BallastError::Overflow)?;
    credit(market, reward, to, Some(*from), bounty)
}

fn credit(market: &Market, reward: &mut MarginAccount, to: &Pubkey, from: Option<Pubkey>, amount: u64) -> Result<u64> {
    if amount > 0 {
        reward.credit(amount)?;
        tell(&BountyPaid { market: market.index, account: *to, charged: from, amount });
    }
    Ok(amount)
}
