//! Cargo's own extensions, compiled into the cache in the version that the project was tried with.

use std::path::PathBuf;

use anyhow::Result;

use super::cache::{self, Cache};
use crate::progress::Step;
use crate::workspace;

/// Makes sure that the cache holds the tool, and returns the folder whose `bin` it is in.
pub fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    Cache::open()?.part(name, &format!("{name} {version}"), |folder| {
        let step = Step::start(format!("Compiling {name} (a minute, only this once)"));
        let build = folder.join("build");
        step.run(
            workspace::cargo()
                .args(["install", "--locked", "--version", version, name, "--root"])
                .arg(folder)
                .env("CARGO_TARGET_DIR", &build)
                .env_remove("RUSTFLAGS")
                // Outside the checkout, whose cargo configuration is not meant for this.
                .current_dir(folder),
        )?;
        cache::remove(&build)?;
        step.done();
        Ok(())
    })
}
