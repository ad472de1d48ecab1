//! The tables, and how older ones are brought to date.
//!
//! `events` is the base: one row an event, exactly as logged. `transactions` says where each is and what the logs lacked.
//! Everything else is derived from these two by the projection ([`crate::project`]) and can be built again.

use crate::db::{Connection, DbError, Value};

/// Tables that `rebuild` builds again.
pub const DERIVED: [&str; 6] = ["entries", "trades", "candles", "seats", "positions", "resting"];

/// Version of what the projection makes of the same events. Tables of another one are built again when they are opened: raise it
/// whenever a line says something else than before.
pub const PROJECTION: &str = "2";

/// What brings a database from one version to the next; the first from nothing. Append only.
const STEPS: [&str; 3] = [
    "
CREATE TABLE transactions (
    tx BIGINT NOT NULL PRIMARY KEY,
    signature TEXT NOT NULL UNIQUE,
    slot BIGINT NOT NULL,
    time BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    truncated BIGINT NOT NULL,
    events BIGINT NOT NULL
);
CREATE INDEX transactions_truncated ON transactions (tx) WHERE truncated = 1;
CREATE TABLE events (
    tx BIGINT NOT NULL,
    event BIGINT NOT NULL,
    kind TEXT NOT NULL,
    market BIGINT,
    json TEXT,
    data TEXT NOT NULL,
    PRIMARY KEY (tx, event)
);
CREATE INDEX events_unknown ON events (tx) WHERE kind = 'Unknown';
CREATE VIEW event_log AS
    SELECT e.tx, e.event, t.signature, t.slot, t.time, e.kind, e.market, e.json, e.data
    FROM events e JOIN transactions t ON t.tx = e.tx;
CREATE TABLE entries (
    subject TEXT NOT NULL,
    list TEXT NOT NULL,
    tx BIGINT NOT NULL,
    event BIGINT NOT NULL,
    part BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (subject, list, tx, event, part)
);
CREATE INDEX entries_history ON entries (subject, tx, event, part);
CREATE INDEX entries_tx ON entries (tx);
CREATE TABLE trades (
    market BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    event BIGINT NOT NULL,
    part BIGINT NOT NULL,
    time BIGINT NOT NULL,
    price TEXT NOT NULL,
    lots TEXT NOT NULL,
    taker_side TEXT NOT NULL,
    maker TEXT,
    taker TEXT NOT NULL,
    forced BIGINT NOT NULL,
    PRIMARY KEY (market, tx, event, part)
);
CREATE INDEX trades_time ON trades (market, time);
CREATE INDEX trades_tx ON trades (tx);
CREATE TABLE candles (
    market BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    time BIGINT NOT NULL,
    open TEXT NOT NULL,
    high TEXT NOT NULL,
    low TEXT NOT NULL,
    close TEXT NOT NULL,
    lots TEXT NOT NULL,
    quote TEXT NOT NULL,
    trades BIGINT NOT NULL,
    PRIMARY KEY (market, seconds, time)
);
CREATE TABLE seats (
    market BIGINT NOT NULL,
    seat BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    event BIGINT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (market, seat, tx, event)
);
CREATE INDEX seats_tx ON seats (tx);
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE progress (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    final_slot BIGINT NOT NULL,
    final_tx BIGINT,
    final_signature TEXT,
    slot BIGINT NOT NULL,
    events BIGINT NOT NULL,
    writer TEXT NOT NULL
);
INSERT INTO progress (id, final_slot, slot, events, writer) VALUES (1, 0, 0, 0, '');
",
    "
DROP INDEX transactions_truncated;
ALTER TABLE transactions DROP COLUMN truncated;
",
    "
CREATE TABLE positions (
    account TEXT NOT NULL,
    market BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    event BIGINT NOT NULL,
    basis TEXT NOT NULL,
    PRIMARY KEY (account, market, tx, event)
);
CREATE INDEX positions_tx ON positions (tx);
CREATE TABLE resting (
    market BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    tx BIGINT NOT NULL,
    event BIGINT NOT NULL,
    step BIGINT NOT NULL,
    lots TEXT NOT NULL,
    PRIMARY KEY (market, order_id, tx, event, step)
);
CREATE INDEX resting_tx ON resting (tx);
",
];

/// Brings the tables to this version. Does nothing to current ones; two at once wait for each other.
///
/// # Errors
/// When the tables are newer than this program, or the database refuses.
pub fn migrate(db: &mut dyn Connection) -> Result<(), DbError> {
    // The transaction makes a second one wait: PostgreSQL needs something to lock.
    db.script("CREATE TABLE IF NOT EXISTS schema_version (id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL)")
        .or_else(|error| match error {
            // Somebody else created it in this very moment.
            DbError::Postgres { ref code, .. } if code == "23505" || code == "42P07" => Ok(()),
            error => Err(error),
        })?;
    db.writing(|db| {
        db.execute("INSERT INTO schema_version (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING", &[])?;
        db.execute("UPDATE schema_version SET version = version WHERE id = 1", &[])?;
        let version =
            db.one("SELECT version FROM schema_version WHERE id = 1", &[])?.map_or(Ok(0), |row| row.int(0))?;
        let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
        if version > known {
            let what = format!("the tables have version {version}, this program knows {known}: use a newer one");
            return Err(DbError::Refused(what));
        }
        for step in STEPS.iter().skip(usize::try_from(version).unwrap_or_default()) {
            db.script(step)?;
        }
        db.execute("UPDATE schema_version SET version = $1 WHERE id = 1", &[Value::Int(known)])?;
        Ok(())
    })
}

/// Holds the database to one program, exchange and chain, named at the first start.
///
/// # Errors
/// When the database belongs to another one.
pub fn claim(db: &mut dyn Connection, name: &str, value: &str) -> Result<(), DbError> {
    db.writing(|db| {
        db.execute(
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            &[name.into(), value.into()],
        )?;
        let row = db.one("SELECT value FROM meta WHERE name = $1", &[name.into()])?;
        match row.as_ref().map(|row| row.text(0)).transpose()? {
            Some(held) if held == value => Ok(()),
            held => Err(DbError::Refused(format!(
                "this database is of the {name} {}, not of {value}: use another one",
                held.unwrap_or_default()
            ))),
        }
    })
}

/// A value that [`claim`] has set.
///
/// # Errors
/// When the database refuses.
pub fn claimed(db: &mut dyn Connection, name: &str) -> Result<Option<String>, DbError> {
    let row = db.one("SELECT value FROM meta WHERE name = $1", &[name.into()])?;
    row.map(|row| row.text(0).map(str::to_string)).transpose()
}
