//! Where each instruction names the exchange or the market that it is about, out of the program's interface description.

use std::{env, fs, path::Path};

use serde_json::Value;

const DESCRIPTION: &str = "../../programs/ballast/idl/ballast.json";

fn main() {
    println!("cargo:rerun-if-changed={DESCRIPTION}");
    let text = fs::read_to_string(DESCRIPTION).expect("the interface description is part of the repository");
    let whole: Value = serde_json::from_str(&text).expect("the interface description is JSON");
    let lines: String = whole["instructions"].as_array().expect("it has instructions").iter().map(line).collect();
    let out = env::var("OUT_DIR").expect("cargo names a folder");
    fs::write(Path::new(&out).join("named.rs"), format!("&[\n{lines}]\n")).expect("that folder can be written");
}

/// `([discriminator], Named { exchange, market }),`
fn line(instruction: &Value) -> String {
    let accounts = instruction["accounts"].as_array().expect("an instruction has accounts");
    let place = |name: &str| accounts.iter().position(|account| account["name"] == name);
    format!(
        "({}, Named {{ exchange: {:?}, market: {:?} }}),\n",
        instruction["discriminator"],
        place("exchange"),
        place("market")
    )
}
