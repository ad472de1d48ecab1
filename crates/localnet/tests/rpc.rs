//! What keepers, the indexer and the app ask of a node over JSON-RPC.

mod common;

use ballast_localnet::{Blocks, Faucet, Localnet};
use common::{PATIENCE, eventually, processed, rich_wallet, sign, start};
use solana_account_decoder::{UiAccountEncoding, UiDataSliceConfig};
use solana_address_lookup_table_interface::instruction::{create_lookup_table, extend_lookup_table};
use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::{GetConfirmedSignaturesForAddress2Config, RpcClient};
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig, RpcTransactionConfig},
    filter::{Memcmp, RpcFilterType},
};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status_client_types::UiTransactionEncoding;

/// Three accounts of a made-up program: `[1, 0, ...]` and `[2, 0, ...]` of 100 bytes, `[1, 0, ...]` of 200.
fn program_accounts(localnet: &Localnet) -> (Pubkey, [Pubkey; 3]) {
    let (program, addresses) = (Pubkey::new_unique(), [(); 3].map(|()| Pubkey::new_unique()));
    let data = |kind: u8, length: usize| {
        let mut data = vec![0; length];
        data[0] = kind;
        data
    };
    let accounts = [data(1, 100), data(2, 100), data(1, 200)];
    let accounts = addresses.iter().zip(accounts).map(|(&address, data)| (address, program, data)).collect();
    localnet.set_accounts(accounts).unwrap();
    (program, addresses)
}

#[test]
fn program_accounts_are_filtered_and_sliced() {
    let localnet = start(Blocks::Manual);
    let rpc = processed(&localnet);
    let (program, [one, two, _]) = program_accounts(&localnet);
    let find = |filters: Vec<RpcFilterType>, data_slice: Option<UiDataSliceConfig>| {
        let account_config =
            RpcAccountInfoConfig { encoding: Some(UiAccountEncoding::Base64), data_slice, ..Default::default() };
        let config = RpcProgramAccountsConfig { filters: Some(filters), account_config, ..Default::default() };
        rpc.get_program_ui_accounts_with_config(&program, config).unwrap()
    };
    let size = RpcFilterType::DataSize(100);
    let kind = |kind| RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, &[kind]));

    assert_eq!(find(vec![], None).len(), 3);
    assert_eq!(find(vec![size.clone()], None).len(), 2);
    assert_eq!(find(vec![kind(1)], None).len(), 2);
    let found = find(vec![size.clone(), kind(2)], None);
    assert_eq!(found.iter().map(|(address, _)| *address).collect::<Vec<_>>(), [two]);

    let found = find(vec![size, kind(1)], Some(UiDataSliceConfig { offset: 0, length: 3 }));
    assert_eq!(found[0].0, one);
    assert_eq!(found[0].1.data.decode().unwrap(), [1, 0, 0]);
    assert_eq!(found[0].1.space, Some(100), "the slice does not hide the length");
}

#[test]
fn several_accounts_come_in_one_answer() {
    let localnet = start(Blocks::Manual);
    let (_, [one, two, three]) = program_accounts(&localnet);
    let missing = Pubkey::new_unique();
    let found = processed(&localnet).get_multiple_accounts(&[three, missing, two, one]).unwrap();
    let lengths: Vec<_> = found.iter().map(|account| account.as_ref().map(|account| account.data.len())).collect();
    assert_eq!(lengths, [Some(200), None, Some(100), Some(100)]);
}

#[test]
fn preflight_refuses_what_would_fail_and_says_why() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    let pay = transfer(&payer.pubkey(), &Pubkey::new_unique(), u64::MAX);
    let transaction = sign(&rpc, &payer, &[pay], &[&payer]);

    let simulated = rpc.simulate_transaction(&transaction).unwrap().value;
    assert!(simulated.err.is_some());
    assert!(simulated.logs.unwrap().iter().any(|line| line.contains("insufficient lamports")));
    let refused = rpc.send_transaction(&transaction).unwrap_err().to_string();
    assert!(refused.contains("custom program error: 0x1"), "{refused}");
    assert!(rpc.get_signature_status(&transaction.signatures[0]).unwrap().is_none(), "it was never sent");

    // Without preflight it lands and fails, and pays for that.
    let unchecked = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    let signature = rpc.send_transaction_with_config(&transaction, unchecked).unwrap();
    assert!(rpc.get_signature_status(&signature).unwrap().is_none(), "it is not confirmed yet");
    localnet.clock().produce_block().unwrap();
    assert!(rpc.get_signature_status(&signature).unwrap().expect("it is confirmed").is_err());
}

#[test]
fn a_simulation_tells_the_compute_units_of_a_transaction_that_may_use_all_of_them() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    let instructions = [
        ComputeBudgetInstruction::set_compute_unit_limit(1_400_000),
        ComputeBudgetInstruction::set_compute_unit_price(1_000),
        transfer(&payer.pubkey(), &Pubkey::new_unique(), 1_000_000_000),
    ];
    let transaction = sign(&rpc, &payer, &instructions, &[&payer]);
    assert_eq!(rpc.simulate_transaction(&transaction).unwrap().value.units_consumed, Some(450));
    let before = rpc.get_balance(&payer.pubkey()).unwrap();
    rpc.send_transaction(&transaction).unwrap();
    // 5,000 lamports for the signature, and 1,400,000 units at 1,000 millionths of a lamport.
    assert_eq!(before - rpc.get_balance(&payer.pubkey()).unwrap(), 1_000_000_000 + 5_000 + 1_400);
}

#[test]
fn recent_priority_fees_are_answered() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    let to = Pubkey::new_unique();
    let instructions =
        [ComputeBudgetInstruction::set_compute_unit_price(12_345), transfer(&payer.pubkey(), &to, 1_000_000_000)];
    rpc.send_transaction(&sign(&rpc, &payer, &instructions, &[&payer])).unwrap();
    localnet.clock().produce_block().unwrap();
    let fees = rpc.get_recent_prioritization_fees(&[to]).unwrap();
    assert!(fees.iter().any(|fee| fee.prioritization_fee == 12_345), "{fees:?}");
}

#[test]
fn an_addresss_transactions_come_newest_first_with_logs_and_block_time() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    let to = Pubkey::new_unique();
    let sent: Vec<_> = (1..=3)
        .map(|n| {
            let pay = transfer(&payer.pubkey(), &to, n * 1_000_000_000);
            let signature = rpc.send_transaction(&sign(&rpc, &payer, &[pay], &[&payer])).unwrap();
            localnet.clock().produce_block().unwrap();
            signature.to_string()
        })
        .collect();
    let confirmed = CommitmentConfig::confirmed();
    let page = |before, limit| {
        let config = GetConfirmedSignaturesForAddress2Config {
            before,
            limit: Some(limit),
            commitment: Some(confirmed),
            until: None,
        };
        let page = rpc.get_signatures_for_address_with_config(&to, config).unwrap();
        page.into_iter().map(|entry| entry.signature).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2), [sent[2].clone(), sent[1].clone()]);
    assert_eq!(page(Some(sent[1].parse().unwrap()), 2), [sent[0].clone()]);

    let config = RpcTransactionConfig {
        encoding: Some(UiTransactionEncoding::Json),
        commitment: Some(confirmed),
        max_supported_transaction_version: Some(0),
    };
    let transaction = rpc.get_transaction_with_config(&sent[0].parse().unwrap(), config).unwrap();
    let meta = transaction.transaction.meta.unwrap();
    let logs: Option<Vec<String>> = meta.log_messages.into();
    assert_eq!(logs.unwrap()[0], "Program 11111111111111111111111111111111 invoke [1]");
    let now = localnet.clock().now().unix_s();
    assert!((now - 2..=now).contains(&transaction.block_time.unwrap()), "{:?} at {now}", transaction.block_time);
}

#[test]
fn a_lookup_table_shortens_a_versioned_transaction() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    // A table must name a slot that has passed.
    localnet.clock().produce_block().unwrap();
    let slot = localnet.clock().now().slot - 1;
    let (create, table) = create_lookup_table(payer.pubkey(), payer.pubkey(), slot);
    let addresses: Vec<_> = (0..20).map(|_| Pubkey::new_unique()).collect();
    let extend = extend_lookup_table(table, payer.pubkey(), Some(payer.pubkey()), addresses.clone());
    rpc.send_transaction(&sign(&rpc, &payer, &[create, extend], &[&payer])).unwrap();
    // Its new addresses can be used from the next slot on.
    localnet.clock().produce_block().unwrap();

    let pay: Vec<_> = addresses.iter().map(|to| transfer(&payer.pubkey(), to, 1_000_000_000)).collect();
    let tables = [AddressLookupTableAccount { key: table, addresses: addresses.clone() }];
    let blockhash = rpc.get_latest_blockhash().unwrap();
    let message = v0::Message::try_compile(&payer.pubkey(), &pay, &tables, blockhash).unwrap();
    assert_eq!(message.account_keys.len(), 2, "the payer and the system program");
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&payer]).unwrap();
    assert!(rpc.simulate_transaction(&transaction).unwrap().value.err.is_none());
    rpc.send_transaction(&transaction).unwrap();
    for address in &addresses {
        assert_eq!(rpc.get_balance(address).unwrap(), 1_000_000_000);
    }
}

#[test]
fn a_transaction_is_refused_once_its_blockhash_has_expired() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    // The node counts blocks from 31 until its first block, and from 1 afterwards.
    localnet.clock().produce_block().unwrap();
    let pay = transfer(&payer.pubkey(), &Pubkey::new_unique(), 1_000_000_000);
    let transaction = sign(&rpc, &payer, &[pay], &[&payer]);
    let (_, last_valid) = rpc.get_latest_blockhash_with_commitment(rpc.commitment()).unwrap();
    let mut blocks = 0;
    while rpc.is_blockhash_valid(&transaction.message.recent_blockhash, rpc.commitment()).unwrap() {
        localnet.clock().produce_block().unwrap();
        blocks += 1;
        assert!(blocks <= 200, "a blockhash lives for 150 blocks");
    }
    assert!((148..=152).contains(&blocks), "a blockhash lived for {blocks} blocks");
    let height = rpc.get_block_height().unwrap();
    assert!(height.abs_diff(last_valid) <= 3, "the client was told {last_valid}, and it was {height}");
    let refused = rpc.send_transaction(&transaction).unwrap_err().to_string();
    assert!(refused.contains("Blockhash not found"), "{refused}");
}

#[test]
fn confirmed_readers_do_not_wait_for_finality() {
    let localnet = start(Blocks::Paced { speed: 100.0 });
    let rpc: RpcClient = localnet.rpc();
    let faucet = Faucet::connect(localnet.rpc_url()).unwrap();
    let owner = Keypair::new().pubkey();
    faucet.airdrop(&owner, 1_000_000_000).unwrap();
    let started = std::time::Instant::now();
    eventually("confirmation", || (rpc.get_balance(&owner).unwrap() == 1_000_000_000).then_some(()));
    assert!(started.elapsed() < PATIENCE);
}
