//! Why somebody's position was reduced by force: a [`Liquidated`] or [`Deleveraged`] event computed anew from what the program
//! logged, with the functions that it decided with. Whoever was reduced can so check every number without trusting whoever
//! shows it.
//!
//! Inputs are the events of the transaction and the market's parameters. These are the present ones: after a change of parameters
//! an older event need no longer agree, which the history of [`MarketParamsSet`](ballast::events::MarketParamsSet) tells.

mod deleveraged;
mod liquidated;

use ballast::{
    events::{Deleveraged, Liquidated},
    state::Market,
};
use ballast_risk::health::Account;
use ballast_units::Quote;

pub use deleveraged::{Cell, cells_of};

use crate::{events::Event, view::ViewError};

/// A number of the event, and what it is computed to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub what: What,
    /// As the program logged it.
    pub logged: i64,
    /// As computed anew; `None` where the transaction does not say enough.
    pub computed: Option<i64>,
    /// What to make of the two.
    pub verdict: Verdict,
}

/// Whether a number is as computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Exactly.
    Same,
    /// Within the bound that was computed.
    Within,
    /// Neither: something is wrong, or the parameters have changed since.
    Differs,
    /// Cannot be said from this transaction.
    Unknown,
}

/// Numbers of events. Money in atoms, prices in atoms per lot, scores in units of 2^-20.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Account equity: settled and unsettled money and the position's profit. With other markets in the account, theirs is
    /// missing in what is computed.
    Equity,
    /// Maintenance margin of the position.
    PositionMaintenance,
    /// Maintenance margin of the account.
    Maintenance,
    /// The stage, as [`ballast::logic::stage_code`] numbers it.
    Stage,
    /// The position's bankruptcy price.
    BankruptcyPrice,
    /// Lots that were closed; computed is how many restore the account, which is a bound where the book had fewer or the caller
    /// took fewer.
    Lots,
    /// Value of what was closed.
    Quote,
    /// The worst price obtained; computed is the bankruptcy price, which is its bound.
    WorstPrice,
    /// The price of a takeover or a deleveraging.
    Price,
    /// To whoever liquidated: part of the fee, or the discount.
    Reward,
    /// To insurance: the rest of the fee.
    ToInsurance,
    /// Paid by insurance.
    InsuranceDrawn,
    /// Score of the last cell that was chosen by rank.
    LastScore,
    /// Cells that were reduced before one with a higher score.
    OutOfOrder,
    /// Lots of all cells; the event's total is the bound, as it may have begun with lots that belong to nobody.
    CellLots,
}

/// An event explained.
#[derive(Clone, Debug)]
pub enum Explained<'a> {
    /// A liquidation on the book or a takeover.
    Liquidated {
        /// As logged.
        event: &'a Liquidated,
        /// Whether another account took over, rather than the book.
        taken_over: bool,
        /// The numbers.
        lines: Vec<Line>,
    },
    /// A deleveraging.
    Deleveraged {
        /// As logged.
        event: &'a Deleveraged,
        /// The numbers.
        lines: Vec<Line>,
        /// The cells, in the order in which they were reduced.
        cells: Vec<Cell>,
    },
}

/// Explains the event number `index` of a transaction's events; `None` when it is neither a liquidation nor a deleveraging.
/// `alone` says that the transaction names no other market, so that the account had nothing elsewhere.
///
/// # Errors
/// When a formula refuses the logged numbers, which no program's event makes it do.
pub fn explain<'a>(
    events: &'a [Event],
    index: usize,
    market: &Market,
    alone: bool,
) -> Result<Option<Explained<'a>>, ViewError> {
    let before = own_events(events, index);
    Ok(match events.get(index) {
        Some(Event::Liquidated(event)) => {
            let taken_over = liquidated::is_takeover(event, before);
            let lines = liquidated::lines(event, before, market, alone)?;
            Some(Explained::Liquidated { event, taken_over, lines })
        }
        Some(Event::Deleveraged(event)) => {
            let cells = cells_of(event);
            let lines = deleveraged::lines(event, &cells, market, alone)?;
            Some(Explained::Deleveraged { event, lines, cells })
        }
        _ => None,
    })
}

/// Whether the liquidation that is event number `index` was a takeover by another account.
pub fn is_takeover(events: &[Event], index: usize) -> bool {
    match events.get(index) {
        Some(Event::Liquidated(event)) => liquidated::is_takeover(event, own_events(events, index)),
        _ => false,
    }
}

/// The events that led to event `index`: those after the last forced reduction before it.
fn own_events(events: &[Event], index: usize) -> &[Event] {
    let before = events.get(..index).unwrap_or_default();
    let ends = |event: &Event| matches!(event, Event::Liquidated(_) | Event::Deleveraged(_));
    let start = before.iter().rposition(ends).map_or(0, |at| at + 1);
    before.get(start..).unwrap_or_default()
}

fn account(equity: i64, maintenance: u64) -> Account {
    Account { equity: Quote(equity), maintenance, ..Account::default() }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn same(what: What, logged: i64, computed: i64) -> Line {
    let verdict = if logged == computed { Verdict::Same } else { Verdict::Differs };
    Line { what, logged, computed: Some(computed), verdict }
}

/// Like [`same`]; where the account had more markets than the transaction tells of, a difference says nothing.
fn same_alone(what: What, logged: i64, computed: i64, alone: bool) -> Line {
    let line = same(what, logged, computed);
    if alone || line.verdict == Verdict::Same { line } else { Line { verdict: Verdict::Unknown, ..line } }
}

fn at_most(what: What, logged: i64, bound: i64) -> Line {
    let verdict = match logged.cmp(&bound) {
        core::cmp::Ordering::Less => Verdict::Within,
        core::cmp::Ordering::Equal => Verdict::Same,
        core::cmp::Ordering::Greater => Verdict::Differs,
    };
    Line { what, logged, computed: Some(bound), verdict }
}

fn at_least(what: What, logged: i64, bound: i64) -> Line {
    let line = at_most(what, bound, logged);
    Line { what, logged, computed: Some(bound), verdict: line.verdict }
}
