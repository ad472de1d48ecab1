//! Keepers: separate processes, talking to the node over its network ports like any operator's.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{Faucet, Localnet, LocalnetError, processes::Processes};

/// The roles, a process each. None posts prices: whoever plays them here writes the oracle accounts, and brings what is in them into
/// the markets.
pub const ROLES: [&str; 5] = ["liquidator", "deleverager", "triggers", "settler", "monitor"];
/// SOL of each keeper, in lamports.
const LAMPORTS: u64 = 100_000_000_000;
/// Dollars of each keeper, in atoms: what a liquidator takes positions over with.
const ATOMS: u64 = 150_000_000_000;

/// Starts keepers and remembers where their logs are.
pub struct Keepers {
    binary: PathBuf,
    rpc_url: String,
    ws_url: String,
    exchange: Pubkey,
    takers: bool,
    processes: Processes,
    written: Vec<PathBuf>,
}

/// One action from a keeper's log.
#[derive(Clone, Debug)]
pub struct Action {
    /// What it did.
    pub kind: String,
    /// Slots from the update that made it due to the block in which it landed.
    pub slots: u64,
}

impl Keepers {
    /// Prepares to start keepers of a network's exchange; `logs` is made empty.
    ///
    /// # Errors
    /// When there is no such binary, or no such folder can be.
    pub fn new(binary: &Path, logs: &Path, localnet: &Localnet, exchange: Pubkey) -> Result<Self, LocalnetError> {
        if !binary.exists() {
            let problem = format!("is not at {}; `cargo build --workspace --bins` makes it", binary.display());
            return Err(LocalnetError::Process { name: "the keeper".into(), problem });
        }
        Ok(Keepers {
            binary: binary.to_owned(),
            rpc_url: localnet.rpc_url().to_owned(),
            ws_url: localnet.ws_url().to_owned(),
            exchange,
            takers: true,
            processes: Processes::new(logs)?,
            written: Vec::new(),
        })
    }

    /// Keepers that are started from now on take no position over: what the book does not close is deleveraged.
    pub fn without_takers(&mut self) {
        self.takers = false;
    }

    /// Starts one keeper of every role but the poster's, each with a key, SOL and dollars of its own. Returns where they serve `/metrics`,
    /// `/health` and `/ready`.
    ///
    /// # Errors
    /// When the faucet fails or a process cannot be started.
    pub fn start_set(&mut self, faucet: &Faucet) -> Result<Vec<String>, LocalnetError> {
        let mut served = Vec::new();
        for role in ROLES {
            let name = format!("{role}-{}", self.written.len());
            let key = Keypair::new();
            faucet.airdrop(&key.pubkey(), LAMPORTS)?;
            faucet.mint_to(&key.pubkey(), ATOMS)?;
            let key_file = self.processes.folder().join(format!("{name}.json"));
            write_key(&key_file, &key)?;
            let address = free_address()?;
            let mut command = Command::new(&self.binary);
            command
                .args(["--roles", role, "--rpc-url", &self.rpc_url, "--ws-url", &self.ws_url])
                .args(["--exchange", &self.exchange.to_string(), "--log-format", "json", "--metrics-addr", &address])
                .arg("--keypair")
                .arg(&key_file)
                .args(flags(role, self.takers));
            self.written.push(self.processes.start(&name, &mut command)?);
            served.push(format!("http://{address}"));
        }
        Ok(served)
    }

    /// How many run.
    ///
    /// # Errors
    /// When one has ended by itself.
    pub fn check(&mut self) -> Result<usize, LocalnetError> {
        self.processes.check()
    }

    /// Kills all of them, as a power failure would.
    ///
    /// # Errors
    /// When one cannot be killed.
    pub fn kill(&mut self) -> Result<(), LocalnetError> {
        self.processes.kill()
    }

    /// Asks all of them to end, and waits.
    ///
    /// # Errors
    /// When some did not in time.
    pub fn stop(&mut self) -> Result<(), LocalnetError> {
        self.processes.stop()
    }

    /// The actions that landed, from the logs of all keepers.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn actions(&self) -> Result<Vec<Action>, LocalnetError> {
        let mut actions = Vec::new();
        for log in &self.written {
            let lines = BufReader::new(File::open(log)?).lines().map_while(Result::ok);
            actions.extend(lines.filter_map(|line| action(&line)));
        }
        Ok(actions)
    }
}

/// Flags that suit a network whose clock may run fast, and whose SOL is worth nothing. A liquidator that is a taker takes positions over with what it was
/// given, and sells them again.
fn flags(role: &str, taker: bool) -> Vec<String> {
    let mut flags = "--jitter-ms 10 --seat-age-ms 200 --repair-interval-s 5 --min-loss 0.1 --min-sweep 1 \
                     --shutdown-grace-s 8 --max-in-flight 16 --min-profit any"
        .to_owned();
    if taker && role == "liquidator" {
        flags += &format!(" --takeover --deposit {} --max-position 100000", ATOMS / 1_000_000);
    }
    flags.split_whitespace().map(str::to_owned).collect()
}

/// An address that is free now.
fn free_address() -> Result<String, LocalnetError> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A landed action, if the line is one.
fn action(line: &str) -> Option<Action> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if line.get("target")?.as_str()? != "action" {
        return None;
    }
    let fields = line.get("fields")?;
    let number = |name: &str| {
        let value = fields.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    let slots = number("landed_slot")?.saturating_sub(number("eligible_slot")?);
    Some(Action { kind: fields.get("kind")?.as_str()?.to_owned(), slots })
}

fn write_key(path: &Path, key: &Keypair) -> Result<(), LocalnetError> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(serde_json::to_writer(&mut file, &key.to_bytes().to_vec())
        .map_err(std::io::Error::from)
        .and_then(|()| file.flush())?)
}
