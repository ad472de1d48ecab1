//! The Rust SDK of the Ballast exchange. Keepers, the local network, replay, tests and tools are written against it.
//!
//! | module | for |
//! |---|---|
//! | [`addresses`] | where the program's accounts are |
//! | [`instructions`] | one builder per instruction, from plain values |
//! | [`accounts`] | decoding account data, with every check that bytes allow |
//! | [`snapshot`] | all accounts of an exchange at one moment, kept current from updates |
//! | [`view`] | what positions hold and are worth now, who is due for what, ranks: the program's own formulas |
//! | [`rpc`] | reading a cluster: snapshots, vaults, lookup tables |
//! | [`send`] | from instructions to a confirmed transaction |
//! | [`error`] | the program's errors by number |
//! | [`record`] | the program's events out of transactions: what it recorded |
//! | [`events`] | the events themselves, and what of them stands in logs |
//! | [`keys`] | key files, with a check of who can read them |
//! | [`history`] | every account's history and balances, rebuilt from events alone |
//! | [`redact`] | addresses without the keys in them, for what others may read |
//! | [`oracle_accounts`] | price accounts as Pyth's programs write them, for tests and local networks |
//! | [`audit`] | the solvency invariants, checked from account data alone |
//!
//! Without the feature `network` there are no [`rpc`], [`send`] and [`keys`], and the crate compiles to WebAssembly: the app decodes
//! and computes with it.
//!
//! Nothing that the program decides is decided a second time here: margin, bankruptcy prices, stages and ranks are
//! calls into the program's crate and the pure crates.

pub mod accounts;
pub mod addresses;
pub mod audit;
pub mod error;
pub mod events;
pub mod history;
pub mod instructions;
#[cfg(feature = "network")]
pub mod keys;
pub mod oracle_accounts;
pub mod record;
pub mod redact;
#[cfg(feature = "network")]
pub mod rpc;
#[cfg(feature = "network")]
pub mod send;
pub mod shock;
pub mod snapshot;
pub mod view;
pub mod why;

#[cfg(test)]
mod testing;

pub use ballast;
pub use ballast_units as units;
