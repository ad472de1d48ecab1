//! What several instructions do alike: opening a market's accounts, bringing a position up to date, assessing an
//! account, trading on the book, paying bounties. Every decision is a call into the pure crates.

mod assess;
mod bounty;
mod desk;
mod execution;
mod fees;
mod forced;
mod gone;
mod insurance;
mod protect;
mod room;
mod touch;
mod venue;

pub use assess::*;
pub use bounty::*;
pub use desk::*;
pub use execution::*;
pub use fees::*;
pub use forced::*;
pub use gone::*;
pub use insurance::*;
pub use protect::*;
pub use room::*;
pub use touch::*;
pub use venue::*;
