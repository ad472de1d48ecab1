//! The accounts. Every one starts with Anchor's eight bytes of discriminator and carries a version.

mod exchange;
mod margin_account;
mod market;
mod params;
mod slab;
mod trader;

pub use exchange::*;
pub use margin_account::*;
pub use market::*;
pub use params::*;
pub use slab::*;
pub use trader::*;

/// Version written into every account that this program creates. Migrations raise it.
pub const ACCOUNT_VERSION: u8 = 1;
