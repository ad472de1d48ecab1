//! A local exchange with the app in front of it: node, market maker, traders, recorded prices, two sets of keepers, indexer, page.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::sbpf_build::{self, Program};
use crate::{app, replay, workspace};

/// What the network is started with; what the user says comes after and wins.
const ARGUMENTS: [&str; 8] = ["--prices", "crash", "--keepers", "2", "--indexer-port", "8898", "--page-port", "4173"];

/// Builds what is missing and runs it until Ctrl-C. `arguments` are for `ballast-demo`.
pub fn run(arguments: &[String]) -> Result<()> {
    build()?;
    eprintln!("Starting; Ctrl-C stops everything. A line such as `AVAX -20` moves a price by so many per cent.");
    // In this command's place, so that every signal reaches it.
    Err(demo(arguments).exec()).context("starting ballast-demo")
}

fn build() -> Result<()> {
    sbpf_build::build_all(&[Program::BALLAST])?;
    app::build()?;
    replay::build_binaries()
}

fn demo(arguments: &[String]) -> Command {
    let mut demo = Command::new(workspace::target_dir().join("debug/ballast-demo"));
    demo.args(ARGUMENTS).args(arguments).current_dir(workspace::root());
    demo
}
