//! Checks between accounts that an `#[account]` constraint cannot say cheaply.

use anchor_lang::prelude::*;

use crate::{
    error::BallastError,
    state::{MarginAccount, Market},
};

/// Fails unless the margin account and the market belong to the same exchange.
pub fn require_same_exchange(margin: &MarginAccount, market: &Market) -> Result<()> {
    require!(margin.exchange == market.exchange, BallastError::WrongAccount);
    Ok(())
}

/// Fails when two roles were given the same account: borrowing it twice would fail anyway, but not say why.
pub fn require_distinct(a: &Pubkey, b: &Pubkey) -> Result<()> {
    require!(a != b, BallastError::DuplicateAccount);
    Ok(())
}
