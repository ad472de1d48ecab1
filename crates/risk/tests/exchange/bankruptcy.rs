//! Bankruptcy prices.

use crate::support::{plain, position, price, tiers};
use ballast_risk::RiskError;
use ballast_risk::health::{Account, PositionHealth, PositionState, assess};
use ballast_risk::liquidation::{bankruptcy_price, most_relief, relative_to_funding, with_funding};
use ballast_units::{FUNDING_ONE, Position, Price, Quote};
use proptest::prelude::*;

#[test]
fn an_isolated_long_is_worth_nothing_where_its_equity_is_lost() {
    // Ten lots at 1,000 with 2,000 of equity: 200 a lot.
    let account = Account { equity: Quote(2_000), maintenance: 500, ..Account::default() };
    assert_eq!(bankruptcy_price(Position(10), Price(1_000), 500, &account), Ok(800));
    assert_eq!(bankruptcy_price(Position(-10), Price(1_000), 500, &account), Ok(1_200));
}

#[test]
fn a_bankrupt_account_needs_a_better_price_than_the_mark() {
    let account = Account { equity: Quote(-1), maintenance: 500, ..Account::default() };
    assert_eq!(bankruptcy_price(Position(10), Price(1_000), 500, &account), Ok(1_001));
    assert_eq!(bankruptcy_price(Position(-10), Price(1_000), 500, &account), Ok(999));
}

#[test]
fn a_cross_account_shares_its_equity_by_maintenance_margin() {
    let account = Account { equity: Quote(2_000), maintenance: 1_000, ..Account::default() };
    assert_eq!(bankruptcy_price(Position(10), Price(1_000), 750, &account), Ok(850));
    assert_eq!(bankruptcy_price(Position(-10), Price(500), 250, &account), Ok(550));
}

#[test]
fn a_rich_account_survives_a_price_of_zero() {
    let account = Account { equity: Quote(100_000), maintenance: 500, ..Account::default() };
    assert_eq!(bankruptcy_price(Position(10), Price(1_000), 500, &account), Ok(-9_000));
}

#[test]
fn there_is_no_bankruptcy_price_without_position_or_margin() {
    let account = Account { equity: Quote(1), maintenance: 1, ..Account::default() };
    assert_eq!(bankruptcy_price(Position::FLAT, Price(1), 0, &account), Err(RiskError::NoPosition));
    let account = Account { maintenance: 0, ..account };
    assert_eq!(bankruptcy_price(Position(1), Price(1), 0, &account), Err(RiskError::NoMaintenance));
    assert_eq!(bankruptcy_price(Position(1), Price(1), 5, &account), Err(RiskError::NoMaintenance));
}

#[test]
fn the_position_with_the_most_relief_is_the_same_for_everyone() {
    assert_eq!(most_relief([(3u16, 10), (1, 20), (2, 20)]), Some(1));
    assert_eq!(most_relief([(2u16, 20), (1, 20), (3, 10)]), Some(1));
    assert_eq!(most_relief([(1u16, 0)]), None);
}

/// A cross account of several markets: its positions with marks, and it as a whole.
fn cross() -> impl Strategy<Value = (Vec<(Position, Price, PositionHealth)>, Account)> {
    let market = (price(), position(), tiers(), -1_000..1_000i64);
    (prop::collection::vec(market, 1..8), -1_000_000_000_000..1_000_000_000_000i64).prop_map(|(markets, unsettled)| {
        let mut account = Account::new(1_000_000);
        account.equity.0 += unsettled;
        let assessed = markets.into_iter().filter(|market| market.1.0 != 0).map(|(mark, position, tiers, off)| {
            let value = position.value(mark).unwrap();
            let state =
                PositionState { position, basis: Quote(value.0 - value.0 / 10_000 * off), ..Default::default() };
            let health = assess(&state, &plain(mark, &tiers)).unwrap();
            account.add(&health).unwrap();
            (position, mark, health)
        });
        let assessed: Vec<_> = assessed.collect();
        (assessed, account)
    })
}

/// What closing a position at a price brings beyond its value at the mark.
fn gain(position: Position, mark: Price, price: i64) -> i128 {
    i128::from(position.0) * (i128::from(price) - i128::from(mark.0))
}

proptest! {
    #[test]
    fn closing_at_the_bankruptcy_price_spends_the_positions_share_and_less_than_an_atom_per_lot_remains(
        (positions, account) in cross(),
    ) {
        for (position, mark, health) in positions {
            let price = bankruptcy_price(position, mark, health.maintenance, &account).unwrap();
            let (all, own) = (i128::from(account.maintenance), i128::from(health.maintenance));
            // Equity after, less the others' share of it before; times the account's maintenance margin, to be exact.
            let remains = gain(position, mark, price) * all + i128::from(account.equity.0) * own;
            prop_assert!(remains >= 0 && remains < i128::from(position.lots().0) * all);
        }
    }

    #[test]
    fn closing_everything_at_bankruptcy_prices_leaves_less_than_an_atom_per_lot((positions, account) in cross()) {
        let mut left = i128::from(account.equity.0);
        let mut lots = 0;
        for (position, mark, health) in &positions {
            let price = bankruptcy_price(*position, *mark, health.maintenance, &account).unwrap();
            left += gain(*position, *mark, price);
            lots += i128::from(position.lots().0);
        }
        if !positions.is_empty() {
            prop_assert!(left >= 0 && left < lots, "{} of {}", left, lots);
        }
    }

    #[test]
    fn only_a_bankrupt_account_has_a_bankruptcy_price_beyond_the_mark((positions, account) in cross()) {
        for (position, mark, health) in positions {
            let price = bankruptcy_price(position, mark, health.maintenance, &account).unwrap();
            prop_assert_eq!(gain(position, mark, price) > 0, account.equity.0 < 0);
        }
    }

    #[test]
    fn a_bankruptcy_price_relative_to_funding_comes_back(price in -(1i64 << 50)..1 << 50, from: i64, to: i64) {
        let relative = relative_to_funding(price, from).unwrap();
        prop_assert_eq!(with_funding(relative, from), Ok(price));
        // And moves with funding, to less than an atom.
        let moved = i128::from(with_funding(relative, to).unwrap()) - i128::from(price);
        let exact = i128::from(to) - i128::from(from);
        prop_assert!((moved * i128::from(FUNDING_ONE) - exact).abs() < i128::from(FUNDING_ONE));
    }
}
