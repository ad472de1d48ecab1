//! Where things are in the checkout, and the cargo that runs this.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

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

/// The cargo that started this command, so that a pinned or overridden Rust toolchain stays the same.
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
