//! What is asked of a node rather than told by it: snapshots that repair the view, the cluster's time, the vaults, the
//! keeper's own SOL.

use std::{sync::Arc, time::Duration};

use ballast_client::{
    addresses::ExchangeKeys,
    rpc,
    snapshot::{Moment, Snapshot},
};
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::Heard;

/// Time between two readings of the clock and the vaults.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Time between two readings of the keeper's SOL.
const BALANCE_EVERY: Duration = Duration::from_secs(30);
/// Shortest time between two snapshots, however urgently they are asked for.
const SHORTEST: Duration = Duration::from_secs(2);

/// Asks a node.
#[derive(Clone)]
pub struct Asker {
    /// The connection.
    pub rpc: Arc<RpcClient>,
    /// The exchange and its vaults.
    pub keys: ExchangeKeys,
    /// Commitment of what is asked for.
    pub commitment: CommitmentConfig,
    /// Where to report.
    pub news: mpsc::Sender<Heard>,
    /// Where to say which slot the node is at.
    pub slot: Arc<watch::Sender<u64>>,
}

impl Asker {
    /// Takes a snapshot every so often, and when asked to.
    pub async fn repair(self, every: Duration, wanted: Arc<Notify>, cancel: CancellationToken) {
        let mut last = Instant::now();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = sleep_until(last + every) => {}
                () = wanted.notified() => sleep_until(last + SHORTEST).await,
            }
            if self.news.send(Heard::RepairBegins).await.is_err() {
                return;
            }
            let heard = match self.snapshot().await {
                Ok(snapshot) => Heard::Repaired(Box::new(snapshot)),
                Err(error) => {
                    tracing::warn!(%error, "no snapshot this time");
                    Heard::RepairFailed
                }
            };
            last = Instant::now();
            if self.news.send(heard).await.is_err() {
                return;
            }
        }
    }

    async fn snapshot(&self) -> Result<Snapshot, rpc::ReadError> {
        let (slot, accounts) = rpc::program_accounts(&self.rpc, self.commitment, 0).await?;
        Ok(Snapshot::new(&self.keys.exchange, Moment { slot, unix_time: 0 }, accounts)?)
    }

    /// Reads the clock, the vaults and now and then the balance of `payer`.
    pub async fn read(self, payer: Pubkey, cancel: CancellationToken) {
        let mut ticks = interval(READ_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut balance_at = Instant::now();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let mut heard = Vec::new();
            let began = std::time::Instant::now();
            match rpc::vaults(&self.rpc, &self.keys, self.commitment, 0).await {
                Ok(reading) => {
                    self.slot.send_replace(reading.moment.slot);
                    heard.push(Heard::Reading(began, reading));
                }
                Err(error) => tracing::warn!(%error, "the clock and the vaults were not read"),
            }
            if Instant::now() >= balance_at {
                balance_at = Instant::now() + BALANCE_EVERY;
                match self.rpc.get_balance_with_commitment(&payer, self.commitment).await {
                    Ok(balance) => heard.push(Heard::Balance(balance.value)),
                    Err(error) => tracing::warn!(%error, "the keeper's balance was not read"),
                }
            }
            for heard in heard {
                if self.news.send(heard).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Reads single accounts, whose changes should have been told by now.
    pub async fn read_accounts(self, keys: Vec<Pubkey>) {
        let config = rpc::account_config(self.commitment, 0);
        match self.rpc.get_multiple_ui_accounts_with_config(&keys, config).await {
            Ok(answer) => {
                for (key, account) in keys.into_iter().zip(answer.value) {
                    let Some(account) = account else { continue };
                    if self.news.send(Heard::Account(key, account)).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "accounts were not read again"),
        }
    }
}
