//! Pyth's receiver program: `PriceUpdateV2`. Any account of that program with the market's feed id will do, so that
//! posters do not have to share one.

use anchor_lang::prelude::*;
use ballast_risk::oracle::Sample;
use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};

use super::PriceSource;
use crate::error::BallastError;

/// The adapter.
pub struct PriceUpdate;

impl PriceSource for PriceUpdate {
    fn sample(account: &AccountInfo, feed: &[u8; 32]) -> Result<Sample> {
        let data = account.try_borrow_data()?;
        let update = PriceUpdateV2::try_deserialize(&mut &data[..]).map_err(|_| BallastError::BadOracleData)?;
        let message = &update.price_message;
        require!(message.feed_id == *feed, BallastError::WrongOracle);
        Ok(Sample {
            price: message.price,
            conf: message.conf,
            exponent: message.exponent,
            publish_time: message.publish_time,
            full_verification: update.verification_level == VerificationLevel::Full,
        })
    }
}
