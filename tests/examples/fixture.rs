//! Writes the accounts of a small exchange, as the present program leaves them, to `tests/fixtures/v<version>/`, with what
//! they hold. To be run once for each version, before its layouts change.

use std::{fs, process::ExitCode};

use ballast_client::ballast::state::MARKET_VERSION;
use ballast_tests::{
    fixture,
    harness::{Saved, describe},
};

fn main() -> ExitCode {
    let directory = fixture::directory(MARKET_VERSION);
    let mut world = fixture::play();
    let saved = Saved::of(&mut world);
    let expected = describe(&mut world);
    let written = fs::create_dir_all(&directory)
        .and_then(|()| saved.write(&directory))
        .and_then(|()| fs::write(directory.join("expected.json"), format!("{expected:#}\n")));
    match written {
        Ok(()) => {
            println!("{} accounts in {}", saved.accounts.len(), directory.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}
