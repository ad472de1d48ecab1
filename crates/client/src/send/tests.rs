//! Sending to a node that follows a script.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use ballast::error::BallastError;
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::{
    rpc_client::RpcClientConfig,
    rpc_sender::{RpcSender, RpcTransportStats},
};
use solana_rpc_client_api::{client_error, request::RpcRequest};

use super::*;

/// What the node answers.
#[derive(Default)]
struct Script {
    /// Error of the simulation.
    refused: Option<Value>,
    /// The status of the transaction, by times that it was asked for; afterwards none.
    statuses: Mutex<Vec<Value>>,
    /// Block heights, by times that they were asked for; afterwards the last one.
    heights: Mutex<Vec<u64>>,
    sent: AtomicU32,
}

/// A node, and the script that the test looks at afterwards.
struct Node(Arc<Script>);

#[async_trait::async_trait]
impl RpcSender for Node {
    async fn send(&self, request: RpcRequest, _: Value) -> client_error::Result<Value> {
        let script = &self.0;
        let at_slot = |value: Value| json!({ "context": { "slot": 7 }, "value": value });
        Ok(match request {
            RpcRequest::SimulateTransaction => {
                at_slot(json!({ "err": script.refused, "logs": ["Program log: tried"], "unitsConsumed": 10_000 }))
            }
            RpcRequest::GetLatestBlockhash => {
                at_slot(json!({ "blockhash": Hash::default().to_string(), "lastValidBlockHeight": 100 }))
            }
            RpcRequest::GetRecentPrioritizationFees => {
                json!([{ "slot": 1, "prioritizationFee": 40 }, { "slot": 2, "prioritizationFee": 10 }])
            }
            RpcRequest::SendTransaction => {
                script.sent.fetch_add(1, Ordering::Relaxed);
                json!(Signature::default().to_string())
            }
            RpcRequest::GetBlockHeight => {
                let mut heights = script.heights.lock().unwrap();
                json!(if heights.len() > 1 { heights.remove(0) } else { heights[0] })
            }
            RpcRequest::GetSignatureStatuses => {
                let mut statuses = script.statuses.lock().unwrap();
                at_slot(json!([if statuses.is_empty() { Value::Null } else { statuses.remove(0) }]))
            }
            _ => Value::Null,
        })
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "script".to_string()
    }
}

fn sender(script: &Arc<Script>) -> Sender {
    let rpc = RpcClient::new_sender(Node(script.clone()), RpcClientConfig::default());
    let mut sender = Sender::new(Arc::new(rpc));
    sender.config.poll_every = Duration::from_millis(1);
    sender.config.resend_every = Duration::from_millis(5);
    sender.config.details_within = Duration::ZERO;
    sender
}

async fn run(script: Script) -> (Result<Confirmed, SendError>, Arc<Script>) {
    let script = Arc::new(script);
    let payer = Keypair::new();
    let instruction = Instruction { program_id: Pubkey::new_unique(), accounts: Vec::new(), data: vec![1] };
    let result = sender(&script).send(&[instruction], &[&payer]).await;
    (result, script)
}

fn status(slot: u64, error: Value, confirmation: &str) -> Value {
    let outcome = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    json!({ "slot": slot, "confirmations": 1, "status": outcome, "err": error, "confirmationStatus": confirmation })
}

fn custom(error: BallastError) -> Value {
    json!({ "InstructionError": [1, { "Custom": u32::from(error) }] })
}

#[tokio::test]
async fn a_transaction_is_sent_again_until_it_is_confirmed() {
    let mut statuses = vec![Value::Null; 12];
    statuses.push(status(8, Value::Null, "processed"));
    statuses.push(status(9, Value::Null, "confirmed"));
    let (result, script) =
        run(Script { statuses: Mutex::new(statuses), heights: Mutex::new(vec![50]), ..Script::default() }).await;
    let confirmed = result.unwrap();
    assert_eq!((confirmed.slot, confirmed.price, confirmed.estimated), (9, 40, true));
    // What the simulation used, the margin, and the number that tells transactions apart.
    assert_eq!((confirmed.units, confirmed.limit), (10_000, 12_000));
    assert!(script.sent.load(Ordering::Relaxed) > 1);
}

#[tokio::test]
async fn what_the_simulation_refuses_is_never_sent() {
    let (result, script) = run(Script { refused: Some(custom(BallastError::NotEligible)), ..Script::default() }).await;
    let error = result.unwrap_err();
    assert!(error.is(BallastError::NotEligible));
    let SendError::Refused(refusal) = error else { panic!() };
    assert_eq!((refusal.landed, refusal.logs.as_slice()), (None, &["Program log: tried".to_string()][..]));
    assert_eq!(script.sent.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_fails_on_chain_says_where() {
    let failed = status(9, custom(BallastError::Cooldown), "confirmed");
    let (result, _) =
        run(Script { statuses: Mutex::new(vec![failed]), heights: Mutex::new(vec![50]), ..Script::default() }).await;
    let error = result.unwrap_err();
    assert!(error.is(BallastError::Cooldown));
    let SendError::Refused(refusal) = error else { panic!() };
    assert_eq!(refusal.landed.map(|(_, slot)| slot), Some(9));
    // The node does not tell, so it is what was bid: a signature, and 12,000 units at 40 millionths.
    assert_eq!(refusal.fee, Some(5_001));
}

#[tokio::test]
async fn what_never_lands_expires_with_its_blockhash() {
    let (result, script) = run(Script { heights: Mutex::new(vec![99, 100, 101]), ..Script::default() }).await;
    assert!(matches!(result, Err(SendError::Expired { .. })));
    assert!(script.sent.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn a_node_that_lags_behind_another_does_not_expire_a_transaction() {
    // The status comes from a node that sees the block a moment later.
    let statuses = vec![Value::Null, Value::Null, status(9, Value::Null, "finalized")];
    let (result, _) =
        run(Script { statuses: Mutex::new(statuses), heights: Mutex::new(vec![101]), ..Script::default() }).await;
    assert_eq!(result.unwrap().slot, 9);
}

#[tokio::test]
async fn a_transaction_above_the_ceiling_of_compute_is_not_sent() {
    let script = Arc::new(Script::default());
    let mut sender = sender(&script);
    sender.config.max_units = 9_999;
    let payer = Keypair::new();
    let instruction = Instruction { program_id: Pubkey::new_unique(), accounts: Vec::new(), data: Vec::new() };
    let result = sender.send(&[instruction], &[&payer]).await;
    assert!(matches!(result, Err(SendError::TooManyUnits { max: 9_999, .. })));
    assert!(matches!(sender.send(&[], &[]).await, Err(SendError::NoSigner)));
}
