//! Lists: of a market, of an account, of insurance.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use solana_pubkey::Pubkey;
use utoipa::{IntoParams, IntoResponses};

use super::{
    Shared,
    answer::{Refused, csv, json},
};
use crate::{
    candles::INTERVALS,
    items::{
        Candle, Deleveraging, DeleveragingLine, Fill, FundingHour, FundingPayment, HistoryLine, Insurance, Items,
        Liquidation, OrderLine, Position, Refusal, Stress, Trade, Transfer,
    },
    position::Id,
    read,
};

/// Items in an answer when nothing was said.
const DEFAULT_LIMIT: u32 = 100;
/// Most items in an answer.
const MAX_LIMIT: u32 = 1_000;
/// Columns that a CSV file begins with.
const HEAD: [&str; 4] = ["id", "time", "slot", "signature"];

/// What is answered to a request that is wrong.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "only describes what is answered")]
pub(super) enum Wrong {
    /// The request is wrong.
    #[response(status = 400)]
    Bad(Refusal),
    /// There is no such thing.
    #[response(status = 404)]
    Missing(Refusal),
    /// Too many requests at once.
    #[response(status = 503)]
    Busy(Refusal),
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// A JSON array.
    #[default]
    Json,
    /// A header line and one line a row.
    Csv,
}

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// At most so many items: 100 when not said, at most 1,000.
    limit: Option<u32>,
    /// Only items older than the one with this id.
    before: Option<String>,
    /// `json` or `csv`.
    #[param(inline)]
    format: Option<Format>,
}

/// Which candles.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// Seconds a candle: 60, 300, 900, 3600, 14400 or 86400.
    interval: i64,
    /// Only candles that begin at this unix time or later.
    from: Option<i64>,
    /// Only candles that begin before this unix time.
    to: Option<i64>,
    /// At most so many, the newest of the span: 100 when not said, at most 1,000.
    limit: Option<u32>,
    /// `json` or `csv`.
    #[param(inline)]
    format: Option<Format>,
}

pub(super) fn limit(said: Option<u32>) -> Result<i64, Refused> {
    match said.unwrap_or(DEFAULT_LIMIT) {
        0 => Err(Refused::bad("limit is at least 1")),
        limit if limit > MAX_LIMIT => Err(Refused::bad(format!("limit is at most {MAX_LIMIT}"))),
        limit => Ok(limit.into()),
    }
}

impl Page {
    fn before(&self) -> Result<Option<Id>, Refused> {
        self.before.as_deref().map(str::parse).transpose().map_err(|error| Refused::bad(format!("before: {error}")))
    }
}

/// The words of a query that cannot be read.
pub(super) fn query<T>(said: Result<Query<T>, QueryRejection>) -> Result<T, Refused> {
    said.map(|Query(said)| said).map_err(|error| Refused::bad(error.body_text()))
}

fn market_index(shared: &Shared, market: &str) -> Result<u16, Refused> {
    let unknown = || Refused::not_found(format!("{market} is no market of this exchange"));
    shared.0.markets.index(market).ok_or_else(unknown)
}

fn account_address(account: &str) -> Result<String, Refused> {
    let bad = |_| Refused::bad(format!("{account:?} is no address"));
    account.parse::<Pubkey>().map(|key| key.to_string()).map_err(bad)
}

fn written(rows: Vec<Map<String, Value>>, format: Option<Format>, first: &[&str]) -> Response {
    match format.unwrap_or_default() {
        Format::Json => json(&rows),
        Format::Csv => csv(&rows, first),
    }
}

/// A part of one of the lists of `subject`; all of them with `None`.
async fn entries(
    shared: Shared,
    subject: String,
    list: Option<&'static str>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refused> {
    let page = query(page)?;
    let (limit, before) = (limit(page.limit)?, page.before()?);
    let rows = shared.0.pool.run(move |db| read::entries(db, &subject, list, before, limit)).await?;
    Ok(written(rows, page.format, &HEAD))
}

/// Declares the handler of a market's or an account's list.
macro_rules! list {
    ($(#[$meta:meta])* $name:ident, $check:ident, $list:expr) => {
        $(#[$meta])*
        pub(super) async fn $name(
            State(shared): State<Shared>,
            Path(subject): Path<String>,
            page: Result<Query<Page>, QueryRejection>,
        ) -> Result<Response, Refused> {
            let subject = $check(&shared, &subject)?;
            entries(shared, subject, $list, page).await
        }
    };
}

fn a_market(shared: &Shared, address: &str) -> Result<String, Refused> {
    market_index(shared, address).map(|_| address.to_string())
}

fn an_account(_: &Shared, address: &str) -> Result<String, Refused> {
    account_address(address)
}

list!(
    /// A market's hours of funding.
    #[utoipa::path(
        get,
        path = "/v1/markets/{market}/funding",
        params(("market" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<FundingHour>), Wrong)
    )]
    market_funding, a_market, Some("funding")
);
list!(
    /// Liquidations in a market.
    #[utoipa::path(
        get,
        path = "/v1/markets/{market}/liquidations",
        params(("market" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<Liquidation>), Wrong)
    )]
    market_liquidations, a_market, Some("liquidations")
);
list!(
    /// Deleveragings in a market.
    #[utoipa::path(
        get,
        path = "/v1/markets/{market}/deleveragings",
        params(("market" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<Deleveraging>), Wrong)
    )]
    market_deleveragings, a_market, Some("deleveragings")
);
list!(
    /// How a market came under stress and out of it.
    #[utoipa::path(
        get,
        path = "/v1/markets/{market}/stress",
        params(("market" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<Stress>), Wrong)
    )]
    market_stress, a_market, Some("stress")
);
list!(
    /// What happened to an account's orders and triggers.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/orders",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<OrderLine>), Wrong)
    )]
    account_orders, an_account, Some("orders")
);
list!(
    /// An account's fills.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/fills",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<Fill>), Wrong)
    )]
    account_fills, an_account, Some("fills")
);
list!(
    /// Changes of an account's positions, with the fee and the profit that each realised.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/realised",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<Position>), Wrong)
    )]
    account_realised, an_account, Some("positions")
);
list!(
    /// Funding that an account received and paid.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/funding",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<FundingPayment>), Wrong)
    )]
    account_funding, an_account, Some("funding")
);
list!(
    /// Collateral that came into an account and left it.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/transfers",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<Transfer>), Wrong)
    )]
    account_transfers, an_account, Some("transfers")
);
list!(
    /// Liquidations of an account, and those that it was credited for.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/liquidations",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<Liquidation>), Wrong)
    )]
    account_liquidations, an_account, Some("liquidations")
);
list!(
    /// An account's bankruptcies, and what deleveragings took from it.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/deleveragings",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<DeleveragingLine>), Wrong)
    )]
    account_deleveragings, an_account, Some("deleveragings")
);
list!(
    /// Everything that happened to an account, told apart by `kind`.
    #[utoipa::path(
        get,
        path = "/v1/accounts/{account}/history",
        params(("account" = String, Path, description = "Its address"), Page),
        responses((status = 200, description = "Newest first", body = Items<HistoryLine>), Wrong)
    )]
    account_history, an_account, None
);

/// Income and draws of the insurance vault.
#[utoipa::path(
    get,
    path = "/v1/insurance",
    params(Page),
    responses(
        (status = 200, description = "Newest first", body = Items<Insurance>),
        Wrong,
    )
)]
pub(super) async fn insurance(
    State(shared): State<Shared>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refused> {
    let exchange = shared.0.board.exchange.to_string();
    entries(shared, exchange, Some("insurance"), page).await
}

/// Fills in a market.
#[utoipa::path(
    get,
    path = "/v1/markets/{market}/trades",
    params(("market" = String, Path, description = "Its address"), Page),
    responses(
        (status = 200, description = "Newest first", body = Items<Trade>),
        Wrong,
    )
)]
pub(super) async fn market_trades(
    State(shared): State<Shared>,
    Path(market): Path<String>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refused> {
    let index = market_index(&shared, &market)?;
    let page = query(page)?;
    let (limit, before) = (limit(page.limit)?, page.before()?);
    let items = shared.0.pool.run(move |db| read::trades(db, index, before, limit)).await?;
    Ok(written(read::objects(&items), page.format, &HEAD))
}

/// A market's candles, oldest first. Spans without a trade have none.
#[utoipa::path(
    get,
    path = "/v1/markets/{market}/candles",
    params(("market" = String, Path, description = "Its address"), Span),
    responses(
        (status = 200, description = "Oldest first", body = Vec<Candle>),
        Wrong,
    )
)]
pub(super) async fn candles(
    State(shared): State<Shared>,
    Path(market): Path<String>,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Response, Refused> {
    let index = market_index(&shared, &market)?;
    let span = query(span)?;
    if !INTERVALS.contains(&span.interval) {
        return Err(Refused::bad("interval is one of 60, 300, 900, 3600, 14400, 86400"));
    }
    let limit = limit(span.limit)?;
    let (from, to) = (span.from.unwrap_or(i64::MIN), span.to.unwrap_or(i64::MAX));
    let candles = shared.0.pool.run(move |db| read::candles(db, index, span.interval, from, to, limit)).await?;
    Ok(written(
        read::objects(&candles),
        span.format,
        &["time", "open", "high", "low", "close", "lots", "quote", "trades"],
    ))
}
