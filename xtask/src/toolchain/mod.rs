//! The compiler for on-chain programs: the usual one where it is installed, otherwise one bootstrapped from the Rust and
//! Debian package registries into a cache outside the checkout.
//!
//! The bootstrapped one has four parts, each a folder of the cache with a stamp that says from which recipe it was made:
//! Debian's `rustc-web` and its library source ([`rust`]), a copy of that source with two edits ([`std_source`]), LLVM 23
//! from Debian sid and `sbpf-linker` ([`linker`]). None of it needs root or changes the system.
//!
//! The same compiler builds for WebAssembly ([`wasm`]).

mod cache;
mod cargo_tool;
mod debian;
mod linker;
mod rust;
mod std_source;
mod wasm;

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use cache::Cache;
pub use cargo_tool::cargo_tool;

pub use wasm::{TARGET, WasmTools};

/// A way to compile programs.
pub enum Toolchain {
    /// `cargo-build-sbf` from the Solana tools, found on the PATH.
    Platform {
        /// The program itself.
        cargo_build_sbf: PathBuf,
    },
    /// The parts in the cache.
    Bootstrapped(Bootstrapped),
}

/// Paths of a bootstrapped toolchain, all in the cache.
pub struct Bootstrapped {
    /// Starts Debian's compiler with its own libraries.
    pub rustc: PathBuf,
    /// Starts `sbpf-linker` with LLVM 23.
    pub linker: PathBuf,
    /// The library source that `-Zbuild-std` compiles.
    pub std_source: PathBuf,
}

impl Toolchain {
    /// Finds the usual tools, or makes sure that the cache holds a toolchain, which takes some minutes the first time.
    pub fn find_or_bootstrap() -> Result<Self> {
        if let Some(cargo_build_sbf) = on_path("cargo-build-sbf") {
            return Ok(Self::Platform { cargo_build_sbf });
        }
        let cache = Cache::open()?;
        let rust = rust::install(&cache)?;
        let std_source = std_source::install(&cache, &rust)?;
        let linker = linker::install(&cache)?;
        Ok(Self::Bootstrapped(Bootstrapped { rustc: rust.rustc, linker, std_source }))
    }
}

/// The first file of that name in the folders of the PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
