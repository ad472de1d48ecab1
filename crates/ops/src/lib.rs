//! What every long-running process of Ballast has, the same way.
//!
//! | module | what operators have of it |
//! |---|---|
//! | [`settings`] | each thing said by a flag, an environment variable or a line of a TOML file |
//! | [`log`] | a log for people or for machines |
//! | [`shutdown`] | a clean end on the first signal, a prompt one on the second |
//! | [`metrics`] | numbers for Prometheus |
//! | [`vitals`] | `/metrics`, `/health` and `/ready` |

pub mod log;
pub mod metrics;
pub mod settings;
pub mod shutdown;
pub mod vitals;
