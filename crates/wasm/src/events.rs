//! What the program recorded in a transaction, as far as it is this exchange's.

use ballast::events::Cause;
use ballast_client::{
    events::{Event, parse_logs},
    record::{Whole, recorded},
};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use crate::{desk::Desk, error::Problem};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PageEvent {
    /// A taker met resting orders.
    Traded {
        /// The market's index.
        market: u16,
        /// The taker's account.
        taker: String,
        /// Whether the taker bought.
        bought: bool,
        /// Why: `taker`, `liquidation` or `bankruptcy`.
        cause: String,
        /// The makers' parts, best price first.
        fills: Vec<FillInfo>,
    },
    /// A market's price moved.
    Mark {
        /// The market's index.
        market: u16,
        /// The oracle's price.
        oracle: u64,
        /// The mark.
        mark: u64,
        /// When the price was published.
        time: i64,
    },
    /// Somebody was put through a stage of liquidation.
    Liquidated {
        /// The market's index.
        market: u16,
        /// The account.
        account: String,
        /// Lots closed or handed over.
        lots: u64,
        /// Their value.
        quote: u64,
    },
    /// A bankrupt position was closed against the other side.
    Deleveraged {
        /// The market's index.
        market: u16,
        /// The bankrupt account.
        account: String,
        /// Whether longs were reduced.
        longs_reduced: bool,
        /// Lots.
        lots: u64,
        /// At this price.
        price: u64,
    },
}

/// One maker's part in a trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
pub struct FillInfo {
    /// The price.
    pub price: u64,
    /// Lots.
    pub lots: u64,
}

/// What a deleveraging took of an account on the other side, booked when the account was next touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
pub struct ReceiptInfo {
    /// Its number among all that the program recorded in the transaction.
    pub index: u32,
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: String,
    /// Whether its position was long.
    pub long: bool,
    /// Lots taken.
    pub lots: u64,
    /// Cash for them: received for a long (positive), paid for a short (negative).
    pub cash: i64,
}

/// The events of one instruction, without those that this page is too old to know.
pub(crate) struct Told {
    /// Number of its first event among all that the program recorded in the transaction.
    pub first: usize,
    /// Its events.
    pub events: Vec<Event>,
}

impl Told {
    /// The numbers of its events.
    pub fn numbers(&self) -> core::ops::Range<usize> {
        self.first..self.first + self.events.len()
    }
}

impl Desk {
    /// What the program recorded in a transaction, by instruction, as far as the instruction is about this exchange: anybody
    /// can found another, whose markets have the same numbers.
    pub(crate) fn told(&self, whole: &Whole) -> Result<Vec<Told>, Problem> {
        let invocations = whole.invocations().map_err(|error| Problem::local("Transaction", error.to_string()))?;
        let is_market = |key: &solana_pubkey::Pubkey| self.listed.values().any(|(keys, _)| keys.market == *key);
        let mut all: Vec<(usize, Told)> = Vec::new();
        for (number, event) in recorded(&invocations).iter().enumerate() {
            let Some(known) = event.event() else {
                return Err(Problem::local("Newer", "the program is newer than this page: load it again"));
            };
            match all.last_mut() {
                Some((by, told)) if *by == event.by => told.events.push(known),
                _ => all.push((event.by, Told { first: number, events: vec![known] })),
            }
        }
        let exchange = &self.snapshot.keys.exchange;
        let mut ours = Vec::new();
        for (by, told) in all {
            let concerns = invocations[by].concerns(exchange, is_market);
            if concerns.map_err(|newer| Problem::local("Newer", newer.to_string()))? {
                ours.push(told);
            }
        }
        Ok(ours)
    }

    /// What of it the page shows as it happens.
    pub(crate) fn events_in(&self, whole: &Whole) -> Result<Vec<PageEvent>, Problem> {
        Ok(self.told(whole)?.into_iter().flat_map(|told| told.events).filter_map(shown).collect())
    }

    /// What deleveragings took of accounts, as far as it was booked in this transaction.
    pub(crate) fn receipts_in(&self, whole: &Whole) -> Result<Vec<ReceiptInfo>, Problem> {
        let all = self.told(whole)?;
        let events = all.iter().flat_map(|told| told.numbers().zip(&told.events));
        Ok(events.filter_map(|(number, event)| receipt(number, event)).collect())
    }
}

fn receipt(number: usize, event: &Event) -> Option<ReceiptInfo> {
    let Event::PositionChanged(event) = event else { return None };
    (event.cause == Cause::Deleveraged).then(|| ReceiptInfo {
        index: u32::try_from(number).unwrap_or(u32::MAX),
        market: event.market,
        account: event.account.to_string(),
        // What was taken of a long was sold.
        long: event.base < 0 || (event.base == 0 && event.cash > 0),
        lots: event.base.unsigned_abs(),
        cash: event.cash,
    })
}

/// Whether a transaction's log says, as far as it goes, that the page has something to show, or, with `forced`, that somebody was
/// reduced by force, or what was taken of one of these accounts: then it is worth fetching. A log says neither whose an event is,
/// nor all of it.
pub fn hinted(logs: &[String], forced: bool, accounts: &[String]) -> bool {
    let logged = parse_logs(logs);
    let wanted = |event: &Event| match event {
        Event::Liquidated(_) | Event::Deleveraged(_) => true,
        Event::Traded(_) | Event::MarkUpdated(_) => !forced,
        Event::PositionChanged(event) => {
            event.cause == Cause::Deleveraged && accounts.contains(&event.account.to_string())
        }
        _ => false,
    };
    logged.truncated || logged.events.iter().any(wanted)
}

fn shown(event: Event) -> Option<PageEvent> {
    Some(match event {
        Event::Traded(event) => PageEvent::Traded {
            market: event.market,
            taker: event.taker.to_string(),
            bought: event.bought,
            cause: match event.cause {
                Cause::Liquidation => "liquidation",
                Cause::Bankruptcy => "bankruptcy",
                _ => "taker",
            }
            .to_owned(),
            fills: event.fills.iter().map(|fill| FillInfo { price: fill.price, lots: fill.lots }).collect(),
        },
        Event::MarkUpdated(event) => {
            PageEvent::Mark { market: event.market, oracle: event.oracle, mark: event.mark, time: event.publish_time }
        }
        Event::Liquidated(event) => PageEvent::Liquidated {
            market: event.market,
            account: event.account.to_string(),
            lots: event.lots,
            quote: event.quote,
        },
        Event::Deleveraged(event) => PageEvent::Deleveraged {
            market: event.market,
            account: event.account.to_string(),
            longs_reduced: event.longs_reduced,
            lots: event.lots,
            price: event.price,
        },
        _ => return None,
    })
}
