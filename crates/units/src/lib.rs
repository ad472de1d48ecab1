//! Quantities of the exchange as types, and exact wide arithmetic.
//!
//! Money is USDC in atoms (10^-6). Base is counted in lots. A price is atoms per lot, so a value is
//! `lots × price`, without division or rounding. Each quantity has its own type, so that a price cannot be added to a
//! size; every operation is checked; where a division cannot be avoided, the name says which way it rounds.
//!
//! `no_std`, no floating point, no knowledge of accounts: the program, the keepers, the simulator and the browser
//! compute with these same lines.
#![cfg_attr(not(test), no_std)]
// The checked operations are named for what they do; the operators' traits could not return errors.
#![allow(clippy::should_implement_trait)]

mod quantities;
pub mod wide;

pub use quantities::{ArithmeticError, Lots, MAX_LOTS, MAX_PRICE, Position, Price, Quote, Side};

/// Basis points in one.
pub const BPS: u64 = 10_000;

/// One, in a funding index: the index is atoms per lot, scaled by this (2^24), so that a second's funding of a cheap
/// lot does not round to nothing, and an `i64` still holds 2^39 atoms per lot, half of [`MAX_PRICE`].
pub const FUNDING_ONE: i64 = 1 << 24;
