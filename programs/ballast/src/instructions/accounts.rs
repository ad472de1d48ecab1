//! Checks between accounts that an `#[account]` constraint cannot say cheaply.

use anchor_lang::prelude::*;
use ballast_units::Side;

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

/// A side from its number in arguments: bids (0), asks (1), or `None` for both (2).
pub fn side_filter(code: u8) -> Result<Option<Side>> {
    match code {
        0 => Ok(Some(Side::Long)),
        1 => Ok(Some(Side::Short)),
        2 => Ok(None),
        _ => err!(BallastError::ParameterOutOfBounds),
    }
}
