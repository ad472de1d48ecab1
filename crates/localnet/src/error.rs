//! What can go wrong with the local network, in sentences that say what to do about it.

use std::path::PathBuf;

use solana_pubkey::Pubkey;
use solana_rpc_client_api::client_error::Error as RpcError;
use thiserror::Error;

/// A failure of the local network or of a request to it.
#[derive(Debug, Error)]
pub enum LocalnetError {
    /// The two servers need two ports.
    #[error("the RPC and WebSocket servers cannot share port {0}")]
    SamePort(u16),
    /// A port could not be bound, or none was free.
    #[error("cannot listen on {address}: {source} (is another local network running?)")]
    Port {
        /// Host and port that were tried.
        address: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The node ended before it was ready.
    #[error("the node did not start: {0}")]
    Start(String),
    /// A thread, a file or a port of the machine could not be had.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A process beside the node could not be started, ended by itself, or did not end.
    #[error("{name} {problem}")]
    Process {
        /// Which.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The node has stopped, or stopped while it was working on the request.
    #[error("the node has stopped")]
    Stopped,
    /// The servers did not let go of their ports in time.
    #[error("the node's servers did not close within {0} seconds; their ports may still be in use")]
    StopTimeout(u64),
    /// The node refused a change of state.
    #[error("the node refused to {action}: {reason}")]
    Refused {
        /// What was asked for.
        action: String,
        /// The node's own words.
        reason: String,
    },
    /// A compiled program could not be read.
    #[error("cannot read the program file {}: {source}", path.display())]
    ProgramFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A replay speed or pace that is not a positive, finite number.
    #[error("speed must be a positive number, got {0}")]
    Speed(f64),
    /// Running until a time that no number of blocks reaches.
    #[error("the chain's clock stands still: a block advances it by 0 ms")]
    ClockStandsStill,
    /// A time that the chain's clock cannot show.
    #[error("{0} is before 1970, which the node's clock cannot show")]
    TimeBeforeEpoch(i64),
    /// An account that should exist does not, or is something else.
    #[error("account {address} {problem}")]
    Account {
        /// Where it was looked for.
        address: Pubkey,
        /// What is wrong with it.
        problem: String,
    },
    /// A request over JSON-RPC failed.
    #[error("{action}: {source}")]
    Rpc {
        /// What was asked for.
        action: String,
        /// The client's error.
        source: Box<RpcError>,
    },
}
