//! The deployment tool as a process, on the embedded node: from nothing to an exchange, and then nothing to do.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ballast_client::{accounts, addresses};
use ballast_localnet::{Blocks, Faucet, Localnet, LocalnetConfig};
use solana_keypair::{Keypair, write_keypair_file};
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// A node without the program, and keys of a payer and an admin.
struct Stage {
    localnet: Localnet,
    folder: tempfile::TempDir,
    admin: Keypair,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Stage {
    fn new() -> Stage {
        let program = root().join("target/deploy/ballast.so");
        assert!(program.exists(), "the program has not been built: run `cargo xtask test`, which builds it first");
        let blocks = Blocks::Paced { speed: 4.0 };
        let ports = LocalnetConfig { rpc_port: 0, ws_port: 0, blocks, ..LocalnetConfig::default() };
        let localnet = Localnet::start(ports).unwrap();
        let (payer, admin) = (Keypair::new(), Keypair::new());
        let faucet = Faucet::connect(localnet.rpc_url()).unwrap();
        faucet.airdrop(&payer.pubkey(), 500_000_000_000).unwrap();
        faucet.mint_to(&payer.pubkey(), 1_000_000_000_000).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (key, name) in [(&payer, "payer"), (&admin, "admin")] {
            write_keypair_file(key, folder.path().join(name)).unwrap();
        }
        // The program's own key is public, and in a checkout others can read it.
        let key = fs::read(root().join("migrations/localnet-keys/ballast-program.json")).unwrap();
        let stage = Stage { localnet, folder, admin };
        fs::write(stage.file("program-key"), key).unwrap();
        for name in ["payer", "admin", "program-key"] {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(stage.file(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::copy(program, stage.file("ballast.so")).unwrap();
        stage.configure(|text| text.replace("4_096", "64").replace("8_192", "64"));
        stage
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration: the local network's, changed.
    fn configure(&self, change: impl Fn(String) -> String) {
        let path = self.file("exchange.toml");
        let text = fs::read_to_string(&path);
        let text = text.unwrap_or_else(|_| fs::read_to_string(root().join("migrations/localnet.toml")).unwrap());
        let text = text.replace("\"../target/deploy/ballast.so\"", "\"ballast.so\"");
        let text = text.replace("\"localnet-keys/ballast-program.json\"\npublished = true", "\"program-key\"");
        fs::write(path, change(text)).unwrap();
    }

    /// Runs the tool; its output, whether it succeeded.
    fn run(&self, command: &[&str]) -> (String, bool) {
        let output = Command::new(env!("CARGO_BIN_EXE_ballast-migrate"))
            .args(command)
            .args(["--url", self.localnet.rpc_url(), "--config"])
            .arg(self.file("exchange.toml"))
            .arg("--payer")
            .arg(self.file("payer"))
            .arg("--admin")
            .arg(self.file("admin"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        println!("{text}");
        (text, output.status.success())
    }

    fn succeeds(&self, command: &[&str]) -> String {
        let (text, success) = self.run(command);
        assert!(success, "{text}");
        text
    }

    fn fails(&self, command: &[&str]) -> String {
        let (text, success) = self.run(command);
        assert!(!success, "{text}");
        text
    }

    fn account(&self, key: &Pubkey) -> Vec<u8> {
        self.localnet.account(key).expect("the account exists").data
    }
}

#[test]
fn a_cluster_is_brought_to_what_the_file_says_and_then_left_alone() {
    let stage = Stage::new();
    let exchange = addresses::exchange(&stage.admin.pubkey());

    // Nothing is sent by showing a plan.
    let plan = stage.succeeds(&["plan"]);
    for part in [
        "deploy program",
        "found exchange",
        "set the fee schedule",
        "top the insurance vault up",
        "create market 3 AVAX",
        "of rent",
    ] {
        assert!(plan.contains(part), "{part}");
    }
    assert!(stage.succeeds(&["apply", "--dry-run"]).contains("deploy program"));
    assert!(stage.localnet.account(&exchange).is_none());
    assert!(stage.succeeds(&["status"]).contains("does not exist"));

    let applied = stage.succeeds(&["apply", "--yes"]);
    assert!(applied.contains("Nothing to do"), "{applied}");
    let founded = accounts::exchange(&stage.account(&exchange)).unwrap();
    assert_eq!((founded.admin, founded.market_count), (stage.admin.pubkey(), 4));
    assert_eq!((founded.fee_tier_volumes[0], founded.referral_share_bps), (5_000_000_000_000, 1_000));
    let status = stage.succeeds(&["status"]);
    for part in ["is the program file", "insurance  400000000000 atoms", "with 18 addresses"] {
        assert!(status.contains(part), "{part}");
    }
    // A second run does nothing and says so.
    assert!(stage.succeeds(&["apply", "--yes"]).contains("Nothing to do"));

    // A parameter that differs is shown and changed, and no other.
    stage.configure(|text| text.replace("taker_fee_ppm = 450", "taker_fee_ppm = 500"));
    let plan = stage.succeeds(&["plan"]);
    assert!(plan.contains("taker_fee_ppm  450 -> 500") && plan.contains("4 steps, 0.000000 SOL"), "{plan}");
    stage.succeeds(&["apply", "--yes"]);
    let market = accounts::market(&stage.account(&addresses::market(&exchange, 2))).unwrap();
    assert_eq!((market.params.taker_fee_ppm, market.params.maker_fee_ppm), (500, 150));

    // So is the fee schedule, and one out of bounds is refused before anything is sent.
    stage.configure(|text| text.replace("[5_000_000_000_000, 25_000_000_000_000,", "[7, 25_000_000_000_000,"));
    let plan = stage.succeeds(&["plan"]);
    assert!(plan.contains("tier_volumes  [5000000000000, 25000000000000,") && plan.contains("1 step"), "{plan}");
    stage.succeeds(&["apply", "--yes"]);
    assert_eq!(accounts::exchange(&stage.account(&exchange)).unwrap().fee_tier_volumes[0], 7);
    stage.configure(|text| text.replace("[7, 25_000_000_000_000,", "[7, 7,"));
    assert!(stage.fails(&["plan"]).contains("have to ascend"));
    stage.configure(|text| text.replace("[7, 7,", "[7, 8,"));

    // What cannot change is refused, with both values.
    stage.configure(|text| text.replace("lot_exponent = 5", "lot_exponent = 6"));
    let error = stage.fails(&["plan"]);
    assert!(error.contains("market 0: its lot_exponent is 5 for good; the configuration says 6"), "{error}");
    stage.configure(|text| text.replace("lot_exponent = 6", "lot_exponent = 5"));

    // A longer program: the account grows, the bytes are replaced.
    let mut code = fs::read(stage.file("ballast.so")).unwrap();
    code.extend_from_slice(&[1; 3_000]);
    fs::write(stage.file("ballast.so"), &code).unwrap();
    let plan = stage.succeeds(&["plan"]);
    assert!(plan.contains("upgrade program") && plan.contains("extended by 10240 bytes first"), "{plan}");
    stage.succeeds(&["apply", "--yes"]);
    assert!(stage.succeeds(&["apply", "--yes"]).contains("Nothing to do"));
}

#[test]
fn keys_that_others_can_read_and_wrong_admins_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    fs::set_permissions(stage.file("payer"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = stage.fails(&["plan"]);
    assert!(error.contains("chmod 600"), "{error}");
    fs::set_permissions(stage.file("payer"), fs::Permissions::from_mode(0o600)).unwrap();
    let creator = Pubkey::new_unique();
    stage.configure(|text| text.replace("[exchange]", &format!("[exchange]\ncreator = \"{creator}\"")));
    let error = stage.fails(&["plan"]);
    assert!(error.contains(&format!("there is no exchange of {creator}")), "{error}");
}
