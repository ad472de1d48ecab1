//! One file per instruction or per pair that belongs together: the accounts with their checks on top, the handler below.

mod accounts;
mod cancel;
mod cover_bad_debt;
mod create_market;
mod deleverage;
mod exchange;
mod fees;
mod liquidate;
mod margin_account;
mod market_admin;
mod place_order;
mod refresh_market;
mod rerank;
mod settle;
mod takeover;
mod withdraw;

pub use cancel::*;
pub use cover_bad_debt::*;
pub use create_market::*;
pub use deleverage::*;
pub use exchange::*;
pub use fees::*;
pub use liquidate::*;
pub use margin_account::*;
pub use market_admin::*;
pub use place_order::*;
pub use refresh_market::*;
pub use rerank::*;
pub use settle::*;
pub use takeover::*;
pub use withdraw::*;
