//! Compiles what the app computes to WebAssembly, with the JavaScript and the TypeScript declarations around it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::progress::Step;
use crate::toolchain::{TARGET, WasmTools};
use crate::workspace;

/// The package that is compiled.
const PACKAGE: &str = "ballast-wasm";
/// Its file's name without ending.
const FILE: &str = "ballast_wasm";
/// The cargo profile: small, and fast enough.
const PROFILE: &str = "wasm";

/// Where the app imports it from. Not committed: it is built.
fn output() -> PathBuf {
    workspace::root().join("app/src/wasm")
}

/// Compiles, and writes the result if it changed, so that a running development server reloads only for a reason.
pub fn build() -> Result<()> {
    let tools = WasmTools::find_or_install()?;
    let target_dir = workspace::target_dir().join("wasm");
    let step = Step::start("Compiling the app's arithmetic to WebAssembly");
    let mut cargo = workspace::cargo();
    cargo
        .args(["build", "--lib", "--package", PACKAGE, "--profile", PROFILE, "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        .current_dir(workspace::root());
    // What a person set for the host's compiler is not meant for this one.
    for variable in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(variable);
    }
    if let Some(parts) = &tools.build_std {
        cargo
            .arg("-Zbuild-std=std,panic_abort")
            .env("RUSTC", &parts.rustc)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("__CARGO_TESTS_ONLY_SRC_ROOT", &parts.library)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &parts.linker);
    }
    step.run(&mut cargo)?;

    let compiled = target_dir.join(TARGET).join(PROFILE).join(format!("{FILE}.wasm"));
    let bound = target_dir.join("bound");
    // The names of functions are two fifths of the file, and only a profiler reads them.
    let bare = ["--remove-name-section", "--remove-producers-section"];
    step.run(
        Command::new(&tools.bindgen).args(bare).args(["--target", "web", "--out-dir"]).arg(&bound).arg(&compiled),
    )?;
    step.done();
    publish(&bound)
}

/// Copies the files that changed into the app.
fn publish(bound: &Path) -> Result<()> {
    let output = output();
    fs::create_dir_all(&output)?;
    for name in
        [format!("{FILE}_bg.wasm"), format!("{FILE}.js"), format!("{FILE}.d.ts"), format!("{FILE}_bg.wasm.d.ts")]
    {
        let new = fs::read(bound.join(&name)).with_context(|| format!("wasm-bindgen wrote no {name}"))?;
        if new.is_empty() {
            bail!("wasm-bindgen wrote an empty {name}");
        }
        let to = output.join(&name);
        let changed = !fs::read(&to).is_ok_and(|old| old == new);
        if changed {
            fs::write(&to, &new)?;
        }
        if name.ends_with(".wasm") {
            let shown = to.strip_prefix(workspace::root()).unwrap_or(&to).display();
            eprintln!("  {shown} ({} bytes{})", new.len(), if changed { "" } else { ", unchanged" });
        }
    }
    Ok(())
}
