//! Equity, margin and stages.

use crate::support::{DOLLAR, plain, price, state_at, table, tiers};
use ballast_risk::ParamError;
use ballast_risk::health::{self, Account, MarketState, PositionState, Stage, assess};
use ballast_risk::margin::{self, TIERS, Tier};
use ballast_units::{Lots, Position, Price, Quote};
use proptest::prelude::*;

/// A lot costs a dollar; 5 % maintenance, 10 % initial.
fn market(tiers: &[Tier; TIERS]) -> MarketState<'_> {
    plain(Price(DOLLAR), tiers)
}

fn flat_tiers() -> [Tier; TIERS] {
    table(&[(0, 500, 1_000)])
}

fn dollars(x: i64) -> Quote {
    Quote(x * 1_000_000)
}

#[test]
fn a_long_gains_what_the_price_rose() {
    let state = PositionState { position: Position(100), basis: dollars(90), ..PositionState::default() };
    let health = assess(&state, &market(&flat_tiers())).unwrap();
    assert_eq!(health.profit, dollars(10));
    assert_eq!(health.equity, dollars(10));
    assert_eq!((health.notional, health.maintenance, health.initial), (100 * DOLLAR, 5 * DOLLAR, 10 * DOLLAR));
}

#[test]
fn a_short_gains_what_the_price_fell() {
    let state = PositionState { position: Position(-100), basis: dollars(-110), ..PositionState::default() };
    let health = assess(&state, &market(&flat_tiers())).unwrap();
    assert_eq!(health.profit, dollars(10));
    assert_eq!((health.notional, health.maintenance, health.initial), (100 * DOLLAR, 5 * DOLLAR, 10 * DOLLAR));
}

#[test]
fn unrealised_profit_counts_in_full_for_maintenance_and_less_for_initial_margin() {
    let tiers = flat_tiers();
    let market = MarketState { profit_haircut_bps: 2_500, ..market(&tiers) };
    let gain = PositionState { position: Position(100), basis: dollars(80), ..PositionState::default() };
    let health = assess(&gain, &market).unwrap();
    assert_eq!((health.equity, health.initial_equity), (dollars(20), dollars(15)));
    let loss = PositionState { basis: dollars(120), ..gain };
    let health = assess(&loss, &market).unwrap();
    assert_eq!((health.equity, health.initial_equity), (dollars(-20), dollars(-20)));
}

#[test]
fn a_multiplier_raises_initial_margin_only() {
    let tiers = flat_tiers();
    let market = MarketState { margin_multiplier_bps: 15_000, ..market(&tiers) };
    let state = PositionState { position: Position(100), basis: dollars(100), ..PositionState::default() };
    let health = assess(&state, &market).unwrap();
    assert_eq!((health.maintenance, health.initial), (5 * DOLLAR, 15 * DOLLAR));
}

#[test]
fn orders_that_reduce_a_position_need_no_margin_until_they_would_turn_it() {
    let tiers = flat_tiers();
    let long = |asks: u64| PositionState {
        position: Position(100),
        basis: dollars(100),
        asks: Lots(asks),
        ask_quote: asks * DOLLAR,
        ..PositionState::default()
    };
    for (asks, initial) in [(50, 10), (100, 10), (200, 10), (210, 11)] {
        assert_eq!(assess(&long(asks), &market(&tiers)).unwrap().initial, initial * DOLLAR, "{asks} asks");
    }
}

#[test]
fn bids_above_the_mark_reserve_their_loss() {
    let tiers = flat_tiers();
    let state = PositionState { bids: Lots(100), bid_quote: 103 * DOLLAR, ..PositionState::default() };
    let health = assess(&state, &market(&tiers)).unwrap();
    assert_eq!((health.maintenance, health.initial), (0, 13 * DOLLAR));
}

#[test]
fn both_sides_of_a_quote_reserve_margin_for_the_larger_only() {
    let tiers = flat_tiers();
    let state = PositionState {
        bids: Lots(100),
        bid_quote: 99 * DOLLAR,
        asks: Lots(80),
        ask_quote: 81 * DOLLAR,
        ..PositionState::default()
    };
    assert_eq!(assess(&state, &market(&tiers)).unwrap().initial, 10 * DOLLAR);
}

#[test]
fn stages_follow_equity() {
    let account = |equity: i64| Account {
        equity: Quote(equity),
        initial_equity: Quote(equity),
        maintenance: 300,
        initial: 600,
        ..Account::default()
    };
    let stages = [
        (600, Stage::Healthy),
        (599, Stage::Restricted),
        (300, Stage::Restricted),
        (299, Stage::Partial),
        (200, Stage::Partial),
        (199, Stage::Takeover),
        (0, Stage::Takeover),
        (-1, Stage::Bankrupt),
    ];
    for (equity, stage) in stages {
        assert_eq!(account(equity).stage(), stage, "at equity {equity}");
    }
    assert_eq!(account(450).margin_ratio_bps(), 15_000);
    assert_eq!(account(-1).margin_ratio_bps(), -34);
}

#[test]
fn an_empty_account_is_healthy_and_may_take_everything_out() {
    let account = Account::new(5 * DOLLAR);
    assert_eq!((account.stage(), account.free_collateral()), (Stage::Healthy, 5 * DOLLAR));
    assert_eq!(account.margin_ratio_bps(), i64::MAX);
}

#[test]
fn unrealised_profit_cannot_be_withdrawn() {
    let tiers = flat_tiers();
    let state = PositionState { position: Position(100), basis: dollars(0), ..PositionState::default() };
    let mut account = Account::new(DOLLAR);
    account.add(&assess(&state, &market(&tiers)).unwrap()).unwrap();
    assert_eq!(account.equity, dollars(101));
    assert_eq!(account.free_collateral(), DOLLAR);
}

#[test]
fn a_claim_that_the_pool_cannot_pay_takes_the_haircut_of_unrealised_profit() {
    let tiers = flat_tiers();
    let with_pool = |pool| MarketState { profit_haircut_bps: 2_500, pool, ..market(&tiers) };
    let closed = PositionState { unsettled: dollars(70), funding: dollars(10), ..PositionState::default() };
    let initial = |state: &PositionState, pool| {
        let health = assess(state, &with_pool(pool)).unwrap();
        assert_eq!(health.equity, state.unsettled.add(state.funding).unwrap().add(health.profit).unwrap());
        health.initial_equity
    };
    assert_eq!(initial(&closed, 0), dollars(60));
    assert_eq!(initial(&closed, 40 * DOLLAR), dollars(70));
    assert_eq!(initial(&closed, 80 * DOLLAR), dollars(80));
    assert_eq!(initial(&closed, u64::MAX), dollars(80));
    // Closing for a profit and opening again at the same price changes nothing.
    let open = PositionState { position: Position(100), basis: dollars(20), ..PositionState::default() };
    let reopened = PositionState {
        position: Position(100),
        basis: dollars(100),
        unsettled: dollars(80),
        ..PositionState::default()
    };
    assert_eq!(initial(&open, 0), initial(&reopened, 0));
    // A loss since then is taken from the promise first, and what is owed is owed in full.
    let lost = PositionState { basis: dollars(160), ..reopened };
    assert_eq!(initial(&lost, 0), dollars(15));
    let owing = PositionState { unsettled: dollars(-70), funding: dollars(-10), ..PositionState::default() };
    assert_eq!(initial(&owing, 0), dollars(-80));
}

#[test]
fn haircuts_and_multipliers_have_bounds() {
    assert_eq!(health::validate(10_000, 50_000), Ok(()));
    assert_eq!(health::validate(10_001, 10_000), Err(ParamError::ProfitHaircut));
    assert_eq!(health::validate(0, 9_999), Err(ParamError::MarginMultiplier));
    assert_eq!(health::validate(0, 50_001), Err(ParamError::MarginMultiplier));
}

/// Everything in `i128`, without a fast path or a shared line with the crate but the margin of a notional, whose own
/// test is by slices.
fn naive(state: &PositionState, market: &MarketState) -> [i128; 6] {
    let mark = i128::from(market.mark.0);
    let position = i128::from(state.position.0);
    let profit = position * mark - i128::from(state.basis.0);
    let cash = i128::from(state.unsettled.0) + i128::from(state.funding.0);
    let payable = cash.min(i128::from(market.pool));
    let promised = cash - payable + profit;
    let kept = match promised {
        1.. => (promised * i128::from(10_000 - market.profit_haircut_bps)).div_euclid(10_000),
        _ => promised,
    };
    let margin_of = |lots: i128, of: fn(u64, &[Tier; TIERS]) -> ballast_risk::Result<u64>| match lots {
        0 => 0,
        lots => i128::from(of(u64::try_from(lots.abs() * mark).unwrap(), market.tiers).unwrap()),
    };
    let ends = [position + i128::from(state.bids.0), position - i128::from(state.asks.0)];
    let worst = ends.into_iter().map(|end| margin_of(end, margin::initial)).max().unwrap();
    let worst = -(-worst * i128::from(market.margin_multiplier_bps)).div_euclid(10_000);
    let bid_loss = i128::from(state.bid_quote) - i128::from(state.bids.0) * mark;
    let ask_loss = i128::from(state.asks.0) * mark - i128::from(state.ask_quote);
    let initial = worst + bid_loss.max(0) + ask_loss.max(0);
    [profit, cash + profit, payable + kept, margin_of(position, margin::maintenance), initial, (position * mark).abs()]
}

fn states() -> impl Strategy<Value = (Price, PositionState)> {
    price().prop_flat_map(|mark| (Just(mark), state_at(mark)))
}

proptest! {
    #[test]
    fn an_assessment_agrees_with_the_naive_model(
        (mark, state) in states(),
        tiers in tiers(),
        pool in prop_oneof![Just(0), 0..1_000_000_000u64, Just(u64::MAX)],
        profit_haircut_bps in 0..=10_000u32,
        margin_multiplier_bps in 10_000..=50_000u32,
    ) {
        let market = MarketState { mark, tiers: &tiers, pool, profit_haircut_bps, margin_multiplier_bps };
        let health = assess(&state, &market).unwrap();
        let amounts: [i128; 6] = [
            health.profit.0.into(),
            health.equity.0.into(),
            health.initial_equity.0.into(),
            health.maintenance.into(),
            health.initial.into(),
            health.notional.into(),
        ];
        prop_assert_eq!(amounts, naive(&state, &market));
    }

    #[test]
    fn one_more_order_never_lowers_initial_margin(
        (mark, state) in states(),
        tiers in tiers(),
        lots in 1..10_000u64,
        worse in 0..1_000u64,
        bid: bool,
    ) {
        // At the mark or worse. A better one may offset a loss on its side, because a seat keeps sums.
        let market = plain(mark, &tiers);
        let more = if bid {
            let quote = lots * (mark.0 + worse);
            PositionState { bids: Lots(state.bids.0 + lots), bid_quote: state.bid_quote + quote, ..state }
        } else {
            let quote = lots * mark.0.saturating_sub(worse);
            PositionState { asks: Lots(state.asks.0 + lots), ask_quote: state.ask_quote + quote, ..state }
        };
        // And from no orders, a better one as well.
        let none = PositionState { bids: Lots(0), bid_quote: 0, asks: Lots(0), ask_quote: 0, ..state };
        let initial = |state: &PositionState| assess(state, &market).unwrap().initial;
        if state.bid_quote >= state.bids.0 * mark.0 && state.ask_quote <= state.asks.0 * mark.0 {
            prop_assert!(initial(&more) >= initial(&state));
        }
        prop_assert!(initial(&state) >= initial(&none));
        prop_assert!(initial(&none) >= assess(&none, &market).unwrap().maintenance);
    }

    #[test]
    fn whatever_orders_fill_the_reserve_covered_it(
        (mark, state) in states(),
        tiers in tiers(),
        filled_bids in 0..=100u64,
        filled_asks in 0..=100u64,
    ) {
        // All of a side trades at one price, some part of each side fills.
        let market = plain(mark, &tiers);
        let before = assess(&state, &market).unwrap();
        let part = |lots: u64, quote: u64, percent: u64| {
            let filled = lots * percent / 100;
            (filled, (u128::from(quote) * u128::from(filled)).checked_div(lots.into()).unwrap_or(0) as i64)
        };
        let (bought, paid) = part(state.bids.0, state.bid_quote, filled_bids);
        let (sold, received) = part(state.asks.0, state.ask_quote, filled_asks);
        let after = PositionState {
            position: Position(state.position.0 + bought as i64 - sold as i64),
            basis: Quote(state.basis.0 + paid - received),
            bids: Lots(0),
            bid_quote: 0,
            asks: Lots(0),
            ask_quote: 0,
            ..state
        };
        let after = assess(&after, &market).unwrap();
        let free_before = before.equity.0 - before.initial as i64;
        let free_after = after.equity.0 - after.initial as i64;
        // Two atoms, because the parts above were rounded.
        prop_assert!(free_after >= free_before - 2, "{} < {}", free_after, free_before);
    }

    #[test]
    fn two_thirds_of_maintenance_is_exact(equity in 0..i64::MAX, maintenance: u64) {
        let account = Account { equity: Quote(equity), maintenance, ..Account::default() };
        let below = 3 * i128::from(equity) < 2 * i128::from(maintenance);
        prop_assert_eq!(account.stage() == Stage::Takeover, below);
    }

    #[test]
    fn a_ratio_is_rounded_down(equity: i64, maintenance in 1..=u64::MAX) {
        let account = Account { equity: Quote(equity), maintenance, ..Account::default() };
        let exact = (i128::from(equity) * 10_000).div_euclid(i128::from(maintenance));
        let clamped = exact.clamp(i64::MIN.into(), i64::MAX.into());
        prop_assert_eq!(i128::from(account.margin_ratio_bps()), clamped);
    }
}
