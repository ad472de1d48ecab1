//! What the program's instructions cost in compute units, beside the budgets that the design sets them.
//!
//! Every figure is what the runtime counted for the compiled program on LiteSVM with the features that mainnet has, calls to
//! the token program included. Nothing is random that is not the same in the next run.

pub mod crowd;
mod deleveraging;
mod forced;
mod margin;
mod money;
mod orders;
pub mod population;
mod protection;
mod ranking;
mod report;
mod samples;
mod scale;

use std::fmt;

pub use report::{json, table};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Compute units.
    ComputeUnits,
    /// Cells of the ranking index.
    Cells,
    /// Instructions.
    Instructions,
    /// Accounts that a transaction locks.
    Accounts,
    /// Bytes of a transaction.
    Bytes,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::ComputeUnits => "CU",
            Unit::Cells => "cells",
            Unit::Instructions => "instructions",
            Unit::Accounts => "accounts",
            Unit::Bytes => "bytes",
        })
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub measured: u64,
    /// The most that it should be, if anything was decided about it.
    pub budget: Option<u64>,
    /// What is counted.
    pub unit: Unit,
}

impl Cost {
    fn new(name: impl Into<String>, measured: u64, unit: Unit) -> Cost {
        Cost { name: name.into(), measured, budget: None, unit }
    }

    fn units(name: impl Into<String>, measured: u64) -> Cost {
        Cost::new(name, measured, Unit::ComputeUnits)
    }

    fn at_most(self, budget: u64) -> Cost {
        Cost { budget: Some(budget), ..self }
    }

    /// Whether it exceeds its budget.
    pub fn missed(&self) -> bool {
        self.budget.is_some_and(|budget| self.measured > budget)
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Full,
    /// What takes seconds: fewer samples, no million positions.
    Brief,
}

impl Extent {
    /// How often something random is tried.
    fn samples(self) -> usize {
        match self {
            Extent::Full => 400,
            Extent::Brief => 40,
        }
    }
}

/// One subject: what it measures, and the measuring.
pub type Part = (&'static str, fn(Extent) -> Vec<Cost>);

/// All subjects, in the order in which they are reported.
pub const PARTS: [Part; 10] = [
    ("resting orders", orders::resting),
    ("taking orders", orders::taking),
    ("books of growing size", scale::scale),
    ("margin over many markets", margin::margin),
    ("liquidation and takeover", forced::forced),
    ("triggers and ladders", protection::protection),
    ("the ranking index by itself", ranking::ranking),
    ("deleveraging", deleveraging::deleveraging),
    ("upkeep by anyone", money::upkeep),
    ("accounts and money", money::money),
];
