//! What the exchange does and what it refuses, on the compiled program: one subject per file.

mod accounts;
mod attackers;
mod deleveraging;
mod flow;
mod ladder;
mod liquidation;
mod margin;
mod money;
mod oracle;
mod orders;
mod ranking;
mod review;
mod seats;
mod sequences;
mod substitution;
mod transfers;
mod triggers;
mod triggers_attacked;
