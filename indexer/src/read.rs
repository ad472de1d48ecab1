//! Queries behind the interface. Each is answered from an index, whatever the size of the tables.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    api::Markets,
    candles::{self, Candle},
    db::{Connection, DbError, Row, Value},
    items::{self, Head, Item, Side, Trade, Whole},
    position::{Id, Tx},
};

/// Larger than any id.
const END: Id = Id { tx: Tx(i64::MAX), event: i64::MAX, part: i64::MAX };

fn id(row: &Row, at: usize) -> Result<Id, DbError> {
    Ok(Id { tx: Tx(row.int(at)?), event: row.int(at + 1)?, part: row.int(at + 2)? })
}

/// Reads `tx, event, part, signature, time`.
fn head(row: &Row) -> Result<Head, DbError> {
    let id = id(row, 0)?;
    Ok(Head { id: id.to_string(), signature: row.text(3)?.to_string(), slot: id.tx.slot(), time: row.int(4)? })
}

fn parameters(first: impl Into<Value>, before: Option<Id>, limit: i64) -> Vec<Value> {
    let before = before.unwrap_or(END);
    vec![first.into(), before.tx.0.into(), before.event.into(), before.part.into(), limit.into()]
}

/// Whatever is written as JSON objects.
pub fn objects<T: Serialize>(items: &[T]) -> Vec<Map<String, Json>> {
    let object = |item: &T| match json!(item) {
        Json::Object(object) => object,
        _ => Map::new(),
    };
    items.iter().map(object).collect()
}

/// A line with its head, from its body's JSON.
pub fn line(head: &Head, body: &str) -> Result<Map<String, Json>, DbError> {
    let Ok(Json::Object(mut line)) = serde_json::from_str(body) else { return Err(DbError::Column(5, "an object")) };
    line.extend(objects(std::slice::from_ref(head)).pop().unwrap_or_default());
    Ok(line)
}

/// A part of one of the lists of `subject`, newest first; of its whole history with `None`.
pub fn entries(
    db: &mut dyn Connection,
    subject: &str,
    list: Option<&str>,
    before: Option<Id>,
    limit: i64,
) -> Result<Vec<Map<String, Json>>, DbError> {
    let select =
        "SELECT e.tx, e.event, e.part, t.signature, t.time, e.body FROM entries e JOIN transactions t ON t.tx = e.tx
        WHERE e.subject = $1 AND (e.tx, e.event, e.part) < ($2, $3, $4)";
    let order = "ORDER BY e.tx DESC, e.event DESC, e.part DESC LIMIT $5";
    let mut parameters = parameters(subject, before, limit);
    let rows = match list {
        None => db.query(&format!("{select} {order}"), &parameters)?,
        Some(list) => {
            parameters.push(list.into());
            db.query(&format!("{select} AND e.list = $6 {order}"), &parameters)?
        }
    };
    rows.iter().map(|row| line(&head(row)?, row.text(5)?)).collect()
}

/// A market's trades, newest first.
pub fn trades(
    db: &mut dyn Connection,
    market: u16,
    before: Option<Id>,
    limit: i64,
) -> Result<Vec<Item<Trade>>, DbError> {
    let sql =
        "SELECT e.tx, e.event, e.part, t.signature, e.time, e.price, e.lots, e.taker_side, e.maker, e.taker, e.forced
        FROM trades e JOIN transactions t ON t.tx = e.tx
        WHERE e.market = $1 AND (e.tx, e.event, e.part) < ($2, $3, $4)
        ORDER BY e.tx DESC, e.event DESC, e.part DESC LIMIT $5";
    let item = |row: &Row| {
        let body = Trade {
            price: row.text(5)?.to_string(),
            lots: row.text(6)?.to_string(),
            taker_side: Side::buying(row.text(7)? == Side::Long.name()),
            maker: row.maybe_text(8)?.map(str::to_string),
            taker: row.text(9)?.to_string(),
            forced: row.int(10)? != 0,
        };
        Ok(Item { head: head(row)?, body })
    };
    db.query(sql, &parameters(market, before, limit))?.iter().map(item).collect()
}

/// The newest candles of a span, oldest first.
pub fn candles(
    db: &mut dyn Connection,
    market: u16,
    seconds: i64,
    from: i64,
    to: i64,
    limit: i64,
) -> Result<Vec<items::Candle>, DbError> {
    let sql = format!(
        "SELECT {} FROM candles WHERE market = $1 AND seconds = $2 AND time >= $3 AND time < $4 ORDER BY time DESC LIMIT $5",
        candles::COLUMNS
    );
    let rows = db.query(&sql, &[market.into(), seconds.into(), from.into(), to.into(), limit.into()])?;
    rows.iter().rev().map(|row| Ok(Candle::read(row)?.item())).collect()
}

/// One event whole; `None` when there is none there of this kind.
pub fn event(db: &mut dyn Connection, id: Id, kind: &str, markets: &Markets) -> Result<Option<Item<Whole>>, DbError> {
    let sql = "SELECT e.tx, e.event, 0, e.signature, e.time, e.kind, e.market, e.json, e.data FROM event_log e
        WHERE e.tx = $1 AND e.event = $2 AND e.kind = $3";
    let Some(row) = db.one(sql, &[id.tx.0.into(), id.event.into(), kind.into()])? else { return Ok(None) };
    let market = row.maybe_int(6)?.and_then(|index| u16::try_from(index).ok());
    let body = Whole {
        kind: row.text(5)?.to_string(),
        market: market.map(|index| markets.address(index)),
        event: row.maybe_text(7)?.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null),
        data: row.text(8)?.to_string(),
    };
    Ok(Some(Item { head: head(&row)?, body }))
}

/// What the tables say of how far they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything up to this slot is there.
    pub slot: u64,
    /// For good.
    pub final_slot: u64,
    /// Events.
    pub events: u64,
    /// Slot of the oldest transaction.
    pub oldest: Option<u64>,
    /// Whether the oldest event is the exchange's founding.
    pub complete: bool,
    /// Events that cannot be decoded.
    pub unknown: u64,
}

/// How far the tables are.
pub fn progress(db: &mut dyn Connection) -> Result<Progress, DbError> {
    let count = |row: Row, at: usize| Ok::<_, DbError>(u64::try_from(row.int(at)?).unwrap_or_default());
    let missing = || DbError::Refused("the tables have lost their progress: index into a new database".to_string());
    let row = db.one("SELECT slot, final_slot, events FROM progress WHERE id = 1", &[])?.ok_or_else(missing)?;
    let oldest = db.one("SELECT tx, kind FROM events ORDER BY tx, event LIMIT 1", &[])?;
    let unknown = db.one("SELECT COUNT(*) FROM events WHERE kind = 'Unknown'", &[])?.ok_or_else(missing)?;
    Ok(Progress {
        slot: count(row.clone(), 0)?,
        final_slot: count(row.clone(), 1)?,
        events: count(row, 2)?,
        oldest: oldest.as_ref().map(|row| row.int(0).map(|tx| Tx(tx).slot())).transpose()?,
        complete: oldest.as_ref().is_some_and(|row| row.text(1).is_ok_and(|kind| kind == "ExchangeCreated")),
        unknown: count(unknown, 0)?,
    })
}
