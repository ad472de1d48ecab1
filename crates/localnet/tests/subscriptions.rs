//! What keepers and the app hear from a node over WebSocket.

mod common;

use ballast_localnet::Blocks;
use common::{GENESIS, PATIENCE, processed, rich_wallet, sign, start};
use crossbeam_channel::Receiver;
use solana_account_decoder::{UiAccountEncoding, UiDataSliceConfig};
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_pubsub_client::pubsub_client::PubsubClient;
use solana_rpc_client_api::{
    config::{
        RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSignatureSubscribeConfig, RpcTransactionLogsConfig,
        RpcTransactionLogsFilter,
    },
    filter::{Memcmp, RpcFilterType},
    response::RpcSignatureResult,
};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;

fn next<T>(messages: &Receiver<T>, what: &str) -> T {
    messages.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn account_config(data_slice: Option<UiDataSliceConfig>) -> RpcAccountInfoConfig {
    RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        commitment: Some(CommitmentConfig::processed()),
        data_slice,
        min_context_slot: None,
    }
}

#[test]
fn an_accounts_subscriber_sees_each_write_and_survives_a_jump_of_the_clock() {
    let localnet = start(Blocks::Manual);
    let (address, owner) = (Pubkey::new_unique(), Pubkey::new_unique());
    localnet.set_account(address, owner, vec![0]).unwrap();
    let (_subscription, updates) =
        PubsubClient::account_subscribe(localnet.ws_url(), &address, Some(account_config(None))).unwrap();
    let mut write = |byte: u8| {
        localnet.set_account(address, owner, vec![byte; 3]).unwrap();
        let update = next(&updates, "the account's update").value;
        assert_eq!(update.data.decode().unwrap(), [byte; 3]);
    };
    write(1);
    write(2);
    localnet.clock().jump_to(GENESIS + 1_000_000).unwrap();
    localnet.clock().produce_block().unwrap();
    write(3);
}

#[test]
fn a_programs_subscriber_sees_what_its_filters_let_through() {
    let localnet = start(Blocks::Manual);
    let (address, other, program) = (Pubkey::new_unique(), Pubkey::new_unique(), Pubkey::new_unique());
    let filters = vec![RpcFilterType::DataSize(4), RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, &[7]))];
    let config = RpcProgramAccountsConfig {
        filters: Some(filters),
        account_config: account_config(None),
        with_context: Some(true),
        sort_results: None,
    };
    let (_subscription, updates) = PubsubClient::program_subscribe(localnet.ws_url(), &program, Some(config)).unwrap();
    localnet.set_account(other, program, vec![8, 0, 0, 0]).unwrap();
    localnet.set_account(other, program, vec![7, 0, 0]).unwrap();
    localnet.set_account(address, program, vec![7, 1, 2, 3]).unwrap();
    let update = next(&updates, "the program's update").value;
    assert_eq!(update.pubkey, address.to_string());
    assert_eq!(update.account.data.decode().unwrap(), [7, 1, 2, 3]);
    assert!(updates.is_empty(), "nothing else matched");
}

#[test]
fn slots_logs_and_signatures_are_told() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    let to = Pubkey::new_unique();
    let transaction = sign(&rpc, &payer, &[transfer(&payer.pubkey(), &to, 1_000_000_000)], &[&payer]);
    let signature = transaction.signatures[0];

    let (_slots, slots) = PubsubClient::slot_subscribe(localnet.ws_url()).unwrap();
    let (_logs, logs) = PubsubClient::logs_subscribe(
        localnet.ws_url(),
        RpcTransactionLogsFilter::Mentions(vec![to.to_string()]),
        RpcTransactionLogsConfig { commitment: Some(CommitmentConfig::processed()) },
    )
    .unwrap();
    let confirmed = RpcSignatureSubscribeConfig {
        commitment: Some(CommitmentConfig::confirmed()),
        enable_received_notification: Some(false),
    };
    let (_signature, results) =
        PubsubClient::signature_subscribe(localnet.ws_url(), &signature, Some(confirmed)).unwrap();

    rpc.send_transaction(&transaction).unwrap();
    let told = next(&logs, "the logs").value;
    assert_eq!((told.signature, told.err), (signature.to_string(), None));
    assert!(told.logs[0].starts_with("Program 11111111111111111111111111111111 invoke"));

    let slot = localnet.clock().produce_block().unwrap().slot;
    assert_eq!(next(&slots, "the slot").slot, slot);
    match next(&results, "the signature's result").value {
        RpcSignatureResult::ProcessedSignature(result) => assert!(result.err.is_none()),
        RpcSignatureResult::ReceivedSignature(_) => panic!("only confirmation was asked for"),
    }
}
