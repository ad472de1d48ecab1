//! What compiles to WebAssembly: the host's Rust where it has the target's standard library, otherwise Debian's compiler,
//! which comes with the library's source; and `wasm-bindgen`, which writes the JavaScript around the result.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache::Cache;
use super::cargo_tool;
use super::{on_path, rust};
use crate::progress::Step;
use crate::workspace;

/// The target's name.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Tools for WebAssembly.
pub struct WasmTools {
    /// Compiler and library source to build the standard library with; `None` where the host's Rust has it compiled.
    pub build_std: Option<BuildStd>,
    /// The program `wasm-bindgen`, of the version that the crates are locked to.
    pub bindgen: PathBuf,
}

/// A compiler with its library's source, and the linker that the host's Rust brings.
pub struct BuildStd {
    /// Starts the compiler.
    pub rustc: PathBuf,
    /// The library's source.
    pub library: PathBuf,
    /// Starts LLVM's linker.
    pub linker: PathBuf,
}

impl WasmTools {
    /// Finds the tools, or installs them into the cache, which takes some minutes the first time.
    pub fn find_or_install() -> Result<Self> {
        let cache = Cache::open()?;
        let build_std = if host_has_target()? {
            None
        } else {
            let rust = rust::install(&cache)?;
            Some(BuildStd { rustc: rust.rustc, library: rust.library, linker: linker()? })
        };
        Ok(Self { build_std, bindgen: bindgen(&cache)? })
    }
}

/// Whether the target's standard library is installed beside the host's.
fn host_has_target() -> Result<bool> {
    let folder = rustc(&["--print", "target-libdir", "--target", TARGET])?;
    let entries = fs::read_dir(folder.trim()).into_iter().flatten().flatten();
    Ok(entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

/// `rust-lld` of the host's Rust, or else the system's.
fn linker() -> Result<PathBuf> {
    let version = rustc(&["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say its host")?;
    let sysroot = rustc(&["--print", "sysroot"])?;
    let bundled = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    if bundled.exists() {
        return Ok(bundled);
    }
    match on_path("wasm-ld").or_else(|| on_path("rust-lld")) {
        Some(linker) => Ok(linker),
        None => bail!("no linker for WebAssembly: add the target with `rustup target add {TARGET}`, or install lld"),
    }
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let output = Command::new("rustc").args(arguments).output().context("starting rustc")?;
    if !output.status.success() {
        bail!("`rustc {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("rustc's answer is not UTF-8")
}

/// Makes sure that the cache holds `wasm-bindgen`: the PATH's may have another version than the crates, and then fails.
fn bindgen(cache: &Cache) -> Result<PathBuf> {
    let version = locked_version("wasm-bindgen")?;
    let folder = cache.part("wasm-bindgen", &format!("wasm-bindgen-cli {version}, 1"), |folder| {
        let step = Step::start("Compiling wasm-bindgen (some minutes, only this once)");
        let install = |locked| cargo_tool::install(&step, folder, "wasm-bindgen-cli", &version, locked);
        // A mirror of the registry that lags behind may lack a version that the program was locked to.
        install(true).or_else(|_| install(false))?;
        step.done();
        Ok(())
    })?;
    Ok(folder.join("bin/wasm-bindgen"))
}

/// The version that Cargo.lock has of a package.
fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(workspace::root().join("Cargo.lock")).context("reading Cargo.lock")?;
    version_in(&lock, package).with_context(|| format!("Cargo.lock has no {package}"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_out_of_the_lock_file() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"a\"\nversion = \"4\"\n";
        assert_eq!(version_in(lock, "a").as_deref(), Some("4"));
        assert_eq!(version_in(lock, "b"), None);
    }
}
