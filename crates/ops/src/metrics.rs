//! Metrics in Prometheus' text format.

use std::sync::Mutex;

use anyhow::Result;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder, core::Collector,
};

/// The metrics of a process. It remembers what was registered: a metric without a sample does not show in the text.
pub struct Register {
    prefix: String,
    registry: Registry,
    names: Mutex<Vec<String>>,
}

impl Register {
    /// Of names that all begin with the prefix and an underscore.
    ///
    /// # Errors
    /// When the prefix is empty.
    pub fn new(prefix: &str) -> Result<Register> {
        let registry = Registry::new_custom(Some(prefix.to_string()), None)?;
        Ok(Register { prefix: prefix.to_string(), registry, names: Mutex::default() })
    }

    /// Registers a metric.
    fn add<C: Collector + Clone + 'static>(&self, metric: prometheus::Result<C>) -> Result<C> {
        let metric = metric?;
        self.registry.register(Box::new(metric.clone()))?;
        let names =
            metric.desc().into_iter().map(|desc| format!("{}_{}", self.prefix, desc.fq_name)).collect::<Vec<_>>();
        self.names.lock().expect("nothing panics while it holds this").extend(names);
        Ok(metric)
    }

    /// The names of all metrics, whether they have a sample yet or not.
    pub fn names(&self) -> Vec<String> {
        self.names.lock().expect("nothing panics while it holds this").clone()
    }

    /// The exposition text.
    ///
    /// # Errors
    /// Never, unless a metric is malformed.
    pub fn text(&self) -> Result<String> {
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut buffer)?;
        Ok(String::from_utf8(buffer)?)
    }
}

/// Declares a way to register one kind of metric; all fail when the name is taken or no name.
macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident($($argument:ident: $type:ty),*) -> $kind:ty = $made:expr;)*) => {
        impl Register {
            $($(#[$meta])*
            ///
            /// # Errors
            /// When the name is taken, or is none.
            pub fn $name(&self, name: &str, help: &str, $($argument: $type),*) -> Result<$kind> {
                let made: fn(&str, &str, $($type),*) -> prometheus::Result<$kind> = $made;
                self.add(made(name, help, $($argument),*))
            })*
        }
    };
}

kinds! {
    /// A count that only grows.
    counter() -> IntCounter = |name, help| IntCounter::new(name, help);
    /// Such counts by labels.
    counters(labels: &[&str]) -> IntCounterVec = |name, help, labels| IntCounterVec::new(Opts::new(name, help), labels);
    /// A whole number that goes up and down.
    gauge() -> IntGauge = |name, help| IntGauge::new(name, help);
    /// Such numbers by labels.
    gauges(labels: &[&str]) -> IntGaugeVec = |name, help, labels| IntGaugeVec::new(Opts::new(name, help), labels);
    /// A number with a fraction, or beyond 64 bits.
    real() -> Gauge = |name, help| Gauge::new(name, help);
    /// Such numbers by labels.
    reals(labels: &[&str]) -> GaugeVec = |name, help, labels| GaugeVec::new(Opts::new(name, help), labels);
    /// How often what was observed lay below each bound.
    histogram(bounds: &[f64]) -> Histogram =
        |name, help, bounds| Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec()));
    /// The same by labels.
    histograms(bounds: &[f64], labels: &[&str]) -> HistogramVec =
        |name, help, bounds, labels| HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), labels);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_registered_is_named_before_it_is_counted() {
        let register = Register::new("ballast_test").unwrap();
        let counts = register.counters("things_total", "Things", &["kind"]).unwrap();
        assert!(register.counter("things_total", "Other things").is_err());
        assert_eq!(register.names(), ["ballast_test_things_total"]);
        assert_eq!(register.text().unwrap(), "");
        counts.with_label_values(&["odd"]).inc();
        assert!(register.text().unwrap().contains("ballast_test_things_total{kind=\"odd\"} 1"));
    }
}
