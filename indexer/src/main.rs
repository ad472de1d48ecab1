//! The indexer's command line.

use std::process::ExitCode;

use anyhow::Result;
use ballast_indexer::{
    api, run,
    settings::{Arguments, Command, Config},
};
use ballast_ops::log;
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match index(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ballast-indexer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn index(arguments: Arguments) -> Result<()> {
    let command = arguments.command;
    if matches!(command, Some(Command::Openapi)) {
        print!("{}", api::description());
        return Ok(());
    }
    let settings = arguments.settings()?;
    log::start(settings.log_format, settings.log.as_deref())?;
    let config = Config::new(settings)?;
    match command {
        Some(Command::Rebuild) => tokio::task::block_in_place(|| run::rebuild(&config)),
        Some(Command::Openapi) | None => run::run(config).await,
    }
}
