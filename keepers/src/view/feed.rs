//! Listening to a node over WebSocket: subscribing, noticing that it has gone, coming back.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use ballast_client::{addresses::PROGRAM_ID, rpc};
use futures_util::{
    StreamExt,
    stream::{BoxStream, SelectAll, select_all},
};
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::RpcProgramAccountsConfig;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Heard;
use crate::config::Subscribe;

/// How long a node may take to accept a connection or a subscription.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A node that says nothing for so long, not even a slot, is asked again.
const SILENT_AFTER: Duration = Duration::from_secs(60);
/// First pause before coming back.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause before coming back.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where and how to listen.
pub struct Feed {
    /// WebSocket endpoint.
    pub url: String,
    /// Commitment of what is told.
    pub commitment: CommitmentConfig,
    /// How to listen.
    pub subscribe: Subscribe,
    /// The accounts that matter besides margin accounts.
    pub watched: watch::Receiver<Vec<Pubkey>>,
    /// The oracle accounts among them, which are not the program's.
    pub oracles: Vec<Pubkey>,
    /// Where to report.
    pub news: mpsc::Sender<Heard>,
}

/// Why a session ended.
enum Ended {
    /// The keeper stops.
    Stopped,
    /// Other accounts matter now.
    Rewatch,
}

impl Feed {
    /// Listens until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let began = Instant::now();
            let ended = tokio::select! {
                () = cancel.cancelled() => Ok(Ended::Stopped),
                ended = self.session() => ended,
            };
            let gone = self.news.send(Heard::Disconnected).await.is_err();
            match ended {
                Ok(Ended::Stopped) => return,
                _ if gone => return,
                Ok(Ended::Rewatch) => {
                    tracing::info!("subscribing anew: other accounts matter now");
                    continue;
                }
                Err(error) => tracing::warn!(error = format!("{error:#}"), "the node stopped telling what changes"),
            }
            // A session that held for long begins at the shortest pause again.
            pause = if began.elapsed() > SILENT_AFTER { SHORTEST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = sleep(pause) => {}
            }
        }
    }

    async fn session(&mut self) -> Result<Ended> {
        let connect = timeout(ANSWER_WITHIN, PubsubClient::new(self.url.as_str()));
        let client = connect.await.context("connecting took too long")?.context("connecting")?;
        let keys = self.watched.borrow_and_update().clone();
        let mut streams = self.subscribe(&client, &keys).await?;
        self.report(Heard::Connected).await?;
        loop {
            tokio::select! {
                changed = self.watched.changed() => {
                    changed.context("the keeper stops")?;
                    return Ok(Ended::Rewatch);
                }
                heard = timeout(SILENT_AFTER, streams.next()) => match heard {
                    Ok(Some(Some(heard))) => self.report(heard).await?,
                    Ok(Some(None)) => bail!("a subscription ended"),
                    Ok(None) => bail!("all subscriptions ended"),
                    Err(_) => bail!("nothing was heard for {} s", SILENT_AFTER.as_secs()),
                },
            }
        }
    }

    async fn report(&self, heard: Heard) -> Result<()> {
        self.news.send(heard).await.map_err(|_| anyhow!("the keeper stops"))
    }

    /// Everything to listen to, as one stream; `None` in it when one of them ends.
    async fn subscribe<'a>(
        &self,
        client: &'a PubsubClient,
        keys: &[Pubkey],
    ) -> Result<SelectAll<BoxStream<'a, Option<Heard>>>> {
        let mut streams = Vec::new();
        let slots = timeout(ANSWER_WITHIN, client.slot_subscribe()).await.context("slotSubscribe")?;
        let (slots, _) = slots.context("slotSubscribe")?;
        streams.push(ending(slots.map(|info| Heard::Slot(info.slot)).boxed()));
        let of_program = match self.subscribe {
            Subscribe::Accounts => None,
            Subscribe::Program => Some(self.program(client).await?),
            Subscribe::Auto => match self.program(client).await {
                Ok(stream) => Some(stream),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "no programSubscribe: listening to the markets' accounts only");
                    None
                }
            },
        };
        let singly = if of_program.is_some() { &self.oracles[..] } else { keys };
        streams.extend(of_program);
        for key in singly {
            streams.push(self.account(client, *key).await?);
        }
        Ok(select_all(streams))
    }

    /// One subscription for all accounts of the program, so that updates keep the order in which they were written.
    async fn program<'a>(&self, client: &'a PubsubClient) -> Result<BoxStream<'a, Option<Heard>>> {
        let config = RpcProgramAccountsConfig {
            account_config: rpc::account_config(self.commitment, 0),
            with_context: Some(true),
            ..RpcProgramAccountsConfig::default()
        };
        let subscribe = timeout(ANSWER_WITHIN, client.program_subscribe(&PROGRAM_ID, Some(config)));
        let (updates, _) = subscribe.await.context("programSubscribe")?.context("programSubscribe")?;
        let heard = updates.filter_map(async |update| {
            let key = update.value.pubkey.parse().ok()?;
            Some(Heard::Account(key, update.value.account))
        });
        Ok(ending(heard.boxed()))
    }

    async fn account<'a>(&self, client: &'a PubsubClient, key: Pubkey) -> Result<BoxStream<'a, Option<Heard>>> {
        let subscribe =
            timeout(ANSWER_WITHIN, client.account_subscribe(&key, Some(rpc::account_config(self.commitment, 0))));
        let (updates, _) = subscribe.await.context("accountSubscribe")?.context("accountSubscribe")?;
        Ok(ending(updates.map(move |update| Heard::Account(key, update.value)).boxed()))
    }
}

/// A stream whose end is an item.
fn ending(stream: BoxStream<'_, Heard>) -> BoxStream<'_, Option<Heard>> {
    stream.map(Some).chain(futures_util::stream::once(async { None })).boxed()
}
