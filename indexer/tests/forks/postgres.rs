//! PostgreSQL: holds what SQLite does, may be restarted, and is spoken to over TLS with what libpq's users expect of it.

use super::*;
use crate::server::{Server, Tls};

/// Where checks are run there is a server; elsewhere it is said, not failed.
fn found<T>(server: Result<T, String>) -> Option<T> {
    match server {
        Ok(server) => Some(server),
        Err(why) if std::env::var_os("CI").is_none() => {
            eprintln!("PostgreSQL is not tested: {why}");
            None
        }
        Err(why) => panic!("{why}"),
    }
}

/// What the interface's queries say.
fn answers(place: &Place) -> Vec<String> {
    let mut db = place.connect().unwrap();
    let (db, markets) = (db.as_mut(), Markets::new(&EXCHANGE));
    let mut all = vec![format!("{:?}", read::progress(db).unwrap())];
    let mut before = None;
    for _ in 0..4 {
        let trades = read::trades(db, 0, before, 3).unwrap();
        before = trades.last().map(|trade| trade.head.id.parse().unwrap());
        all.push(format!("{trades:?}"));
    }
    for subject in [account(0), account(1), EXCHANGE].map(|key| key.to_string()) {
        for list in [None, Some("orders"), Some("fills"), Some("transfers"), Some("insurance")] {
            all.push(format!("{:?}", read::entries(db, &subject, list, before, 7).unwrap()));
            all.push(format!("{:?}", read::entries(db, &subject, list, None, 1_000).unwrap()));
        }
    }
    all.push(format!("{:?}", read::candles(db, 0, 60, i64::MIN, i64::MAX, 20).unwrap()));
    let first = db.one("SELECT tx, event, kind FROM events ORDER BY tx, event LIMIT 1", &[]).unwrap();
    if let Some(row) = first {
        let id = Id { tx: Tx(row.int(0).unwrap()), event: row.int(1).unwrap(), part: 0 };
        all.push(format!("{:?}", read::event(db, id, row.text(2).unwrap(), &markets).unwrap().unwrap()));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_holds_and_answers_what_sqlite_does() {
    let Some(server) = found(Server::start()) else { return };
    let mut runner = TestRunner::deterministic();
    for case in 0..6 {
        let steps = vec(step(), 30..60).new_tree(&mut runner).unwrap().current();
        let folder = tempfile::tempdir().unwrap();
        let sqlite = files(folder.path());
        let postgres = ["followed", "fresh"].map(|name| server.create(&format!("ballast_test_{name}_{case}")));
        let postgres = postgres.map(|url| Place::parse(&url).unwrap());
        assert_eq!(play(&steps, &sqlite).await, play(&steps, &postgres).await, "{steps:?}");
        assert_eq!(answers(&sqlite[0]), answers(&postgres[0]), "{steps:?}");
    }
}

/// The indexer is not ended by it, nor has to be started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_survives_a_restart_of_postgresql() {
    let Some(mut server) = found(Server::start()) else { return };
    let place = &Place::parse(&server.create("ballast_test_restart")).unwrap();
    let script = Arc::new(Script::default());
    let mut cluster = Cluster { script: script.clone(), newest: 0, number: 0 };
    cluster.block(&[(2, 1, false)]);
    cluster.change(|view| (view.confirmed, view.finalized) = (1, 1));
    let mut following = follower(&script, place);
    following.pass(Finality::Finalized).await.unwrap();
    if !server.restart() {
        return eprintln!("a server that others use is not restarted");
    }
    cluster.block(&[(2, 2, false)]);
    cluster.change(|view| (view.confirmed, view.finalized) = (2, 2));
    let error = following.pass(Finality::Finalized).await.unwrap_err();
    assert!(!error.is_final(), "{error}");
    following.pass(Finality::Finalized).await.unwrap();
    assert_eq!(tables(place)["events"].len(), 6);

    // Who has taken over meanwhile is still noticed.
    assert!(server.restart());
    let mut second = follower(&script, place);
    assert!(!following.pass(Finality::Finalized).await.unwrap_err().is_final());
    assert!(following.pass(Finality::Finalized).await.unwrap_err().is_final());
    second.pass(Finality::Finalized).await.unwrap();
}

/// How the connection of this URL is encrypted.
fn encryption(url: &str) -> Result<String, DbError> {
    let sql = "SELECT CASE WHEN ssl THEN version ELSE 'none' END FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let mut db = Place::parse(url).unwrap().connect()?;
    let row = db.one(sql, &[])?.unwrap();
    Ok(row.text(0)?.to_string())
}

#[test]
fn a_servers_certificate_is_checked_as_sslmode_says() {
    let Some(Tls { server, port, certificate, other }) = found(Server::start_with_tls()) else { return };
    let (right, wrong) = (certificate.display(), other.display());
    let ask = |host: &str, options: &str| encryption(&format!("postgres://test@{host}:{port}/postgres{options}"));
    for (host, options) in [
        ("localhost", String::new()),
        ("localhost", "?sslmode=require".to_string()),
        ("127.0.0.1", format!("?sslmode=require&sslrootcert={right}")),
        ("127.0.0.1", format!("?sslmode=verify-ca&sslrootcert={right}")),
        ("localhost", format!("?sslmode=verify-full&sslrootcert={right}")),
    ] {
        assert_eq!(ask(host, &options).unwrap(), "TLSv1.3", "{options}");
    }
    assert_eq!(ask("localhost", "?sslmode=disable").unwrap(), "none");
    for (host, options, why) in [
        // The certificate is for localhost.
        ("127.0.0.1", format!("?sslmode=verify-full&sslrootcert={right}"), "NotValidForName"),
        // No authority of the system has signed it, nor that other one.
        ("localhost", "?sslmode=verify-full".to_string(), "UnknownIssuer"),
        ("localhost", format!("?sslmode=verify-full&sslrootcert={wrong}"), "UnknownIssuer"),
        ("localhost", format!("?sslmode=require&sslrootcert={wrong}"), "UnknownIssuer"),
    ] {
        let error = ask(host, &options).unwrap_err().to_string();
        // In words or by its name, as the library has it.
        let said = error.contains(why) || error.contains("not valid for name");
        assert!(said, "{options}: {error}");
    }

    // A password over TLS, where the server takes it no other way.
    let mut db = Place::parse(&server.database("postgres")).unwrap().connect().unwrap();
    db.script("CREATE ROLE reader LOGIN PASSWORD 'right'").unwrap();
    let log_in = |password: &str, mode: &str| {
        encryption(&format!("postgres://reader:{password}@localhost:{port}/postgres?sslmode={mode}"))
    };
    assert_eq!(log_in("right", "prefer").unwrap(), "TLSv1.3");
    for (password, mode) in [("wrong", "require"), ("right", "disable")] {
        let error = log_in(password, mode).unwrap_err();
        assert!(matches!(&error, DbError::Postgres { code, .. } if code.starts_with("28")), "{error}");
        assert!(!error.to_string().contains(&format!(":{password}")), "{error}");
    }

    // A server that speaks no TLS gets what may be said in the clear, and no more.
    db.script("ALTER SYSTEM SET ssl = off").unwrap();
    db.query("SELECT CASE WHEN pg_reload_conf() THEN 1 ELSE 0 END", &[]).unwrap();
    let began = std::time::Instant::now();
    while ask("localhost", "").unwrap() != "none" {
        assert!(began.elapsed() < Duration::from_secs(60), "the server goes on with TLS");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(ask("localhost", "?sslmode=require").unwrap_err().to_string().contains("does not support TLS"));
}
