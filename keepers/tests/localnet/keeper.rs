//! A keeper's process, its log and its HTTP server.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Child, Command},
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;

use crate::world::World;

/// Longer than finishing what is under way takes.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// Writes a key as keepers want it: readable by its owner only.
pub fn write_key(key: &Keypair, path: &Path) {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(serde_json::to_string(&key.to_bytes().to_vec()).unwrap().as_bytes()).unwrap();
}

/// A running keeper. Dropping it kills it.
pub struct Keeper {
    child: Mutex<Child>,
    command: Mutex<Command>,
    directory: TempDir,
    http: String,
}

impl Keeper {
    /// Starts a keeper with a key and SOL and dollars of its own.
    pub fn start(world: &World, arguments: &[&str]) -> Keeper {
        Self::start_at(world, world.rpc_url(), world.ws_url(), arguments)
    }

    /// As [`start`](Self::start), at other endpoints.
    pub fn start_at(world: &World, rpc_url: &str, ws_url: &str, arguments: &[&str]) -> Keeper {
        let key = Keypair::new();
        world.enrich(&key.pubkey(), 100_000);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        write_key(&key, &path);
        let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ballast-keeper"));
        command
            .args(["--rpc-url", rpc_url, "--ws-url", ws_url, "--metrics-addr", &http])
            .args(["--log-format", "json", "--log", "info,ballast_keeper=debug"])
            .args(["--repair-interval-s", "5", "--jitter-ms", "50", "--keypair"])
            .arg(&path)
            .args(arguments)
            .stderr(File::create(directory.path().join("log")).unwrap());
        let child = Mutex::new(command.spawn().unwrap());
        Keeper { child, command: Mutex::new(command), directory, http }
    }

    /// Where it serves its metrics.
    pub fn address(&self) -> &str {
        &self.http
    }

    /// Ends it as a loss of power would.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it again with the same key, and its log after the old one's.
    pub fn restart(&self) {
        *self.child.lock().unwrap() = self.command.lock().unwrap().spawn().unwrap();
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// The fields of its actions so far.
    pub fn actions(&self) -> Vec<Value> {
        if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
            panic!("the keeper ended by itself: {status}\n{}", self.log());
        }
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["target"] == "action").map(|mut line| line["fields"].take()).collect()
    }

    /// Its answer to a request; empty when there is none.
    pub fn asks(&self, path: &str) -> String {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(&self.http) {
            let request = format!("GET {path} HTTP/1.1\r\nhost: keeper\r\nconnection: close\r\n\r\n");
            if stream.write_all(request.as_bytes()).is_ok() {
                let _ = stream.read_to_string(&mut answer);
            }
        }
        answer
    }

    /// Its metrics.
    pub fn metrics(&self) -> String {
        self.asks("/metrics")
    }

    /// Asks it to stop, and sees that it does so in order.
    pub fn stop(&self) {
        let mut child = self.child.lock().unwrap();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let began = Instant::now();
        loop {
            match child.try_wait().unwrap() {
                Some(status) => {
                    assert!(status.success(), "{status}\n{}", self.log());
                    return;
                }
                None => assert!(began.elapsed() < STOPS_WITHIN, "the keeper does not stop\n{}", self.log()),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}
