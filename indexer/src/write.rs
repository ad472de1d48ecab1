//! The one who writes: transactions with their events and everything derived from them, together with how far that is, in one
//! transaction of the database. So after a crash either all of it is there or nothing.

use std::collections::BTreeMap;

use ballast_client::addresses::PROGRAM_ID;
use solana_pubkey::Pubkey;

use crate::{
    api::stream::News,
    db::{Connection, DbError, Place, Value},
    position::Tx,
    project::{At, Projector},
    source::Logged,
    tables::{DERIVED, PROJECTION, claim, claimed, migrate},
};

const TRANSACTION: &str =
    "INSERT INTO transactions (tx, signature, slot, time, failed, events) VALUES ($1, $2, $3, $4, $5, $6)";
const EVENT: &str = "INSERT INTO events (tx, event, kind, market, json, data) VALUES ($1, $2, $3, $4, $5, $6)";
/// Events that are read at once while rebuilding.
const READ: i64 = 5_000;

/// A transaction to be written.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// Its place.
    pub tx: Tx,
    /// Its signature.
    pub signature: String,
    /// Its unix time; where the node does not know it, that of the one before.
    pub time: Option<i64>,
    /// Whether it failed.
    pub failed: bool,
    /// Its events.
    pub events: Vec<Logged>,
}

/// How far the tables are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchor {
    /// Slot of the last transaction that is there for good, as everything up to it is.
    pub final_slot: u64,
    /// That transaction.
    pub signature: Option<String>,
}

/// Counts of what was written, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Events.
    pub events: u64,
    /// Events that cannot be decoded.
    pub unknown: u64,
}

/// Writes the tables.
pub struct Writer {
    place: Place,
    db: Box<dyn Connection>,
    projector: Projector,
    /// Who writes: whoever opened the tables last.
    token: String,
}

/// Whether an error is that another writer has taken over, which no waiting mends.
pub fn is_displaced(error: &DbError) -> bool {
    matches!(error, DbError::Displaced)
}

fn number(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

impl Writer {
    /// Opens the tables of an exchange on a chain, brings them to date, and takes over from whoever wrote before. Derived tables that
    /// an older indexer built are built again.
    ///
    /// # Errors
    /// When they cannot be opened or belong to something else.
    pub fn open(place: &Place, exchange: &Pubkey, chain: Option<&str>) -> Result<Writer, DbError> {
        let mut writer = Writer::open_as_built(place, exchange, chain)?;
        if claimed(writer.db.as_mut(), "projection")?.as_deref() != Some(PROJECTION) {
            let events = writer.rebuild()?;
            if events > 0 {
                tracing::info!(events, "another version had built the derived tables: they are built again");
            }
        }
        Ok(writer)
    }

    /// As [`open`](Self::open), whoever built the derived tables: for one who builds them again at once.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn open_as_built(place: &Place, exchange: &Pubkey, chain: Option<&str>) -> Result<Writer, DbError> {
        let mut db = place.connect()?;
        migrate(db.as_mut())?;
        claim(db.as_mut(), "program", &PROGRAM_ID.to_string())?;
        claim(db.as_mut(), "exchange", &exchange.to_string())?;
        if let Some(chain) = chain {
            claim(db.as_mut(), "chain", chain)?;
        }
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let token = format!("{}-{}", std::process::id(), since.as_nanos());
        db.execute("UPDATE progress SET writer = $1 WHERE id = 1", &[token.as_str().into()])?;
        Ok(Writer { place: place.clone(), db, projector: Projector::new(exchange), token })
    }

    /// The connection; a new one where the old is broken, because the server was restarted, say. What was being written then is
    /// there whole or not at all, so nothing remembered is trusted.
    fn connected(&mut self) -> Result<&mut (dyn Connection + 'static), DbError> {
        if !self.db.is_alive() {
            self.projector.forget();
            self.db = self.place.connect()?;
            tracing::info!(database = self.place.kind(), "connected to the database again");
        }
        Ok(self.db.as_mut())
    }

    /// How far the tables are.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn anchor(&mut self) -> Result<Anchor, DbError> {
        let row = self.connected()?.one("SELECT final_tx, final_signature FROM progress WHERE id = 1", &[])?;
        let row = row.ok_or_else(|| DbError::Refused("the tables have lost their progress".to_string()))?;
        let final_slot = row.maybe_int(0)?.map(|tx| Tx(tx).slot()).unwrap_or_default();
        Ok(Anchor { final_slot, signature: row.maybe_text(1)?.map(str::to_string) })
    }

    /// Signatures of the transactions that are not there for good, by slot and in order.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn provisional(&mut self) -> Result<BTreeMap<u64, Vec<String>>, DbError> {
        let after = Tx::first_of(self.anchor()?.final_slot + 1);
        let sql = "SELECT tx, signature FROM transactions WHERE tx >= $1 ORDER BY tx";
        let mut slots: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for row in self.connected()?.query(sql, &[after.0.into()])? {
            slots.entry(Tx(row.int(0)?).slot()).or_default().push(row.text(1)?.to_string());
        }
        Ok(slots)
    }

    /// Does `work` in a transaction, unless another one writes by now.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Connection, &mut Projector) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.connected()?;
        let (projector, token) = (&mut self.projector, self.token.as_str());
        let done = self.db.writing(|db| {
            let sql = "UPDATE progress SET writer = writer WHERE id = 1 AND writer = $1";
            if db.execute(sql, &[token.into()])? == 0 {
                return Err(DbError::Displaced);
            }
            work(db, projector)
        });
        if done.is_err() {
            self.projector.forget();
        }
        done
    }

    /// Adds whole slots of transactions, all newer than what is there. Everything up to `slot` is there then, for good up
    /// to `final_slot`. Returns what to tell if `tell`.
    ///
    /// # Errors
    /// When the database refuses; then nothing was added.
    pub fn add(
        &mut self,
        transactions: &[Indexed],
        slot: u64,
        final_slot: Option<u64>,
        tell: bool,
    ) -> Result<(Written, Vec<News>), DbError> {
        self.write(|db, projector| {
            if tell {
                projector.listen();
            }
            let mut written = Written::default();
            let mut last: Option<i64> = None;
            let (mut rows, mut events) = (Vec::new(), Vec::new());
            for transaction in transactions {
                let time = match transaction.time.or(last) {
                    Some(time) => time,
                    None => newest_time(db)?,
                };
                last = Some(time);
                rows.push(transaction_row(transaction, time));
                let at = At { tx: transaction.tx, signature: transaction.signature.clone(), time };
                for logged in &transaction.events {
                    written.events += 1;
                    written.unknown += u64::from(logged.json.is_none());
                    events.push(event_row(transaction.tx, logged));
                    projector.add(db, &at, logged)?;
                }
            }
            db.execute_each(TRANSACTION, &rows)?;
            db.execute_each(EVENT, &events)?;
            projector.flush(db)?;
            db.execute(
                "UPDATE progress SET slot = CASE WHEN slot < $1 THEN $1 ELSE slot END, events = events + $2 WHERE id = 1",
                &[number(slot), number(written.events)],
            )?;
            if let Some(slot) = final_slot {
                finalize(db, slot)?;
            }
            Ok((written, projector.news()))
        })
    }

    /// Takes back everything from `slot` on: the cluster has dropped it.
    ///
    /// # Errors
    /// When it was final, or the database refuses.
    pub fn roll_back(&mut self, slot: u64) -> Result<(), DbError> {
        let first = Tx::first_of(slot);
        if slot <= self.anchor()?.final_slot {
            let what = format!("the node denies what was final in slot {slot}: is it of another chain?");
            return Err(DbError::Refused(what));
        }
        self.write(|db, projector| {
            projector.mend_candles(db, first)?;
            for table in ["entries", "trades", "seats", "positions", "resting", "transactions"] {
                db.execute(&format!("DELETE FROM {table} WHERE tx >= $1"), &[first.0.into()])?;
            }
            let events = db.execute("DELETE FROM events WHERE tx >= $1", &[first.0.into()])?;
            db.execute(
                "UPDATE progress SET slot = $1, events = events - $2 WHERE id = 1",
                &[number(slot - 1), number(events)],
            )?;
            Ok(())
        })
    }

    /// Everything up to `slot` is there for good.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn finalize(&mut self, slot: u64) -> Result<(), DbError> {
        self.write(|db, _| finalize(db, slot))
    }

    /// Builds the derived tables again from the events, and decodes what could not be decoded before. Returns how many
    /// events there are. Readers see the old tables until it is done.
    ///
    /// # Errors
    /// When the database refuses; then nothing was changed.
    pub fn rebuild(&mut self) -> Result<u64, DbError> {
        self.write(|db, projector| {
            projector.forget();
            for table in DERIVED {
                db.execute(&format!("DELETE FROM {table}"), &[])?;
            }
            let (mut after, mut count) = ((-1, -1), 0);
            loop {
                let sql = "SELECT tx, event, signature, time, kind, json, data FROM event_log
                    WHERE (tx, event) > ($1, $2) ORDER BY tx, event LIMIT $3";
                let rows = db.query(sql, &[after.0.into(), after.1.into(), READ.into()])?;
                let Some(newest) = rows.last() else { break };
                after = (newest.int(0)?, newest.int(1)?);
                for row in &rows {
                    let data = Logged::bytes(row.text(6)?).ok_or(DbError::Column(6, "base64"))?;
                    let logged = Logged::new(row.int(1)?, data, projector.markets());
                    if logged.kind != row.text(4)? || logged.json.as_deref() != row.maybe_text(5)? {
                        let sql = "UPDATE events SET kind = $3, market = $4, json = $5 WHERE tx = $1 AND event = $2";
                        let mut changed = event_row(Tx(row.int(0)?), &logged);
                        changed.truncate(5);
                        db.execute(sql, &changed)?;
                    }
                    let at = At { tx: Tx(row.int(0)?), signature: row.text(2)?.to_string(), time: row.int(3)? };
                    projector.add(db, &at, &logged)?;
                    count += 1;
                }
            }
            projector.flush(db)?;
            let sql = "INSERT INTO meta (name, value) VALUES ('projection', $1)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            db.execute(sql, &[PROJECTION.into()])?;
            Ok(count)
        })
    }
}

fn newest_time(db: &mut dyn Connection) -> Result<i64, DbError> {
    let row = db.one("SELECT time FROM transactions ORDER BY tx DESC LIMIT 1", &[])?;
    row.map_or(Ok(0), |row| row.int(0))
}

fn transaction_row(transaction: &Indexed, time: i64) -> Vec<Value> {
    let events = u32::try_from(transaction.events.len()).unwrap_or(u32::MAX);
    vec![
        transaction.tx.0.into(),
        transaction.signature.as_str().into(),
        number(transaction.tx.slot()),
        time.into(),
        transaction.failed.into(),
        events.into(),
    ]
}

fn event_row(tx: Tx, logged: &Logged) -> Vec<Value> {
    vec![
        tx.0.into(),
        logged.event.into(),
        logged.kind.as_str().into(),
        logged.market.into(),
        logged.json.clone().into(),
        logged.base64().into(),
    ]
}

/// Moves the anchor. Transactions without an event of the exchange were only kept to tell forks apart.
fn finalize(db: &mut dyn Connection, slot: u64) -> Result<(), DbError> {
    let end = Tx::first_of(slot + 1);
    let before = db.one("SELECT final_tx FROM progress WHERE id = 1", &[])?;
    let before = before.map_or(Ok(None), |row| row.maybe_int(0))?.unwrap_or_default();
    let last =
        db.one("SELECT tx, signature FROM transactions WHERE tx < $1 ORDER BY tx DESC LIMIT 1", &[end.0.into()])?;
    if let Some(row) = last {
        let sql = "UPDATE progress SET final_tx = $1, final_signature = $2
            WHERE id = 1 AND (final_tx IS NULL OR final_tx < $1)";
        db.execute(sql, &[row.0[0].clone(), row.0[1].clone()])?;
    }
    let sql = "UPDATE progress SET final_slot = $1, slot = CASE WHEN slot < $1 THEN $1 ELSE slot END
        WHERE id = 1 AND final_slot < $1";
    db.execute(sql, &[number(slot)])?;
    let sql = "DELETE FROM transactions WHERE tx >= $1 AND tx < $2 AND events = 0";
    db.execute(sql, &[before.into(), end.0.into()])?;
    Ok(())
}
