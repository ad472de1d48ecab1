//! The follower against a scripted cluster: forks that are dropped, lists that are late or repeat, blocks in another order than
//! the lists, failures in between, restarts at any time. Whatever happened on the way, the tables in the end are those of
//! the final chain, and rebuilding them changes nothing. SQLite and PostgreSQL hold the same.

mod postgres;
mod server;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anchor_lang::{Discriminator, Event as _};
use async_trait::async_trait;
use ballast_client::{
    addresses::{self, PROGRAM_ID},
    ballast::{
        events::{Cause, Deposited, InsuranceFunded, MakerFill, OrderPlaced, PositionChanged, Traded},
        instruction,
        record::TAG,
    },
    record::Invocation,
};
use ballast_indexer::{
    api::{
        Markets,
        stream::{BACKLOG, News},
    },
    board::Board,
    db::{DbError, Place, Row},
    follow::{FollowError, Follower, Parts},
    metrics::Metrics,
    position::{Id, Tx},
    read,
    source::{Fetched, Finality, Listed, Source, SourceError},
    write::Writer,
};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use solana_pubkey::Pubkey;
use tokio::sync::broadcast::{self, error::RecvError};

const EXCHANGE: Pubkey = Pubkey::new_from_array([5; 32]);

/// One transaction of the script.
#[derive(Clone, Debug)]
struct Scripted {
    signature: String,
    failed: bool,
    /// Which events it logs.
    what: u8,
    amount: u64,
}

/// What a node knows at a time.
#[derive(Clone, Debug, Default)]
struct View {
    /// Blocks in the order of their execution.
    blocks: BTreeMap<u64, Vec<Scripted>>,
    confirmed: u64,
    finalized: u64,
    /// Newest transactions that the list lacks yet.
    late: usize,
    /// The newest slot that the list has at all: it is of a node that is behind.
    lists_up_to: Option<u64>,
    /// The newest slot that the list has where it is to go on from another page.
    goes_on_up_to: Option<u64>,
    /// Whether a node that is behind refuses to list, as it is asked to.
    heeds: bool,
}

#[derive(Default)]
struct Script {
    view: Mutex<Arc<View>>,
    /// Answers until the node fails.
    answers: Mutex<Option<u32>>,
}

impl Script {
    fn view(&self) -> Result<Arc<View>, SourceError> {
        if let Some(answers) = &mut *self.answers.lock().unwrap() {
            *answers = answers.checked_sub(1).ok_or_else(|| SourceError::Node("gone".to_string()))?;
        }
        Ok(self.view.lock().unwrap().clone())
    }
}

fn call(height: u32, accounts: &[Pubkey], data: &[u8]) -> Invocation {
    Invocation { program: PROGRAM_ID, height, accounts: accounts.to_vec(), data: data.to_vec() }
}

fn account(number: u8) -> Pubkey {
    Pubkey::new_from_array([100 + number; 32])
}

impl Scripted {
    /// Its events, each with the instruction that tells it.
    fn events(&self) -> Vec<(Invocation, Vec<u8>)> {
        let market = addresses::market(&EXCHANGE, 0);
        let of_market = |discriminator: &[u8]| call(1, &[EXCHANGE, EXCHANGE, market], discriminator);
        let of_exchange = |discriminator: &[u8]| call(1, &[market, EXCHANGE], discriminator);
        let (amount, who) = (self.amount, account(self.what % 3));
        let placed = OrderPlaced {
            market: 0,
            account: who,
            seat: u32::from(self.what % 2),
            order_id: amount.into(),
            buys: true,
            price: amount,
            peg: None,
            lots: 9,
            reduce_only: false,
            expires_at: 0,
            client_id: 0,
        };
        let fill = |seat| MakerFill { seat, order_id: 1, price: 100 + amount, lots: 1 + amount % 5 };
        let traded = Traded {
            market: 0,
            taker: who,
            bought: amount % 2 == 0,
            cause: if amount % 7 == 0 { Cause::Liquidation } else { Cause::Taker },
            wanted: 9,
            limit: 9,
            client_id: 0,
            fee: 1,
            fills: vec![fill(0), fill(1)],
            removed: vec![],
        };
        let place = || (of_market(instruction::PlaceOrder::DISCRIMINATOR), placed.data());
        let trade = || (of_market(instruction::PlaceOrder::DISCRIMINATOR), traded.data());
        let small = i64::try_from(amount).unwrap();
        // Bought one for so many atoms, on top of as many as amount says.
        let changed = PositionChanged {
            market: 0,
            account: who,
            cause: Cause::Taker,
            base: 1,
            cash: -small,
            fee: 1,
            lots: small + 1,
            basis: 3 * small,
        };
        let change = || (of_market(instruction::PlaceOrder::DISCRIMINATOR), changed.data());
        match self.what % 4 {
            0 => vec![place()],
            1 => vec![trade(), change()],
            2 => vec![trade(), place(), trade()],
            _ => {
                let funded = InsuranceFunded { exchange: EXCHANGE, source: who, amount };
                let deposited = Deposited { account: who, amount, collateral: amount };
                vec![
                    (of_exchange(instruction::FundInsurance::DISCRIMINATOR), funded.data()),
                    (of_exchange(instruction::Deposit::DISCRIMINATOR), deposited.data()),
                ]
            }
        }
    }

    fn fetched(&self, slot: u64) -> Fetched {
        let recorded = |(by, event): (Invocation, Vec<u8>)| {
            let length = u16::try_from(event.len()).unwrap().to_le_bytes();
            [by, call(2, &[], &[&TAG[..], &length, &event].concat())]
        };
        Fetched { slot, time: Some(time(slot)), invocations: self.events().into_iter().flat_map(recorded).collect() }
    }
}

/// A few slots a minute, so that candles have several trades, and several minutes.
fn time(slot: u64) -> i64 {
    1_700_000_000 + i64::try_from(slot).unwrap() * 25
}

#[async_trait]
impl Source for Script {
    async fn slot(&self, finality: Finality) -> Result<u64, SourceError> {
        let view = self.view()?;
        Ok(if finality == Finality::Finalized { view.finalized } else { view.confirmed })
    }

    async fn signatures(
        &self,
        finality: Finality,
        before: Option<&str>,
        until: Option<&str>,
        limit: usize,
        min_slot: u64,
    ) -> Result<Vec<Listed>, SourceError> {
        let view = self.view()?;
        let known = before.and(view.goes_on_up_to).or(view.lists_up_to).unwrap_or(u64::MAX);
        if view.heeds && known.min(view.confirmed.max(view.finalized)) < min_slot {
            return Err(SourceError::Behind("Minimum context slot has not been reached".to_string()));
        }
        let late = if finality == Finality::Finalized { 0 } else { view.late };
        let mut all = Vec::new();
        for (slot, block) in view.blocks.range(..=known).rev() {
            // Slots newer than asked for are listed as well, as some nodes do; and in a slot the order is arbitrary.
            let mut block: Vec<&Scripted> = block.iter().collect();
            block.sort_by_key(|scripted| scripted.signature.len() + usize::from(scripted.signature.as_bytes()[0]));
            all.extend(block.into_iter().map(|scripted| Listed {
                signature: scripted.signature.clone(),
                slot: *slot,
                failed: scripted.failed,
                index: None,
                time: None,
            }));
        }
        let all = all.split_off(late.min(all.len()));
        let begin = match before {
            Some(before) => all.iter().position(|listed| listed.signature == before).map_or(all.len(), |at| at + 1),
            None => 0,
        };
        let end = until.and_then(|until| all.iter().position(|listed| listed.signature == until));
        let limit = limit.min(PAGE);
        Ok(all[begin..end.unwrap_or(all.len()).max(begin)].iter().take(limit).cloned().collect())
    }

    async fn block(&self, slot: u64, _: Finality) -> Result<Vec<String>, SourceError> {
        let view = self.view()?;
        let block = view.blocks.get(&slot).ok_or_else(|| SourceError::Torn("no block".to_string()))?;
        Ok(block.iter().map(|scripted| scripted.signature.clone()).collect())
    }

    async fn transaction(&self, signature: &str, _: Finality) -> Result<Option<Fetched>, SourceError> {
        let view = self.view()?;
        let found = view.blocks.iter().find_map(|(slot, block)| {
            block.iter().find(|scripted| scripted.signature == signature).map(|scripted| scripted.fetched(*slot))
        });
        Ok(found)
    }
}

/// As many as the indexer asks for.
const PAGE: usize = 1_000;

fn follower(script: &Arc<Script>, place: &Place) -> Follower<Script> {
    telling(script, place, broadcast::channel(16).0)
}

fn telling(script: &Arc<Script>, place: &Place, news: broadcast::Sender<News>) -> Follower<Script> {
    Follower::new(Parts {
        source: script.clone(),
        writer: Writer::open(place, &EXCHANGE, None).unwrap(),
        exchange: EXCHANGE,
        board: Arc::new(Board::new(EXCHANGE)),
        metrics: Arc::new(Metrics::new().unwrap()),
        news,
        fetchers: 3,
        accept_gap: false,
    })
}

type Tables = BTreeMap<&'static str, Vec<Row>>;

fn tables(place: &Place) -> Tables {
    let mut db = place.connect().unwrap();
    let names = ["transactions", "events", "entries", "trades", "candles", "seats", "positions", "resting"];
    let all = names.into_iter().map(|name| {
        let mut rows = db.query(&format!("SELECT * FROM {name}"), &[]).unwrap();
        rows.sort();
        (name, rows)
    });
    all.collect()
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A block with so many transactions.
    Block(Vec<(u8, u64, bool)>),
    /// The newest blocks that are not final are dropped, and others come instead.
    Fork(u64),
    /// Slots are confirmed up to so many before the newest.
    Confirm(u64),
    /// Slots are final up to so many before the confirmed.
    Finalize(u64),
    /// The list lacks so many of the newest.
    Late(usize),
    /// Another node lists, which is so many slots behind the newest for as long as it does, and does not say so.
    Behind(Option<u64>),
    /// A pass over what is confirmed.
    Look,
    /// A pass over what is final.
    Settle,
    /// A pass in which the node fails after so many answers.
    Fail(u32, bool),
    /// The indexer starts again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let transaction = (0u8..12, 0u64..60, prop::bool::weighted(0.15));
    prop_oneof![
        6 => vec(transaction, 0..4).prop_map(Step::Block),
        2 => (1u64..4).prop_map(Step::Fork),
        4 => (0u64..2).prop_map(Step::Confirm),
        2 => (0u64..4).prop_map(Step::Finalize),
        1 => (0usize..3).prop_map(Step::Late),
        1 => prop::option::of(0u64..4).prop_map(Step::Behind),
        6 => Just(Step::Look),
        2 => Just(Step::Settle),
        1 => (0u32..12, any::<bool>()).prop_map(|(answers, settle)| Step::Fail(answers, settle)),
        1 => Just(Step::Restart),
    ]
}

/// The scripted cluster's own state.
struct Cluster {
    script: Arc<Script>,
    newest: u64,
    number: u64,
}

impl Cluster {
    fn change(&self, change: impl FnOnce(&mut View)) {
        change(Arc::make_mut(&mut self.script.view.lock().unwrap()));
    }

    fn block(&mut self, transactions: &[(u8, u64, bool)]) {
        self.newest += 1;
        let block = transactions.iter().map(|&(what, amount, failed)| {
            self.number += 1;
            // Sorted by signature is not the order of the block.
            let signature = format!("{}-{}", (self.number * 7) % 10, self.number);
            Scripted { signature, failed, what, amount }
        });
        let block: Vec<_> = block.collect();
        let newest = self.newest;
        self.change(|view| {
            view.blocks.insert(newest, block);
        });
    }

    fn fork(&mut self, depth: u64) {
        let finalized = self.script.view.lock().unwrap().finalized;
        let from = (self.newest + 1).saturating_sub(depth).max(finalized + 1);
        let mut dropped = Vec::new();
        self.change(|view| dropped = view.blocks.split_off(&from).into_values().flatten().collect());
        // Some of what was dropped lands again, in other slots and another order; the rest never does.
        self.newest = self.newest.max(from);
        let newest = self.newest;
        dropped.reverse();
        let again: Vec<Scripted> =
            dropped.into_iter().enumerate().filter(|(at, _)| at % 3 != 0).map(|(_, it)| it).collect();
        self.change(|view| {
            view.blocks.insert(newest, again);
        });
    }
}

/// Two new databases in a folder.
fn files(folder: &Path) -> [Place; 2] {
    ["followed.db", "fresh.db"].map(|name| Place::Sqlite(folder.join(name)))
}

/// A pass, which may only fail where the node that lists is behind what the node knows.
async fn look(following: &mut Follower<Script>, script: &Script, finality: Finality) {
    let behind = script.view.lock().unwrap().lists_up_to.is_some();
    match following.pass(finality).await {
        Err(FollowError::Source(SourceError::Torn(_))) if behind => {}
        passed => drop(passed.unwrap()),
    }
}

/// Plays a script against an indexer that writes to the first database, and compares it with one that writes to the second
/// when all is over. Returns the tables.
async fn play(steps: &[Step], [path, fresh]: &[Place; 2]) -> Tables {
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 1, number: 0 };
    let mut following = follower(&script, path);
    for step in steps.iter().cloned() {
        let newest = cluster.newest;
        match step {
            Step::Block(transactions) => cluster.block(&transactions),
            Step::Fork(depth) => cluster.fork(depth),
            Step::Confirm(behind) => {
                cluster.change(|view| view.confirmed = view.confirmed.max(newest.saturating_sub(behind)));
            }
            Step::Finalize(behind) => cluster.change(|view| {
                view.finalized = view.finalized.max(view.confirmed.saturating_sub(behind));
            }),
            Step::Late(late) => cluster.change(|view| view.late = late),
            Step::Behind(slots) => {
                cluster.change(|view| view.lists_up_to = slots.map(|slots| newest.saturating_sub(slots)));
            }
            Step::Look => look(&mut following, &script, Finality::Confirmed).await,
            Step::Settle => look(&mut following, &script, Finality::Finalized).await,
            Step::Fail(answers, settle) => {
                *script.answers.lock().unwrap() = Some(answers);
                let finality = if settle { Finality::Finalized } else { Finality::Confirmed };
                let _ = following.pass(finality).await;
                *script.answers.lock().unwrap() = None;
            }
            Step::Restart => following = follower(&script, path),
        }
    }
    cluster.change(|view| {
        (view.confirmed, view.finalized) = (cluster.newest, cluster.newest);
        (view.late, view.lists_up_to) = (0, None);
    });
    following.pass(Finality::Finalized).await.unwrap();
    following.pass(Finality::Confirmed).await.unwrap();
    let followed = tables(path);

    follower(&script, fresh).pass(Finality::Finalized).await.unwrap();
    assert_eq!(followed, tables(fresh));
    // Not only equal to another run: everything that the final chain logged is there.
    let view = script.view.lock().unwrap().clone();
    let succeeded = || view.blocks.values().flatten().filter(|scripted| !scripted.failed);
    let logged: usize = succeeded().map(|scripted| scripted.events().len()).sum();
    assert_eq!(followed["events"].len(), logged);
    assert_eq!(followed["transactions"].len(), succeeded().count());

    Writer::open(fresh, &EXCHANGE, None).unwrap().rebuild().unwrap();
    assert_eq!(followed, tables(fresh));
    followed
}

proptest! {
    #![proptest_config(Config { cases: 48, ..Config::default() })]

    #[test]
    fn tables_are_those_of_the_final_chain(steps in vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(play(&steps, &files(folder.path())));
    }
}

/// Many pages of history, so that the way back forgets pages and asks for them again.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_start_reads_all_of_a_long_history() {
    let folder = tempfile::tempdir().unwrap();
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    for number in 0..600 {
        cluster.block(&vec![(3, number, false); 30]);
    }
    cluster.change(|view| (view.confirmed, view.finalized) = (600, 600));
    let path = &Place::Sqlite(folder.path().join("late.db"));
    follower(&script, path).pass(Finality::Finalized).await.unwrap();
    assert_eq!(tables(path)["transactions"].len(), 18_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_forgotten_what_follows_the_tables_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("gap.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    cluster.block(&[(3, 1, false)]);
    cluster.change(|view| (view.confirmed, view.finalized) = (1, 1));
    follower(&script, path).pass(Finality::Finalized).await.unwrap();
    cluster.block(&[(3, 2, false)]);
    cluster.change(|view| {
        view.blocks.remove(&1);
        (view.confirmed, view.finalized) = (2, 2);
    });
    let error = follower(&script, path).pass(Finality::Finalized).await.unwrap_err();
    assert!(error.to_string().contains("--accept-gap"), "{error}");
    assert_eq!(tables(path)["events"].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_the_first_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("two.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    let mut first = follower(&script, path);
    let mut second = follower(&script, path);
    cluster.block(&[(3, 1, false)]);
    cluster.change(|view| (view.confirmed, view.finalized) = (1, 0));
    assert!(first.pass(Finality::Confirmed).await.unwrap_err().is_final());
    second.pass(Finality::Confirmed).await.unwrap();
    assert_eq!(tables(path)["events"].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_behind_the_slot_takes_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("behind.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    for number in 1..=5 {
        cluster.block(&[(3, number, false)]);
    }
    cluster.change(|view| (view.confirmed, view.finalized) = (5, 2));
    let mut following = follower(&script, path);
    following.pass(Finality::Finalized).await.unwrap();
    following.pass(Finality::Confirmed).await.unwrap();
    let whole = tables(path)["events"].clone();
    assert_eq!(whole.len(), 10);

    cluster.change(|view| (view.finalized, view.lists_up_to) = (5, Some(3)));
    let error = following.pass(Finality::Finalized).await.unwrap_err();
    assert!(error.to_string().contains("final and not in the list"), "{error}");
    assert_eq!(error.category(), "the node's answers do not fit each other");
    assert!(!error.is_final());
    assert_eq!(tables(path)["events"], whole);
    cluster.change(|view| view.lists_up_to = None);
    following.pass(Finality::Finalized).await.unwrap();
    assert_eq!(tables(path)["events"], whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn profit_is_told_where_the_basis_before_is_known_and_an_order_is_filled_by_its_last_lots() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("lines.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    // An account that had five lots already, and one that had none; an order of nine lots that three trades take two or three of each.
    cluster.block(&[(4, 1, false), (1, 5, false)]);
    cluster.block(&[(1, 7, false), (1, 0, false), (1, 8, false)]);
    cluster.change(|view| (view.confirmed, view.finalized) = (2, 2));
    follower(&script, path).pass(Finality::Finalized).await.unwrap();
    let mut db = path.connect().unwrap();
    let mut list = |list| read::entries(db.as_mut(), &account(1).to_string(), Some(list), None, 100).unwrap();
    let realised: Vec<_> = list("positions").iter().rev().map(|line| line["realised"].clone()).collect();
    // What was paid before the first is not known; then what is received and what the basis became larger by. The third had no
    // position when it bought: then nothing had been paid, whatever was known of an earlier one.
    assert_eq!(realised, [serde_json::Value::Null, "-1".into(), "0".into(), "16".into()]);
    let orders = list("orders");
    let kinds: Vec<_> = orders.iter().rev().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["placed", "filled"], "{orders:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_another_version_derived_are_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("older.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    (1..=8).for_each(|number| cluster.block(&[(u8::try_from(number).unwrap(), number, false)]));
    cluster.change(|view| (view.confirmed, view.finalized) = (8, 8));
    follower(&script, path).pass(Finality::Finalized).await.unwrap();
    let whole = tables(path);
    let mut db = path.connect().unwrap();
    db.script("DELETE FROM entries; DELETE FROM positions; UPDATE meta SET value = '1' WHERE name = 'projection'")
        .unwrap();
    assert_ne!(tables(path), whole);
    Writer::open(path, &EXCHANGE, None).unwrap();
    assert_eq!(tables(path), whole);
}

/// A node that is behind refuses, as it is asked to: that is trouble which passes, and the tables stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_refuses_to_list_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("refused.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    (1..=4).for_each(|number| cluster.block(&[(3, number, false)]));
    cluster.change(|view| (view.confirmed, view.finalized) = (4, 4));
    cluster.change(|view| (view.lists_up_to, view.heeds) = (Some(2), true));
    let mut following = follower(&script, path);
    for finality in [Finality::Finalized, Finality::Confirmed] {
        let error = following.pass(finality).await.unwrap_err();
        assert_eq!(error.category(), "the node does not answer or refuses");
        assert!(!error.is_final());
    }
    assert_eq!(tables(path)["events"].len(), 0);
    cluster.change(|view| view.lists_up_to = Some(4));
    following.pass(Finality::Finalized).await.unwrap();
    assert_eq!(tables(path)["events"].len(), 8);
}

/// A provider that lists from a node which is behind, whatever it is asked: what was never seen before it was final is
/// neither in the tables nor in the list, and must not be taken for absent.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_that_is_behind_lacks_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("ignored.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    (1..=5).for_each(|number| cluster.block(&[(3, number, false)]));
    cluster.change(|view| (view.confirmed, view.finalized, view.lists_up_to) = (5, 5, Some(3)));
    let mut following = follower(&script, path);
    let final_slot = || read::progress(path.connect().unwrap().as_mut()).unwrap().final_slot;
    following.pass(Finality::Finalized).await.unwrap();
    assert_eq!((tables(path)["events"].len(), final_slot()), (6, 3), "not the five that the node says");
    // An empty list is of such a node, too.
    cluster.change(|view| view.lists_up_to = Some(0));
    following.pass(Finality::Finalized).await.unwrap();
    assert_eq!(final_slot(), 3, "it does not go back");
    cluster.change(|view| view.lists_up_to = None);
    following.pass(Finality::Finalized).await.unwrap();
    assert_eq!((tables(path)["events"].len(), final_slot()), (10, 5));
}

/// Slots without a transaction of the program are final as well, where the node can be believed that there is none.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_final_goes_on_without_transactions_only_behind_a_node_that_heeds_what_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    for (heeds, reached) in [(true, 9), (false, 2)] {
        let path = &Place::Sqlite(folder.path().join(format!("{heeds}.db")));
        let script = Arc::new(Script::default());
        let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
        (1..=2).for_each(|number| cluster.block(&[(3, number, false)]));
        cluster.change(|view| (view.confirmed, view.finalized, view.heeds) = (9, 9, heeds));
        follower(&script, path).pass(Finality::Finalized).await.unwrap();
        let progress = read::progress(path.connect().unwrap().as_mut()).unwrap();
        assert_eq!(progress.final_slot, reached, "it heeds: {heeds}");
    }
}

/// Of a list in several pages, the second comes from a node that is behind: it does not know where to go on, and lists
/// nothing. That is not the end of history.
#[tokio::test(flavor = "multi_thread")]
async fn history_does_not_end_where_another_node_does_not_know_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = &Place::Sqlite(folder.path().join("seam.db"));
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    (1..=50).for_each(|number| cluster.block(&vec![(3, number, false); 30]));
    cluster.change(|view| (view.confirmed, view.finalized, view.goes_on_up_to) = (50, 50, Some(10)));
    let error = follower(&script, path).pass(Finality::Finalized).await.unwrap_err();
    assert!(error.to_string().contains("history changed while it was read"), "{error}");
    assert_eq!(tables(path)["transactions"].len(), 0);
    cluster.change(|view| view.goes_on_up_to = None);
    follower(&script, path).pass(Finality::Finalized).await.unwrap();
    assert_eq!(tables(path)["transactions"].len(), 1_500);
}

/// A leader made two blocks of the same transactions, and the one that was seen first is not the one that became final.
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_final_is_in_the_order_of_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    cluster.block(&[(1, 5, false), (1, 6, false)]);
    cluster.change(|view| view.confirmed = 1);
    let [path, fresh] = &files(folder.path());
    let mut following = follower(&script, path);
    following.pass(Finality::Confirmed).await.unwrap();
    let before = tables(path);
    cluster.change(|view| {
        view.blocks.get_mut(&1).unwrap().reverse();
        view.finalized = 1;
    });
    following.pass(Finality::Finalized).await.unwrap();
    follower(&script, fresh).pass(Finality::Finalized).await.unwrap();
    assert_eq!(tables(path), tables(fresh));
    assert_ne!(tables(path), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_hears_all_of_a_batch_longer_than_the_backlog() {
    let folder = tempfile::tempdir().unwrap();
    let path = Place::Sqlite(folder.path().join("long.db"));
    let (news, mut listening) = broadcast::channel(BACKLOG);
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    cluster.block(&vec![(2, 1, false); 2_000]);
    cluster.change(|view| (view.confirmed, view.finalized) = (1, 1));
    let listener = tokio::spawn(async move {
        let mut heard = 0;
        loop {
            match listening.recv().await {
                Ok(_) => heard += 1,
                Err(RecvError::Closed) => return Ok(heard),
                Err(lagged) => return Err(lagged),
            }
            // A client's socket takes its time.
            if heard % 512 == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    telling(&script, &path, news).pass(Finality::Finalized).await.unwrap();
    let heard = listener.await.unwrap();
    assert!(heard.clone().is_ok_and(|heard| heard > BACKLOG), "{heard:?}");
}
