//! What is written down while the replay runs: samples of the markets, and every event of the program.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use ballast_client::{accounts, events::Event};
use ballast_localnet::{Localnet, exchange::Deployment, listener::Listener};
use ballast_units::Side;
use serde::Serialize;

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

/// Collects the program's events in the background.
pub struct Record {
    written: Arc<Mutex<Written>>,
    listener: Listener,
}

#[derive(Default)]
struct Written {
    events: Vec<Event>,
    truncated: u64,
}

impl Record {
    /// Begins.
    pub fn start(ws_url: &str) -> Result<Self> {
        let written = Arc::new(Mutex::new(Written::default()));
        let sink = Arc::clone(&written);
        let listener = Listener::start(ws_url, move |logged| {
            let mut written = sink.lock().expect("no holder of the lock panics");
            written.truncated += u64::from(logged.truncated);
            written.events.extend(logged.events);
        })?;
        Ok(Record { written, listener })
    }

    /// Events so far.
    pub fn count(&self) -> usize {
        self.written.lock().expect("no holder of the lock panics").events.len()
    }

    /// Ends it and returns the events, and how many transactions had their logs cut short.
    pub fn finish(self) -> (Vec<Event>, u64) {
        drop(self.listener);
        let written = std::mem::take(&mut *self.written.lock().expect("no holder of the lock panics"));
        (written.events, written.truncated)
    }
}
