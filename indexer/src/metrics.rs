//! What Prometheus is told.

use anyhow::Result;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
    core::Collector,
};

/// Seconds that a request took.
const REQUEST_BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// All metrics of an indexer.
pub struct Metrics {
    registry: Registry,
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

fn add<C: Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<C>) -> Result<C> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Never, unless two metrics have one name.
    pub fn new() -> Result<Metrics> {
        let registry = Registry::new_custom(Some("ballast_indexer".to_string()), None)?;
        let r = &registry;
        let counter = |name: &str, help: &str| add(r, IntCounter::new(name, help));
        let gauge = |name: &str, help: &str| add(r, IntGauge::new(name, help));
        let seconds =
            HistogramOpts::new("request_seconds", "Seconds that requests took").buckets(REQUEST_BUCKETS.to_vec());
        let metrics = Metrics {
            events: counter("events_total", "Events written")?,
            transactions: counter("transactions_total", "Transactions written")?,
            unknown: counter("unknown_total", "Events that cannot be decoded")?,
            rollbacks: counter("rollbacks_total", "Rollbacks of slots that were not final")?,
            failures: counter("failures_total", "Passes that failed")?,
            slot: gauge("slot", "Newest slot that is completely in the tables")?,
            final_slot: gauge("final_slot", "Newest slot that is in the tables for good")?,
            chain_slot: gauge("chain_slot", "The cluster's newest confirmed slot")?,
            caught_up: gauge("caught_up", "1 while everything that the node has is in the tables")?,
            requests: add(r, IntCounterVec::new(Opts::new("requests_total", "Requests"), &["outcome"]))?,
            request_seconds: add(r, Histogram::with_opts(seconds))?,
            clients: gauge("clients", "WebSocket clients")?,
            cut_off: counter("clients_cut_off_total", "WebSocket clients cut off for being slow")?,
            registry,
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
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8(text)?)
    }
}
