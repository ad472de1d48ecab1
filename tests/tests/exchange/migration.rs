//! Accounts that version 1 of the program wrote, with the program of today: refused, migrated, and then what they were.

use ballast_client::{
    accounts,
    ballast::{error::BallastError, state::MarketStatus},
    instructions::{self, Tend},
    units::{Lots, Price, Side},
};
use ballast_tests::{
    fixture::{self, LEGACY},
    harness::{BTC, Chain, DOLLAR, Expect, Lite, Saved, Trader, World, contains, describe},
};
use serde_json::Value;
use solana_account::ReadableAccount;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// The exchange as version 1 left it, and what it held.
fn old() -> (World, Value) {
    let directory = fixture::directory(1);
    let world = Saved::read(&directory).restore(Lite::new());
    let expected = std::fs::read_to_string(directory.join("expected.json")).unwrap();
    (world, serde_json::from_str(&expected).unwrap())
}

fn version(world: &mut World, key: &Pubkey) -> Option<u8> {
    accounts::version(world.chain.account(key).unwrap().data())
}

/// Somebody with orders in the first market, and somebody else.
fn pair(world: &World) -> (Trader, Trader) {
    let all: Vec<_> = world.traders().collect();
    (all[12], all[4])
}

/// Nearly every instruction that reads a margin account, a market or a book, with its signers.
fn attempts(world: &World) -> Vec<(&'static str, Instruction, Vec<Keypair>)> {
    let (ann, bob) = pair(world);
    let (owner, admin) = (world.owner(ann), world.admin.insecure_clone());
    let (trader, margin, keys) = (owner.pubkey(), world.margin(ann), world.keys);
    let market = world.market_keys(BTC);
    let tend = Tend { reward: world.margin(bob), margin, market, others: Vec::new() };
    let order = instructions::limit_order(Side::Long, Price(8 * DOLLAR), Lots(10));
    let wallet = world.wallet(ann);
    let by = |key: &Keypair| vec![key.insecure_clone()];
    vec![
        ("deposit", instructions::deposit(&trader, &keys, &margin, &wallet, 1), by(&owner)),
        ("withdraw", instructions::withdraw(&trader, &keys, &margin, &wallet, 1, &[]), by(&owner)),
        ("set_delegate", instructions::set_delegate(&trader, &margin, &trader), by(&owner)),
        ("close", instructions::close_margin_account(&trader, &margin, &trader), by(&owner)),
        ("place_order", instructions::place_order(&trader, &margin, &market, order, &[]), by(&owner)),
        ("cancel_all", instructions::cancel_all(&trader, &margin, &market, None, 9), by(&owner)),
        ("prune", instructions::prune_orders(&market, Side::Long, 9), vec![]),
        ("refresh", instructions::refresh_market(&market, &world.oracle_account(BTC)), vec![]),
        ("settle", instructions::settle_seat(&tend), vec![]),
        ("rerank", instructions::rerank(&tend), vec![]),
        ("liquidate", instructions::liquidate(&tend), vec![]),
        ("deleverage", instructions::deleverage(&keys, &tend, 9), vec![]),
        ("cover_bad_debt", instructions::cover_bad_debt(&keys, &tend), vec![]),
        ("sweep", instructions::sweep_insurance_fees(&keys, &market), vec![]),
        ("withdraw_fees", instructions::withdraw_fees(&admin.pubkey(), &keys, &market.market, &wallet), by(&admin)),
        (
            "set_status",
            instructions::set_market_status(&admin.pubkey(), &keys.exchange, &market.market, MarketStatus::Paused),
            by(&admin),
        ),
    ]
}

fn all_refused(world: &mut World, but: &[&str]) {
    for (name, instruction, signers) in attempts(world) {
        if but.contains(&name) {
            continue;
        }
        println!("{name}");
        let signers: Vec<&Keypair> = signers.iter().collect();
        world.send(&[instruction], &signers).fails_with(BallastError::AccountOutdated);
    }
}

fn migrate_margin_accounts(world: &mut World) {
    let all: Vec<_> = world.traders().map(|trader| world.margin(trader)).collect();
    let existing: Vec<_> = all.into_iter().filter(|key| world.chain.account(key).is_some()).collect();
    for batch in existing.chunks(8) {
        let batch: Vec<_> = batch.iter().map(instructions::migrate_margin_account).collect();
        world.send(&batch, &[]).succeeds();
    }
}

fn migrate_market(world: &mut World, market: u16) {
    let keys = world.market_keys(market);
    world.send(&[instructions::migrate_market(&keys.market, &keys.ranks)], &[]).succeeds();
}

/// Migrates a book, `limit` blocks a transaction; returns how many it took.
fn migrate_book(world: &mut World, market: u16, limit: u32) -> u32 {
    let keys = world.market_keys(market);
    let payer = world.payer.pubkey();
    let mut transactions = 0;
    while version(world, &keys.book) == Some(1) {
        world.send(&[instructions::migrate_book(&payer, &keys.market, &keys.book, limit)], &[]).succeeds();
        transactions += 1;
    }
    transactions
}

#[test]
fn everything_refuses_accounts_of_version_1() {
    let (mut world, _) = old();
    // A newer price, so that it is not the price that is refused.
    world.wait(10);
    let (oracle, news) = (world.oracle_account(BTC), world.observe(BTC, world.oracle_price(BTC)));
    world.write_observation(BTC, oracle, &news);
    all_refused(&mut world, &[]);
    // With accounts and market up to date, what does not need the book works again; the rest still refuses.
    migrate_margin_accounts(&mut world);
    migrate_market(&mut world, BTC);
    all_refused(&mut world, &["deposit", "withdraw", "set_delegate", "close", "sweep", "withdraw_fees", "set_status"]);
    // And while the book is on its way.
    let (payer, keys) = (world.payer.pubkey(), world.market_keys(BTC));
    for _ in 0..3 {
        world.send(&[instructions::migrate_book(&payer, &keys.market, &keys.book, 5)], &[]).succeeds();
    }
    assert_eq!(version(&mut world, &keys.book), Some(1));
    all_refused(&mut world, &["deposit", "withdraw", "set_delegate", "close", "sweep", "withdraw_fees", "set_status"]);
}

#[test]
fn migrated_accounts_hold_what_they_held_and_trading_goes_on() {
    let (mut world, mut expected) = old();
    migrate_margin_accounts(&mut world);
    for (market, limit) in [(BTC, 7), (LEGACY, 1_000)] {
        migrate_market(&mut world, market);
        let transactions = migrate_book(&mut world, market, limit);
        assert!(if market == BTC { transactions > 8 } else { transactions == 1 }, "{transactions}");
    }
    world.audit_from_now();
    // What has another place now: the funding that fills in seats had not paid is the exchange's claim.
    expected["audit"] = Value::Null;
    for market in expected["markets"].as_array_mut().unwrap() {
        let market = market.as_object_mut().unwrap();
        let residual: i128 = market.remove("funding_residual").unwrap().as_str().unwrap().parse().unwrap();
        let claims = i128::from(market["fee_claims"].as_i64().unwrap()) + (residual >> 24);
        market.insert("fee_claims".into(), i64::try_from(claims).unwrap().into());
        // Tiers have become more.
        let tiers = market["params"]["tiers"].as_array_mut().unwrap();
        tiers.resize(10, serde_json::json!({ "lower": 0, "maintenance_bps": 0, "initial_bps": 0 }));
    }
    let mut found = describe(&mut world);
    found["audit"] = Value::Null;
    contains(&found, &expected).unwrap();

    // Migrating once more changes nothing.
    let before = describe(&mut world);
    migrate_margin_accounts(&mut world);
    migrate_market(&mut world, BTC);
    let (payer, keys) = (world.payer.pubkey(), world.market_keys(BTC));
    world.send(&[instructions::migrate_book(&payer, &keys.market, &keys.book, 7)], &[]).succeeds();
    assert_eq!(describe(&mut world), before);

    // Trading goes on, audited after each instruction: seats are settled, orders matched, everybody is touched.
    world.advance(1);
    world.advance(1);
    let everybody: Vec<_> = world.traders().filter(|trader| exists(&mut world, *trader)).collect();
    let kit = world.trader(50_000 * DOLLAR);
    for market in [BTC, LEGACY] {
        let price = world.oracle_price(market);
        let tick = world.market(market).params.tick;
        let high = price * 105 / 100 / tick * tick;
        world.buy(kit, market, 200, high).succeeds();
        for trader in &everybody {
            if world.margin_account(*trader).slot_index(market).is_some() {
                world.settle(kit, *trader, market).succeeds();
            }
        }
        world.sweep_insurance_fees(market).ok();
    }
    world.advance(100);
}

fn exists(world: &mut World, trader: Trader) -> bool {
    let key = world.margin(trader);
    world.chain.account(&key).is_some()
}

#[test]
fn only_accounts_of_the_right_kind_are_migrated() {
    let (mut world, _) = old();
    let (payer, btc, other) = (world.payer.pubkey(), world.market_keys(BTC), world.market_keys(LEGACY));
    let exchange = world.keys.exchange;
    for wrong in [exchange, btc.market, btc.book, btc.ranks, world.mint, payer] {
        world.send(&[instructions::migrate_margin_account(&wrong)], &[]).fails_with(BallastError::WrongAccount);
    }
    let (ann, _) = pair(&world);
    for (market, ranks) in [(btc.market, other.ranks), (btc.book, btc.ranks), (world.margin(ann), btc.ranks)] {
        let migrate = instructions::migrate_market(&market, &ranks);
        world.send(&[migrate], &[]).fails_with(BallastError::WrongAccount);
    }
    // A book before its market, or of another.
    let early = instructions::migrate_book(&payer, &btc.market, &btc.book, 9);
    world.send(&[early], &[]).fails_with(BallastError::AccountOutdated);
    migrate_market(&mut world, BTC);
    for book in [other.book, btc.ranks] {
        let foreign = instructions::migrate_book(&payer, &btc.market, &book, 9);
        world.send(&[foreign], &[]).fails_with(BallastError::WrongAccount);
    }
}
