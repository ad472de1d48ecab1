//! How the indexer is, for whoever asks over HTTP.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ballast_client::addresses::PROGRAM_ID;
use solana_pubkey::Pubkey;

use crate::{items::Status, read::Progress};

/// A node that has not answered for so long is a fault.
const DEAF_AFTER: Duration = Duration::from_secs(30);

/// What is known of the indexer's state beside its tables.
pub struct Board {
    /// The exchange that is indexed.
    pub exchange: Pubkey,
    chain_slot: AtomicU64,
    caught_up: AtomicBool,
    stopping: AtomicBool,
    heard: Mutex<Instant>,
    trouble: Mutex<Option<String>>,
}

impl Board {
    /// Nothing heard yet.
    pub fn new(exchange: Pubkey) -> Board {
        Board {
            exchange,
            chain_slot: AtomicU64::new(0),
            caught_up: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            heard: Mutex::new(Instant::now()),
            trouble: Mutex::new(None),
        }
    }

    /// The node has answered, and has this slot.
    pub fn hear(&self, slot: u64) {
        self.chain_slot.fetch_max(slot, Ordering::Relaxed);
        *self.heard.lock().expect("nothing panics while it holds this") = Instant::now();
    }

    /// The newest slot heard of.
    pub fn chain_slot(&self) -> u64 {
        self.chain_slot.load(Ordering::Relaxed)
    }

    /// A pass ended: with everything in the tables, or in trouble.
    pub fn pass(&self, trouble: Option<String>) {
        self.caught_up.store(trouble.is_none(), Ordering::Relaxed);
        *self.trouble.lock().expect("nothing panics while it holds this") = trouble;
    }

    /// The indexer stops.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Whether everything that the node has was in the tables after the last pass.
    pub fn is_ready(&self) -> bool {
        self.caught_up.load(Ordering::Relaxed) && !self.is_stopping()
    }

    /// What is wrong; nothing of a healthy indexer.
    pub fn complaints(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.is_stopping() {
            all.push("shutting down".to_string());
        }
        let heard = *self.heard.lock().expect("nothing panics while it holds this");
        if heard.elapsed() > DEAF_AFTER {
            all.push("nothing is heard from the node".to_string());
        }
        all.extend(self.trouble.lock().expect("nothing panics while it holds this").clone());
        all
    }

    /// For `/v1/status`.
    pub fn status(&self, progress: &Progress) -> Status {
        Status {
            program: PROGRAM_ID.to_string(),
            exchange: self.exchange.to_string(),
            slot: progress.slot,
            finalized_slot: progress.final_slot,
            chain_slot: self.chain_slot().max(progress.slot),
            events: progress.events,
            backfilled_to: progress.oldest,
            complete: progress.complete,
            caught_up: self.is_ready(),
            unknown: progress.unknown,
        }
    }
}
