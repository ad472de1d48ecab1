//! What keepers and the app hear from a node over WebSocket.
//!
//! The node acknowledges a subscription a moment before it begins to listen, so each test repeats itself until it is
//! heard for the first time. `docs/localnet.md` lists what else is different from a cluster.

mod common;

use std::time::Duration;

use ballast_localnet::Blocks;
use common::{GENESIS, PATIENCE, processed, rich_wallet, sign, start};
use futures_util::{Stream, StreamExt};
use solana_account_decoder::UiAccountEncoding;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
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
use tokio::time::timeout;

/// The next message, which must come.
async fn next<T>(messages: &mut (impl Stream<Item = T> + Unpin)) -> T {
    timeout(PATIENCE, messages.next()).await.expect("a message arrives").expect("the connection stays open")
}

/// Provokes messages until one is heard, and swallows those that were provoked besides.
async fn first<T>(messages: &mut (impl Stream<Item = T> + Unpin), mut provoke: impl FnMut()) -> T {
    let mut heard = None;
    for _ in 0..PATIENCE.as_secs() {
        if heard.is_none() {
            provoke();
        }
        while let Ok(Some(message)) = timeout(Duration::from_millis(500), messages.next()).await {
            heard.get_or_insert(message);
        }
        if heard.is_some() {
            break;
        }
    }
    heard.expect("a message arrives")
}

fn account_config() -> RpcAccountInfoConfig {
    RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        commitment: Some(CommitmentConfig::processed()),
        ..RpcAccountInfoConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_subscriber_sees_each_write_and_survives_a_jump_of_the_clock() {
    let localnet = start(Blocks::Manual);
    let (address, owner) = (Pubkey::new_unique(), Pubkey::new_unique());
    let write = |byte: u8| localnet.set_account(address, owner, vec![byte; 3]).unwrap();
    let client = PubsubClient::new(localnet.ws_url()).await.unwrap();
    let (mut updates, _) = client.account_subscribe(&address, Some(account_config())).await.unwrap();
    first(&mut updates, || write(0)).await;

    for byte in 1..4 {
        localnet.clock().jump_to(GENESIS + 1_000_000 * i64::from(byte)).unwrap();
        localnet.clock().produce_block().unwrap();
        write(byte);
        assert_eq!(next(&mut updates).await.value.data.decode().unwrap(), [byte; 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_programs_subscriber_sees_what_its_filters_let_through() {
    let localnet = start(Blocks::Manual);
    let (address, other, program) = (Pubkey::new_unique(), Pubkey::new_unique(), Pubkey::new_unique());
    let filters = vec![RpcFilterType::DataSize(4), RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, &[7]))];
    let config = RpcProgramAccountsConfig {
        filters: Some(filters),
        account_config: account_config(),
        ..RpcProgramAccountsConfig::default()
    };
    let client = PubsubClient::new(localnet.ws_url()).await.unwrap();
    let (mut updates, _) = client.program_subscribe(&program, Some(config)).await.unwrap();
    first(&mut updates, || localnet.set_account(address, program, vec![7, 0, 0, 0]).unwrap()).await;

    localnet.set_account(other, program, vec![8, 0, 0, 0]).unwrap();
    localnet.set_account(other, program, vec![7, 0, 0]).unwrap();
    localnet.set_account(address, program, vec![7, 1, 2, 3]).unwrap();
    let update = next(&mut updates).await.value;
    assert_eq!(update.pubkey, address.to_string());
    assert_eq!(update.account.data.decode().unwrap(), [7, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_told_at_once_and_confirmation_with_the_block() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    let to = Pubkey::new_unique();
    let client = PubsubClient::new(localnet.ws_url()).await.unwrap();
    let (mut logs, _) = client
        .logs_subscribe(
            RpcTransactionLogsFilter::Mentions(vec![to.to_string()]),
            RpcTransactionLogsConfig { commitment: Some(CommitmentConfig::processed()) },
        )
        .await
        .unwrap();
    let mut lamports = 1_000_000_000;
    let mut pay = || {
        lamports += 1;
        let transaction = sign(&rpc, &payer, &[transfer(&payer.pubkey(), &to, lamports)], &[&payer]);
        rpc.send_transaction(&transaction).unwrap()
    };
    first(&mut logs, || _ = pay()).await;

    let signature = pay();
    let told = next(&mut logs).await.value;
    assert_eq!((told.signature, told.err), (signature.to_string(), None));
    assert!(told.logs[0].starts_with("Program 11111111111111111111111111111111 invoke"), "{:?}", told.logs);

    let confirmed = RpcSignatureSubscribeConfig {
        commitment: Some(CommitmentConfig::confirmed()),
        enable_received_notification: Some(false),
    };
    let (mut results, _) = client.signature_subscribe(&signature, Some(confirmed)).await.unwrap();
    let early = timeout(Duration::from_millis(300), results.next()).await;
    assert!(early.is_err(), "it was confirmed without a block");
    localnet.clock().produce_block().unwrap();
    match next(&mut results).await.value {
        RpcSignatureResult::ProcessedSignature(result) => assert!(result.err.is_none()),
        RpcSignatureResult::ReceivedSignature(_) => panic!("only confirmation was asked for"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_are_told_in_order() {
    let localnet = start(Blocks::Manual);
    let client = PubsubClient::new(localnet.ws_url()).await.unwrap();
    let (mut slots, _) = client.slot_subscribe().await.unwrap();
    first(&mut slots, || _ = localnet.clock().produce_block().unwrap()).await;
    for _ in 0..3 {
        let slot = localnet.clock().produce_block().unwrap().slot;
        let told = next(&mut slots).await;
        assert_eq!((told.slot, told.parent, told.root), (slot, slot - 1, slot - 31));
    }
}
