//! Whether a price may be used, and for what.
//!
//! [`check`] decides whether a sample becomes a market's [`Reading`]: a refused sample changes nothing. [`conditions`]
//! says what is wrong with the reading a market has, at the time of asking; [`STOPS`] is the one table that says what
//! each condition stops. `docs/oracle.md` shows it.

use crate::mark::MarkState;
use crate::{BPS, ParamError, Result, RiskError};
use ballast_units::{MAX_PRICE, Price, wide};
use bytemuck::{Pod, Zeroable};

/// Exponents a sample may have.
pub const EXPONENTS: core::ops::RangeInclusive<i32> = -18..=6;
/// Exponents a market's lot may have: a lot is 10^exponent units of the base.
pub const LOT_EXPONENTS: core::ops::RangeInclusive<i32> = -12..=9;
/// Decimal places of USDC.
const QUOTE_DECIMALS: i32 = 6;

/// A price as an oracle publishes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// US dollars per unit of the base, times 10^−exponent.
    pub price: i64,
    /// Half width of the confidence interval, in the same unit.
    pub conf: u64,
    /// Exponent of price and confidence.
    pub exponent: i32,
    /// When it was published.
    pub publish_time: i64,
    /// Whether enough of the oracle's guardians signed it.
    pub full_verification: bool,
}

/// How a market's oracle is judged. Limits of one kind are in the order opening ≤ liquidating ≤ reducing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OracleParams {
    /// Oldest price to open and withdraw on: 1 to 300 s.
    pub max_age_open_s: u32,
    /// Oldest price to liquidate on: up to 600 s.
    pub max_age_liquidate_s: u32,
    /// Oldest price to reduce on: up to 86,400 s. Older samples are refused.
    pub max_age_reduce_s: u32,
    /// How far a sample's time may be ahead of the clock: up to 30 s.
    pub max_future_s: u32,
    /// Widest confidence to open and withdraw on: 1 to 1,000 bps.
    pub max_confidence_bps_open: u32,
    /// Widest confidence to liquidate on: up to 2,000 bps.
    pub max_confidence_bps_liquidate: u32,
    /// Widest confidence to reduce on: up to 5,000 bps.
    pub max_confidence_bps_reduce: u32,
    /// Farthest from the slow average to open and withdraw on: 1 to 5,000 bps.
    pub max_deviation_bps_open: u32,
    /// Farthest from the slow average to liquidate on: up to 10,000 bps.
    pub max_deviation_bps_liquidate: u32,
    /// Farthest from the slow average to reduce on: up to 100,000 bps.
    pub max_deviation_bps_reduce: u32,
    /// The market's lot is 10^this units of the base.
    pub lot_exponent: i32,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<OracleParams>() == 48);

impl OracleParams {
    /// Checks the bounds and the order.
    pub fn validate(&self) -> core::result::Result<(), ParamError> {
        if self.reserved != 0 {
            return Err(ParamError::Reserved);
        }
        let ages = [self.max_age_open_s, self.max_age_liquidate_s, self.max_age_reduce_s];
        within(ages, [300, 600, 86_400], ParamError::OracleAge)?;
        if self.max_future_s > 30 {
            return Err(ParamError::OracleFuture);
        }
        let confidences =
            [self.max_confidence_bps_open, self.max_confidence_bps_liquidate, self.max_confidence_bps_reduce];
        within(confidences, [1_000, 2_000, 5_000], ParamError::OracleConfidence)?;
        let deviations = [self.max_deviation_bps_open, self.max_deviation_bps_liquidate, self.max_deviation_bps_reduce];
        within(deviations, [5_000, 10_000, 100_000], ParamError::OracleDeviation)?;
        if LOT_EXPONENTS.contains(&self.lot_exponent) { Ok(()) } else { Err(ParamError::LotExponent) }
    }
}

fn within(limits: [u32; 3], most: [u32; 3], error: ParamError) -> core::result::Result<(), ParamError> {
    if limits.iter().zip(most).any(|(limit, most)| *limit == 0 || *limit > most) {
        return Err(error);
    }
    if limits.is_sorted() { Ok(()) } else { Err(ParamError::OracleOrder) }
}

/// Why a sample does not become a market's reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// Not enough guardians signed it.
    Unverified,
    /// Zero or negative.
    NotPositive,
    /// An exponent outside [`EXPONENTS`].
    Exponent,
    /// Published further ahead of the clock than allowed.
    Future,
    /// Not newer than the reading the market has. Harmless: the market is as it would be.
    NotNewer,
    /// Older than any action allows.
    TooOld,
    /// Less than one atom per lot, or above `MAX_PRICE`.
    PriceOutOfRange,
}

impl core::fmt::Display for Rejection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Rejection::Unverified => "the price is not fully verified",
            Rejection::NotPositive => "the price is not positive",
            Rejection::Exponent => "the price's exponent is out of range",
            Rejection::Future => "the price was published in the future",
            Rejection::NotNewer => "the price is not newer than the last",
            Rejection::TooOld => "the price is older than any action allows",
            Rejection::PriceOutOfRange => "the price per lot is below an atom or too large",
        })
    }
}

impl core::error::Error for Rejection {}

/// An accepted price. Zeroed: none yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Reading {
    /// Atoms per lot, rounded down.
    pub price: Price,
    /// When it was published.
    pub publish_time: i64,
    /// Confidence over price, rounded up; at most `u32::MAX`.
    pub confidence_bps: u32,
    /// Distance from the slow average at acceptance over that average, rounded up; at most `u32::MAX`.
    pub deviation_bps: u32,
}
const _: () = assert!(size_of::<Reading>() == 24);

/// Decides whether a sample becomes the market's reading. `slow_average` is zero before a market's first tick.
pub fn check(
    sample: &Sample,
    now: i64,
    last_publish_time: i64,
    slow_average: Price,
    params: &OracleParams,
) -> core::result::Result<Reading, Rejection> {
    if !sample.full_verification {
        return Err(Rejection::Unverified);
    }
    let mantissa = match u64::try_from(sample.price) {
        Ok(mantissa) if mantissa > 0 => mantissa,
        _ => return Err(Rejection::NotPositive),
    };
    if !EXPONENTS.contains(&sample.exponent) {
        return Err(Rejection::Exponent);
    }
    if sample.publish_time > now.saturating_add(i64::from(params.max_future_s)) {
        return Err(Rejection::Future);
    }
    if sample.publish_time <= last_publish_time {
        return Err(Rejection::NotNewer);
    }
    if now.saturating_sub(sample.publish_time) > i64::from(params.max_age_reduce_s) {
        return Err(Rejection::TooOld);
    }
    let price = to_price(sample.price, sample.exponent, params.lot_exponent).map_err(|_| Rejection::PriceOutOfRange)?;
    Ok(Reading {
        price,
        publish_time: sample.publish_time,
        confidence_bps: ratio_bps(sample.conf, mantissa),
        deviation_bps: match slow_average.0 {
            0 => 0,
            average => ratio_bps(price.0.abs_diff(average), average),
        },
    })
}

/// Atoms of USDC per lot: `mantissa × 10^(exponent + 6 + lot_exponent)`, for a lot of 10^lot_exponent units of the
/// base. Exact where that is an integer, otherwise rounded down. Refuses what is below one atom or above `MAX_PRICE`.
pub fn to_price(mantissa: i64, exponent: i32, lot_exponent: i32) -> Result<Price> {
    let mantissa = u64::try_from(mantissa).map_err(|_| RiskError::PriceOutOfRange)?;
    let power = exponent.checked_add(QUOTE_DECIMALS).and_then(|sum| sum.checked_add(lot_exponent));
    let power = power.ok_or(RiskError::PriceOutOfRange)?;
    let scale = 10u64.checked_pow(power.unsigned_abs());
    let price = match (power < 0, scale) {
        (false, Some(scale)) => wide::mul(mantissa, scale).ok_or(RiskError::PriceOutOfRange)?,
        (true, Some(scale)) => mantissa / scale,
        (_, None) => return Err(RiskError::PriceOutOfRange),
    };
    if price == 0 || price > MAX_PRICE { Err(RiskError::PriceOutOfRange) } else { Ok(Price(price)) }
}

/// `⌈part × 10,000 ÷ whole⌉`, at most `u32::MAX`.
fn ratio_bps(part: u64, whole: u64) -> u32 {
    let ratio = wide::mul_div_ceil_u64(part, u64::from(BPS), whole);
    ratio.and_then(|ratio| u32::try_from(ratio).ok()).unwrap_or(u32::MAX)
}

/// What somebody wants to do with a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open or enlarge a position, or place an order that may.
    Open,
    /// Reduce a position of one's own.
    Reduce,
    /// Reduce somebody else's: liquidation, takeover, insurance, deleveraging.
    Liquidate,
    /// Take collateral out while there are positions.
    Withdraw,
}

impl Action {
    /// In the order of the table's columns.
    pub const ALL: [Action; 4] = [Action::Open, Action::Reduce, Action::Liquidate, Action::Withdraw];

    const fn column(self) -> usize {
        match self {
            Action::Open => 0,
            Action::Reduce => 1,
            Action::Liquidate => 2,
            Action::Withdraw => 3,
        }
    }
}

/// What may be wrong with the reading a market has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// There is none.
    Missing,
    /// Older than `max_age_open_s`.
    Aged,
    /// Older than `max_age_liquidate_s`.
    Stale,
    /// Older than `max_age_reduce_s`.
    Expired,
    /// Confidence wider than `max_confidence_bps_open`.
    Uncertain,
    /// Confidence wider than `max_confidence_bps_liquidate`.
    Wide,
    /// Confidence wider than `max_confidence_bps_reduce`.
    Meaningless,
    /// Farther from the slow average than `max_deviation_bps_open`.
    Moving,
    /// Farther from the slow average than `max_deviation_bps_liquidate`.
    FarFromAverage,
    /// Farther from the slow average than `max_deviation_bps_reduce`.
    Implausible,
    /// Only one tick supports the mark.
    SingleTick,
}

/// What each condition stops: Open, Reduce, Liquidate, Withdraw. Opening and withdrawing are strict, reducing is
/// lenient, liquidation is between, and never runs on a price that only one tick supports.
pub const STOPS: [(Condition, [bool; 4]); 11] = [
    (Condition::Missing, [true, true, true, true]),
    (Condition::Aged, [true, false, false, true]),
    (Condition::Stale, [true, false, true, true]),
    (Condition::Expired, [true, true, true, true]),
    (Condition::Uncertain, [true, false, false, true]),
    (Condition::Wide, [true, false, true, true]),
    (Condition::Meaningless, [true, true, true, true]),
    (Condition::Moving, [true, false, false, true]),
    (Condition::FarFromAverage, [true, false, true, true]),
    (Condition::Implausible, [true, true, true, true]),
    (Condition::SingleTick, [false, false, true, false]),
];

/// A set of conditions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions(u16);

impl Conditions {
    /// Whether the set has `condition`.
    pub fn has(self, condition: Condition) -> bool {
        self.0 & bit(condition) != 0
    }

    /// Whether an action may proceed; if not, the first condition of the table that stops it.
    pub fn allow(self, action: Action) -> core::result::Result<(), Condition> {
        if self.0 == 0 {
            return Ok(());
        }
        let stops = |row: &&(Condition, [bool; 4])| self.has(row.0) && row.1[action.column()];
        match STOPS.iter().find(stops) {
            Some((condition, _)) => Err(*condition),
            None => Ok(()),
        }
    }

    fn with(self, condition: Condition, holds: bool) -> Conditions {
        if holds { Conditions(self.0 | bit(condition)) } else { self }
    }
}

const fn bit(condition: Condition) -> u16 {
    1 << condition as u16
}

/// What is wrong at `now` with the reading a market has.
pub fn conditions(reading: &Reading, mark: &MarkState, now: i64, params: &OracleParams) -> Conditions {
    let none = Conditions::default();
    if reading.price.0 == 0 {
        return none.with(Condition::Missing, true);
    }
    let age = now.saturating_sub(reading.publish_time);
    none.with(Condition::Aged, age > i64::from(params.max_age_open_s))
        .with(Condition::Stale, age > i64::from(params.max_age_liquidate_s))
        .with(Condition::Expired, age > i64::from(params.max_age_reduce_s))
        .with(Condition::Uncertain, reading.confidence_bps > params.max_confidence_bps_open)
        .with(Condition::Wide, reading.confidence_bps > params.max_confidence_bps_liquidate)
        .with(Condition::Meaningless, reading.confidence_bps > params.max_confidence_bps_reduce)
        .with(Condition::Moving, reading.deviation_bps > params.max_deviation_bps_open)
        .with(Condition::FarFromAverage, reading.deviation_bps > params.max_deviation_bps_liquidate)
        .with(Condition::Implausible, reading.deviation_bps > params.max_deviation_bps_reduce)
        .with(Condition::SingleTick, !mark.is_supported())
}
