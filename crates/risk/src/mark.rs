//! The price positions are valued at: the oracle's, held back, and a little of the book's.
//!
//! - The held price moves towards the oracle's by at most a cap per second, and within a band about a slow average.
//! - The mark is the held price, moved by a part of the distance between the book's mid and the oracle, where the book is
//!   deep enough to have a say. The distance is clamped, so that the book never moves the mark by more than half a per
//!   cent, whatever anybody does to it; and the mark moves by at most the same cap per second.
//! - An interval between two ticks counts for what both its ends support: the one nearer to what was there before. So
//!   one bad tick does not move the slow average at all, nor the supported price, which follows the ticks at the same
//!   cap.
//!   For the book as well: what counts is the weaker of its last two samples, nothing if they are on opposite sides of the
//!   oracle. So a book that was pushed for a moment moves nothing.
//! - Liquidation uses whichever is best for the account of the held price, the supported price and the last two ticks. So
//!   one bad tick between good ones can liquidate nobody, and of several the second and later ones only move what counts
//!   by the cap for the time between them, whatever silence came before. The book has no part in it: pushing the book
//!   neither liquidates anybody nor saves anybody from it.
//!
//! A tick is a price with a publish time of its own.

use crate::funding::weaker;
use crate::{BPS, PPM, ParamError, Result, RiskError, decay};
use ballast_units::{MAX_PRICE, Price, Side, wide};
use bytemuck::{Pod, Zeroable};

/// Largest weight of the book: half.
pub const MAX_BOOK_WEIGHT_BPS: u32 = 5_000;
/// Largest distance of the book's mid from the oracle that counts: a per cent.
pub const MAX_BOOK_CLAMP_BPS: u32 = 100;
/// Fraction bits of the slow average.
const AVERAGE_BITS: u32 = 20;

/// How far the mark is held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct MarkParams {
    /// How far the mark may move in a second: 100 to 100,000 ppm.
    pub cap_ppm_per_second: u32,
    /// How many seconds count for the cap between two ticks, however far apart they are: 1 to 60. So a tick after a
    /// silence cannot move the mark far.
    pub max_elapsed_s: u32,
    /// How far the mark may be from the slow average: 100 to 5,000 bps.
    pub band_bps: u32,
    /// Time constant of the slow average: 60 to 86,400 s.
    pub average_s: u32,
    /// How much of the book's distance from the oracle the mark takes over: 0 (nothing) to 5,000 bps.
    pub book_weight_bps: u32,
    /// Farthest that the book's mid counts to be from the oracle: 0 (nothing) to 100 bps.
    pub book_clamp_bps: u32,
}
const _: () = assert!(size_of::<MarkParams>() == 24);

impl MarkParams {
    /// Checks the bounds.
    pub fn validate(&self) -> core::result::Result<(), ParamError> {
        if !(100..=100_000).contains(&self.cap_ppm_per_second) {
            return Err(ParamError::MarkCap);
        }
        if !(1..=60).contains(&self.max_elapsed_s) {
            return Err(ParamError::MarkElapsed);
        }
        if !(100..=5_000).contains(&self.band_bps) {
            return Err(ParamError::MarkBand);
        }
        if !(60..=86_400).contains(&self.average_s) {
            return Err(ParamError::MarkAverage);
        }
        if self.book_weight_bps > MAX_BOOK_WEIGHT_BPS || self.book_clamp_bps > MAX_BOOK_CLAMP_BPS {
            return Err(ParamError::MarkBook);
        }
        Ok(())
    }
}

/// The mark and what it is made of. Zeroed: no tick yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct MarkState {
    /// The mark.
    pub mark: Price,
    /// What two ticks support: it moves to the nearer of the last two, by at most the cap.
    pub supported: Price,
    /// The last tick: the oracle's price, within a factor of two of the slow average.
    pub tick: Price,
    /// The tick before; zero when there was none.
    pub previous_tick: Price,
    /// The slow average, times 2^20.
    pub average: u64,
    /// Publish time of the last tick.
    pub updated_at: i64,
    /// The oracle's price, held back by cap and band: the mark before the book has its say. Zero in a market from before
    /// the book had one: there the mark is it.
    pub held: Price,
    /// The book's last sample: its mid's distance from the tick, clamped, in ppm of the tick. Zero when the book was too
    /// thin.
    pub book_ppm: i64,
}
const _: () = assert!(size_of::<MarkState>() == 64);

impl MarkState {
    /// The state after a market's first tick.
    pub fn first(oracle: Price, at: i64) -> Result<MarkState> {
        checked(oracle)?;
        Ok(MarkState {
            mark: oracle,
            supported: oracle,
            tick: oracle,
            previous_tick: Price(0),
            average: oracle.0 << AVERAGE_BITS,
            updated_at: at,
            held: oracle,
            book_ppm: 0,
        })
    }

    /// The oracle's price, held back.
    pub fn held(&self) -> Price {
        if self.held.0 == 0 { self.mark } else { self.held }
    }

    /// The slow average, rounded down; zero before the first tick.
    pub fn slow_average(&self) -> Price {
        Price(self.average >> AVERAGE_BITS)
    }

    /// Whether two ticks support the mark.
    pub fn is_supported(&self) -> bool {
        self.previous_tick.0 != 0
    }
}

/// The state after the oracle's price published at `at`, with the middle of the book's impact prices, if the book is deep
/// enough to have both. A tick that is not newer than the last changes nothing; a market's first tick is its mark.
///
/// Errors: a price of zero or above `MAX_PRICE`; corrupt state or parameters.
pub fn advance(
    state: &MarkState,
    oracle: Price,
    mid: Option<Price>,
    at: i64,
    params: &MarkParams,
) -> Result<MarkState> {
    if state.mark.0 == 0 {
        return MarkState::first(oracle, at);
    }
    checked(oracle)?;
    let elapsed = at.saturating_sub(state.updated_at);
    if elapsed <= 0 {
        return Ok(*state);
    }
    let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
    let old = state.slow_average().0;
    let tick = oracle.0.max(old / 2).min(old.saturating_mul(2)).clamp(1, MAX_PRICE);
    let average = slow_average(state, tick, elapsed, params.average_s);
    let target = target(tick, average >> AVERAGE_BITS, params)?;
    let cap_ppm = params.cap_ppm_per_second.saturating_mul(elapsed.min(params.max_elapsed_s));
    let supported = nearer(state.supported.0, state.tick.0, tick);
    let held = towards(state.held(), target, cap_ppm)?;
    let book_ppm = mid.map_or(0, |mid| book_distance(mid, tick, params.book_clamp_bps));
    let blended = blend(held, weaker(state.book_ppm, book_ppm), params)?;
    Ok(MarkState {
        mark: towards(state.mark, blended, cap_ppm)?,
        supported: towards(state.supported, supported, cap_ppm)?,
        tick: Price(tick),
        previous_tick: state.tick,
        average,
        updated_at: at,
        held,
        book_ppm,
    })
}

/// The middle of the book's impact prices, rounded down; `None` when it lacks the depth for either.
pub fn mid(impact_bid: Option<Price>, impact_ask: Option<Price>) -> Option<Price> {
    let (bid, ask) = (impact_bid?.0, impact_ask?.0);
    Some(Price(bid / 2 + ask / 2 + (bid & ask & 1)))
}

/// The price at which a position of `side` counts when it is judged for liquidation: the best for it of the held price,
/// the supported price and the last two ticks. `None` while only one tick supports the mark: then nothing may be
/// liquidated.
pub fn liquidation_price(side: Side, state: &MarkState) -> Option<Price> {
    if !state.is_supported() {
        return None;
    }
    let MarkState { supported, tick, previous_tick, .. } = *state;
    let held = state.held();
    Some(match side {
        Side::Long => held.max(supported).max(tick.max(previous_tick)),
        Side::Short => held.min(supported).min(tick.min(previous_tick)),
    })
}

/// How far a book's mid is from the oracle's price, in ppm of it, towards zero, and at most the clamp.
fn book_distance(mid: Price, tick: u64, clamp_bps: u32) -> i64 {
    let clamp = u64::from(clamp_bps.min(MAX_BOOK_CLAMP_BPS)) * u64::from(PPM / BPS);
    let size = wide::mul_div_floor_u64(mid.0.abs_diff(tick), u64::from(PPM), tick).unwrap_or(clamp).min(clamp);
    let size = i64::try_from(size).unwrap_or(0);
    if mid.0 >= tick { size } else { -size }
}

/// The held price moved by the weight's part of the book's distance, rounded towards the held price.
fn blend(held: Price, book_ppm: i64, params: &MarkParams) -> Result<u64> {
    let size = book_ppm.unsigned_abs().min(u64::from(PPM)) * u64::from(params.book_weight_bps.min(MAX_BOOK_WEIGHT_BPS));
    let ppm = u32::try_from(size / u64::from(BPS)).map_err(|_| RiskError::Corrupt)?;
    let moved = wide::scale_floor(held.0, ppm, PPM).ok_or(RiskError::Corrupt)?;
    Ok(if book_ppm >= 0 { held.0.saturating_add(moved) } else { held.0.saturating_sub(moved) })
}

/// Where the held price wants to be: the oracle's price within the band.
#[inline(always)]
fn target(tick: u64, average: u64, params: &MarkParams) -> Result<u64> {
    let band = wide::scale_floor(average, params.band_bps, BPS).ok_or(RiskError::Corrupt)?;
    Ok(tick.clamp(average.saturating_sub(band), average.saturating_add(band)))
}

/// The average after an interval with the last tick at one end and `tick` at the other. Rounds towards the old average,
/// by less than 2^-20 atoms a tick.
#[inline(always)]
fn slow_average(state: &MarkState, tick: u64, elapsed: u32, time_constant_s: u32) -> u64 {
    let old = state.average;
    let input = nearer(old, state.tick.0.min(MAX_PRICE) << AVERAGE_BITS, tick << AVERAGE_BITS);
    let moved = decay::moved(input.abs_diff(old), decay::kept(time_constant_s, elapsed));
    if input >= old { old.saturating_add(moved) } else { old.saturating_sub(moved) }
}

/// The nearer to `from` of two ends; `from` itself where it lies between them.
#[inline(always)]
fn nearer(from: u64, one_end: u64, other_end: u64) -> u64 {
    from.clamp(one_end.min(other_end), one_end.max(other_end))
}

/// `from` moved to `to` by at most `cap_ppm` of it, rounded down, but at least an atom, so that a price of few atoms is
/// not stuck.
#[inline(always)]
fn towards(from: Price, to: u64, cap_ppm: u32) -> Result<Price> {
    let step = wide::scale_floor(from.0, cap_ppm, PPM).ok_or(RiskError::Corrupt)?.max(1);
    Ok(Price(to.clamp(from.0.saturating_sub(step), from.0.saturating_add(step)).clamp(1, MAX_PRICE)))
}

fn checked(price: Price) -> Result<()> {
    if price.0 == 0 || price.0 > MAX_PRICE { Err(RiskError::PriceOutOfRange) } else { Ok(()) }
}
