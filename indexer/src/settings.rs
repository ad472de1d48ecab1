//! What can be said to an indexer, each thing by a flag, an environment variable or a line of a TOML file: flags before
//! environment before file, then defaults.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use ballast_ops::{
    log::LogFormat,
    settings,
    settings::{complete, ws_url_of},
};
use clap::{Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use solana_pubkey::Pubkey;

use crate::{api::Limits, db::Place, source::Finality};

/// Follows the events of a Ballast exchange into a database and serves them over HTTP and WebSocket.
#[derive(Parser)]
#[command(version, about, max_term_width = 110)]
pub struct Arguments {
    /// TOML file with any of the settings below, under the flags' names with underscores
    #[arg(long, env = "BALLAST_INDEXER_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// What to do; follows and serves when nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

/// What an indexer does besides following.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Builds all derived tables again from the events in the database
    Rebuild,
    /// Prints the OpenAPI description
    Openapi,
}

impl Arguments {
    /// Everything that was said.
    ///
    /// # Errors
    /// When the file cannot be read, or has something that is no setting.
    pub fn settings(self) -> Result<Settings> {
        complete(self.settings, self.config.as_deref())
    }
}

settings! {
    /// JSON-RPC endpoint of the node [default: http://127.0.0.1:8899]
    #[arg(long, env = "BALLAST_INDEXER_RPC_URL", global = true)]
    rpc_url: String,
    /// WebSocket endpoint of the node [default: the JSON-RPC endpoint's, the local one's at the next port]
    #[arg(long, env = "BALLAST_INDEXER_WS_URL", global = true)]
    ws_url: String,
    /// The exchange [default: the only one that the program has]
    #[arg(long, env = "BALLAST_INDEXER_EXCHANGE", global = true)]
    exchange: String,
    /// Database: sqlite:PATH, or postgres://user:password@host/database [default: sqlite:ballast-indexer.db]
    #[arg(long, env = "BALLAST_INDEXER_DATABASE_URL", global = true, hide_env_values = true)]
    database_url: String,
    /// Address to serve at [default: 127.0.0.1:8898]
    #[arg(long, env = "BALLAST_INDEXER_LISTEN", global = true)]
    listen: SocketAddr,
    /// What is served: confirmed (at once, mended if the cluster drops it) or finalized [default: confirmed]
    #[arg(long, env = "BALLAST_INDEXER_COMMITMENT", value_enum, global = true)]
    commitment: Commitment,
    /// Longest time between two looks at the node, in milliseconds [default: 1000]
    #[arg(long, env = "BALLAST_INDEXER_POLL_MS", global = true)]
    poll_ms: u64,
    /// Transactions asked for at once [default: 16]
    #[arg(long, env = "BALLAST_INDEXER_FETCHERS", global = true)]
    fetchers: usize,
    /// Go on although the node has forgotten what follows the tables; what is missing stays missing [default: false]
    #[arg(long, env = "BALLAST_INDEXER_ACCEPT_GAP", num_args = 0..=1, default_missing_value = "true", global = true)]
    accept_gap: bool,
    /// Connections to the database for those who read [default: 8]
    #[arg(long, env = "BALLAST_INDEXER_READERS", global = true)]
    readers: usize,
    /// Most requests at once; more are answered with 503 [default: 128]
    #[arg(long, env = "BALLAST_INDEXER_MAX_REQUESTS", global = true)]
    max_requests: usize,
    /// Most WebSocket clients at once [default: 512]
    #[arg(long, env = "BALLAST_INDEXER_MAX_CLIENTS", global = true)]
    max_clients: usize,
    /// How the log is written [default: text]
    #[arg(long, env = "BALLAST_INDEXER_LOG_FORMAT", value_enum, global = true)]
    log_format: LogFormat,
    /// What is logged, in tracing's filter syntax [default: info]
    #[arg(long, env = "BALLAST_INDEXER_LOG", global = true)]
    log: String,
}

/// How sure the cluster must be of what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Commitment {
    /// Two thirds have voted for it.
    Confirmed,
    /// For good.
    Finalized,
}

/// Everything an indexer needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// JSON-RPC endpoint.
    pub rpc_url: String,
    /// WebSocket endpoint.
    pub ws_url: String,
    /// The exchange; `None` for the only one that the program has.
    pub exchange: Option<Pubkey>,
    /// The database.
    pub database: Place,
    /// Where to serve.
    pub listen: SocketAddr,
    /// What is served.
    pub finality: Finality,
    /// Longest time between two looks.
    pub poll: Duration,
    /// Transactions asked for at once.
    pub fetchers: usize,
    /// Goes on over a gap.
    pub accept_gap: bool,
    /// Connections for reading.
    pub readers: usize,
    /// How much is served at once.
    pub limits: Limits,
}

impl Config {
    /// Completes and checks what was said.
    ///
    /// # Errors
    /// When something does not make sense, saying which flag.
    pub fn new(said: Settings) -> Result<Config> {
        let rpc_url = said.rpc_url.unwrap_or_else(|| "http://127.0.0.1:8899".to_string());
        let ws_url = match said.ws_url {
            Some(url) => url,
            None => ws_url_of(&rpc_url)?,
        };
        let exchange =
            said.exchange.map(|text| text.parse().with_context(|| format!("--exchange {text}"))).transpose()?;
        let url = said.database_url.unwrap_or_else(|| "sqlite:ballast-indexer.db".to_string());
        let config = Config {
            rpc_url,
            ws_url,
            exchange,
            database: Place::parse(&url).context("--database-url")?,
            listen: said.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8898))),
            finality: match said.commitment.unwrap_or(Commitment::Confirmed) {
                Commitment::Confirmed => Finality::Confirmed,
                Commitment::Finalized => Finality::Finalized,
            },
            poll: Duration::from_millis(said.poll_ms.unwrap_or(1_000)),
            fetchers: said.fetchers.unwrap_or(16),
            accept_gap: said.accept_gap.unwrap_or(false),
            readers: said.readers.unwrap_or(8),
            limits: Limits { requests: said.max_requests.unwrap_or(128), clients: said.max_clients.unwrap_or(512) },
        };
        ensure!(!config.poll.is_zero(), "--poll-ms is at least 1");
        ensure!((1..=256).contains(&config.fetchers), "--fetchers is from 1 to 256");
        ensure!((1..=256).contains(&config.readers), "--readers is from 1 to 256");
        ensure!(config.limits.requests > 0, "--max-requests is at least 1");
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_before_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("indexer.toml");
        std::fs::write(&path, "poll_ms = 5\nfetchers = 3\ncommitment = \"finalized\"\n").unwrap();
        let line = ["indexer", "--config", path.to_str().unwrap(), "--poll-ms", "7", "rebuild"];
        let arguments = Arguments::try_parse_from(line).unwrap();
        assert!(matches!(arguments.command, Some(Command::Rebuild)));
        let config = Config::new(arguments.settings().unwrap()).unwrap();
        assert_eq!((config.poll, config.fetchers, config.finality), (Duration::from_millis(7), 3, Finality::Finalized));
        std::fs::write(&path, "pol_ms = 5\n").unwrap();
        let said = Arguments::try_parse_from(["indexer", "--config", path.to_str().unwrap()]).unwrap().settings();
        assert!(format!("{:#}", said.unwrap_err()).contains("pol_ms"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_flag() {
        for (flag, value) in [
            ("--fetchers", "0"),
            ("--database-url", "mysql://x"),
            ("--exchange", "x"),
            ("--rpc-url", "x"),
            ("--poll-ms", "0"),
        ] {
            let said = Arguments::try_parse_from(["indexer", flag, value]).unwrap().settings().unwrap();
            let error = format!("{:#}", Config::new(said).unwrap_err());
            assert!(error.contains(flag), "{flag}: {error}");
        }
    }

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
