//! The node itself: ports, clock, faucet, accounts written by cheat code.

mod common;

use std::{net::TcpListener, time::Instant};

use anchor_lang::AccountDeserialize;
use ballast_localnet::{
    Blocks, Faucet, Localnet, LocalnetConfig, LocalnetError, Pacer, ProgramFile,
    bulk::{Bulk, Job},
    oracle_accounts::{
        LEGACY_PROGRAM, LegacyStatus, PUSH_ORACLE_PROGRAM, PythPrice, RECEIVER_PROGRAM, Verification,
        price_feed_address,
    },
};
use common::{GENESIS, PATIENCE, eventually, processed, rich_wallet, sign, start};
use pyth_sdk_solana::state::{SolanaPriceAccount, load_price_account};
use pyth_solana_receiver_sdk::price_update::PriceUpdateV2;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_system_interface::instruction::{create_account, transfer};
use spl_token_interface::state::{Account as TokenAccount, Mint};

/// The Clock as programs see it: slot and unix seconds.
fn clock_sysvar(rpc: &RpcClient) -> (u64, i64) {
    let address = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
    let data = rpc.get_account_data(&address).expect("every node has a clock");
    let word = |offset: usize| data[offset..offset + 8].try_into().expect("eight bytes");
    (u64::from_le_bytes(word(0)), i64::from_le_bytes(word(32)))
}

#[test]
fn stopping_frees_both_ports() {
    let localnet = start(Blocks::Manual);
    let port = |url: &str| url.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let ports = [port(localnet.rpc_url()), port(localnet.ws_url())];
    for port in ports {
        assert!(TcpListener::bind(("127.0.0.1", port)).is_err(), "{port} is in use");
    }
    localnet.stop().unwrap();
    for port in ports {
        eventually("freeing the port", || TcpListener::bind(("127.0.0.1", port)).ok());
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let rpc_port = taken.local_addr().unwrap().port();
    let config = LocalnetConfig { rpc_port, ws_port: 0, ..LocalnetConfig::default() };
    let error = Localnet::start(config).err().expect("the port is taken").to_string();
    assert!(error.starts_with(&format!("cannot listen on 127.0.0.1:{rpc_port}: ")), "{error}");
}

#[test]
fn the_same_instructions_may_be_sent_twice_in_one_block() {
    let localnet = start(Blocks::Manual);
    let (wallet, friend) = (rich_wallet(&localnet), Pubkey::new_unique());
    let give = || Job {
        what: "give".to_owned(),
        instructions: vec![transfer(&wallet.pubkey(), &friend, 1_000_000_000)],
        signers: vec![&wallet],
    };
    Bulk::new(localnet.rpc_url(), localnet.clock().clone()).run_all(&[give(), give()]).unwrap();
    assert_eq!(processed(&localnet).get_balance(&friend).unwrap(), 2_000_000_000);
}

#[test]
fn a_node_can_be_started_again_on_its_ports() {
    let first = start(Blocks::Manual);
    let port = |url: &str| url.rsplit(':').next().unwrap().parse().unwrap();
    let (rpc_port, ws_port) = (port(first.rpc_url()), port(first.ws_url()));
    first.stop().unwrap();
    let config = LocalnetConfig { rpc_port, ws_port, blocks: Blocks::Manual, ..LocalnetConfig::default() };
    let second = eventually("starting again", || Localnet::start(config.clone()).ok());
    assert!(second.rpc().get_health().is_ok());
}

#[test]
fn the_faucet_pays_sol_and_dollars() {
    let localnet = start(Blocks::Manual);
    let faucet = Faucet::connect(localnet.rpc_url()).unwrap();
    let rpc = processed(&localnet);
    let owner = Pubkey::new_unique();

    // Twice the same amount in the same block, which the node must not take for one payment.
    for _ in 0..2 {
        faucet.airdrop(&owner, 3_000_000_000).unwrap();
        faucet.mint_to(&owner, 1_500_000).unwrap();
    }
    assert_eq!(rpc.get_balance(&owner).unwrap(), 6_000_000_000);
    let account = faucet.mint_to(&owner, 7).unwrap();
    let token = TokenAccount::unpack(&rpc.get_account_data(&account).unwrap()).unwrap();
    assert_eq!((token.mint, token.owner, token.amount), (faucet.mint(), owner, 3_000_007));
    let mint = Mint::unpack(&rpc.get_account_data(&faucet.mint()).unwrap()).unwrap();
    assert_eq!((mint.decimals, mint.supply), (6, 3_000_007));
    assert!(mint.mint_authority.contains(&faucet.mint_authority().pubkey()));
}

#[test]
fn a_second_faucet_finds_the_same_token() {
    let localnet = start(Blocks::Manual);
    let first = Faucet::connect(localnet.rpc_url()).unwrap();
    let second = Faucet::connect(localnet.rpc_url()).unwrap();
    assert_eq!(first.mint(), second.mint());
    second.mint_to(&Pubkey::new_unique(), 1).unwrap();
}

#[test]
fn a_transaction_creates_an_account_of_two_megabytes() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer, account) = (processed(&localnet), rich_wallet(&localnet), Keypair::new());
    const SIZE: usize = 2 << 20;
    let rent = rpc.get_minimum_balance_for_rent_exemption(SIZE).unwrap();
    let owner = Pubkey::new_unique();
    let create = create_account(&payer.pubkey(), &account.pubkey(), rent, SIZE as u64, &owner);
    rpc.send_transaction(&sign(&rpc, &payer, &[create], &[&payer, &account])).unwrap();

    let created = rpc.get_account(&account.pubkey()).unwrap();
    assert_eq!((created.data.len(), created.owner, created.lamports), (SIZE, owner, rent));
}

#[test]
fn both_oracle_formats_read_back_through_their_sdks() {
    let localnet = start(Blocks::Manual);
    let rpc = processed(&localnet);
    let price = PythPrice::new([0xef; 32], 20_529_800_000, 10_000_000, -8, GENESIS, 31);
    let update = price_feed_address(&PUSH_ORACLE_PROGRAM, 0, &price.feed_id);
    let legacy = Pubkey::new_unique();
    localnet
        .set_accounts(vec![
            (update, RECEIVER_PROGRAM, price.price_update(&Pubkey::default(), Verification::Full)),
            (legacy, LEGACY_PROGRAM, price.legacy_price(&Pubkey::default(), LegacyStatus::Trading)),
        ])
        .unwrap();

    let account = rpc.get_account(&update).unwrap();
    assert_eq!(account.owner, RECEIVER_PROGRAM);
    let read = PriceUpdateV2::try_deserialize(&mut account.data.as_slice()).unwrap();
    assert_eq!((read.price_message.price, read.price_message.publish_time), (price.price, GENESIS));

    let account = rpc.get_account(&legacy).unwrap();
    assert_eq!(account.owner, LEGACY_PROGRAM);
    let words: Vec<u64> =
        account.data.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect();
    let read: &SolanaPriceAccount = load_price_account(bytemuck::cast_slice(&words)).unwrap();
    assert_eq!((read.agg.price, read.timestamp), (price.price, GENESIS));
}

#[test]
fn a_block_moves_the_clock_by_one_slot() {
    let localnet = start(Blocks::Manual);
    let rpc = processed(&localnet);
    let genesis = localnet.clock().now();
    assert_eq!((genesis.unix_s(), clock_sysvar(&rpc).1), (GENESIS, GENESIS));
    for blocks in 1..=5 {
        let now = localnet.clock().produce_block().unwrap();
        assert_eq!((now.slot, now.unix_ms), (genesis.slot + blocks, genesis.unix_ms + blocks * 400));
        assert_eq!(clock_sysvar(&rpc), (now.slot, now.unix_s()));
    }
    assert_eq!(localnet.clock().now().unix_s(), GENESIS + 2);
}

#[test]
fn the_clock_jumps_without_touching_slots_or_blockhashes() {
    let localnet = start(Blocks::Manual);
    let rpc = processed(&localnet);
    let blockhash = rpc.get_latest_blockhash().unwrap();
    let slot = localnet.clock().now().slot;
    for target in [GENESIS + 86_400, GENESIS - 86_400] {
        localnet.clock().jump_to(target).unwrap();
        assert_eq!(clock_sysvar(&rpc), (slot, target));
        assert!(rpc.is_blockhash_valid(&blockhash, rpc.commitment()).unwrap());
    }
    assert_eq!(localnet.clock().produce_block().unwrap().unix_ms, (GENESIS as u64 - 86_400) * 1_000 + 400);
    assert!(matches!(localnet.clock().jump_to(-1), Err(LocalnetError::TimeBeforeEpoch(-1))));
}

#[test]
fn a_pacer_stops_at_every_second_it_is_asked_for() {
    let localnet = start(Blocks::Manual);
    let mut pacer = Pacer::new(localnet.clock().clone(), 50.0).unwrap();
    for second in GENESIS + 1..GENESIS + 30 {
        assert_eq!(pacer.run_until(second).unwrap().unix_s(), second);
    }
    // In the past already, so nothing happens.
    assert_eq!(pacer.run_until(GENESIS).unwrap(), localnet.clock().now());
}

#[test]
fn a_paced_node_runs_by_itself_and_can_be_halted() {
    let mut localnet = start(Blocks::Paced { speed: 100.0 });
    let clock = localnet.clock().clone();
    eventually("ten chain seconds", || (clock.now().unix_s() >= GENESIS + 10).then_some(()));
    localnet.set_blocks(Blocks::Manual).unwrap();
    let halted = clock.now();
    assert_eq!(clock.produce_block().unwrap().slot, halted.slot + 1);
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(localnet.set_blocks(Blocks::Paced { speed }), Err(LocalnetError::Speed(_))));
    }
}

#[test]
fn with_a_block_per_transaction_time_stands_still_and_all_is_final_at_once() {
    let localnet = start(Blocks::OnTransaction);
    let rpc = localnet.rpc();
    let faucet = Faucet::connect(localnet.rpc_url()).unwrap();
    let owner = Pubkey::new_unique();
    faucet.airdrop(&owner, 1_000_000_000).unwrap();
    eventually("finality", || (rpc.get_balance(&owner).unwrap() == 1_000_000_000).then_some(()));
    assert_eq!(localnet.clock().now().unix_s(), GENESIS);
    let started = Instant::now();
    localnet.clock().jump_to(GENESIS + 3_600).unwrap();
    assert_eq!(clock_sysvar(&processed(&localnet)).1, GENESIS + 3_600);
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn a_deployed_program_runs_in_the_next_transaction() {
    let localnet = start(Blocks::Manual);
    let (rpc, payer) = (processed(&localnet), rich_wallet(&localnet));
    // The memo program, which every node has, at an address where no node has it.
    let memo = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
    let code = rpc.get_account_data(&memo).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), code).unwrap();
    let id = Pubkey::new_unique();
    localnet.deploy(&ProgramFile { id, path: file.path().into(), upgrade_authority: Some(payer.pubkey()) }).unwrap();

    let instruction = Instruction { program_id: id, accounts: vec![], data: b"hello".to_vec() };
    let transaction = sign(&rpc, &payer, &[instruction], &[&payer]);
    rpc.send_transaction(&transaction).unwrap();
    let simulated = rpc.simulate_transaction(&transaction).unwrap().value;
    let logs = simulated.logs.unwrap_or_default().join(" ");
    assert!(logs.contains(&format!("Program {id} invoke")), "{logs}");
}

#[test]
fn a_program_file_that_is_missing_or_no_program_is_refused() {
    let localnet = start(Blocks::Manual);
    let id = Pubkey::new_unique();
    let missing = ProgramFile { id, path: "no/such.so".into(), upgrade_authority: None };
    let error = localnet.deploy(&missing).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the program file no/such.so: "), "{error}");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"not a program").unwrap();
    let error = localnet.deploy(&ProgramFile { id, path: file.path().into(), upgrade_authority: None }).unwrap_err();
    assert!(error.to_string().starts_with(&format!("the node refused to deploy program {id}: ")), "{error}");
}
