//! Forced reductions are explained from what their transactions logged. Every test of the exchange checks that no number
//! differs (see the harness); here: that the numbers are there, and that a false one is found.

use std::{fs, path::Path};

use anchor_lang::Discriminator;
use ballast_client::{
    ballast::events::{Cause, Deleveraged},
    events::{Event, cells},
    why::{Cell, Explained, Line, Verdict, What, cells_of, explain},
};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Receipt, Trader, World};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;

use super::page::raw_accounts;

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// The lines of the one forced reduction of a transaction, after `change` of its event.
fn lines(world: &mut World, receipt: &Receipt, alone: bool, change: impl FnOnce(&mut Event)) -> Vec<Line> {
    let mut events = receipt.events();
    let forced = |event: &Event| matches!(event, Event::Liquidated(_) | Event::Deleveraged(_));
    let index = events.iter().position(forced).expect("somebody was reduced");
    change(&mut events[index]);
    let snapshot = world.snapshot();
    let market = &snapshot.market(BTC).unwrap().market;
    match explain(&events, index, market, alone).unwrap().unwrap() {
        Explained::Liquidated { lines, .. } | Explained::Deleveraged { lines, .. } => lines,
    }
}

fn verdict(lines: &[Line], what: What) -> Verdict {
    lines.iter().find(|line| line.what == what).unwrap_or_else(|| panic!("{what:?} is explained")).verdict
}

/// Ann is long 1,000 lots at $10 with $600, Bob is short and bids.
fn thin(world: &mut World) -> (Trader, Trader) {
    let (ann, bob) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let price = 9 * DOLLAR + 63 * CENT;
    world.bid(bob, BTC, 1_000, price);
    world.move_price(BTC, price);
    assert_eq!(world.stage(ann), Stage::Partial);
    (ann, kit)
}

#[test]
fn every_number_of_a_liquidation_on_the_book_is_computed_anew() {
    let mut world = World::btc();
    let (ann, kit) = thin(&mut world);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    let lines = lines(&mut world, &receipt, true, |_| {});
    let expected = [
        What::Equity,
        What::PositionMaintenance,
        What::Maintenance,
        What::Stage,
        What::BankruptcyPrice,
        What::Lots,
        What::Quote,
        What::WorstPrice,
        What::Reward,
        What::ToInsurance,
    ];
    assert_eq!(lines.iter().map(|line| line.what).collect::<Vec<_>>(), expected);
    let same = lines.iter().filter(|line| line.what != What::WorstPrice);
    assert!(same.into_iter().all(|line| line.verdict == Verdict::Same), "{lines:#?}");
    assert_eq!(verdict(&lines, What::WorstPrice), Verdict::Within);
}

#[test]
fn a_false_number_is_found() {
    let mut world = World::btc();
    let (ann, kit) = thin(&mut world);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    let mut after = |alone, change: fn(&mut ballast_client::ballast::events::Liquidated)| {
        lines(&mut world, &receipt, alone, |event| match event {
            Event::Liquidated(event) => change(event),
            _ => unreachable!(),
        })
    };
    let found = after(true, |event| event.lots += 1);
    assert_eq!(verdict(&found, What::Lots), Verdict::Differs);
    let found = after(true, |event| event.equity -= 1);
    assert_eq!(verdict(&found, What::Equity), Verdict::Differs);
    let found = after(false, |event| event.equity += DOLLAR as i64);
    assert_eq!(verdict(&found, What::Equity), Verdict::Unknown, "other markets may have it");
    let found = after(true, |event| event.reward += 1);
    assert_eq!(verdict(&found, What::Reward), Verdict::Differs);
    let found = after(true, |event| event.bankruptcy_price += 30_000);
    assert_eq!(verdict(&found, What::BankruptcyPrice), Verdict::Differs);
    let found = after(true, |event| event.mark -= CENT);
    assert!(found.iter().any(|line| line.verdict == Verdict::Differs));
}

#[test]
fn an_account_with_another_market_is_explained_as_far_as_the_transaction_tells() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.trade(ETH, ann, bob, 1, 4 * DOLLAR);
    world.move_price(BTC, 9 * DOLLAR + 60 * CENT);
    let receipt = world.liquidate(kit, ann, BTC).succeeds();
    let found = lines(&mut world, &receipt, false, |_| {});
    assert!(found.iter().all(|line| line.verdict != Verdict::Differs), "{found:#?}");
    assert_eq!(verdict(&found, What::Maintenance), Verdict::Unknown);
    assert_eq!(verdict(&found, What::PositionMaintenance), Verdict::Same);
}

#[test]
fn a_takeover_is_at_the_discount_of_its_seconds() {
    let mut world = World::btc();
    let (ann, kit) = {
        let (ann, bob) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR));
        let kit = world.trader(100_000 * DOLLAR);
        world.trade(BTC, ann, bob, 1_000, PRICE);
        (ann, kit)
    };
    world.move_price(BTC, 9 * DOLLAR + 52 * CENT);
    assert_eq!(world.stage(ann), Stage::Takeover);
    let receipt = world.take_over(kit, ann, BTC, 10).succeeds();
    let found = lines(&mut world, &receipt, true, |_| {});
    for what in [What::Price, What::Quote, What::Reward, What::InsuranceDrawn, What::BankruptcyPrice] {
        assert_eq!(verdict(&found, what), Verdict::Same, "{what:?}");
    }
    assert_eq!(verdict(&found, What::Lots), Verdict::Within, "the taker wanted fewer");
    let later = lines(&mut world, &receipt, true, |event| match event {
        Event::Liquidated(event) => event.seconds += 60,
        _ => unreachable!(),
    });
    assert_eq!(verdict(&later, What::Price), Verdict::Differs);
}

/// Cal went bankrupt with a long of 10,000 lots; three shorts of different leverage are the other side.
fn deleveraged(world: &mut World) -> Receipt {
    let cal = world.trader(5_500 * DOLLAR);
    let kit = world.trader(1_000 * DOLLAR);
    for (lots, deposit) in [(4_000, 40_000), (4_000, 2_200), (2_000, 8_000)] {
        let trader = world.trader(deposit * DOLLAR);
        world.trade(BTC, cal, trader, lots, PRICE);
    }
    // Somebody else takes a part of it on the book, so that the last cell is reduced in part.
    world.move_price(BTC, 9 * DOLLAR + 20 * CENT);
    let ann = world.trader(1_000_000 * DOLLAR);
    let price = world.bankruptcy_price(cal, BTC).unsigned_abs().next_multiple_of(100);
    world.bid(ann, BTC, 1_000, price);
    world.deleverage(kit, cal, BTC, 100).succeeds()
}

#[test]
fn a_deleveraging_is_in_the_order_of_scores_at_the_bankruptcy_price() {
    let mut world = World::btc();
    let receipt = deleveraged(&mut world);
    let found = lines(&mut world, &receipt, true, |_| {});
    let (bounded, exact): (Vec<&Line>, Vec<&Line>) = found.iter().partition(|line| line.what == What::InsuranceDrawn);
    assert!(exact.iter().all(|line| line.verdict == Verdict::Same), "{found:#?}");
    assert!(bounded.iter().all(|line| line.verdict == Verdict::Within), "insurance had less than the loss: {found:#?}");
    assert!(found.iter().any(|line| line.what == What::LastScore && line.logged > 0));
    let event = receipt.events().into_iter().find_map(|event| match event {
        Event::Deleveraged(event) => Some(event),
        _ => None,
    });
    let event = event.unwrap();
    let cells: Vec<Cell> = cells_of(&event);
    assert_eq!(cells.iter().map(|cell| cell.lots).sum::<u64>(), 9_000);
    assert_eq!(cells.iter().map(|cell| cell.ahead).collect::<Vec<_>>(), [0, 4_000, 6_000]);
    let taken: Vec<_> = cells.iter().map(|cell| cell.taken_ppm).collect();
    assert_eq!(taken, [Some(1_000_000), Some(1_000_000), Some(750_000)]);
    assert!(cells.iter().all(|cell| (cell.entry_low..=cell.entry_high).contains(&PRICE)));
}

#[test]
fn cells_in_another_order_are_found() {
    let mut world = World::btc();
    let receipt = deleveraged(&mut world);
    let change = |event: &mut Event, change: fn(&mut ballast_client::ballast::events::Deleveraged)| match event {
        Event::Deleveraged(event) => change(event),
        _ => unreachable!(),
    };
    let swapped = lines(&mut world, &receipt, true, |event| {
        change(event, |event| {
            assert_eq!(cells(event).count(), 3);
            event.cells.rotate_left(8);
        });
    });
    assert_eq!(verdict(&swapped, What::OutOfOrder), Verdict::Differs);
    let dearer = lines(&mut world, &receipt, true, |event| change(event, |event| event.price += 1));
    assert_eq!(verdict(&dearer, What::Price), Verdict::Differs);
    let poorer = lines(&mut world, &receipt, true, |event| change(event, |event| event.equity -= 100_000));
    assert_eq!(verdict(&poorer, What::BankruptcyPrice), Verdict::Differs);
}

/// A transaction as `getTransaction` gives it.
fn as_a_node_gives(receipt: &Receipt) -> Value {
    let mut keys: Vec<Pubkey> = Vec::new();
    let mut place = |key: &Pubkey| {
        keys.iter().position(|known| known == key).unwrap_or_else(|| {
            keys.push(*key);
            keys.len() - 1
        })
    };
    let mut outer: Vec<Value> = Vec::new();
    let mut inner: Vec<Value> = Vec::new();
    for ran in &receipt.invocations {
        let accounts: Vec<usize> = ran.accounts.iter().map(&mut place).collect();
        let compiled = json!({
            "programIdIndex": place(&ran.program),
            "accounts": accounts,
            "data": bs58::encode(&ran.data).into_string(),
            "stackHeight": ran.height,
        });
        if ran.height == 1 {
            outer.push(compiled);
        } else {
            inner.push(json!({ "index": outer.len() - 1, "instructions": [compiled] }));
        }
    }
    let keys: Vec<String> = keys.iter().map(Pubkey::to_string).collect();
    json!({
        "slot": 1,
        "blockTime": 1,
        "transaction": { "message": { "accountKeys": keys, "instructions": outer } },
        "meta": { "err": null, "innerInstructions": inner },
    })
}

/// What the page reads of those on the other side of a deleveraging: what waits in the accounts before it is booked, and the receipts in
/// the transactions that book it.
#[test]
fn what_was_taken_of_others_is_written_for_the_page() {
    let mut world = World::btc();
    deleveraged(&mut world);
    let (exchange, raw) = (world.keys.exchange.to_string(), raw_accounts(&mut world));
    let kit = world.trader(1_000 * DOLLAR);
    let all: Vec<Trader> = world.traders().collect();
    let mut booked = Vec::new();
    for trader in all {
        let Ok(receipt) = world.settle(kit, trader, BTC) else { continue };
        let taken = receipt.events().into_iter().find_map(|event| match event {
            Event::PositionChanged(event) if event.cause == Cause::Deleveraged => Some(event),
            _ => None,
        });
        let Some(taken) = taken else { continue };
        booked.push(json!({
            "account": taken.account.to_string(),
            "lots": taken.base.to_string(),
            "cash": taken.cash.to_string(),
            "logs": receipt.logs,
            "transaction": as_a_node_gives(&receipt),
        }));
    }
    assert_eq!(booked.len(), 3, "all three shorts gave");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/app");
    fs::create_dir_all(&folder).expect("a folder for the fixture");
    let all = json!({ "exchange": exchange, "raw": raw, "booked": booked });
    fs::write(folder.join("receipts.json"), all.to_string()).expect("the fixture is written");
}

/// A liquidation and a deleveraging for the page to explain, with what is computed here.
#[test]
fn what_the_page_explains_is_written_for_it() {
    let mut book = World::btc();
    let (ann, kit) = thin(&mut book);
    let liquidated = book.liquidate(kit, ann, BTC).succeeds();
    let mut ranked = World::btc();
    let deleveraged = deleveraged(&mut ranked);
    let cases = [(&mut book, liquidated), (&mut ranked, deleveraged)].map(|(world, receipt)| {
        let events = receipt.events();
        let forced = |event: &Event| matches!(event, Event::Liquidated(_) | Event::Deleveraged(_));
        let index = events.iter().position(forced).expect("somebody was reduced");
        let lines = lines(world, &receipt, true, |_| {});
        let line = |line: &Line| {
            let computed = line.computed.map(|value| value.to_string());
            json!({ "logged": line.logged.to_string(), "computed": computed, "verdict": format!("{:?}", line.verdict) })
        };
        json!({
            "exchange": world.keys.exchange.to_string(),
            "raw": raw_accounts(world),
            "transaction": as_a_node_gives(&receipt),
            "index": index,
            "discriminator": Deleveraged::DISCRIMINATOR.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "lines": lines.iter().map(line).collect::<Vec<_>>(),
        })
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/app");
    fs::create_dir_all(&folder).expect("a folder for the fixture");
    fs::write(folder.join("why.json"), json!(cases).to_string()).expect("the fixture is written");
}
