//! What the exchange promises about risk, as statements with examples and with random accounts.

mod bankruptcy;
mod fees;
mod funding;
mod health;
mod insurance;
mod ladder;
mod liquidation_price;
mod margin;
mod mark;
mod never_panics;
mod oracle;
mod params;
mod partial;
mod pnl_pool;
mod progress;
mod protection;
mod support;
mod takeover;
