//! What is going on, in one line now and then.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use anyhow::Result;
use ballast_client::events::Event;
use ballast_localnet::{Localnet, exchange::Deployment, listener::Listener};

/// The events that are worth counting, with what they are called.
fn counted(event: &Event) -> Option<&'static str> {
    match event {
        Event::Traded(_) => Some("trades"),
        Event::TriggerExecuted(_) => Some("triggers"),
        Event::Liquidated(_) => Some("liquidations"),
        Event::BadDebtCovered(_) => Some("insured"),
        Event::Deleveraged(_) => Some("deleveraged"),
        _ => None,
    }
}

/// Counts since the beginning.
pub struct Tally {
    counts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    _listener: Listener,
}

impl Tally {
    /// Begins to count.
    pub fn start(localnet: &Localnet) -> Result<Self> {
        let counts: Arc<Mutex<BTreeMap<_, u64>>> = Arc::default();
        let sink = Arc::clone(&counts);
        let listener = Listener::start(localnet.ws_url(), move |logged| {
            let mut counts = sink.lock().expect("no holder of the lock panics");
            for name in logged.events.iter().filter_map(counted) {
                *counts.entry(name).or_default() += 1;
            }
        })?;
        Ok(Tally { counts, _listener: listener })
    }

    /// Prices and counts.
    pub fn line(&self, deployment: &Deployment, posted: &[i64]) -> String {
        let prices = deployment.markets.iter().zip(posted);
        let mut parts: Vec<_> =
            prices.map(|(market, price)| format!("{} {:.2}", market.symbol, *price as f64 / 1e8)).collect();
        let counts = self.counts.lock().expect("no holder of the lock panics");
        parts.extend(counts.iter().map(|(name, count)| format!("{name} {count}")));
        parts.join("  ")
    }
}
