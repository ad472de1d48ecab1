//! Insurance: budgets and stakes.

use crate::support::DOLLAR;
use ballast_risk::RiskError;
use ballast_risk::insurance::{Budget, WINDOW_S, atoms_for_shares, shares_for_stake};
use proptest::prelude::*;

fn budget(limit_per_window: u64) -> Budget {
    Budget { limit_per_window, ..Budget::default() }
}

#[test]
fn a_market_draws_no_more_than_its_limit_at_once() {
    let mut budget = budget(1_000);
    assert_eq!(budget.draw(50_000, 700, u64::MAX), 700);
    assert_eq!(budget.draw(50_000, 700, u64::MAX), 300);
    assert_eq!(budget.draw(50_000, 700, u64::MAX), 0);
}

#[test]
fn time_restores_the_budget() {
    let mut budget = budget(1_000);
    budget.draw(50_000, 1_000, u64::MAX);
    assert_eq!(budget.available(50_000 + WINDOW_S / 4), 250);
    assert_eq!(budget.available(50_000 + WINDOW_S), 1_000);
}

#[test]
fn the_vault_cannot_pay_what_it_has_not() {
    let mut budget = budget(1_000);
    assert_eq!(budget.draw(50_000, 700, 10), 10);
    assert_eq!(budget.available(50_000), 990);
}

#[test]
fn a_market_without_a_limit_draws_nothing() {
    assert_eq!(Budget::default().draw(50_000, 700, 1_000), 0);
}

#[test]
fn a_clock_that_goes_back_restores_nothing() {
    let mut budget = budget(1_000);
    budget.draw(50_000, 1_000, u64::MAX);
    assert_eq!(budget.draw(1, 1_000, u64::MAX), 0);
    assert_eq!(budget.window_start, 50_000);
}

#[test]
fn inflating_the_first_share_costs_its_owner_more_than_the_victim() {
    // The first stakes an atom and gives the vault 1,000 dollars; a victim then stakes 1,000 dollars.
    let gift = 1_000 * DOLLAR;
    let first = shares_for_stake(1, 0, 0).unwrap();
    let victim = shares_for_stake(1_000 * DOLLAR, 1 + gift, first).unwrap();
    let (assets, shares) = (1 + gift + 1_000 * DOLLAR, first + victim);
    let first_gets = atoms_for_shares(first, assets, shares).unwrap();
    let victim_gets = atoms_for_shares(victim, assets, shares).unwrap();
    assert!(first_gets < gift * 51 / 100);
    assert!(victim_gets > 1_000 * DOLLAR * 999 / 1_000);
}

#[test]
fn nobody_buys_into_a_vault_that_lost_everything_or_for_less_than_a_share() {
    assert_eq!(shares_for_stake(100, 0, 5), Err(RiskError::WipedOut));
    assert_eq!(shares_for_stake(1, 1_000_000, 1_000), Err(RiskError::StakeTooSmall));
    assert_eq!(atoms_for_shares(6, 100, 5), Err(RiskError::Corrupt));
}

proptest! {
    #[test]
    fn no_day_sees_more_than_twice_the_limit(
        limit in 0..1_000_000u64,
        draws in prop::collection::vec((0..20_000i64, 0..1_000_000u64), 1..60),
    ) {
        let mut budget = budget(limit);
        let mut now = 1_000_000;
        let mut drawn = Vec::new();
        for (wait, wanted) in draws {
            now += wait;
            let before = budget.available(now);
            let atoms = budget.draw(now, wanted, u64::MAX);
            prop_assert_eq!(atoms, wanted.min(before));
            prop_assert!(budget.spent <= limit);
            drawn.push((now, atoms));
        }
        for (start, _) in &drawn {
            let day = drawn.iter().filter(|(at, _)| (*start..start + WINDOW_S).contains(at));
            prop_assert!(day.map(|(_, atoms)| atoms).sum::<u64>() <= 2 * limit);
        }
    }

    #[test]
    fn staking_and_leaving_gains_nothing(
        assets in 0..1_000_000_000_000u64,
        shares in 0..1_000_000_000_000u64,
        stake in 1..1_000_000_000_000u64,
        parts in 1..4u64,
    ) {
        prop_assume!(assets > 0 || shares == 0);
        let (mut vault, mut all, mut owned) = (assets, shares, 0);
        for _ in 0..parts {
            let Ok(new) = shares_for_stake(stake, vault, all) else { continue };
            (vault, all, owned) = (vault + stake, all + new, owned + new);
        }
        let paid = vault - assets;
        let back = atoms_for_shares(owned, vault, all).unwrap();
        prop_assert!(back <= paid);
        // And the others lose nothing by it.
        let others_before = atoms_for_shares(shares, assets, shares).unwrap();
        let others_after = atoms_for_shares(shares, vault - back, all - owned).unwrap();
        prop_assert!(others_after >= others_before);
    }

    #[test]
    fn shares_never_promise_more_than_there_is(
        assets in 0..u64::MAX / 2,
        stakes in prop::collection::vec(0..u64::MAX / 20, 1..10),
    ) {
        let all = stakes.iter().sum();
        let worth: u128 = stakes.iter().map(|s| u128::from(atoms_for_shares(*s, assets, all).unwrap())).sum();
        prop_assert!(worth <= u128::from(assets));
    }
}
