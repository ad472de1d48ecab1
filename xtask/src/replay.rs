//! The main job: a recorded crash against the compiled program on an embedded node, with real keeper processes.

use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, bail};

use crate::sbpf_build::{self, Program};
use crate::workspace;

/// Builds what the replay needs and runs it with `arguments` (`--help` lists them), from the checkout's root.
pub fn run(arguments: &[String]) -> Result<()> {
    sbpf_build::build_all(&[Program::BALLAST])?;
    run_binary("ballast-replay", arguments)
}

/// Checks the invariants of an exchange on any cluster, with `arguments` of `ballast-audit`.
pub fn audit(arguments: &[String]) -> Result<()> {
    run_binary("ballast-audit", arguments)
}

/// Builds the program and brings a cluster to what a configuration says, with `arguments` of `ballast-migrate`.
pub fn migrate(arguments: &[String]) -> Result<()> {
    sbpf_build::build_all(&[Program::BALLAST])?;
    run_binary("ballast-migrate", arguments)
}

/// Builds every binary and runs one.
fn run_binary(binary: &str, arguments: &[String]) -> Result<()> {
    build_binaries()?;
    let mut run = Command::new(workspace::target_dir().join("debug").join(binary));
    let status = run.args(arguments).current_dir(workspace::root()).status();
    finish(status.with_context(|| format!("starting {binary}"))?)
}

/// Builds every binary, with the features that `cargo xtask test` and `bench` build the same crates with (an example
/// brings the dependencies of tests in), so that none of them compiles everything again for another.
pub fn build_binaries() -> Result<()> {
    let mut build = workspace::cargo();
    build.args(["build", "--workspace", "--bins", "--example", "bench"]).current_dir(workspace::root());
    if !build.status().context("starting cargo build")?.success() {
        bail!("the binaries did not compile: see above");
    }
    Ok(())
}

/// Ends with the status of the program that was run: it has said why itself.
pub fn finish(status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { std::process::exit(status.code().unwrap_or(2)) }
}
