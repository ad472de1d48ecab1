//! Programs from the Rust registry, compiled into the cache in the version that the project was tried with.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::cache::{self, Cache};
use crate::progress::Step;
use crate::workspace;

/// Makes sure that the cache holds the tool, and returns the folder whose `bin` it is in.
pub fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    Cache::open()?.part(name, &format!("{name} {version}"), |folder| {
        let step = Step::start(format!("Compiling {name} (a minute, only this once)"));
        install(&step, folder, name, version, true)?;
        step.done();
        Ok(())
    })
}

/// Compiles a program into the `bin` of `folder`; `locked` takes the dependencies that it was published with.
pub fn install(step: &Step, folder: &Path, package: &str, version: &str, locked: bool) -> Result<()> {
    let build = folder.join("build");
    let mut install = workspace::cargo();
    install.args(["install", "--version", version, package, "--root"]).arg(folder);
    if locked {
        install.arg("--locked");
    }
    // Outside the checkout, whose cargo configuration is not meant for this.
    install.env("CARGO_TARGET_DIR", &build).env_remove("RUSTFLAGS").current_dir(folder);
    step.run(&mut install)?;
    cache::remove(&build)
}
