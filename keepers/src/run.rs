//! A keeper's life: reading its key, finding the exchange, opening its account, running until told to stop.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use ballast_client::{
    accounts,
    addresses::{self, ExchangeKeys},
    instructions::{deposit, open_margin_account},
    keys,
    rpc::{self, Reading},
    snapshot::Snapshot,
};
use ballast_ops::shutdown;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    engine::{Engine, Parts},
    http::{self, Health},
    metrics::Metrics,
    monitor::Latest,
    outcome::Outcome,
    pipeline::Pipeline,
    roles::Own,
    view::{LiveView, feed::Feed, repair::Asker},
};

/// News that wait to be taken in; a node that tells more is made to wait.
const NEWS: usize = 16_384;
/// How long a node may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Runs a keeper until it is interrupted.
///
/// # Errors
/// When it cannot begin: key, node, exchange, account or address are not as they should be.
pub async fn run(config: Config) -> Result<()> {
    let cancel = CancellationToken::new();
    shutdown::on_signals(cancel.clone())?;
    let started = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        started = start(config, cancel.clone()) => started?,
    };
    let Started { engine, mut helpers } = started;
    engine.run(cancel.clone()).await;
    cancel.cancel();
    while let Some(ended) = helpers.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a helper ended badly");
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// A keeper about to run.
struct Started {
    engine: Engine,
    helpers: JoinSet<()>,
}

async fn start(config: Config, cancel: CancellationToken) -> Result<Started> {
    let key = Arc::new(keys::read(&config.keypair)?);
    let (metrics, health) = (Arc::new(Metrics::new()?), Arc::new(Health::new(Instant::now(), config.silence)));
    let risk = Latest::default();
    let mut helpers = JoinSet::new();
    if let Some(address) = config.metrics_addr {
        helpers.spawn(http::serve(address, metrics.clone(), health.clone(), risk.clone(), cancel.clone()).await?);
    }
    let rpc = RpcClient::new_with_timeout_and_commitment(config.rpc_url.clone(), ANSWER_WITHIN, config.commitment);
    let rpc = Arc::new(rpc);
    let found = rpc::find_exchange(&rpc, config.exchange, config.commitment).await;
    let exchange = found.with_context(|| format!("asking {}", config.rpc_url))?;
    let (snapshot, reading) = first_view(&rpc, &exchange, &config).await?;
    let own =
        Own { signer: key.pubkey(), margin: addresses::margin_account(&exchange, &key.pubkey(), config.margin_number) };
    metrics.introduce(&exchange, &own.signer);
    tracing::info!(
        %exchange,
        signer = %own.signer,
        margin = %own.margin,
        markets = snapshot.markets().count(),
        accounts = snapshot.account_count(),
        slot = snapshot.moment.slot,
        dry_run = config.dry_run,
        roles = ?config.roles,
        "the keeper has its first view of the exchange"
    );
    let mut pipeline = Pipeline::new(rpc.clone(), key, own.margin, &config).await?;
    prepare_account(&mut pipeline, &rpc, &own, &snapshot.keys, &config).await?;

    let config = Arc::new(config);
    let oracles: HashMap<Pubkey, u16> = config.oracles.iter().map(|known| (known.account, known.market)).collect();
    let keys = snapshot.keys;
    let live = LiveView::new(snapshot, reading, oracles.clone(), Instant::now());
    let (watched, watching) = watch::channel(live.watched());
    let (tell, news) = mpsc::channel(NEWS);
    let (slot, read) = watch::channel(live.slot);
    let asker = Asker { rpc, keys, commitment: config.commitment, news: tell.clone(), slot: Arc::new(slot) };
    let repair = Arc::new(Notify::new());
    let feed = Feed {
        url: config.ws_url.clone(),
        commitment: config.commitment,
        subscribe: config.subscribe,
        watched: watching,
        oracles: oracles.into_keys().collect(),
        read,
        silence: config.silence,
        news: tell,
    };
    helpers.spawn(feed.run(cancel.clone()));
    helpers.spawn(asker.clone().repair(config.repair_every, repair.clone(), cancel.clone()));
    helpers.spawn(asker.clone().read(own.signer, cancel));
    let parts =
        Parts { config, live, own, pipeline: Arc::new(pipeline), news, asker, repair, watched, metrics, health, risk };
    Ok(Started { engine: Engine::new(parts)?, helpers })
}

async fn first_view(rpc: &RpcClient, exchange: &Pubkey, config: &Config) -> Result<(Snapshot, Reading)> {
    let snapshot = rpc::snapshot(rpc, exchange, config.commitment).await.context("the first snapshot")?;
    let keys = ExchangeKeys::new(*exchange);
    let reading = rpc::vaults(rpc, &keys, config.commitment, 0).await.context("the vaults' balances")?;
    for known in &config.oracles {
        if snapshot.market(known.market).is_none() {
            bail!("--oracle {}={}: the exchange has no such market", known.market, known.account);
        }
    }
    if let Some(index) = config.profit.sol_market.filter(|index| snapshot.market(*index).is_none()) {
        bail!("--sol-market {index}: the exchange has no such market");
    }
    Ok((snapshot, reading))
}

/// Opens the keeper's margin account if there is none, for somebody must be credited with what the keeper earns, and tops
/// its collateral up.
async fn prepare_account(
    pipeline: &mut Pipeline,
    rpc: &RpcClient,
    own: &Own,
    keys: &ExchangeKeys,
    config: &Config,
) -> Result<()> {
    let found = rpc.get_account_with_commitment(&own.margin, config.commitment).await?.value;
    let collateral = match found {
        Some(account) => accounts::margin_account(&account.data).context("the keeper's margin account")?.collateral,
        None => {
            let open = open_margin_account(&own.signer, &own.signer, &keys.exchange, config.margin_number);
            require("opened", "opening", own, pipeline.prepare(open).await)?;
            0
        }
    };
    let missing = config.deposit.saturating_sub(collateral);
    if missing > 0 {
        let exchange = rpc.get_account_with_commitment(&keys.exchange, config.commitment).await?.value;
        let mint = accounts::exchange(&exchange.context("the exchange")?.data)?.quote_mint;
        let source = get_associated_token_address(&own.signer, &mint);
        let deposit = deposit(&own.signer, keys, &own.margin, &source, missing);
        require("funded", "depositing into", own, pipeline.prepare(deposit).await)?;
    }
    Ok(())
}

fn require(done: &str, doing: &str, own: &Own, outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Confirmed { slot, .. } => tracing::info!(margin = %own.margin, slot, "{done} the margin account"),
        Outcome::DryRun(_) => tracing::info!(margin = %own.margin, "would have {done} the margin account"),
        other => {
            let why = other.detail().or(other.error()).unwrap_or(other.name()).to_string();
            bail!("{doing} the margin account {} failed: {why}", own.margin)
        }
    }
    Ok(())
}
