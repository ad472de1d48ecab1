//! What Prometheus is told.

use anyhow::Result;
use ballast_ops::metrics::Register;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge};

/// Seconds that a request took.
const REQUEST_BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// All metrics of an indexer.
pub struct Metrics {
    register: Register,
    /// Events written.
    pub events: IntCounter,
    /// Transactions written.
    pub transactions: IntCounter,
    /// Events that cannot be decoded.
    pub unknown: IntCounter,
    /// Rollbacks of unfinalised slots.
    pub rollbacks: IntCounter,
    /// Passes that failed.
    pub failures: IntCounter,
    /// Newest slot that is completely in the tables.
    pub slot: IntGauge,
    /// Newest slot that is so for good.
    pub final_slot: IntGauge,
    /// The cluster's newest confirmed slot.
    pub chain_slot: IntGauge,
    /// Whether everything that the node has is in the tables.
    pub caught_up: IntGauge,
    /// Requests, by outcome.
    pub requests: IntCounterVec,
    /// Seconds that they took.
    pub request_seconds: Histogram,
    /// WebSocket clients.
    pub clients: IntGauge,
    /// WebSocket clients that were cut off for being slow.
    pub cut_off: IntCounter,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Never, unless two metrics have one name.
    pub fn new() -> Result<Metrics> {
        let register = Register::new("ballast_indexer")?;
        let r = &register;
        let metrics = Metrics {
            events: r.counter("events_total", "Events written")?,
            transactions: r.counter("transactions_total", "Transactions written")?,
            unknown: r.counter("unknown_total", "Events that cannot be decoded")?,
            rollbacks: r.counter("rollbacks_total", "Rollbacks of slots that were not final")?,
            failures: r.counter("failures_total", "Passes that failed")?,
            slot: r.gauge("slot", "Newest slot that is completely in the tables")?,
            final_slot: r.gauge("final_slot", "Newest slot that is in the tables for good")?,
            chain_slot: r.gauge("chain_slot", "The cluster's newest confirmed slot")?,
            caught_up: r.gauge("caught_up", "1 while everything that the node has is in the tables")?,
            requests: r.counters("requests_total", "Requests", &["outcome"])?,
            request_seconds: r.histogram("request_seconds", "Seconds that requests took", &REQUEST_BUCKETS)?,
            clients: r.gauge("clients", "WebSocket clients")?,
            cut_off: r.counter("clients_cut_off_total", "WebSocket clients cut off for being slow")?,
            register,
        };
        for outcome in ["ok", "refused", "failed", "busy"] {
            metrics.requests.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    /// In Prometheus' text format.
    ///
    /// # Errors
    /// When a metric cannot be written.
    pub fn text(&self) -> Result<String> {
        self.register.text()
    }
}
