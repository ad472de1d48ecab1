//! Oracle accounts that the keeper knows: what a market would be after a refresh that nobody has brought yet.

use std::time::Duration;

use anchor_lang::prelude::AccountInfo;
use ballast_client::{
    ballast::{oracle::read_sample, state::Market},
    rpc,
};
use ballast_risk::{
    mark,
    oracle::{self, Reading, Sample},
};
use solana_account_decoder_client_types::UiAccount;
use solana_pubkey::Pubkey;

/// For how long a market may lag behind its oracle account before the keeper refreshes it itself: time for the oracle
/// poster, whose work it is.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// The price in an oracle account, read by the program's own adapter; `None` when that refuses.
pub fn sample(market: &Market, key: Pubkey, account: &UiAccount) -> Option<Sample> {
    let mut account = rpc::decode(account)?;
    // As on chain, at a multiple of eight: Pyth's older format is read in place.
    let mut words = vec![0u64; account.data.len().div_ceil(8)];
    let data = &mut bytemuck::cast_slice_mut(&mut words)[..account.data.len()];
    data.copy_from_slice(&account.data);
    let info = AccountInfo::new(&key, false, false, &mut account.lamports, data, &account.owner, false);
    read_sample(market, &info).ok()
}

/// The reading that the market would have after a refresh with `sample`. `None` when the program would refuse it, as one
/// that is not newer.
pub fn reading(market: &Market, sample: &Sample, now: i64) -> Option<Reading> {
    let limits = market.params.oracle(market.lot_exponent());
    let last = market.reading().publish_time;
    oracle::check(sample, now, last, market.mark_state().slow_average(), &limits).ok()
}

/// The market after a refresh with `sample`, as far as liquidation sees it: reading and mark. `None` when the program
/// would refuse the sample, as one that is not newer.
pub fn refreshed(market: &Market, sample: &Sample, now: i64) -> Option<Market> {
    let state = market.mark_state();
    let reading = reading(market, sample, now)?;
    // Without the book: it has no part in liquidation.
    let next = mark::advance(state, reading.price, None, reading.publish_time, &market.params.mark()).ok()?;
    let mut after = *market;
    after.set_mark_state(next);
    after.set_reading(reading);
    Some(after)
}
