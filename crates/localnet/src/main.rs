//! Runs a local Solana network until it is interrupted.

use std::{error::Error, net::IpAddr, process::ExitCode};

use ballast_localnet::{Blocks, Faucet, Localnet, LocalnetConfig, ProgramFile, QUOTE_DECIMALS};
use clap::{Parser, ValueEnum};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// SOL that `--fund` pays, in lamports.
const FUND_LAMPORTS: u64 = 100_000_000_000;
/// Dollars that `--fund` pays, in atoms.
const FUND_ATOMS: u64 = 1_000_000 * 10_u64.pow(QUOTE_DECIMALS as u32);

/// An offline Solana node with a dollar token, for trying out Ballast. Ends with Ctrl-C.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Address that the servers listen on
    #[arg(long, default_value = "127.0.0.1", env = "BALLAST_LOCALNET_HOST")]
    host: IpAddr,
    /// Port of the JSON-RPC server; 0 takes any free one
    #[arg(long, default_value_t = 8899, env = "BALLAST_LOCALNET_RPC_PORT")]
    rpc_port: u16,
    /// Port of the WebSocket server; 0 takes any free one
    #[arg(long, default_value_t = 8900, env = "BALLAST_LOCALNET_WS_PORT")]
    ws_port: u16,
    /// What makes the node close a block
    #[arg(long, value_enum, default_value_t = Mode::Paced)]
    blocks: Mode,
    /// How many times as fast as the wall's clock the chain's clock runs, with `--blocks paced`
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// How far a block moves the chain's clock, in milliseconds
    #[arg(long, default_value_t = 400)]
    slot_ms: u64,
    /// The chain's time at the start, in unix seconds, instead of now
    #[arg(long)]
    genesis_time: Option<i64>,
    /// A program to deploy, as <address>=<path to .so>; may be repeated
    #[arg(long = "program")]
    programs: Vec<ProgramFile>,
    /// Who may upgrade the deployed programs
    #[arg(long)]
    upgrade_authority: Option<Pubkey>,
    /// A wallet to give 100 SOL and 1,000,000 dollars; may be repeated
    #[arg(long = "fund")]
    funded: Vec<Pubkey>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Wall time
    Paced,
    /// Transactions; the chain's clock stands still
    OnTransaction,
    /// Nothing but cheat codes
    Manual,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ballast-localnet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let upgrade_authority = arguments.upgrade_authority;
    let localnet = Localnet::start(LocalnetConfig {
        host: arguments.host,
        rpc_port: arguments.rpc_port,
        ws_port: arguments.ws_port,
        blocks: match arguments.blocks {
            Mode::Paced => Blocks::Paced { speed: arguments.speed },
            Mode::OnTransaction => Blocks::OnTransaction,
            Mode::Manual => Blocks::Manual,
        },
        slot_ms: arguments.slot_ms,
        genesis_time: arguments.genesis_time,
        programs: arguments.programs.into_iter().map(|file| ProgramFile { upgrade_authority, ..file }).collect(),
        ..LocalnetConfig::default()
    })?;
    let faucet = Faucet::connect(localnet.rpc_url())?;
    for wallet in &arguments.funded {
        faucet.airdrop(wallet, FUND_LAMPORTS)?;
        faucet.mint_to(wallet, FUND_ATOMS)?;
    }
    println!("RPC             {}", localnet.rpc_url());
    println!("WebSocket       {}", localnet.ws_url());
    println!("Dollar token    {}", faucet.mint());
    println!("Mint authority  {}", faucet.mint_authority().pubkey());

    wait_for_interrupt()?;
    eprintln!("ballast-localnet: stopping");
    Ok(localnet.stop()?)
}

/// Returns when the process is asked to end, by a person or by whatever started it.
fn wait_for_interrupt() -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    })
}
