//! How many compute units each instruction took.

use std::{collections::BTreeMap, fmt};

use ballast_client::addresses::PROGRAM_ID;

use super::chain::reports;

/// Compute units of the program's instructions by name.
#[derive(Clone, Debug, Default)]
pub struct Usage(BTreeMap<String, Vec<u64>>);

impl Usage {
    /// Adds the outermost calls of the program that a transaction's logs report.
    pub fn note(&mut self, logs: &[String]) {
        let invoked = format!("Program {PROGRAM_ID} invoke [1]");
        for (at, units) in reports(logs) {
            let Some(began) = logs[..at].iter().rposition(|line| *line == invoked) else { continue };
            let name = logs[began..at].iter().find_map(|line| line.strip_prefix("Program log: Instruction: "));
            if let Some(name) = name {
                self.0.entry(name.to_string()).or_default().push(units);
            }
        }
    }

    /// Adds another chain's figures.
    pub fn extend(&mut self, other: Usage) {
        for (name, units) in other.0 {
            self.0.entry(name).or_default().extend(units);
        }
    }

    /// The figures of one instruction, in the order of the calls.
    pub fn of(&self, instruction: &str) -> &[u64] {
        self.0.get(instruction).map_or(&[], Vec::as_slice)
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<22} {:>6} {:>8} {:>8} {:>8}", "instruction", "calls", "median", "p95", "max")?;
        for (name, units) in &self.0 {
            let mut sorted = units.clone();
            sorted.sort_unstable();
            let at = |share: usize| sorted[(sorted.len() - 1) * share / 100];
            writeln!(f, "{name:<22} {:>6} {:>8} {:>8} {:>8}", sorted.len(), at(50), at(95), at(100))?;
        }
        Ok(())
    }
}
