//! What the exchange does and what it refuses, on the compiled program: one subject per file.

mod accounts;
mod attackers;
mod batches;
mod deleveraging;
mod fees;
mod flow;
mod funding;
mod ladder;
mod liquidation;
mod margin;
mod mark;
mod migration;
mod money;
mod oracle;
mod orders;
mod page;
mod pegs;
mod ranking;
mod review;
mod room;
mod seats;
mod sequences;
mod substitution;
mod transfers;
mod triggers;
mod triggers_attacked;
