//! Random but valid markets and accounts.

use ballast_risk::health::{MarketState, PositionState};
use ballast_risk::liquidation::{LiquidationParams, TakeoverParams};
use ballast_risk::margin::{MAX_TIER_LOWER, MIN_INITIAL_BPS, MIN_MAINTENANCE_BPS, TIERS, Tier};
use ballast_units::{Lots, Position, Price, Quote};
use proptest::prelude::*;

/// A dollar, in atoms.
pub const DOLLAR: u64 = 1_000_000;

/// Tiers as used rows, the rest zero.
pub fn table<const N: usize>(rows: &[(u64, u32, u32)]) -> [Tier; N] {
    let mut tiers = [Tier::default(); N];
    for (tier, (lower, maintenance_bps, initial_bps)) in tiers.iter_mut().zip(rows) {
        *tier = Tier { lower: *lower, maintenance_bps: *maintenance_bps, initial_bps: *initial_bps };
    }
    tiers
}

/// Any tiers that validation admits, with boundaries mostly where positions of tests are.
pub fn tiers() -> impl Strategy<Value = [Tier; TIERS]> {
    let lower = prop_oneof![1..1_000 * DOLLAR, 1..10_000_000 * DOLLAR, 1..MAX_TIER_LOWER];
    let rates = prop::collection::vec(MIN_MAINTENANCE_BPS..5_000u32, TIERS);
    (1..=TIERS, prop::collection::btree_set(lower, TIERS), rates, 1..5_000u32).prop_map(
        |(used, lowers, mut rates, above)| {
            rates.sort_unstable();
            let lowers = std::iter::once(0).chain(lowers);
            let rows: Vec<_> = lowers
                .zip(rates)
                .take(used)
                .map(|(lower, rate)| (lower, rate, (rate + above).max(MIN_INITIAL_BPS)))
                .collect();
            let tiers = table(&rows);
            assert_eq!(ballast_risk::margin::validate(&tiers), Ok(()));
            tiers
        },
    )
}

/// Prices of five to nine digits mostly, and others.
pub fn price() -> impl Strategy<Value = Price> {
    prop_oneof![4 => 10_000..1_000_000_000u64, 1 => 1..=ballast_units::MAX_PRICE].prop_map(Price)
}

/// Positions whose value is in range at any price of [`price`].
pub fn position() -> impl Strategy<Value = Position> {
    prop_oneof![-1_000..1_000i64, -1_000_000..1_000_000i64].prop_map(Position)
}

/// A position with its cost near its value, money owed either way, and orders.
pub fn state_at(mark: Price) -> impl Strategy<Value = PositionState> {
    let near = move |lots: u64| (0..=2 * lots.max(1)).prop_map(move |x| x * (mark.0 / 2).max(1));
    (position(), 0..100_000u64, 0..100_000u64).prop_flat_map(move |(position, bids, asks)| {
        let value = position.value(mark).unwrap().0;
        let money = value.abs().max(1_000_000);
        let order = prop_oneof![Just(false), Just(true)];
        (-money..=money, -money..=money, -money / 10..=money / 10, near(bids), near(asks), order).prop_map(
            move |(off, unsettled, funding, bid_quote, ask_quote, orders)| PositionState {
                position,
                basis: Quote(value + off),
                unsettled: Quote(unsettled),
                funding: Quote(funding),
                bids: Lots(if orders { bids } else { 0 }),
                bid_quote: if orders { bid_quote } else { 0 },
                asks: Lots(if orders { asks } else { 0 }),
                ask_quote: if orders { ask_quote } else { 0 },
            },
        )
    })
}

/// A market without haircut or multiplier.
pub fn plain(mark: Price, tiers: &[Tier; TIERS]) -> MarketState<'_> {
    MarketState { mark, tiers, pool: u64::MAX, profit_haircut_bps: 0, margin_multiplier_bps: 10_000 }
}

/// Liquidation as a market would have it.
pub fn liquidation() -> LiquidationParams {
    let params = LiquidationParams {
        whole_below: 100 * DOLLAR,
        max_reward: 100 * DOLLAR,
        target_ratio_bps: 11_000,
        max_fraction_bps: 2_000,
        cooldown_s: 30,
        fee_bps: 50,
        liquidator_share_bps: 5_000,
        backstop_ratio_bps: 1_000,
        deleverage_delay_s: 10,
        reserved: 0,
        takeover: TakeoverParams { start_bps: 50, per_second_ppm: 100, max_bps: 500, reserved: 0 },
    };
    assert_eq!(params.validate(), Ok(()));
    params
}
