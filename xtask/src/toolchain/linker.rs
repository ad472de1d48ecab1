//! The linker: `sbpf-linker` from the Rust registry, with LLVM 23 from Debian sid.
//!
//! LLVM 22, the compiler's own, cannot return 128-bit integers or pass more than five arguments on SBPF; LLVM 23 can.
//! `sbpf-linker` loads LLVM at run time from `LD_LIBRARY_PATH`, so it need not be built against it. sid's LLVM needs a
//! newer C library than most hosts have, so the linker runs under sid's own loader.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::{Cache, write_script};
use super::cargo_tool;
use super::debian::{self, Architecture, Release};
use crate::progress::Step;

const LLVM_PACKAGE: &str = "libllvm23";
const LINKER_VERSION: &str = "0.2.6";

/// Makes sure that the cache holds the linker, and returns the script that starts it.
///
/// The script also writes the linked program's final LLVM IR into the folder `<output>.ir`, for [`crate::sbpf_verify`].
pub fn install(cache: &Cache) -> Result<PathBuf> {
    let llvm = cache.part("llvm", &format!("{LLVM_PACKAGE} of sid, 1"), fill_llvm)?;
    let recipe = format!("sbpf-linker {LINKER_VERSION}, 1, with {}", llvm.display());
    let linker = cache.part("linker", &recipe, |folder| fill_linker(folder, &llvm))?;
    Ok(linker.join("link"))
}

fn fill_llvm(prefix: &Path) -> Result<()> {
    let step = Step::start("Fetching LLVM 23 from Debian sid (about 50 MB)");
    debian::unpack(&step, Release::Sid, &[LLVM_PACKAGE], |_| true, prefix)?;
    step.done();
    Ok(())
}

fn fill_linker(folder: &Path, llvm: &Path) -> Result<()> {
    let step = Step::start("Compiling sbpf-linker (some minutes, only this once)");
    cargo_tool::install(&step, folder, "sbpf-linker", LINKER_VERSION, true)?;

    let Architecture { libraries, loader, .. } = Architecture::of_host()?;
    let libraries = llvm.join("usr/lib").join(libraries);
    let loader = libraries.join(loader);
    let link = folder.join("link");
    write_script(
        &link,
        &format!(
            "#!/bin/sh\noutput= previous=\nfor word in \"$@\"; do\n  \
             if [ \"$previous\" = -o ]; then output=$word; fi\n  previous=$word\ndone\n\
             here=$(dirname \"$0\")\nlibraries='{}'\n\
             export LD_LIBRARY_PATH=\"$libraries\"\n\
             exec '{}' --library-path \"$libraries\" \"$here/bin/sbpf-linker\" ${{output:+--dump-module=\"$output.ir\"}} \"$@\"\n",
            libraries.display(),
            loader.display(),
        ),
    )?;
    step.run(Command::new(&link).arg("--version")).context("sbpf-linker does not run with LLVM 23 from Debian sid")?;
    step.done();
    Ok(())
}
