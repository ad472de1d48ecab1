//! Compiles programs to SBPFv3 and puts them where tests, the local network and the usual tools look for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::sbpf_verify;
use crate::toolchain::{Bootstrapped, Toolchain};
use crate::workspace;

/// The target's description, below the checkout's root. Its file name is also the target's name.
const TARGET_FILE: &str = "xtask/src/toolchain/sbpf-solana.json";
const TARGET_NAME: &str = "sbpf-solana";

/// A package of this workspace that compiles to an on-chain program.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The package's name.
    pub package: &'static str,
    /// Its folder, below the checkout's root.
    pub folder: &'static str,
}

impl Program {
    /// The exchange itself.
    pub const BALLAST: Self = Self { package: "ballast", folder: "programs/ballast" };

    /// The ranking index by itself, to be measured.
    pub const RANK_PROBE: Self = Self { package: "rank-probe", folder: "tests/programs/rank" };

    /// The exchange, and the programs that only tests use.
    pub const ALL: [Self; 3] =
        [Self::BALLAST, Self { package: "arith-probe", folder: "tests/programs/arith" }, Self::RANK_PROBE];

    /// The program of that package.
    pub fn named(package: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|program| program.package == package).with_context(|| {
            let names = Self::ALL.map(|program| program.package).join(", ");
            format!("no program is named `{package}`; there are: {names}")
        })
    }

    /// The name that cargo gives the linked file.
    fn file_name(self) -> String {
        format!("{}.so", self.package.replace('-', "_"))
    }
}

/// Compiles `programs` with no features but their default ones.
pub fn build_all(programs: &[Program]) -> Result<()> {
    let toolchain = Toolchain::find_or_bootstrap()?;
    for program in programs {
        build_program(&toolchain, *program, &[])?;
    }
    Ok(())
}

/// Compiles one program with `features` and returns the path of the result in `target/deploy`.
///
/// With features the file is called `<program>-<features>.so`, so that it does not take the place of the plain one.
pub fn build_program(toolchain: &Toolchain, program: Program, features: &[&str]) -> Result<PathBuf> {
    eprintln!("Building {} for SBPFv3", program.package);
    let linked = match toolchain {
        Toolchain::Platform { cargo_build_sbf } => build_with_platform_tools(cargo_build_sbf, program, features)?,
        Toolchain::Bootstrapped(parts) => build_with_parts(parts, program, features)?,
    };
    sbpf_verify::is_sbpf_v3(&linked)?;

    let name = program.file_name();
    let name = if features.is_empty() { name } else { name.replace(".so", &format!("-{}.so", features.join("-"))) };
    let deployed = workspace::deploy_dir().join(name);
    let changed = replace_if_different(&linked, &deployed)?;
    let size = fs::metadata(&deployed)?.len();
    let state = if changed { "" } else { ", unchanged" };
    eprintln!("  {} ({size} bytes{state})", deployed.strip_prefix(workspace::root()).unwrap_or(&deployed).display());
    Ok(deployed)
}

/// Every set of features has a folder of its own, because the linked file's name does not tell them apart, and cargo would
/// take one for the other.
fn output_folder(features: &[&str]) -> PathBuf {
    let mut name = String::from("target/sbpf");
    for feature in features {
        name.push('-');
        name.push_str(feature);
    }
    workspace::root().join(name)
}

fn build_with_platform_tools(cargo_build_sbf: &Path, program: Program, features: &[&str]) -> Result<PathBuf> {
    let folder = output_folder(features).join("platform-tools");
    let mut command = Command::new(cargo_build_sbf);
    command.args(["--arch", "v3", "--manifest-path"]).arg(workspace::root().join(program.folder).join("Cargo.toml"));
    command.arg("--sbf-out-dir").arg(&folder);
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    run(&mut command, program)?;
    Ok(folder.join(program.file_name()))
}

/// Compiles the exchange's program with debug information, which changes none of its instructions, and returns the linked file, and the
/// object that it was linked from, which names everything in it.
pub fn build_with_names(toolchain: &Toolchain) -> Result<(PathBuf, PathBuf)> {
    let Toolchain::Bootstrapped(parts) = toolchain else {
        bail!("names need the bootstrapped toolchain: the platform's tools keep no object");
    };
    eprintln!("Building {} for SBPFv3, with names", Program::BALLAST.package);
    let folder = output_folder(&["names"]);
    let mut command = sbpf_cargo(parts, Program::BALLAST, &folder, &["-Clink-arg=--btf"]);
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "1");
    run(&mut command, Program::BALLAST)?;
    let release = folder.join(TARGET_NAME).join("release");
    let linked = release.join(Program::BALLAST.file_name());
    let object = release.join("deps").join(Program::BALLAST.file_name()).with_extension("elf");
    Ok((linked, object))
}

fn build_with_parts(parts: &Bootstrapped, program: Program, features: &[&str]) -> Result<PathBuf> {
    let folder = output_folder(features);
    let mut command = sbpf_cargo(parts, program, &folder, &[]);
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    run(&mut command, program)?;

    let release = folder.join(TARGET_NAME).join("release");
    sbpf_verify::links_only_what_the_chain_has(&release.join("deps").join(format!("{}.ir", program.file_name())))
        .with_context(|| format!("checking what {} was linked from", program.package))?;
    Ok(release.join(program.file_name()))
}

/// The command that compiles a program for the chain, into a target folder, with further flags for the compiler.
fn sbpf_cargo(parts: &Bootstrapped, program: Program, folder: &Path, more: &[&str]) -> Command {
    let mut flags = rustflags();
    flags.extend(more.iter().map(|flag| (*flag).to_owned()));
    let mut command = workspace::cargo();
    command
        .args(["build", "--release", "--lib", "--package", program.package])
        .args(["-Zbuild-std=std,panic_abort", "-Zjson-target-spec", "--target"])
        .arg(workspace::root().join(TARGET_FILE))
        .arg("--target-dir")
        .arg(folder)
        .current_dir(workspace::root())
        .env("RUSTC", &parts.rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC_BOOTSTRAP_SYNTHETIC_TARGET", "1")
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", &parts.std_source)
        .env("CARGO_TARGET_SBPF_SOLANA_LINKER", &parts.linker)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    // What a person set for the host's compiler is not meant for this one.
    for variable in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"] {
        command.env_remove(variable);
    }
    command
}

/// Flags for everything that runs on the chain. The stack frame is the chain's; the instructions that LLVM's CPU v4 has
/// and SBPFv3 has not are disabled one by one. So are the passes that move machine instructions in front of branches: LLVM
/// believes that a division by zero gives zero, as on its BPF, and moves `x / b` in front of `b != 0` where `b` stays the same
/// in a loop, or where two branches divide by it; but on the chain it ends the program. (In LLVM's own language, before
/// these passes, a division stays behind its check.) `tests/tests/arith.rs` has both cases.
fn rustflags() -> Vec<String> {
    let llvm = [
        "--bpf-stack-size=4096",
        "--disable-movsx",
        "--disable-ldsx",
        "--disable-bswap",
        "--disable-gotox",
        "--disable-gotol",
        "--disable-machine-licm",
        "--disable-postra-machine-licm",
        "--disable-machine-cse",
    ];
    let flags = [
        "-Zunstable-options",
        "-Cpanic=immediate-abort",
        "-Clink-arg=--arch=v3",
        // Or else the linker itself writes into target/deploy, whatever the features.
        "-Clink-arg=--deploy=false",
        "-Aexplicit_builtin_cfgs_in_flags",
        "--cfg=target_os=\"solana\"",
        "--cfg=ballast_bootstrap",
    ];
    let llvm = llvm.map(|option| format!("-Clink-arg=--llvm-args={option}"));
    flags.into_iter().map(str::to_owned).chain(llvm).collect()
}

fn run(command: &mut Command, program: Program) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} does not compile for SBPF: see the compiler's messages above", program.package);
    }
    Ok(())
}

/// Copies in one step, so that a test that is reading the file never sees half of it. Says whether anything changed.
fn replace_if_different(from: &Path, to: &Path) -> Result<bool> {
    let new = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(false);
    }
    fs::create_dir_all(workspace::deploy_dir())?;
    let unfinished = to.with_extension(format!("so.{}", std::process::id()));
    fs::write(&unfinished, new)?;
    fs::rename(&unfinished, to)?;
    Ok(true)
}
