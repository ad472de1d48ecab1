//! The exchange's risk arithmetic, pure: plain values in, plain values out, the same on chain, in keepers, in the
//! simulator and in the browser.
//!
//! | module | decides |
//! |---|---|
//! | [`margin`] | what margin a notional needs |
//! | [`health`] | what an account is worth, what it needs, and so at which stage it is |
//! | [`liquidation`] | bankruptcy price, which position is reduced, by how much, at what price, for what fee |
//! | [`pnl_pool`] | when realised profit becomes money |
//! | [`insurance`] | how much of a loss insurance pays, and what a staker's shares are worth |
//! | [`oracle`] | whether a price may be used, and for what |
//! | [`mark`] | the price positions are valued at |
//! | [`funding`] | what longs pay shorts |
//! | [`fees`] | what a trade costs, and who gets it |
//! | [`protection`] | when anyone may reduce an account by its own rules, and what that pays |
//! | [`ladder`] | by how much an account's own ladder reduces it, at which margin ratio |
//!
//! Money is in atoms of USDC, base in lots, prices in atoms per lot, time in seconds. Everything is exact or says which
//! way it rounds, and it rounds against the account and for the protocol. Nothing panics on any argument. Parameters
//! are plain structs with a `validate`, whose bounds no key can exceed. Formulas with their sources:
//! `docs/risk-model.md`.
#![cfg_attr(not(test), no_std)]

mod decay;
mod error;
pub mod fees;
pub mod funding;
pub mod health;
pub mod insurance;
pub mod ladder;
pub mod liquidation;
pub mod margin;
pub mod mark;
pub mod oracle;
pub mod pnl_pool;
pub mod protection;

pub use error::{ParamError, Result, RiskError, TierError};

/// Basis points in one, in the width parameters have.
const BPS: u32 = 10_000;
/// Parts per million in one.
const PPM: u32 = 1_000_000;
