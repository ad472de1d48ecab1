//! A node's JSON-RPC as a source.

use async_trait::async_trait;
use ballast_client::{
    addresses::PROGRAM_ID,
    record::{TRANSACTION_VERSION, Whole},
    redact::redacted,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;

use super::{Fetched, Finality, Listed, Source, SourceError};

/// What a node says that is not at the slot which it was asked to be at.
const BEHIND: &str = "Minimum context slot has not been reached";

/// A node.
pub struct Rpc {
    client: RpcClient,
    program: String,
}

impl Rpc {
    /// Asks this node.
    pub fn new(client: RpcClient) -> Rpc {
        Rpc { client, program: PROGRAM_ID.to_string() }
    }

    /// The chain's name: the hash of its first block.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn chain(&self) -> Result<String, SourceError> {
        self.ask(RpcRequest::GetGenesisHash, Value::Null).await
    }

    async fn ask<T: DeserializeOwned>(&self, what: RpcRequest, parameters: Value) -> Result<T, SourceError> {
        let answer = self.client.send(what, parameters).await;
        answer.map_err(|error| {
            let says = redacted(&format!("{what}: {error}"));
            if says.contains(BEHIND) { SourceError::Behind(says) } else { SourceError::Node(says) }
        })
    }
}

fn name(finality: Finality) -> &'static str {
    match finality {
        Finality::Confirmed => "confirmed",
        Finality::Finalized => "finalized",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    signature: String,
    slot: u64,
    err: Option<Value>,
    block_time: Option<i64>,
    transaction_index: Option<u32>,
}

#[derive(Deserialize)]
struct Block {
    signatures: Option<Vec<String>>,
}

fn fetched(whole: &Whole) -> Result<Fetched, SourceError> {
    let invocations = whole.invocations().map_err(|error| SourceError::Lacking(error.to_string()))?;
    Ok(Fetched { slot: whole.slot, time: whole.block_time, invocations })
}

#[async_trait]
impl Source for Rpc {
    async fn slot(&self, finality: Finality) -> Result<u64, SourceError> {
        self.ask(RpcRequest::GetSlot, json!([{"commitment": name(finality)}])).await
    }

    async fn signatures(
        &self,
        finality: Finality,
        before: Option<&str>,
        until: Option<&str>,
        limit: usize,
        min_slot: u64,
    ) -> Result<Vec<Listed>, SourceError> {
        let options = json!({
            "commitment": name(finality),
            "before": before,
            "until": until,
            "limit": limit,
            "minContextSlot": min_slot,
        });
        let lines: Vec<Line> = self.ask(RpcRequest::GetSignaturesForAddress, json!([self.program, options])).await?;
        let listed = |line: Line| Listed {
            signature: line.signature,
            slot: line.slot,
            failed: line.err.is_some(),
            index: line.transaction_index,
            time: line.block_time,
        };
        Ok(lines.into_iter().map(listed).collect())
    }

    async fn block(&self, slot: u64, finality: Finality) -> Result<Vec<String>, SourceError> {
        let options = json!({
            "commitment": name(finality),
            "transactionDetails": "signatures",
            "rewards": false,
            "maxSupportedTransactionVersion": TRANSACTION_VERSION,
        });
        let block: Option<Block> = self.ask(RpcRequest::GetBlock, json!([slot, options])).await?;
        let torn = || SourceError::Torn(format!("the block of slot {slot} is listed but not there"));
        block.and_then(|block| block.signatures).ok_or_else(torn)
    }

    async fn transaction(&self, signature: &str, finality: Finality) -> Result<Option<Fetched>, SourceError> {
        let options = json!({"commitment": name(finality), "encoding": "json", "maxSupportedTransactionVersion": TRANSACTION_VERSION});
        let whole: Option<Whole> = self.ask(RpcRequest::GetTransaction, json!([signature, options])).await?;
        whole.as_ref().map(fetched).transpose()
    }
}
