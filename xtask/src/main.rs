//! Developer and user commands, run as `cargo xtask <command>`.

mod app;
mod bench;
mod demo;
mod fuzz;
mod idl;
mod progress;
mod replay;
mod sbpf_build;
mod sbpf_verify;
mod test;
mod toolchain;
mod wasm;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use sbpf_build::Program;
use toolchain::Toolchain;

/// Builds, describes and tests Ballast.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compile the on-chain program to target/deploy/ballast.so, installing a toolchain in a cache if there is none
    Build {
        /// The program to compile
        #[arg(long, default_value = Program::BALLAST.package)]
        package: String,
        /// Features to compile it with; the file's name then ends with them
        #[arg(long, value_delimiter = ',')]
        features: Vec<String>,
    },
    /// Compile the on-chain programs, measure the compute units of their instructions, and print them beside the budgets
    Bench {
        /// Also write the figures to this file, as an array of objects with name, measured, budget and unit
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Measure only the subjects that contain this text, such as "orders" or "deleveraging"
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
        /// Instead, how many instructions a second the virtual machine does on one core of this machine
        #[arg(long, conflicts_with_all = ["json", "only"])]
        throughput: bool,
    },
    /// Trace the commonest instructions on the chain's virtual machine and draw where their compute goes
    Flame {
        /// The folder for the drawings
        #[arg(long, value_name = "FOLDER", default_value = "target/flame")]
        folder: PathBuf,
    },
    /// Write the program's interface description to programs/ballast/idl/ballast.json
    Idl {
        /// Write nothing; fail if the description is not current
        #[arg(long)]
        check: bool,
    },
    /// Compile everything and replay the crash of 10 October 2025 on an embedded node with real keepers, then audit
    Replay {
        /// Arguments for the replay; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Fuzz the pure crates by coverage, installing cargo-fuzz in the cache if it is not there
    Fuzz {
        /// One target instead of all
        target: Option<String>,
        /// Inputs beyond the corpus
        #[arg(long, default_value_t = 100_000)]
        runs: u64,
        /// Afterwards keep of the corpus only what the coverage needs
        #[arg(long)]
        minimise: bool,
    },
    /// Check the solvency of an exchange on any cluster from account data alone
    Audit {
        /// Arguments for the audit; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Bring a cluster to what a configuration says: program, exchange, markets, lookup table, account versions
    Migrate {
        /// Arguments for the deployment tool; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Compile what the app computes to WebAssembly, into app/src/wasm, installing tools in a cache if there are none
    Wasm,
    /// Build the app into app/dist: its WebAssembly, its packages, the page
    App {
        /// Only install what it is built from
        #[arg(long)]
        prepare: bool,
    },
    /// Build everything that is missing and run a local exchange with keepers, indexer and the app, until Ctrl-C
    Demo {
        /// Instead, wait until all of it is healthy and a trade and a forced reduction were seen in the app, and stop
        #[arg(long)]
        check: bool,
        /// Arguments for the network; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Compile the on-chain programs and run all tests
    Test {
        /// Arguments for `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Build { package, features } => {
            let program = Program::named(&package)?;
            let features: Vec<_> = features.iter().map(String::as_str).collect();
            sbpf_build::build_program(&Toolchain::find_or_bootstrap()?, program, &features)?;
            Ok(())
        }
        Task::Bench { throughput: true, .. } => bench::throughput(),
        Task::Bench { json, only, .. } => bench::run(json.as_deref(), only.as_deref()),
        Task::Flame { folder } => bench::flame(&folder),
        Task::Idl { check } => idl::run(check),
        Task::Replay { arguments } => replay::run(&arguments),
        Task::Fuzz { target, runs, minimise } => fuzz::run(target.as_deref(), runs, minimise),
        Task::Audit { arguments } => replay::audit(&arguments),
        Task::Migrate { arguments } => replay::migrate(&arguments),
        Task::Wasm => wasm::build(),
        Task::App { prepare: true } => app::prepare(),
        Task::App { prepare: false } => app::build(),
        Task::Demo { check: true, arguments } => demo::check(&arguments),
        Task::Demo { check: false, arguments } => demo::run(&arguments),
        Task::Test { arguments } => test::run(&arguments),
    }
}
