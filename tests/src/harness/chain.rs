//! A virtual machine that runs the compiled program. What is tested on it is written once, over [`Chain`], and runs on
//! every implementation.

use ballast_client::{
    addresses::PROGRAM_ID,
    ballast::error::BallastError,
    error::ProgramError,
    events::{Event, Logged, parse_logs},
};
use litesvm::LiteSVM;
use solana_account::{Account, AccountSharedData};
use solana_clock::Clock;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
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
}

impl Receipt {
    /// The program's events, in order.
    ///
    /// # Panics
    /// If one of them cannot be decoded.
    pub fn events(&self) -> Vec<Event> {
        let Logged { events, truncated, unknown } = parse_logs(&self.logs);
        assert!(!truncated && unknown == 0, "every event is decoded: {:#?}", self.logs);
        events
    }

    /// Compute units that the program used, called programs included.
    pub fn units(&self) -> u64 {
        program_units(&self.logs)
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

/// The units that the log's outermost calls of the program report.
fn program_units(logs: &[String]) -> u64 {
    let prefix = format!("Program {PROGRAM_ID} consumed ");
    let figure = |line: &String| line.strip_prefix(&prefix)?.split(' ').next()?.parse::<u64>().ok();
    logs.iter().filter_map(figure).sum()
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
        // Without a history, the same transaction may be sent twice.
        let mut vm = LiteSVM::new().with_mainnet_features().with_log_bytes_limit(None).with_transaction_history(0);
        let payer = fresh_keypair();
        vm.airdrop(&payer.pubkey(), 1_000_000_000_000).expect("an airdrop on a fresh chain");
        vm.add_program_from_file(PROGRAM_ID, compiled_program("ballast.so")).expect("the chain accepts the program");
        Lite { vm, payer }
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
        match self.vm.send_transaction(transaction) {
            Ok(done) => Ok(Receipt { logs: done.logs }),
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
