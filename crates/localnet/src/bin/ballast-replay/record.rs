//! What is written down while the replay runs: samples of the markets, and every event of the program.

use std::{
    mem::ManuallyDrop,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use ballast_client::{
    accounts,
    addresses::PROGRAM_ID,
    events::{Event, parse_logs},
};
use ballast_localnet::{Localnet, exchange::Deployment};
use ballast_units::Side;
use serde::Serialize;
use solana_commitment_config::CommitmentConfig;
use solana_pubsub_client::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::{RpcTransactionLogsConfig, RpcTransactionLogsFilter};

/// One market at one second.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// Recorded second.
    pub unix_s: i64,
    /// Recorded price in dollars.
    pub price_usd: f64,
    /// Mark in atoms per lot.
    pub mark: u64,
    /// Open interest of the longs, in lots, fills that wait in seats not counted.
    pub open_interest: u64,
    /// Lots deleveraged so far.
    pub deleveraged_lots: u64,
    /// Value liquidated so far, in atoms.
    pub liquidated_quote: u64,
    /// Drawn from insurance so far, in atoms.
    pub insurance_drawn: u64,
}

/// Reads a market out of the node.
pub fn sample(localnet: &Localnet, deployment: &Deployment, market: usize, unix_s: i64, price: i64) -> Result<Sample> {
    let keys = &deployment.markets[market].keys;
    let account = |key| localnet.account(key).with_context(|| format!("account {key} is gone"));
    let state = accounts::market(&account(&keys.market)?.data)?;
    let slab = accounts::Slab::new(&account(&keys.ranks)?.data)?;
    let ranks = slab.ranks()?;
    Ok(Sample {
        unix_s,
        price_usd: price as f64 / 1e8,
        mark: state.mark().0,
        open_interest: ranks.open_interest(Side::Long).0,
        deleveraged_lots: state.deleveraged_lots,
        liquidated_quote: state.liquidated_quote,
        insurance_drawn: state.insurance_drawn,
    })
}

/// Collects the program's events from the node's subscription in the background.
pub struct Listener {
    events: Arc<Mutex<Vec<Event>>>,
    truncated: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Subscribes.
    pub fn start(ws_url: &str) -> Result<Self> {
        let (subscription, received) = PubsubClient::logs_subscribe(
            ws_url,
            RpcTransactionLogsFilter::Mentions(vec![PROGRAM_ID.to_string()]),
            RpcTransactionLogsConfig { commitment: Some(CommitmentConfig::processed()) },
        )
        .map_err(|error| anyhow!("subscribe to the program's logs: {error}"))?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let truncated = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (sink, cut, stopped) = (Arc::clone(&events), Arc::clone(&truncated), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            // Dropping the subscription would wait for one more message, which a stopped network never sends.
            let _never_dropped = ManuallyDrop::new(subscription);
            loop {
                match received.recv_timeout(Duration::from_millis(200)) {
                    Ok(told) if told.value.err.is_none() => {
                        let logged = parse_logs(&told.value.logs);
                        cut.fetch_add(u64::from(logged.truncated), Ordering::Relaxed);
                        sink.lock().expect("no holder of the lock panics").extend(logged.events);
                    }
                    Ok(_) => {}
                    Err(_) if stopped.load(Ordering::Relaxed) => return,
                    Err(_) => {}
                }
            }
        });
        Ok(Listener { events, truncated, stop, thread: Some(thread) })
    }

    /// Events so far.
    pub fn count(&self) -> usize {
        self.events.lock().expect("no holder of the lock panics").len()
    }

    /// Ends the subscription and returns the events, and how many transactions had their logs cut short.
    pub fn finish(mut self) -> (Vec<Event>, u64) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has already been printed.
            let _ = thread.join();
        }
        let events = std::mem::take(&mut *self.events.lock().expect("no holder of the lock panics"));
        (events, self.truncated.load(Ordering::Relaxed))
    }
}
