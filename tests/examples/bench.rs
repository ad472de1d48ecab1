//! Prints what the program's instructions cost, beside their budgets. `cargo xtask bench` compiles the programs and runs
//! this; `--json FILE` also writes the figures to a file, and `--only TEXT` measures the subjects that contain the text.

use std::{env, fs, process::ExitCode};

use ballast_tests::costs::{Extent, PARTS, json, table};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (mut file, mut only) = (None, "");
    for pair in arguments.chunks(2) {
        match pair {
            [option, value] if option == "--json" => file = Some(value),
            [option, value] if option == "--only" => only = value,
            _ => {
                eprintln!("usage: bench [--json FILE] [--only TEXT]");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut costs = Vec::new();
    for (subject, measure) in PARTS.into_iter().filter(|(subject, _)| subject.contains(only)) {
        eprintln!("  Measuring {subject} ...");
        costs.extend(measure(Extent::Full));
    }
    print!("{}", table(&costs));
    let missed = costs.iter().filter(|cost| cost.missed()).count();
    let set = costs.iter().filter(|cost| cost.budget.is_some()).count();
    println!("{missed} of {set} budgets missed");
    if let Some(file) = file
        && let Err(error) = fs::write(file, json(&costs))
    {
        eprintln!("error: {file}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
