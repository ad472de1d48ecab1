//! The keeper's command line.

use std::process::ExitCode;

use ballast_keeper::{
    config::Config,
    doctor, run,
    settings::{Arguments, Said, Wanted},
};
use ballast_ops::log;
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().wanted() {
        Wanted::Keep(said) => keep(said).await.map(|()| true),
        Wanted::Doctor { said, json } => examine(said, json).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ballast-keeper: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn keep(said: Said) -> anyhow::Result<()> {
    let settings = said.settings()?;
    log::start(settings.log_format, settings.log.as_deref())?;
    run::run(Config::new(settings)?).await
}

/// Whether the setup is good.
async fn examine(said: Said, json: bool) -> anyhow::Result<bool> {
    let report = doctor::examine(said.settings()?).await;
    if json {
        println!("{}", serde_json::json!({ "good": report.is_good(), "findings": report.findings }));
    } else {
        println!("{report}");
    }
    Ok(report.is_good())
}
