//! From instructions to a confirmed transaction: simulate, set the compute limit and the priority fee, sign, send again
//! until it is confirmed or its blockhash has expired.

mod errors;
mod fees;
mod shared;
#[cfg(test)]
mod tests;
mod transaction;

use std::{sync::Arc, time::Duration};

use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::AddressLookupTableAccount;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig, RpcTransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{UiTransactionEncoding, option_serializer::OptionSerializer};
use tokio::time::{Instant, sleep};

use fees::written;
use shared::Shared;

pub use errors::{Refusal, SendError};
pub use fees::{Bid, Priority, SIGNATURE_FEE, percentile};
pub use transaction::{MAX_TRANSACTION_BYTES, MAX_UNITS, Signers, Units, compile, sign, size};

use crate::events::{Logged, parse_logs};

/// Times that a node has to say that a blockhash has expired: behind one address there may be several, not all as far.
const EXPIRED_POLLS: u32 = 3;

/// How transactions are sent.
#[derive(Clone, Debug)]
pub struct SendConfig {
    /// Price of compute.
    pub priority: Priority,
    /// Part by which the compute limit exceeds what the simulation used, in percent.
    pub units_margin_percent: u32,
    /// And at least this many units.
    pub units_margin: u32,
    /// Largest compute limit of a transaction.
    pub max_units: u32,
    /// How long a blockhash is used for new transactions. It is valid for 150 blocks, about a minute on a public cluster
    /// and less on a local network that runs ahead.
    pub blockhash_for: Duration,
    /// How often the transaction is sent again.
    pub resend_every: Duration,
    /// How often its status is asked for.
    pub poll_every: Duration,
    /// Confirmation to wait for.
    pub commitment: CommitmentConfig,
    /// How long the node may take to tell a confirmed transaction's logs.
    pub details_within: Duration,
}

impl Default for SendConfig {
    fn default() -> Self {
        SendConfig {
            priority: Priority::default(),
            units_margin_percent: 10,
            units_margin: 2_000,
            max_units: MAX_UNITS,
            blockhash_for: Duration::from_millis(400),
            resend_every: Duration::from_secs(2),
            poll_every: Duration::from_millis(400),
            commitment: CommitmentConfig::confirmed(),
            details_within: Duration::from_secs(5),
        }
    }
}

/// What a simulation did.
#[derive(Clone, Debug, Default)]
pub struct Simulated {
    /// Compute units used.
    pub units: u64,
    /// The slot on whose state it ran.
    pub slot: u64,
    /// Its logs.
    pub logs: Vec<String>,
}

impl Simulated {
    /// The program's events in its logs.
    pub fn events(&self) -> Logged {
        parse_logs(&self.logs)
    }
}

/// A confirmed transaction.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// Its signature.
    pub signature: Signature,
    /// The slot in which it landed.
    pub slot: u64,
    /// Compute units used.
    pub units: u64,
    /// The compute limit that was set.
    pub limit: u32,
    /// The price of a compute unit that was set, in millionths of a lamport.
    pub price: u64,
    /// Fee paid in lamports, as far as the node told.
    pub fee: Option<u64>,
    /// Lamports by which the payer is poorer, fee and rent, as far as the node told.
    pub spent: Option<u64>,
    /// Its logs.
    pub logs: Vec<String>,
    /// The node did not tell in time what happened: `units` and `logs` are those of the simulation.
    pub estimated: bool,
}

/// What a node tells of a transaction that landed.
#[derive(Default)]
struct Details {
    units: u64,
    fee: Option<u64>,
    spent: Option<u64>,
    logs: Vec<String>,
}

impl Confirmed {
    /// The program's events in its logs.
    pub fn events(&self) -> Logged {
        parse_logs(&self.logs)
    }
}

/// Sends transactions to one cluster. Cheap to clone; several tasks can share one.
#[derive(Clone)]
pub struct Sender {
    rpc: Arc<RpcClient>,
    shared: Arc<Shared>,
    /// How.
    pub config: SendConfig,
    /// Lookup tables. With any, messages are of version 0.
    pub tables: Vec<AddressLookupTableAccount>,
}

impl Sender {
    /// With the default configuration and no lookup tables.
    pub fn new(rpc: Arc<RpcClient>) -> Self {
        Sender { rpc, shared: Arc::default(), config: SendConfig::default(), tables: Vec::new() }
    }

    /// The connection.
    pub fn rpc(&self) -> &Arc<RpcClient> {
        &self.rpc
    }

    /// Runs the instructions without sending anything, with the largest compute limit, at the newest state.
    ///
    /// # Errors
    /// [`SendError::Refused`] when they fail.
    pub async fn simulate(
        &self,
        payer: &solana_pubkey::Pubkey,
        instructions: &[Instruction],
    ) -> Result<Simulated, SendError> {
        let message =
            compile(payer, instructions, Units { limit: MAX_UNITS, price: 0 }, &self.tables, Hash::default())?;
        let unsigned = transaction::unsigned(message);
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(CommitmentConfig::processed()),
            encoding: Some(UiTransactionEncoding::Base64),
            ..RpcSimulateTransactionConfig::default()
        };
        let answer = self.rpc.simulate_transaction_with_config(&unsigned, config).await?;
        let logs = answer.value.logs.unwrap_or_default();
        match answer.value.err {
            Some(error) => Err(SendError::simulated(error.into(), logs)),
            None => {
                let units = answer.value.units_consumed.unwrap_or(0);
                Ok(Simulated { units, slot: answer.context.slot, logs })
            }
        }
    }

    /// Simulates, signs, sends and confirms. The first signer pays.
    ///
    /// # Errors
    /// See [`SendError`]. After [`SendError::Expired`] the transaction cannot land any more.
    pub async fn send(&self, instructions: &[Instruction], signers: Signers<'_>) -> Result<Confirmed, SendError> {
        let payer = signers.first().ok_or(SendError::NoSigner)?.pubkey();
        let simulated = self.simulate(&payer, instructions).await?;
        let bid = self.bid(instructions, signers, &simulated).await?;
        self.send_at(bid, instructions, signers, simulated).await
    }

    /// What sending these instructions would cost, for a caller who may find that too much.
    ///
    /// # Errors
    /// When the node does not tell recent fees, or the transaction needs more compute than allowed.
    pub async fn bid(
        &self,
        instructions: &[Instruction],
        signers: Signers<'_>,
        simulated: &Simulated,
    ) -> Result<Bid, SendError> {
        let payer = signers.first().ok_or(SendError::NoSigner)?.pubkey();
        let limit = self.limit(simulated.units)?;
        let written = written(&payer, instructions);
        let price = self.config.priority.price(&self.shared, &self.rpc, written, limit).await?;
        Ok(Bid::new(signers.len(), Units { limit, price }))
    }

    /// As [`send`](Self::send), for a caller that has simulated already, looked at the result and asked for the [`bid`](Self::bid).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_at(
        &self,
        bid: Bid,
        instructions: &[Instruction],
        signers: Signers<'_>,
        simulated: Simulated,
    ) -> Result<Confirmed, SendError> {
        let payer = signers.first().ok_or(SendError::NoSigner)?.pubkey();
        let Units { limit, price } = bid.units;
        let (blockhash, last_valid_height) =
            self.shared.blockhash(&self.rpc, self.config.commitment, self.config.blockhash_for).await?;
        let transaction = sign(compile(&payer, instructions, bid.units, &self.tables, blockhash)?, signers)?;
        let (signature, slot) = self.land(&transaction, last_valid_height, bid).await?;
        let told = self.details(&signature).await;
        let estimated = told.is_none();
        let Details { units: used, fee, spent, logs } =
            told.unwrap_or(Details { units: simulated.units, logs: simulated.logs, ..Details::default() });
        Ok(Confirmed { signature, slot, units: used, limit, price, fee, spent, logs, estimated })
    }

    /// The compute limit for what a simulation used.
    fn limit(&self, used: u64) -> Result<u32, SendError> {
        let margin = (used * u64::from(self.config.units_margin_percent) / 100).max(self.config.units_margin.into());
        let units = used.saturating_add(margin).saturating_add(self.shared.nonce().into());
        let units = u32::try_from(units).unwrap_or(MAX_UNITS).min(MAX_UNITS);
        let max = self.config.max_units;
        if units > max && used > u64::from(max) {
            return Err(SendError::TooManyUnits { units, max });
        }
        Ok(units.min(max))
    }

    /// Sends until confirmed or expired.
    async fn land(
        &self,
        transaction: &VersionedTransaction,
        last_valid: u64,
        bid: Bid,
    ) -> Result<(Signature, u64), SendError> {
        let signature = *transaction.signatures.first().ok_or(SendError::NoSigner)?;
        let config = RpcSendTransactionConfig {
            skip_preflight: true,
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        let mut sent_at: Option<Instant> = None;
        let mut expired = 0;
        loop {
            if sent_at.is_none_or(|at| at.elapsed() >= self.config.resend_every) {
                let first = sent_at.is_none();
                if let Err(error) = self.rpc.send_transaction_with_config(transaction, config).await {
                    // A node that is briefly away, or has seen it already: the status decides.
                    tracing::debug!(%signature, %error, first, "sending was refused");
                }
                sent_at = Some(Instant::now());
            }
            sleep(self.config.poll_every).await;
            // Asked before the status: a status that is still missing then stays so.
            let height = self.rpc.get_block_height_with_commitment(self.config.commitment).await;
            match self.status(&signature).await {
                Ok(Some((slot, Ok(())))) => return Ok((signature, slot)),
                Ok(Some((slot, Err(error)))) => {
                    let Details { fee, logs, .. } = self.details(&signature).await.unwrap_or_default();
                    return Err(SendError::landed(error, signature, slot, fee.unwrap_or(bid.lamports), logs));
                }
                Ok(None) => {
                    expired += u32::from(height.is_ok_and(|height| height > last_valid));
                    if expired == EXPIRED_POLLS {
                        return Err(SendError::Expired { signature });
                    }
                }
                Err(error) => tracing::debug!(%signature, %error, "the status is not known"),
            }
        }
    }

    /// The slot and outcome of a transaction that has the wanted confirmation.
    async fn status(&self, signature: &Signature) -> Result<Option<(u64, Result<(), TransactionError>)>, SendError> {
        let statuses = self.rpc.get_signature_statuses(&[*signature]).await?.value;
        let confirmed =
            statuses.into_iter().flatten().next().filter(|status| status.satisfies_commitment(self.config.commitment));
        Ok(confirmed.map(|status| (status.slot, status.status)))
    }

    /// What a transaction did; `None` when the node does not tell in time.
    async fn details(&self, signature: &Signature) -> Option<Details> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.config.commitment),
            max_supported_transaction_version: Some(0),
        };
        let deadline = Instant::now() + self.config.details_within;
        loop {
            if let Ok(found) = self.rpc.get_transaction_with_config(signature, config).await {
                let meta = found.transaction.meta?;
                let (OptionSerializer::Some(units), OptionSerializer::Some(logs)) =
                    (meta.compute_units_consumed, meta.log_messages)
                else {
                    return None;
                };
                // The payer is the first account.
                let payer = meta.pre_balances.first().zip(meta.post_balances.first());
                let spent = payer.map(|(before, after)| before.saturating_sub(*after));
                return Some(Details { units, fee: Some(meta.fee), spent, logs });
            }
            if Instant::now() >= deadline {
                return None;
            }
            sleep(self.config.poll_every).await;
        }
    }
}
