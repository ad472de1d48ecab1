//! A real indexer, as a process, on a local network: started late, killed in the middle, and its tables compared with those
//! of others and with the chain.

mod from_nothing;
mod indexer;
mod world;

use std::collections::BTreeSet;

use ballast_client::{events::Event, history::History, snapshot::Moment};
use ballast_indexer::{
    db::Place,
    items::{
        Candle, Deleveraging, DeleveragingLine, Fill, FundingPayment, HistoryLine, Insurance, Item, Items, Liquidation,
        MoneyKind, OrderKind, OrderLine, Position, Side as Of, Stress, Trade, Transfer, Whole, Why,
    },
    source::{Finality, Logged, Rpc, Source, SourceError},
};
use ballast_units::Side;
use indexer::{Indexer, rebuild, tables};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use world::{INSURANCE, World};

/// Reads an answer as what the description says it is, and sees that nothing of it is unsaid.
fn read<T: Serialize + DeserializeOwned>(answer: Value) -> T {
    let read: T = serde_json::from_value(answer.clone()).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), answer);
    read
}

fn list<T: Serialize + DeserializeOwned>(indexer: &Indexer, path: &str) -> Vec<Item<T>> {
    let all: Items<T> = read(indexer.get(path));
    let ids: Vec<&str> = all.0.iter().map(|item| item.head.id.as_str()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: ids are distinct");
    // In pages the list is the same.
    let (mut paged, mut before) = (Vec::new(), String::new());
    loop {
        let page: Items<T> = read(indexer.get(&format!("{path}?limit=3{before}")));
        let Some(last) = page.0.last() else { break };
        before = format!("&before={}", last.head.id);
        paged.extend(page.0.iter().map(|item| item.head.id.clone()));
    }
    assert_eq!(paged, ids, "{path}");
    all.0
}

/// What the tables' events add up to.
fn history(database: &str) -> History {
    let mut db = Place::parse(database).unwrap().connect().unwrap();
    let mut history = History::default();
    for row in db.query("SELECT slot, time, data FROM event_log ORDER BY tx, event", &[]).unwrap() {
        let event = Event::decode(&Logged::bytes(row.text(2).unwrap()).unwrap()).unwrap();
        let slot = u64::try_from(row.int(0).unwrap()).unwrap();
        history.enter(Moment { slot, unix_time: row.int(1).unwrap() }, &[event]);
    }
    history
}

fn number(text: &str) -> i128 {
    text.parse().unwrap()
}

/// That an order is told to be filled exactly where its fills and cuts leave nothing of what was placed.
fn are_filled_where_nothing_rests(orders: &[Item<OrderLine>], fills: &[Item<Fill>]) {
    let lines = orders.iter().filter_map(|line| match &line.body {
        OrderLine::Order(order) => Some(order),
        OrderLine::Trigger(_) => None,
    });
    let lines: Vec<_> = lines.collect();
    let of = |id: &str, kind| lines.iter().filter(move |order| order.order_id == id && order.kind == kind).count();
    let mut whole = 0;
    for placed in lines.iter().filter(|order| order.kind == OrderKind::Placed) {
        let id = placed.order_id.as_str();
        let filled: i128 =
            fills.iter().filter(|fill| fill.body.order_id == id).map(|fill| number(&fill.body.lots)).sum();
        let all = filled == number(placed.lots.as_ref().unwrap());
        assert_eq!(of(id, OrderKind::Filled), usize::from(all), "{placed:?}: {filled}");
        assert!(!all || of(id, OrderKind::Cancelled) == 0, "{placed:?}");
        whole += usize::from(all);
    }
    assert!(whole > 0, "some are filled");
}

/// What an account holds, from its lists alone: transfers, profits and fees, funding, bounties, what insurance paid, what liquidations
/// cost or brought. To the atom.
fn adds_up(indexer: &Indexer, world: &World, trader: &world::Trader) {
    let (key, state) = (trader.margin.to_string(), world.state().0);
    let path = |list: &str| format!("/v1/accounts/{key}/{list}");
    let realised = list::<Position>(indexer, &path("realised"));
    let mut sum: i128 = list::<Transfer>(indexer, &path("transfers")).iter().map(|of| number(&of.body.amount)).sum();
    for Item { body: change, .. } in &realised {
        sum += number(change.realised.as_ref().unwrap()) - number(&change.fee);
    }
    sum += list::<FundingPayment>(indexer, &path("funding")).iter().map(|of| number(&of.body.amount)).sum::<i128>();
    for line in list::<HistoryLine>(indexer, &path("history")) {
        match line.body {
            // From profit to money or back: what is held is the same.
            HistoryLine::Money(money) if money.kind != MoneyKind::Settled => sum += number(&money.amount),
            // What a takeover brings is in its price.
            HistoryLine::Liquidation(of) if !is_takeover(indexer, &of) => {
                let (reward, insurance) = (number(&of.reward), number(&of.to_insurance));
                sum += if of.account == key { -reward - insurance } else { reward };
            }
            _ => {}
        }
    }
    let account = state.account(&trader.margin).unwrap();
    let held: i128 = account.slots.iter().map(|slot| i128::from(slot.unsettled)).sum();
    assert_eq!(sum, held + i128::from(account.collateral), "{key}");
    // The newest line is what the position is now.
    if let Some(Item { body: newest, .. }) = realised.first() {
        let slot = account.slots.iter().find(|slot| slot.market().is_some());
        let held = slot.map_or((0, 0), |slot| (slot.lots.into(), slot.basis.into()));
        assert_eq!((number(&newest.lots), number(&newest.basis)), held, "{key}");
    }
}

/// Whether a liquidation was one: the account's position went to another, not to the book.
fn is_takeover(indexer: &Indexer, of: &Liquidation) -> bool {
    let changes = list::<Position>(indexer, &format!("/v1/accounts/{}/realised", of.account));
    changes.iter().any(|change| change.body.cause == Why::Takeover)
}

#[test]
fn tables_are_complete_after_a_late_start_a_kill_and_a_rebuild() {
    let world = World::found();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (database, log) = (format!("sqlite:{}", path("first.db")), folder.path().join("log"));

    // Before the indexer is there.
    let (maker, short, long) = (world.trader(1_000_000), world.trader(5_000), world.trader(300));
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 120_000);
    world.rest(&maker, Side::Long, 9_990, 60_000);
    world.take(&long, Side::Long, 10_000, 60_000);
    world.take(&short, Side::Short, 9_990, 30_000);
    let first = Indexer::start(&world, &database, &log);
    first.until_final(1);
    assert_eq!(list::<Trade>(&first, &format!("/v1/markets/{}/trades", world.market())).len(), 2);

    // While it follows.
    world.cancel(&maker);
    world.rest(&maker, Side::Long, 9_590, 60_000);
    world.price(9_595);
    world.liquidate(9_595, &maker, &long);
    first.kill();

    // While it is not there.
    world.cancel(&maker);
    world.price(10_000);
    let broke = world.trader(300);
    world.rest(&maker, Side::Short, 10_000, 60_000);
    world.take(&broke, Side::Long, 10_000, 60_000);
    world.settle(&short, &maker);
    let again = Indexer::start(&world, &database, &log);
    world.price(9_400);
    world.deleverage(9_400, &maker, &broke);
    world.settle(&maker, &short);
    world.settle(&short, &maker);
    let leaver = world.trader(50);
    world.withdraw(&leaver, 10);

    let end = world.slot() + 1;
    again.until_final(end);
    let status = again.get("/v1/status");
    assert_eq!((&status["complete"], &status["unknown"]), (&true.into(), &0.into()));

    // What it tells.
    let (market, exchange) = (world.market().to_string(), world.exchange().to_string());
    let of = |list: &str| format!("/v1/markets/{market}/{list}");
    let account = |trader: &world::Trader, list: &str| format!("/v1/accounts/{}/{list}", trader.margin);
    let trades = list::<Trade>(&again, &of("trades"));
    assert!(trades.iter().any(|trade| trade.body.forced) && trades.iter().all(|trade| trade.body.maker.is_some()));
    let liquidations = list::<Liquidation>(&again, &of("liquidations"));
    let of_long = |of: &&Item<Liquidation>| of.body.account == long.margin.to_string() && of.body.lots != "0";
    assert_eq!(liquidations.iter().find(of_long).unwrap().body.side, Some(Of::Long));
    let deleveragings = list::<Deleveraging>(&again, &of("deleveragings"));
    let done = deleveragings.iter().find(|of| of.body.lots != "0").unwrap();
    assert_eq!(done.body.account, broke.margin.to_string());
    let whole: Item<Whole> = read(again.get(&format!("/v1/deleveragings/{}", done.head.id)));
    assert_eq!((whole.body.kind.as_str(), &whole.body.event["lots"]), ("Deleveraged", &done.body.lots.clone().into()));
    assert_eq!(whole.body.market.as_deref(), Some(market.as_str()));
    let receipts = list::<DeleveragingLine>(&again, &account(&short, "deleveragings"));
    let DeleveragingLine::Receipt(receipt) = &receipts[0].body else { panic!("{receipts:?}") };
    assert_eq!(receipt.deleveragings, std::slice::from_ref(&done.head.id));
    assert!(!list::<Stress>(&again, &of("stress")).is_empty());
    let insurance = list::<Insurance>(&again, "/v1/insurance");
    assert!(insurance.last().unwrap().body.amount == INSURANCE.to_string() && insurance.len() >= 2);
    let fills = list::<Fill>(&again, &account(&maker, "fills"));
    assert_eq!(fills.len(), trades.iter().filter(|of| of.body.maker == Some(maker.margin.to_string())).count());
    assert_eq!(list::<Transfer>(&again, &account(&leaver, "transfers")).len(), 2);
    let orders = list::<OrderLine>(&again, &account(&maker, "orders"));
    are_filled_where_nothing_rests(&orders, &fills);
    let (_, csv) = again.ask(&(account(&maker, "realised") + "?format=csv")).unwrap();
    assert!(csv.starts_with("id,time,slot,signature,base,basis,cash,cause,fee,kind,lots,market,realised\n"), "{csv}");
    list::<FundingPayment>(&again, &account(&maker, "funding"));
    list::<Liquidation>(&again, &account(&long, "liquidations"));
    let all = list::<HistoryLine>(&again, &account(&maker, "history"));
    assert!(all.len() > fills.len());
    let candles: Vec<Candle> = read(again.get(&(of("candles") + "?interval=86400")));
    assert_eq!(candles.iter().map(|candle| candle.trades).sum::<u64>(), u64::try_from(trades.len()).unwrap());
    let (_, csv) = again.ask(&(of("trades") + "?format=csv&limit=2")).unwrap();
    assert!(csv.starts_with("id,time,slot,signature,forced,lots,maker,price,") && csv.lines().count() == 3, "{csv}");

    // What it refuses.
    for (path, status) in [
        (of("trades") + "?limit=0", 400),
        (of("trades") + "?limit=1001", 400),
        (of("trades") + "?before=x", 400),
        (of("trades") + "?wrong=1", 400),
        (of("candles") + "?interval=61", 400),
        (of("candles"), 400),
        (format!("/v1/markets/{exchange}/trades"), 404),
        ("/v1/accounts/x/fills".to_string(), 400),
        (format!("/v1/liquidations/{}", done.head.id), 404),
        ("/v1/nothing".to_string(), 404),
    ] {
        let (got, body) = again.ask(&path).unwrap();
        assert_eq!(got, status, "{path}: {body}");
        assert!(serde_json::from_str::<Value>(&body).unwrap()["error"].is_string(), "{path}: {body}");
    }
    for path in ["/health", "/ready"] {
        assert_eq!(again.ask(path).unwrap().0, 200, "{path}");
    }
    assert!(again.ask("/metrics").unwrap().1.contains("ballast_indexer_caught_up 1"));
    for trader in [&maker, &short, &long, &broke, &leaver] {
        adds_up(&again, &world, trader);
    }
    again.stop();

    // What events add up to is what the accounts hold, to the atom.
    let (snapshot, vault) = world.state();
    history(&database).compare(&snapshot).unwrap();
    assert_eq!(insurance[0].body.balance, vault.to_string());

    // A node that is behind what another one has said refuses to list.
    let node = Rpc::new(RpcClient::new(world.rpc_url().to_string()));
    let listing = |min_slot| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(node.signatures(Finality::Confirmed, None, None, 10, min_slot))
    };
    assert_eq!(listing(end - 1).unwrap().len(), 10);
    let refused = listing(world.slot() + 10_000).unwrap_err();
    assert!(matches!(&refused, SourceError::Behind(why) if why.contains("Minimum context slot")), "{refused}");

    // From nothing, and in any database, the tables are the same.
    let mut expected = tables(&database);
    let seen = |name: &str| expected[name].len();
    assert!(seen("events") > 50 && seen("candles") >= 6 && seen("seats") >= 1, "{}", seen("events"));
    rebuild(&database);
    assert_eq!(tables(&database), expected);
    // There may be more by now that is not final, and prices go on only when asked: cut at the same end.
    let fresh = format!("sqlite:{}", path("fresh.db"));
    let other = Indexer::start(&world, &fresh, &log);
    other.until_final(end);
    other.stop();
    let found = tables(&fresh);
    for (name, rows) in &mut expected {
        assert!(found[name] == *rows, "{name}: {} rows, {} before", found[name].len(), rows.len());
    }
}
