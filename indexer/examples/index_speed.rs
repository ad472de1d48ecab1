//! How fast events are written and read: an empty database, so many events, the interface's queries.
//!
//! `cargo run --example index_speed -- [events] [database URL]`; the database must be empty. The transactions are those of a busy
//! market, made up in memory: nothing of a node or a network is measured.

use std::{path::PathBuf, time::Instant};

use anchor_lang::Event as _;
use ballast_client::ballast::events::{Cause, MakerFill, MarkUpdated, OrderPlaced, PositionChanged, Traded};
use ballast_indexer::{
    api::Markets,
    db::Place,
    position::Tx,
    read,
    source::Logged,
    write::{Indexed, Writer},
};
use solana_pubkey::Pubkey;

const EXCHANGE: Pubkey = Pubkey::new_from_array([5; 32]);
/// Events of one made-up transaction.
const EACH: u64 = 5;
/// Transactions written at once.
const BATCH: u64 = 256;
/// Accounts that trade.
const ACCOUNTS: u64 = 1_000;

fn account(number: u64) -> Pubkey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&(number % ACCOUNTS).to_le_bytes());
    Pubkey::new_from_array(bytes)
}

/// A price update, an order, and a trade with two makers.
fn transaction(number: u64, markets: &Markets) -> Indexed {
    let (market, price) = (u16::try_from(number % 4).unwrap_or_default(), 100_000 + number % 977);
    let seat = |number: u64| u32::try_from(number % ACCOUNTS).unwrap_or_default();
    let (placer, taker) = (account(number), account(number * 7 + 1));
    let updated = MarkUpdated { market, oracle: price, mark: price, publish_time: 0, funding_index: 5 };
    let placed = OrderPlaced {
        market,
        account: placer,
        seat: seat(number),
        order_id: u128::from(number) << 64,
        buys: true,
        price,
        peg: None,
        lots: 9,
        reduce_only: false,
        expires_at: 0,
        client_id: number,
    };
    let fill = |number| MakerFill { seat: seat(number), order_id: u128::from(number) << 64, price, lots: 3 };
    let traded = Traded {
        market,
        taker,
        bought: number.is_multiple_of(2),
        cause: Cause::Taker,
        wanted: 6,
        limit: price,
        client_id: number,
        fee: 7,
        fills: vec![fill(number), fill(number.saturating_sub(4))],
        removed: Vec::new(),
    };
    let changed = PositionChanged {
        market,
        account: taker,
        cause: Cause::Taker,
        base: 6,
        cash: -600_000,
        fee: 7,
        lots: 6,
        basis: 600_000,
    };
    let all = [updated.data(), placed.data(), traded.data(), changed.data(), updated.data()];
    let events = (0..).zip(all).map(|(event, data)| Logged::new(event, data, markets)).collect();
    Indexed {
        tx: Tx::new(1_000 + number / 8, usize::try_from(number % 8).unwrap_or_default()),
        signature: format!("{number:0>88}"),
        time: Some(1_790_000_000 + i64::try_from(number / 20).unwrap_or_default()),
        failed: false,
        events,
    }
}

fn main() -> anyhow::Result<()> {
    let mut said = std::env::args().skip(1);
    let wanted: u64 = said.next().map_or(Ok(1_000_000), |count| count.parse())?;
    let folder = tempfile::tempdir()?;
    let url = said.next().unwrap_or_else(|| folder.path().join("speed.db").display().to_string());
    let (place, markets) = (Place::parse(&url)?, Markets::new(&EXCHANGE));
    let mut writer = Writer::open(&place, &EXCHANGE, None)?;

    let (began, mut slowest) = (Instant::now(), 0.0_f64);
    let mut number = 0;
    while number * EACH < wanted {
        let batch: Vec<Indexed> = (number..number + BATCH).map(|number| transaction(number, &markets)).collect();
        number += BATCH;
        let before = Instant::now();
        let slot = batch.last().map_or(0, |last| last.tx.slot());
        writer.add(&batch, slot, Some(slot), false)?;
        slowest = slowest.max(before.elapsed().as_secs_f64());
    }
    let (events, took) = (number * EACH, began.elapsed().as_secs_f64());
    println!(
        "{} | backfill: {events} events in {took:.1} s, {:.0} a second; slowest batch {:.0} ms",
        place.kind(),
        events as f64 / took,
        slowest * 1e3
    );

    // Live: a few transactions a time, as slots bring them.
    let (mut times, rounds) = (Vec::new(), 200);
    for _ in 0..rounds {
        let batch: Vec<Indexed> = (number..number + 8).map(|number| transaction(number, &markets)).collect();
        number += 8;
        let before = Instant::now();
        let slot = batch.last().map_or(0, |last| last.tx.slot());
        writer.add(&batch, slot, None, false)?;
        times.push(before.elapsed().as_secs_f64());
    }
    println!("{} | live: a slot of 8 transactions, 40 events: {}", place.kind(), quantiles(&mut times));

    let mut db = place.connect()?;
    let db = db.as_mut();
    let (who, middle) = (account(8).to_string(), format!("{}-3-2", 1_000 + number / 16).parse().ok());
    let mut measure =
        |what: &str, ask: &mut dyn FnMut(&mut dyn ballast_indexer::db::Connection) -> anyhow::Result<usize>| {
            let (mut times, mut rows) = (Vec::new(), 0);
            for _ in 0..50 {
                let before = Instant::now();
                rows = ask(db)?;
                times.push(before.elapsed().as_secs_f64());
            }
            println!("{} | {what} ({rows} rows): {}", place.kind(), quantiles(&mut times));
            anyhow::Ok(())
        };
    measure("status", &mut |db| Ok(read::progress(db).map(|_| 1)?))?;
    measure("trades, newest 100", &mut |db| Ok(read::trades(db, 0, None, 100)?.len()))?;
    measure("trades, 1,000 from the middle", &mut |db| Ok(read::trades(db, 0, middle, 1_000)?.len()))?;
    measure("candles of a minute, 1,000", &mut |db| Ok(read::candles(db, 0, 60, i64::MIN, i64::MAX, 1_000)?.len()))?;
    measure("an account's fills, newest 100", &mut |db| Ok(read::entries(db, &who, Some("fills"), None, 100)?.len()))?;
    measure("an account's history, 100 from the middle", &mut |db| {
        Ok(read::entries(db, &who, None, middle, 100)?.len())
    })?;

    let before = Instant::now();
    let events = writer.rebuild()?;
    let took = before.elapsed().as_secs_f64();
    println!("{} | rebuild: {events} events in {took:.1} s, {:.0} a second", place.kind(), events as f64 / took);
    if let Ok(file) = PathBuf::from(&url).metadata() {
        println!("{} | file: {} MB", place.kind(), file.len() / 1_000_000);
    }
    Ok(())
}

fn quantiles(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)] * 1e3;
    format!("median {:.2} ms, 99th percentile {:.2} ms", at(50), at(99))
}
