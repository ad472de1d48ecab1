//! What the tests share.

pub mod costs;
pub mod fixture;
pub mod flow;
pub mod harness;
pub mod lookup;

use std::path::{Path, PathBuf};

/// The compiled program of that file name, for example `ballast.so`.
///
/// # Panics
/// If it has not been built.
pub fn compiled_program(file_name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/deploy").join(file_name);
    assert!(
        path.exists(),
        "{file_name} has not been built: run `cargo xtask test`, which builds it and runs the tests"
    );
    path
}
