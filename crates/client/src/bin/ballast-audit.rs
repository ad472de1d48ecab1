//! Checks the solvency invariants of an exchange on any cluster, from account data alone.
//!
//! Exit status: 0 when every invariant holds, 1 when one is violated, 2 when it could not be checked.

use std::process::ExitCode;

use ballast_client::{
    audit::{AuditReport, audit},
    rpc::{self, ReadError},
};
use clap::Parser;
use solana_commitment_config::{CommitmentConfig, CommitmentLevel};
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

/// Checks that an exchange can pay everybody, and that nobody's lots or money are counted twice or lost.
#[derive(Parser)]
#[command(name = "ballast-audit", version)]
struct Args {
    /// RPC endpoint of the cluster.
    #[arg(long, env = "BALLAST_RPC_URL", default_value = "http://127.0.0.1:8899")]
    url: String,
    /// The exchange. Without it, every exchange of the program is checked.
    #[arg(long)]
    exchange: Option<Pubkey>,
    /// Commitment at which accounts are read.
    #[arg(long, default_value = "confirmed")]
    commitment: CommitmentLevel,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Print violations only.
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    match check_all(&args).await {
        Ok(reports) => {
            print(&args, &reports);
            ExitCode::from(if reports.iter().all(AuditReport::is_clean) { 0 } else { 1 })
        }
        Err(error) => {
            eprintln!("could not check: {error}");
            ExitCode::from(2)
        }
    }
}

async fn check_all(args: &Args) -> Result<Vec<AuditReport>, ReadError> {
    let commitment = CommitmentConfig { commitment: args.commitment };
    let rpc = RpcClient::new_with_commitment(args.url.clone(), commitment);
    let exchanges = match args.exchange {
        Some(exchange) => vec![exchange],
        None => rpc::exchanges(&rpc, commitment).await?,
    };
    let mut reports = Vec::new();
    for exchange in exchanges {
        reports.push(check(&rpc, &exchange, commitment).await?);
    }
    Ok(reports)
}

/// A violation is reported when a second, independent reading finds one too: two payments that cancel out between the
/// readings of the vaults could make a single one look wrong.
async fn check(rpc: &RpcClient, exchange: &Pubkey, commitment: CommitmentConfig) -> Result<AuditReport, ReadError> {
    let (snapshot, vaults) = rpc::state(rpc, exchange, commitment).await?;
    let report = audit(&snapshot, &vaults);
    if report.is_clean() {
        return Ok(report);
    }
    let (snapshot, vaults) = rpc::state(rpc, exchange, commitment).await?;
    Ok(audit(&snapshot, &vaults))
}

fn print(args: &Args, reports: &[AuditReport]) {
    if args.json {
        match serde_json::to_string_pretty(reports) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("the report cannot be written as JSON: {error}"),
        }
    } else if args.quiet {
        for violation in reports.iter().flat_map(AuditReport::violations) {
            println!("{violation}");
        }
    } else if reports.is_empty() {
        println!("the program has no exchange here");
    } else {
        for report in reports {
            println!("{report}");
        }
    }
}
