//! A local exchange with the app in front of it: node, market maker, traders, recorded prices, two sets of keepers, indexer, page.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

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

/// Builds what is missing and runs it until all of it is healthy and a trade and a forced reduction were seen on the page.
pub fn check(arguments: &[String]) -> Result<()> {
    build()?;
    if Command::new(workspace::chromium()).arg("--version").output().is_err() {
        bail!("{} is missing: install Chromium, or name it in CHROMIUM", workspace::chromium().display());
    }
    let mut network = demo(arguments).stdout(Stdio::piped()).spawn().context("starting ballast-demo")?;
    let output = network.stdout.take().context("the output of ballast-demo")?;
    let mut facts = String::new();
    BufReader::new(output).read_line(&mut facts)?;
    let seen = look(&facts);
    let stopped = stop(&mut network);
    seen.and(stopped)
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

/// Looks at it in Chromium.
fn look(facts: &str) -> Result<()> {
    if facts.trim().is_empty() {
        bail!("the demo did not start: see above");
    }
    let mut look = Command::new("node");
    look.args(["node_modules/vitest/vitest.mjs", "run", "--config", "e2e/demo.config.ts"]);
    let status = look.env("BALLAST_DEMO_FACTS", facts).current_dir(app::folder()).status();
    if status.context("starting vitest")?.success() {
        Ok(())
    } else {
        bail!("the demo is not as it should be: see above")
    }
}

fn stop(network: &mut Child) -> Result<()> {
    // It may have ended by itself, and said why.
    Command::new("kill").args(["-TERM", &network.id().to_string()]).stderr(Stdio::null()).status()?;
    let status = network.wait()?;
    if status.success() { Ok(()) } else { bail!("ballast-demo ended with {status}") }
}
