//! Instructions as stacks of functions, counted and drawn.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::{self, File},
    io::BufWriter,
    path::Path,
};

use super::{names::Names, trace::Invocation};

/// Parts of the work, and what tells a stack that belongs to one.
const PARTS: [(&str, &[&str]); 7] = [
    ("system calls: the record, logs, the clock", &[SYSTEM_CALLS]),
    ("writing events", &["ballast::record::tell", "ballast::record::send", "ballast::chain::heap::take_record"]),
    ("the runtime's accounts as Rust has them", &["solana_program_entrypoint::deserialize"]),
    ("margin", &["ballast::logic::assess::", "ballast_risk::"]),
    ("the ranking index", &["ballast_rank::"]),
    ("the order book", &["ballast_book::"]),
    ("Anchor: dispatch, arguments, checks of accounts", &["anchor_lang::", "Accounts<", "borsh::"]),
];
const SYSTEM_CALLS: &str = "system calls";

/// Stacks, outermost function first, with the compute units that were spent there.
#[derive(Default)]
pub struct Folded {
    stacks: BTreeMap<String, u64>,
}

impl Folded {
    /// Adds one run of the program: each instruction to the functions that it is in, as they called each other.
    pub fn add(&mut self, names: &Names, counters: &[u32]) {
        // What called what is under way; each entry the frames of a call.
        let mut callers: Vec<&[String]> = Vec::new();
        for counter in counters {
            let counter = *counter as usize;
            let frames = names.at(counter);
            let stack: Vec<&str> = callers.iter().copied().flatten().chain(frames).map(String::as_str).collect();
            *self.stacks.entry(stack.join(";")).or_default() += 1;
            match names.ops.get(counter) {
                Some(op) if op.calls() => callers.push(frames),
                Some(op) if op.returns() => drop(callers.pop()),
                _ => {}
            }
        }
    }

    /// Adds one run of another program.
    pub fn add_foreign(&mut self, invocation: &Invocation) {
        *self.stacks.entry(format!("program {}", invocation.program)).or_default() += invocation.counters.len() as u64;
    }

    /// Adds what the runtime charges beside instructions.
    pub fn add_system_calls(&mut self, units: u64) {
        *self.stacks.entry(String::from(SYSTEM_CALLS)).or_default() += units;
    }

    /// All instructions that were added.
    pub fn instructions(&self) -> u64 {
        self.stacks.values().sum()
    }

    /// What was spent on each part of the work, most first. Each stack counts for the first part that it is in.
    pub fn parts(&self) -> Vec<(&'static str, u64)> {
        let mut parts: Vec<_> =
            PARTS.iter().map(|(name, _)| (*name, 0)).chain([("the program's own rules, and the rest", 0)]).collect();
        for (stack, units) in &self.stacks {
            let part = PARTS.iter().position(|(_, marks)| marks.iter().any(|mark| stack.contains(mark)));
            parts[part.unwrap_or(PARTS.len())].1 += units;
        }
        parts.sort_by_key(|(_, units)| std::cmp::Reverse(*units));
        parts
    }

    /// Draws it, and writes the stacks beside the drawing, for tools that compare them.
    pub fn draw(&self, title: &str, file: &Path) -> Result<(), Box<dyn Error>> {
        let lines: Vec<String> = self.stacks.iter().map(|(stack, units)| format!("{stack} {units}")).collect();
        fs::write(file.with_extension("folded"), lines.join("\n") + "\n")?;
        let mut options = inferno::flamegraph::Options::default();
        options.title = title.to_owned();
        options.count_name = String::from("compute units");
        options.min_width = 0.2;
        options.deterministic = true;
        inferno::flamegraph::from_lines(
            &mut options,
            lines.iter().map(String::as_str),
            BufWriter::new(File::create(file)?),
        )?;
        Ok(())
    }
}
