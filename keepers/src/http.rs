//! What a keeper tells over HTTP: `/metrics` for Prometheus, `/health` and `/ready` for whoever restarts it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use ballast_ops::vitals::{self, Vitals};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, monitor::Latest};

/// The engine passes several times a second; so long without is a fault.
const STUCK_AFTER: Duration = Duration::from_secs(15);
/// The node answers about once a second; so long without is a fault.
const DEAF_AFTER: Duration = Duration::from_secs(15);

/// How the keeper is.
pub struct Health {
    started: Instant,
    passed_ms: AtomicU64,
    heard_ms: AtomicU64,
    silent_ms: AtomicU64,
    /// How long subscriptions may be silent.
    silence: Duration,
    /// Whether the subscriptions are in place.
    pub connected: AtomicBool,
    /// Whether the spending cap has stopped it.
    pub capped: AtomicBool,
    /// Whether it can pay for transactions.
    pub broke: AtomicBool,
    /// Whether it is shutting down.
    pub stopping: AtomicBool,
}

impl Health {
    /// Starting now, with subscriptions that may be silent for so long.
    pub fn new(now: Instant, silence: Duration) -> Self {
        Health {
            started: now,
            passed_ms: AtomicU64::new(0),
            heard_ms: AtomicU64::new(0),
            silent_ms: AtomicU64::new(0),
            silence,
            connected: AtomicBool::new(false),
            capped: AtomicBool::new(false),
            broke: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    fn since_start(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// The engine has passed, and last heard something at `heard`; subscriptions have been silent for `silent`.
    pub fn pass(&self, now: Instant, heard: Instant, silent: Duration) {
        self.passed_ms.store(self.since_start(now), Ordering::Relaxed);
        self.heard_ms.store(self.since_start(heard), Ordering::Relaxed);
        self.silent_ms.store(u64::try_from(silent.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What is wrong; nothing of a healthy keeper.
    pub fn complaints(&self, now: Instant) -> Vec<&'static str> {
        let since =
            |at: &AtomicU64| Duration::from_millis(self.since_start(now).saturating_sub(at.load(Ordering::Relaxed)));
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let silent = Duration::from_millis(self.silent_ms.load(Ordering::Relaxed));
        let all = [
            (is(&self.stopping), "shutting down"),
            (since(&self.passed_ms) > STUCK_AFTER, "decisions are stuck"),
            (since(&self.heard_ms) > DEAF_AFTER, "nothing is heard from the node"),
            (!is(&self.connected), "the subscriptions are not in place"),
            (silent > self.silence, "the subscriptions are silent although slots pass"),
            (is(&self.capped), "the spending cap is reached"),
            (is(&self.broke), "the key has too little SOL for a transaction"),
        ];
        all.into_iter().filter(|(wrong, _)| *wrong).map(|(_, complaint)| complaint).collect()
    }

    /// Whether it decides on a current view.
    pub fn is_ready(&self) -> bool {
        self.connected.load(Ordering::Relaxed) && !self.stopping.load(Ordering::Relaxed)
    }
}

/// What is told of a keeper.
struct Told {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

impl Vitals for Told {
    fn metrics(&self) -> Result<String> {
        self.metrics.text()
    }

    fn complaints(&self) -> Vec<String> {
        self.health.complaints(Instant::now()).into_iter().map(str::to_string).collect()
    }

    fn is_ready(&self) -> bool {
        self.health.is_ready()
    }
}

/// Serves until cancelled. Fails at once when the address cannot be listened on.
///
/// # Errors
/// When the address is taken, or not this machine's.
pub async fn serve(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    risk: Latest,
    cancel: CancellationToken,
) -> Result<impl Future<Output = ()>> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("--metrics-addr {address}"))?;
    let bound = listener.local_addr()?;
    tracing::info!(address = %bound, "serving /metrics, /health, /ready and /risk");
    let router = Router::new()
        .route("/risk", get(risks))
        .with_state(risk)
        .merge(vitals::routes(Arc::new(Told { metrics, health })));
    Ok(async move {
        let stopped = cancel.cancelled_owned();
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the HTTP server stopped");
        }
    })
}

async fn risks(State(risk): State<Latest>) -> Response {
    let text = risk.get().and_then(|risk| serde_json::to_string(&*risk).ok());
    match text {
        Some(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        None => {
            let says = "nothing has been computed: this keeper has not the role monitor, or has just begun\n";
            (StatusCode::SERVICE_UNAVAILABLE, says).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_complains_of_what_is_wrong() {
        let start = Instant::now();
        let health = Health::new(start, Duration::from_secs(5));
        assert_eq!(health.complaints(start), ["the subscriptions are not in place"]);
        health.connected.store(true, Ordering::Relaxed);
        health.pass(start + Duration::from_secs(1), start, Duration::from_secs(5));
        assert!(health.complaints(start + Duration::from_secs(15)).is_empty() && health.is_ready());
        assert_eq!(health.complaints(start + Duration::from_millis(15_500)), ["nothing is heard from the node"]);
        assert_eq!(health.complaints(start + Duration::from_secs(60)).len(), 2);
        let later = start + Duration::from_secs(30);
        health.pass(later, later, Duration::from_millis(5_100));
        assert_eq!(health.complaints(later), ["the subscriptions are silent although slots pass"]);
        health.stopping.store(true, Ordering::Relaxed);
        assert!(!health.is_ready());
    }

    #[tokio::test]
    async fn metrics_and_health_are_served() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let (metrics, health) = (Arc::new(Metrics::new().unwrap()), Arc::new(Health::new(Instant::now(), DEAF_AFTER)));
        let cancel = CancellationToken::new();
        let server =
            tokio::spawn(serve(address, metrics, health.clone(), Latest::default(), cancel.clone()).await.unwrap());
        let ask = async |path: &str| {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        assert!(ask("/health").await.starts_with("HTTP/1.1 503"));
        health.connected.store(true, Ordering::Relaxed);
        assert!(ask("/health").await.starts_with("HTTP/1.1 200"));
        assert!(ask("/ready").await.contains("ready"));
        assert!(ask("/metrics").await.contains("ballast_keeper_accounts{stage=\"healthy\"} 0"));
        assert!(ask("/risk").await.starts_with("HTTP/1.1 503"));
        assert!(ask("/other").await.starts_with("HTTP/1.1 404"));
        cancel.cancel();
        server.await.unwrap();
    }
}
