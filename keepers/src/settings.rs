//! What can be said to a keeper, each thing by a flag, an environment variable or a line of a TOML file.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use ballast_ops::{log::LogFormat, settings, settings::complete};
use clap::{Args, Parser, Subcommand};

use crate::{
    config::{Commitment, OracleAccount, Role, Subscribe},
    values::{Address, Dollars, Profit, Sol},
};

/// Keeps a Ballast exchange solvent and current, next to any Solana node.
#[derive(Parser)]
#[command(version, about, max_term_width = 110, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    said: Said,
}

/// What else can be done than to keep.
#[derive(Subcommand)]
enum Command {
    /// Looks at everything that a keeper with these settings needs, says what is wrong and how to mend it, and changes
    /// nothing. Exit status 0 when a keeper can be started
    Doctor {
        #[command(flatten)]
        said: Said,
        /// Writes one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// What is to be done.
pub enum Wanted {
    /// To keep.
    Keep(Said),
    /// To look at a setup.
    Doctor {
        /// The setup.
        said: Said,
        /// Whether the report is JSON.
        json: bool,
    },
}

impl Arguments {
    /// What is to be done.
    pub fn wanted(self) -> Wanted {
        match self.command {
            None => Wanted::Keep(self.said),
            Some(Command::Doctor { said, json }) => Wanted::Doctor { said, json },
        }
    }
}

/// Settings and where else they are.
#[derive(Args)]
pub struct Said {
    /// TOML file with any of the settings below, under the flags' names with underscores
    #[arg(long, env = "BALLAST_KEEPER_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Said {
    /// Everything that was said: flags before environment before file.
    ///
    /// # Errors
    /// When the file cannot be read, or has something that is no setting.
    pub fn settings(self) -> Result<Settings> {
        complete(self.settings, self.config.as_deref())
    }
}

settings! {
    /// What to do: liquidator, deleverager, settler, triggers, poster, monitor, or several separated by commas
    #[arg(long, env = "BALLAST_KEEPER_ROLES", value_enum, value_delimiter = ',')]
    roles: Vec<Role>,
    /// JSON-RPC endpoint [default: http://127.0.0.1:8899]
    #[arg(long, env = "BALLAST_KEEPER_RPC_URL")]
    rpc_url: String,
    /// WebSocket endpoint [default: the RPC endpoint's host, on the next port]
    #[arg(long, env = "BALLAST_KEEPER_WS_URL")]
    ws_url: String,
    /// The exchange [default: the program's only one]
    #[arg(long, env = "BALLAST_KEEPER_EXCHANGE")]
    exchange: Address,
    /// File of the key that signs and pays; readable by its owner only
    #[arg(long, env = "BALLAST_KEEPER_KEYPAIR")]
    keypair: PathBuf,
    /// Number of the keeper's own margin account, which rewards go to; opened if missing [default: 0]
    #[arg(long, env = "BALLAST_KEEPER_MARGIN_NUMBER")]
    margin_number: u16,
    /// At the start, tops the margin account's collateral up to this many dollars, from the key's associated token account
    /// [default: nothing]
    #[arg(long, env = "BALLAST_KEEPER_DEPOSIT")]
    deposit: Dollars,
    /// Simulates and logs what it would have done, and sends nothing
    #[arg(long, env = "BALLAST_KEEPER_DRY_RUN", num_args = 0..=1, default_missing_value = "true")]
    dry_run: bool,
    /// Most transactions under way at once [default: 8]
    #[arg(long, env = "BALLAST_KEEPER_MAX_IN_FLIGHT")]
    max_in_flight: usize,
    /// What the view of the exchange is made of [default: processed]
    #[arg(long, env = "BALLAST_KEEPER_COMMITMENT", value_enum)]
    commitment: Commitment,
    /// How the node is listened to [default: auto]
    #[arg(long, env = "BALLAST_KEEPER_SUBSCRIBE", value_enum)]
    subscribe: Subscribe,
    /// Seconds between two snapshots that repair the view [default: 30; 5 with --subscribe accounts]
    #[arg(long, env = "BALLAST_KEEPER_REPAIR_INTERVAL_S")]
    repair_interval_s: u64,
    /// Seconds without a word over the WebSocket after which subscriptions are made anew, if slots pass meanwhile [default: 5]
    #[arg(long, env = "BALLAST_KEEPER_SILENCE_S")]
    silence_s: u64,
    /// Longest random delay before an account is tried, in milliseconds, so that keepers do not all try at once; up to
    /// sixteen times that while others come first [default: 150]
    #[arg(long, env = "BALLAST_KEEPER_JITTER_MS")]
    jitter_ms: u64,
    /// Seconds that a shutdown waits for transactions under way [default: 60]
    #[arg(long, env = "BALLAST_KEEPER_SHUTDOWN_GRACE_S")]
    shutdown_grace_s: u64,
    /// Where /metrics and /health are served, as host:port [default: nowhere]
    #[arg(long, env = "BALLAST_KEEPER_METRICS_ADDR")]
    metrics_addr: SocketAddr,
    /// A market's oracle account as <market index>=<address>, to refresh a market that lags behind it; may be repeated
    #[arg(long = "oracle", env = "BALLAST_KEEPER_ORACLES", value_delimiter = ',')]
    oracles: Vec<OracleAccount>,
    /// An address lookup table with the exchange's accounts; may be repeated
    #[arg(long = "lookup-table", env = "BALLAST_KEEPER_LOOKUP_TABLES", value_delimiter = ',')]
    lookup_tables: Vec<Address>,
    /// Percentile of recent priority fees that is offered [default: 75]
    #[arg(long, env = "BALLAST_KEEPER_PRIORITY_PERCENTILE")]
    priority_percentile: u8,
    /// Largest priority fee of one transaction, in SOL [default: 0.001]
    #[arg(long, env = "BALLAST_KEEPER_MAX_PRIORITY_FEE")]
    max_priority_fee: Sol,
    /// Most SOL spent on fees and rent in an hour; the keeper pauses when it is [default: 1]
    #[arg(long, env = "BALLAST_KEEPER_MAX_SPEND_PER_HOUR")]
    max_spend_per_hour: Sol,
    /// Share of that which may go to routine work (settling, ranking, triggers, books, volume), in percent; the rest is kept for
    /// forced reductions and prices [default: 50]
    #[arg(long, env = "BALLAST_KEEPER_ROUTINE_SHARE")]
    routine_share: u8,
    /// Dollars that a SOL costs, to compare fees with rewards; rather too many than too few [default: 300]
    #[arg(long, env = "BALLAST_KEEPER_SOL_PRICE")]
    sol_price: Dollars,
    /// Index of the exchange's market for SOL, whose mark is taken instead while its price is fresh [default: none]
    #[arg(long, env = "BALLAST_KEEPER_SOL_MARKET")]
    sol_market: u16,
    /// Least profit, in dollars, of routine work that the program pays for; negative for a loss that is borne; or `any`
    /// [default: 0]
    #[arg(long, env = "BALLAST_KEEPER_MIN_PROFIT", allow_hyphen_values = true)]
    min_profit: Profit,
    /// The same for forced reductions: liquidate, takeover, deleverage [default: any]
    #[arg(long, env = "BALLAST_KEEPER_MIN_PROFIT_FORCED", allow_hyphen_values = true)]
    min_profit_forced: Profit,
    /// Liquidator: take positions over with the keeper's own margin account [default: false]
    #[arg(long, env = "BALLAST_KEEPER_TAKEOVER", num_args = 0..=1, default_missing_value = "true")]
    takeover: bool,
    /// Liquidator: largest position of the keeper's own in one market, in dollars [default: 10000]
    #[arg(long, env = "BALLAST_KEEPER_MAX_POSITION")]
    max_position: Dollars,
    /// Liquidator: smallest discount off the mark for taking over, in basis points [default: 10]
    #[arg(long, env = "BALLAST_KEEPER_TAKEOVER_MIN_DISCOUNT_BPS")]
    takeover_min_discount_bps: u32,
    /// Liquidator: sell positions taken over on the book, at most this far from the mark, in basis points
    /// [default: keep them]
    #[arg(long, env = "BALLAST_KEEPER_UNWIND_BPS")]
    unwind_bps: u32,
    /// Deleverager: most cells of the ranking index reduced by one instruction [default: the program's limit]
    #[arg(long, env = "BALLAST_KEEPER_MAX_CELLS")]
    max_cells: u32,
    /// Settler: smallest realised loss worth a transaction, in dollars [default: 1]
    #[arg(long, env = "BALLAST_KEEPER_MIN_LOSS")]
    min_loss: Dollars,
    /// Settler: how long fills may wait in a seat, in milliseconds [default: 2000]
    #[arg(long, env = "BALLAST_KEEPER_SEAT_AGE_MS")]
    seat_age_ms: u64,
    /// Settler: smallest insurance fees of a market worth a transaction, in dollars [default: 10]
    #[arg(long, env = "BALLAST_KEEPER_MIN_SWEEP")]
    min_sweep: Dollars,
    /// Settler: most accounts looked at per second in search of work [default: 5000]
    #[arg(long, env = "BALLAST_KEEPER_SWEEP_RATE")]
    sweep_rate: u32,
    /// Settler: how often it pays for 64 more places in a book that is nearly full, about 0.07 SOL of rent each time,
    /// within the hour's cap [default: 0]
    #[arg(long, env = "BALLAST_KEEPER_GROW_BOOKS")]
    grow_books: u32,
    /// Poster: smallest move of a price worth a transaction, in basis points [default: 5]
    #[arg(long, env = "BALLAST_KEEPER_POST_MOVE_BPS")]
    post_move_bps: u32,
    /// Poster: age in seconds from which a market's price is brought although it did not move [default: half of the age up
    /// to which the market lets positions be opened]
    #[arg(long, env = "BALLAST_KEEPER_POST_AGE_S")]
    post_age_s: u32,
    /// Poster: least seconds between two prices of one market [default: 1]
    #[arg(long, env = "BALLAST_KEEPER_POST_GAP_S")]
    post_gap_s: u32,
    /// Monitor: seconds between two computations of what price shocks would do [default: 15]
    #[arg(long, env = "BALLAST_KEEPER_RISK_INTERVAL_S")]
    risk_interval_s: u64,
    /// Triggers: least that a trailing stop moves for a transaction, in basis points of its price [default: 10]
    #[arg(long, env = "BALLAST_KEEPER_RATCHET_BPS")]
    ratchet_bps: u32,
    /// How the log is written [default: text]
    #[arg(long, env = "BALLAST_KEEPER_LOG_FORMAT", value_enum)]
    log_format: LogFormat,
    /// What is logged, in tracing's filter syntax [default: info]
    #[arg(long, env = "BALLAST_KEEPER_LOG")]
    log: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::profit::Least;

    fn settings(line: &[&str]) -> Result<Settings> {
        match Arguments::try_parse_from(line).unwrap().wanted() {
            Wanted::Keep(said) | Wanted::Doctor { said, .. } => said.settings(),
        }
    }

    #[test]
    fn the_doctor_takes_the_same_settings() {
        let line = ["keeper", "doctor", "--json", "--roles", "settler"];
        let Wanted::Doctor { said, json } = Arguments::try_parse_from(line).unwrap().wanted() else { panic!() };
        assert!(json && said.settings().unwrap().roles == Some(vec![Role::Settler]));
    }

    #[test]
    fn flags_come_before_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keeper.toml");
        std::fs::write(&path, "roles = [\"settler\"]\nmin_loss = \"0.5\"\nmax_cells = 9\ntakeover = true\n").unwrap();
        let line = ["keeper", "--config", path.to_str().unwrap(), "--roles", "liquidator,deleverager", "--dry-run"];
        let said = settings(&line).unwrap();
        assert_eq!(said.roles, Some(vec![Role::Liquidator, Role::Deleverager]));
        assert_eq!((said.max_cells, said.dry_run, said.takeover), (Some(9), Some(true), Some(true)));
        assert_eq!(said.min_loss.map(Dollars::atoms), Some(500_000));
    }

    #[test]
    fn a_least_profit_may_be_a_loss() {
        let said = settings(&["keeper", "--min-profit", "-0.001", "--min-profit-forced", "0"]).unwrap();
        assert_eq!(said.min_profit, Some(Profit(Least::Atoms(-1_000))));
        assert_eq!(said.min_profit_forced, Some(Profit(Least::Atoms(0))));
    }

    #[test]
    fn a_word_that_is_no_setting_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keeper.toml");
        std::fs::write(&path, "min_los = 3\n").unwrap();
        let error = format!("{:#}", settings(&["keeper", "--config", path.to_str().unwrap()]).unwrap_err());
        assert!(error.contains("min_los") && error.contains("keeper.toml"), "{error}");
    }

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
