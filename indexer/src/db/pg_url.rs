//! `postgres://` URLs, as libpq has them.

use std::{error::Error as _, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DbError, tls};

/// Options where the URL says nothing. A server that is gone without a word is noticed by the second probe that it does not
/// answer.
const DEFAULTS: [(&str, &str); 5] = [
    ("application_name", "ballast-indexer"),
    ("connect_timeout", "10"),
    ("keepalives_idle", "60"),
    ("keepalives_interval", "15"),
    ("keepalives_retries", "2"),
];

/// Where a PostgreSQL server is, who asks, and whom to trust.
#[derive(Clone)]
pub struct PgUrl {
    config: Config,
    tls: MakeRustlsConnect,
}

/// Without the password.
impl std::fmt::Debug for PgUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (user, database) = (self.config.get_user(), self.config.get_dbname());
        let (hosts, ports) = (self.config.get_hosts(), self.config.get_ports());
        write!(f, "PostgreSQL at {hosts:?}:{ports:?}, database {database:?}, user {user:?}")
    }
}

impl PgUrl {
    /// From `postgres://user:password@host:port/database?option=value`, each part percent-encoded; `?host=/directory` names a
    /// local socket's directory. Several hosts, separated by commas, are tried in turn.
    ///
    /// # Errors
    /// When it is malformed, has an option that is not known, or names certificates that cannot be read.
    pub fn parse(text: &str) -> Result<PgUrl, DbError> {
        let malformed = |what: String| DbError::Url(format!("postgres://…: {what}"));
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut root) = (None, None);
        let mut options = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = percent_decode_str(value).decode_utf8_lossy();
            match name {
                "sslmode" => mode = Some(decoded),
                "sslrootcert" => root = Some(decoded),
                _ => options.push((name, value)),
            }
        }
        let unsaid = DEFAULTS.into_iter().filter(|(name, _)| !options.iter().any(|(said, _)| said == name));
        let options: Vec<String> =
            options.iter().copied().chain(unsaid).map(|(name, value)| format!("{name}={value}")).collect();
        let config = format!("{address}?{}", options.join("&")).parse();
        let mut config: Config = config.map_err(|error: tokio_postgres::Error| {
            malformed(error.source().map_or_else(|| error.to_string(), ToString::to_string))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        let (mode, tls) = tls::choose(mode.as_deref(), root.as_deref()).map_err(malformed)?;
        // Nobody listens in on a local socket, and servers speak no TLS there.
        let local =
            config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        config.ssl_mode(if local { SslMode::Disable } else { mode });
        Ok(PgUrl { config, tls })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    /// How long one address may take to accept a connection; `None` is without a limit.
    pub(super) fn connect_within(&self) -> Option<Duration> {
        self.config.get_connect_timeout().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = PgUrl::parse("postgres://me:p%40ss@db.example:6432/ballast?sslmode=disable").unwrap();
        assert_eq!(url.config.get_hosts(), [Host::Tcp("db.example".to_string())]);
        assert_eq!((url.config.get_ports(), url.config.get_password()), (&[6432][..], Some(&b"p@ss"[..])));
        assert_eq!((url.config.get_user(), url.config.get_dbname()), (Some("me"), Some("ballast")));
        assert_eq!(url.config.get_ssl_mode(), SslMode::Disable);
        assert!(!format!("{url:?}").contains("p@ss"), "passwords are not logged");
        let url = PgUrl::parse("postgresql://me@/ballast?host=/tmp/x&sslmode=verify-ca&connect_timeout=3").unwrap();
        assert_eq!(url.config.get_hosts(), [Host::Unix("/tmp/x".into())]);
        assert_eq!(url.config.get_ssl_mode(), SslMode::Disable, "a local socket speaks no TLS");
        assert_eq!(url.connect_within(), Some(Duration::from_secs(3)));
        let url = PgUrl::parse("postgres://me@[::1]:5/x").unwrap();
        assert_eq!(url.config.get_hosts(), [Host::Tcp("::1".to_string())]);
        assert_eq!(url.config.get_ssl_mode(), SslMode::Prefer);
        assert_eq!(PgUrl::parse("postgres://me@/x").unwrap().config.get_hosts(), [Host::Tcp("localhost".to_string())]);
    }

    #[test]
    fn a_malformed_url_is_refused_without_its_password() {
        for (url, said) in [
            ("postgres://a:hidden@b/c?what=1", "what"),
            ("postgres://a:hidden@b:port/c", "port"),
            ("postgres://a:hidden@b/c?connect_timeout=soon", "connect_timeout"),
            ("postgres://a:hidden@b/c?sslmode=safe", "sslmode=safe"),
        ] {
            let error = PgUrl::parse(url).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("hidden"), "{error}");
        }
    }
}
