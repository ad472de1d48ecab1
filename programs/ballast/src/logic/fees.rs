//! Trading fees: what an account pays, what makers get of it, and where the rest goes.

use anchor_lang::prelude::*;
use ballast_risk::fees::{self, Rates};

use crate::{
    error::{BallastError, OrFail},
    state::{MarginAccount, Market},
};

/// What an account's fee tier costs in a market. The tier is the one that its volume earned at the last roll, until the day
/// on which that volume is too old.
pub fn rates(market: &Market, margin: &MarginAccount) -> Result<Rates> {
    let tier = match margin.fee_tier {
        0 => 0,
        _ => margin.fee_tier_on(today()?),
    };
    Ok(market.params.rates(tier))
}

/// Fee on the fills of an account's resting orders in a market, in millionths of the value; negative for a rebate. It
/// applies to all fills from the moment at which the account next rests an order there, or has fills folded.
pub fn maker_rate(market: &Market, margin: &MarginAccount) -> Result<i16> {
    i16::try_from(rates(market, margin)?.maker_ppm).map_err(|_| BallastError::ParameterOutOfBounds.into())
}

/// Gathers what an account has traded towards its owner's fee tier.
pub fn gather_volume(margin: &mut MarginAccount, quote: u64) -> Result<()> {
    if quote > 0 {
        margin.gather_volume(quote, today()?);
    }
    Ok(())
}

fn today() -> Result<u32> {
    Ok(fees::day_of(now()?))
}

#[cfg(not(target_arch = "wasm32"))]
fn now() -> Result<i64> {
    Ok(Clock::get()?.unix_timestamp)
}

/// The app has no chain around it to ask: it says what time it is there.
#[cfg(target_arch = "wasm32")]
static NOW: core::sync::atomic::AtomicI64 = core::sync::atomic::AtomicI64::new(0);

/// Sets the chain's time, in unix seconds.
#[cfg(target_arch = "wasm32")]
pub fn set_now(unix_s: i64) {
    NOW.store(unix_s, core::sync::atomic::Ordering::Relaxed);
}

#[cfg(target_arch = "wasm32")]
fn now() -> Result<i64> {
    Ok(NOW.load(core::sync::atomic::Ordering::Relaxed))
}

/// Charges a trading fee: from settled collateral, and what that does not cover from unsettled profit, where it becomes
/// the exchange's own claim on the pool, as far as there is any. Of the settled part, `rebates` are set aside for the
/// makers of the same trade (negative: what was set aside before returns, because a maker's fee took its place);
/// insurance gets its share of what is left, and whoever referred the account's owner a share of the rest, as far as it was
/// paid here. Returns what was charged.
///
/// The book grants rebates within the taker's settled collateral and its fee ([`ballast_book::Taker::rebate_budget`]), so
/// `rebates` never exceed the settled part, whatever is waived.
pub fn charge_fee(
    market: &mut Market,
    margin: &mut MarginAccount,
    index: usize,
    fee: u64,
    rebates: i64,
) -> Result<u64> {
    let settled = fee.min(margin.collateral);
    margin.collateral -= settled;
    market.rebates = market.rebates.checked_add_signed(rebates).ok_or(BallastError::Overflow)?;
    let kept = settled.checked_sub_signed(rebates).ok_or(BallastError::Overflow)?;
    let insured = fees::split(kept, &market.params.fees()).or_fail()?.to_insurance;
    market.insurance_fees = market.insurance_fees.checked_add(insured).ok_or(BallastError::Overflow)?;
    let earned = kept - insured;
    let referral = match margin.referral_share_bps {
        0 => 0,
        share => fees::referral(earned.min(settled), share.into()).or_fail()?,
    };
    margin.referral_owed = margin.referral_owed.checked_add(referral).ok_or(BallastError::Overflow)?;
    market.fees = market.fees.checked_add(earned - referral).ok_or(BallastError::Overflow)?;
    let slot = &mut margin.slots[index];
    // What neither collateral nor profit covers is waived: a claim on the pool for it would be paid by the winners.
    let claim = signed(fee - settled)?.min(slot.unsettled.max(0));
    slot.unsettled = slot.unsettled.checked_sub(claim).ok_or(BallastError::Overflow)?;
    market.fee_claims = market.fee_claims.checked_add(claim).ok_or(BallastError::Overflow)?;
    let claimed = u64::try_from(claim).map_err(|_| BallastError::Overflow)?;
    Ok(settled + claimed)
}

/// Pays a maker the rebates of its fills, which were set aside when they were made. Returns them as a negative fee.
pub fn pay_rebate(market: &mut Market, margin: &mut MarginAccount, rebate: u64) -> Result<i64> {
    market.rebates = market.rebates.checked_sub(rebate).ok_or(BallastError::Overflow)?;
    margin.credit(rebate)?;
    Ok(-signed(rebate)?)
}

/// An amount of atoms as a signed one.
pub fn signed(amount: u64) -> Result<i64> {
    i64::try_from(amount).map_err(|_| BallastError::Overflow.into())
}
