//! PostgreSQL, by way of `tokio-postgres`.
//!
//! A connection has a small runtime of its own that runs while somebody waits for an answer, so that it blocks like SQLite
//! does. Parameters travel as text, which the server turns into whatever type it inferred; statements are prepared once a
//! connection, and many sets of parameters are sent before the first answer is read.

use std::{collections::HashMap, error::Error as _, io, time::Duration};

use bytes::BytesMut;
use futures_util::future::try_join_all;
use tokio::{runtime::Runtime, task::block_in_place, time::timeout};
use tokio_postgres::{
    Client, Error, Statement,
    error::Severity,
    types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::{Connection, DbError, PgUrl, Row, Value};

/// How long the server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// Statements sent before their answers are read, so that no more than this waits in memory.
const PIPELINE: usize = 500;

pub(super) struct Postgres {
    runtime: Blocking,
    client: Client,
    statements: HashMap<String, Statement>,
    /// Something was cut short, or the server has said that it ends: never to be used again.
    broken: bool,
    in_transaction: bool,
    answer_within: Duration,
}

/// A runtime that runs on the thread that waits.
struct Blocking(Option<Runtime>);

impl Blocking {
    fn new() -> io::Result<Blocking> {
        Ok(Blocking(Some(tokio::runtime::Builder::new_current_thread().enable_all().build()?)))
    }

    /// Waits for what is asked, and no longer than this.
    fn run<T>(&self, within: Duration, asked: impl Future<Output = Result<T, Error>>) -> Result<T, DbError> {
        let Some(runtime) = &self.0 else { return Err(io::Error::from(io::ErrorKind::NotConnected).into()) };
        // Callers may be on a thread of another runtime, which has to know that it is blocked.
        let answered = block_in_place(|| runtime.block_on(async { timeout(within, asked).await }));
        match answered {
            Ok(answer) => answer.map_err(DbError::from),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time").into()),
        }
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Not waiting for a look-up of a name that nobody needs any more.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        if let Some(refusal) = error.as_db_error() {
            let detail = refusal.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            let (code, message) = (refusal.code().code().to_string(), format!("{}{detail}", refusal.message()));
            return DbError::Postgres { code, message };
        }
        let mut kind = io::ErrorKind::Other;
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            kind = error.downcast_ref::<io::Error>().map_or(kind, io::Error::kind);
            words = format!("{words}: {error}");
            cause = error.source();
        }
        DbError::Io(io::Error::new(kind, words))
    }
}

impl Postgres {
    pub(super) fn connect(url: &PgUrl) -> Result<Postgres, DbError> {
        let runtime = Blocking::new()?;
        // An address may be slow to refuse, and the next one has to log in.
        let within = url.connect_within().map_or(ANSWER_WITHIN, |each| each * 2);
        let client = runtime.run(within, async {
            let (client, connection) = url.config().connect(url.tls()).await?;
            // Its errors reach those who wait for an answer.
            tokio::spawn(connection);
            Ok(client)
        })?;
        Ok(Postgres {
            runtime,
            client,
            statements: HashMap::new(),
            broken: false,
            in_transaction: false,
            answer_within: ANSWER_WITHIN,
        })
    }

    /// Asks something of the server. After a refusal the connection is still good; after anything else it is given up.
    fn ask<'a, T, F>(&'a mut self, asked: impl FnOnce(&'a Client) -> F) -> Result<T, DbError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        if self.broken {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the connection was given up").into());
        }
        let client = &self.client;
        let mut ends = false;
        let done = self.runtime.run(self.answer_within, async {
            let answer = asked(client).await;
            ends = answer.as_ref().is_err_and(|error| {
                let severity = error.as_db_error().and_then(tokio_postgres::error::DbError::parsed_severity);
                !matches!(severity, Some(Severity::Error))
            });
            answer
        });
        self.broken = ends || matches!(done, Err(DbError::Io(_)));
        done
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, DbError> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.ask(|client| client.prepare(sql))?;
        self.statements.insert(sql.to_string(), statement.clone());
        Ok(statement)
    }
}

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null => return Ok(IsNull::Yes),
            Value::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Value::Text(value) => out.extend_from_slice(value.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            _ => Value::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::INT2].contains(ty) || <String as FromSql>::accepts(ty)
    }
}

impl Connection for Postgres {
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, DbError> {
        let statement = self.prepare(sql)?;
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|value| value as _).collect();
        let rows = self.ask(|client| async move { client.query(&statement, &parameters).await })?;
        let value = |row: &tokio_postgres::Row, at: usize| {
            row.try_get(at).map_err(|_| DbError::Column(at, "an integer or text"))
        };
        let row =
            |row| Ok(Row((0..tokio_postgres::Row::len(&row)).map(|at| value(&row, at)).collect::<Result<_, _>>()?));
        rows.into_iter().map(row).collect()
    }

    fn execute_each(&mut self, sql: &str, parameters: &[Vec<Value>]) -> Result<u64, DbError> {
        let statement = &self.prepare(sql)?;
        let mut changed = 0;
        for chunk in parameters.chunks(PIPELINE) {
            let counts = self.ask(|client| try_join_all(chunk.iter().map(|set| client.execute_raw(statement, set))))?;
            changed += counts.iter().sum::<u64>();
        }
        Ok(changed)
    }

    fn script(&mut self, sql: &str) -> Result<(), DbError> {
        self.ask(|client| client.batch_execute(sql))
    }

    fn begin(&mut self, writes: bool) -> Result<(), DbError> {
        self.script(if writes { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" })?;
        self.in_transaction = true;
        Ok(())
    }

    fn end(&mut self, keep: bool) -> Result<(), DbError> {
        self.script(if keep { "COMMIT" } else { "ROLLBACK" })?;
        self.in_transaction = false;
        Ok(())
    }

    fn is_alive(&self) -> bool {
        !self.broken && !self.in_transaction && !self.client.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        thread,
        time::Instant,
    };

    use super::*;

    /// A server that lets anybody in and then says what it is told, and a connection to it.
    fn connected() -> (TcpStream, Postgres) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let accepting = thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let _ = stream.read(&mut [0; 1_024]).unwrap();
            // `AuthenticationOk` and `ReadyForQuery`.
            stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 0, b'Z', 0, 0, 0, 5, b'I']).unwrap();
            stream
        });
        let url = PgUrl::parse(&format!("postgres://a@127.0.0.1:{port}/b?sslmode=disable")).unwrap();
        let client = Postgres::connect(&url).unwrap();
        (accepting.join().unwrap(), client)
    }

    #[test]
    fn after_a_timeout_no_late_answer_is_taken_for_the_next() {
        let (mut server, mut client) = connected();
        client.answer_within = Duration::from_millis(20);
        let error = client.script("SELECT 1").unwrap_err();
        assert!(matches!(&error, DbError::Io(error) if error.kind() == io::ErrorKind::TimedOut), "{error}");
        // `ReadyForQuery` for the first one comes now.
        server.write_all(&[b'Z', 0, 0, 0, 5, b'I']).unwrap();
        assert!(client.script("SELECT 2").is_err());
        assert!(!client.is_alive());
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let url = PgUrl::parse(&format!("postgres://a@127.0.0.1:{port}/b?connect_timeout=1")).unwrap();
        let began = Instant::now();
        assert!(
            matches!(Postgres::connect(&url).err(), Some(DbError::Io(error)) if error.kind() == io::ErrorKind::TimedOut)
        );
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
