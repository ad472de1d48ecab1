//! Decisions about margin and liquidation, on values that the fuzzer chose within what the program lets through, beside
//! arithmetic in 128 bits and statements that must hold whatever the values.
#![no_main]

use ballast_risk::{
    funding,
    health::{self, Account, MarketState, PositionState, Stage},
    liquidation::{self, LiquidationParams, TakeoverParams},
    margin::{self, TIERS, Tier},
    mark::{self, MarkParams, MarkState},
    pnl_pool,
};
use ballast_units::{Lots, MAX_PRICE, Position, Price, Quote, Side};
use libfuzzer_sys::{
    arbitrary::{Arbitrary, Result, Unstructured},
    fuzz_target,
};

const BPS: i128 = 10_000;

fn tiers(bytes: &mut Unstructured) -> Result<[Tier; TIERS]> {
    let mut tiers = [Tier::default(); TIERS];
    let used = bytes.int_in_range(1..=TIERS)?;
    let (mut lower, mut maintenance, mut initial) = (0u64, 0, 0);
    for tier in &mut tiers[..used] {
        maintenance = bytes.int_in_range(maintenance.max(margin::MIN_MAINTENANCE_BPS)..=5_000)?;
        initial = bytes.int_in_range(initial.max(maintenance + 1).max(margin::MIN_INITIAL_BPS)..=10_000)?;
        *tier = Tier { lower, maintenance_bps: maintenance, initial_bps: initial };
        lower = bytes.int_in_range(lower + 1..=lower + 100_000_000_000_000)?;
    }
    Ok(tiers)
}

/// A number of random magnitude, up to 2^`bits`.
fn number(bytes: &mut Unstructured, bits: u32) -> Result<u64> {
    let bits = bytes.int_in_range(0..=bits)?;
    Ok(bytes.arbitrary::<u64>()? & ((1 << bits) - 1))
}

fn signed(bytes: &mut Unstructured, bits: u32) -> Result<i64> {
    let size = number(bytes, bits)?.cast_signed();
    Ok(if bytes.arbitrary()? { -size } else { size })
}

/// What a market and one of its accounts can look like.
#[derive(Debug)]
struct Case {
    tiers: [Tier; TIERS],
    mark: Price,
    state: PositionState,
    haircut: u32,
    multiplier: u32,
    collateral: u64,
    others_maintenance: u64,
    others_equity: i64,
    params: LiquidationParams,
    seconds: u64,
    move_of_index: i64,
    pool: u64,
    mark_state: MarkState,
    mark_params: MarkParams,
    mid: Option<Price>,
    tick: Price,
    later: i64,
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mark = Price(number(bytes, 34)?.max(1));
        let mut state = PositionState {
            position: Position(signed(bytes, 26)?),
            basis: Quote(signed(bytes, 58)?),
            unsettled: Quote(signed(bytes, 56)?),
            funding: Quote(signed(bytes, 50)?),
            ..PositionState::default()
        };
        if bytes.arbitrary()? {
            (state.bids, state.asks) = (Lots(number(bytes, 26)?), Lots(number(bytes, 26)?));
            let average = |bytes: &mut Unstructured| bytes.int_in_range(mark.0 / 2..=mark.0.saturating_mul(2));
            state.bid_quote = state.bids.0 * average(bytes)?;
            state.ask_quote = state.asks.0 * average(bytes)?;
        }
        let max_bps = bytes.int_in_range(0..=2_000)?;
        let around = |bytes: &mut Unstructured| -> Result<Price> {
            Ok(Price(bytes.int_in_range(mark.0 / 2..=mark.0.saturating_mul(2))?.clamp(1, MAX_PRICE)))
        };
        Ok(Case {
            tiers: tiers(bytes)?,
            mark,
            state,
            haircut: bytes.int_in_range(0..=10_000)?,
            multiplier: bytes.int_in_range(10_000..=50_000)?,
            collateral: number(bytes, 58)?,
            others_maintenance: number(bytes, 50)?,
            others_equity: signed(bytes, 56)?,
            params: LiquidationParams {
                whole_below: number(bytes, 36)?,
                max_reward: number(bytes, 29)?,
                target_ratio_bps: bytes.int_in_range(10_001..=20_000)?,
                max_fraction_bps: bytes.int_in_range(500..=5_000)?,
                cooldown_s: bytes.int_in_range(1..=600)?,
                fee_bps: bytes.int_in_range(0..=200)?,
                liquidator_share_bps: bytes.int_in_range(0..=10_000)?,
                takeover: TakeoverParams {
                    start_bps: bytes.int_in_range(0..=max_bps.min(500))?,
                    per_second_ppm: bytes.int_in_range(1..=10_000)?,
                    max_bps,
                    reserved: 0,
                },
                ..LiquidationParams::default()
            },
            seconds: number(bytes, 40)?,
            move_of_index: signed(bytes, 50)?,
            pool: number(bytes, 58)?,
            mark_state: MarkState {
                mark,
                supported: around(bytes)?,
                tick: around(bytes)?,
                previous_tick: around(bytes)?,
                average: around(bytes)?.0 << 20,
                updated_at: 1_000,
                held: around(bytes)?,
                book_ppm: bytes.int_in_range(-10_000..=10_000)?,
            },
            mark_params: MarkParams {
                cap_ppm_per_second: bytes.int_in_range(100..=100_000)?,
                max_elapsed_s: bytes.int_in_range(1..=60)?,
                band_bps: bytes.int_in_range(100..=5_000)?,
                average_s: bytes.int_in_range(60..=86_400)?,
                book_weight_bps: bytes.int_in_range(0..=mark::MAX_BOOK_WEIGHT_BPS)?,
                book_clamp_bps: bytes.int_in_range(0..=mark::MAX_BOOK_CLAMP_BPS)?,
            },
            mid: if bytes.arbitrary()? { Some(around(bytes)?) } else { None },
            tick: Price(number(bytes, 40)?.max(1)),
            later: bytes.int_in_range(-5..=100_000)?,
        })
    }
}

fuzz_target!(|case: Case| {
    assert_eq!(margin::validate(&case.tiers), Ok(()));
    margins(&case);
    let account = account(&case);
    liquidations(&case, &account);
    money(&case);
    marks(&case);
});

/// Requirements are those of a slow definition: each slice of the notional at its own tier's rate, rounded up once.
fn margins(case: &Case) {
    let notional = case.state.position.lots().0.saturating_mul(case.mark.0);
    let slow = |rate: fn(&Tier) -> u32| {
        let mut sum = 0i128;
        for (at, tier) in case.tiers.iter().enumerate().take_while(|(_, tier)| tier.maintenance_bps != 0) {
            let end =
                case.tiers.get(at + 1).filter(|next| next.maintenance_bps != 0).map_or(u64::MAX, |next| next.lower);
            let slice = notional.min(end).saturating_sub(tier.lower);
            sum += i128::from(slice) * i128::from(rate(tier));
        }
        (sum + BPS - 1) / BPS
    };
    let (maintenance, initial) = (margin::maintenance(notional, &case.tiers), margin::initial(notional, &case.tiers));
    assert_eq!(maintenance.map(i128::from), Ok(slow(|tier| tier.maintenance_bps)));
    assert_eq!(initial.map(i128::from), Ok(slow(|tier| tier.initial_bps)));
    assert!(maintenance.unwrap_or(u64::MAX) <= initial.unwrap_or(0));
}

/// The account of the case, if its numbers stay in range.
fn account(case: &Case) -> Option<(Account, health::PositionHealth)> {
    let market = MarketState {
        mark: case.mark,
        tiers: &case.tiers,
        profit_haircut_bps: case.haircut,
        margin_multiplier_bps: case.multiplier,
        pool: case.pool,
    };
    let health = health::assess(&case.state, &market).ok()?;
    let state = &case.state;
    let profit = i128::from(state.position.0) * i128::from(case.mark.0) - i128::from(state.basis.0);
    let equity = i128::from(state.unsettled.0) + i128::from(state.funding.0) + profit;
    assert_eq!((i128::from(health.profit.0), i128::from(health.equity.0)), (profit, equity));
    assert!(health.initial_equity <= health.equity, "a haircut never adds");
    assert!(health.initial >= health.maintenance);
    let mut account = Account::new(case.collateral);
    account.add(&health).ok()?;
    account.equity = account.equity.add(Quote(case.others_equity)).ok()?;
    account.maintenance = account.maintenance.checked_add(case.others_maintenance)?;
    let (equity, maintenance) = (i128::from(account.equity.0), i128::from(account.maintenance));
    match account.stage() {
        Stage::Bankrupt => assert!(equity < 0),
        Stage::Takeover => assert!(equity >= 0 && 3 * equity < 2 * maintenance),
        Stage::Partial => assert!(3 * equity >= 2 * maintenance && equity < maintenance),
        Stage::Restricted | Stage::Healthy => assert!(equity >= maintenance),
    }
    Some((account, health))
}

fn liquidations(case: &Case, account: &Option<(Account, health::PositionHealth)>) {
    let Some((account, health)) = account else { return };
    let position = case.state.position;
    let Some(side) = position.side() else { return };
    let (mark, all) = (case.mark, position.lots());
    if let Ok(lots) = liquidation::partial_lots(position, mark, mark, &case.tiers, account, &case.params) {
        assert!(lots <= all);
        let most = (i128::from(all.0) * i128::from(case.params.max_fraction_bps) + BPS - 1) / BPS;
        assert!(i128::from(lots.0) <= most || health.notional <= case.params.whole_below);
        let target = i128::from(case.params.target_ratio_bps);
        let at_target = BPS * i128::from(account.equity.0) >= target * i128::from(account.maintenance);
        assert_eq!(lots.is_zero(), at_target, "reduced exactly when below the target");
    }
    let Ok(bankruptcy) = liquidation::bankruptcy_price(position, mark, health.maintenance, account) else { return };
    // Closed there, the position has spent at most its share of the equity, and less than an atom a lot is left of it.
    let share = i128::from(account.equity.0) * i128::from(health.maintenance) / i128::from(account.maintenance);
    let spent = i128::from(side.sign()) * (i128::from(mark.0) - i128::from(bankruptcy)) * i128::from(all.0);
    assert!(spent <= share + 1 && share - spent <= i128::from(all.0) + 1, "{spent} of {share}");
    if let Ok(terms) = liquidation::takeover_price(side, mark, bankruptcy, case.seconds, &case.params.takeover) {
        let price = i64::try_from(terms.price.0).expect("a price");
        let past = if side == Side::Long { price < bankruptcy } else { price > bankruptcy };
        assert_eq!(past, terms.shortfall != 0, "insurance pays exactly what is beyond the bankruptcy price");
    }
}

/// Funding favours nobody, and settling against a pool neither makes nor loses money.
fn money(case: &Case) {
    let lots = case.state.position;
    let opposite = Position(-lots.0);
    if let (Ok(one), Ok(other)) =
        (funding::payment(lots, 0, case.move_of_index), funding::payment(opposite, 0, case.move_of_index))
    {
        assert!((-1..=0).contains(&(one.0 + other.0)), "what is left of funding is the protocol's, and below an atom");
    }
    let (mut unsettled, mut collateral, mut pool) = (case.state.unsettled.0, case.collateral, case.pool);
    let before = (unsettled, i128::from(collateral) + i128::from(pool), i128::from(unsettled) - i128::from(pool));
    pnl_pool::settle(&mut unsettled, &mut collateral, &mut pool);
    assert_eq!(i128::from(collateral) + i128::from(pool), before.1, "money is conserved");
    assert_eq!(i128::from(unsettled) - i128::from(pool), before.2, "and so is the claim on the pool");
    assert!(unsettled.signum() * before.0.signum() >= 0 && unsettled.unsigned_abs() <= before.0.unsigned_abs());
}

/// The mark moves by no more than its cap, the book moves it by no more than its clamp, and liquidation uses the best price for
/// the account and none that the book has a part in.
fn marks(case: &Case) {
    let state = &case.mark_state;
    let at = state.updated_at + case.later;
    let Ok(next) = mark::advance(state, case.tick, case.mid, at, &case.mark_params) else { return };
    if case.later <= 0 {
        assert_eq!(next, *state, "an old tick changes nothing");
        return;
    }
    let seconds = i128::from(case.later).min(i128::from(case.mark_params.max_elapsed_s));
    let step =
        (i128::from(state.mark.0) * i128::from(case.mark_params.cap_ppm_per_second) * seconds / 1_000_000).max(1);
    assert!((i128::from(next.mark.0) - i128::from(state.mark.0)).abs() <= step, "the cap holds");
    let pushed = mark::advance(state, case.tick, None, at, &case.mark_params).expect("the same without the book");
    assert_eq!((pushed.held, pushed.supported, pushed.average), (next.held, next.supported, next.average));
    for side in Side::BOTH {
        assert_eq!(mark::liquidation_price(side, &pushed), mark::liquidation_price(side, &next));
        let Some(price) = mark::liquidation_price(side, &next) else { continue };
        for other in [next.held(), next.supported, next.tick, next.previous_tick] {
            assert!(if side == Side::Long { price >= other } else { price <= other });
        }
    }
}
