//! What is no list: status, one event whole, the description, and how the indexer is.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Shared,
    answer::{Refused, json},
    lists::{Wrong, limit, query},
};
use crate::{
    items::{Gap, Item, Items, Status, Whole},
    position::Id,
    read,
};

/// How far the indexer is.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, description = "How far it is", body = Status)))]
pub(super) async fn status(State(shared): State<Shared>) -> Result<Response, Refused> {
    let counted = shared.0.pool.run(read::progress).await?;
    Ok(json(&shared.0.board.status(&counted)))
}

async fn whole(shared: Shared, id: &str, kind: &'static str) -> Result<Response, Refused> {
    let id: Id = id.parse().map_err(Refused::bad)?;
    let markets = shared.clone();
    let found = shared.0.pool.run(move |db| read::event(db, id, kind, &markets.0.markets)).await?;
    found
        .map(|item| json(&item))
        .ok_or_else(|| Refused::not_found(format!("there is no event {kind} with the id {id}")))
}

/// A liquidation, as the program logged it.
#[utoipa::path(
    get,
    path = "/v1/liquidations/{id}",
    params(("id" = String, Path, description = "The id of an item in a list of liquidations")),
    responses(
        (status = 200, description = "The event", body = Item<Whole>),
        Wrong,
    )
)]
pub(super) async fn liquidation(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Refused> {
    whole(shared, &id, "Liquidated").await
}

/// A deleveraging, as the program logged it.
#[utoipa::path(
    get,
    path = "/v1/deleveragings/{id}",
    params(("id" = String, Path, description = "The id of an item in a list of deleveragings")),
    responses(
        (status = 200, description = "The event", body = Item<Whole>),
        Wrong,
    )
)]
pub(super) async fn deleveraging(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Refused> {
    whole(shared, &id, "Deleveraged").await
}

/// How many gaps.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Most {
    /// At most so many: 100 when not said, at most 1,000.
    limit: Option<u32>,
}

/// Transactions whose logs the runtime cut off, newest first: events of theirs may be missing everywhere.
#[utoipa::path(
    get,
    path = "/v1/gaps",
    params(Most),
    responses(
        (status = 200, description = "Newest first", body = Items<Gap>),
        Wrong,
    )
)]
pub(super) async fn gaps(
    State(shared): State<Shared>,
    most: Result<Query<Most>, QueryRejection>,
) -> Result<Response, Refused> {
    let limit = limit(query(most)?.limit)?;
    Ok(json(&shared.0.pool.run(move |db| read::gaps(db, limit)).await?))
}

/// This description.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    responses((status = 200, description = "OpenAPI", body = Object, content_type = "application/json"))
)]
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], super::description()).into_response()
}
