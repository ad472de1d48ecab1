//! Takeovers and fees.

use crate::support::{liquidation, price};
use ballast_risk::liquidation::{FeeSplit, Takeover, TakeoverParams, fee, takeover_price};
use ballast_units::{MAX_PRICE, Price, Quote, Side};
use proptest::prelude::*;

const PARAMS: TakeoverParams = TakeoverParams { start_bps: 50, per_second_ppm: 1_000, max_bps: 500, reserved: 0 };

fn terms(side: Side, bankruptcy: i64, seconds: u64) -> Takeover {
    takeover_price(side, Price(100_000), bankruptcy, seconds, &PARAMS).unwrap()
}

#[test]
fn the_discount_ramps_up_with_time() {
    for (seconds, long, short) in [(0, 99_500, 100_500), (10, 98_500, 101_500), (45, 95_000, 105_000)] {
        assert_eq!(terms(Side::Long, 0, seconds).price, Price(long));
        assert_eq!(terms(Side::Short, i64::MAX, seconds).price, Price(short));
    }
    assert_eq!(terms(Side::Long, 0, u64::MAX).price, Price(95_000));
}

#[test]
fn a_solvent_account_is_never_taken_over_past_its_bankruptcy_price() {
    assert_eq!(terms(Side::Long, 98_000, 45), Takeover { price: Price(98_000), shortfall: 0 });
    assert_eq!(terms(Side::Short, 102_000, 45), Takeover { price: Price(102_000), shortfall: 0 });
}

#[test]
fn insurance_pays_for_a_bankrupt_account_up_to_its_bankruptcy_price() {
    assert_eq!(terms(Side::Long, 100_300, 10), Takeover { price: Price(98_500), shortfall: 1_800 });
    assert_eq!(terms(Side::Short, 99_700, 10), Takeover { price: Price(101_500), shortfall: 1_800 });
}

#[test]
fn a_fee_is_shared_capped_and_never_more_than_there_is() {
    let params = liquidation();
    let split = |quote: u64, left: i64| fee(quote, Quote(left), &params).unwrap();
    assert_eq!(split(1_000_001, i64::MAX), FeeSplit { to_liquidator: 2_500, to_insurance: 2_501 });
    assert_eq!(split(1_000_001, 101), FeeSplit { to_liquidator: 50, to_insurance: 51 });
    assert_eq!(split(1_000_001, -5), FeeSplit::default());
    let large = split(1_000_000_000_000, i64::MAX);
    assert_eq!(large, FeeSplit { to_liquidator: 100_000_000, to_insurance: 4_900_000_000 });
}

proptest! {
    #[test]
    fn a_takeover_costs_the_account_no_more_than_its_bankruptcy_and_the_liquidator_never_more_than_the_mark(
        mark in price(),
        off in -(1i64 << 41)..1 << 41,
        seconds in 0..1_000u64,
        long: bool,
    ) {
        let side = if long { Side::Long } else { Side::Short };
        let mark_atoms = mark.0 as i64;
        let bankruptcy = mark_atoms + off;
        let Takeover { price, shortfall } = takeover_price(side, mark, bankruptcy, seconds, &PARAMS).unwrap();
        let price = price.0 as i64;
        prop_assert!(price >= 1 && price <= MAX_PRICE as i64);
        prop_assert!(side.sign() * (mark_atoms - price) >= 0);
        // What account and insurance together get is at least the bankruptcy price.
        prop_assert!(side.sign() * (price - bankruptcy) + shortfall as i64 >= 0);
        prop_assert_eq!(shortfall > 0, side.sign() * (bankruptcy - mark_atoms) > 0);
    }
}
