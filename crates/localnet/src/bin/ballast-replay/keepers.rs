//! The keepers: separate processes, talking to the node over its network ports like any operator's.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ballast_localnet::Faucet;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// The roles, a process each.
pub const ROLES: [&str; 4] = ["liquidator", "deleverager", "triggers", "settler"];
/// SOL of each keeper, in lamports.
const LAMPORTS: u64 = 100_000_000_000;
/// Dollars of each keeper, in atoms: what a liquidator takes positions over with.
const ATOMS: u64 = 150_000_000_000;
/// How long a keeper may take to stop, in seconds.
const STOP_SECONDS: u64 = 10;

/// Starts keepers and remembers where their logs are.
pub struct Keepers {
    binary: PathBuf,
    logs: PathBuf,
    rpc_url: String,
    ws_url: String,
    exchange: Pubkey,
    running: Vec<Child>,
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
    /// Prepares to start keepers.
    pub fn new(binary: &Path, logs: &Path, rpc_url: &str, ws_url: &str, exchange: Pubkey) -> Result<Self> {
        if !binary.exists() {
            bail!("there is no keeper at {}; `cargo build -p ballast-keeper` makes it", binary.display());
        }
        if logs.exists() {
            fs::remove_dir_all(logs).with_context(|| format!("clear {}", logs.display()))?;
        }
        fs::create_dir_all(logs).with_context(|| format!("create {}", logs.display()))?;
        Ok(Keepers {
            binary: binary.to_owned(),
            logs: logs.to_owned(),
            rpc_url: rpc_url.to_owned(),
            ws_url: ws_url.to_owned(),
            exchange,
            running: Vec::new(),
            written: Vec::new(),
        })
    }

    /// Starts one keeper of every role, each with a key, SOL and dollars of its own.
    pub fn start_set(&mut self, faucet: &Faucet) -> Result<()> {
        for role in ROLES {
            let name = format!("{role}-{}", self.written.len());
            let key = Keypair::new();
            faucet.airdrop(&key.pubkey(), LAMPORTS)?;
            faucet.mint_to(&key.pubkey(), ATOMS)?;
            let key_file = self.logs.join(format!("{name}.json"));
            write_key(&key_file, &key)?;
            let log = self.logs.join(format!("{name}.log"));
            let output = File::create(&log).with_context(|| format!("create {}", log.display()))?;
            let child = Command::new(&self.binary)
                .args(["--roles", role, "--rpc-url", &self.rpc_url, "--ws-url", &self.ws_url])
                .args(["--exchange", &self.exchange.to_string(), "--log-format", "json"])
                .arg("--keypair")
                .arg(&key_file)
                .args(keeper_flags(role))
                .stdout(Stdio::from(output.try_clone()?))
                .stderr(Stdio::from(output))
                .spawn()
                .with_context(|| format!("start {}", self.binary.display()))?;
            self.running.push(child);
            self.written.push(log);
        }
        Ok(())
    }

    /// How many run. Says which one ended by itself.
    pub fn check(&mut self) -> Result<usize> {
        for (child, log) in self.running.iter_mut().zip(self.written.iter().rev()) {
            if let Some(status) = child.try_wait()? {
                bail!("a keeper ended by itself ({status}); the logs are beside {}", log.display());
            }
        }
        Ok(self.running.len())
    }

    /// Kills all of them, as a power failure would.
    pub fn kill(&mut self) -> Result<()> {
        for mut child in self.running.drain(..) {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Asks all of them to end, and waits. Those that do not in time are killed, and that is an error.
    pub fn stop(&mut self) -> Result<()> {
        for child in &self.running {
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        }
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS);
        let mut late = 0;
        for mut child in self.running.drain(..) {
            while child.try_wait()?.is_none() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(50));
            }
            if child.try_wait()?.is_none() {
                late += 1;
                child.kill()?;
                child.wait()?;
            }
        }
        if late > 0 {
            bail!("{late} keepers did not end within {STOP_SECONDS} s of SIGTERM");
        }
        Ok(())
    }

    /// The actions that landed, from the logs of all keepers.
    pub fn actions(&self) -> Result<Vec<Action>> {
        let mut actions = Vec::new();
        for log in &self.written {
            let file = File::open(log).with_context(|| format!("open {}", log.display()))?;
            actions.extend(BufReader::new(file).lines().map_while(Result::ok).filter_map(|line| action(&line)));
        }
        Ok(actions)
    }
}

impl Drop for Keepers {
    fn drop(&mut self) {
        // Only after an error: otherwise they have been stopped.
        let _ = self.kill();
    }
}

/// Flags that suit a network whose clock runs fast. The liquidator takes positions over with what it was given, and
/// sells them again.
fn keeper_flags(role: &str) -> Vec<String> {
    let mut flags = "--jitter-ms 10 --seat-age-ms 200 --repair-interval-s 5 --min-loss 0.1 --min-sweep 1 \
                     --shutdown-grace-s 8 --max-in-flight 16"
        .to_owned();
    if role == "liquidator" {
        flags += &format!(" --takeover --deposit {} --max-position 100000", ATOMS / 1_000_000);
    }
    flags.split_whitespace().map(str::to_owned).collect()
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

fn write_key(path: &Path, key: &Keypair) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("create {}", path.display()))?;
    file.write_all(serde_json::to_string(&key.to_bytes().to_vec())?.as_bytes())?;
    Ok(())
}
