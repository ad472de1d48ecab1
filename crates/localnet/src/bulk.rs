//! Many transactions at once, for setting a network up and for makers that requote every second: no simulation, a fixed
//! compute limit, and one question for all outcomes.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use ballast_client::error::ProgramError;
use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::config::RpcSendTransactionConfig;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::{ChainClock, LocalnetError};

/// The largest compute limit of a transaction.
const UNITS: u32 = 1_400_000;
/// As many transactions differ by their compute limit, so that the same instructions may be sent again under one blockhash.
const NONCES: u32 = 10_000;
/// Signatures that a node answers for in one request.
const STATUSES: usize = 256;

/// One transaction to send. The first signer pays.
pub struct Job<'a> {
    /// What it is for, in words, for errors.
    pub what: String,
    /// Its instructions.
    pub instructions: Vec<Instruction>,
    /// Its signers.
    pub signers: Vec<&'a Keypair>,
}

/// A transaction that failed, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its place among those that were sent together.
    pub number: usize,
    /// Which.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Sends to a network whose blocks are made by the caller ([`crate::Blocks::Manual`]).
pub struct Bulk {
    rpc: RpcClient,
    clock: ChainClock,
    sent: AtomicU32,
}

impl Bulk {
    /// To the node at `rpc_url`.
    pub fn new(rpc_url: &str, clock: ChainClock) -> Self {
        let rpc = RpcClient::new_with_commitment(rpc_url.to_owned(), CommitmentConfig::processed());
        Self { rpc, clock, sent: AtomicU32::new(0) }
    }

    /// Sends without waiting for the outcome.
    ///
    /// # Errors
    /// When the node does not answer or refuses the transaction as such.
    pub fn send(&self, job: &Job) -> Result<Signature, LocalnetError> {
        let blockhash = self.rpc.get_latest_blockhash().map_err(|error| rpc_error(&job.what, error))?;
        let nonce = self.sent.fetch_add(1, Ordering::Relaxed) % NONCES;
        let limit = ComputeBudgetInstruction::set_compute_unit_limit(UNITS - nonce);
        let instructions: Vec<_> = std::iter::once(limit).chain(job.instructions.iter().cloned()).collect();
        let payer = job.signers.first().map(|payer| payer.pubkey());
        let transaction = Transaction::new_signed_with_payer(&instructions, payer.as_ref(), &job.signers, blockhash);
        let config = RpcSendTransactionConfig { skip_preflight: true, ..RpcSendTransactionConfig::default() };
        self.rpc.send_transaction_with_config(&transaction, config).map_err(|error| rpc_error(&job.what, error))
    }

    /// Sends all, closes the block, and returns those that failed.
    ///
    /// # Errors
    /// When the node does not answer, or forgets a transaction.
    pub fn run(&self, jobs: &[Job]) -> Result<Vec<Failure>, LocalnetError> {
        let mut sent = Vec::with_capacity(jobs.len());
        for job in jobs {
            sent.push((job, self.send(job)?));
        }
        self.clock.produce_block()?;
        let mut failures = Vec::new();
        for (number, chunk) in sent.chunks(STATUSES).enumerate() {
            self.outcomes(number * STATUSES, chunk, &mut failures)?;
        }
        Ok(failures)
    }

    /// As [`run`](Self::run), for transactions that must not fail.
    ///
    /// # Errors
    /// Also when one does.
    pub fn run_all(&self, jobs: &[Job]) -> Result<(), LocalnetError> {
        match self.run(jobs)?.into_iter().next() {
            None => Ok(()),
            Some(failure) => Err(LocalnetError::Refused { action: failure.what, reason: failure.why }),
        }
    }

    fn outcomes(
        &self,
        first: usize,
        sent: &[(&Job, Signature)],
        failures: &mut Vec<Failure>,
    ) -> Result<(), LocalnetError> {
        let signatures: Vec<_> = sent.iter().map(|(_, signature)| *signature).collect();
        let mut attempts = 0;
        let statuses = loop {
            let statuses = self
                .rpc
                .get_signature_statuses(&signatures)
                .map_err(|error| rpc_error("ask for the outcome of transactions", error))?
                .value;
            if statuses.iter().all(Option::is_some) || attempts == 50 {
                break statuses;
            }
            attempts += 1;
            thread::sleep(Duration::from_millis(20));
        };
        for (number, ((job, signature), status)) in (first..).zip(sent.iter().zip(statuses)) {
            let why = match status.map(|status| status.status) {
                Some(Ok(())) => continue,
                Some(Err(error)) => match ProgramError::of(&error, &self.logs(signature)) {
                    Some(program) => program.to_string(),
                    None => error.to_string(),
                },
                None => "the node does not know the transaction".to_owned(),
            };
            failures.push(Failure { number, what: job.what.clone(), why });
        }
        Ok(())
    }

    fn logs(&self, signature: &Signature) -> Vec<String> {
        use solana_transaction_status_client_types::{UiTransactionEncoding, option_serializer::OptionSerializer};
        let found = self.rpc.get_transaction(signature, UiTransactionEncoding::Base64);
        match found.ok().and_then(|found| found.transaction.meta).map(|meta| meta.log_messages) {
            Some(OptionSerializer::Some(logs)) => logs,
            _ => Vec::new(),
        }
    }
}

fn rpc_error(action: &str, source: solana_rpc_client_api::client_error::Error) -> LocalnetError {
    LocalnetError::Rpc { action: action.to_owned(), source: Box::new(source) }
}
