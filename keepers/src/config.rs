//! What the operator says: flags, environment and a TOML file, in that order of precedence, then defaults.
//!
//! One struct, [`Settings`], is all three, so that nothing can be said in one place only. [`Config`] is what came out of it,
//! checked and complete.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context, Result, ensure};
use ballast_client::{ballast::instructions::MAX_CELLS, send::SIGNATURE_FEE};
use ballast_ops::settings::ws_url_of;
use clap::ValueEnum;
use serde::Deserialize;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;

use crate::{
    decide::{profit::Least, spending::Budget},
    settings::Settings,
    task::Class,
    values::{Address, Dollars, Sol},
};

/// What a keeper can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reduces accounts below maintenance margin, and takes positions over.
    Liquidator,
    /// Closes what book and insurance could not.
    Deleverager,
    /// Settles seats and losses, keeps the ranking index current, sweeps fees to insurance.
    Settler,
    /// Executes triggers that are due, lets trailing stops follow the mark, carries out ladders.
    Triggers,
    /// Brings the oracle accounts' prices into the markets.
    Poster,
    /// Tells what price shocks would do.
    Monitor,
}

/// How a node is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscribe {
    /// `program`, or `accounts` when the node refuses it.
    Auto,
    /// One subscription for all accounts of the program: updates come in the order in which they were written.
    Program,
    /// One for each market's accounts; margin accounts come with the snapshots, which are taken more often then.
    Accounts,
}

/// How much of the cluster has to agree before an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Commitment {
    /// One node has executed it.
    Processed,
    /// Two thirds have voted for it.
    Confirmed,
}

impl From<Commitment> for CommitmentConfig {
    fn from(commitment: Commitment) -> Self {
        match commitment {
            Commitment::Processed => CommitmentConfig::processed(),
            Commitment::Confirmed => CommitmentConfig::confirmed(),
        }
    }
}

/// The oracle account of a market: `<market index>=<address>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OracleAccount {
    /// The market's index.
    pub market: u16,
    /// An account of the market's oracle program with its price.
    pub account: Pubkey,
}

impl FromStr for OracleAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (market, account) = text.split_once('=').ok_or("expected <market index>=<address>")?;
        let market = market.trim().parse().map_err(|error| format!("market index: {error}"))?;
        Ok(OracleAccount { market, account: account.parse::<Address>()?.0 })
    }
}

impl TryFrom<String> for OracleAccount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Atoms that a SOL costs when nobody says: more than it ever has, so that costs are not taken for smaller than they are.
const DEAR_SOL: u64 = 300_000_000;

/// Everything a keeper needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it does.
    pub roles: Vec<Role>,
    /// JSON-RPC endpoint.
    pub rpc_url: String,
    /// WebSocket endpoint.
    pub ws_url: String,
    /// The exchange; `None` for the only one that the program has.
    pub exchange: Option<Pubkey>,
    /// File of the key that signs and pays.
    pub keypair: PathBuf,
    /// Number of the keeper's own margin account.
    pub margin_number: u16,
    /// Collateral that it should have at the start, in atoms.
    pub deposit: u64,
    /// Simulates only.
    pub dry_run: bool,
    /// Most transactions under way at once.
    pub max_in_flight: usize,
    /// What the view is made of.
    pub commitment: CommitmentConfig,
    /// How the node is listened to.
    pub subscribe: Subscribe,
    /// Time between two snapshots.
    pub repair_every: Duration,
    /// How long subscriptions may be silent while slots pass, before they are made anew.
    pub silence: Duration,
    /// Longest random delay before an account is tried.
    pub jitter: Duration,
    /// How long a shutdown waits for what is under way.
    pub grace: Duration,
    /// Where `/metrics` and `/health` are served.
    pub metrics_addr: Option<SocketAddr>,
    /// Oracle accounts that are known.
    pub oracles: Vec<OracleAccount>,
    /// Address lookup tables.
    pub lookup_tables: Vec<Pubkey>,
    /// What transactions may cost.
    pub fees: FeeConfig,
    /// What they have to bring.
    pub profit: ProfitConfig,
    /// Taking positions over.
    pub takeover: TakeoverConfig,
    /// Deleveraging.
    pub max_cells: u32,
    /// Settling.
    pub settle: SettleConfig,
    /// Posting prices.
    pub poster: PosterConfig,
    /// Time between two computations of what shocks would do.
    pub risk_every: Duration,
    /// Least that a trailing stop moves for a transaction, in millionths of its price.
    pub ratchet_ppm: u64,
}

/// What transactions may cost.
#[derive(Clone, Copy, Debug)]
pub struct FeeConfig {
    /// Percentile of recent priority fees that is offered.
    pub percentile: u8,
    /// Most lamports that one transaction's priority fee may be.
    pub max_priority_lamports: u64,
    /// Most lamports spent in an hour, and of them on routine work; the keeper pauses when they are.
    pub per_hour: Budget,
}

impl FeeConfig {
    /// Most lamports that the fee of one transaction, with one signature, may be.
    pub fn most(&self) -> u64 {
        self.max_priority_lamports.saturating_add(SIGNATURE_FEE)
    }
}

/// What transactions have to bring that the program pays for.
#[derive(Clone, Copy, Debug)]
pub struct ProfitConfig {
    /// Of forced reductions.
    pub forced: Least,
    /// Of routine work.
    pub routine: Least,
    /// Atoms that a SOL costs.
    pub sol_price: u64,
    /// The market whose mark says that instead, while its price is fresh.
    pub sol_market: Option<u16>,
}

/// On what terms the keeper's own account takes positions over.
#[derive(Clone, Copy, Debug)]
pub struct TakeoverConfig {
    /// Whether it does.
    pub enabled: bool,
    /// Largest value of a position in one market, in atoms.
    pub max_position: u64,
    /// Smallest discount off the mark, in basis points.
    pub min_discount_bps: u32,
    /// How far from the mark positions taken over are sold on the book, in basis points; `None` keeps them.
    pub unwind_bps: Option<u32>,
}

/// What is worth settling.
#[derive(Clone, Copy, Debug)]
pub struct SettleConfig {
    /// Smallest realised loss, in atoms.
    pub min_loss: u64,
    /// How long fills wait in a seat for their owner to fold them.
    pub seat_age: Duration,
    /// Smallest insurance fee of a market that is swept, in atoms.
    pub min_sweep: u64,
    /// Most accounts looked at per second in search of something to settle.
    pub sweep_rate: u32,
    /// How often it pays for a larger book before one is full.
    pub grow_books: u32,
}

/// When a price is worth a transaction.
#[derive(Clone, Copy, Debug)]
pub struct PosterConfig {
    /// Smallest move, in 10^-9.
    pub least_move: u64,
    /// Age from which a market is refreshed whatever happened, in seconds; `None` for half of what opening allows.
    pub max_age_s: Option<i64>,
    /// Least seconds between two prices of a market.
    pub gap_s: i64,
}

impl Config {
    /// Completes and checks what was said.
    ///
    /// # Errors
    /// When something is missing or does not make sense, saying which flag.
    pub fn new(said: Settings) -> Result<Config> {
        let roles = said
            .roles
            .context("no roles: say --roles liquidator,deleverager,settler,triggers,poster,monitor, or some of them")?;
        ensure!(!roles.is_empty(), "--roles is empty");
        let rpc_url = said.rpc_url.unwrap_or_else(|| "http://127.0.0.1:8899".to_string());
        let ws_url = match said.ws_url {
            Some(url) => url,
            None => ws_url_of(&rpc_url)?,
        };
        let oracles = said.oracles.unwrap_or_default();
        let percentile = said.priority_percentile.unwrap_or(75);
        ensure!(percentile <= 100, "--priority-percentile is at most 100");
        let max_in_flight = said.max_in_flight.unwrap_or(8);
        ensure!(max_in_flight > 0, "--max-in-flight is at least 1");
        let max_cells = said.max_cells.unwrap_or(MAX_CELLS);
        ensure!(max_cells > 0, "--max-cells is at least 1");
        let subscribe = said.subscribe.unwrap_or(Subscribe::Auto);
        let default_repair = if subscribe == Subscribe::Accounts { 5 } else { 30 };
        let repair_every = Duration::from_secs(said.repair_interval_s.unwrap_or(default_repair));
        ensure!(!repair_every.is_zero(), "--repair-interval-s is at least 1");
        let silence = Duration::from_secs(said.silence_s.unwrap_or(5));
        ensure!(!silence.is_zero(), "--silence-s is at least 1");
        if roles.contains(&Role::Poster) {
            ensure!(!oracles.is_empty(), "the poster needs oracle accounts: say --oracle <market index>=<address>");
        }
        let routine_share = said.routine_share.unwrap_or(50);
        ensure!(routine_share <= 100, "--routine-share is at most 100");
        let per_hour = said.max_spend_per_hour.map_or(1_000_000_000, Sol::lamports);
        let fees = FeeConfig {
            percentile,
            max_priority_lamports: said.max_priority_fee.map_or(1_000_000, Sol::lamports),
            per_hour: Budget::new(per_hour, per_hour / 100 * u64::from(routine_share)),
        };
        ensure!(per_hour >= fees.most(), "--max-spend-per-hour is less than one transaction's --max-priority-fee");
        let routine = fees.per_hour.of(Class::Routine);
        ensure!(
            routine_share == 0 || routine >= fees.most(),
            "--routine-share of --max-spend-per-hour is less than one transaction's --max-priority-fee: say 0, or more"
        );
        let sweep_rate = said.sweep_rate.unwrap_or(5_000);
        ensure!(sweep_rate > 0, "--sweep-rate is at least 1");
        Ok(Config {
            roles,
            rpc_url,
            ws_url,
            exchange: said.exchange.map(|address| address.0),
            keypair: said.keypair.context("no key: say --keypair <file>")?,
            margin_number: said.margin_number.unwrap_or(0),
            deposit: said.deposit.map_or(0, Dollars::atoms),
            dry_run: said.dry_run.unwrap_or(false),
            max_in_flight,
            commitment: said.commitment.unwrap_or(Commitment::Processed).into(),
            subscribe,
            repair_every,
            silence,
            jitter: Duration::from_millis(said.jitter_ms.unwrap_or(150)),
            grace: Duration::from_secs(said.shutdown_grace_s.unwrap_or(60)),
            metrics_addr: said.metrics_addr,
            oracles,
            lookup_tables: said.lookup_tables.unwrap_or_default().into_iter().map(|address| address.0).collect(),
            fees,
            profit: ProfitConfig {
                forced: said.min_profit_forced.map_or(Least::Any, |profit| profit.0),
                routine: said.min_profit.map_or(Least::Atoms(0), |profit| profit.0),
                sol_price: said.sol_price.map_or(DEAR_SOL, Dollars::atoms),
                sol_market: said.sol_market,
            },
            takeover: TakeoverConfig {
                enabled: said.takeover.unwrap_or(false),
                max_position: said.max_position.map_or(10_000_000_000, Dollars::atoms),
                min_discount_bps: said.takeover_min_discount_bps.unwrap_or(10),
                unwind_bps: said.unwind_bps,
            },
            max_cells,
            settle: SettleConfig {
                min_loss: said.min_loss.map_or(1_000_000, Dollars::atoms),
                seat_age: Duration::from_millis(said.seat_age_ms.unwrap_or(2_000)),
                min_sweep: said.min_sweep.map_or(10_000_000, Dollars::atoms),
                sweep_rate,
                grow_books: said.grow_books.unwrap_or(0),
            },
            risk_every: Duration::from_secs(said.risk_interval_s.unwrap_or(15)),
            poster: PosterConfig {
                // A basis point is 10^5 × 10^-9.
                least_move: u64::from(said.post_move_bps.unwrap_or(5)) * 100_000,
                max_age_s: said.post_age_s.map(i64::from),
                gap_s: said.post_gap_s.unwrap_or(1).into(),
            },
            ratchet_ppm: said.ratchet_bps.unwrap_or(10).saturating_mul(100).into(),
        })
    }

    /// Whether the keeper has a role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oracle_account_is_an_index_and_an_address() {
        let key = Pubkey::new_from_array([3; 32]);
        let parsed: OracleAccount = format!("7={key}").parse().unwrap();
        assert_eq!(parsed, OracleAccount { market: 7, account: key });
        assert!("x=1".parse::<OracleAccount>().is_err() && key.to_string().parse::<OracleAccount>().is_err());
    }

    #[test]
    fn a_keeper_without_role_or_key_is_refused_by_name() {
        let error = Config::new(Settings::default()).unwrap_err().to_string();
        assert!(error.contains("--roles"), "{error}");
        let said = Settings { roles: Some(vec![Role::Settler]), ..Settings::default() };
        let error = Config::new(said).unwrap_err().to_string();
        assert!(error.contains("--keypair"), "{error}");
    }

    #[test]
    fn what_is_not_said_has_defaults() {
        let said =
            Settings { roles: Some(vec![Role::Liquidator]), keypair: Some("key.json".into()), ..Settings::default() };
        let config = Config::new(said).unwrap();
        assert!(config.has(Role::Liquidator) && !config.has(Role::Settler));
        assert_eq!(config.ws_url, "ws://127.0.0.1:8900");
        assert!(!config.takeover.enabled && !config.dry_run);
        assert_eq!(config.fees.per_hour, Budget::new(1_000_000_000, 500_000_000));
        assert_eq!((config.profit.forced, config.profit.routine), (Least::Any, Least::Atoms(0)));
    }

    #[test]
    fn an_hour_has_money_for_one_transaction_at_least() {
        let said = Settings {
            roles: Some(vec![Role::Settler]),
            keypair: Some("key.json".into()),
            max_spend_per_hour: Some("0.001".parse().unwrap()),
            ..Settings::default()
        };
        let error = Config::new(said.clone()).unwrap_err().to_string();
        assert!(error.contains("--max-spend-per-hour"), "{error}");
        // Enough for one, but not out of routine work's share, which is all that this keeper does.
        let said = Settings { max_priority_fee: Some("0.0009".parse().unwrap()), ..said };
        let error = Config::new(said.clone()).unwrap_err().to_string();
        assert!(error.contains("--routine-share"), "{error}");
        Config::new(Settings { routine_share: Some(100), ..said }).unwrap();
    }
}
