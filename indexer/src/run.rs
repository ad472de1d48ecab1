//! An indexer's life: opening the tables, following, serving, until told to stop.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use ballast_client::{addresses, redact::redacted, rpc};
use ballast_ops::shutdown;
use futures_util::StreamExt;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::{RpcTransactionLogsConfig, RpcTransactionLogsFilter};
use tokio::{
    net::TcpListener,
    sync::{Notify, broadcast},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Markets, Shared, stream::BACKLOG},
    board::Board,
    db::Pool,
    follow::{Follower, Parts},
    metrics::Metrics,
    settings::Config,
    source::{Finality, Rpc, Source},
    tables,
    write::Writer,
};

/// How long a node may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How often what is final is taken as final.
const FINALIZE_EVERY: Duration = Duration::from_secs(4);
/// Pause before looking again when the node had something that did not count yet.
const SOON: Duration = Duration::from_millis(100);
/// Longest pause after a pass that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Least time between two passes, so that a busy node's hints do not make one for every transaction.
const BREATH: Duration = Duration::from_millis(50);
/// How long requests may go on after the end.
const GRACE: Duration = Duration::from_secs(5);

fn client(config: &Config) -> RpcClient {
    let commitment = CommitmentConfig::confirmed();
    RpcClient::new_with_timeout_and_commitment(config.rpc_url.clone(), ANSWER_WITHIN, commitment)
}

/// Follows and serves until interrupted.
///
/// # Errors
/// When it cannot begin, or another indexer takes its tables over.
pub async fn run(config: Config) -> Result<()> {
    let cancel = CancellationToken::new();
    shutdown::on_signals(cancel.clone())?;
    let metrics = Arc::new(Metrics::new()?);
    let (exchange, source) = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        found = find(&config) => found?,
    };
    let chain = source.chain().await.context("asking for the chain's name")?;
    let writer = tokio::task::block_in_place(|| Writer::open(&config.database, &exchange, Some(&chain)))
        .with_context(|| format!("the database {:?}", config.database))?;
    tracing::info!(%exchange, database = config.database.kind(), chain, "the tables are open");

    let board = Arc::new(Board::new(exchange));
    let (news, _) = broadcast::channel(BACKLOG);
    let pool = Pool::new(config.database.clone(), config.readers);
    let markets = Markets::new(&exchange);
    let shared = Shared::new(pool, board.clone(), metrics.clone(), markets, news.clone(), config.limits);
    let listener = TcpListener::bind(config.listen).await.with_context(|| format!("--listen {}", config.listen))?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    let stopped = cancel.clone().cancelled_owned();
    let server =
        tokio::spawn(async move { axum::serve(listener, api::router(shared)).with_graceful_shutdown(stopped).await });
    let hint = Arc::new(Notify::new());
    let listening = tokio::spawn(listen(config.ws_url.clone(), hint.clone(), cancel.clone()));

    let (fetchers, accept_gap) = (config.fetchers, config.accept_gap);
    let parts = Parts { source, writer, exchange, board: board.clone(), metrics, news, fetchers, accept_gap };
    let followed = follow(Follower::new(parts), &config, &hint, &cancel).await;
    board.stop();
    cancel.cancel();
    let _ = timeout(GRACE, server).await;
    let _ = timeout(GRACE, listening).await;
    tracing::info!("stopped");
    followed
}

/// Builds the derived tables again.
///
/// # Errors
/// When there are no tables, or the database refuses.
pub fn rebuild(config: &Config) -> Result<()> {
    let mut db = config.database.connect()?;
    tables::migrate(db.as_mut())?;
    let held = tables::claimed(db.as_mut(), "exchange")?;
    drop(db);
    let exchange = match held {
        Some(text) => text.parse().context("the exchange that the tables are of")?,
        None => bail!("there is nothing to rebuild: no indexer has written these tables yet"),
    };
    let began = Instant::now();
    let events = Writer::open_as_built(&config.database, &exchange, None)?.rebuild()?;
    tracing::info!(events, seconds = began.elapsed().as_secs_f64(), "the tables are built again");
    Ok(())
}

/// The exchange and a source of its history, as soon as the node answers.
async fn find(config: &Config) -> Result<(Pubkey, Arc<Rpc>)> {
    let rpc = client(config);
    let found = rpc::find_exchange(&rpc, config.exchange, CommitmentConfig::confirmed()).await;
    let exchange = found.map_err(|error| anyhow!(redacted(&format!("asking {}: {error}", config.rpc_url))))?;
    Ok((exchange, Arc::new(Rpc::new(rpc))))
}

/// Passes again and again.
async fn follow<S: Source>(
    mut follower: Follower<S>,
    config: &Config,
    hint: &Notify,
    cancel: &CancellationToken,
) -> Result<()> {
    let mut finalized: Option<Instant> = None;
    let mut pause = SOON;
    loop {
        let due = finalized.is_none_or(|at| at.elapsed() >= FINALIZE_EVERY) || config.finality == Finality::Finalized;
        let passed = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            passed = pass(&mut follower, config.finality, due) => passed,
        };
        let wait = match passed {
            Ok(more) => {
                if due {
                    finalized = Some(Instant::now());
                }
                follower.board().pass(None);
                pause = SOON;
                if more && config.finality == Finality::Confirmed { SOON } else { config.poll }
            }
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "a pass failed; the next one goes on from there");
                follower.board().pass(Some(error.category().to_string()));
                follower.metrics().failures.inc();
                pause = (pause * 2).min(LONGEST_PAUSE);
                pause
            }
        };
        follower.metrics().caught_up.set(follower.board().is_ready().into());
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = sleep(BREATH.min(wait)) => {}
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = hint.notified() => {}
            () = sleep(wait.saturating_sub(BREATH)) => {}
        }
    }
}

async fn pass<S: Source>(
    follower: &mut Follower<S>,
    finality: Finality,
    due: bool,
) -> Result<bool, crate::follow::FollowError> {
    let mut more = false;
    if due {
        more = follower.pass(Finality::Finalized).await?;
    }
    if finality == Finality::Confirmed {
        more = follower.pass(Finality::Confirmed).await?;
    }
    Ok(more)
}

/// Hints that there is something new, from the node's notifications. Without them passes come a little later.
async fn listen(url: String, hint: Arc<Notify>, cancel: CancellationToken) {
    let mut pause = SOON;
    loop {
        let began = Instant::now();
        let ended = tokio::select! {
            () = cancel.cancelled() => return,
            ended = session(&url, &hint) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(error = redacted(&format!("{error:#}")), "no notifications; looking at intervals");
        }
        pause = if began.elapsed() > LONGEST_PAUSE { SOON } else { (pause * 2).min(LONGEST_PAUSE) };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

async fn session(url: &str, hint: &Notify) -> Result<()> {
    let client = timeout(ANSWER_WITHIN, PubsubClient::new(url)).await.context("connecting took too long")??;
    let filter = RpcTransactionLogsFilter::Mentions(vec![addresses::PROGRAM_ID.to_string()]);
    let config = RpcTransactionLogsConfig { commitment: Some(CommitmentConfig::confirmed()) };
    let (mut logs, _) =
        timeout(ANSWER_WITHIN, client.logs_subscribe(filter, config)).await.context("logsSubscribe")??;
    while logs.next().await.is_some() {
        hint.notify_one();
    }
    bail!("the subscription ended")
}
