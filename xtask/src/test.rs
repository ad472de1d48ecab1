//! Runs every test of the workspace and adds up what the runner counted.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::sbpf_build::{self, Program};
use crate::workspace;

/// Builds the on-chain programs, which tests load from `target/deploy`, then runs `cargo test` with `arguments`.
pub fn run(arguments: &[String]) -> Result<()> {
    sbpf_build::build_all(&Program::ALL)?;
    let mut command = workspace::cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).args(arguments);
    let mut child =
        command.current_dir(workspace::root()).stdout(Stdio::piped()).spawn().context("starting cargo test")?;
    let mut counts = Counts::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.context("reading the test runner's output")?;
            counts.add(&line);
            println!("{line}");
        }
    }
    let status = child.wait().context("waiting for cargo test")?;
    println!("{} passed, {} failed", counts.passed, counts.failed);
    if !status.success() {
        bail!("tests failed, or did not compile: see above");
    }
    Ok(())
}

/// Sums over the runner's summaries, one per test binary.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Counts a line such as `test result: ok. 4 passed; 0 failed; 0 ignored; ...`; others count nothing.
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in numbers.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_add_up_and_other_lines_do_not_count() {
        let mut counts = Counts::default();
        for line in [
            "test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.46s",
            "test a_result ... ok",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            counts.add(line);
        }
        assert_eq!((counts.passed, counts.failed), (6, 3));
    }
}
