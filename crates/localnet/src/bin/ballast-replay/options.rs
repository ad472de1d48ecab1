//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::Parser;

/// Replays a recorded crash on a real Solana runtime, with real keepers, and audits the result.
///
/// Exit status: 0 when the audit is clean and every account is resolved, 1 when not, 2 when the replay could not run.
#[derive(Parser, Debug)]
#[command(version)]
pub struct Options {
    /// A market's recording as NAME=FILE, with rows `unix_s,price_usd`; may be repeated. NAME is a market of the
    /// configuration. Default: the four recordings of 10 October 2025
    #[arg(long = "prices", value_name = "NAME=FILE", value_parser = named_file)]
    pub prices: Vec<(String, PathBuf)>,
    /// Folder of the recordings that are used without `--prices`
    #[arg(long, default_value = "data/crash-2025-10-10")]
    pub data: PathBuf,
    /// The exchange's configuration
    #[arg(long, default_value = "migrations/localnet.toml")]
    pub config: PathBuf,
    /// The compiled program
    #[arg(long, default_value = "target/deploy/ballast.so")]
    pub program: PathBuf,
    /// How many traders
    #[arg(long, default_value_t = 320, value_parser = clap::value_parser!(u32).range(4..=5_000))]
    pub traders: u32,
    /// How many more traders protect themselves, with stops, trailing stops and ladders: twins of traders who do not, so that
    /// the report can say what it saved them
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=2_000))]
    pub protected: u32,
    /// Seed of the traders' leverage, size, side and entry
    #[arg(long, default_value_t = 20_251_010)]
    pub seed: u64,
    /// Recorded seconds per second
    #[arg(long, default_value_t = 20.0, value_parser = positive)]
    pub speed: f64,
    /// First recorded second to play; default: 20:55 UTC for the standard recordings, otherwise the first
    #[arg(long, value_name = "UNIX_S")]
    pub from: Option<i64>,
    /// Last recorded second to play; default: 21:35 UTC for the standard recordings, otherwise the last
    #[arg(long, value_name = "UNIX_S")]
    pub to: Option<i64>,
    /// How many keepers of each role
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=8))]
    pub keepers: u32,
    /// The keeper's binary; default: beside this one
    #[arg(long)]
    pub keeper: Option<PathBuf>,
    /// Kills every keeper in the middle of the replay, leaves the market without any for two recorded minutes, and then
    /// starts one of each role again
    #[arg(long)]
    pub kill_keepers: bool,
    /// Port of the node's JSON-RPC server; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    pub rpc_port: u16,
    /// Port of the node's WebSocket server; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    pub ws_port: u16,
    /// Also writes the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Where the plot goes
    #[arg(long, value_name = "FILE", default_value = "target/replay.svg")]
    pub plot: PathBuf,
    /// Where the keepers' logs go
    #[arg(long, value_name = "FOLDER", default_value = "target/replay-keepers")]
    pub logs: PathBuf,
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err(format!("expected NAME=FILE, got {text:?}")),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number <= 200.0 => Ok(number),
        _ => Err("expected a number above 0 and up to 200".to_owned()),
    }
}
