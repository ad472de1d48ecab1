//! Pyth's legacy price account. It is verified by living under Pyth's own program at a fixed address.

use anchor_lang::prelude::*;
use ballast_risk::oracle::Sample;
use pyth_sdk_solana::state::{PriceStatus, SolanaPriceAccount, load_price_account};

use super::PriceSource;
use crate::error::BallastError;

/// The adapter.
pub struct PriceAccount;

impl PriceSource for PriceAccount {
    fn sample(account: &AccountInfo, feed: &[u8; 32]) -> Result<Sample> {
        require!(account.key.to_bytes() == *feed, BallastError::WrongOracle);
        let data = account.try_borrow_data()?;
        let price: &SolanaPriceAccount = load_price_account(&data).map_err(|_| BallastError::BadOracleData)?;
        // Only while publishers agree on a price is there one.
        require!(price.agg.status == PriceStatus::Trading, BallastError::OracleStale);
        Ok(Sample {
            price: price.agg.price,
            conf: price.agg.conf,
            exponent: price.expo,
            publish_time: price.timestamp,
            full_verification: true,
        })
    }
}
