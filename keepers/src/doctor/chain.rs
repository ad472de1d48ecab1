//! The exchange: whether it is there, in a version that this keeper reads, with prices and lookup tables.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use ballast_client::{
    accounts::{self, Kind},
    addresses::{ExchangeKeys, PROGRAM_ID},
    ballast::state::OracleKind,
    rpc,
    snapshot::{Moment, Snapshot},
};
use ballast_risk::oracle::Action;
use solana_account_decoder_client_types::UiAccount;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

use super::Report;
use crate::{
    config::{Config, Role},
    view::oracle,
};

/// Seconds by which this machine's clock may differ from the cluster's.
const SKEW_S: u64 = 30;
/// Markets from which on transactions of accounts in all of them need a lookup table.
const NEEDS_TABLE: usize = 6;

/// The exchange and when it was read.
pub(super) struct Found {
    pub snapshot: Snapshot,
}

/// The program and the exchange on it.
pub(super) async fn exchange(report: &mut Report, config: &Config, rpc: &RpcClient) -> Option<Found> {
    match rpc.get_account_with_commitment(&PROGRAM_ID, config.commitment).await.map(|answer| answer.value) {
        Ok(Some(account)) if account.executable => report.good("program", format!("{PROGRAM_ID} is deployed")),
        Ok(_) => {
            report.wrong("program", format!("{PROGRAM_ID} is not deployed here"), "is --rpc-url of the right cluster?");
            return None;
        }
        Err(error) => {
            report.wrong("program", format!("cannot be read: {error}"), "look at the node");
            return None;
        }
    }
    let (slot, all) = match rpc::program_accounts(rpc, config.commitment, 0).await {
        Ok(answer) => answer,
        Err(error) => {
            let mend = "take a node that allows getProgramAccounts: without snapshots there is no view";
            report.wrong("exchange", format!("the node does not give the program's accounts: {error}"), mend);
            return None;
        }
    };
    let key = choose(report, config, Snapshot::exchanges(&all))?;
    if !versions(report, &all) {
        return None;
    }
    let time = match rpc::vaults(rpc, &ExchangeKeys::new(key), config.commitment, 0).await {
        Ok(reading) => reading.moment.unix_time,
        Err(error) => {
            report.wrong("exchange", format!("its vaults cannot be read: {error}"), "is --exchange right?");
            return None;
        }
    };
    clock(report, time);
    match Snapshot::new(&key, Moment { slot, unix_time: time }, all) {
        Ok(snapshot) => {
            let (markets, accounts) = (snapshot.markets().count(), snapshot.account_count());
            report.good("exchange", format!("{key} with {markets} markets and {accounts} margin accounts"));
            Some(Found { snapshot })
        }
        Err(error) => {
            report.wrong("exchange", format!("{key} cannot be read: {error}"), "run `ballast-audit`, and report it");
            None
        }
    }
}

fn choose(report: &mut Report, config: &Config, all: Vec<Pubkey>) -> Option<Pubkey> {
    let names = || all.iter().map(Pubkey::to_string).collect::<Vec<_>>().join(", ");
    match (config.exchange, all.as_slice()) {
        (_, []) => {
            report.wrong("exchange", "the program has none on this cluster", "is --rpc-url of the right cluster?");
            None
        }
        (Some(wanted), all) if all.contains(&wanted) => Some(wanted),
        (Some(wanted), _) => {
            report.wrong(
                "exchange",
                format!("{wanted} is not one"),
                format!("say --exchange with one of: {}", names()),
            );
            None
        }
        (None, [only]) => Some(*only),
        (None, several) => {
            let says = format!("there are {}", several.len());
            report.wrong("exchange", says, format!("say --exchange with one of: {}", names()));
            None
        }
    }
}

/// Whether all accounts are of the versions that this keeper reads.
fn versions(report: &mut Report, all: &[(Pubkey, solana_account::Account)]) -> bool {
    let mut other: BTreeMap<(String, u8), usize> = BTreeMap::new();
    for (_, account) in all {
        let Some(kind) = accounts::kind(&account.data) else { continue };
        let version = accounts::version(&account.data).unwrap_or(0);
        if version != kind.version() {
            *other.entry((format!("{kind:?}"), version)).or_default() += 1;
        }
    }
    if other.is_empty() {
        let version = |kind: Kind| kind.version();
        let (market, margin) = (version(Kind::Market), version(Kind::MarginAccount));
        report
            .good("versions", format!("all accounts are of this keeper's (market {market}, margin account {margin})"));
        return true;
    }
    let list = other.iter().map(|((kind, version), count)| format!("{count} of {kind} version {version}"));
    report.wrong(
        "versions",
        format!("accounts of other versions: {}", list.collect::<Vec<_>>().join(", ")),
        "older ones: `ballast-migrate apply`; newer ones: a newer keeper",
    );
    false
}

fn clock(report: &mut Report, cluster: i64) {
    let own = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let own = i64::try_from(own).unwrap_or(i64::MAX);
    let says = format!("this machine is {} s from the cluster's clock", own.abs_diff(cluster));
    if own.abs_diff(cluster) > SKEW_S {
        let mend = "decisions go by the cluster's time, but logs and alerts by this machine's: set it by NTP";
        report.warn("clock", says, mend);
    } else {
        report.good("clock", says);
    }
}

/// Whether markets have prices that liquidation may use.
pub(super) fn markets(report: &mut Report, config: &Config, found: &Found) {
    let now = found.snapshot.moment.unix_time;
    if let Some(index) = config.profit.sol_market.filter(|index| found.snapshot.market(*index).is_none()) {
        report.wrong("markets", format!("--sol-market {index}: the exchange has no such market"), "correct the index");
    }
    let mut old = Vec::new();
    for entry in found.snapshot.markets() {
        if let Err(error) = entry.market.require_price(Action::Liquidate, now) {
            let age = now.saturating_sub(entry.market.reading().publish_time);
            old.push(format!("market {}: {error}, {age} s old", entry.keys.index));
        }
    }
    if old.is_empty() {
        return report.good("markets", "every market has a price that liquidation may use");
    }
    let says = old.join("; ");
    if config.has(Role::Poster) {
        report.warn("markets", says, "this keeper is a poster: it brings the prices if its oracle accounts have them");
    } else {
        report.warn("markets", says, "nobody posts prices: start a keeper with the role poster (docs: Posting prices)");
    }
}

/// Whether oracle accounts are those of their markets, and fresh.
pub(super) async fn oracles(report: &mut Report, config: &Config, rpc: &RpcClient, found: &Found) {
    let known = &config.oracles;
    for entry in found.snapshot.markets() {
        let index = entry.keys.index;
        if config.has(Role::Poster) && known.iter().all(|oracle| oracle.market != index) {
            let hint = match OracleKind::from_code(entry.market.oracle_kind) {
                Ok(OracleKind::PythLegacy) => Pubkey::from(entry.market.oracle_feed).to_string(),
                _ => "<account>".to_owned(),
            };
            let says = format!("the poster knows no oracle account of market {index}");
            report.warn("oracles", says, format!("say --oracle {index}={hint}"));
        }
    }
    if known.is_empty() {
        let mend = "with --oracle the keeper steps in when nobody posts prices";
        return report.warn("oracles", "no oracle account is named", mend);
    }
    let keys: Vec<Pubkey> = known.iter().map(|oracle| oracle.account).collect();
    let asked = rpc.get_multiple_ui_accounts_with_config(&keys, rpc::account_config(config.commitment, 0)).await;
    let Ok(answer) = asked else {
        return report.wrong("oracles", "the node does not give the oracle accounts", "look at the node");
    };
    for (oracle, account) in known.iter().zip(answer.value) {
        match price_age(found, oracle.market, &oracle.account, account.as_ref()) {
            Err((says, mend)) => {
                report.wrong("oracles", format!("{} of market {}: {says}", oracle.account, oracle.market), mend)
            }
            Ok((age, limit)) if age > limit => report.warn(
                "oracles",
                format!(
                    "{} of market {}: its price is {age} s old, {limit} s are allowed",
                    oracle.account, oracle.market
                ),
                "see who writes it (Pyth's pusher, a price poster); without one the market comes to a stand",
            ),
            Ok((age, _)) => {
                report.good("oracles", format!("{} of market {}: price {age} s old", oracle.account, oracle.market));
            }
        }
    }
}

/// Age of an oracle account's price and the age that opening positions allows, in seconds; or what is wrong with the
/// account and how to mend it.
fn price_age(
    found: &Found,
    market: u16,
    key: &Pubkey,
    account: Option<&UiAccount>,
) -> Result<(i64, i64), (String, &'static str)> {
    let Some(entry) = found.snapshot.market(market) else {
        return Err(("the exchange has no such market".into(), "correct the index in --oracle"));
    };
    let market = &entry.market;
    let Some(account) = account else { return Err(("it does not exist".into(), "correct the address in --oracle")) };
    if account.owner != market.oracle_program.to_string() {
        let says =
            format!("it belongs to {}, not to the market's oracle program {}", account.owner, market.oracle_program);
        return Err((says, "name an account of the oracle program"));
    }
    match oracle::sample(market, *key, account) {
        Some(sample) => {
            let age = found.snapshot.moment.unix_time.saturating_sub(sample.publish_time);
            Ok((age, market.params.max_age_open_s.into()))
        }
        None => Err(("it holds another feed, or no price".into(), "name the account of this market's feed")),
    }
}

/// What a transaction in each market writes, for which others compete: its account and its slabs.
pub(super) fn written(found: &Found) -> Vec<[Pubkey; 3]> {
    found.snapshot.markets().map(|entry| [entry.keys.market, entry.keys.book, entry.keys.ranks]).collect()
}

/// Whether the lookup tables hold what transactions name.
pub(super) async fn tables(report: &mut Report, config: &Config, rpc: &RpcClient, found: &Found) {
    let keys = &found.snapshot.keys;
    let mut wanted = vec![keys.exchange, keys.vault, keys.insurance];
    for entry in found.snapshot.markets() {
        wanted.extend([entry.keys.market, entry.keys.book, entry.keys.ranks]);
    }
    let markets = found.snapshot.markets().count();
    if config.lookup_tables.is_empty() {
        return if markets >= NEEDS_TABLE {
            let says = format!("none, and accounts may be in {markets} markets: their transactions are too large");
            report.warn("tables", says, "`ballast-migrate` makes one; name it with --lookup-table");
        } else {
            report.good("tables", format!("none, and {markets} markets need none"));
        };
    }
    let mut held = Vec::new();
    for table in &config.lookup_tables {
        match rpc::lookup_table(rpc, table).await {
            Ok(found) => held.extend(found.addresses),
            Err(error) => report.wrong("tables", error.to_string(), "correct --lookup-table"),
        }
    }
    let missing = wanted.iter().filter(|key| !held.contains(key)).count();
    if missing > 0 {
        let says = format!("{missing} of the exchange's {} accounts are in no lookup table", wanted.len());
        report.warn("tables", says, "run `ballast-migrate apply`, which extends it");
    } else {
        report.good("tables", format!("all {} accounts of the exchange are in lookup tables", wanted.len()));
    }
}
