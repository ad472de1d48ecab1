//! The deployment tool's command line.

use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use ballast_client::{addresses::PROGRAM_ID, send::Sender};
use ballast_migrate::{
    apply::Runner,
    cluster::{Cluster, Found},
    config::ExchangeConfig,
    exchange::exchange_of,
    plan::{Plan, sol},
    roles::{Keys, Named, Roles},
    state_file::StateFile,
};
use clap::{Args, Parser, Subcommand};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

/// Plans that one run carries out: the program and account versions, then the rest, then nothing.
const MOST_PLANS: u32 = 4;

/// Brings a cluster to what one TOML file says: program, exchange, vaults, markets, lookup table, account versions.
///
/// Nothing is sent before the plan was shown. A second run finds nothing to do.
#[derive(Parser)]
#[command(name = "ballast-migrate", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what would be done, and its costs; send nothing
    Plan(Common),
    /// Do it, after asking
    Apply {
        #[command(flatten)]
        common: Common,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Show the plan and stop
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what the cluster has
    Status(Common),
}

#[derive(Args)]
struct Common {
    /// The configuration
    #[arg(long, default_value = "migrations/localnet.toml")]
    config: PathBuf,
    /// JSON-RPC endpoint; the configuration's otherwise
    #[arg(long, env = "BALLAST_RPC_URL")]
    url: Option<String>,
    /// Key file of who pays
    #[arg(long)]
    payer: Option<PathBuf>,
    /// Key file of the exchange's admin
    #[arg(long)]
    admin: Option<PathBuf>,
    /// Key file of the program's upgrade authority
    #[arg(long)]
    upgrade_authority: Option<PathBuf>,
    /// Key file of the program, for its first deployment
    #[arg(long)]
    program_keypair: Option<PathBuf>,
    /// The compiled program
    #[arg(long)]
    program: Option<PathBuf>,
    /// Leave the program alone
    #[arg(long, conflicts_with = "program")]
    skip_program: bool,
    /// Where the lookup table's address is kept; beside the configuration otherwise
    #[arg(long)]
    state: Option<PathBuf>,
    /// Price of a compute unit for the program's chunks, in millionths of a lamport
    #[arg(long, default_value_t = 1)]
    chunk_price: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Plan(common) => Session::open(common).await?.show().await.map(drop),
        Command::Apply { common, yes, dry_run } => Session::open(common).await?.apply(yes, dry_run).await,
        Command::Status(common) => Session::open(common).await?.status().await,
    }
}

/// A configuration, its keys and its cluster.
struct Session {
    config: ExchangeConfig,
    keys: Keys,
    state: StateFile,
    rpc: Arc<RpcClient>,
    genesis: String,
    code: Option<Vec<u8>>,
    chunk_price: u64,
}

impl Session {
    async fn open(common: Common) -> Result<Session> {
        let config = ExchangeConfig::load(&common.config)?;
        let url = common.url.or_else(|| config.cluster.url.clone());
        let Some(url) = url else { bail!("no cluster: say --url, or url under [cluster]") };
        let named = Named {
            payer: common.payer,
            admin: common.admin,
            upgrade_authority: common.upgrade_authority,
            program: common.program_keypair,
        };
        let keys = Keys::read(&config, &named, &url)?;
        let file = common.program.or_else(|| config.program.clone()).filter(|_| !common.skip_program);
        let read = |file: PathBuf| std::fs::read(&file).with_context(|| format!("the program {}", file.display()));
        let code = file.map(read).transpose()?;
        let path = common.state.unwrap_or_else(|| StateFile::beside(&common.config));
        let state = StateFile::read(path.clone()).with_context(|| format!("the state file {}", path.display()))?;
        let rpc = Arc::new(RpcClient::new_with_commitment(url.clone(), CommitmentConfig::confirmed()));
        let genesis = Cluster::new(&rpc).genesis().await.with_context(|| format!("the cluster at {url}"))?;
        println!("cluster {url}, genesis {genesis}");
        Ok(Session { config, keys, state, rpc, genesis, code, chunk_price: common.chunk_price })
    }

    fn roles(&self) -> Roles {
        self.keys.roles()
    }

    async fn found(&self) -> Result<Found> {
        let cluster = Cluster::new(&self.rpc);
        Ok(cluster.read(&self.config, &self.roles(), &self.state, &self.genesis).await?)
    }

    /// Shows the plan.
    async fn show(&self) -> Result<(Found, Plan)> {
        let (found, roles) = (self.found().await?, self.roles());
        let plan = Plan::new(&self.config, &found, &roles, self.code.as_deref())?;
        println!("payer {} has {}", roles.payer, sol(found.payer_lamports));
        println!("{plan}");
        Ok((found, plan))
    }

    /// Plans and carries out until there is nothing to do: what comes after migrated accounts shows only then.
    async fn apply(mut self, yes: bool, dry_run: bool) -> Result<()> {
        for _ in 0..MOST_PLANS {
            let (found, plan) = self.show().await?;
            if plan.is_empty() || dry_run {
                return Ok(());
            }
            if !yes && !confirmed()? {
                bail!("nothing was sent");
            }
            self.carry_out(&plan, &found).await?;
        }
        bail!("the cluster is still not as the configuration says: see above")
    }

    async fn carry_out(&mut self, plan: &Plan, found: &Found) -> Result<()> {
        let mut sender = Sender::new(Arc::clone(&self.rpc));
        sender.config.commitment = CommitmentConfig::confirmed();
        let report = |line: &str| println!("{line}");
        let runner = Runner {
            sender,
            keys: &self.keys,
            chunk_price: self.chunk_price,
            genesis: self.genesis.clone(),
            report: &report,
        };
        Ok(runner.run(plan, found, &mut self.state).await?)
    }

    async fn status(&self) -> Result<()> {
        let (found, roles) = (self.found().await?, self.roles());
        match (found.program.owner, found.program.authority()) {
            (None, _) => println!("program    {PROGRAM_ID} is not deployed"),
            (Some(_), authority) => println!(
                "program    {PROGRAM_ID}, room for {} bytes, slot {}, upgrade authority {}",
                found.program.capacity(),
                found.program.slot().unwrap_or(0),
                authority.map_or("nobody".to_owned(), |key| key.to_string()),
            ),
        }
        if let Some(code) = &self.code {
            println!("           {} the program file", if found.program.is(code) { "is" } else { "is not" });
        }
        let address = exchange_of(&self.config, &roles);
        let Some(exchange) = &found.exchange else {
            println!("exchange   {address} does not exist");
            return Ok(());
        };
        println!("exchange   {address}, admin {}, guardian {}", exchange.admin, exchange.guardian);
        println!("collateral {}", exchange.quote_mint);
        println!("insurance  {} atoms", found.insurance);
        for market in &found.markets {
            let symbol = String::from_utf8_lossy(&market.symbol);
            println!(
                "market {:<3} {:<16} status {}, mark {}, book {}, ranks {}",
                market.index,
                symbol.trim_end_matches('\0'),
                market.status,
                market.mark().0,
                market.book,
                market.ranks
            );
        }
        match &found.table {
            Some(table) => println!("lookup table {} with {} addresses", table.key, table.addresses.len()),
            None => println!("no lookup table is known"),
        }
        Ok(())
    }
}

fn confirmed() -> Result<bool> {
    print!("Do this? [y/N] ");
    io::stdout().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
