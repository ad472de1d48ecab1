//! The app: its WebAssembly, its packages, its built page.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::progress::Step;
use crate::{wasm, workspace};

/// The app's folder.
pub fn folder() -> PathBuf {
    workspace::root().join("app")
}

/// Installs what the app is built from: the packages of its lock file, and the WebAssembly.
pub fn prepare() -> Result<()> {
    wasm::build()?;
    let modified = |name: &str| fs::metadata(folder().join(name)).and_then(|data| data.modified());
    let lock: SystemTime = modified("package-lock.json").context("app/package-lock.json")?;
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= lock) {
        return Ok(());
    }
    let step = Step::start("Installing the app's packages");
    let ci = step.run(npm(&["ci", "--no-audit", "--no-fund"])?.current_dir(folder()));
    ci.context("the app needs Node.js 20.19 or newer with npm")?;
    step.done();
    Ok(())
}

/// Builds the page into app/dist.
pub fn build() -> Result<()> {
    prepare()?;
    let step = Step::start("Building the page");
    step.run(npm(&["run", "build"])?.current_dir(folder()))?;
    step.done();
    let mut bytes = 0;
    for entry in fs::read_dir(folder().join("dist/assets")).context("the build left no app/dist/assets")? {
        bytes += entry?.metadata()?.len();
    }
    eprintln!("  app/dist ({bytes} bytes)");
    Ok(())
}

/// npm, with a clear sentence where it is missing.
fn npm(arguments: &[&str]) -> Result<Command> {
    if Command::new("npm").arg("--version").output().is_err() {
        bail!("the app needs npm, which is not on the PATH: install Node.js 20.19 or newer");
    }
    let mut command = Command::new("npm");
    command.args(arguments);
    Ok(command)
}
