//! Margin tiers.

use crate::support::{DOLLAR, table, tiers};
use ballast_risk::margin::{self, TIERS, Tier};
use ballast_risk::{RiskError, TierError};
use proptest::prelude::*;

const THOUSAND: u64 = 1_000 * DOLLAR;
const MILLION: u64 = 1_000_000 * DOLLAR;

/// Binance Futures' BTCUSDT perpetual, from its announcement "Updates to Leverage and Margin Tiers of Binance Futures
/// Contracts (2021-03-18)". Initial margin is one over the leverage of the tier.
fn binance_btcusdt_2021() -> [Tier; 10] {
    table(&[
        (0, 40, 80),
        (50 * THOUSAND, 50, 100),
        (250 * THOUSAND, 100, 200),
        (MILLION, 250, 500),
        (10 * MILLION, 500, 1_000),
        (20 * MILLION, 1_000, 2_000),
        (50 * MILLION, 1_250, 2_500),
        (100 * MILLION, 1_500, 3_330),
        (200 * MILLION, 2_500, 5_000),
        (300 * MILLION, 5_000, 10_000),
    ])
}

/// Hyperliquid's BTC, from the page "Margin tiers" of its documentation: leverage 40 up to $150M and 20 above;
/// maintenance margin is half of the initial margin at the highest leverage.
fn hyperliquid_btc() -> [Tier; 2] {
    table(&[(0, 125, 250), (150 * MILLION, 250, 500)])
}

/// `rate × notional − margin` in dollars: the deduction, which exchanges publish as "maintenance amount".
fn deduction<const N: usize>(tiers: &[Tier; N], notional: u64) -> u64 {
    let tier = tiers.iter().rev().find(|tier| tier.maintenance_bps != 0 && tier.lower <= notional).unwrap();
    let plain = notional / 10_000 * u64::from(tier.maintenance_bps);
    (plain - margin::maintenance(notional, tiers).unwrap()) / DOLLAR
}

#[test]
fn binance_tiers_give_binance_maintenance_amounts() {
    let tiers = binance_btcusdt_2021();
    assert_eq!(margin::validate(&tiers), Ok(()));
    let published = [0, 50, 1_300, 16_300, 266_300, 1_266_300, 2_516_300, 5_016_300, 25_016_300, 100_016_300];
    for (tier, amount) in tiers.iter().zip(published) {
        for notional in [tier.lower, tier.lower + THOUSAND, tier.lower * 5 / 4] {
            assert_eq!(deduction(&tiers, notional), amount, "at {notional}");
        }
    }
}

#[test]
fn a_five_million_bitcoin_position_on_binance_needs_108_700_dollars() {
    let margin = margin::maintenance(5 * MILLION, &binance_btcusdt_2021());
    assert_eq!(margin, Ok(5 * MILLION / 40 - 16_300 * DOLLAR));
}

#[test]
fn hyperliquid_tiers_give_its_deduction() {
    let tiers = hyperliquid_btc();
    assert_eq!(margin::validate(&tiers), Ok(()));
    assert_eq!(deduction(&tiers, 100 * MILLION), 0);
    assert_eq!(deduction(&tiers, 200 * MILLION), 1_875_000);
    assert_eq!(margin::maintenance(200 * MILLION, &tiers), Ok(5 * MILLION - 1_875_000 * DOLLAR));
    assert_eq!(margin::initial(200 * MILLION, &tiers), Ok(10 * MILLION - 3_750_000 * DOLLAR));
}

#[test]
fn a_market_without_tiers_gives_no_margin_rather_than_none() {
    assert_eq!(margin::maintenance(DOLLAR, &[Tier::default(); TIERS]), Err(RiskError::Corrupt));
}

#[test]
fn tiers_are_refused_for_what_is_wrong_with_them() {
    let check = |rows: &[(u64, u32, u32)]| margin::validate::<TIERS>(&table(rows));
    assert_eq!(check(&[(0, 100, 200), (MILLION, 200, 400)]), Ok(()));
    assert_eq!(check(&[]), Err(TierError::FirstTier));
    assert_eq!(check(&[(1, 100, 200)]), Err(TierError::FirstTier));
    assert_eq!(check(&[(0, 100, 200), (0, 0, 0), (MILLION, 200, 400)]), Err(TierError::Gap));
    assert_eq!(check(&[(0, 100, 200), (0, 0, 400)]), Err(TierError::Gap));
    assert_eq!(check(&[(0, 100, 200), (0, 200, 400)]), Err(TierError::Lower));
    assert_eq!(check(&[(0, 100, 200), (u64::MAX, 200, 400)]), Err(TierError::Lower));
    assert_eq!(check(&[(0, 100, 200), (MILLION, 90, 400)]), Err(TierError::NotMonotonic));
    assert_eq!(check(&[(0, 100, 200), (MILLION, 150, 190)]), Err(TierError::NotMonotonic));
    assert_eq!(check(&[(0, 29, 200)]), Err(TierError::MaintenanceTooLow));
    assert_eq!(check(&[(0, 50, 79)]), Err(TierError::LeverageTooHigh));
    assert_eq!(check(&[(0, 200, 200)]), Err(TierError::InitialNotAboveMaintenance));
    assert_eq!(check(&[(0, 200, 10_001)]), Err(TierError::InitialNotAboveMaintenance));
}

/// Slice by slice, each at its own rate; in atoms × basis points.
fn by_slices(notional: u64, tiers: &[Tier], rate: fn(&Tier) -> u32) -> u128 {
    let used: Vec<_> = tiers.iter().filter(|tier| tier.maintenance_bps != 0).collect();
    let ends = used.iter().skip(1).map(|tier| tier.lower).chain([u64::MAX]);
    let slice = |lower: u64, end: u64| u128::from(notional.min(end).saturating_sub(lower));
    used.iter().zip(ends).map(|(tier, end)| slice(tier.lower, end) * u128::from(rate(tier))).sum()
}

proptest! {
    #[test]
    fn margin_taxes_each_slice_at_its_own_rate(notional in 0..=i64::MAX.unsigned_abs(), tiers in tiers()) {
        let maintenance = by_slices(notional, &tiers, |tier| tier.maintenance_bps).div_ceil(10_000);
        prop_assert_eq!(u128::from(margin::maintenance(notional, &tiers).unwrap()), maintenance);
        let initial = by_slices(notional, &tiers, |tier| tier.initial_bps).div_ceil(10_000);
        prop_assert_eq!(u128::from(margin::initial(notional, &tiers).unwrap()), initial);
        prop_assert!(maintenance <= initial && (notional == 0 || maintenance > 0));
    }

    #[test]
    fn nothing_jumps_where_tiers_meet(tiers in tiers(), row in 0..TIERS, beyond in 0..100u64) {
        let lower = tiers[row].lower;
        let before = margin::maintenance(lower, &tiers).unwrap();
        let after = margin::maintenance(lower + beyond, &tiers).unwrap();
        prop_assert!(after >= before && after - before <= beyond);
    }
}
