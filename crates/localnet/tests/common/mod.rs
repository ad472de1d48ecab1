//! What the tests of the running node share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::time::{Duration, Instant};

use ballast_localnet::{Blocks, Faucet, Localnet, LocalnetConfig};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::{Signer, signers::Signers};
use solana_transaction::Transaction;

/// Longer than anything here takes on a slow machine that does something else as well.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// 10 October 2025, 20:00 UTC.
pub const GENESIS: i64 = 1_760_126_400;

/// A node on free ports with a clock that only the test moves.
pub fn start(blocks: Blocks) -> Localnet {
    let config =
        LocalnetConfig { rpc_port: 0, ws_port: 0, blocks, genesis_time: Some(GENESIS), ..LocalnetConfig::default() };
    Localnet::start(config).expect("the node starts")
}

/// A client that sees what has been executed, confirmed or not.
pub fn processed(localnet: &Localnet) -> RpcClient {
    RpcClient::new_with_commitment(localnet.rpc_url().to_owned(), CommitmentConfig::processed())
}

/// A wallet with 1,000 SOL.
pub fn rich_wallet(localnet: &Localnet) -> Keypair {
    let wallet = Keypair::new();
    let faucet = Faucet::connect(localnet.rpc_url()).expect("the faucet opens");
    faucet.airdrop(&wallet.pubkey(), 1_000_000_000_000).expect("the faucet pays");
    wallet
}

/// A transaction paid by the first signer.
pub fn sign<S: Signers + ?Sized>(
    rpc: &RpcClient,
    payer: &Keypair,
    instructions: &[Instruction],
    signers: &S,
) -> Transaction {
    let blockhash = rpc.get_latest_blockhash().expect("the node has a blockhash");
    Transaction::new_signed_with_payer(instructions, Some(&payer.pubkey()), signers, blockhash)
}

/// Waits until `condition` gives something.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(result) = condition() {
            return result;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not happen within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
