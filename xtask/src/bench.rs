//! Measures what the program's instructions cost on the chain's virtual machine.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::sbpf_build::{self, Program};
use crate::toolchain::Toolchain;
use crate::workspace;

/// Compiles the programs that are measured, then measures them; `json` names a file for the figures, `only` a text that the
/// subjects contain which are measured.
pub fn run(json: Option<&Path>, only: Option<&str>) -> Result<()> {
    let json = json.map(absolute).transpose().context("the path of the JSON file")?;
    sbpf_build::build_all(&[Program::BALLAST, Program::RANK_PROBE])?;
    let mut bench = Command::new(build("bench")?);
    if let Some(json) = json {
        bench.arg("--json").arg(json);
    }
    if let Some(only) = only {
        bench.arg("--only").arg(only);
    }
    finish(bench)
}

/// Compiles the program with debug information, then draws where its compute goes, into `folder`.
pub fn flame(folder: &Path) -> Result<()> {
    let folder = absolute(folder).context("the folder of the drawings")?;
    let (program, object) = sbpf_build::build_with_names(&Toolchain::find_or_bootstrap()?)?;
    let mut flame = Command::new(build("flame")?);
    flame.arg(program).arg(object).arg(folder);
    finish(flame)
}

/// Compiles the program, then measures how many instructions it does in a second on one core of this machine.
pub fn throughput() -> Result<()> {
    sbpf_build::build_all(&[Program::BALLAST])?;
    finish(Command::new(build("throughput")?))
}

fn finish(mut bench: Command) -> Result<()> {
    let status = bench.current_dir(workspace::root()).status().context("starting the benchmark")?;
    if !status.success() {
        bail!("the benchmark could not measure everything: see above");
    }
    Ok(())
}

/// Builds what measures, with the features that `cargo xtask test` builds the same crates with, so that neither compiles
/// them again for the other.
fn build(example: &str) -> Result<PathBuf> {
    let mut child = workspace::cargo()
        .args(["build", "--workspace", "--example", example, "--message-format=json-render-diagnostics"])
        .current_dir(workspace::root())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting cargo build")?;
    let mut executable = None;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            executable = executable_of(example, &line.context("reading cargo's messages")?).or(executable);
        }
    }
    let status = child.wait().context("waiting for cargo build")?;
    if !status.success() {
        bail!("the benchmark does not compile: see above");
    }
    executable.context("cargo built no benchmark")
}

/// The executable that a message of cargo reports, if it is the benchmark's.
fn executable_of(example: &str, message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let ours = message["target"]["name"] == example && message["target"]["kind"][0] == "example";
    message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_benchmarks_executable_is_taken() {
        let message = |name: &str, kind: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"],"name":"{name}"}},"executable":"/x"}}"#
            )
        };
        assert_eq!(executable_of("bench", &message("bench", "example")), Some(PathBuf::from("/x")));
        assert_eq!(executable_of("bench", &message("bench", "bin")), None);
        assert_eq!(executable_of("bench", &message("accuracy", "example")), None);
        assert_eq!(executable_of("bench", r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(executable_of("bench", "no JSON"), None);
    }
}
