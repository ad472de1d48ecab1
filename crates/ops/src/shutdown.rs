//! How a process is told to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels on the first SIGINT or SIGTERM; the second ends the process at once, with status 130.
///
/// # Errors
/// When the signals cannot be listened for.
pub fn on_signals(cancel: CancellationToken) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        for again in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if again {
                tracing::warn!("stopping at once");
                std::process::exit(130);
            }
            cancel.cancel();
        }
    });
    Ok(())
}
