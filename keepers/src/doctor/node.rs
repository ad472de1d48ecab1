//! The node: whether it answers, which cluster it is of, whether it tells what changes, what transactions cost.

use std::{sync::Arc, time::Duration};

use ballast_client::{addresses::PROGRAM_ID, rpc as reading, send::percentile};
use futures_util::StreamExt;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::RpcProgramAccountsConfig;
use tokio::time::timeout;

use super::Report;
use crate::config::{Config, Subscribe};

/// How long a node may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Compute units of a liquidation, for an estimate of what one costs.
const USUAL_UNITS: u64 = 200_000;
/// Millionths of a lamport in one.
const MICRO: u64 = 1_000_000;

/// Clusters that everybody knows, by the hash of their first block.
const CLUSTERS: [(&str, &str); 3] = [
    ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "mainnet-beta"),
    ("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG", "devnet"),
    ("4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY", "testnet"),
];

/// The node behind `--rpc-url`, if it answers.
pub(super) async fn answers(report: &mut Report, config: &Config) -> Option<Arc<RpcClient>> {
    let url = &config.rpc_url;
    let rpc = RpcClient::new_with_timeout_and_commitment(url.clone(), ANSWER_WITHIN, config.commitment);
    let genesis = match rpc.get_genesis_hash().await {
        Ok(genesis) => genesis.to_string(),
        Err(error) => {
            report.wrong("node", format!("{url} does not answer: {error}"), "start the node, or correct --rpc-url");
            return None;
        }
    };
    let known = CLUSTERS.iter().find(|(hash, _)| *hash == genesis).map(|(_, name)| *name);
    let cluster = known.map_or_else(|| format!("a cluster of its own (genesis {genesis})"), str::to_owned);
    match rpc.get_health().await {
        Ok(()) => report.good("node", format!("{url} is healthy and of {cluster}")),
        Err(error) => report.wrong(
            "node",
            format!("{url}, of {cluster}, says that it is not healthy: {error}"),
            "wait until it has caught up: decisions on old accounts cost fees",
        ),
    }
    Some(Arc::new(rpc))
}

/// Whether the node tells what changes.
pub(super) async fn websocket(report: &mut Report, config: &Config) {
    let url = &config.ws_url;
    let mend = "correct --ws-url; the port is usually the one after RPC's";
    let client = match timeout(ANSWER_WITHIN, PubsubClient::new(url.as_str())).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return report.wrong("websocket", format!("{url}: {error}"), mend),
        Err(_) => return report.wrong("websocket", format!("{url} does not answer"), mend),
    };
    let slot = async {
        let (mut slots, _) = client.slot_subscribe().await.ok()?;
        slots.next().await
    };
    let Ok(Some(slot)) = timeout(ANSWER_WITHIN, slot).await else {
        let says = format!("{url} accepts a connection and tells no slots within {} s", ANSWER_WITHIN.as_secs());
        return report.wrong("websocket", says, "the node stands still, or another one is behind --ws-url");
    };
    let accounts = RpcProgramAccountsConfig {
        account_config: reading::account_config(config.commitment, 0),
        with_context: Some(true),
        ..RpcProgramAccountsConfig::default()
    };
    let whole = timeout(ANSWER_WITHIN, client.program_subscribe(&PROGRAM_ID, Some(accounts))).await;
    match (whole, config.subscribe) {
        (Ok(Ok(_)), _) => report.good("websocket", format!("{url} tells slots (now {}) and accounts", slot.slot)),
        (_, Subscribe::Program) => {
            let says = format!("{url} refuses programSubscribe, which --subscribe program needs");
            report.wrong("websocket", says, "say --subscribe auto, or take another node");
        }
        _ => report.warn(
            "websocket",
            format!("{url} refuses programSubscribe: margin accounts come with snapshots only"),
            "take a node that allows it; until then a short --repair-interval-s helps",
        ),
    }
}

/// What others paid lately, beside what the operator allows.
pub(super) async fn fees(report: &mut Report, config: &Config, rpc: &RpcClient) {
    let mut paid: Vec<u64> = match rpc.get_recent_prioritization_fees(&[PROGRAM_ID]).await {
        Ok(slots) => slots.iter().map(|slot| slot.prioritization_fee).collect(),
        Err(error) => {
            let mend = "the keeper asks for them before each transaction: take a node that tells them";
            return report.wrong("fees", format!("the node does not tell recent fees: {error}"), mend);
        }
    };
    let share = config.fees.percentile;
    let lamports = percentile(&mut paid, share).saturating_mul(USUAL_UNITS) / MICRO;
    let cap = config.fees.max_priority_lamports;
    let says = format!("percentile {share} of recent fees: about {lamports} lamports a liquidation, capped at {cap}");
    if lamports > cap {
        report.warn("fees", says, "raise --max-priority-fee, or transactions land late while this lasts");
    } else {
        report.good("fees", says);
    }
}
