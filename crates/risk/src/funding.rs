//! What longs pay shorts.
//!
//! The premium is how far the average of the book's impact prices is above the oracle's price. Its average over time,
//! clamped, is the hourly rate. It accrues every second into one cumulative index per market: atoms per lot, times
//! 2^24. A position pays its lots times the rise of the index since it was last touched, rounded against it.

use crate::{ParamError, Result, RiskError, decay};
use ballast_units::{FUNDING_ONE, Position, Price, Quote, wide};
use bytemuck::{Pod, Zeroable};

/// One, in rates: parts per billion.
pub const RATE_ONE: i64 = 1_000_000_000;
/// Largest clamp of the hourly rate: 4 %.
pub const MAX_CLAMP_PPB: u32 = 40_000_000;
/// Seconds a rate is for.
pub const PERIOD_S: u32 = 3_600;

// index = price × ppb × seconds × 2^24 ÷ (10^9 × 3,600), reduced by their common 2^13.
const INDEX_NUMERATOR: u64 = 1 << 11;
const INDEX_DENOMINATOR: u64 = 439_453_125;
const _: () = assert!(INDEX_NUMERATOR << 13 == FUNDING_ONE.unsigned_abs());
const _: () = assert!(INDEX_DENOMINATOR << 13 == 1_000_000_000 * 3_600);

/// Parameters of funding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FundingParams {
    /// Value to trade for the impact prices, in atoms: $100 to $10,000,000.
    pub impact_quote: u64,
    /// Largest hourly rate either way: 1 to 40,000,000 ppb (4 %).
    pub clamp_ppb: u32,
    /// Time constant of the premium's average: 60 to 28,800 s.
    pub average_s: u32,
    /// Longest time charged for, and counted for the average, between two updates: 1 to 86,400 s. Funding of a longer
    /// silence, in which nobody could trade, is waived.
    pub max_elapsed_s: u32,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<FundingParams>() == 24);

impl FundingParams {
    /// Checks the bounds.
    pub fn validate(&self) -> core::result::Result<(), ParamError> {
        if self.reserved != 0 {
            return Err(ParamError::Reserved);
        }
        if !(100_000_000..=10_000_000_000_000).contains(&self.impact_quote) {
            return Err(ParamError::FundingImpact);
        }
        if !(1..=MAX_CLAMP_PPB).contains(&self.clamp_ppb) {
            return Err(ParamError::FundingClamp);
        }
        if !(60..=28_800).contains(&self.average_s) {
            return Err(ParamError::FundingAverage);
        }
        if !(1..=86_400).contains(&self.max_elapsed_s) {
            return Err(ParamError::FundingElapsed);
        }
        Ok(())
    }
}

/// A market's funding. Zeroed: nothing accrued, no premium seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FundingState {
    /// Cumulative atoms per lot that longs paid, times 2^24.
    pub index: i64,
    /// The premium's average: the hourly rate in ppb, times 2^16.
    pub average: i64,
    /// The last sample of the premium, in ppb.
    pub sample: i64,
    /// When all this was last brought up to date.
    pub updated_at: i64,
}
const _: () = assert!(size_of::<FundingState>() == 32);

const AVERAGE_BITS: u32 = 16;

impl FundingState {
    /// The hourly rate in force, in ppb: positive when longs pay. Rounded towards zero.
    pub fn rate(&self) -> i64 {
        self.average / (1 << AVERAGE_BITS)
    }
}

/// The premium as an hourly rate in ppb, rounded towards zero and clamped: `(bid + ask) ÷ 2 ÷ oracle − 1`. A book that
/// lacks the depth for either impact price says nothing: zero.
pub fn rate(impact_bid: Option<Price>, impact_ask: Option<Price>, oracle: Price, clamp_ppb: u32) -> Result<i64> {
    let (Some(bid), Some(ask)) = (impact_bid, impact_ask) else {
        return Ok(0);
    };
    let both = bid.0.checked_add(ask.0).ok_or(RiskError::PriceOutOfRange)?;
    let twice = oracle.0.checked_mul(2).ok_or(RiskError::PriceOutOfRange)?;
    if twice == 0 {
        return Err(RiskError::PriceOutOfRange);
    }
    let clamp = u64::from(clamp_ppb);
    let size = wide::mul_div_floor_u64(both.abs_diff(twice), RATE_ONE.unsigned_abs(), twice).unwrap_or(clamp);
    let size = i64::from(u32::try_from(size.min(clamp)).unwrap_or(clamp_ppb));
    Ok(if both >= twice { size } else { -size })
}

/// The index after `elapsed_s` seconds of an hourly `rate_ppb` at `mark`: it moves by `mark × rate × seconds ÷ 3,600`,
/// rounded towards zero, by less than 2^-24 atoms per lot.
pub fn advance(index: i64, rate_ppb: i64, mark: Price, elapsed_s: u32) -> Result<i64> {
    let rate = rate_ppb.unsigned_abs();
    let native = wide::mul(mark.0, rate)
        .and_then(|x| wide::mul(x, u64::from(elapsed_s)))
        .and_then(|x| wide::mul(x, INDEX_NUMERATOR));
    let size = match native {
        Some(x) => x / INDEX_DENOMINATOR,
        None => {
            let product = u128::from(mark.0) * u128::from(rate);
            let seconds = u128::from(elapsed_s) * u128::from(INDEX_NUMERATOR);
            let size = wide::mul_div_floor(product, seconds, INDEX_DENOMINATOR.into());
            size.and_then(|size| u64::try_from(size).ok()).ok_or(RiskError::Overflow)?
        }
    };
    let moved = if rate_ppb >= 0 { index.checked_add_unsigned(size) } else { index.checked_sub_unsigned(size) };
    moved.ok_or(RiskError::Overflow)
}

/// Accrues the rate that was in force since the last update at the `mark` that was, then takes a new `sample` of the
/// premium ([`rate`]) into the average.
///
/// As with the mark's slow average, an interval counts for what the samples at both its ends support, so that a book
/// pushed for a moment moves nothing. A market's first update only sets the clock.
pub fn update(
    state: &FundingState,
    sample: i64,
    mark: Price,
    now: i64,
    params: &FundingParams,
) -> Result<FundingState> {
    let clamp = i64::from(params.clamp_ppb);
    let sample = sample.clamp(-clamp, clamp);
    if state.updated_at == 0 {
        return Ok(FundingState { sample, updated_at: now, ..*state });
    }
    let elapsed = now.saturating_sub(state.updated_at);
    if elapsed <= 0 {
        // Within a second the weaker sample stands, so that the last to touch the market does not choose it.
        return Ok(FundingState { sample: weaker(state.sample, sample), ..*state });
    }
    let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX).min(params.max_elapsed_s);
    let index = accrued(state, mark, now, params)?;
    let (one_end, other_end) = (state.sample.clamp(-clamp, clamp) << AVERAGE_BITS, sample << AVERAGE_BITS);
    let input = state.average.clamp(one_end.min(other_end), one_end.max(other_end));
    let kept = decay::kept(params.average_s, elapsed);
    let moved = decay::moved(input.abs_diff(state.average), kept);
    let average = if input >= state.average {
        state.average.saturating_add_unsigned(moved)
    } else {
        state.average.saturating_sub_unsigned(moved)
    };
    Ok(FundingState { index, average, sample, updated_at: now })
}

/// An hour's end, with the index as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// When it ended: a multiple of [`PERIOD_S`].
    pub end: i64,
    /// The index at that time.
    pub index: i64,
    /// How many hours this one stands for: itself, and those before it that are not reported one by one.
    pub hours: u32,
}

/// Most hours that one update reports one by one.
pub const MAX_HOURS: i64 = 24;

/// The hours that end after the state's last update and not after `now`, oldest first, with the index at each: it rises
/// evenly while funding is charged, for at most `max_elapsed_s`. After a silence of more than [`MAX_HOURS`] there is one,
/// the last, which stands for all of them. None in a market that has had no update yet.
pub fn hours<'a>(
    state: &'a FundingState,
    mark: Price,
    now: i64,
    params: &'a FundingParams,
) -> impl Iterator<Item = Result<Hour>> + 'a {
    let period = i64::from(PERIOD_S);
    let (first, last) = (state.updated_at.div_euclid(period).saturating_add(1), now.div_euclid(period));
    let count = if state.updated_at == 0 { 0 } else { last.saturating_sub(first).saturating_add(1).max(0) };
    let (skipped, reported) = if count > MAX_HOURS { (count - 1, 1) } else { (0, count) };
    (0..reported).map(move |turn| {
        let end = first.saturating_add(skipped).saturating_add(turn).saturating_mul(period);
        let index = accrued(state, mark, end, params)?;
        Ok(Hour { end, index, hours: u32::try_from(skipped + 1).unwrap_or(u32::MAX) })
    })
}

/// The index at `now`, with the rate that was in force since the last update at the `mark` that was.
fn accrued(state: &FundingState, mark: Price, now: i64, params: &FundingParams) -> Result<i64> {
    let clamp = i64::from(params.clamp_ppb);
    let elapsed = now.saturating_sub(state.updated_at).max(0);
    let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX).min(params.max_elapsed_s);
    advance(state.index, state.rate().clamp(-clamp, clamp), mark, elapsed)
}

/// The sample nearer to zero; zero when they differ in sign.
pub(crate) fn weaker(a: i64, b: i64) -> i64 {
    if a >= 0 { b.clamp(0, a) } else { b.clamp(a, 0) }
}

/// Splits funding in units of 2^-24 atoms into whole atoms, rounded down and so against the account, and what is left
/// over, at least 0 and less than an atom, which is the protocol's.
#[inline]
pub fn whole_atoms(exact: i128) -> Result<(Quote, i128)> {
    let atoms = exact >> FUNDING_ONE.trailing_zeros();
    let rest = exact & i128::from(FUNDING_ONE - 1);
    Ok((Quote::from_wide(atoms)?, rest))
}

/// The cash that funding brings a position while the index moves from `from` to `to`: negative when it pays. Rounded
/// down, so the payer pays up and the receiver gets down; what that leaves is the protocol's.
#[inline]
pub fn payment(position: Position, from: i64, to: i64) -> Result<Quote> {
    let change = to.checked_sub(from).ok_or(RiskError::Overflow)?;
    if change == 0 || position.0 == 0 {
        return Ok(Quote::ZERO);
    }
    let pays = (position.0 > 0) == (change > 0);
    let one = FUNDING_ONE.unsigned_abs();
    let (lots, change) = (position.0.unsigned_abs(), change.unsigned_abs());
    let size = match (wide::mul(lots, change), pays) {
        (Some(product), true) => product.div_ceil(one),
        (Some(product), false) => product / one,
        (None, true) => wide::mul_div_ceil_u64(lots, change, one).ok_or(RiskError::Overflow)?,
        (None, false) => wide::mul_div_floor_u64(lots, change, one).ok_or(RiskError::Overflow)?,
    };
    let size = i64::try_from(size).map_err(|_| RiskError::Overflow)?;
    Ok(Quote(if pays { -size } else { size }))
}
