//! An indexer's process, and what it answers.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use ballast_indexer::db::{Place, Row};
use serde_json::Value;

use crate::world::{PATIENCE, World};

/// A running indexer. Dropping it kills it.
pub struct Indexer {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Indexer {
    /// Starts one for a network, with these tables.
    pub fn start(world: &World, database: &str, log: &Path) -> Indexer {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_ballast-indexer"))
            .args(["--rpc-url", world.rpc_url(), "--ws-url", world.ws_url(), "--listen", &address])
            .args(["--database-url", database, "--exchange", &world.exchange().to_string()])
            .stderr(file)
            .spawn()
            .unwrap();
        Indexer { child, address, log: log.to_path_buf() }
    }

    /// The status and the body of an answer; `None` while it does not serve.
    pub fn ask(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_string()))
    }

    /// What it answers with 200.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(path).unwrap_or_else(|| panic!("{path}: no answer; {}", self.log()));
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Waits until everything up to a slot is in its tables, for good.
    pub fn until_final(&self, slot: u64) {
        let began = Instant::now();
        loop {
            if let Some((200, body)) = self.ask("/v1/status") {
                let status: Value = serde_json::from_str(&body).unwrap();
                if status["finalized_slot"].as_u64().unwrap() >= slot && status["caught_up"] == true {
                    return;
                }
            }
            assert!(began.elapsed() < PATIENCE, "not caught up: {:?}; {}", self.ask("/v1/status"), self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and sees that it does so well.
    pub fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not stop");
            thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{}", self.log());
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the indexer's command `rebuild`.
pub fn rebuild(database: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast-indexer"));
    let output = command.args(["rebuild", "--database-url", database]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// All rows of all tables that say something of the exchange.
pub fn tables(database: &str) -> BTreeMap<&'static str, Vec<Row>> {
    let mut db = Place::parse(database).unwrap().connect().unwrap();
    let names = ["transactions", "events", "entries", "trades", "candles", "seats", "positions", "resting"];
    let mut all = |name| {
        let mut rows = db.query(&format!("SELECT * FROM {name}"), &[]).unwrap();
        rows.sort();
        (name, rows)
    };
    names.into_iter().map(&mut all).collect()
}
