//! Prints what the program's instructions cost, beside their budgets. `cargo xtask bench` compiles the programs and runs
//! this; `--json FILE` also writes the figures to a file.

use std::{env, fs, process::ExitCode};

use ballast_tests::costs::{Extent, PARTS, json, table};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let file = match arguments.as_slice() {
        [] => None,
        [option, file] if option == "--json" => Some(file),
        _ => {
            eprintln!("usage: bench [--json FILE]");
            return ExitCode::FAILURE;
        }
    };
    let mut costs = Vec::new();
    for (subject, measure) in PARTS {
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
