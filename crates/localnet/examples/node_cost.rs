//! Measures what the node's answers cost as state and history grow. The figures in `docs/localnet.md` come from here:
//! `cargo run -p ballast-localnet --example node_cost`

use std::{
    fs,
    time::{Duration, Instant},
};

use ballast_localnet::{Blocks, Faucet, Localnet, LocalnetConfig};
use solana_account_decoder::{UiAccountEncoding, UiDataSliceConfig};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::Transaction;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let config = LocalnetConfig { rpc_port: 0, ws_port: 0, blocks: Blocks::Manual, ..LocalnetConfig::default() };
    let started = Instant::now();
    let localnet = Localnet::start(config)?;
    println!("start: {:?}, {} MB resident", started.elapsed(), resident_mb()?);

    let payer = Keypair::new();
    Faucet::connect(localnet.rpc_url())?.airdrop(&payer.pubkey(), 100_000_000_000_000)?;
    localnet.clock().produce_block()?;
    let rpc = localnet.rpc();

    println!("\na transaction that changes one account of so many bytes, sent without preflight (median of 50)");
    for size in [0, 10_000, 1_000_000, 2_000_000] {
        let account = Pubkey::new_unique();
        localnet.set_account(account, Pubkey::new_unique(), vec![0; size])?;
        let cost = median(50, || pay(&rpc, &payer, &account))?;
        println!("{size:9}  {cost:?}");
    }

    println!(
        "\naccounts of 1,000 bytes under one program: writing one, finding all, finding all with 40 bytes of each"
    );
    let program = Pubkey::new_unique();
    let mut accounts = 0;
    for target in [500, 2_000, 10_000] {
        let new = (accounts..target).map(|_| (Pubkey::new_unique(), program, vec![1; 1_000])).collect::<Vec<_>>();
        let (one, started) = (new[0].0, Instant::now());
        localnet.set_accounts(new)?;
        let created = started.elapsed() / (target - accounts);
        accounts = target;
        let write = median(20, || Ok(localnet.set_account(one, program, vec![2; 1_000])?))?;
        let all = median(5, || find(&rpc, &program, 1_000))?;
        let sliced = median(5, || find(&rpc, &program, 40))?;
        println!("{accounts:7}  created at {created:?} each; {write:?}; {all:?}; {sliced:?}");
    }
    println!("{} MB resident", resident_mb()?);

    println!("\ntransactions so far: fees, signatures of the payer (1,000 at most), sending another");
    let mut sent = 200;
    for target in [1_000, 5_000, 10_000, 15_000] {
        while sent < target {
            pay(&rpc, &payer, &Pubkey::new_unique())?;
            sent += 1;
            if sent % 50 == 0 {
                localnet.clock().produce_block()?;
            }
        }
        let fees = median(5, || rpc.get_recent_prioritization_fees(&[]).map_err(Failure::from))?;
        let signatures = median(5, || rpc.get_signatures_for_address(&payer.pubkey()).map_err(Failure::from))?;
        let another = median(20, || pay(&rpc, &payer, &Pubkey::new_unique()))?;
        println!("{target:7}  {fees:?}; {signatures:?}; {another:?}; {} MB resident", resident_mb()?);
    }
    Ok(())
}

/// One transfer, executed when this returns.
fn pay(rpc: &RpcClient, payer: &Keypair, to: &Pubkey) -> Result<(), Failure> {
    // Different every time: the same transaction twice would be refused.
    let lamports = 1_000_000 + u64::from(random_word());
    let blockhash = rpc.get_latest_blockhash()?;
    let instructions = [transfer(&payer.pubkey(), to, lamports)];
    let transaction = Transaction::new_signed_with_payer(&instructions, Some(&payer.pubkey()), &[payer], blockhash);
    let config = RpcSendTransactionConfig { skip_preflight: true, ..RpcSendTransactionConfig::default() };
    rpc.send_transaction_with_config(&transaction, config)?;
    Ok(())
}

fn random_word() -> u32 {
    let bytes = Keypair::new().pubkey().to_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

fn find(rpc: &RpcClient, program: &Pubkey, bytes: usize) -> Result<(), Failure> {
    let slice = UiDataSliceConfig { offset: 0, length: bytes };
    let account_config = RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        data_slice: Some(slice),
        ..RpcAccountInfoConfig::default()
    };
    let config = RpcProgramAccountsConfig { account_config, ..RpcProgramAccountsConfig::default() };
    rpc.get_program_ui_accounts_with_config(program, config)?;
    Ok(())
}

fn median<T>(times: usize, mut work: impl FnMut() -> Result<T, Failure>) -> Result<Duration, Failure> {
    let mut durations = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        work()?;
        durations.push(started.elapsed());
    }
    durations.sort();
    Ok(durations[times / 2])
}

/// Memory that this process holds, in megabytes.
fn resident_mb() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no figure after VmRSS")?.parse()?;
    Ok(kilobytes / 1_024)
}
