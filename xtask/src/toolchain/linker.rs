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
/// The script also writes the linked program's final LLVM IR into the folder `<output>.ir`, for [`crate::sbpf_verify`]. What LLVM
/// makes of it stays in `<output>.elf`, which has the symbols that an SBPFv3 file has not: the linker writes its own file beside
/// what it is told to write, with the ending `.so`.
pub fn install(cache: &Cache) -> Result<PathBuf> {
    let llvm = cache.part("llvm", &format!("{LLVM_PACKAGE} of sid, 1"), fill_llvm)?;
    let recipe = format!("sbpf-linker {LINKER_VERSION}, 1, with {}", llvm.display());
    let linker = cache.part("linker", &recipe, fill_linker)?;
    let script = format!("2, of {}", linker.display());
    Ok(cache.part("link", &script, |folder| fill_script(folder, &linker, &llvm))?.join("link"))
}

fn fill_llvm(prefix: &Path) -> Result<()> {
    let step = Step::start("Fetching LLVM 23 from Debian sid (about 50 MB)");
    debian::unpack(&step, Release::Sid, &[LLVM_PACKAGE], |_| true, prefix)?;
    step.done();
    Ok(())
}

fn fill_linker(folder: &Path) -> Result<()> {
    let step = Step::start("Compiling sbpf-linker (some minutes, only this once)");
    cargo_tool::install(&step, folder, "sbpf-linker", LINKER_VERSION, true)?;

    step.done();
    Ok(())
}

fn fill_script(folder: &Path, linker: &Path, llvm: &Path) -> Result<()> {
    let Architecture { libraries, loader, .. } = Architecture::of_host()?;
    let libraries = llvm.join("usr/lib").join(libraries);
    let loader = libraries.join(loader);
    let link = folder.join("link");
    write_script(
        &link,
        &format!(
            "#!/bin/sh\noutput= previous=\nfor word do\n  shift\n  \
             if [ \"$previous\" = -o ]; then output=$word; word=${{word%.so}}.elf; fi\n  \
             set -- \"$@\" \"$word\"\n  previous=$word\ndone\n\
             libraries='{}'\n\
             export LD_LIBRARY_PATH=\"$libraries\"\n\
             exec '{}' --library-path \"$libraries\" '{}' ${{output:+--dump-module=\"$output.ir\"}} \"$@\"\n",
            libraries.display(),
            loader.display(),
            linker.join("bin/sbpf-linker").display(),
        ),
    )?;
    let step = Step::start("Trying the linker");
    step.run(Command::new(&link).arg("--version")).context("sbpf-linker does not run with LLVM 23 from Debian sid")?;
    step.done();
    Ok(())
}
