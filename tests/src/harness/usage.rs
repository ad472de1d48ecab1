//! How many compute units each instruction took.

use std::{collections::BTreeMap, fmt};

use ballast_client::addresses::PROGRAM_ID;

/// Compute units of the program's instructions by name.
#[derive(Clone, Debug, Default)]
pub struct Usage(BTreeMap<String, Vec<u64>>);

impl Usage {
    /// Adds the outermost calls of the program that a transaction's logs report.
    pub fn note(&mut self, logs: &[String]) {
        let invoked = format!("Program {PROGRAM_ID} invoke [1]");
        let consumed = format!("Program {PROGRAM_ID} consumed ");
        let mut name = None;
        let mut fresh = false;
        for line in logs {
            if *line == invoked {
                fresh = true;
            } else if let Some(instruction) = line.strip_prefix("Program log: Instruction: ").filter(|_| fresh) {
                name = Some(instruction.to_string());
                fresh = false;
            } else if let Some(figure) = line.strip_prefix(&consumed)
                && let Some(name) = name.take()
                && let Some(units) = figure.split(' ').next().and_then(|units| units.parse().ok())
            {
                self.0.entry(name).or_default().push(units);
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
