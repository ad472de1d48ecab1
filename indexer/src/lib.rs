//! Follows the program's events into a database, exactly once and in the chain's order, and serves them.
//!
//! | module | what it decides |
//! |---|---|
//! | [`tables`] | the tables, their indices and versions |
//! | [`position`] | ids, from the chain alone |
//! | [`idl`] | any event as JSON, by the program's interface description |
//! | [`source`] | transactions of the cluster, and which events in them count |
//! | [`project`] | the derived tables, event by event |
//! | [`candles`] | candles, trade by trade |
//! | [`read`] | the queries behind the interface |
//! | [`api`] | HTTP and WebSocket |
//! | [`db`] | SQLite and PostgreSQL behind one trait |

pub mod api;
pub mod board;
pub mod candles;
pub mod db;
pub mod follow;
pub mod idl;
pub mod items;
pub mod metrics;
pub mod position;
pub mod project;
pub mod read;
pub mod run;
pub mod settings;
pub mod source;
pub mod tables;
pub mod write;
