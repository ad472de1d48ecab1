//! What is worth doing, decided on plain values. Loading them from the view is the roles' part.

pub mod deleverage;
pub mod edge;
pub mod liquidate;
pub mod profit;
pub mod refresh;
pub mod settle;
pub mod spending;
pub mod takeover;
pub mod triggers;
pub mod upkeep;
