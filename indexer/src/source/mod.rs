//! Where transactions come from. [`Rpc`] asks a node; tests script the answers.

mod decode;
mod rpc;

use async_trait::async_trait;
use ballast_client::record::Invocation;

pub use decode::{Logged, decode};
pub use rpc::Rpc;

/// How sure the cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finality {
    /// Two thirds have voted for it; very rarely it is dropped all the same.
    Confirmed,
    /// For good.
    Finalized,
}

/// A transaction in a node's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its signature.
    pub signature: String,
    /// Its slot.
    pub slot: u64,
    /// Whether it failed: then nothing that it logged took place.
    pub failed: bool,
    /// Its place in the block, where the node says it.
    pub index: Option<u32>,
    /// Its block's unix time, where the node knows it.
    pub time: Option<i64>,
}

/// A transaction whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Its slot.
    pub slot: u64,
    /// Its block's unix time, where the node knows it.
    pub time: Option<i64>,
    /// What ran in it, in the order in which it began.
    pub invocations: Vec<Invocation>,
}

/// Why the source has no answer now.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The node did not answer, or refused.
    #[error("the node: {0}")]
    Node(String),
    /// The node is behind the slot that it was asked to be at.
    #[error("the node: {0}")]
    Behind(String),
    /// The node's answers do not fit each other: it is behind itself, or another fork has won just now.
    #[error("the node's answers do not fit each other: {0}")]
    Torn(String),
    /// The program has an instruction that this indexer does not know.
    #[error("the program is newer than this indexer: install its newer version, which goes on from here")]
    Newer,
    /// The node keeps no inner instructions, or something else is missing for good.
    #[error("{0}")]
    Lacking(String),
}

/// A cluster's history of the program.
#[async_trait]
pub trait Source: Send + Sync {
    /// The newest slot that is this sure.
    async fn slot(&self, finality: Finality) -> Result<u64, SourceError>;

    /// At most `limit` of the program's transactions, newest first: older than `before`, newer than `until`. A node that is
    /// not yet at `min_slot` refuses: behind one address there may be several, and the one that said its slot is not
    /// always the one that lists.
    async fn signatures(
        &self,
        finality: Finality,
        before: Option<&str>,
        until: Option<&str>,
        limit: usize,
        min_slot: u64,
    ) -> Result<Vec<Listed>, SourceError>;

    /// All signatures of a block, in its order.
    async fn block(&self, slot: u64, finality: Finality) -> Result<Vec<String>, SourceError>;

    /// A transaction; `None` when the node does not know it.
    async fn transaction(&self, signature: &str, finality: Finality) -> Result<Option<Fetched>, SourceError>;
}
