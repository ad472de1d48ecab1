//! Measures how fast the chain's clock can be driven, with prices posted every recorded second and a trader sending
//! transactions meanwhile. The figures in `docs/localnet.md` come from here:
//! `cargo run -p ballast-localnet --example clock_speed`

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ballast_localnet::{
    Blocks, ChainTime, Faucet, Localnet, LocalnetConfig, LocalnetError, Pacer,
    oracle_accounts::{LEGACY_PROGRAM, LegacyStatus, PythPrice, RECEIVER_PROGRAM, Verification},
    prices::PriceTape,
};
use serde_json::json;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::Transaction;

type Failure = Box<dyn std::error::Error>;

/// Wall time that each combination of block length and speed is run for.
const RUN: Duration = Duration::from_secs(8);
const MARKETS: [&str; 4] = ["BTC", "ETH", "SOL", "AVAX"];

fn main() -> Result<(), Failure> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/crash-2025-10-10");
    let tape = PriceTape::load(MARKETS.map(|market| data.join(market).with_extension("csv")))?;

    println!("one block, nothing in it: {:?}", empty_block()?);
    println!("one jump_to: {:?}", jump()?);
    time_travel()?;

    println!(
        "\nslot ms  speed  blocks/s  recorded s  wall s  slipped ms  worst lag ms  CPU %  sent  lost  median ms  p99 ms"
    );
    for (slot_ms, speed) in [(400, 1.0), (400, 10.0), (400, 60.0), (1_000, 60.0), (200, 60.0), (400, 200.0)] {
        replay(&tape, slot_ms, speed)?;
    }
    Ok(())
}

fn start(slot_ms: u64, genesis_time: Option<i64>) -> Result<Localnet, LocalnetError> {
    let config =
        LocalnetConfig { rpc_port: 0, ws_port: 0, blocks: Blocks::Manual, slot_ms, genesis_time, ..Default::default() };
    Localnet::start(config)
}

fn empty_block() -> Result<Duration, Failure> {
    let localnet = start(400, None)?;
    let started = Instant::now();
    for _ in 0..2_000 {
        localnet.clock().produce_block()?;
    }
    Ok(started.elapsed() / 2_000)
}

fn jump() -> Result<Duration, Failure> {
    let localnet = start(400, None)?;
    let started = Instant::now();
    for second in 0..2_000 {
        localnet.clock().jump_to(1_800_000_000 + second)?;
    }
    Ok(started.elapsed() / 2_000)
}

/// What the node's own cheat code does for one second at a time.
fn time_travel() -> Result<(), Failure> {
    let localnet = start(400, Some(1_760_000_000))?;
    let rpc = localnet.rpc();
    let blockhash = rpc.get_latest_blockhash_with_commitment(CommitmentConfig::processed())?.0;
    let before = localnet.clock().now();
    let started = Instant::now();
    let mut survived = 0;
    for second in 1..=300_u64 {
        let target = json!([{ "absoluteTimestamp": (1_760_000_000 + second) * 1_000 }]);
        rpc.send::<serde_json::Value>(RpcRequest::Custom { method: "surfnet_timeTravel" }, target)?;
        if rpc.is_blockhash_valid(&blockhash, CommitmentConfig::processed())? {
            survived = second;
        }
    }
    let after = localnet.clock().now();
    println!(
        "surfnet_timeTravel, one second each: {:?}; 300 of them moved the clock by {} s and the slot by {}; a blockhash \
         survived {survived}",
        started.elapsed() / 300,
        after.unix_s() - before.unix_s(),
        after.slot - before.slot,
    );
    Ok(())
}

fn replay(tape: &PriceTape, slot_ms: u64, speed: f64) -> Result<(), Failure> {
    let first = tape.steepest_window(3, 4_000).ok_or("the tape is too short")?;
    let seconds = (RUN.as_secs_f64() * speed) as i64;
    let localnet = start(slot_ms, Some(first - 1))?;
    let trader = Trader::start(&localnet)?;
    let (cpu, started) = (cpu_seconds()?, Instant::now());
    let first_slot = localnet.clock().now().slot;
    let mut pacer = Pacer::new(localnet.clock().clone(), speed)?;
    let mut worst_lag = Duration::ZERO;
    for second in first..first + seconds {
        let now = pacer.run_until(second)?;
        assert!(now.unix_s() == second, "the clock skipped {second} and shows {}", now.unix_s());
        let due = Duration::from_secs_f64((now.unix_ms as f64 / 1_000.0 - (first - 1) as f64) / speed);
        worst_lag = worst_lag.max(started.elapsed().saturating_sub(due));
        let prices = tape.at(second).ok_or("past the end of the tape")?;
        localnet.set_accounts(oracles(&prices, now))?;
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let blocks = localnet.clock().now().slot - first_slot;
    let Traded { mut latencies, lost } = trader.stop();
    latencies.sort();
    let at =
        |share: f64| latencies.get((latencies.len() as f64 * share) as usize).map_or(0.0, |l| l.as_secs_f64() * 1e3);
    println!(
        "{slot_ms:7}  {speed:5}  {:8.0}  {seconds:10}  {wall:6.2}  {:10.1}  {:12.1}  {:5.0}  {:4}  {lost:4}  {:9.1}  {:6.1}",
        blocks as f64 / wall,
        pacer.slipped().as_secs_f64() * 1e3,
        worst_lag.as_secs_f64() * 1e3,
        100.0 * cpu / wall,
        latencies.len(),
        at(0.5),
        at(0.99),
    );
    localnet.stop()?;
    Ok(())
}

/// Both formats for every market.
fn oracles(prices: &[i64], now: ChainTime) -> Vec<(Pubkey, Pubkey, Vec<u8>)> {
    let account = |market: usize, format: u8| Pubkey::new_from_array([100 + format * 10 + market as u8; 32]);
    prices
        .iter()
        .enumerate()
        .flat_map(|(market, &price)| {
            let conf = u64::try_from(price / 2_000).expect("prices are positive");
            let price = PythPrice::new([market as u8; 32], price, conf, -8, now.unix_s(), now.slot);
            [
                (account(market, 0), RECEIVER_PROGRAM, price.price_update(&Pubkey::default(), Verification::Full)),
                (account(market, 1), LEGACY_PROGRAM, price.legacy_price(&Pubkey::default(), LegacyStatus::Trading)),
            ]
        })
        .collect()
}

/// Sends one transfer after another, each with a blockhash a quarter of a second old, and waits for each to be confirmed.
struct Trader {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Traded>,
}

struct Traded {
    /// From sending to seeing it confirmed.
    latencies: Vec<Duration>,
    /// Refused, or not confirmed within two seconds.
    lost: usize,
}

impl Trader {
    fn start(localnet: &Localnet) -> Result<Self, Failure> {
        let payer = Keypair::new();
        Faucet::connect(localnet.rpc_url())?.airdrop(&payer.pubkey(), 1_000_000_000_000)?;
        let stop = Arc::new(AtomicBool::new(false));
        let rpc = localnet.rpc();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut traded = Traded { latencies: Vec::new(), lost: 0 };
            while !stopped.load(Ordering::Relaxed) {
                match trade(&rpc, &payer) {
                    Some(latency) => traded.latencies.push(latency),
                    // With the run over there are no more blocks to confirm anything.
                    None if stopped.load(Ordering::Relaxed) => {}
                    None => traded.lost += 1,
                }
            }
            traded
        });
        Ok(Self { stop, thread })
    }

    fn stop(self) -> Traded {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the trader does not panic")
    }
}

fn trade(rpc: &RpcClient, payer: &Keypair) -> Option<Duration> {
    let blockhash = rpc.get_latest_blockhash().ok()?;
    thread::sleep(Duration::from_millis(250));
    let pay = transfer(&payer.pubkey(), &Pubkey::new_unique(), 1_000_000);
    let transaction = Transaction::new_signed_with_payer(&[pay], Some(&payer.pubkey()), &[payer], blockhash);
    let sent = Instant::now();
    let signature = rpc.send_transaction(&transaction).ok()?;
    while sent.elapsed() < Duration::from_secs(2) {
        if rpc.confirm_transaction(&signature).ok()? {
            return Some(sent.elapsed());
        }
        thread::sleep(Duration::from_millis(1));
    }
    None
}

/// Processor time that this process has used, from the kernel's count of hundredths of a second.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().ok_or("no process name in /proc/self/stat")?;
    let ticks = |field: usize| after_name.split_whitespace().nth(field).and_then(|field| field.parse::<f64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).ok_or("no times in /proc/self/stat")?;
    Ok((user + system) / 100.0)
}
