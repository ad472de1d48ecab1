//! What a shock of prices would do to an exchange as it is: who is liquidated, what the book takes and at what prices, whom
//! insurance pays for, who is deleveraged, and how far prices go on by it.
//!
//! A pure computation on a snapshot, for the keeper's risk monitor and the page. Stages, sizes, prices, fees, budgets and the
//! ranking are the functions of the program and the pure crates; what is assumed beyond them is this:
//!
//! - Two price updates support the shocked prices at once, so everybody is assessed at them.
//! - Resting orders move with the shock: an order one per cent below the mark is one per cent below the shocked mark. What
//!   forced trades take of them does not come back.
//! - In each round the accounts below maintenance margin are reduced one after another, the lowest margin ratio first, each at
//!   once by what restores it, without the cap per step and the cooldown between two steps. The mark of the next round is the
//!   shocked price moved by as much as the worst price that was reached lies beyond it.
//! - What the book does not take is taken over at the first discount. Of a bankrupt account, as many lots as insurance can
//!   pay for; the rest is deleveraged.
//! - What is left of a reduced account is not deleveraged for another, and funding stands still.

mod book;
mod run;
mod standing;
#[cfg(test)]
mod tests;

use ballast_risk::health::Stage;
use ballast_units::{Lots, Price};
use solana_pubkey::Pubkey;

pub use standing::{Bucket, Nearest, Share, concentration, liquidations_by_price, nearest};

use crate::view::{View, ViewError};

/// Rounds after which a computation stops, if nothing else is said.
pub const ROUNDS: u32 = 16;
/// One, as a relative move in millionths.
pub const ONE_PPM: i64 = 1_000_000;

/// Relative moves of some markets' marks at one moment; the others stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shock {
    /// Markets and their moves in millionths of the mark: −200,000 is a fall by a fifth.
    pub moves: Vec<(u16, i64)>,
    /// Atoms in the insurance vault, which no account of the program says.
    pub vault: u64,
    /// Unix time, for the insurance budgets.
    pub now: i64,
    /// Rounds at most.
    pub rounds: u32,
}

impl Shock {
    /// The same move of every market.
    pub fn of_all(view: &View, ppm: i64, vault: u64, now: i64) -> Shock {
        let moves = view.snapshot().markets().map(|entry| (entry.keys.index, ppm)).collect();
        Shock { moves, vault, now, rounds: ROUNDS }
    }
}

/// What a shock does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The rounds in which anybody was due.
    pub rounds: Vec<Round>,
    /// Whether nobody was due any more at the end.
    pub settled: bool,
    /// Each market, by index.
    pub markets: Vec<MarketOutcome>,
    /// Each account that fell below maintenance margin, in the order in which they did.
    pub accounts: Vec<AccountOutcome>,
    /// Atoms left in the insurance vault.
    pub vault_left: u64,
    /// Debt of accounts without positions at the end, in atoms: for insurance to pay as its budgets return.
    pub debt_left: u64,
}

/// One round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Accounts below maintenance margin.
    pub due: u32,
    /// Of these, below zero.
    pub bankrupt: u32,
    /// The marks at which they were assessed, by market.
    pub marks: Vec<(u16, Price)>,
}

/// What a shock does in one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketOutcome {
    /// The market.
    pub market: u16,
    /// The mark before.
    pub mark: Price,
    /// The mark of the shock itself.
    pub shocked: Price,
    /// The mark at the end, moved on by the liquidations.
    pub end: Price,
    /// Lots of liquidated longs that the book took.
    pub longs_on_book: Lots,
    /// Lots of liquidated shorts that the book took.
    pub shorts_on_book: Lots,
    /// Value of both at the prices obtained, in atoms.
    pub book_quote: u64,
    /// Lots of longs taken over by other accounts.
    pub longs_taken_over: Lots,
    /// Lots of shorts taken over.
    pub shorts_taken_over: Lots,
    /// Value of both at the prices obtained, in atoms.
    pub takeover_quote: u64,
    /// What bankrupt positions lacked at the marks, in atoms.
    pub bad_debt: u64,
    /// What insurance paid, in atoms: for bad debt and the discount of those who took over.
    pub insured: u64,
    /// What was left of its budget before, in atoms, as far as the vault had it.
    pub budget: u64,
    /// Lots of longs deleveraged against bankrupt shorts.
    pub longs_deleveraged: Lots,
    /// Lots of shorts deleveraged against bankrupt longs.
    pub shorts_deleveraged: Lots,
    /// What the deleveraged gave up against the marks, in atoms.
    pub forgone: u64,
    /// Open interest of the longs in the ranking index before, in lots.
    pub longs: Lots,
    /// Open interest of the shorts in the ranking index before, in lots.
    pub shorts: Lots,
}

/// What a shock does to an account that falls below maintenance margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountOutcome {
    /// The account.
    pub account: Pubkey,
    /// The round in which it fell, from 0: 0 by the shock itself.
    pub round: u32,
    /// Its stage then.
    pub stage: Stage,
    /// Its equity then, in atoms.
    pub equity: i64,
    /// Its maintenance margin then, in atoms.
    pub maintenance: u64,
    /// Value at the marks of what was closed of its positions, in atoms.
    pub closed: u64,
    /// What it lacked, in atoms.
    pub bad_debt: u64,
}

/// What `shock` does to the exchange.
///
/// # Errors
/// See [`ViewError`]: when a market or an account cannot be read, or an amount exceeds its type.
pub fn shock(view: &View, shock: &Shock) -> Result<Outcome, ViewError> {
    run::Scene::new(view, shock)?.run(shock)
}
