//! The liquidation price is the border itself: safe at it, due one atom beyond it.

use crate::support::{plain, position, price, state_at, table, tiers};
use ballast_risk::RiskError;
use ballast_risk::health::{Account, PositionState, Stage, assess};
use ballast_risk::liquidation::liquidation_price;
use ballast_risk::margin::{TIERS, Tier};
use ballast_units::{Position, Price, Quote, Side};
use proptest::prelude::*;

const HIGHEST: Price = Price(1 << 38);

fn account_at(state: &PositionState, rest: &Account, tiers: &[Tier; TIERS], mark: Price) -> Result<Account, RiskError> {
    let mut account = *rest;
    account.add(&assess(state, &plain(mark, tiers))?)?;
    Ok(account)
}

fn border(state: &PositionState, rest: &Account, tiers: &[Tier; TIERS]) -> Option<Price> {
    let side = state.position.side().expect("a position");
    liquidation_price(side, HIGHEST, |mark| account_at(state, rest, tiers, mark)).expect("in range")
}

#[test]
fn a_long_of_ten_times_leverage_is_liquidated_where_its_equity_meets_its_margin() {
    // 100 lots at 1,000 with 10,000 of collateral at 2.5 %: 10,000 − 100 × (1,000 − p) = 2.5 × p at p = 923.07….
    let tiers = table(&[(0, 250, 500)]);
    let state = PositionState { position: Position(100), basis: Quote(100_000), ..PositionState::default() };
    assert_eq!(border(&state, &Account::new(10_000), &tiers), Some(Price(924)));
    let short = PositionState { position: Position(-100), basis: Quote(-100_000), ..state };
    // 10,000 − 100 × (p − 1,000) = 2.5 × p at p = 1,073.17….
    assert_eq!(border(&short, &Account::new(10_000), &tiers), Some(Price(1_073)));
}

#[test]
fn a_long_that_is_worth_less_than_its_collateral_is_never_liquidated() {
    let tiers = table(&[(0, 250, 500)]);
    let state = PositionState { position: Position(100), basis: Quote(100_000), ..PositionState::default() };
    assert_eq!(border(&state, &Account::new(200_000), &tiers), None);
}

#[test]
fn an_error_of_the_account_is_passed_on() {
    assert_eq!(liquidation_price(Side::Long, HIGHEST, |_| Err::<Account, _>("no")), Err("no"));
}

proptest! {
    #[test]
    fn at_it_an_account_is_safe_and_an_atom_beyond_it_is_due(
        (state, tiers, rest) in (price(), tiers(), 0..10_000_000_000_000u64, 0..1_000_000_000u64)
            .prop_flat_map(|(mark, tiers, collateral, maintenance)| {
                let mut rest = Account::new(collateral);
                rest.maintenance = maintenance;
                (state_at(mark), Just(tiers), Just(rest))
            }),
        nudge in position(),
    ) {
        let state = PositionState { position: Position(state.position.0 | 1).add(nudge).unwrap(), ..state };
        prop_assume!(state.position != Position::FLAT);
        let due = |mark: Price| account_at(&state, &rest, &tiers, mark).unwrap().stage() >= Stage::Partial;
        match border(&state, &rest, &tiers) {
            Some(price) => {
                let beyond = if state.position.0 > 0 { price.0 - 1 } else { price.0 + 1 };
                prop_assert!(!due(price) && due(Price(beyond)));
            }
            None => prop_assert_eq!(due(Price(1)), due(HIGHEST)),
        }
    }
}
