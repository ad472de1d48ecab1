//! Fuzzing by coverage: `cargo-fuzz` and libFuzzer on the targets of `fuzz/`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::progress::Step;
use crate::toolchain;
use crate::workspace;

const CARGO_FUZZ: &str = "cargo-fuzz";
const VERSION: &str = "0.13.2";
/// Longest input. A target reads what it needs and ignores the rest.
const LONGEST: u32 = 1_200;

/// Runs `target`, or every target, for so many inputs beyond its corpus; `minimise` then keeps of the corpus what the
/// coverage needs.
pub fn run(target: Option<&str>, runs: u64, minimise: bool) -> Result<()> {
    let cargo_fuzz = install()?;
    let step = Step::start("Compiling the fuzz targets with instrumentation");
    step.run(&mut command(&cargo_fuzz, "build"))?;
    step.done();
    let listed = command(&cargo_fuzz, "list").output().context("listing the fuzz targets")?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let targets: Vec<&str> = listed.lines().filter(|name| target.is_none_or(|target| target == *name)).collect();
    if targets.is_empty() {
        bail!("no fuzz target is named `{}`; there are: {}", target.unwrap_or(""), listed.replace('\n', " "));
    }
    for target in targets {
        println!("\n{target}: the corpus and {runs} more inputs");
        let mut fuzz = command(&cargo_fuzz, "run");
        fuzz.arg(target).arg("--").arg(format!("-runs={runs}")).arg(format!("-max_len={LONGEST}"));
        fuzz.args(["-len_control=0", "-print_final_stats=1"]);
        finish(&mut fuzz, target)?;
        if minimise {
            // Whether code was reached counts, not how often: some dozens of inputs a target then stand for all.
            finish(command(&cargo_fuzz, "cmin").args([target, "--", "-use_counters=0"]), target)?;
        }
    }
    Ok(())
}

fn finish(command: &mut Command, target: &str) -> Result<()> {
    if command.status().context("starting cargo-fuzz")?.success() {
        return Ok(());
    }
    bail!("the fuzz target {target} failed: the input is in fuzz/artifacts/{target}")
}

/// `cargo fuzz <verb>` without a sanitizer: those need an unstable compiler, and the crates have no unsafe code.
fn command(cargo_fuzz: &PathBuf, verb: &str) -> Command {
    let mut command = Command::new(cargo_fuzz);
    command.arg("fuzz").arg(verb).current_dir(workspace::root());
    if verb != "list" {
        command.args(["--sanitizer", "none"]);
    }
    command.env("CARGO_TARGET_DIR", workspace::target_dir().join("fuzz"));
    command
}

/// The `cargo-fuzz` of the PATH, or one compiled into the cache.
fn install() -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = env::split_paths(&path).map(|folder| folder.join(CARGO_FUZZ)).find(|file| file.is_file()) {
        return Ok(found);
    }
    let part = toolchain::cargo_tool(CARGO_FUZZ, VERSION)?;
    Ok(part.join("bin").join(CARGO_FUZZ))
}
