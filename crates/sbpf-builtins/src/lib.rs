//! 128-bit multiplication and division for programs that the bootstrapped SBPF toolchain links.
//!
//! SBPF has no 128-bit instructions, so the code generator calls `__multi3`, `__udivti3`, `__umodti3`, `__divti3` and
//! `__modti3`. The bootstrapped toolchain compiles with LLVM 22, where a function that returns 128 bits takes a hidden
//! pointer, and links with LLVM 23, whose own calls expect the result in two registers. The stock builtins would
//! therefore write to a wild address. The [`symbols`] module defines the five in the form that LLVM 23 calls; a program
//! pulls them in with `use ballast_sbpf_builtins as _;`.
//!
//! Everywhere else (the host, and the usual platform-tools, which bring builtins that match their LLVM) only [`wide`] is
//! compiled: the arithmetic itself, as plain functions, so that it is tested against the host's native `u128`.

#![no_std]
#![cfg_attr(ballast_bootstrap, feature(abi_unadjusted), allow(internal_features))]

#[cfg(ballast_bootstrap)]
pub mod symbols;
pub mod wide;

// The memory functions (`memcpy` and its kin) come from here. Its arithmetic is weak, so `symbols` overrides it.
#[cfg(ballast_bootstrap)]
use solana_compiler_builtins as _;
