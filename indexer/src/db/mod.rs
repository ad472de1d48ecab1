//! The database: SQLite embedded, or a PostgreSQL server, behind the few operations that the indexer needs.
//!
//! One text of SQL serves both: types are BIGINT and TEXT, parameters `$1`, `$2`. Connections block, so the
//! asynchronous parts reach them through [`Pool::run`].

mod pg_url;
mod postgres;
mod sqlite;
mod tls;

use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

pub use pg_url::PgUrl;

/// Why the database did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite refused.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The PostgreSQL server refused; the connection is still good.
    #[error("PostgreSQL: {message} (SQLSTATE {code})")]
    Postgres {
        /// Its code for the error.
        code: String,
        /// Its words.
        message: String,
    },
    /// The PostgreSQL server cannot be talked to.
    #[error("PostgreSQL connection: {0}")]
    Io(#[from] std::io::Error),
    /// The URL is none that is understood.
    #[error("database URL {0}")]
    Url(String),
    /// A row does not hold what the schema says.
    #[error("column {0} of a row is not {1}")]
    Column(usize, &'static str),
    /// Another writer has taken the tables over.
    #[error("another indexer has begun to write these tables: only one may")]
    Displaced,
    /// The tables are newer than this program, or of something else.
    #[error("{0}")]
    Refused(String),
}

/// A value of a row or a parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// A BIGINT.
    Int(i64),
    /// A TEXT.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Value::Int(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Value::Int(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_string())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The integer of a column.
    pub fn int(&self, at: usize) -> Result<i64, DbError> {
        match self.0.get(at) {
            Some(Value::Int(value)) => Ok(*value),
            _ => Err(DbError::Column(at, "an integer")),
        }
    }

    /// The text of a column.
    pub fn text(&self, at: usize) -> Result<&str, DbError> {
        match self.0.get(at) {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(DbError::Column(at, "text")),
        }
    }

    /// The text of a column that may be empty.
    pub fn maybe_text(&self, at: usize) -> Result<Option<&str>, DbError> {
        match self.0.get(at) {
            Some(Value::Null) => Ok(None),
            _ => self.text(at).map(Some),
        }
    }

    /// The integer of a column that may be empty.
    pub fn maybe_int(&self, at: usize) -> Result<Option<i64>, DbError> {
        match self.0.get(at) {
            Some(Value::Null) => Ok(None),
            _ => self.int(at).map(Some),
        }
    }
}

/// A connection to either database.
pub trait Connection: Send {
    /// Rows of a query.
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, DbError>;
    /// Runs one statement for each set of parameters; returns how many rows they changed.
    fn execute_each(&mut self, sql: &str, parameters: &[Vec<Value>]) -> Result<u64, DbError>;
    /// Runs statements without parameters.
    fn script(&mut self, sql: &str) -> Result<(), DbError>;
    /// Begins a transaction: one that writes, or one that sees one state throughout.
    fn begin(&mut self, writes: bool) -> Result<(), DbError>;
    /// Ends a transaction, and keeps what was done in it or undoes it.
    fn end(&mut self, keep: bool) -> Result<(), DbError>;
    /// Whether it can still be used.
    fn is_alive(&self) -> bool;
}

impl dyn Connection + '_ {
    /// Runs one statement; returns how many rows it changed.
    pub fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, DbError> {
        self.execute_each(sql, &[parameters.to_vec()])
    }

    /// The only row of a query, or none.
    pub fn one(&mut self, sql: &str, parameters: &[Value]) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, parameters)?.into_iter().next())
    }

    /// Does `work` in a transaction that is committed when it succeeds and undone when it does not.
    pub fn writing<T, E: From<DbError>>(
        &mut self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction(true, work)
    }

    /// Does `work` in a transaction that sees one state of the database throughout.
    pub fn reading<T, E: From<DbError>>(
        &mut self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction(false, work)
    }

    fn transaction<T, E: From<DbError>>(
        &mut self,
        writes: bool,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin(writes)?;
        match work(self) {
            Ok(done) => {
                self.end(true)?;
                Ok(done)
            }
            Err(error) => {
                // Of a connection that is gone there is nothing left to undo.
                let _ = self.end(false);
                Err(error)
            }
        }
    }
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file.
    Sqlite(std::path::PathBuf),
    /// A server.
    Postgres(Box<PgUrl>),
}

impl Place {
    /// From `postgres://…`, `sqlite:PATH`, or a path.
    ///
    /// # Errors
    /// When it is a URL of something else, or lacks a part.
    pub fn parse(url: &str) -> Result<Place, DbError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Place::Postgres(Box::new(PgUrl::parse(url)?)));
        }
        let path = url.strip_prefix("sqlite://").or(url.strip_prefix("sqlite:")).unwrap_or(url);
        if path.contains("://") || path.is_empty() {
            return Err(DbError::Url(format!("{url:?} is neither postgres://… nor sqlite:PATH nor a path")));
        }
        Ok(Place::Sqlite(path.into()))
    }

    /// Opens a connection; the database of SQLite is created if there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn connect(&self) -> Result<Box<dyn Connection>, DbError> {
        Ok(match self {
            Place::Sqlite(path) => Box::new(sqlite::Sqlite::open(path)?),
            Place::Postgres(url) => Box::new(postgres::Postgres::connect(url)?),
        })
    }

    /// What kind of database it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Place::Sqlite(_) => "sqlite",
            Place::Postgres(_) => "postgres",
        }
    }
}

/// Connections for those who read.
#[derive(Clone)]
pub struct Pool {
    place: Arc<Place>,
    idle: Arc<Mutex<Vec<Box<dyn Connection>>>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    /// At most `size` connections, opened when needed.
    pub fn new(place: Place, size: usize) -> Pool {
        Pool { place: Arc::new(place), idle: Arc::default(), permits: Arc::new(Semaphore::new(size)) }
    }

    /// Does `work` with a connection, on a thread that may block.
    ///
    /// # Errors
    /// What `work` fails with, or that no connection can be opened.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let gone = |what: &str| DbError::Refused(what.to_string());
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| gone("the pool is closed"))?;
        let (place, idle) = (self.place.clone(), self.idle.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let kept = idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => place.connect()?,
            };
            let done = work(connection.as_mut());
            if connection.is_alive() {
                idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(connection);
            }
            done
        });
        done.await.unwrap_or_else(|error| Err(gone(&format!("a query ended badly: {error}"))))
    }
}
