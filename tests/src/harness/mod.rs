//! An exchange on a virtual machine, with everything around it: tokens, oracles, traders, a clock. After every
//! instruction the solvency invariants are checked from account data alone, and an instruction that failed must have
//! changed nothing.

mod chain;
mod describe;
mod expect;
mod forced;
mod fresh;
mod inspect;
mod lives;
mod oracle;
mod owners;
mod params;
mod protect;
mod saved;
mod trade;
mod traders;
mod usage;
mod world;

pub use chain::{Chain, Lite, Outcome, Receipt, Refusal, invocations, sign};
pub use describe::{contains, describe};
pub use expect::Expect;
pub use fresh::fresh_keypair;
pub use oracle::Observation;
pub use params::{DOLLAR, MarketSpec, default_params};
pub use protect::{trigger_execution, trigger_ids};
pub use saved::Saved;
pub use trade::{order_ids, resting};
pub use traders::Trader;
pub use usage::Usage;
pub use world::{BTC, ETH, Realm, SOL, World};
