//! A virtual machine that runs the compiled program. What is tested on it is written once, over [`Chain`], and runs on
//! every implementation.

use std::path::Path;

use ballast_client::{
    addresses::PROGRAM_ID,
    ballast::error::BallastError,
    error::ProgramError,
    events::Event,
    record::{Invocation, recorded},
};
use litesvm::LiteSVM;
use solana_account::{Account, AccountSharedData};
use solana_clock::Clock;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::{VersionedMessage, inner_instruction::InnerInstructionsList};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use super::fresh::fresh_keypair;
use crate::compiled_program;

/// What a transaction that succeeded left behind.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Its logs, complete.
    pub logs: Vec<String>,
    /// What ran, in the order in which it began.
    pub invocations: Vec<Invocation>,
}

impl Receipt {
    /// The events that the program recorded, in order.
    ///
    /// # Panics
    /// If one of them cannot be decoded.
    pub fn events(&self) -> Vec<Event> {
        let told = recorded(&self.invocations);
        told.iter().map(|told| told.event().expect("every event is decoded")).collect()
    }

    /// Compute units that the program used, called programs included.
    pub fn units(&self) -> u64 {
        reports(&self.logs).map(|(_, units)| units).sum()
    }
}

/// Why a transaction did not succeed.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The runtime's error.
    pub error: TransactionError,
    /// The logs up to there.
    pub logs: Vec<String>,
}

impl Refusal {
    /// The error of the program or of the framework, with its name.
    pub fn program(&self) -> Option<ProgramError> {
        ProgramError::of(&self.error, &self.logs)
    }

    /// Whether it is this error of the program.
    pub fn is(&self, error: BallastError) -> bool {
        self.program().and_then(|program| program.ballast()).is_some_and(|own| u32::from(own) == u32::from(error))
    }

    /// The error's name, as far as the logs tell: of the program's errors, the framework's, or the runtime's.
    pub fn name(&self) -> String {
        self.program().map_or_else(|| self.error.to_string(), |program| program.name)
    }
}

/// What became of a transaction.
pub type Outcome = Result<Receipt, Refusal>;

/// What the program's own instructions of a transaction report of their use, with what they call: the place of each report
/// in the log, and the units.
pub(super) fn reports(logs: &[String]) -> impl Iterator<Item = (usize, u64)> + '_ {
    let consumed = format!("Program {PROGRAM_ID} consumed ");
    let mut depth = 0;
    logs.iter().enumerate().filter_map(move |(at, line)| {
        let (_, rest) = line.strip_prefix("Program ")?.split_once(' ')?;
        if rest.starts_with("invoke [") {
            depth += 1;
        } else if rest == "success" || rest.starts_with("failed") {
            depth -= 1;
        }
        let figure = line.strip_prefix(&consumed).filter(|_| depth == 1)?.split(' ').next()?;
        Some((at, figure.parse().ok()?))
    })
}

/// What ran in a transaction, as a virtual machine tells it.
pub fn invocations(message: &VersionedMessage, keys: &[Pubkey], inner: &InnerInstructionsList) -> Vec<Invocation> {
    let invocation = |instruction: &solana_message::compiled_instruction::CompiledInstruction, height| Invocation {
        program: keys[usize::from(instruction.program_id_index)],
        height,
        accounts: instruction.accounts.iter().map(|&at| keys[usize::from(at)]).collect(),
        data: instruction.data.clone(),
    };
    let mut all = Vec::new();
    for (at, outer) in message.instructions().iter().enumerate() {
        all.push(invocation(outer, 1));
        let called = inner.get(at).into_iter().flatten();
        all.extend(called.map(|called| invocation(&called.instruction, called.stack_height.into())));
    }
    all
}

/// A chain with the program on it.
pub trait Chain {
    /// Somebody with enough SOL for everything.
    fn payer(&self) -> Keypair;

    /// Sends a transaction; the first signer pays. No two transactions are alike, even with the same instructions.
    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome;

    /// An account as it is now; `None` when there is none.
    fn account(&mut self, key: &Pubkey) -> Option<AccountSharedData>;

    /// Writes an account as no transaction could.
    fn put_account(&mut self, key: Pubkey, account: Account);

    /// Sets what programs are told the time is, and lets one slot pass.
    fn set_time(&mut self, unix_time: i64);

    /// Lamports that keep an account of this many bytes alive.
    fn rent(&self, bytes: usize) -> u64;
}

/// A transaction with the signatures that there are: an attacker may lack some. The first signer pays.
pub fn sign(instructions: &[Instruction], signers: &[&Keypair], blockhash: Hash) -> Transaction {
    let payer = signers.first().map(|signer| signer.pubkey());
    let mut transaction = Transaction::new_with_payer(instructions, payer.as_ref());
    let wanted: Vec<Pubkey> = transaction.message.signer_keys().into_iter().copied().collect();
    let present: Vec<&Keypair> = signers.iter().filter(|signer| wanted.contains(&signer.pubkey())).copied().collect();
    transaction.partial_sign(&present, blockhash);
    transaction
}

/// LiteSVM with the features that mainnet has. A clone is a fork of the chain.
pub struct Lite {
    vm: LiteSVM,
    payer: Keypair,
}

impl Lite {
    /// A fresh chain with the program.
    ///
    /// # Panics
    /// If the program has not been built, or the chain refuses it.
    pub fn new() -> Lite {
        Lite::on(LiteSVM::new(), &compiled_program("ballast.so"))
    }

    /// The same with the program in `file`, on a machine whose registers can be traced.
    ///
    /// # Panics
    /// As [`Lite::new`].
    pub fn traced(file: &Path) -> Lite {
        Lite::on(LiteSVM::new_debuggable(true), file)
    }

    fn on(vm: LiteSVM, program: &Path) -> Lite {
        // Without a history, the same transaction may be sent twice.
        let mut vm = vm.with_mainnet_features().with_log_bytes_limit(None).with_transaction_history(0);
        let payer = fresh_keypair();
        vm.airdrop(&payer.pubkey(), 1_000_000_000_000).expect("an airdrop on a fresh chain");
        vm.add_program_from_file(PROGRAM_ID, program).expect("the chain accepts the program");
        Lite { vm, payer }
    }

    /// The same with logs of at most so many bytes, as validators keep them.
    pub fn with_log_bytes(self, limit: usize) -> Lite {
        Lite { vm: self.vm.with_log_bytes_limit(Some(limit)), payer: self.payer }
    }

    /// The virtual machine, for what [`Chain`] does not offer.
    pub fn vm(&mut self) -> &mut LiteSVM {
        &mut self.vm
    }
}

impl Clone for Lite {
    fn clone(&self) -> Self {
        Lite { vm: self.vm.clone(), payer: self.payer.insecure_clone() }
    }
}

impl Default for Lite {
    fn default() -> Self {
        Lite::new()
    }
}

impl Chain for Lite {
    fn payer(&self) -> Keypair {
        self.payer.insecure_clone()
    }

    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome {
        let transaction = sign(instructions, signers, self.vm.latest_blockhash());
        let message = VersionedMessage::Legacy(transaction.message.clone());
        match self.vm.send_transaction(transaction) {
            Ok(done) => {
                let invocations = invocations(&message, message.static_account_keys(), &done.inner_instructions);
                Ok(Receipt { logs: done.logs, invocations })
            }
            Err(failed) => Err(Refusal { error: failed.err, logs: failed.meta.logs }),
        }
    }

    fn account(&mut self, key: &Pubkey) -> Option<AccountSharedData> {
        self.vm.accounts_db().get_account(key)
    }

    fn put_account(&mut self, key: Pubkey, account: Account) {
        self.vm.set_account(key, account).expect("the account can be written");
    }

    fn set_time(&mut self, unix_time: i64) {
        let mut clock = self.vm.get_sysvar::<Clock>();
        clock.unix_timestamp = unix_time;
        clock.slot += 1;
        self.vm.set_sysvar(&clock);
    }

    fn rent(&self, bytes: usize) -> u64 {
        self.vm.minimum_balance_for_rent_exemption(bytes)
    }
}
