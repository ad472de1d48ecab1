//! The accounts. Every one starts with Anchor's eight bytes of discriminator and carries a version.

mod exchange;
mod margin_account;
mod market;
mod params;
mod slab;
mod trader;
pub mod v1;
mod version;

pub use exchange::*;
pub use margin_account::*;
pub use market::*;
pub use params::*;
pub use slab::*;
pub use trader::*;
pub use version::*;
