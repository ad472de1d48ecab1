//! The doctor as a process, on setups that are good and on such that are not.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
};

use ballast_client::addresses;
use ballast_localnet::{Blocks, Localnet, LocalnetConfig};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tempfile::TempDir;

use crate::{
    keeper::{Keeper, write_key},
    world::World,
};

/// A setup to look at.
struct Setup {
    directory: TempDir,
    rpc_url: String,
    ws_url: String,
}

/// What the doctor said.
struct Opinion {
    good: bool,
    findings: Vec<Value>,
}

impl Opinion {
    /// Verdicts on a check, and all words about it.
    fn on(&self, check: &str) -> (Vec<String>, String) {
        let about = || self.findings.iter().filter(|finding| finding["check"] == check);
        let verdicts = about().map(|finding| finding["verdict"].as_str().unwrap().to_owned()).collect();
        (verdicts, about().map(Value::to_string).collect())
    }

    /// Whether exactly this is wrong, with these words about it, and the exit status says so.
    fn finds(&self, check: &str, words: &[&str]) {
        let wrong: Vec<_> = self.findings.iter().filter(|finding| finding["verdict"] == "wrong").collect();
        assert!(!self.good && wrong.iter().all(|finding| finding["check"] == check), "{wrong:#?}");
        self.says(check, "wrong", words);
    }

    fn says(&self, check: &str, verdict: &str, words: &[&str]) {
        let (verdicts, text) = self.on(check);
        assert!(verdicts.iter().any(|found| found == verdict), "{check}: {text}");
        assert!(words.iter().all(|word| text.contains(word)), "{check}: {text}");
    }
}

impl Setup {
    fn new(world: &World) -> Setup {
        let (key, directory) = (Keypair::new(), tempfile::tempdir().unwrap());
        world.enrich(&key.pubkey(), 1_000);
        write_key(&key, &directory.path().join("key.json"));
        Setup { directory, rpc_url: world.rpc_url().to_string(), ws_url: world.ws_url().to_string() }
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.json")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ballast-keeper"));
        command.args(["doctor", "--rpc-url", &self.rpc_url, "--ws-url", &self.ws_url, "--keypair"]);
        command.arg(self.key()).args(arguments);
        command
    }

    fn look(&self, arguments: &[&str]) -> Opinion {
        let output = self.command(&[&["--json", "--roles", "liquidator"], arguments].concat()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let good = report["good"].as_bool().unwrap();
        assert_eq!(output.status.success(), good, "the exit status is the verdict");
        Opinion { good, findings: report["findings"].as_array().unwrap().clone() }
    }
}

#[test]
fn a_doctor_finds_nothing_wrong_with_a_good_setup_and_names_what_is_wrong_with_others() {
    let world = World::found();
    world.price(10_000);
    let (setup, oracle, table) = (Setup::new(&world), world.oracle(), world.lookup_table());
    let usual = ["--oracle", &oracle, "--lookup-table", &table, "--metrics-addr", "127.0.0.1:0"];

    let good = setup.look(&usual);
    assert!(good.good, "{:#?}", good.findings);
    for check in ["configuration", "key", "node", "websocket", "program", "exchange", "versions", "oracles", "tables"] {
        good.says(check, "good", &[]);
    }
    for check in ["metrics", "markets", "fees", "balance", "account"] {
        good.says(check, "good", &[]);
    }
    let output = setup.command(&[&["--roles", "settler"], &usual[..]].concat()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("readable by its owner only"), "{text}");

    // Beside a running keeper.
    let keeper = Keeper::start(&world, &["--roles", "settler"]);
    world.until(10_000, "the keeper is ready", || keeper.asks("/ready").starts_with("HTTP/1.1 200").then_some(()));
    let beside = setup.look(&["--metrics-addr", keeper.address()]);
    assert!(beside.good, "{:#?}", beside.findings);
    beside.says("metrics", "good", &["a keeper of the exchange", &world.deployment.keys.exchange.to_string()]);
    keeper.stop();

    // What the operator says.
    let incomplete = setup.look(&["--max-in-flight", "0"]);
    incomplete.finds("configuration", &["--max-in-flight"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    setup.look(&["--metrics-addr", &taken.local_addr().unwrap().to_string()]).finds("metrics", &["in use"]);
    setup.look(&["--exchange", &Pubkey::new_unique().to_string()]).finds("exchange", &["one of"]);
    setup.look(&["--deposit", "5000"]).finds("deposit", &["$1000.00", "send tokens"]);
    setup.look(&["--sol-market", "7"]).finds("markets", &["no such market"]);
    setup.look(&["--takeover"]).says("takeover", "warning", &["no collateral"]);

    // Oracle accounts: of another program, of no market, missing; and a poster that knows none.
    let wrong = |account: Pubkey, market: u16| setup.look(&["--oracle", &format!("{market}={account}")]);
    wrong(addresses::PROGRAM_ID, 0).finds("oracles", &["belongs to"]);
    wrong(Pubkey::new_unique(), 0).finds("oracles", &["does not exist"]);
    let account: Pubkey = oracle.trim_start_matches("0=").parse().unwrap();
    wrong(account, 7).finds("oracles", &["no such market"]);
    let foreign = Pubkey::new_unique();
    world.put(foreign, world.market().oracle_program, vec![1; 200]);
    wrong(foreign, 0).finds("oracles", &["another feed"]);
    setup.look(&["--roles", "poster"]).finds("configuration", &["--oracle"]);

    // Lookup tables: no such, and one that lacks something.
    setup.look(&["--lookup-table", &Pubkey::new_unique().to_string()]).says("tables", "wrong", &[]);
    let empty = world.lookup_table_of(&[addresses::PROGRAM_ID]);
    setup.look(&["--lookup-table", &empty]).says("tables", "warning", &["6 of the exchange's 6 accounts", "migrate"]);

    // The key: others may read it, there is none, it has no SOL.
    fs::set_permissions(setup.key(), Permissions::from_mode(0o644)).unwrap();
    setup.look(&usual).finds("key", &["chmod 600"]);
    fs::remove_file(setup.key()).unwrap();
    setup.look(&usual).finds("key", &["solana-keygen"]);
    write_key(&Keypair::new(), &setup.key());
    setup.look(&usual).finds("balance", &["send SOL"]);
}

/// A network with nothing on it.
fn bare() -> Localnet {
    let blocks = Blocks::Paced { speed: 1.0 };
    Localnet::start(LocalnetConfig { rpc_port: 0, ws_port: 0, blocks, ..LocalnetConfig::default() }).unwrap()
}

#[test]
fn a_doctor_tells_a_dead_node_a_deaf_one_an_empty_cluster_and_old_accounts_apart() {
    let world = World::found();
    world.price(10_000);
    let setup = Setup::new(&world);
    let nobody = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead = Setup { rpc_url: format!("http://{}", nobody()), ..Setup::new(&world) }.look(&[]);
    dead.finds("node", &["does not answer", "--rpc-url"]);
    dead.says("exchange", "skipped", &[]);
    let deaf = Setup { ws_url: format!("ws://{}", nobody()), ..Setup::new(&world) }.look(&[]);
    deaf.finds("websocket", &["--ws-url"]);

    // A price that has grown old is told, and who mends that.
    world.age(90);
    setup.look(&[]).says("markets", "warning", &["role poster"]);
    let oracle = world.oracle();
    setup.look(&["--oracle", &oracle]).says("oracles", "warning", &["s old"]);

    // An account of version 1 beside the others.
    let somebody = world.trader(10);
    let mut data = world.bytes(&somebody.margin);
    data[ballast_client::ballast::state::VERSION_AT] = 1;
    world.put(somebody.margin, addresses::PROGRAM_ID, data);
    setup.look(&[]).finds("versions", &["1 of MarginAccount version 1", "ballast-migrate"]);

    // A cluster without the program.
    let elsewhere = bare();
    let (rpc_url, ws_url) = (elsewhere.rpc_url().to_owned(), elsewhere.ws_url().to_owned());
    Setup { rpc_url, ws_url, ..Setup::new(&world) }.look(&[]).says("program", "wrong", &["not deployed"]);
}
