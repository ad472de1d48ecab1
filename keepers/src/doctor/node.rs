//! The node: whether it answers, which cluster it is of, whether it tells what changes, what transactions cost.

use std::{sync::Arc, time::Duration};

use ballast_client::{addresses::PROGRAM_ID, rpc as reading, send::percentile};
use futures_util::StreamExt;
use solana_pubkey::Pubkey;
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

/// What others paid lately, beside what the operator allows. `markets`: what a transaction in each writes, as the sender asks; where
/// nothing is written nobody competes.
pub(super) async fn fees(report: &mut Report, config: &Config, rpc: &RpcClient, markets: &[[Pubkey; 3]]) {
    let (share, cap) = (config.fees.percentile, config.fees.max_priority_lamports);
    let mut dearest = 0;
    for written in markets {
        let mut paid: Vec<u64> = match rpc.get_recent_prioritization_fees(written).await {
            Ok(slots) => slots.iter().map(|slot| slot.prioritization_fee).collect(),
            Err(error) => {
                let mend = "the keeper asks for them before each transaction: take a node that tells them";
                return report.wrong("fees", format!("the node does not tell recent fees: {error}"), mend);
            }
        };
        dearest = dearest.max(percentile(&mut paid, share).saturating_mul(USUAL_UNITS) / MICRO);
    }
    let says = format!(
        "percentile {share} of recent fees in the dearest market: about {dearest} lamports a liquidation, capped at {cap}"
    );
    if dearest > cap {
        report.warn("fees", says, "raise --max-priority-fee, or transactions land late while this lasts");
    } else {
        report.good("fees", says);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use solana_rpc_client::{
        rpc_client::RpcClientConfig,
        rpc_sender::{RpcSender, RpcTransportStats},
    };
    use solana_rpc_client_api::{client_error, request::RpcRequest};

    use super::*;
    use crate::{config::Role, doctor::Verdict, settings::Settings};

    /// A node where those pay who write one of two markets.
    struct Node {
        contended: Pubkey,
    }

    #[async_trait::async_trait]
    impl RpcSender for Node {
        async fn send(&self, request: RpcRequest, asked: Value) -> client_error::Result<Value> {
            assert_eq!(request, RpcRequest::GetRecentPrioritizationFees);
            let written = asked[0].as_array().unwrap();
            let fee = if written.contains(&json!(self.contended.to_string())) { 10_000 } else { 0 };
            Ok(json!([{ "slot": 1, "prioritizationFee": fee }]))
        }

        fn get_transport_stats(&self) -> RpcTransportStats {
            RpcTransportStats::default()
        }

        fn url(&self) -> String {
            "script".to_owned()
        }
    }

    #[tokio::test]
    async fn fees_are_asked_for_the_accounts_that_are_written() {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let rpc = RpcClient::new_sender(Node { contended: key(5) }, RpcClientConfig::default());
        let said = Settings {
            roles: Some(vec![Role::Settler]),
            keypair: Some("key.json".into()),
            max_priority_fee: Some("0.000001".parse().unwrap()),
            ..Settings::default()
        };
        let (config, mut report) = (Config::new(said).unwrap(), Report::default());
        let markets = [[key(1), key(2), key(3)], [key(4), key(5), key(6)]];
        fees(&mut report, &config, &rpc, &markets[..1]).await;
        fees(&mut report, &config, &rpc, &markets).await;
        let [calm, busy] = &report.findings[..] else { panic!("{report}") };
        assert_eq!((calm.verdict, busy.verdict), (Verdict::Good, Verdict::Warning), "{report}");
        assert!(busy.says.contains("about 2000 lamports") && busy.says.contains("capped at 1000"), "{report}");
    }
}
