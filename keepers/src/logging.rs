//! The log: for people or for machines, always on standard error.
//!
//! What was done to whom is logged under the target `action`, one line for each attempt, with fields that tools can rely on
//! (see the keeper handbook).

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged when nothing else was said. The WebSocket client logs its own reconnections, which the feed reports.
const DEFAULT_FILTER: &str = "info,solana_pubsub_client=error";

/// Starts logging.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(format: LogFormat, filter: Option<&str>) -> Result<()> {
    let filter = EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER)).context("--log")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => builder.json().with_current_span(false).with_span_list(false).init(),
    }
    Ok(())
}
