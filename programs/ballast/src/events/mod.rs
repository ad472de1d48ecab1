//! What the program reports. The events of a market, in order, rebuild every account's history: each change of money
//! or of a position is in exactly one of them. Amounts are atoms of USDC, sizes lots, prices atoms per lot; a positive
//! cash amount was received by the account.

mod account;
mod exchange;
mod forced;
mod market;
mod orders;
mod position;
mod protection;

pub use account::*;
pub use exchange::*;
pub use forced::*;
pub use market::*;
pub use orders::*;
pub use position::*;
pub use protection::*;
