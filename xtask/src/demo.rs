//! A local network with the app in front of it, until Ctrl-C.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::sbpf_build::{self, Program};
use crate::{app, replay, workspace};

/// Where the page is served.
const PAGE: &str = "http://127.0.0.1:4173";

/// Builds what is missing, starts network and page, and stops both when the network ends. `arguments` are for
/// `ballast-demo`.
pub fn run(arguments: &[String]) -> Result<()> {
    sbpf_build::build_all(&[Program::BALLAST])?;
    app::build()?;
    replay::build_binaries()?;
    let mut page = Command::new("npx")
        .args(["vite", "preview", "--host", "127.0.0.1", "--strictPort"])
        .current_dir(app::folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("starting the page's server")?;
    eprintln!("The app: {PAGE} (Ctrl-C stops everything)");
    let demo = Command::new(workspace::target_dir().join("debug/ballast-demo"))
        .args(arguments)
        .current_dir(workspace::root())
        .status();
    // Ctrl-C has reached it, too; where the network ended by itself, it has not.
    let _ = page.kill();
    let _ = page.wait();
    replay::finish(demo.context("starting ballast-demo")?)
}
