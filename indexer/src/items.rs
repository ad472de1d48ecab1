//! What the indexer tells, one struct for each kind of line. The projection builds them, the database keeps their JSON,
//! the interface hands that JSON out, and the OpenAPI description is made of the same structs.
//!
//! Amounts are decimal strings of integers: atoms of 10^-6 USDC, lots, atoms per lot; funding indices raw (scaled by
//! 2^24). Times are unix seconds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a line comes from. `id` orders lines and is what `before` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Head {
    /// `slot-transaction-event`, with `-part` for the second and later lines that one event gave.
    #[schema(example = "371024511-3-2")]
    pub id: String,
    /// Signature of the transaction.
    pub signature: String,
    /// Its slot.
    pub slot: u64,
    /// Its block's unix time.
    pub time: i64,
}

/// A line of a list: where it comes from, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item<T> {
    /// Where it comes from.
    #[serde(flatten)]
    pub head: Head,
    /// What it says.
    #[serde(flatten)]
    pub body: T,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Items<T>(pub Vec<Item<T>>);

/// A side of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Buys.
    Long,
    /// Sells.
    Short,
}

impl Side {
    /// The side of one who buys, or sells.
    pub fn buying(buys: bool) -> Side {
        if buys { Side::Long } else { Side::Short }
    }

    /// As in the database.
    pub fn name(self) -> &'static str {
        match self {
            Side::Long => "long",
            Side::Short => "short",
        }
    }
}

/// Why an account's position changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its own order took liquidity.
    Taker,
    /// Fills of its resting orders.
    Maker,
    /// A partial liquidation on the book.
    Liquidation,
    /// Another account took the position over.
    Takeover,
    /// It took another account's position over.
    TakeoverReceived,
    /// It was bankrupt and deleveraged.
    Bankruptcy,
    /// It was on the other side of a deleveraging.
    Deleveraged,
    /// One of its triggers was executed.
    Trigger,
    /// A rung of its ladder was executed.
    Ladder,
}

/// A candle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Candle {
    /// When it begins: unix seconds, a multiple of the interval.
    pub time: i64,
    /// First price, in atoms per lot.
    pub open: String,
    /// Highest.
    pub high: String,
    /// Lowest.
    pub low: String,
    /// Last.
    pub close: String,
    /// Lots traded.
    pub lots: String,
    /// Their value, in atoms.
    pub quote: String,
    /// How many trades.
    pub trades: u64,
}

/// One fill, as the market sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trade {
    /// Atoms per lot.
    pub price: String,
    /// Lots.
    pub lots: String,
    /// Whether the taker bought or sold.
    pub taker_side: Side,
    /// The maker's margin account; `null` where the indexed history does not tell whose seat it was.
    #[schema(required)]
    pub maker: Option<String>,
    /// The taker's margin account.
    pub taker: String,
    /// Whether a liquidation traded.
    pub forced: bool,
}

/// An hour of funding that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FundingHour {
    /// When the hour ended.
    pub end: i64,
    /// How many hours this stands for: one, or all of a long silence.
    pub hours: u32,
    /// Cumulative funding per lot, scaled by 2^24.
    pub index: String,
    /// The hourly rate in force, in billionths; positive when longs pay.
    pub rate_ppb: String,
    /// The last sample of the premium, in billionths.
    pub premium_ppb: String,
    /// The mark, in atoms per lot.
    pub mark: String,
    /// Open interest of the longs in the ranking index, in lots.
    pub longs: String,
    /// Open interest of the shorts, in lots.
    pub shorts: String,
}

/// `liquidation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiquidationKind {
    /// An account was put through a stage of liquidation.
    Liquidation,
}

/// A stage of liquidation that an account was put through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Liquidation {
    /// What it is.
    pub kind: LiquidationKind,
    /// The market's address.
    pub market: String,
    /// The account.
    pub account: String,
    /// The account that was credited with the reward, or took the position over.
    pub credited: String,
    /// 0 healthy, 1 restricted, 2 partial, 3 takeover, 4 bankrupt.
    pub stage: u8,
    /// The side of the position before; `null` where there was none, and only orders were cancelled.
    #[schema(required)]
    pub side: Option<Side>,
    /// Orders cancelled.
    pub orders_cancelled: u32,
    /// Lots closed or handed over.
    pub lots: String,
    /// Their value at the prices obtained, in atoms.
    pub quote: String,
    /// Fee or discount to the credited account.
    pub reward: String,
    /// Fee to insurance.
    pub to_insurance: String,
    /// Drawn from insurance.
    pub insurance_drawn: String,
    /// Mark used.
    pub mark: String,
    /// Bankruptcy price of the position before.
    pub bankruptcy_price: String,
    /// Account equity before.
    pub equity: String,
    /// Account maintenance margin before.
    pub maintenance: String,
}

/// `deleveraging`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeleveragingKind {
    /// A bankrupt position was closed against the other side.
    Deleveraging,
}

/// A cell of the ranking index that a deleveraging reduced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cell {
    /// Bucket of entry prices.
    pub row: u16,
    /// Column of distances to bankruptcy.
    pub column: u8,
    /// Lots taken from it.
    pub lots: String,
}

/// A bankrupt position that was closed against the other side of its market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deleveraging {
    /// What it is.
    pub kind: DeleveragingKind,
    /// The market's address.
    pub market: String,
    /// The bankrupt account.
    pub account: String,
    /// The side that was reduced.
    pub reduced: Side,
    /// Lots.
    pub lots: String,
    /// Price at which both sides were reduced.
    pub price: String,
    /// Mark at which cells were ranked.
    pub mark: String,
    /// Funding index at which cells were ranked.
    pub funding_index: String,
    /// Number of deleverage instructions of this market so far.
    pub sequence: String,
    /// Whether no profitable cells were left, and the rest was spread over all.
    pub in_profit_exhausted: bool,
    /// Drawn from insurance before.
    pub insurance_drawn: String,
    /// Open interest of the reduced side before, in lots.
    pub open_interest: String,
    /// Lots of the last cell before it was reduced.
    pub last_cell_before: String,
    /// Cells in the order in which they were reduced.
    pub cells: Vec<Cell>,
}

/// How a market came under stress or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StressKind {
    /// What may be done in the market was changed; `before` and `after` say how.
    Status,
    /// A position was closed by deleveraging; `amount` is its value.
    Deleveraging,
    /// A loss was left that nothing covers; `amount` is what insurance paid, `left` the rest.
    BadDebt,
}

/// One line of a market's stress history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stress {
    /// What happened.
    pub kind: StressKind,
    /// Status before: `active`, `reduce_only`, `paused`.
    #[schema(required)]
    pub before: Option<String>,
    /// Status after.
    #[schema(required)]
    pub after: Option<String>,
    /// Atoms.
    #[schema(required)]
    pub amount: Option<String>,
    /// Atoms that are left unpaid.
    #[schema(required)]
    pub left: Option<String>,
}

/// How insurance grew or shrank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsuranceKind {
    /// Somebody paid in.
    Funded,
    /// A market's insurance fees were swept into the vault.
    Swept,
    /// Drawn for a liquidation.
    Liquidation,
    /// Drawn before a deleveraging.
    Deleveraging,
    /// Drawn for a debt.
    BadDebt,
}

/// One line of the insurance vault's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Insurance {
    /// Why.
    pub kind: InsuranceKind,
    /// Atoms that came in; negative: went out.
    pub amount: String,
    /// The market, where there is one.
    #[schema(required)]
    pub market: Option<String>,
    /// The account whose loss was paid, or who paid in.
    #[schema(required)]
    pub account: Option<String>,
    /// What the vault holds afterwards by its events.
    pub balance: String,
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// It came to rest.
    Placed,
    /// It was made smaller; `lots` still rest.
    Reduced,
    /// Its last lots were filled.
    Filled,
    /// It was cancelled.
    Cancelled,
    /// It made room for a better one in a full book.
    Evicted,
    /// It was removed or made smaller without its owner.
    Removed,
}

/// Why an order left the book or became smaller without a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderReason {
    /// Owner or delegate asked.
    Request,
    /// The account is in a stage of liquidation.
    Liquidation,
    /// The account could no longer fund it.
    Unfunded,
    /// The other of a pair of triggers was executed.
    Pair,
    /// What it was to reduce is no longer there.
    NothingToReduce,
    /// Its time was over.
    Expired,
    /// A taker of the same owner met it.
    SelfTrade,
    /// It rested beyond the band, where nothing may match.
    OutOfBand,
    /// It followed the mark and stood beyond its limit.
    BeyondLimit,
}

/// One line of an account's order history. What rests of an order is what `placed` says, less its fills and what the
/// later lines with its id take off it. That it is filled is told once it has no lots left, if the indexed history knows when it was
/// placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// What happened.
    pub kind: OrderKind,
    /// The market's address.
    pub market: String,
    /// The order's id in the book.
    pub order_id: String,
    /// Why, unless it was placed, filled or evicted.
    #[schema(required)]
    pub reason: Option<OrderReason>,
    /// Its side, when placed.
    #[schema(required)]
    pub side: Option<Side>,
    /// Its price, when placed; of an order that follows the mark, its limit.
    #[schema(required)]
    pub price: Option<String>,
    /// Of an order that follows the mark: its distance from it.
    #[schema(required)]
    pub peg: Option<String>,
    /// Lots: placed, still resting (`reduced`), or gone (the others); `null` for one of several cancelled together, and when filled,
    /// for the fills have them.
    #[schema(required)]
    pub lots: Option<String>,
    /// Whether it only reduces a position, when placed.
    #[schema(required)]
    pub reduce_only: Option<bool>,
    /// Unix time at which it expires, when placed; `null` for never.
    #[schema(required)]
    pub expires_at: Option<i64>,
    /// The client's own id, when placed.
    #[schema(required)]
    pub client_id: Option<String>,
}

/// What happened to a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// It was placed.
    TriggerPlaced,
    /// Its owner changed it.
    TriggerEdited,
    /// It followed the mark.
    TriggerRatcheted,
    /// Its owner took it back.
    TriggerCancelled,
    /// Its time was over.
    TriggerExpired,
    /// What it protected is gone.
    TriggerVoid,
    /// It was executed.
    TriggerExecuted,
}

/// One line of an account's trigger history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trigger {
    /// What happened.
    pub kind: TriggerKind,
    /// The market's address.
    pub market: String,
    /// Its id.
    pub trigger: String,
    /// Whether it buys or sells.
    #[schema(required)]
    pub side: Option<Side>,
    /// Whether it is a stop-loss; otherwise a take-profit.
    #[schema(required)]
    pub stop: Option<bool>,
    /// Where it fires.
    #[schema(required)]
    pub price: Option<String>,
    /// Lots at most, 0 for the whole position; of an execution, lots traded.
    #[schema(required)]
    pub lots: Option<String>,
    /// How far it trails, in ppm.
    #[schema(required)]
    pub trail_ppm: Option<u32>,
    /// Of an execution: value traded.
    #[schema(required)]
    pub quote: Option<String>,
}

/// An account's order, or its trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum OrderLine {
    /// An order.
    Order(Order),
    /// A trigger.
    Trigger(Trigger),
}

/// `fill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillKind {
    /// A fill.
    Fill,
}

/// A fill, as one account sees it. Fees and realised profit are in the list `realised`: a taker's order pays one fee for all its
/// fills, and a maker's fills are booked together when the account is next touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fill {
    /// What it is.
    pub kind: FillKind,
    /// The market's address.
    pub market: String,
    /// Whether the account bought or sold.
    pub side: Side,
    /// Whether its order rested.
    pub maker: bool,
    /// Atoms per lot.
    pub price: String,
    /// Lots.
    pub lots: String,
    /// The resting order.
    pub order_id: String,
    /// Why the taker traded.
    pub cause: Why,
    /// The other account, where it is known.
    #[schema(required)]
    pub other: Option<String>,
}

/// `funding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FundingKind {
    /// Funding.
    Funding,
}

/// Funding that an account received or paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FundingPayment {
    /// What it is.
    pub kind: FundingKind,
    /// The market's address.
    pub market: String,
    /// Atoms received; negative: paid.
    pub amount: String,
}

/// How collateral came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// From a wallet.
    Deposit,
    /// To a wallet.
    Withdrawal,
    /// From or to another account of the same owner.
    Transfer,
    /// A referrer's earnings.
    Referral,
}

/// Collateral that came or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    /// How.
    pub kind: TransferKind,
    /// Atoms received; negative: sent.
    pub amount: String,
    /// The other account of a transfer; the trader account of a referral.
    #[schema(required)]
    pub other: Option<String>,
    /// Settled collateral afterwards.
    pub collateral: String,
}

/// `deleveraged`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// The account was on the other side of a deleveraging.
    Deleveraged,
}

/// What deleveragings did to an account on their other side, settled when the account was next touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// What it is.
    pub kind: ReceiptKind,
    /// The market's address.
    pub market: String,
    /// The account.
    pub account: String,
    /// The side that was reduced.
    pub reduced: Side,
    /// Lots taken.
    pub lots: String,
    /// Cash for them, in atoms; negative: paid.
    pub cash: String,
    /// Position afterwards, in lots; negative: short.
    pub position: String,
    /// Ids of the deleveragings of this side since the account's position last changed, oldest first, at most 100: what
    /// was taken was taken by one or more of these.
    pub deleveragings: Vec<String>,
}

/// An account's bankruptcy, or its part in another's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum DeleveragingLine {
    /// The account was bankrupt.
    Deleveraging(Deleveraging),
    /// The account was on the other side.
    Receipt(Receipt),
}

/// `position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionKind {
    /// A position changed.
    Position,
}

/// A change of a position, and what it realised: all fills of a taker's order, all fills of an account's resting orders since it was
/// last touched, or a forced reduction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// What it is.
    pub kind: PositionKind,
    /// The market's address.
    pub market: String,
    /// Why.
    pub cause: Why,
    /// Lots bought; negative: sold.
    pub base: String,
    /// Cash received without the fee; negative: paid.
    pub cash: String,
    /// Fee paid; negative: a rebate.
    pub fee: String,
    /// Profit realised, in atoms, without the fee; negative: loss. It is `cash` and what the basis became larger by. `null` where the
    /// indexed history does not tell the basis before.
    #[schema(required)]
    pub realised: Option<String>,
    /// Position afterwards, in lots; negative: short.
    pub lots: String,
    /// Basis afterwards, in atoms.
    pub basis: String,
}

/// What moved money without a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    /// Realised profit became money; negative: a realised loss was paid.
    Settled,
    /// Insurance paid what the account owed.
    Insured,
    /// Earned by, or charged for, work that keeps the exchange in order.
    Bounty,
}

/// Money that moved without a trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// What it is.
    pub kind: MoneyKind,
    /// The market's address.
    pub market: String,
    /// Atoms received; negative: paid.
    pub amount: String,
}

/// What happened to an account as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Opened; `other` is the owner.
    Opened,
    /// Closed; `other` is who got its rent.
    Closed,
    /// `other` may trade for it from here on; `null`: nobody.
    Delegated,
    /// Its ladder was set.
    LadderSet,
    /// A rung of its ladder was executed; `market`, `lots`, `quote` say what it traded.
    LadderExecuted,
    /// Its layout was brought to date.
    Migrated,
}

/// A change of an account as such.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountChange {
    /// What happened.
    pub kind: AccountKind,
    /// The other address.
    #[schema(required)]
    pub other: Option<String>,
    /// The market's address.
    #[schema(required)]
    pub market: Option<String>,
    /// Lots traded.
    #[schema(required)]
    pub lots: Option<String>,
    /// Their value.
    #[schema(required)]
    pub quote: Option<String>,
}

/// Any line of an account's history, told apart by `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum HistoryLine {
    /// A liquidation.
    Liquidation(Liquidation),
    /// Its own bankruptcy.
    Deleveraging(Deleveraging),
    /// Its part in another's bankruptcy.
    Receipt(Receipt),
    /// A fill.
    Fill(Fill),
    /// A position's change.
    Position(Position),
    /// An order.
    Order(Order),
    /// A trigger.
    Trigger(Trigger),
    /// Collateral.
    Transfer(Transfer),
    /// Funding.
    Funding(FundingPayment),
    /// Other money.
    Money(Money),
    /// The account itself.
    Account(AccountChange),
}

/// An event whole, as the program logged it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Whole {
    /// The event's name in the program's interface description; `Unknown` when the indexer is older than the program.
    pub kind: String,
    /// The market's address, where the event names one.
    #[schema(required)]
    pub market: Option<String>,
    /// Its fields under their names in the interface description: addresses in base58, integers of 64 bits and more as
    /// decimal strings, byte strings in hexadecimal; `null` when unknown.
    #[schema(value_type = Object, nullable)]
    pub event: serde_json::Value,
    /// The logged bytes in base64, discriminator first.
    pub data: String,
}

/// How far the indexer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The program's address.
    pub program: String,
    /// The exchange's address.
    pub exchange: String,
    /// Everything up to this slot is in the tables; may still be rolled back beyond `finalized_slot`.
    pub slot: u64,
    /// Everything up to this slot is in the tables for good. It never goes back.
    pub finalized_slot: u64,
    /// The cluster's newest confirmed slot.
    pub chain_slot: u64,
    /// Events in the tables.
    pub events: u64,
    /// Slot of the oldest transaction in the tables; `null` while there is none.
    #[schema(required)]
    pub backfilled_to: Option<u64>,
    /// Whether history begins with the founding of the exchange: otherwise the node no longer had the beginning.
    pub complete: bool,
    /// Whether everything that the node has is in the tables.
    pub caught_up: bool,
    /// Events that this indexer cannot decode: it is older than the program.
    pub unknown: u64,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// In plain words.
    pub error: String,
}
