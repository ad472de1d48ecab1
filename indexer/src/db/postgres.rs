//! A small blocking client of PostgreSQL over the `postgres-protocol` crate, which brings the messages and SCRAM.
//!
//! Parameters and results travel as text, statements are prepared once a connection. The asynchronous client crates are not
//! used because they change the features of crates that all of Solana's are built on. There is no TLS: connect over a
//! local socket or a private network, or through a proxy that speaks it.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::unix::net::UnixStream,
    time::Duration,
};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::{
    IsNull,
    authentication::{
        md5_hash,
        sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    },
    message::{
        backend::{ErrorResponseBody, Message},
        frontend,
    },
};

use super::{Connection, DbError, Row, Value};

/// How long the server may take to answer one message.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// How long connecting may take, each step of it, where the URL says no `connect_timeout`.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Statements sent before their answers are read: what is answered meanwhile must fit the sockets' buffers.
const PIPELINE: usize = 500;
/// Type numbers of integers: `int8`, `int2`, `int4`.
const INTEGERS: [u32; 3] = [20, 21, 23];

/// Where a PostgreSQL server is and who asks.
#[derive(Clone)]
pub struct PgUrl {
    host: String,
    port: u16,
    user: String,
    password: String,
    database: String,
    /// How long connecting may take, each step of it.
    connect_within: Duration,
}

impl std::fmt::Debug for PgUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "postgres://{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

impl PgUrl {
    /// From `postgres://user:password@host:port/database`; `?host=/directory` names a local socket's directory.
    ///
    /// # Errors
    /// When it is malformed, or asks for TLS.
    pub fn parse(text: &str) -> Result<PgUrl, DbError> {
        let malformed = |what: &str| DbError::Url(format!("postgres://…: {what}"));
        let parsed = split_url(text).ok_or_else(|| malformed("expected postgres://user@host:port/database"))?;
        let (mut url, options) = parsed;
        for (name, value) in options {
            match (name.as_str(), value.as_str()) {
                ("host", host) => url.host = host.to_string(),
                ("sslmode", "disable" | "allow" | "prefer") => {}
                ("sslmode", _) => return Err(malformed("this client speaks no TLS; use a local socket or a proxy")),
                ("connect_timeout", seconds) => {
                    let seconds = seconds.parse().map_err(|_| malformed("connect_timeout is a number of seconds"))?;
                    // As elsewhere, 0 is no limit but that of an answer.
                    url.connect_within = if seconds == 0 { ANSWER_WITHIN } else { Duration::from_secs(seconds) };
                }
                ("application_name", _) => {}
                _ => return Err(malformed(&format!("the option {name} is not known"))),
            }
        }
        Ok(url)
    }
}

/// Splits the URL's parts; each may be percent-encoded.
fn split_url(text: &str) -> Option<(PgUrl, Vec<(String, String)>)> {
    let rest = text.strip_prefix("postgres://").or(text.strip_prefix("postgresql://"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (address, 5432),
    };
    let user = match decoded(user)? {
        user if user.is_empty() => std::env::var("USER").unwrap_or_else(|_| "postgres".to_string()),
        user => user,
    };
    let database = decoded(database)?;
    let options = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((decoded(name)?, decoded(value)?))
    });
    let host = match decoded(host)? {
        host if host.is_empty() => "localhost".to_string(),
        host => host.trim_matches(['[', ']']).to_string(),
    };
    let database = if database.is_empty() { user.clone() } else { database };
    let url = PgUrl { host, port, user, password: decoded(password)?, database, connect_within: CONNECT_WITHIN };
    Some((url, options.collect::<Option<_>>()?))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

trait Stream: Read + Write + Send {
    /// How long one read or write may take.
    fn limit(&self, within: Duration) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn limit(&self, within: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(within))?;
        self.set_write_timeout(Some(within))
    }
}

impl Stream for UnixStream {
    fn limit(&self, within: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(within))?;
        self.set_write_timeout(Some(within))
    }
}

/// Connects to the first of the host's addresses that answers, each within the time.
fn dial(url: &PgUrl) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (url.host.as_str(), url.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, url.connect_within) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

pub(super) struct Postgres {
    stream: Box<dyn Stream>,
    received: BytesMut,
    /// Prepared statements: their name, and which columns are integers.
    statements: HashMap<String, (String, Vec<bool>)>,
    broken: bool,
    /// `I` outside of a transaction.
    state: u8,
}

fn refused(body: &ErrorResponseBody) -> DbError {
    let (mut code, mut message) = (String::new(), String::new());
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = String::from_utf8_lossy(field.value_bytes());
        match field.type_() {
            b'C' => code = value.into_owned(),
            b'M' => message = value.into_owned(),
            b'D' => message = format!("{message}: {value}"),
            _ => {}
        }
    }
    DbError::Postgres { code, message }
}

fn unexpected(what: &str) -> DbError {
    DbError::Io(io::Error::new(io::ErrorKind::InvalidData, what.to_string()))
}

impl Postgres {
    pub(super) fn connect(url: &PgUrl) -> Result<Postgres, DbError> {
        let stream: Box<dyn Stream> = if url.host.starts_with('/') {
            Box::new(UnixStream::connect(format!("{}/.s.PGSQL.{}", url.host, url.port))?)
        } else {
            let stream = dial(url)?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        };
        stream.limit(url.connect_within)?;
        let mut client =
            Postgres { stream, received: BytesMut::new(), statements: HashMap::new(), broken: false, state: b'I' };
        let parameters = [
            ("user", url.user.as_str()),
            ("database", url.database.as_str()),
            ("client_encoding", "UTF8"),
            ("application_name", "ballast-indexer"),
        ];
        client.send(|buf| frontend::startup_message(parameters, buf))?;
        client.authenticate(url)?;
        client.until_ready(|_| Ok(()))?;
        client.stream.limit(ANSWER_WITHIN)?;
        Ok(client)
    }

    fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Result<(), DbError> {
        let mut buf = BytesMut::new();
        write(&mut buf)?;
        self.whole()?;
        let sent = self.stream.write_all(&buf).and_then(|()| self.stream.flush());
        self.broken = sent.is_err();
        Ok(sent?)
    }

    /// Refuses once something was cut short: what comes next would be the answer to something else.
    fn whole(&self) -> Result<(), DbError> {
        match self.broken {
            true => Err(DbError::Io(io::Error::new(io::ErrorKind::NotConnected, "the connection was given up"))),
            false => Ok(()),
        }
    }

    fn receive(&mut self) -> Result<Message, DbError> {
        self.whole()?;
        let message = self.next_message();
        self.broken = message.is_err();
        message
    }

    fn next_message(&mut self) -> Result<Message, DbError> {
        loop {
            if let Some(message) = Message::parse(&mut self.received)? {
                match message {
                    Message::NoticeResponse(_) | Message::ParameterStatus(_) | Message::NotificationResponse(_) => {}
                    message => return Ok(message),
                }
                continue;
            }
            let mut chunk = [0; 16_384];
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Err(DbError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            self.received.extend_from_slice(&chunk[..count]);
        }
    }

    fn authenticate(&mut self, url: &PgUrl) -> Result<(), DbError> {
        loop {
            match self.receive()? {
                Message::AuthenticationOk => return Ok(()),
                Message::AuthenticationCleartextPassword => {
                    self.send(|buf| frontend::password_message(url.password.as_bytes(), buf))?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(url.user.as_bytes(), url.password.as_bytes(), body.salt());
                    self.send(|buf| frontend::password_message(hash.as_bytes(), buf))?;
                }
                Message::AuthenticationSasl(_) => self.scram(url)?,
                Message::ErrorResponse(body) => return Err(refused(&body)),
                _ => return Err(unexpected("the server asks for a kind of authentication that is not known")),
            }
        }
    }

    fn scram(&mut self, url: &PgUrl) -> Result<(), DbError> {
        let mut scram = ScramSha256::new(url.password.as_bytes(), ChannelBinding::unsupported());
        self.send(|buf| frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), buf))?;
        match self.receive()? {
            Message::AuthenticationSaslContinue(body) => scram.update(body.data())?,
            Message::ErrorResponse(body) => return Err(refused(&body)),
            _ => return Err(unexpected("SCRAM was not continued")),
        }
        self.send(|buf| frontend::sasl_response(scram.message(), buf))?;
        match self.receive()? {
            Message::AuthenticationSaslFinal(body) => Ok(scram.finish(body.data())?),
            Message::ErrorResponse(body) => Err(refused(&body)),
            _ => Err(unexpected("SCRAM was not finished")),
        }
    }

    /// Reads answers until the server is ready for more. The first refusal is returned then, so that the connection stays
    /// good.
    fn until_ready(&mut self, mut each: impl FnMut(Message) -> Result<(), DbError>) -> Result<(), DbError> {
        let mut failed = None;
        loop {
            match self.receive()? {
                Message::ReadyForQuery(body) => {
                    self.state = body.status();
                    return failed.map_or(Ok(()), Err);
                }
                Message::ErrorResponse(body) => {
                    failed.get_or_insert(refused(&body));
                }
                message => {
                    if failed.is_none()
                        && let Err(error) = each(message)
                    {
                        failed = Some(error);
                    }
                }
            }
        }
    }

    fn prepare(&mut self, sql: &str) -> Result<(String, Vec<bool>), DbError> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let name = format!("s{}", self.statements.len());
        self.send(|buf| {
            frontend::parse(&name, sql, [], buf)?;
            frontend::describe(b'S', &name, buf)?;
            frontend::sync(buf);
            Ok(())
        })?;
        let mut integers = Vec::new();
        self.until_ready(|message| {
            if let Message::RowDescription(body) = message {
                let mut fields = body.fields();
                while let Some(field) = fields.next()? {
                    integers.push(INTEGERS.contains(&field.type_oid()));
                }
            }
            Ok(())
        })?;
        self.statements.insert(sql.to_string(), (name.clone(), integers.clone()));
        Ok((name, integers))
    }
}

fn bind(name: &str, parameters: &[Value], buf: &mut BytesMut) -> io::Result<()> {
    let serialise = |value: &Value, buf: &mut BytesMut| {
        match value {
            Value::Null => return Ok(IsNull::Yes),
            Value::Int(value) => buf.extend_from_slice(value.to_string().as_bytes()),
            Value::Text(value) => buf.extend_from_slice(value.as_bytes()),
        }
        Ok(IsNull::No)
    };
    frontend::bind("", name, [], parameters, serialise, [], buf).map_err(|error| match error {
        frontend::BindError::Conversion(error) => io::Error::other(error),
        frontend::BindError::Serialization(error) => error,
    })?;
    frontend::execute("", 0, buf)
}

impl Connection for Postgres {
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, DbError> {
        let (name, integers) = self.prepare(sql)?;
        self.send(|buf| {
            bind(&name, parameters, buf)?;
            frontend::sync(buf);
            Ok(())
        })?;
        let mut rows = Vec::new();
        self.until_ready(|message| {
            let Message::DataRow(body) = message else { return Ok(()) };
            let (mut ranges, mut values) = (body.ranges(), Vec::with_capacity(integers.len()));
            while let Some(range) = ranges.next()? {
                let at = values.len();
                values.push(match range {
                    None => Value::Null,
                    Some(range) => {
                        let text = body.buffer().get(range).unwrap_or_default();
                        let text = std::str::from_utf8(text).map_err(|_| DbError::Column(at, "UTF-8"))?;
                        match integers.get(at) {
                            Some(true) => Value::Int(text.parse().map_err(|_| DbError::Column(at, "an integer"))?),
                            _ => Value::Text(text.to_string()),
                        }
                    }
                });
            }
            rows.push(Row(values));
            Ok(())
        })?;
        Ok(rows)
    }

    fn execute_each(&mut self, sql: &str, parameters: &[Vec<Value>]) -> Result<u64, DbError> {
        let (name, _) = self.prepare(sql)?;
        let mut changed = 0;
        for chunk in parameters.chunks(PIPELINE) {
            self.send(|buf| {
                for set in chunk {
                    bind(&name, set, buf)?;
                }
                frontend::sync(buf);
                Ok(())
            })?;
            self.until_ready(|message| {
                if let Message::CommandComplete(body) = message {
                    let rows = body.tag()?.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok());
                    changed += rows.unwrap_or(0);
                }
                Ok(())
            })?;
        }
        Ok(changed)
    }

    fn script(&mut self, sql: &str) -> Result<(), DbError> {
        self.send(|buf| frontend::query(sql, buf))?;
        self.until_ready(|_| Ok(()))
    }

    fn begins(&self) -> (&'static str, &'static str) {
        ("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    fn is_alive(&self) -> bool {
        !self.broken && self.state == b'I'
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if !self.broken {
            let _ = self.send(|buf| {
                frontend::terminate(buf);
                Ok(())
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = PgUrl::parse("postgres://me:p%40ss@db.example:6432/ballast?sslmode=disable").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.password.as_str()), ("db.example", 6432, "p@ss"));
        assert_eq!((url.user.as_str(), url.database.as_str()), ("me", "ballast"));
        assert!(!format!("{url:?}").contains("p@ss"), "passwords are not logged");
        let socket = PgUrl::parse("postgresql://me@/ballast?host=/tmp/x").unwrap();
        assert_eq!((socket.host.as_str(), socket.port), ("/tmp/x", 5432));
        assert_eq!(PgUrl::parse("postgres://me@[::1]:5/x").unwrap().host, "::1");
    }

    #[test]
    fn after_a_timeout_no_late_answer_is_taken_for_the_next() {
        let (stream, mut server) = UnixStream::pair().unwrap();
        stream.limit(Duration::from_millis(20)).unwrap();
        let mut client = Postgres {
            stream: Box::new(stream),
            received: BytesMut::new(),
            statements: HashMap::new(),
            broken: false,
            state: b'I',
        };
        let error = client.script("SELECT 1").unwrap_err();
        assert!(matches!(&error, DbError::Io(error) if error.kind() == io::ErrorKind::WouldBlock), "{error}");
        // `ReadyForQuery` for the first one comes now.
        server.write_all(&[b'Z', 0, 0, 0, 5, b'I']).unwrap();
        assert!(client.script("SELECT 2").is_err());
        assert!(!client.is_alive());
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let url = PgUrl::parse(&format!("postgres://a@127.0.0.1:{port}/b?connect_timeout=1")).unwrap();
        let began = std::time::Instant::now();
        assert!(Postgres::connect(&url).is_err());
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(PgUrl::parse("postgres://a@b/c?connect_timeout=soon").is_err());
    }

    #[test]
    fn what_cannot_be_kept_is_not_promised() {
        for url in ["postgres://a@b/c?sslmode=require", "postgres://a@b/c?what=1", "postgres://a@b:port/c"] {
            assert!(PgUrl::parse(url).is_err(), "{url}");
        }
    }
}
