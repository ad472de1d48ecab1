//! The program's events as they happen, from the node's subscription.

use std::{
    mem::ManuallyDrop,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use ballast_client::{
    addresses::PROGRAM_ID,
    events::{Logged, parse_logs},
};
use solana_commitment_config::CommitmentConfig;
use solana_pubsub_client::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::{RpcTransactionLogsConfig, RpcTransactionLogsFilter};

use crate::LocalnetError;

/// A subscription that hands over what successful transactions log, in the background, until it is dropped.
pub struct Listener {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Subscribes.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn start(ws_url: &str, mut sink: impl FnMut(Logged) + Send + 'static) -> Result<Self, LocalnetError> {
        let (subscription, received) = PubsubClient::logs_subscribe(
            ws_url,
            RpcTransactionLogsFilter::Mentions(vec![PROGRAM_ID.to_string()]),
            RpcTransactionLogsConfig { commitment: Some(CommitmentConfig::processed()) },
        )
        .map_err(|error| LocalnetError::Refused {
            action: "tell the program's logs".into(),
            reason: error.to_string(),
        })?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            // Dropping the subscription would wait for one more message, which a stopped network never sends.
            let _never_dropped = ManuallyDrop::new(subscription);
            loop {
                match received.recv_timeout(Duration::from_millis(200)) {
                    Ok(told) if told.value.err.is_none() => sink(parse_logs(&told.value.logs)),
                    Ok(_) => {}
                    Err(_) if stopped.load(Ordering::Relaxed) => return,
                    Err(_) => {}
                }
            }
        });
        Ok(Listener { stop, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has already been printed.
            let _ = thread.join();
        }
    }
}
