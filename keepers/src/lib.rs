//! The keeper of a Ballast exchange: one process that watches every account through a Solana node and does what the
//! program lets anyone do, in any combination of roles.
//!
//! | module | for |
//! |---|---|
//! | [`settings`], [`config`], [`values`] | what the operator says |
//! | [`view`], [`clock`] | the exchange as it is now: snapshot, subscriptions, repair, time |
//! | [`decide`] | what is worth doing, on plain values |
//! | [`roles`] | from the view to those values, and from decisions to instructions |
//! | [`watch`], [`board`] | which accounts to look at, and which task is whose turn |
//! | [`engine`] | the loop that ties them together |
//! | [`task`], [`pipeline`], [`effect`], [`outcome`] | from a task to its result, simulated or on chain |
//! | [`run`] | start and end |
//! | [`monitor`] | what price shocks would do |
//! | [`doctor`] | whether a keeper could run |
//! | [`metrics`], [`http`] | what operators see |
//!
//! Several keepers may run side by side. Every decision is made again right before sending, on the program's own
//! formulas, and the simulation has the last word; so a keeper that comes second mostly notices before it pays.

pub mod board;
pub mod clock;
pub mod config;
pub mod decide;
pub mod doctor;
pub mod effect;
pub mod engine;
pub mod http;
pub mod metrics;
pub mod monitor;
pub mod outcome;
pub mod pipeline;
pub mod roles;
pub mod run;
pub mod settings;
pub mod task;
pub mod values;
pub mod view;
pub mod watch;
