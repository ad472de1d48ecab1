//! Which price is taken, and what each condition of a market's price stops.

use ballast_client::{
    ballast::error::BallastError,
    instructions,
    oracle_accounts::{LEGACY_PROGRAM, LegacyStatus, Verification},
    units::Side,
};
use ballast_risk::oracle::{Action, Condition, STOPS};
use ballast_tests::harness::{BTC, DOLLAR, Expect, Lite, MarketSpec, Outcome, Trader, World};
use solana_account::Account;
use solana_pubkey::Pubkey;

const PRICE: u64 = 10 * DOLLAR;

/// A market with two positions in it.
fn with_positions() -> (World, Trader, Trader) {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(5_000 * DOLLAR));
    world.trade(BTC, ann, bob, 100, PRICE);
    (world, ann, bob)
}

/// Brings a condition about; the market has had good prices before.
fn bring_about(world: &mut World, condition: Condition) {
    let at = |world: &mut World, price: u64, confidence_bps: u64| {
        world.wait(1);
        let mut observation = world.observe(BTC, price);
        observation.price.conf = observation.price.price.unsigned_abs() * confidence_bps / 10_000;
        world.publish(BTC, &observation).succeeds();
    };
    match condition {
        Condition::Aged => world.wait(61),
        Condition::Stale => world.wait(121),
        Condition::Expired => world.wait(3_601),
        Condition::Uncertain => at(world, PRICE, 51),
        Condition::Wide => at(world, PRICE, 101),
        Condition::Meaningless => at(world, PRICE, 501),
        Condition::Moving => at(world, PRICE * 5 / 4, 1),
        Condition::FarFromAverage => at(world, PRICE * 3 / 2, 1),
        Condition::Implausible => at(world, PRICE * 19 / 10, 1),
        Condition::Missing | Condition::SingleTick => unreachable!("tested apart"),
    }
}

fn error_of(condition: Condition) -> BallastError {
    match condition {
        Condition::Missing | Condition::Aged | Condition::Stale | Condition::Expired => BallastError::OracleStale,
        Condition::Uncertain | Condition::Wide | Condition::Meaningless => BallastError::OracleWide,
        Condition::Moving | Condition::FarFromAverage | Condition::Implausible => BallastError::OracleDeviates,
        Condition::SingleTick => BallastError::OracleSingleTick,
    }
}

/// Attempts an action that everything but the price would allow.
fn attempt(world: &mut World, action: Action, ann: Trader, bob: Trader) -> Outcome {
    match action {
        Action::Open => world.buy(bob, BTC, 1, PRICE),
        Action::Reduce => world.reduce(ann, BTC, Side::Short, 1, PRICE),
        Action::Liquidate => world.liquidate(bob, ann, BTC),
        Action::Withdraw => world.withdraw(ann, 1),
    }
}

#[test]
fn every_condition_stops_what_the_table_says_and_nothing_else() {
    let (mut tested, mut stopped) = (0, 0);
    for (condition, stops) in STOPS {
        if matches!(condition, Condition::Missing | Condition::SingleTick) {
            continue;
        }
        let (mut world, ann, bob) = with_positions();
        bring_about(&mut world, condition);
        for (action, stops) in Action::ALL.into_iter().zip(stops) {
            println!("{condition:?} {action:?}");
            let outcome = attempt(&mut world, action, ann, bob);
            match (stops, action) {
                (true, _) => outcome.fails_with(error_of(condition)),
                // The account is healthy: the price was good enough to find that out.
                (false, Action::Liquidate) => outcome.fails_with(BallastError::NotEligible),
                (false, _) => drop(outcome.succeeds()),
            }
            tested += 1;
            stopped += usize::from(stops);
        }
    }
    assert_eq!((tested, stopped), (36, 27));
}

#[test]
fn without_a_price_nothing_is_done() {
    let mut world = World::empty(Lite::new());
    world.create_market(&MarketSpec::btc());
    let (ann, bob) = (world.trader(100 * DOLLAR), world.trader(0));
    world.buy(ann, BTC, 1, PRICE).fails_with(BallastError::OracleStale);
    world.reduce(ann, BTC, Side::Short, 1, PRICE).fails_with(BallastError::OracleStale);
    world.liquidate(bob, ann, BTC).fails_with(BallastError::OracleStale);
    world.withdraw(ann, 100 * DOLLAR).succeeds();
}

#[test]
fn on_a_single_tick_one_trades_but_nobody_is_liquidated() {
    let mut world = World::empty(Lite::new());
    world.create_market(&MarketSpec::btc());
    world.advance(1);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    world.trade(BTC, ann, bob, 100, PRICE);
    world.reduce(ann, BTC, Side::Short, 1, PRICE).succeeds();
    world.withdraw(ann, DOLLAR).succeeds();
    world.liquidate(bob, ann, BTC).fails_with(BallastError::OracleSingleTick);
    world.advance(1);
    world.liquidate(bob, ann, BTC).fails_with(BallastError::NotEligible);
}

#[test]
fn a_single_bad_tick_liquidates_nobody() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(520 * DOLLAR), world.trader(5_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.tick(BTC, 9 * DOLLAR, 10);
    // At the mark, which has moved by its cap, the account is all but bankrupt.
    assert!(world.equity(ann) < 20_000_000);
    world.liquidate(bob, ann, BTC).fails_with(BallastError::NotEligible);
    world.tick(BTC, PRICE, 10);
    world.liquidate(bob, ann, BTC).fails_with(BallastError::NotEligible);
    assert_eq!(world.market(BTC).mark().0, PRICE * 95 / 100 * 105 / 100);
}

#[test]
fn a_sample_that_no_honest_feed_would_publish_is_refused() {
    let mut world = World::btc();
    let before = *world.market(BTC).reading();
    world.wait(10);
    let good = world.observe(BTC, PRICE);
    let mut refused = |change: &dyn Fn(&mut ballast_tests::harness::Observation), error| {
        let mut bad = good.clone();
        change(&mut bad);
        world.publish(BTC, &bad).fails_with(error);
    };
    refused(&|bad| bad.verification = Verification::Partial { signatures: 12 }, BallastError::OracleUnverified);
    refused(&|bad| bad.price.price = 0, BallastError::OraclePrice);
    refused(&|bad| bad.price.price = -bad.price.price, BallastError::OraclePrice);
    refused(&|bad| bad.price.price = i64::MIN, BallastError::OraclePrice);
    refused(&|bad| bad.price.price = 1, BallastError::OraclePrice);
    refused(&|bad| bad.price.price = i64::MAX, BallastError::OraclePrice);
    refused(&|bad| bad.price.exponent = 7, BallastError::OraclePrice);
    refused(&|bad| bad.price.exponent = i32::MIN, BallastError::OraclePrice);
    refused(&|bad| bad.price.publish_time += 6, BallastError::OracleFuture);
    refused(&|bad| bad.price.publish_time = i64::MAX, BallastError::OracleFuture);
    refused(&|bad| bad.price.publish_time = i64::MIN, BallastError::OracleNotNewer);
    refused(&|bad| bad.price.publish_time = before.publish_time, BallastError::OracleNotNewer);
    refused(&|bad| bad.price.feed_id[0] ^= 1, BallastError::WrongOracle);
    refused(&|bad| bad.owner = Pubkey::new_unique(), BallastError::WrongOracle);
    refused(&|bad| bad.owner = LEGACY_PROGRAM, BallastError::WrongOracle);
    assert_eq!(*world.market(BTC).reading(), before, "nothing of that was taken");
    world.publish(BTC, &good).succeeds();
    world.refresh(BTC).fails_with(BallastError::OracleNotNewer);
}

#[test]
fn a_price_too_old_for_any_action_is_not_taken() {
    let mut world = World::btc();
    world.wait(10_000);
    let mut old = world.observe(BTC, PRICE);
    old.price.publish_time -= 3_601;
    world.publish(BTC, &old).fails_with(BallastError::OracleStale);
    old.price.publish_time += 1;
    world.publish(BTC, &old).succeeds();
}

#[test]
fn any_account_of_the_receiver_with_the_markets_feed_will_do() {
    let mut world = World::btc();
    world.wait(10);
    let (elsewhere, observation) = (Pubkey::new_unique(), world.observe(BTC, PRICE + 100));
    world.write_observation(BTC, elsewhere, &observation);
    let refresh = instructions::refresh_market(&world.market_keys(BTC), &elsewhere);
    world.send(&[refresh], &[]).succeeds();
    assert_eq!(world.market(BTC).reading().price.0, PRICE + 100);
}

#[test]
fn an_account_that_is_no_price_update_is_refused() {
    let mut world = World::btc();
    world.wait(10);
    let good = world.observe(BTC, PRICE);
    let account = Pubkey::new_unique();
    let bytes = good.price.price_update(&Pubkey::default(), good.verification);
    for broken in [vec![], vec![0; 134], bytes[..60].to_vec(), [&[1u8; 8], &bytes[8..]].concat()] {
        let lamports = 10_000_000;
        let forged = Account { lamports, data: broken, owner: good.owner, executable: false, rent_epoch: u64::MAX };
        ballast_tests::harness::Chain::put_account(&mut world.chain, account, forged);
        let refresh = instructions::refresh_market(&world.market_keys(BTC), &account);
        world.send(&[refresh], &[]).fails_with(BallastError::BadOracleData);
    }
}

#[test]
fn the_older_pyth_format_leads_to_the_same_price() {
    let spec = MarketSpec { oracle: MarketSpec::sol().oracle, ..MarketSpec::btc() };
    let mut world = World::new(&[MarketSpec::btc(), spec]);
    world.move_price(0, PRICE + 12_300);
    world.move_price(1, PRICE + 12_300);
    let (newer, older) = (world.market(0), world.market(1));
    assert_eq!(newer.reading().price, older.reading().price);
    assert_eq!(newer.mark(), older.mark());
    assert_eq!(older.reading().confidence_bps, newer.reading().confidence_bps);
}

#[test]
fn the_older_format_is_checked_as_strictly() {
    let mut world = World::new(&[MarketSpec::sol()]);
    let price = MarketSpec::sol().price;
    world.wait(10);
    let good = world.observe(0, price);
    let mut refused = |change: &dyn Fn(&mut ballast_tests::harness::Observation), error| {
        let mut bad = good.clone();
        change(&mut bad);
        world.publish(0, &bad).fails_with(error);
    };
    refused(&|bad| bad.status = LegacyStatus::Halted, BallastError::OracleStale);
    refused(&|bad| bad.status = LegacyStatus::Unknown, BallastError::OracleStale);
    refused(&|bad| bad.status = LegacyStatus::Auction, BallastError::OracleStale);
    refused(&|bad| bad.price.price = -1, BallastError::OraclePrice);
    refused(&|bad| bad.price.publish_time += 6, BallastError::OracleFuture);
    refused(&|bad| bad.owner = Pubkey::new_unique(), BallastError::WrongOracle);
    // Its identity is its address.
    let elsewhere = Pubkey::new_unique();
    world.write_observation(0, elsewhere, &good);
    let refresh = instructions::refresh_market(&world.market_keys(0), &elsewhere);
    world.send(&[refresh], &[]).fails_with(BallastError::WrongOracle);
    world.publish(0, &good).succeeds();
}

#[test]
fn an_account_that_is_no_older_price_account_is_refused() {
    let mut world = World::new(&[MarketSpec::sol()]);
    world.wait(10);
    let good = world.observe(0, MarketSpec::sol().price);
    let bytes = good.price.legacy_price(&Pubkey::default(), LegacyStatus::Trading);
    let with = |at: usize, value: u32| {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    // Magic, version, and the types of mapping and product accounts; then no, half and one byte less than an account.
    let forged = [with(0, 0xa1b2_c3d5), with(4, 1), with(4, 3), with(8, 1), with(8, 2), with(8, 0)];
    let short = [vec![], bytes[..240].to_vec(), bytes[..bytes.len() - 1].to_vec(), vec![0; bytes.len()]];
    let account = world.oracle_account(0);
    for data in forged.into_iter().chain(short) {
        let forged =
            Account { lamports: 100_000_000, data, owner: good.owner, executable: false, rent_epoch: u64::MAX };
        ballast_tests::harness::Chain::put_account(&mut world.chain, account, forged);
        world.refresh(0).fails_with(BallastError::BadOracleData);
    }
    world.publish(0, &good).succeeds();
}

#[test]
fn an_older_price_account_that_stands_still_is_no_news_and_grows_old() {
    let mut world = World::new(&[MarketSpec::sol()]);
    let price = MarketSpec::sol().price;
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(5_000 * DOLLAR));
    world.trade(0, ann, bob, 100, price);
    world.wait(10);
    let frozen = world.observe(0, price);
    world.publish(0, &frozen).succeeds();
    world.wait(10);
    // Newer slots without a newer time are the same price.
    let mut slots = frozen.clone();
    slots.price.posted_slot += 1_000;
    world.publish(0, &slots).fails_with(BallastError::OracleNotNewer);
    world.wait(60);
    world.refresh(0).fails_with(BallastError::OracleNotNewer);
    world.buy(bob, 0, 1, price).fails_with(BallastError::OracleStale);
    world.reduce(ann, 0, Side::Short, 1, price).succeeds();
    world.wait(3_600);
    world.reduce(ann, 0, Side::Short, 1, price).fails_with(BallastError::OracleStale);
}

#[test]
fn a_mark_moves_no_faster_than_its_cap() {
    let mut world = World::btc();
    world.tick(BTC, 12 * DOLLAR, 4);
    assert_eq!(world.market(BTC).mark().0, PRICE + PRICE / 100 * 2, "half a per cent in a second");
    world.tick(BTC, 12 * DOLLAR, 1_000);
    let expected = (PRICE + PRICE / 100 * 2) * 110 / 100;
    assert_eq!(world.market(BTC).mark().0, expected, "a silence counts for twenty seconds");
}
