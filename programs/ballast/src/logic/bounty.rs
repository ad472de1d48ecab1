//! What permissionless work pays its caller.

use anchor_lang::prelude::*;

use crate::state::{MarginAccount, Market};

/// Pays the caller of a permissionless instruction out of the market's trading fees: at most `cap` atoms, never more
/// than the market's `settle_bounty`, and never more than the fees that are there. Returns what was paid.
pub fn pay_bounty(market: &mut Market, reward: &mut MarginAccount, cap: u64) -> Result<u64> {
    let bounty = cap.min(u64::from(market.params.settle_bounty)).min(market.fees);
    market.fees -= bounty;
    reward.credit(bounty)?;
    Ok(bounty)
}
