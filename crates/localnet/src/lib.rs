//! An embedded Solana node for Ballast, made for demonstrations, tests and replays of recorded prices.
//!
//! [`Localnet`] runs the node on ports of your choosing, always offline. [`ChainClock`] decides when blocks come and
//! what time the chain believes it is, so that a recorded hour can pass in a minute. [`Faucet`] pays SOL and a dollar
//! token by real transactions. [`oracle_accounts`] writes price accounts byte for byte as Pyth's programs would, and
//! [`prices`] reads recordings.
//!
//! Everything here blocks the calling thread. From asynchronous code, call it in `tokio::task::spawn_blocking`.

pub mod bulk;
mod clock;
mod control;
mod error;
pub mod exchange;
mod faucet;
mod history;
pub mod keepers;
pub mod listener;
pub mod maker;
mod node;
pub mod processes;
mod program;
pub mod stage;
pub mod testing;

pub mod prices;

pub use ballast_client::oracle_accounts;
pub use ballast_migrate::config as market_config;
pub use clock::{Blocks, ChainClock, ChainTime, Pacer};
pub use error::LocalnetError;
pub use faucet::{Faucet, QUOTE_DECIMALS};
pub use node::{Localnet, LocalnetConfig};
pub use program::ProgramFile;
