//! What a process tells over HTTP of itself: `/metrics` for Prometheus, `/health` and `/ready` for whoever restarts it or sends
//! it requests.

use std::sync::Arc;

use anyhow::Result;
use axum::{Router, http::StatusCode, routing::get};

/// How a process is.
pub trait Vitals: Send + Sync + 'static {
    /// Its metrics in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric is malformed.
    fn metrics(&self) -> Result<String>;
    /// What is wrong, in words that anybody may read; nothing of a healthy process.
    fn complaints(&self) -> Vec<String>;
    /// Whether it does its work on a current view.
    fn is_ready(&self) -> bool;
}

/// The three routes: 200 while all is well, 503 while it is not.
pub fn routes(of: Arc<impl Vitals>) -> Router {
    let (counted, ready) = (of.clone(), of.clone());
    let metrics = async move || match counted.metrics() {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    let health = async move || match of.complaints() {
        none if none.is_empty() => (StatusCode::OK, "ok\n".to_string()),
        complaints => (StatusCode::SERVICE_UNAVAILABLE, complaints.join("\n") + "\n"),
    };
    let ready = async move || match ready.is_ready() {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    };
    Router::new().route("/metrics", get(metrics)).route("/health", get(health)).route("/ready", get(ready))
}
