//! Carrying a plan out.

use std::{io, sync::Arc, time::Duration};

use ballast_client::send::{MAX_TRANSACTION_BYTES, SendError, Sender, Signers, Units, compile, sign, size};
use solana_address_lookup_table_interface::instruction as lookup;
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{client_error::Error as ClientError, config::RpcSendTransactionConfig};
use solana_signature::Signature;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    accounts::{self, BATCH, MigrateStep},
    cluster::{Cluster, Found, ReadError},
    plan::{Action, Plan, Step},
    program::{self, BUFFER_HEADER, ProgramStep},
    roles::{Keys, Role, Roles},
    state_file::StateFile,
    tables::{AT_ONCE, TableStep},
};

/// Compute units of a chunk's transaction, twice what it uses.
const WRITE_UNITS: u32 = 6_000;
/// Chunks under way at the same time.
const AT_A_TIME: usize = 128;
/// Requests under way at the same time.
const REQUESTS: usize = 16;
/// How long chunks that were sent are waited for before the buffer is read again.
const ROUND: Duration = Duration::from_secs(15);
/// Rounds without any progress before the deployment gives up.
const IDLE_ROUNDS: u32 = 5;
/// How long a slot is waited for.
const SLOT_WITHIN: Duration = Duration::from_secs(60);
/// Pause between two questions to the node.
const POLL: Duration = Duration::from_millis(300);

/// Why a step failed. What was done before stays done: a new plan goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A transaction failed.
    #[error("{what}: {source}")]
    Send {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: SendError,
    },
    /// The cluster could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The node did not answer.
    #[error("{0}: {1}")]
    Rpc(&'static str, Box<ClientError>),
    /// Chunks do not arrive.
    #[error("{missing} of {all} chunks of the program do not arrive; run it again to go on from here")]
    Stuck {
        /// Chunks that are missing.
        missing: usize,
        /// Chunks in all.
        all: usize,
    },
    /// The cluster makes no slots.
    #[error("the cluster made no slot within {0} seconds")]
    NoSlot(u64),
    /// The state file cannot be written.
    #[error("the lookup table {0} was created, but the state file cannot be written: {1}")]
    State(Pubkey, io::Error),
}

/// Carries plans out on one cluster.
pub struct Runner<'a> {
    /// Sends transactions.
    pub sender: Sender,
    /// Who signs.
    pub keys: &'a Keys,
    /// Price of a compute unit for the program's chunks, in millionths of a lamport.
    pub chunk_price: u64,
    /// The cluster's genesis hash.
    pub genesis: String,
    /// Is told what is going on.
    pub report: &'a (dyn Fn(&str) + Sync),
}

impl Runner<'_> {
    /// Carries all steps out, in order.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub async fn run(&self, plan: &Plan, found: &Found, state: &mut StateFile) -> Result<(), ApplyError> {
        let count = plan.steps.len();
        for (number, step) in (1..).zip(&plan.steps) {
            (self.report)(&format!("[{number}/{count}] {}", step.what));
            self.step(step, found, state).await?;
        }
        Ok(())
    }

    async fn step(&self, step: &Step, found: &Found, state: &mut StateFile) -> Result<(), ApplyError> {
        match &step.action {
            Action::Send { instructions, signers } => self.send(&step.what, instructions, signers).await,
            Action::Program(program) => self.program(program, found).await,
            Action::Table(table) => self.table(table, state).await,
            Action::Migrate(step) => self.migrate(step).await,
        }
    }

    async fn send(&self, what: &str, instructions: &[Instruction], roles: &[Role]) -> Result<(), ApplyError> {
        let signers = self.keys.signers(roles);
        let sent = self.sender.send(instructions, &signers).await;
        sent.map(drop).map_err(|source| ApplyError::Send { what: what.to_owned(), source })
    }

    fn rpc(&self) -> &Arc<RpcClient> {
        self.sender.rpc()
    }

    /// Migrates accounts. What is done stays done: a later plan finds only the rest.
    async fn migrate(&self, step: &MigrateStep) -> Result<(), ApplyError> {
        match step {
            MigrateStep::MarginAccounts(all) => {
                for (number, batch) in (1..).zip(all.chunks(BATCH)) {
                    self.send("migrating margin accounts", &accounts::margin_accounts(batch), &[]).await?;
                    (self.report)(&format!("  {} of {} accounts", all.len().min(number * BATCH), all.len()));
                }
                Ok(())
            }
            MigrateStep::Book { market, book } => {
                let calls = accounts::book(&self.keys.roles(), market, book);
                for number in 1.. {
                    let account = Cluster::new(self.rpc()).accounts(&[*book]).await?.pop().flatten();
                    if account.is_none_or(|account| accounts::is_current(&account.owner, &account.data)) {
                        break;
                    }
                    (self.report)(&format!("  part {number}"));
                    self.send("migrating a book", &calls, &[]).await?;
                }
                Ok(())
            }
        }
    }

    async fn program(&self, step: &ProgramStep, found: &Found) -> Result<(), ApplyError> {
        let roles = self.keys.roles();
        if step.extend_by > 0 {
            self.send("extending the program's account", &[program::extend(&roles, step.extend_by)], &[]).await?;
        }
        self.fill_buffer(&step.code, found, &roles).await?;
        if step.upgrade {
            // The loader refuses two changes of a program in one slot, and extending is one.
            self.next_slot().await?;
            let upgrade = [program::upgrade(&roles)];
            self.send("upgrading the program", &upgrade, &[Role::UpgradeAuthority]).await?;
        } else {
            let deploy = program::deploy(found, &roles, step.code.len());
            self.send("deploying the program", &deploy, &[Role::UpgradeAuthority, Role::Program]).await?;
        }
        // A program cannot be called in the slot of its deployment.
        self.next_slot().await
    }

    /// Brings the buffer to the code's bytes, whatever is in it.
    async fn fill_buffer(&self, code: &[u8], found: &Found, roles: &Roles) -> Result<(), ApplyError> {
        let mut written = self.buffer(roles).await?;
        let right_size = BUFFER_HEADER + code.len();
        if written.as_ref().is_some_and(|(_, data)| data.len() > BUFFER_HEADER && data.len() != right_size) {
            let close = [program::close_buffer(roles)];
            self.send("closing a buffer of another size", &close, &[Role::UpgradeAuthority]).await?;
            written = None;
        }
        if written.as_ref().is_none_or(|(_, data)| data.len() != right_size) {
            let has = written.map_or(0, |(lamports, _)| lamports);
            let create = program::create_buffer(roles, code.len(), found.rent.of(right_size).saturating_sub(has));
            self.send("creating the buffer", &create, &[Role::UpgradeAuthority]).await?;
        }
        let size = self.chunk_size(roles)?;
        let all = code.len().div_ceil(size);
        let (mut fewest, mut idle) = (usize::MAX, 0);
        loop {
            let buffer = self.buffer(roles).await?.map(|(_, data)| data).unwrap_or_default();
            let missing = program::missing_chunks(&buffer, code, size);
            (self.report)(&format!("  {} of {all} chunks are in the buffer", all - missing.len()));
            if missing.is_empty() {
                return Ok(());
            }
            idle = if missing.len() < fewest { 0 } else { idle + 1 };
            fewest = fewest.min(missing.len());
            if idle == IDLE_ROUNDS {
                return Err(ApplyError::Stuck { missing: missing.len(), all });
            }
            for offsets in missing.chunks(AT_A_TIME) {
                self.send_chunks(code, size, offsets, roles).await?;
            }
        }
    }

    /// The buffer's lamports and data.
    async fn buffer(&self, roles: &Roles) -> Result<Option<(u64, Vec<u8>)>, ApplyError> {
        let key = program::buffer_address(&roles.upgrade_authority);
        let account = Cluster::new(self.rpc()).accounts(&[key]).await?.pop().flatten();
        Ok(account.map(|account| (account.lamports, account.data)))
    }

    /// Bytes of code that fit into a packet beside everything else.
    fn chunk_size(&self, roles: &Roles) -> Result<usize, ApplyError> {
        let empty = self.chunk(roles, 0, &[], Hash::default())?;
        // The instruction's length takes a byte more when it is no longer small.
        Ok(MAX_TRANSACTION_BYTES - size(&empty) - 1)
    }

    fn chunk(
        &self,
        roles: &Roles,
        offset: usize,
        bytes: &[u8],
        blockhash: Hash,
    ) -> Result<solana_transaction::versioned::VersionedTransaction, ApplyError> {
        let failed = |source| ApplyError::Send { what: "writing the program".into(), source };
        let units = Units { limit: WRITE_UNITS, price: self.chunk_price.max(1) };
        let message = compile(&roles.payer, &[program::write(roles, offset, bytes)], units, &[], blockhash);
        let signers = self.keys.signers(&[Role::UpgradeAuthority]);
        let signers: Signers = &signers;
        sign(message.map_err(|error| failed(error.into()))?, signers).map_err(failed)
    }

    /// Sends some chunks at once, and waits until they have landed or for a while. What does not land is found missing.
    async fn send_chunks(&self, code: &[u8], size: usize, offsets: &[usize], roles: &Roles) -> Result<(), ApplyError> {
        let blockhash = self.rpc().get_latest_blockhash().await.map_err(asking("a blockhash"))?;
        let config = RpcSendTransactionConfig { skip_preflight: true, ..RpcSendTransactionConfig::default() };
        let mut signatures = Vec::with_capacity(offsets.len());
        let mut requests = JoinSet::new();
        for offset in offsets {
            let end = (offset + size).min(code.len());
            let transaction = self.chunk(roles, *offset, &code[*offset..end], blockhash)?;
            signatures.extend(transaction.signatures.first().copied());
            if requests.len() == REQUESTS {
                requests.join_next().await;
            }
            let rpc = Arc::clone(self.rpc());
            // A refused chunk is found missing, and sent again.
            requests.spawn(async move { drop(rpc.send_transaction_with_config(&transaction, config).await) });
        }
        while requests.join_next().await.is_some() {}
        self.landed(&signatures).await
    }

    async fn landed(&self, signatures: &[Signature]) -> Result<(), ApplyError> {
        let deadline = Instant::now() + ROUND;
        while Instant::now() < deadline {
            let statuses = self.rpc().get_signature_statuses(signatures).await.map_err(asking("outcomes"))?.value;
            let commitment = CommitmentConfig::confirmed();
            if statuses.iter().all(|status| status.as_ref().is_some_and(|s| s.satisfies_commitment(commitment))) {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn next_slot(&self) -> Result<(), ApplyError> {
        let first = self.slot().await?;
        let deadline = Instant::now() + SLOT_WITHIN;
        while Instant::now() < deadline {
            if self.slot().await? > first {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err(ApplyError::NoSlot(SLOT_WITHIN.as_secs()))
    }

    async fn slot(&self) -> Result<u64, ApplyError> {
        let slot = self.rpc().get_slot_with_commitment(CommitmentConfig::confirmed()).await;
        slot.map_err(asking("the slot"))
    }

    async fn table(&self, step: &TableStep, state: &mut StateFile) -> Result<(), ApplyError> {
        let roles = self.keys.roles();
        let table = match step.table {
            Some(table) => table,
            None => {
                // The program looks the slot up among the recent ones: one that is over.
                let slot = self.rpc().get_slot_with_commitment(CommitmentConfig::finalized()).await;
                let slot = slot.map_err(asking("the slot"))?;
                let (create, table) = lookup::create_lookup_table(roles.admin, roles.payer, slot);
                self.send("creating the lookup table", &[create], &[]).await?;
                let remembered = state.remember(&self.genesis, &step.exchange, &table);
                remembered.map_err(|error| ApplyError::State(table, error))?;
                table
            }
        };
        for addresses in step.add.chunks(AT_ONCE) {
            let extend = lookup::extend_lookup_table(table, roles.admin, Some(roles.payer), addresses.to_vec());
            self.send("extending the lookup table", &[extend], &[Role::Admin]).await?;
        }
        (self.report)(&format!("  lookup table {table}"));
        // Addresses can be used in the slot after.
        self.next_slot().await
    }
}

fn asking(what: &'static str) -> impl Fn(ClientError) -> ApplyError {
    move |error| ApplyError::Rpc(what, Box::new(error))
}
