//! Replays recorded prices against the compiled program on an embedded node, with a market maker, a crowd of traders and
//! real keeper processes; then audits the chain and reports what happened.

mod crowd;
mod options;
mod plot;
mod protection;
mod record;
mod report;
mod scene;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::options::Options;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error")))
        .with_writer(std::io::stderr)
        .init();
    match scene::play(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ballast-replay: {error:#}");
            ExitCode::from(2)
        }
    }
}
