//! Whatever bytes an account holds and whatever arguments come, there is a result or an error.

use ballast_risk::health::{Account, MarketState, PositionState, assess};
use ballast_risk::insurance::{Budget, InsuranceParams, atoms_for_shares, shares_for_stake};
use ballast_risk::liquidation::{LiquidationParams, Progress, TakeoverParams};
use ballast_risk::margin::{TIERS, Tier};
use ballast_risk::mark::{MarkParams, MarkState};
use ballast_risk::oracle::{OracleParams, Reading, Sample};
use ballast_risk::{fees, funding, liquidation, margin, mark, oracle};
use ballast_units::{Lots, Position, Price, Quote, Side};
use bytemuck::Pod;
use proptest::prelude::*;

/// Any bytes, small and large numbers alike.
fn pod<T: Pod + std::fmt::Debug>() -> impl Strategy<Value = T> {
    let word = prop_oneof![any::<u32>(), 0..20_000u32, Just(0), Just(u32::MAX)];
    prop::collection::vec(word, size_of::<T>() / 4)
        .prop_map(|words| bytemuck::pod_read_unaligned(bytemuck::cast_slice(&words)))
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), (any::<u64>(), 0..64u32).prop_map(|(x, shift)| x >> shift), Just(0), Just(u64::MAX)]
}

fn signed() -> impl Strategy<Value = i64> {
    prop_oneof![number().prop_map(u64::cast_signed), Just(i64::MIN), Just(i64::MAX)]
}

fn account() -> impl Strategy<Value = Account> {
    (number(), signed(), signed(), number(), number()).prop_map(|(collateral, equity, initial_equity, m, initial)| {
        let (equity, initial_equity) = (Quote(equity), Quote(initial_equity));
        Account { collateral, equity, initial_equity, maintenance: m, initial }
    })
}

fn state() -> impl Strategy<Value = PositionState> {
    (signed(), signed(), signed(), signed(), number(), number(), number(), number()).prop_map(|s| PositionState {
        position: Position(s.0),
        basis: Quote(s.1),
        unsettled: Quote(s.2),
        funding: Quote(s.3),
        bids: Lots(s.4),
        bid_quote: s.5,
        asks: Lots(s.6),
        ask_quote: s.7,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn margin_and_health(
        tiers in pod::<[Tier; TIERS]>(), notional in number(), mark in number(), state in state(),
        haircut: u32, multiplier: u32, mut account in account(),
    ) {
        let _ = margin::validate(&tiers);
        let _ = (margin::maintenance(notional, &tiers), margin::initial(notional, &tiers));
        let market = MarketState {
            mark: Price(mark), tiers: &tiers, pool: notional, profit_haircut_bps: haircut, margin_multiplier_bps: multiplier,
        };
        if let Ok(health) = assess(&state, &market) {
            let _ = account.add(&health);
        }
        let _ = (account.stage(), account.margin_ratio_bps(), account.free_collateral());
    }

    #[test]
    fn liquidations(
        tiers in pod::<[Tier; TIERS]>(), params in pod::<LiquidationParams>(), mut progress in pod::<Progress>(),
        position in signed(), mark in number(), price in number(), maintenance in number(), account in account(),
        now in signed(), takeover in pod::<TakeoverParams>(), seconds in number(),
    ) {
        let _ = params.validate();
        let (position, mark, price) = (Position(position), Price(mark), Price(price));
        let _ = liquidation::bankruptcy_price(position, mark, maintenance, &account);
        let _ = liquidation::partial_lots(position, mark, price, &tiers, &account, &params);
        for side in Side::BOTH {
            let _ = liquidation::takeover_price(side, mark, now, seconds, &takeover);
        }
        let _ = liquidation::fee(maintenance, account.equity, &params);
        let _ = liquidation::relative_to_funding(now, position.0);
        let _ = liquidation::with_funding(now, position.0);
        let _ = progress.step(&account, now, &params);
    }

    #[test]
    fn prices(
        state in pod::<MarkState>(), params in pod::<MarkParams>(), price in number(), at in signed(), now in signed(),
        oracle_params in pod::<OracleParams>(), reading in pod::<Reading>(), conf in number(), mantissa in signed(),
        exponent: i32,
    ) {
        let _ = (params.validate(), oracle_params.validate());
        let _ = mark::advance(&state, Price(price), Some(Price(price / 2)), at, &params);
        for side in Side::BOTH {
            let _ = mark::liquidation_price(side, &state);
        }
        let sample = Sample { price: mantissa, conf, exponent, publish_time: at, full_verification: true };
        for exponent in [exponent, exponent % 20] {
            let _ = oracle::check(&Sample { exponent, ..sample }, now, at, Price(price), &oracle_params);
            let _ = oracle::to_price(mantissa, exponent, oracle_params.lot_exponent);
        }
        for action in oracle::Action::ALL {
            let _ = oracle::conditions(&reading, &state, now, &oracle_params).allow(action);
        }
    }

    #[test]
    fn money(
        state in pod::<funding::FundingState>(), params in pod::<funding::FundingParams>(), sample in signed(),
        prices in (number(), number(), number()), now in signed(), from in signed(), to in signed(), seconds: u32,
        fee_params in pod::<fees::FeeParams>(), insurance in pod::<InsuranceParams>(), mut budget in pod::<Budget>(),
    ) {
        let (a, b, c) = prices;
        let _ = (params.validate(), fee_params.validate(), insurance.validate());
        let _ = funding::update(&state, sample, Price(a), now, &params);
        let _ = funding::hours(&state, Price(a), now, &params).count();
        let _ = funding::rate(Some(Price(a)), Some(Price(b)), Price(c), seconds);
        let _ = funding::advance(from, to, Price(a), seconds);
        let _ = funding::payment(Position(sample), from, to);
        let _ = (fees::charge(a, seconds), fees::split(b, &fee_params));
        let _ = (shares_for_stake(a, b, c), atoms_for_shares(a, b, c));
        let _ = budget.available(now);
        let _ = budget.draw(now, a, b);
    }
}
