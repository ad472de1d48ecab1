//! Debian's `rustc-web`: a compiler and its library source of one version, which rustup's stable toolchains cannot be
//! without a download of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::{self, Cache, write_script};
use super::debian::{self, Architecture, Release};
use crate::progress::Step;

/// Change this to make every cache install the part again.
const RECIPE: &str = "rustc-web and rust-web-src of bookworm-security, 1";

/// The compiler, its target's own libraries, and the libraries that its LLVM needs. The C library and the C compiler that
/// apt would bring too are the host's: what the compiler builds for the host must run on the host.
const PACKAGES: [&str; 15] = [
    "rustc-web",
    "rust-web-src",
    "libstd-rust-web",
    "libllvm",
    "libz3-",
    "libxml2",
    "libicu",
    "libedit",
    "libffi",
    "libtinfo",
    "libbsd",
    "libmd",
    "libzstd",
    "zlib1g",
    "liblzma",
];

/// An installed compiler.
pub struct Rust {
    /// Starts the compiler with its own libraries.
    pub rustc: PathBuf,
    /// The `library` folder of its source.
    pub library: PathBuf,
}

/// Makes sure that the cache holds the compiler.
pub fn install(cache: &Cache) -> Result<Rust> {
    let prefix = cache.part("rust", RECIPE, fill)?;
    Ok(Rust { rustc: prefix.join("rustc"), library: prefix.join("library") })
}

fn fill(prefix: &Path) -> Result<()> {
    let step = Step::start("Fetching the Rust compiler and its library source from Debian (about 200 MB)");
    let wanted = |name: &str| PACKAGES.iter().any(|start| name.starts_with(start));
    debian::unpack(&step, Release::Bookworm, &["rustc-web", "rust-web-src"], wanted, prefix)?;

    let source = fs::canonicalize(prefix.join("usr/lib/rustlib/src/rust"))
        .context("the package rust-web-src holds no source at usr/lib/rustlib/src/rust any more")?;
    fs::rename(source.join("library"), prefix.join("library"))
        .context("the package rust-web-src holds no `library` folder any more")?;
    // The compiler's own source is most of the package, and of no use here.
    cache::remove(&source)?;

    let libraries = Architecture::of_host()?.libraries;
    let rustc = prefix.join("rustc");
    write_script(
        &rustc,
        &format!(
            "#!/bin/sh\nhere=$(dirname \"$0\")\n\
             export LD_LIBRARY_PATH=\"$here/usr/lib/{libraries}:$here/lib/{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
             exec \"$here/usr/bin/rustc\" \"$@\"\n"
        ),
    )?;
    step.run(Command::new(&rustc).arg("-vV")).context("Debian's compiler does not run on this machine")?;
    step.done();
    Ok(())
}
