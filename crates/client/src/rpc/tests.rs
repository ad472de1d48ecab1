//! Reading the exchange of [`crate::testing`] from a node that follows a script.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use solana_rpc_client::{
    rpc_client::RpcClientConfig,
    rpc_sender::{RpcSender, RpcTransportStats},
};
use solana_rpc_client_api::client_error;

use super::*;
use crate::{
    audit::audit,
    testing::{EXCHANGE, World},
};

/// The node: what the collateral vault holds, by times that it was asked for; afterwards the last. And how often it was
/// asked for accounts.
struct Node {
    balances: Mutex<Vec<u64>>,
    scans: &'static AtomicU32,
}

#[async_trait::async_trait]
impl RpcSender for Node {
    async fn send(&self, request: RpcRequest, params: Value) -> client_error::Result<Value> {
        let world = World::new();
        Ok(match request {
            RpcRequest::GetProgramAccounts => {
                assert_eq!(params[1]["minContextSlot"], 5, "not older than the vaults' reading");
                let slot = 6 + self.scans.fetch_add(1, Ordering::Relaxed);
                let accounts: Vec<_> = world
                    .accounts
                    .iter()
                    .map(|(key, account)| json!({ "pubkey": key.to_string(), "account": ui(account) }))
                    .collect();
                json!({ "context": { "slot": slot }, "value": accounts })
            }
            RpcRequest::GetMultipleAccounts => {
                let mut balances = self.balances.lock().unwrap();
                let balance = if balances.len() > 1 { balances.remove(0) } else { balances[0] };
                let mut clock = [0; 40];
                clock[32..].copy_from_slice(&1_001i64.to_le_bytes());
                let clock = Account { data: clock.to_vec(), ..Account::default() };
                let accounts = [ui(&token(balance)), ui(&token(5_000)), ui(&clock)];
                json!({ "context": { "slot": 5 }, "value": accounts })
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

fn ui(account: &Account) -> Value {
    json!({
        "lamports": account.lamports,
        "data": [BASE64_STANDARD.encode(&account.data), "base64"],
        "owner": account.owner.to_string(),
        "executable": false,
        "rentEpoch": 0,
        "space": account.data.len(),
    })
}

fn token(amount: u64) -> Account {
    let mut data = vec![0; 165];
    data[64..72].copy_from_slice(&amount.to_le_bytes());
    Account { data, owner: spl_token_interface::ID, ..Account::default() }
}

/// What [`state`] finds, and after how many scans.
async fn read(balances: Vec<u64>) -> (Result<(Snapshot, Vaults), ReadError>, u32) {
    let scans: &'static AtomicU32 = Box::leak(Box::default());
    let node = Node { balances: Mutex::new(balances), scans };
    let rpc = RpcClient::new_sender(node, RpcClientConfig::default());
    let result = state(&rpc, &EXCHANGE, CommitmentConfig::confirmed()).await;
    (result, scans.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_snapshot_between_equal_readings_is_taken() {
    let sound = World::new().vaults.collateral;
    let (result, scans) = read(vec![sound]).await;
    let (snapshot, vaults) = result.unwrap();
    assert_eq!((snapshot.moment, scans), (Moment { slot: 6, unix_time: 1_001 }, 1));
    audit(&snapshot, &vaults).assert_exact();
}

#[tokio::test]
async fn a_deposit_in_between_makes_it_read_again() {
    let sound = World::new().vaults.collateral;
    let (result, scans) = read(vec![sound - 50, sound - 20, sound]).await;
    let (snapshot, vaults) = result.unwrap();
    assert_eq!(scans, 3);
    audit(&snapshot, &vaults).assert_exact();
}

#[tokio::test]
async fn vaults_that_never_rest_are_given_up() {
    let (result, scans) = read((0..200).collect()).await;
    assert!(matches!(result, Err(ReadError::Restless(MAX_ATTEMPTS))));
    assert_eq!(scans, MAX_ATTEMPTS);
}

#[test]
fn an_account_of_another_program_is_no_vault() {
    let mut account = token(7);
    assert_eq!(token_amount(&account), Some(7));
    account.owner = EXCHANGE;
    assert_eq!(token_amount(&account), None);
}

#[test]
fn an_exchange_is_found_where_there_is_only_one() {
    let [one, other] = [1, 2].map(|byte| Pubkey::new_from_array([byte; 32]));
    assert_eq!(only(vec![one]).unwrap(), one);
    assert!(matches!(only(vec![]), Err(ReadError::NoExchange)));
    let several = only(vec![one, other]).unwrap_err().to_string();
    assert!(several.contains("--exchange") && several.contains(&other.to_string()), "{several}");
}
