//! The keeper's command line.

use std::process::ExitCode;

use ballast_keeper::{
    config::{Config, LogFormat},
    logging, run,
    settings::Arguments,
};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match keep(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ballast-keeper: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn keep(arguments: Arguments) -> anyhow::Result<()> {
    let settings = arguments.settings()?;
    logging::start(settings.log_format.unwrap_or(LogFormat::Text), settings.log.as_deref())?;
    run::run(Config::new(settings)?).await
}
