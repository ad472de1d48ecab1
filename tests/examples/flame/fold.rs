//! Instructions as stacks of functions, counted and drawn.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fs::{self, File},
    io::BufWriter,
    path::Path,
};

use super::{names::Names, trace::Invocation};

/// Stacks, outermost function first, with the compute units that were spent there.
#[derive(Default)]
pub struct Folded {
    stacks: BTreeMap<String, u64>,
    own: HashMap<String, u64>,
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
            if let Some(innermost) = stack.last() {
                *self.own.entry((*innermost).to_owned()).or_default() += 1;
            }
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
        *self.stacks.entry(String::from("system calls")).or_default() += units;
    }

    /// All instructions that were added.
    pub fn instructions(&self) -> u64 {
        self.stacks.values().sum()
    }

    /// The functions that most was spent in itself, with their share of everything in per cent.
    pub fn heaviest(&self, most: usize) -> Vec<(f64, &str)> {
        let all = self.instructions().max(1) as f64;
        let mut list: Vec<_> =
            self.own.iter().map(|(name, units)| (*units as f64 * 100.0 / all, name.as_str())).collect();
        list.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        list.truncate(most);
        list
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
