//! What the program logged, as far as the page shows it as it happens.

use ballast::events::Cause;
use ballast_client::events::{Event, parse_logs};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

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

/// The events in a transaction's logs.
pub fn of_logs(logs: &[String]) -> Vec<PageEvent> {
    parse_logs(logs).events.into_iter().filter_map(shown).collect()
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
