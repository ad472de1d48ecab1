//! Brings a cluster to what one TOML file says.
//!
//! [`config`] is the file, [`cluster`] what a cluster has now, [`plan`] the steps from one to the other, [`apply`] their
//! execution. A plan is computed from plain values and shown before anything is sent; when the cluster is as the file
//! says, it is empty. The local network is founded by the same steps ([`exchange`]).
//!
//! | module | decides |
//! |---|---|
//! | [`program`] | deploying and upgrading through the upgradeable loader, chunk by chunk, resumable |
//! | [`exchange`] | founding the exchange, its insurance, its markets; parameters that differ |
//! | [`accounts`] | bringing accounts of an older version up to date |
//! | [`tables`] | the address lookup table of keepers and traders |

pub mod accounts;
pub mod apply;
pub mod cluster;
pub mod config;
pub mod exchange;
pub mod params;
pub mod plan;
pub mod program;
pub mod roles;
pub mod state_file;
pub mod tables;
