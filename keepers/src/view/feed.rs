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
/// A node that says nothing for so long, not even a slot, is asked again, whatever is known of the cluster otherwise.
const DEAD_AFTER: Duration = Duration::from_secs(60);
/// How often silence is looked at.
const LISTEN_FOR: Duration = Duration::from_millis(500);
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
    /// The newest slot that was read over HTTP.
    pub read: watch::Receiver<u64>,
    /// How long subscriptions may be silent while slots pass.
    pub silence: Duration,
    /// Where to report.
    pub news: mpsc::Sender<Heard>,
}

/// When a session last told anything, and the newest slot by then.
#[derive(Clone, Copy)]
struct Told {
    at: Instant,
    slot: u64,
}

impl Told {
    /// Why the session is given up, if it is: it is silent although the cluster, which has come to `slot`, is not; or it is silent for
    /// so long that it is taken for dead.
    fn is_deaf(&self, now: Instant, slot: u64, silence: Duration) -> Option<String> {
        let silent = now.saturating_duration_since(self.at);
        let misses = silent >= silence && slot > self.slot;
        let seconds = silent.as_secs_f64();
        if misses {
            let missed = slot - self.slot;
            return Some(format!("nothing was heard for {seconds:.1} s, while {missed} slots passed"));
        }
        (silent >= DEAD_AFTER).then(|| format!("nothing was heard for {seconds:.1} s"))
    }
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
            pause = if began.elapsed() > DEAD_AFTER { SHORTEST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
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
        let mut told = Told { at: Instant::now(), slot: *self.read.borrow() };
        loop {
            tokio::select! {
                changed = self.watched.changed() => {
                    changed.context("the keeper stops")?;
                    return Ok(Ended::Rewatch);
                }
                heard = timeout(LISTEN_FOR, streams.next()) => match heard {
                    Ok(Some(Some(heard))) => {
                        told.at = Instant::now();
                        if let Heard::Slot(slot) = heard {
                            told.slot = told.slot.max(slot);
                        }
                        self.report(heard).await?;
                    }
                    Ok(Some(None)) => bail!("a subscription ended"),
                    Ok(None) => bail!("all subscriptions ended"),
                    Err(_) => {
                        if let Some(why) = told.is_deaf(Instant::now(), *self.read.borrow(), self.silence) {
                            bail!(why);
                        }
                    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_a_fault_only_while_slots_pass_or_when_it_lasts() {
        let began = Instant::now();
        let (told, silence) = (Told { at: began, slot: 100 }, Duration::from_secs(5));
        let deaf = |seconds, slot| told.is_deaf(began + Duration::from_secs(seconds), slot, silence);
        assert_eq!(deaf(4, 110), None, "a moment");
        assert!(deaf(5, 101).unwrap().contains("1 slots passed"));
        assert_eq!(deaf(59, 100), None, "the cluster stands still");
        assert!(deaf(60, 100).is_some(), "or nobody can say whether it does");
    }
}
