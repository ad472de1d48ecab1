//! Checks a linked program before anyone runs it: that it is SBPFv3, and that it calls nothing the chain has not.
//!
//! An SBPFv3 file keeps no symbols, so the second check reads the final LLVM IR that the linker wrote beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Calls that the runtime offers to programs with the features that mainnet has. Some that the SDK declares are missing
/// here because mainnet has not switched them on: a program that reaches one fails as on an unknown instruction.
const SYSCALLS: [&str; 37] = [
    "abort",
    "sol_alt_bn128_compression",
    "sol_alt_bn128_group_op",
    "sol_create_program_address",
    "sol_curve_decompress",
    "sol_curve_group_op",
    "sol_curve_multiscalar_mul",
    "sol_curve_pairing_map",
    "sol_curve_validate_point",
    "sol_get_clock_sysvar",
    "sol_get_epoch_rewards_sysvar",
    "sol_get_epoch_schedule_sysvar",
    "sol_get_epoch_stake",
    "sol_get_last_restart_slot",
    "sol_get_processed_sibling_instruction",
    "sol_get_rent_sysvar",
    "sol_get_return_data",
    "sol_get_stack_height",
    "sol_get_sysvar",
    "sol_invoke_signed_c",
    "sol_invoke_signed_rust",
    "sol_keccak256",
    "sol_log_",
    "sol_log_64_",
    "sol_log_compute_units_",
    "sol_log_data",
    "sol_log_pubkey",
    "sol_memcmp_",
    "sol_memcpy_",
    "sol_memmove_",
    "sol_memset_",
    "sol_panic_",
    "sol_poseidon",
    "sol_secp256k1_recover",
    "sol_set_return_data",
    "sol_sha256",
    "sol_try_find_program_address",
];

/// The 128-bit helpers that `ballast-sbpf-builtins` defines.
const WIDE_HELPERS: [&str; 5] = ["__divti3", "__modti3", "__multi3", "__udivti3", "__umodti3"];

/// The compiler's other helpers with a 128-bit result. They take a hidden pointer that LLVM 23 does not pass, so a program
/// that has kept one may be about to call it.
const UNSAFE_HELPERS: [&str; 11] = [
    "__ashlti3",
    "__ashrti3",
    "__divmodti4",
    "__fixdfti",
    "__fixsfti",
    "__fixunsdfti",
    "__fixunssfti",
    "__lshrti3",
    "__muloti4",
    "__negti2",
    "__udivmodti4",
];

/// Checks the file's header.
pub fn is_sbpf_v3(file: &Path) -> Result<()> {
    const MACHINE_BPF: u16 = 247;
    const MACHINE_SBPF: u16 = 263;
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    ensure!(bytes.starts_with(b"\x7fELF"), "{} is not an ELF file", file.display());
    let machine = bytes.get(18..20).map(|field| u16::from_le_bytes([field[0], field[1]]));
    ensure!(
        matches!(machine, Some(MACHINE_BPF | MACHINE_SBPF)),
        "{} is compiled for another machine: {machine:?}",
        file.display()
    );
    let flags = bytes.get(48..52).map(|field| u32::from_le_bytes([field[0], field[1], field[2], field[3]]));
    ensure!(flags == Some(3), "{} is not SBPF version 3: its flags are {flags:?}", file.display());
    Ok(())
}

/// Checks the final IR in the folder that the linker wrote.
pub fn links_only_what_the_chain_has(folder: &Path) -> Result<()> {
    let file = folder.join("post-opt.ll");
    let text =
        fs::read_to_string(&file).with_context(|| format!("reading the linker's final IR {}", file.display()))?;
    check_symbols(&text)
}

fn check_symbols(ir: &str) -> Result<()> {
    let declared = symbols(ir, "declare ");
    let defined = symbols(ir, "define ");
    let unknown: Vec<_> =
        declared.iter().filter(|name| !name.starts_with("llvm.") && !SYSCALLS.contains(name)).copied().collect();
    if !unknown.is_empty() {
        bail!(
            "the program calls what neither it nor the chain has: {}. Some code asks for an operating system; find it with \
             `cargo tree` and turn it off",
            unknown.join(", ")
        );
    }
    let missing: Vec<_> = WIDE_HELPERS.iter().filter(|name| !defined.contains(*name)).copied().collect();
    if !missing.is_empty() {
        bail!(
            "the program lacks the 128-bit helpers {}: it must depend on ballast-sbpf-builtins and say \
             `use ballast_sbpf_builtins as _;`",
            missing.join(", ")
        );
    }
    let kept: Vec<_> = UNSAFE_HELPERS.iter().filter(|name| defined.contains(*name)).copied().collect();
    if !kept.is_empty() {
        bail!(
            "the program keeps {}, which LLVM 23 calls in another way: define them in ballast-sbpf-builtins",
            kept.join(", ")
        );
    }
    Ok(())
}

/// The names of the functions on the lines that start with `keyword`.
fn symbols<'ir>(ir: &'ir str, keyword: &str) -> BTreeSet<&'ir str> {
    ir.lines()
        .filter(|line| line.starts_with(keyword))
        .filter_map(|line| {
            let name = line.split_once('@')?.1;
            Some(match name.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?.0,
                None => name.split_once('(')?.0,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "declare void @sol_log_(ptr, i64)\ndeclare i64 @llvm.umin.i64(i64, i64) #1\n\
        define i128 @__divti3(i128 %0) {\n  call void @elsewhere()\n}\ndefine hidden i128 @__modti3(i128 %0) {\n}\n\
        define i128 @__multi3(i128 %0) {\n}\ndefine i128 @\"__udivti3\"(i128 %0) {\n}\ndefine i128 @__umodti3(i128 %0) {\n}\n";

    fn complaint(ir: &str) -> String {
        check_symbols(ir).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_program_that_calls_only_the_runtime_passes() {
        assert_eq!(complaint(SOUND), "");
    }

    #[test]
    fn a_call_to_an_operating_system_is_refused() {
        assert!(complaint(&format!("{SOUND}declare i32 @getenv(ptr)\n")).contains("getenv"));
    }

    #[test]
    fn missing_and_foreign_wide_helpers_are_refused() {
        assert!(complaint(&SOUND.replace("__modti3", "other")).contains("lacks the 128-bit helpers __modti3"));
        assert!(complaint(&format!("{SOUND}define void @__muloti4(ptr %0) {{\n}}\n")).contains("keeps __muloti4"));
    }

    #[test]
    fn only_version_3_files_are_accepted() -> Result<()> {
        let file = std::env::temp_dir().join(format!("ballast-verify-{}.so", std::process::id()));
        let mut header = [0u8; 64];
        header[..4].copy_from_slice(b"\x7fELF");
        header[18] = 247;
        for (version, accepted) in [(3, true), (0, false)] {
            header[48] = version;
            fs::write(&file, header)?;
            assert_eq!(is_sbpf_v3(&file).is_ok(), accepted);
        }
        fs::remove_file(file)?;
        Ok(())
    }
}
