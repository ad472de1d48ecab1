//! Oracle prices: conversion, acceptance, and what they may be used for.

use ballast_risk::RiskError;
use ballast_risk::mark::{MarkParams, MarkState, advance};
use ballast_risk::oracle::{
    Action, Condition, EXPONENTS, LOT_EXPONENTS, OracleParams, Reading, Rejection, STOPS, Sample, check, conditions,
    to_price,
};
use ballast_units::{MAX_PRICE, Price};
use proptest::prelude::*;
use std::fmt::Write;

/// Bitcoin, with lots of 0.00001.
fn params() -> OracleParams {
    let params = OracleParams {
        max_age_open_s: 10,
        max_age_liquidate_s: 30,
        max_age_reduce_s: 600,
        max_future_s: 5,
        max_confidence_bps_open: 50,
        max_confidence_bps_liquidate: 100,
        max_confidence_bps_reduce: 500,
        max_deviation_bps_open: 1_000,
        max_deviation_bps_liquidate: 3_000,
        max_deviation_bps_reduce: 8_000,
        lot_exponent: -5,
        reserved: 0,
    };
    assert_eq!(params.validate(), Ok(()));
    params
}

const NOW: i64 = 1_760_000_000;

/// $112,345.67890123, ± $20, as Pyth writes it, one second old.
fn sample() -> Sample {
    Sample {
        price: 11_234_567_890_123,
        conf: 2_000_000_000,
        exponent: -8,
        publish_time: NOW - 1,
        full_verification: true,
    }
}

fn checked(sample: Sample) -> Result<Reading, Rejection> {
    check(&sample, NOW, NOW - 10, Price(1_100_000), &params())
}

#[test]
fn a_price_becomes_atoms_per_lot_rounded_down() {
    assert_eq!(to_price(11_234_567_890_123, -8, -5), Ok(Price(1_123_456)));
    // Solana at $187.65, lots of 0.001.
    assert_eq!(to_price(18_765_000_000, -8, -3), Ok(Price(187_650)));
    // Bonk at $0.00001234, lots of a million.
    assert_eq!(to_price(123_400, -10, 6), Ok(Price(12_340_000)));
    // Exactly the largest price, and one more.
    assert_eq!(to_price(MAX_PRICE as i64, -6, 0), Ok(Price(MAX_PRICE)));
    assert_eq!(to_price(MAX_PRICE as i64 + 1, -6, 0), Err(RiskError::PriceOutOfRange));
    assert_eq!(to_price(9, -7, 0), Err(RiskError::PriceOutOfRange));
    assert_eq!(to_price(-1, -6, 0), Err(RiskError::PriceOutOfRange));
}

#[test]
fn a_good_sample_becomes_a_reading() {
    let reading = checked(sample()).unwrap();
    // $20 of $112,346 are 1.8 basis points; the average is 2.1 % away.
    let expected = Reading { price: Price(1_123_456), publish_time: NOW - 1, confidence_bps: 2, deviation_bps: 214 };
    assert_eq!(reading, expected);
}

#[test]
fn a_bad_sample_is_refused_for_what_is_wrong_with_it() {
    let cases = [
        (Sample { full_verification: false, ..sample() }, Rejection::Unverified),
        (Sample { price: 0, ..sample() }, Rejection::NotPositive),
        (Sample { price: i64::MIN, ..sample() }, Rejection::NotPositive),
        (Sample { exponent: -19, ..sample() }, Rejection::Exponent),
        (Sample { exponent: 7, ..sample() }, Rejection::Exponent),
        (Sample { publish_time: NOW + 6, ..sample() }, Rejection::Future),
        (Sample { publish_time: i64::MAX, ..sample() }, Rejection::Future),
        (Sample { publish_time: NOW - 10, ..sample() }, Rejection::NotNewer),
        (Sample { exponent: -18, ..sample() }, Rejection::PriceOutOfRange),
        (Sample { exponent: 6, ..sample() }, Rejection::PriceOutOfRange),
    ];
    for (sample, rejection) in cases {
        assert_eq!(checked(sample), Err(rejection), "{sample:?}");
    }
    let old = Sample { publish_time: NOW - 601, ..sample() };
    assert_eq!(check(&old, NOW, 0, Price(0), &params()), Err(Rejection::TooOld));
    assert!(checked(Sample { publish_time: NOW + 5, ..sample() }).is_ok());
}

fn supported() -> MarkState {
    let params = MarkParams {
        cap_ppm_per_second: 5_000,
        max_elapsed_s: 10,
        band_bps: 2_000,
        average_s: 600,
        ..MarkParams::default()
    };
    let first = MarkState::first(Price(1_100_000), 0).unwrap();
    advance(&first, Price(1_100_000), None, 1, &params).unwrap()
}

/// What stops each action, in the order of the table's columns.
fn stopped(reading: Reading, mark: &MarkState, now: i64) -> [Option<Condition>; 4] {
    Action::ALL.map(|action| conditions(&reading, mark, now, &params()).allow(action).err())
}

#[test]
fn a_fresh_price_allows_everything() {
    assert_eq!(stopped(checked(sample()).unwrap(), &supported(), NOW), [None; 4]);
}

#[test]
fn an_ageing_price_stops_opening_then_liquidation_then_reducing() {
    let reading = checked(sample()).unwrap();
    let at = |age: i64| stopped(reading, &supported(), NOW - 1 + age);
    let aged = Some(Condition::Aged);
    assert_eq!(at(10), [None; 4]);
    assert_eq!(at(11), [aged, None, None, aged]);
    assert_eq!(at(31), [aged, None, Some(Condition::Stale), aged]);
    assert_eq!(at(601), [aged, Some(Condition::Expired), Some(Condition::Stale), aged]);
}

#[test]
fn an_uncertain_price_stops_opening_then_liquidation_then_reducing() {
    let with = |confidence_bps| {
        stopped(Reading { confidence_bps, ..checked(sample()).unwrap() }, &supported(), NOW)[..3].to_vec()
    };
    let uncertain = Some(Condition::Uncertain);
    assert_eq!(with(50), [None; 3]);
    assert_eq!(with(51), [uncertain, None, None]);
    assert_eq!(with(101), [uncertain, None, Some(Condition::Wide)]);
    assert_eq!(with(501), [uncertain, Some(Condition::Meaningless), Some(Condition::Wide)]);
}

#[test]
fn a_price_far_from_the_average_stops_opening_then_liquidation_then_reducing() {
    let with = |deviation_bps| {
        stopped(Reading { deviation_bps, ..checked(sample()).unwrap() }, &supported(), NOW)[..3].to_vec()
    };
    let moving = Some(Condition::Moving);
    assert_eq!(with(1_000), [None; 3]);
    assert_eq!(with(1_001), [moving, None, None]);
    assert_eq!(with(3_001), [moving, None, Some(Condition::FarFromAverage)]);
    assert_eq!(with(8_001), [moving, Some(Condition::Implausible), Some(Condition::FarFromAverage)]);
}

#[test]
fn a_price_that_one_tick_supports_stops_liquidation_only() {
    let first = MarkState::first(Price(1_123_456), NOW - 1).unwrap();
    let expected = [None, None, Some(Condition::SingleTick), None];
    assert_eq!(stopped(checked(sample()).unwrap(), &first, NOW), expected);
}

#[test]
fn without_a_reading_nothing_goes() {
    assert_eq!(stopped(Reading::default(), &supported(), NOW), [Some(Condition::Missing); 4]);
}

#[test]
fn what_stops_reducing_stops_everything_and_opening_is_never_easier_than_liquidation() {
    for (condition, [open, reduce, liquidate, withdraw]) in STOPS {
        assert!(!reduce || (open && liquidate && withdraw), "{condition:?}");
        assert!(!liquidate || open || condition == Condition::SingleTick, "{condition:?}");
        assert_eq!(open, withdraw, "{condition:?}");
    }
}

#[test]
fn every_condition_has_one_row() {
    for (row, (condition, _)) in STOPS.iter().enumerate() {
        assert_eq!(*condition as usize, row);
    }
}

/// The table as the page has it.
fn rendered() -> String {
    let mut table = String::from("| condition | open | reduce | liquidate | withdraw |\n|---|---|---|---|---|\n");
    for (condition, stops) in STOPS {
        write!(table, "| {condition:?} |").unwrap();
        for stop in stops {
            table.push_str(if stop { " stops |" } else { " |" });
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_page_shows_the_table_of_the_code() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/oracle.md")).unwrap();
    assert!(page.contains(&rendered()), "docs/oracle.md should contain:\n{}", rendered());
}

proptest! {
    #[test]
    fn conversion_is_exact_or_rounded_down(
        mantissa in prop_oneof![1..=i64::MAX, 1..1_000_000_000_000i64],
        exponent in EXPONENTS,
        lot_exponent in LOT_EXPONENTS,
    ) {
        // Times 10^24, so that every power is whole.
        let power = u32::try_from(exponent + 6 + lot_exponent + 24).unwrap();
        let price = 10i128.checked_pow(power).and_then(|scale| scale.checked_mul(mantissa.into()));
        let expected = price.map(|price| price / 10i128.pow(24));
        match to_price(mantissa, exponent, lot_exponent) {
            Ok(price) => prop_assert_eq!(Some(i128::from(price.0)), expected),
            Err(_) => prop_assert!(!expected.is_some_and(|price| (1..=i128::from(MAX_PRICE)).contains(&price))),
        }
    }

    #[test]
    fn confidence_is_never_understated(price in 1..=i64::MAX, conf: u64) {
        let sample = Sample { price, conf, exponent: -12, ..sample() };
        if let Ok(reading) = check(&sample, NOW, 0, Price(0), &OracleParams { lot_exponent: 0, ..params() }) {
            let exact = (u128::from(conf) * 10_000).div_ceil(u128::from(price.unsigned_abs()));
            prop_assert_eq!(u128::from(reading.confidence_bps), exact.min(u32::MAX.into()));
        }
    }
}
