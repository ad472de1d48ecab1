//! The one way in which this crate reaches into the running node: a closure that the node's own loop runs between
//! transactions, so that nothing it changes can be seen half done.

use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use surfpool_core::surfnet::{locker::SurfnetSvmLocker, svm::SurfnetSvm};
use surfpool_types::{SerialVmMutationResult, SerialVmMutationTask, SimnetCommand};

use crate::LocalnetError;

/// A handle on the running node. Cheap to clone; outlives the node, and then answers [`LocalnetError::Stopped`].
#[derive(Clone)]
pub(crate) struct Control {
    commands: Sender<SimnetCommand>,
    locker: Arc<SurfnetSvmLocker>,
}

impl Control {
    pub(crate) fn new(commands: Sender<SimnetCommand>, locker: SurfnetSvmLocker) -> Self {
        Self { commands, locker: Arc::new(locker) }
    }

    /// Reads the node's state without queueing behind transactions.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&SurfnetSvm) -> T + Send + Sync) -> T {
        self.locker.with_svm_reader(read)
    }

    /// Changes the node's state between two transactions and returns the closure's result.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut SurfnetSvm) -> T + Send + Sync + 'static,
    ) -> Result<T, LocalnetError> {
        let (reply, answer) = bounded(1);
        let locker = Arc::clone(&self.locker);
        self.send(SimnetCommand::ProcessSerialVmMutation(SerialVmMutationTask::new(move || {
            Box::pin(async move {
                // The caller may have given up; then nobody is left to tell.
                let _ = reply.send(locker.with_svm_writer(change));
                SerialVmMutationResult::NoBlock
            })
        })))?;
        answer.recv().map_err(|_| LocalnetError::Stopped)
    }

    /// Closes the current block, confirming its transactions, and returns when that is done.
    pub(crate) fn produce_block(&self) -> Result<(), LocalnetError> {
        let (reply, answer) = bounded(1);
        let locker = Arc::clone(&self.locker);
        self.send(SimnetCommand::ProcessSerialVmMutation(SerialVmMutationTask::new(move || {
            Box::pin(async move {
                let _ = reply.send(locker.confirm_current_block(&None).await);
                SerialVmMutationResult::NoBlock
            })
        })))?;
        answer
            .recv()
            .map_err(|_| LocalnetError::Stopped)?
            .map_err(|error| LocalnetError::Refused { action: "produce a block".into(), reason: error.to_string() })
    }

    /// Queues a command for the node's loop.
    pub(crate) fn send(&self, command: SimnetCommand) -> Result<(), LocalnetError> {
        self.commands.send(command).map_err(|_| LocalnetError::Stopped)
    }
}
