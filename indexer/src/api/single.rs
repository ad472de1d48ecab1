//! What is no list: status, one event whole, the description, and how the indexer is.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};

use super::{
    Shared,
    answer::{Refused, json},
    lists::Wrong,
};
use crate::{
    items::{Item, Status, Whole},
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

/// This description.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    responses((status = 200, description = "OpenAPI", body = Object, content_type = "application/json"))
)]
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], super::description()).into_response()
}
