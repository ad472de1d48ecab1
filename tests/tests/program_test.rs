//! The main flow on the runtime that validators run, compared with LiteSVM figure by figure.

use ballast_client::addresses::PROGRAM_ID;
use ballast_tests::{
    compiled_program, flow,
    harness::{Chain, Lite, Outcome, Receipt, Refusal, invocations, sign},
};
use solana_account::{Account, AccountSharedData};
use solana_clock::Clock;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_program_test::{ProgramTest, ProgramTestContext};
use solana_pubkey::Pubkey;
use tokio::runtime::Runtime;

/// A bank of the validator's runtime.
struct Bank {
    runtime: Runtime,
    context: ProgramTestContext,
}

impl Bank {
    fn new() -> Bank {
        let folder = compiled_program("ballast.so");
        let folder = folder.parent().expect("a file is in a folder");
        // SAFETY: before any other thread of this process is started.
        unsafe {
            std::env::set_var("BPF_OUT_DIR", folder);
            std::env::set_var("RUST_LOG", "error");
        }
        let mut test = ProgramTest::default();
        test.prefer_bpf(true);
        test.add_program("ballast", PROGRAM_ID, None);
        let runtime = Runtime::new().expect("a runtime");
        let context = runtime.block_on(test.start_with_context());
        Bank { runtime, context }
    }
}

impl Chain for Bank {
    fn payer(&self) -> Keypair {
        self.context.payer.insecure_clone()
    }

    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome {
        let transaction = sign(instructions, signers, self.context.last_blockhash);
        let client = &self.context.banks_client;
        // The bank tells what was called of a simulation only.
        let simulated = self.runtime.block_on(client.simulate_transaction(transaction.clone()));
        let inner =
            simulated.expect("the bank answers").simulation_details.and_then(|details| details.inner_instructions);
        let message = VersionedMessage::Legacy(transaction.message.clone());
        let done = self.runtime.block_on(client.process_transaction_with_metadata(transaction));
        let done = done.expect("the bank answers");
        let logs = done.metadata.map(|metadata| metadata.log_messages).unwrap_or_default();
        match done.result {
            Ok(()) => {
                let inner = inner.expect("the bank tells what was called");
                let invocations = invocations(&message, message.static_account_keys(), &inner);
                Ok(Receipt { logs, invocations })
            }
            Err(error) => Err(Refusal { error, logs }),
        }
    }

    fn account(&mut self, key: &Pubkey) -> Option<AccountSharedData> {
        let account = self.runtime.block_on(self.context.banks_client.get_account(*key));
        account.expect("the bank answers").map(AccountSharedData::from)
    }

    fn put_account(&mut self, key: Pubkey, account: Account) {
        self.context.set_account(&key, &AccountSharedData::from(account));
    }

    fn set_time(&mut self, unix_time: i64) {
        let client = &self.context.banks_client;
        let mut clock: Clock = self.runtime.block_on(client.get_sysvar()).expect("the bank answers");
        clock.unix_timestamp = unix_time;
        self.context.set_sysvar(&clock);
    }

    fn rent(&self, bytes: usize) -> u64 {
        let client = &self.context.banks_client;
        self.runtime.block_on(client.get_rent()).expect("the bank answers").minimum_balance(bytes)
    }
}

#[test]
fn the_validators_runtime_comes_to_the_same_figures() {
    let (on_bank, usage) = flow::play(Bank::new());
    let (on_lite, _) = flow::play(Lite::new());
    assert_eq!(on_bank, on_lite);
    println!("{usage}");
}
