//! Answers: lists as JSON or CSV, refusals as JSON with words that help.

use std::{collections::BTreeSet, fmt::Write};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{db::DbError, items::Refusal};

/// A refusal.
pub(super) struct Refused {
    status: StatusCode,
    why: String,
}

impl Refused {
    pub(super) fn bad(why: impl Into<String>) -> Refused {
        Refused { status: StatusCode::BAD_REQUEST, why: why.into() }
    }

    pub(super) fn not_found(why: impl Into<String>) -> Refused {
        Refused { status: StatusCode::NOT_FOUND, why: why.into() }
    }

    pub(super) fn busy(why: impl Into<String>) -> Refused {
        Refused { status: StatusCode::SERVICE_UNAVAILABLE, why: why.into() }
    }
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        // The words of a database are for the operator.
        tracing::error!(%error, "a query failed");
        Refused { status: StatusCode::INTERNAL_SERVER_ERROR, why: "the database failed: see the log".to_string() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, json(&Refusal { error: self.why })).into_response()
    }
}

/// A body of JSON.
pub(super) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Rows as CSV: the columns in `first` come first, then all others that any row has, by name.
pub(super) fn csv(rows: &[Map<String, Value>], first: &[&str]) -> Response {
    let all: BTreeSet<&str> = rows.iter().flat_map(|row| row.keys().map(String::as_str)).collect();
    let rest = all.into_iter().filter(|name| !first.contains(name));
    let columns: Vec<&str> = first.iter().copied().chain(rest).collect();
    let mut body = columns.join(",") + "\n";
    for row in rows {
        let cells: Vec<String> = columns.iter().map(|column| cell(row.get(*column))).collect();
        let _ = writeln!(body, "{}", cells.join(","));
    }
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], body).into_response()
}

fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell(Some(&json!("a,b\"c"))), "\"a,b\"\"c\"");
        assert_eq!(cell(Some(&json!([{"row": 1}]))), "\"[{\"\"row\"\":1}]\"");
        assert_eq!((cell(Some(&json!(-5))), cell(Some(&json!(null))), cell(None)), ("-5".into(), "".into(), "".into()));
    }
}
