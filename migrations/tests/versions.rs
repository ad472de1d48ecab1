//! Accounts that version 1 of the program wrote, migrated by the deployment tool as a process over RPC.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use ballast_client::{accounts, addresses, audit, rpc};
use ballast_localnet::{Blocks, Faucet, Localnet, LocalnetConfig, ProgramFile};
use ballast_tests::{compiled_program, fixture, harness::Saved};
use serde_json::Value;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::{Keypair, write_keypair_file};
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;

/// A node with the program of today and the accounts of version 1.
fn old(saved: &Saved) -> Localnet {
    let program =
        ProgramFile { id: addresses::PROGRAM_ID, path: compiled_program("ballast.so"), upgrade_authority: None };
    let localnet = Localnet::start(LocalnetConfig {
        rpc_port: 0,
        ws_port: 0,
        blocks: Blocks::Paced { speed: 4.0 },
        genesis_time: saved.cast["now"].as_i64(),
        programs: vec![program],
        ..LocalnetConfig::default()
    })
    .unwrap();
    let theirs = [addresses::PROGRAM_ID, spl_token_interface::ID];
    let all = saved.accounts.iter().filter(|(_, account)| theirs.contains(&account.owner));
    localnet.set_accounts(all.map(|(key, account)| (*key, account.owner, account.data.clone())).collect()).unwrap();
    localnet
}

fn run(localnet: &Localnet, folder: &Path, command: &[&str]) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_ballast-migrate"))
        .args(command)
        .args(["--url", localnet.rpc_url(), "--skip-program", "--config", &file("exchange.toml")])
        .args(["--payer", &file("payer"), "--admin", &file("admin")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    assert!(output.status.success(), "{text}");
    text
}

fn address(value: &Value) -> Pubkey {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn accounts_of_version_1_are_migrated_over_rpc_and_hold_what_they_held() {
    let directory = fixture::directory(1);
    let saved = Saved::read(&directory);
    let localnet = old(&saved);
    let folder = tempfile::tempdir().unwrap();
    // A test's key, by its seed.
    let admin = Keypair::new_from_array(address(&saved.cast["admin"]).to_bytes());
    let payer = Keypair::new();
    let faucet = Faucet::connect(localnet.rpc_url()).unwrap();
    faucet.airdrop(&payer.pubkey(), 10_000_000_000).unwrap();
    for (key, name) in [(&payer, "payer"), (&admin, "admin")] {
        write_keypair_file(key, folder.path().join(name)).unwrap();
        fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o600)).unwrap();
    }
    // Markets that no file names are migrated all the same.
    let mint = saved.cast["mint"].as_str().unwrap();
    let text = format!("markets = []\n[exchange]\nquote_mint = \"{mint}\"\n[defaults]\n");
    fs::write(folder.path().join("exchange.toml"), text).unwrap();

    let plan = run(&localnet, folder.path(), &["plan"]);
    for part in ["margin accounts", "migrate market", "migrate book", "when all accounts are of the present version"] {
        assert!(plan.contains(part), "{part}");
    }
    let market = address(&saved.cast["markets"][0]["market"]);
    assert_eq!(accounts::version(&localnet.account(&market).unwrap().data), Some(1), "a plan changes nothing");
    let applied = run(&localnet, folder.path(), &["apply", "--yes"]);
    assert!(applied.contains("Nothing to do"), "{applied}");
    assert!(run(&localnet, folder.path(), &["apply", "--yes"]).contains("Nothing to do"));

    // Read over RPC as any client would: solvent, and everybody has what they had.
    let node = RpcClient::new(localnet.rpc_url().to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let exchange = address(&saved.cast["exchange"]);
    let state = rpc::state(&node, &exchange, CommitmentConfig::processed());
    let (snapshot, vaults) = runtime.block_on(state).unwrap();
    let report = audit::audit(&snapshot, &vaults);
    assert!(report.is_clean(), "{report}");
    let expected = fs::read_to_string(directory.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(vaults.collateral, expected["vaults"]["collateral"].as_u64().unwrap());
    let held = expected["accounts"].as_object().unwrap();
    assert_eq!(snapshot.account_count(), held.len());
    let view = snapshot.view().unwrap();
    let mut positions = 0;
    for (key, before) in held {
        let key: Pubkey = key.parse().unwrap();
        assert_eq!(Value::from(snapshot.account(&key).unwrap().collateral), before["collateral"], "{key}");
        for slot in before["slots"].as_array().unwrap() {
            let index = u16::try_from(slot["market"].as_u64().unwrap()).unwrap();
            let now = view.position(&key, index).unwrap().unwrap();
            assert_eq!(Value::from(now.position.0), slot["now"]["lots"], "{key} in market {index}");
            positions += usize::from(now.position.0 != 0);
        }
    }
    assert!(positions > 10, "the fixture has {positions} positions");
}
