//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// A local network with an exchange that is alive: for demonstrations, and for the app's development and tests.
///
/// While it runs, a line on standard input such as `AVAX -30` moves a market's price by so many per cent.
#[derive(Parser, Debug)]
// A flag may be said again: `cargo xtask demo` says some, and what the user says comes after.
#[command(version, args_override_self = true)]
pub struct Options {
    /// Where prices come from
    #[arg(long, value_enum, default_value_t = Source::Calm)]
    pub prices: Source,
    /// Folder of the recordings
    #[arg(long, default_value = "data/crash-2025-10-10")]
    pub data: PathBuf,
    /// How many keepers of each role
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=4))]
    pub keepers: u32,
    /// The keepers take no position over: what the book does not close is deleveraged
    #[arg(long)]
    pub no_takers: bool,
    /// Runs an indexer that serves at this port
    #[arg(long, value_name = "PORT")]
    pub indexer_port: Option<u16>,
    /// Serves the built page at this port
    #[arg(long, value_name = "PORT")]
    pub page_port: Option<u16>,
    /// The page's folder, in which it was built
    #[arg(long, default_value = "app")]
    pub app: PathBuf,
    /// Folder of the logs of keepers, indexer and page
    #[arg(long, value_name = "FOLDER", default_value = "target/demo")]
    pub logs: PathBuf,
    /// The exchange's configuration
    #[arg(long, default_value = "migrations/localnet.toml")]
    pub config: PathBuf,
    /// The compiled program
    #[arg(long, default_value = "target/deploy/ballast.so")]
    pub program: PathBuf,
    /// Port of the node's JSON-RPC server; 0 takes any free one
    #[arg(long, default_value_t = 8899)]
    pub rpc_port: u16,
    /// Port of the node's WebSocket server; 0 takes any free one
    #[arg(long, default_value_t = 8900)]
    pub ws_port: u16,
    /// Seed of prices and traders
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Where prices come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// A random walk around the prices of the morning of 10 October 2025: a quiet day
    Calm,
    /// The recorded crash, from 21:12 to 21:42 UTC, again and again; and some who gamble with high leverage
    Crash,
}
