//! Reading prices: one trait, one adapter per account format. What a price is good for is not decided here but in
//! `ballast_risk::oracle`.

#[cfg(not(target_arch = "wasm32"))]
mod legacy;
#[cfg(not(target_arch = "wasm32"))]
mod receiver;

use anchor_lang::prelude::*;
use ballast_risk::oracle::Sample;

#[cfg(not(target_arch = "wasm32"))]
use crate::state::OracleKind;
use crate::{error::BallastError, state::Market};

/// A format of oracle account.
pub trait PriceSource {
    /// Checks that `account` is the feed and decodes its latest price.
    fn sample(account: &AccountInfo, feed: &[u8; 32]) -> Result<Sample>;
}

/// Reads the market's oracle account with the market's adapter.
pub fn read_sample(market: &Market, account: &AccountInfo) -> Result<Sample> {
    require_keys_eq!(*account.owner, market.oracle_program, BallastError::WrongOracle);
    sample(market, account)
}

#[cfg(not(target_arch = "wasm32"))]
fn sample(market: &Market, account: &AccountInfo) -> Result<Sample> {
    match OracleKind::from_code(market.oracle_kind)? {
        OracleKind::PythReceiver => receiver::PriceUpdate::sample(account, &market.oracle_feed),
        OracleKind::PythLegacy => legacy::PriceAccount::sample(account, &market.oracle_feed),
    }
}

/// The app has the program's functions, but not the oracles' libraries.
#[cfg(target_arch = "wasm32")]
fn sample(_: &Market, _: &AccountInfo) -> Result<Sample> {
    err!(BallastError::BadOracleData)
}
