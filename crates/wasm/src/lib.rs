//! What the app computes, as WebAssembly: the program's own functions on account data.
//!
//! [`Desk`] holds the accounts that the page has, as bytes came in, and answers what they mean now: order books,
//! positions with everything that waits for them, margin, liquidation and bankruptcy prices, ranks, what an order or a
//! deleveraging would do. Nothing is decided here; every number is a call into the program's crate or the pure crates
//! by way of the Rust client. Amounts cross the border as `bigint`, in the units of `ballast-units`.

mod account;
mod desk;
mod error;
mod events;
mod index;
mod market;
mod preview;
mod protection;
mod shock;
mod why;

use ballast_client::record::Whole;
use serde::Serialize;
use solana_pubkey::Pubkey;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

pub use account::{AccountInfo, MarginOffsets, OpenOrder, PositionInfo, Rank};
pub use desk::ExchangeInfo;
pub use error::Problem;
pub use events::{FillInfo, PageEvent, ReceiptInfo};
pub use index::{CellInfo, DeleverageEffect, IndexInfo};
pub use market::{Level, Levels, MarketInfo, TierInfo};
pub use preview::{Isolated, Lack, OrderInput, OrderKind, Preview, SelfTradeMode, Standing};
pub use protection::{LadderInfo, RungInfo, TriggerInfo};
pub use shock::{
    BucketInfo, DistanceInfo, FallenInfo, MarketShock, MoveInput, RoundInfo, ShareInfo, ShockInfo, ShockInput,
};
pub use why::{ForcedInfo, LineInfo, RankingInfo, ReducedInfo, WhyInfo};

/// An exchange as far as the page knows it.
#[wasm_bindgen]
pub struct Desk(desk::Desk);

#[wasm_bindgen]
impl Desk {
    /// Of the exchange at `address`, from its account's data.
    #[wasm_bindgen(constructor)]
    pub fn new(address: &str, data: &[u8]) -> Result<Desk, Problem> {
        Ok(Desk(desk::Desk::new(key(address)?, data)?))
    }

    /// Takes over an account's data; none means that it was closed. Says what it was: `exchange`, `market`, `book`,
    /// `ranks`, `account`, or `none` of this exchange's.
    pub fn put(&mut self, address: &str, data: &[u8]) -> Result<String, Problem> {
        Ok(self.0.put(key(address)?, data)?.to_owned())
    }

    /// Forgets a market's book and ranking index, which nobody watches any more.
    #[wasm_bindgen(js_name = dropSlabs)]
    pub fn drop_slabs(&mut self, market: u16) {
        self.0.drop_slabs(market);
    }

    /// Sets the chain's clock, in unix seconds.
    #[wasm_bindgen(js_name = setTime)]
    pub fn set_time(&mut self, unix_s: i64) {
        self.0.now = unix_s;
        #[cfg(target_arch = "wasm32")]
        ballast::logic::set_now(unix_s);
    }

    /// Exchange-wide facts.
    pub fn exchange(&self) -> Result<Ts<ExchangeInfo>, Problem> {
        out(&self.0.exchange())
    }

    /// All markets that are known, by index.
    pub fn markets(&self) -> Result<Vec<Ts<MarketInfo>>, Problem> {
        all_out(&self.0.markets()?)
    }

    /// A market's order book, `depth` levels a side, prices grouped by `group` atoms per lot (bids down, asks up).
    pub fn levels(&self, market: u16, depth: u32, group: u64) -> Result<Ts<Levels>, Problem> {
        out(&self.0.levels(market, depth, group)?)
    }

    /// A margin account as it is now.
    pub fn account(&self, address: &str) -> Result<Ts<AccountInfo>, Problem> {
        out(&self.0.account(&key(address)?)?)
    }

    /// The markets in which the account has anything: their slabs are needed before it can be described.
    #[wasm_bindgen(js_name = marketsOf)]
    pub fn markets_of(&self, address: &str) -> Result<Vec<u16>, Problem> {
        self.0.markets_of(&key(address)?)
    }

    /// The account's resting orders in a market, newest first.
    pub fn orders(&self, address: &str, market: u16) -> Result<Vec<Ts<OpenOrder>>, Problem> {
        all_out(&self.0.orders(&key(address)?, market)?)
    }

    /// The account's triggers in a market, newest first.
    pub fn triggers(&self, address: &str, market: u16) -> Result<Vec<Ts<TriggerInfo>>, Problem> {
        all_out(&self.0.triggers(&key(address)?, market)?)
    }

    /// What an order would do to the account now, by really placing it on a copy of the market.
    pub fn preview(&self, address: &str, order: Ts<OrderInput>) -> Result<Ts<Preview>, Problem> {
        out(&self.0.preview(&key(address)?, &taken(&order)?)?)
    }

    /// The most lots of such an order that leave the account its initial margin.
    #[wasm_bindgen(js_name = maxLots)]
    pub fn max_lots(&self, address: &str, order: Ts<OrderInput>) -> Result<u64, Problem> {
        self.0.max_lots(&key(address)?, &taken(&order)?)
    }

    /// One side of a market's ranking index, in the order of deleveraging at the mark.
    pub fn index(&self, market: u16, longs: bool) -> Result<Ts<IndexInfo>, Problem> {
        out(&self.0.index(market, longs)?)
    }

    /// What deleveraging `lots` of a side at `price` would do to the account's position there.
    #[wasm_bindgen(js_name = deleverageEffect)]
    pub fn deleverage_effect(
        &self,
        address: &str,
        market: u16,
        lots: u64,
        price: u64,
    ) -> Result<Ts<DeleverageEffect>, Problem> {
        out(&self.0.deleverage_effect(&key(address)?, market, lots, price)?)
    }

    /// Why the event number `index` that the program recorded in a transaction reduced somebody by force, computed anew. The
    /// transaction is as a node gives it in the encoding `json`; `alone` says that it names no other market.
    pub fn why(&self, transaction: JsValue, index: u32, alone: bool) -> Result<Ts<WhyInfo>, Problem> {
        out(&self.0.why(&whole(transaction)?, index as usize, alone)?)
    }

    /// The forced reductions of this exchange in a transaction, which is as a node gives it in the encoding `json`.
    #[wasm_bindgen(js_name = forcedIn)]
    pub fn forced_in(&self, transaction: JsValue) -> Result<Vec<Ts<ForcedInfo>>, Problem> {
        all_out(&self.0.forced_in(&whole(transaction)?)?)
    }

    /// What deleveragings took of accounts of this exchange, as it was booked in a transaction, which is as a node gives it in the
    /// encoding `json`.
    #[wasm_bindgen(js_name = receiptsIn)]
    pub fn receipts_in(&self, transaction: JsValue) -> Result<Vec<Ts<ReceiptInfo>>, Problem> {
        all_out(&self.0.receipts_in(&whole(transaction)?)?)
    }

    /// Trades and the like of this exchange in a transaction, which is as a node gives it in the encoding `json`.
    #[wasm_bindgen(js_name = eventsIn)]
    pub fn events_in(&self, transaction: JsValue) -> Result<Vec<Ts<PageEvent>>, Problem> {
        all_out(&self.0.events_in(&whole(transaction)?)?)
    }

    /// What a shock would do. Needs all markets with their slabs, and all margin accounts.
    pub fn shock(&self, input: Ts<ShockInput>) -> Result<Ts<ShockInfo>, Problem> {
        out(&self.0.shock(&input.to_rust().map_err(border)?)?)
    }

    /// A market's positions by the prices that liquidate them: `buckets` ranges of `width_ppm` millionths of the mark.
    pub fn liquidations(&self, market: u16, width_ppm: u32, buckets: u32) -> Result<Vec<Ts<BucketInfo>>, Problem> {
        all_out(&self.0.liquidations(market, width_ppm, buckets)?)
    }

    /// The largest positions of a market.
    pub fn concentration(&self, market: u16, most: u32) -> Result<Vec<Ts<ShareInfo>>, Problem> {
        all_out(&self.0.concentration(market, most)?)
    }

    /// How far a market's mark is, alone, from the first account of each stage.
    pub fn distances(&self, market: u16) -> Result<Vec<Ts<DistanceInfo>>, Problem> {
        all_out(&self.0.distances(market)?)
    }
}

/// The kind of a program account: `Exchange`, `Market`, `MarginAccount`, `Book`, `Ranks`, or nothing.
#[wasm_bindgen(js_name = accountKind)]
pub fn account_kind(data: &[u8]) -> Option<String> {
    ballast_client::accounts::kind(data).map(|kind| format!("{kind:?}"))
}

/// Where a margin account's data says what nodes can be asked to filter by.
#[wasm_bindgen(js_name = marginOffsets)]
pub fn margin_offsets() -> Result<Ts<MarginOffsets>, Problem> {
    out(&MarginOffsets::current()?)
}

/// Whether a transaction's log says, as far as it goes, that [`Desk::events_in`] finds something in it; with `forced`, that
/// [`Desk::forced_in`] does, or [`Desk::receipts_in`] of one of these accounts.
#[wasm_bindgen(js_name = worthFetching)]
pub fn worth_fetching(logs: Vec<String>, forced: bool, accounts: Vec<String>) -> bool {
    events::hinted(&logs, forced, &accounts)
}

/// Resting orders that one order may meet at most.
#[wasm_bindgen(js_name = maxMakers)]
pub fn max_makers() -> u8 {
    ballast::MAX_MAKERS
}

/// The address of an exchange's market.
#[wasm_bindgen(js_name = marketAddress)]
pub fn market_address(exchange: &str, index: u16) -> Result<String, Problem> {
    Ok(ballast_client::addresses::market(&key(exchange)?, index).to_string())
}

/// The address of an owner's margin account.
#[wasm_bindgen(js_name = marginAddress)]
pub fn margin_address(exchange: &str, owner: &str, number: u16) -> Result<String, Problem> {
    Ok(ballast_client::addresses::margin_account(&key(exchange)?, &key(owner)?, number).to_string())
}

/// The address of an owner's trader account.
#[wasm_bindgen(js_name = traderAddress)]
pub fn trader_address(exchange: &str, owner: &str) -> Result<String, Problem> {
    Ok(ballast_client::addresses::trader(&key(exchange)?, &key(owner)?).to_string())
}

/// The program's error with this number: its name and what it means.
#[wasm_bindgen(js_name = programError)]
pub fn program_error(code: u32) -> Option<Ts<Problem>> {
    Problem::of(ballast_client::error::by_code(code)?).into_ts().ok()
}

/// The program's address.
#[wasm_bindgen(js_name = programAddress)]
pub fn program_address() -> String {
    ballast_client::addresses::PROGRAM_ID.to_string()
}

fn key(address: &str) -> Result<Pubkey, Problem> {
    address.parse().map_err(|_| Problem::local("Address", format!("{address} is not an address")))
}

/// Across the border.
fn out<T: Tsify + Serialize>(value: &T) -> Result<Ts<T>, Problem> {
    value.into_ts().map_err(border)
}

fn all_out<T: Tsify + Serialize>(values: &[T]) -> Result<Vec<Ts<T>>, Problem> {
    values.iter().map(out).collect()
}

/// A transaction from across the border.
fn whole(transaction: JsValue) -> Result<Whole, Problem> {
    serde_wasm_bindgen::from_value(transaction).map_err(border)
}

/// From across the border.
fn taken(value: &Ts<OrderInput>) -> Result<OrderInput, Problem> {
    value.to_rust().map_err(border)
}

fn border(error: impl core::fmt::Display) -> Problem {
    Problem::local("Border", error.to_string())
}

impl From<Problem> for JsValue {
    fn from(problem: Problem) -> JsValue {
        problem.into_ts().map_or(JsValue::NULL, JsValue::from)
    }
}
