//! The exchange as it is now: a snapshot, kept current by subscriptions, repaired by snapshots taken from time to time.
//!
//! [`feed`] and [`repair`] are tasks that report what they hear over one channel; [`LiveView`] is what the engine makes of it.
//! Nothing in it is locked or shared.

pub mod feed;
pub mod oracle;
pub mod repair;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use ballast_client::{
    addresses::PROGRAM_ID,
    ballast::state::{MarginAccount, Market},
    rpc::{self, Reading},
    snapshot::{Applied, Snapshot},
};
use ballast_risk::oracle::{Action, Sample};
use solana_account_decoder_client_types::UiAccount;
use solana_pubkey::Pubkey;

use crate::{clock::ChainClock, config::ProfitConfig};

/// A price in an oracle account that its market does not have yet.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// The account: of several, the one with the freshest price.
    pub account: Pubkey,
    /// Its price.
    pub sample: Sample,
    /// When the market was first seen to lag.
    pub since: Instant,
}

/// What was heard of the cluster.
pub enum Heard {
    /// An account changed.
    Account(Pubkey, UiAccount),
    /// A slot began.
    Slot(u64),
    /// Time and the vaults' balances.
    Reading(Instant, Reading),
    /// The subscriptions are in place.
    Connected,
    /// The subscriptions are gone.
    Disconnected,
    /// A snapshot was asked for: what comes from here on may be newer than it.
    RepairBegins,
    /// The snapshot.
    Repaired(Box<Snapshot>),
    /// There will be no snapshot this time.
    RepairFailed,
    /// The keeper's SOL, in lamports.
    Balance(u64),
}

/// What a batch of news changed.
#[derive(Default)]
pub struct Changes {
    /// Markets whose account changed.
    pub markets: BTreeSet<u16>,
    /// Markets whose book changed.
    pub books: BTreeSet<u16>,
    /// Markets whose ranking index changed.
    pub ranks: BTreeSet<u16>,
    /// Margin accounts that changed.
    pub accounts: Vec<Pubkey>,
    /// Margin accounts that were closed.
    pub closed: Vec<Pubkey>,
    /// The whole view was replaced; with how many accounts were different from what was known. Those among them that are
    /// margin accounts are in `accounts`.
    pub repaired: Option<usize>,
    /// The view lacks a market or more: a snapshot is needed now.
    pub incomplete: bool,
    /// The subscriptions came into place or went.
    pub connected: Option<bool>,
    /// The keeper's SOL, in lamports.
    pub balance: Option<u64>,
}

impl Changes {
    /// Whether anything changed that decisions are made on.
    pub fn concern_accounts(&self) -> bool {
        let accounts = !self.accounts.is_empty() || !self.closed.is_empty() || self.repaired.is_some();
        accounts || !self.markets.is_empty() || !self.books.is_empty() || !self.ranks.is_empty()
    }
}

/// The exchange as it is now.
pub struct LiveView {
    /// All accounts.
    pub snapshot: Snapshot,
    /// The insurance vault's balance, in atoms.
    pub insurance: u64,
    /// The cluster's time.
    pub clock: ChainClock,
    /// The newest slot heard of.
    pub slot: u64,
    /// When anything was last heard, in whatever way.
    pub heard_at: Instant,
    /// When the subscriptions last told a slot, and which.
    told: (Instant, u64),
    /// Oracle accounts' markets.
    oracles: HashMap<Pubkey, u16>,
    /// The oracle accounts' prices that their markets do not have yet.
    ahead: BTreeMap<u16, Ahead>,
    /// News since a snapshot was asked for.
    since_repair: Option<HashMap<Pubkey, UiAccount>>,
}

impl LiveView {
    /// From a first snapshot and reading.
    pub fn new(snapshot: Snapshot, reading: Reading, oracles: HashMap<Pubkey, u16>, now: Instant) -> Self {
        let mut clock = ChainClock::default();
        clock.read(now, reading.moment.unix_time);
        LiveView {
            slot: snapshot.moment.slot,
            told: (now, snapshot.moment.slot),
            snapshot,
            insurance: reading.vaults.insurance,
            clock,
            heard_at: now,
            oracles,
            ahead: BTreeMap::new(),
            since_repair: None,
        }
    }

    /// Takes a batch of news in. Of several states of one account only the last is looked at.
    pub fn apply(&mut self, news: Vec<Heard>, now: Instant) -> Changes {
        let mut changes = Changes::default();
        let last: HashMap<Pubkey, usize> = news
            .iter()
            .enumerate()
            .filter_map(|(at, heard)| match heard {
                Heard::Account(key, _) => Some((*key, at)),
                _ => None,
            })
            .collect();
        for (at, heard) in news.into_iter().enumerate() {
            self.heard_at = now;
            match heard {
                Heard::Account(key, account) => {
                    if last.get(&key) == Some(&at) {
                        self.apply_account(key, &account, now, &mut changes);
                    }
                    if let Some(since) = &mut self.since_repair {
                        since.insert(key, account);
                    }
                }
                Heard::Slot(slot) => {
                    self.slot = self.slot.max(slot);
                    self.told = (now, self.slot);
                }
                Heard::Reading(at, reading) => {
                    self.clock.read(at, reading.moment.unix_time);
                    self.insurance = reading.vaults.insurance;
                    self.slot = self.slot.max(reading.moment.slot);
                }
                Heard::Connected => {
                    self.told = (now, self.slot);
                    changes.connected = Some(true);
                }
                Heard::Disconnected => changes.connected = Some(false),
                Heard::RepairBegins => self.since_repair = Some(HashMap::new()),
                Heard::Repaired(snapshot) => self.repair(*snapshot, now, &mut changes),
                Heard::RepairFailed => self.since_repair = None,
                Heard::Balance(lamports) => changes.balance = Some(lamports),
            }
        }
        changes
    }

    fn apply_account(&mut self, key: Pubkey, account: &UiAccount, now: Instant, changes: &mut Changes) {
        if let Some(market) = self.oracles.get(&key).copied() {
            self.hear_oracle(market, key, account, now);
            return;
        }
        let Some(account) = rpc::decode(account) else {
            tracing::warn!(%key, "an account's update cannot be decoded");
            return;
        };
        // An account that is not the program's any more was closed.
        let data = if account.owner == PROGRAM_ID { account.data.as_slice() } else { &[] };
        match self.snapshot.apply(&key, data) {
            Ok(Applied::Exchange) => changes.incomplete |= self.lacks_markets(),
            Ok(Applied::Market(index)) => {
                changes.markets.insert(index);
                self.forget_overtaken(index);
            }
            Ok(Applied::Book(index)) => {
                changes.books.insert(index);
            }
            Ok(Applied::Ranks(index)) => {
                changes.ranks.insert(index);
            }
            Ok(Applied::MarginAccount) => changes.accounts.push(key),
            Ok(Applied::Closed) => changes.closed.push(key),
            // Whose volume and referrals these are is nothing that a keeper decides on.
            Ok(Applied::Trader | Applied::Ignored) => {}
            Err(error) => tracing::warn!(%key, %error, "an account's update cannot be read"),
        }
    }

    fn lacks_markets(&self) -> bool {
        self.snapshot.markets().count() < usize::from(self.snapshot.exchange.market_count)
    }

    /// Replaces the snapshot, and brings it forward again by what was heard since it was asked for.
    fn repair(&mut self, next: Snapshot, now: Instant, changes: &mut Changes) {
        let since = self.since_repair.take().unwrap_or_default();
        let differing = differing(&self.snapshot, &next, &since);
        self.slot = self.slot.max(next.moment.slot);
        self.snapshot = next;
        for (key, account) in &since {
            self.apply_account(*key, account, now, changes);
        }
        let markets: Vec<u16> = self.snapshot.markets().map(|entry| entry.keys.index).collect();
        for index in &markets {
            self.forget_overtaken(*index);
        }
        changes.markets.extend(&markets);
        changes.books.extend(&markets);
        changes.ranks.extend(&markets);
        changes.repaired = Some(differing.len());
        changes.accounts.extend(differing.into_iter().filter(|key| self.snapshot.account(key).is_some()));
        changes.incomplete = self.lacks_markets();
    }

    fn hear_oracle(&mut self, index: u16, key: Pubkey, account: &UiAccount, now: Instant) {
        let Some(entry) = self.snapshot.market(index) else { return };
        match oracle::sample(&entry.market, key, account) {
            Some(sample) => {
                let before = self.ahead.get(&index);
                if before.is_none_or(|before| before.sample.publish_time < sample.publish_time) {
                    let since = before.map_or(now, |before| before.since);
                    self.ahead.insert(index, Ahead { account: key, sample, since });
                    self.forget_overtaken(index);
                }
            }
            None => tracing::warn!(market = index, oracle = %key, "the oracle account is not readable as the market's"),
        }
    }

    /// Forgets an oracle price that its market has.
    fn forget_overtaken(&mut self, index: u16) {
        let Some(entry) = self.snapshot.market(index) else { return };
        let has = entry.market.reading().publish_time;
        if self.ahead.get(&index).is_some_and(|ahead| ahead.sample.publish_time <= has) {
            self.ahead.remove(&index);
        }
    }

    /// The oracle accounts' prices that their markets do not have yet.
    pub fn ahead(&self) -> &BTreeMap<u16, Ahead> {
        &self.ahead
    }

    /// The oracle accounts.
    pub fn oracles(&self) -> impl Iterator<Item = &Pubkey> {
        self.oracles.keys()
    }

    /// Markets that lag behind their oracle accounts although somebody had time to refresh them, as they would be after a
    /// refresh at `unix_time`, and with which account.
    pub fn lagging(&self, now: Instant, unix_time: i64) -> Vec<(Market, Pubkey)> {
        let late =
            self.ahead.iter().filter(|(_, ahead)| now.saturating_duration_since(ahead.since) >= oracle::PATIENCE);
        late.filter_map(|(index, ahead)| {
            let market = &self.snapshot.market(*index)?.market;
            Some((oracle::refreshed(market, &ahead.sample, unix_time)?, ahead.account))
        })
        .collect()
    }

    /// For how long the subscriptions have been silent although slots passed.
    pub fn silence(&self, now: Instant) -> Duration {
        let (at, slot) = self.told;
        if self.slot > slot { now.saturating_duration_since(at) } else { Duration::ZERO }
    }

    /// Atoms that a SOL costs: by the mark of the operator's market for it while liquidation may use its price, else as the operator
    /// says.
    pub fn sol_price(&self, profit: &ProfitConfig, now: Instant) -> u64 {
        let entry = profit.sol_market.and_then(|index| self.snapshot.market(index));
        let fresh = entry.filter(|entry| entry.market.require_price(Action::Liquidate, self.clock.now(now)).is_ok());
        let price = fresh.and_then(|entry| {
            let lots = 10u64.checked_pow(entry.market.lot_exponent.into())?;
            entry.market.mark().0.checked_mul(lots)
        });
        price.unwrap_or(profit.sol_price)
    }

    /// The accounts that matter besides margin accounts: the exchange, its markets and slabs, and the oracle accounts.
    pub fn watched(&self) -> Vec<Pubkey> {
        let mut keys = vec![self.snapshot.keys.exchange];
        for entry in self.snapshot.markets() {
            keys.extend([entry.keys.market, entry.keys.book, entry.keys.ranks]);
        }
        keys.extend(self.oracles.keys());
        keys
    }
}

/// Accounts that nothing was heard of and that are other than they were known to be: what the subscriptions missed.
fn differing(known: &Snapshot, next: &Snapshot, since: &HashMap<Pubkey, UiAccount>) -> Vec<Pubkey> {
    let same = |a: &MarginAccount, b: &MarginAccount| bytemuck::bytes_of(a) == bytemuck::bytes_of(b);
    let accounts = next
        .accounts()
        .filter(|(key, account)| !known.account(key).is_some_and(|before| same(before, account)))
        .map(|(key, _)| *key);
    let same = |a: &Market, b: &Market| bytemuck::bytes_of(a) == bytemuck::bytes_of(b);
    let markets = next
        .markets()
        .filter(|entry| !known.market(entry.keys.index).is_some_and(|before| same(&before.market, &entry.market)))
        .map(|entry| entry.keys.market);
    accounts.chain(markets).filter(|key| !since.contains_key(key)).collect()
}
