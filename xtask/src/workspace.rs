//! Where things are in the checkout, and the cargo that runs this.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout's root.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Where the usual Solana tools put programs, and where tests and the local network look for them.
pub fn deploy_dir() -> PathBuf {
    root().join("target/deploy")
}

/// Where cargo puts what it builds for the host.
pub fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that started this command, so that a pinned or overridden Rust toolchain stays the same; without what cargo has
/// told this command about its own package. Build scripts that watch those variables (ring's does) would otherwise run
/// again whenever cargo is started by hand after this command or the other way round, and half of Solana with them.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let told =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if told {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The browser that looks at the page.
pub fn chromium() -> PathBuf {
    env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from)
}
