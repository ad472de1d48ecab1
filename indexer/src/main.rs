//! The indexer's command line.

use std::process::ExitCode;

use anyhow::{Context, Result};
use ballast_indexer::{
    api, run,
    settings::{Arguments, Command, Config, LogFormat, Settings},
};
use clap::Parser;
use tracing_subscriber::EnvFilter;

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
    start_logging(&settings)?;
    let config = Config::new(settings)?;
    match command {
        Some(Command::Rebuild) => tokio::task::block_in_place(|| run::rebuild(&config)),
        Some(Command::Openapi) | None => run::run(config).await,
    }
}

/// The log: for people or for machines, always on standard error.
fn start_logging(settings: &Settings) -> Result<()> {
    let filter = settings.log.as_deref().unwrap_or("info,solana_pubsub_client=error");
    let filter = EnvFilter::try_new(filter).context("--log")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format.unwrap_or(LogFormat::Text) {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => builder.json().with_current_span(false).with_span_list(false).init(),
    }
    Ok(())
}
