//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::Parser;

/// A local network with an exchange that is alive: for the app's development and tests.
#[derive(Parser, Debug)]
#[command(version)]
pub struct Options {
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
