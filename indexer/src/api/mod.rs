//! The HTTP and WebSocket interface: `docs/indexer.md` describes it, `/v1/openapi.json` in full.

mod answer;
mod lists;
mod single;
pub mod stream;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use ballast_ops::vitals::{self, Vitals};
use tokio::sync::{Semaphore, broadcast};
use utoipa::OpenApi;

use crate::{board::Board, db::Pool, metrics::Metrics};

use answer::Refused;

/// Longest that a request may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Addresses of markets that are computed: far more than an exchange has.
const MARKETS: u16 = 1_024;

/// What handlers share.
#[derive(Clone)]
pub struct Shared(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pool: Pool,
    pub(crate) board: Arc<Board>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) markets: Markets,
    pub(crate) news: broadcast::Sender<stream::News>,
    /// Requests at once.
    requests: Semaphore,
    /// WebSocket clients at once.
    pub(crate) clients: Arc<Semaphore>,
}

impl Vitals for Inner {
    fn metrics(&self) -> anyhow::Result<String> {
        self.metrics.text()
    }

    fn complaints(&self) -> Vec<String> {
        self.board.complaints()
    }

    fn is_ready(&self) -> bool {
        self.board.is_ready()
    }
}

/// The addresses of an exchange's markets, by index and back.
pub struct Markets {
    addresses: Vec<String>,
    indices: HashMap<String, u16>,
}

impl Markets {
    /// Of an exchange.
    pub fn new(exchange: &solana_pubkey::Pubkey) -> Markets {
        let address = |index| ballast_client::addresses::market(exchange, index).to_string();
        let addresses: Vec<String> = (0..MARKETS).map(address).collect();
        let indices = (0..).zip(&addresses).map(|(index, address)| (address.clone(), index)).collect();
        Markets { addresses, indices }
    }

    /// A market's address; its index, should it be one that no exchange has.
    pub fn address(&self, index: u16) -> String {
        self.addresses.get(usize::from(index)).cloned().unwrap_or_else(|| index.to_string())
    }

    /// The index of the market at an address.
    pub fn index(&self, address: &str) -> Option<u16> {
        self.indices.get(address).copied()
    }
}

/// How much is served at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests; more are told to come back.
    pub requests: usize,
    /// WebSocket clients; more are refused.
    pub clients: usize,
}

impl Shared {
    /// For the tables of one exchange.
    pub fn new(
        pool: Pool,
        board: Arc<Board>,
        metrics: Arc<Metrics>,
        markets: Markets,
        news: broadcast::Sender<stream::News>,
        limits: Limits,
    ) -> Shared {
        let (requests, clients) = (Semaphore::new(limits.requests), Arc::new(Semaphore::new(limits.clients)));
        Shared(Arc::new(Inner { pool, board, metrics, markets, news, requests, clients }))
    }
}

/// The description of the interface.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ballast indexer",
        description = "History of a Ballast exchange. Amounts are decimal strings of integers: atoms of 10^-6 USDC, lots, atoms per lot. \
            Times are unix seconds. Lists are newest first; `limit` and `before` page back; `format=csv` gives the same rows as CSV. \
            Live lines come over the WebSocket at `/v1/stream`: send `{\"subscribe\":\"trades\",\"market\":…}`, \
            `{\"subscribe\":\"candles\",\"market\":…,\"interval\":60}` or `{\"subscribe\":\"account\",\"account\":…}`."
    ),
    paths(
        single::status,
        lists::candles,
        lists::market_trades,
        lists::market_funding,
        lists::market_liquidations,
        lists::market_deleveragings,
        lists::market_stress,
        lists::insurance,
        lists::account_orders,
        lists::account_fills,
        lists::account_realised,
        lists::account_funding,
        lists::account_transfers,
        lists::account_liquidations,
        lists::account_deleveragings,
        lists::account_history,
        single::liquidation,
        single::deleveraging,
        single::openapi,
    ),
    components(schemas(stream::Message, stream::Subscription, crate::items::Refusal))
)]
struct Description;

/// The description of the interface, as committed in `indexer/openapi.json`.
pub fn description() -> String {
    let mut description = Description::openapi();
    // Its licence and version are the package's.
    description.servers = Some(vec![utoipa::openapi::Server::new("http://127.0.0.1:8898")]);
    description.to_pretty_json().map_or_else(|error| error.to_string(), |json| json + "\n")
}

/// All routes.
pub fn router(shared: Shared) -> Router {
    let limited = Router::new()
        .route("/v1/status", get(single::status))
        .route("/v1/markets/{market}/candles", get(lists::candles))
        .route("/v1/markets/{market}/trades", get(lists::market_trades))
        .route("/v1/markets/{market}/funding", get(lists::market_funding))
        .route("/v1/markets/{market}/liquidations", get(lists::market_liquidations))
        .route("/v1/markets/{market}/deleveragings", get(lists::market_deleveragings))
        .route("/v1/markets/{market}/stress", get(lists::market_stress))
        .route("/v1/insurance", get(lists::insurance))
        .route("/v1/accounts/{account}/orders", get(lists::account_orders))
        .route("/v1/accounts/{account}/fills", get(lists::account_fills))
        .route("/v1/accounts/{account}/realised", get(lists::account_realised))
        .route("/v1/accounts/{account}/funding", get(lists::account_funding))
        .route("/v1/accounts/{account}/transfers", get(lists::account_transfers))
        .route("/v1/accounts/{account}/liquidations", get(lists::account_liquidations))
        .route("/v1/accounts/{account}/deleveragings", get(lists::account_deleveragings))
        .route("/v1/accounts/{account}/history", get(lists::account_history))
        .route("/v1/liquidations/{id}", get(single::liquidation))
        .route("/v1/deleveragings/{id}", get(single::deleveraging))
        .route("/v1/openapi.json", get(single::openapi))
        .route_layer(middleware::from_fn_with_state(shared.clone(), bounded));
    limited
        .route("/v1/stream", get(stream::stream))
        .fallback(|| async { Refused::not_found("there is nothing at this path: see /v1/openapi.json") })
        .with_state(shared.clone())
        .merge(vitals::routes(shared.0))
        .layer(middleware::from_fn(open_to_pages))
}

/// Lets so many requests in at once, for so long, and counts them.
async fn bounded(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let metrics = &shared.0.metrics;
    let Ok(_permit) = shared.0.requests.try_acquire() else {
        metrics.requests.with_label_values(&["busy"]).inc();
        return Refused::busy("too many requests at once: try again in a moment").into_response();
    };
    let timer = metrics.request_seconds.start_timer();
    let answered = tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await;
    timer.observe_duration();
    let answer = answered.unwrap_or_else(|_| Refused::busy("the database took too long").into_response());
    let outcome = match answer.status() {
        status if status.is_success() => "ok",
        status if status.is_client_error() => "refused",
        _ => "failed",
    };
    metrics.requests.with_label_values(&[outcome]).inc();
    answer
}

/// Pages of any origin may read: nothing here is secret, and nothing can be changed.
async fn open_to_pages(request: Request, next: Next) -> Response {
    let mut answer = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    answer
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_description_is_current() {
        let committed = include_str!("../../openapi.json");
        assert!(
            super::description() == committed,
            "indexer/openapi.json is not current: cargo run --bin ballast-indexer -- openapi > indexer/openapi.json"
        );
    }
}
