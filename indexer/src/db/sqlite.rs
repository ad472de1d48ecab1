//! SQLite, compiled in.

use std::{path::Path, time::Duration};

use rusqlite::{params_from_iter, types::ToSqlOutput, types::ValueRef};

use super::{Connection, DbError, Row, Value};

/// How long a connection waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(30);
/// Statements kept compiled.
const STATEMENTS: usize = 64;

pub(super) struct Sqlite(rusqlite::Connection);

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Sqlite, DbError> {
        let connection = rusqlite::Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Readers see the last committed state while one writes. With `NORMAL` a power cut may lose the newest
        // transactions, never parts of one: the cursor is in them, so they are fetched again.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // Pages that change again and again go into the file once in 40 MB of the log, not in four.
        connection.pragma_update(None, "wal_autocheckpoint", 10_000)?;
        connection.pragma_update(None, "cache_size", -64_000)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(Sqlite(connection))
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

/// In SQLite `$1` is a name; numbers are said with a question mark.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl Connection for Sqlite {
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, DbError> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let width = statement.column_count();
        let mut found = statement.query(params_from_iter(parameters))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let value = |at| {
                Ok(match row.get_ref(at)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(value) => Value::Int(value),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Real(_) | ValueRef::Blob(_) => return Err(DbError::Column(at, "an integer or text")),
                })
            };
            rows.push(Row((0..width).map(value).collect::<Result<_, DbError>>()?));
        }
        Ok(rows)
    }

    fn execute_each(&mut self, sql: &str, parameters: &[Vec<Value>]) -> Result<u64, DbError> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let mut changed = 0;
        for set in parameters {
            changed += statement.execute(params_from_iter(set))?;
        }
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn script(&mut self, sql: &str) -> Result<(), DbError> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn begin(&mut self, writes: bool) -> Result<(), DbError> {
        self.script(if writes { "BEGIN IMMEDIATE" } else { "BEGIN DEFERRED" })
    }

    fn end(&mut self, keep: bool) -> Result<(), DbError> {
        self.script(if keep { "COMMIT" } else { "ROLLBACK" })
    }

    fn is_alive(&self) -> bool {
        self.0.is_autocommit()
    }
}
