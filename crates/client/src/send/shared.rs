//! What the transactions of one sender share, so that many in flight ask the node once.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use tokio::{sync::Mutex, time::Instant};

use super::SendError;

/// How long recent fees are believed.
const FEES_FOR: Duration = Duration::from_secs(5);
/// Sets of accounts whose fees are remembered.
const MAX_FEES: usize = 1_024;
/// Compute limits that are told apart.
const NONCES: u32 = 1_024;

/// Caches of a sender.
#[derive(Default)]
pub(super) struct Shared {
    blockhash: Mutex<Option<Fresh<(Hash, u64)>>>,
    fees: Mutex<HashMap<Vec<Pubkey>, Fresh<Vec<u64>>>>,
    sent: AtomicU32,
}

/// A value and when it was read.
struct Fresh<T> {
    read: Instant,
    value: T,
}

impl Shared {
    /// A blockhash not read longer ago than this, and the last block height at which it is valid.
    pub async fn blockhash(
        &self,
        rpc: &RpcClient,
        commitment: CommitmentConfig,
        not_older: Duration,
    ) -> Result<(Hash, u64), SendError> {
        let mut cached = self.blockhash.lock().await;
        if let Some(fresh) = cached.as_ref().filter(|fresh| fresh.read.elapsed() < not_older) {
            return Ok(fresh.value);
        }
        let value = rpc.get_latest_blockhash_with_commitment(commitment).await?;
        *cached = Some(Fresh { read: Instant::now(), value });
        Ok(value)
    }

    /// What recent slots paid at least for these accounts, in millionths of a lamport per unit.
    pub async fn recent_fees(&self, rpc: &RpcClient, written: Vec<Pubkey>) -> Result<Vec<u64>, SendError> {
        if let Some(fresh) = self.fees.lock().await.get(&written).filter(|fresh| fresh.read.elapsed() < FEES_FOR) {
            return Ok(fresh.value.clone());
        }
        let recent = rpc.get_recent_prioritization_fees(&written).await?;
        let value: Vec<u64> = recent.iter().map(|slot| slot.prioritization_fee).collect();
        let mut fees = self.fees.lock().await;
        if fees.len() >= MAX_FEES {
            fees.retain(|_, fresh| fresh.read.elapsed() < FEES_FOR);
        }
        if fees.len() < MAX_FEES {
            fees.insert(written, Fresh { read: Instant::now(), value: value.clone() });
        }
        Ok(value)
    }

    /// A small number to add to a compute limit, so that the same instructions sent twice on one blockhash are two
    /// transactions and not one that is confirmed twice.
    pub fn nonce(&self) -> u32 {
        self.sent.fetch_add(1, Ordering::Relaxed) % NONCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_blockhash_serves_many_transactions() {
        let shared = Shared::default();
        let rpc = RpcClient::new_mock("succeeds".to_string());
        let (commitment, minute) = (CommitmentConfig::confirmed(), Duration::from_secs(60));
        let first = shared.blockhash(&rpc, commitment, minute).await.unwrap();
        let gone = RpcClient::new_mock("fails".to_string());
        assert_eq!(shared.blockhash(&gone, commitment, minute).await.unwrap(), first);
        assert!(shared.blockhash(&gone, commitment, Duration::ZERO).await.is_err());
    }

    #[test]
    fn transactions_are_told_apart() {
        let shared = Shared::default();
        assert_ne!(shared.nonce(), shared.nonce());
    }
}
