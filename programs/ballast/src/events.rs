//! What the program reports. The events of a market, in order, rebuild every account's history: each change of money
//! or of a position is in exactly one of them. Amounts are atoms of USDC, sizes lots, prices atoms per lot; a positive
//! cash amount was received by the account.

use anchor_lang::prelude::*;

use crate::state::MarketParams;

/// Why an account's position in a market changed.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its own order took liquidity.
    Taker,
    /// Fills of its resting orders, folded from its seat.
    Maker,
    /// A partial liquidation on the book.
    Liquidation,
    /// Another account took the position over.
    Takeover,
    /// It took another account's position over.
    TakeoverReceived,
    /// It was bankrupt and its position was deleveraged against the other side.
    Bankruptcy,
    /// It was on the other side of a deleveraging, settled now.
    Deleveraged,
    /// One of its triggers was executed.
    Trigger,
    /// A rung of its ladder was executed.
    Ladder,
}

/// An exchange was founded.
#[event]
#[derive(Clone, Debug)]
pub struct ExchangeCreated {
    /// The exchange.
    pub exchange: Pubkey,
    /// Its admin.
    pub admin: Pubkey,
    /// Its collateral mint.
    pub quote_mint: Pubkey,
}

/// A market was created.
#[event]
#[derive(Clone, Debug)]
pub struct MarketCreated {
    /// The market.
    pub market: Pubkey,
    /// Its index.
    pub index: u16,
    /// Its name, padded with zeros.
    pub symbol: [u8; 16],
}

/// A market's state changed.
#[event]
#[derive(Clone, Debug)]
pub struct MarketStatusChanged {
    /// The market.
    pub market: Pubkey,
    /// Status before.
    pub before: u8,
    /// Status after.
    pub after: u8,
}

/// A margin account was opened.
#[event]
#[derive(Clone, Debug)]
pub struct AccountOpened {
    /// The account.
    pub account: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// Its number under the owner.
    pub number: u16,
}

/// Collateral came in.
#[event]
#[derive(Clone, Debug)]
pub struct Deposited {
    /// The account.
    pub account: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// Collateral went out.
#[event]
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// The account.
    pub account: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// Insurance grew.
#[event]
#[derive(Clone, Debug)]
pub struct InsuranceFunded {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who paid, or the market whose fees were swept.
    pub source: Pubkey,
    /// Atoms.
    pub amount: u64,
}

/// The mark moved.
#[event]
#[derive(Clone, Debug)]
pub struct MarkUpdated {
    /// The market's index.
    pub market: u16,
    /// Oracle price.
    pub oracle: u64,
    /// Mark.
    pub mark: u64,
    /// Publish time of the oracle price.
    pub publish_time: i64,
    /// Cumulative funding per lot, scaled by 2^24.
    pub funding_index: i64,
}

/// One maker's part in a trade.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct MakerFill {
    /// Seat of the maker.
    pub seat: u32,
    /// The order's id in the book.
    pub order_id: u128,
    /// Price.
    pub price: u64,
    /// Lots.
    pub lots: u64,
}

/// A resting order that a taker met and removed or shrank without a trade: expired, or of the taker's owner.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct OrderRemoved {
    /// Its seat.
    pub seat: u32,
    /// Its id in the book.
    pub order_id: u128,
    /// Lots that no longer rest.
    pub lots: u64,
}

/// A taker met makers.
#[event]
#[derive(Clone, Debug)]
pub struct Traded {
    /// The market's index.
    pub market: u16,
    /// The taker's account.
    pub taker: Pubkey,
    /// Whether the taker bought.
    pub bought: bool,
    /// Why the taker traded.
    pub cause: Cause,
    /// The taker's fee.
    pub fee: u64,
    /// The makers, best price first.
    pub fills: Vec<MakerFill>,
    /// Orders removed without a trade.
    pub removed: Vec<OrderRemoved>,
}

/// An order came to rest.
#[event]
#[derive(Clone, Debug)]
pub struct OrderPlaced {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Its seat.
    pub seat: u32,
    /// The order's id in the book.
    pub order_id: u128,
    /// Whether it buys.
    pub buys: bool,
    /// Price.
    pub price: u64,
    /// Lots.
    pub lots: u64,
    /// The client's own id.
    pub client_id: u64,
}

/// An order was made smaller by its owner and kept its place.
#[event]
#[derive(Clone, Debug)]
pub struct OrderReduced {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The order's id in the book.
    pub order_id: u128,
    /// Lots that still rest.
    pub lots: u64,
}

/// The worst order of a side made room for a better one in a full book.
#[event]
#[derive(Clone, Debug)]
pub struct OrderEvicted {
    /// The market's index.
    pub market: u16,
    /// Its seat.
    pub seat: u32,
    /// Its id in the book.
    pub order_id: u128,
    /// Lots that rested in it.
    pub lots: u64,
}

/// A book's account grew.
#[event]
#[derive(Clone, Debug)]
pub struct BookGrown {
    /// The market's index.
    pub market: u16,
    /// Blocks for orders and seats that it has now.
    pub blocks: u32,
}

/// Orders left the book unfilled.
#[event]
#[derive(Clone, Debug)]
pub struct OrdersCancelled {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// How many.
    pub orders: u32,
    /// Lots that rested in them.
    pub lots: u64,
}

/// Expired orders, and orders beyond the band, were removed by anyone.
#[event]
#[derive(Clone, Debug)]
pub struct OrdersPruned {
    /// The market's index.
    pub market: u16,
    /// The orders.
    pub removed: Vec<OrderRemoved>,
}

/// An account's position and money in a market after a change.
#[event]
#[derive(Clone, Debug)]
pub struct PositionChanged {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Why.
    pub cause: Cause,
    /// Lots traded, positive bought.
    pub base: i64,
    /// Cash received (negative: paid), without the fee.
    pub cash: i64,
    /// Fee paid; negative: a rebate received.
    pub fee: i64,
    /// Position afterwards.
    pub lots: i64,
    /// Basis afterwards.
    pub basis: i64,
}

/// Money moved between an account and the market's pool, or funding was paid.
#[event]
#[derive(Clone, Debug)]
pub struct Settled {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Funding received (negative: paid) and added to the unsettled profit.
    pub funding: i64,
    /// Moved from the pool into collateral (negative: from collateral into the pool).
    pub moved: i64,
    /// Unsettled profit left.
    pub unsettled: i64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// An account was put through a stage of liquidation.
#[event]
#[derive(Clone, Debug)]
pub struct Liquidated {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The account that was credited with the reward, or took the position over: not necessarily the caller's.
    pub credited: Pubkey,
    /// The stage (see [`crate::logic::stage_code`]).
    pub stage: u8,
    /// Orders cancelled.
    pub orders_cancelled: u32,
    /// Lots closed or handed over.
    pub lots: u64,
    /// Their value at the prices obtained.
    pub quote: u64,
    /// Fee or discount to the credited account.
    pub reward: u64,
    /// Fee to insurance.
    pub to_insurance: u64,
    /// Drawn from insurance.
    pub insurance_drawn: u64,
    /// Mark used.
    pub mark: u64,
    /// Bankruptcy price of the position before.
    pub bankruptcy_price: i64,
    /// Account equity before.
    pub equity: i64,
    /// Account maintenance margin before.
    pub maintenance: u64,
}

/// A bankrupt position was closed against the other side of the market.
#[event]
#[derive(Clone, Debug)]
pub struct Deleveraged {
    /// The market's index.
    pub market: u16,
    /// The bankrupt account.
    pub account: Pubkey,
    /// Whether longs were reduced.
    pub longs_reduced: bool,
    /// Lots.
    pub lots: u64,
    /// Price at which both sides were reduced.
    pub price: u64,
    /// Mark at which cells were ranked.
    pub mark: u64,
    /// Funding index at which cells were ranked.
    pub funding_index: i64,
    /// Number of deleverage instructions of this market so far.
    pub sequence: u64,
    /// Whether no profitable cells were left, and the rest was spread over all.
    pub in_profit_exhausted: bool,
    /// Drawn from insurance before.
    pub insurance_drawn: u64,
    /// Open interest of the reduced side before, in lots.
    pub open_interest: u64,
    /// Lots of the last cell before it was reduced. The cells before it were taken whole, as long as any was in profit.
    pub last_cell_before: u64,
    /// Cells in the order in which they were reduced, eight bytes each: row (2), column (1), lots taken (5), little
    /// endian.
    pub cells: Vec<u8>,
}

/// Insurance paid for a loss that nothing else covers.
#[event]
#[derive(Clone, Debug)]
pub struct BadDebtCovered {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Paid by insurance.
    pub paid: u64,
    /// Left unpaid.
    pub left: u64,
}

/// The caller of a permissionless instruction was paid.
#[event]
#[derive(Clone, Debug)]
pub struct BountyPaid {
    /// The market's index.
    pub market: u16,
    /// The account that was credited.
    pub account: Pubkey,
    /// The account that was charged; the market's trading fees when there is none.
    pub charged: Option<Pubkey>,
    /// Atoms.
    pub amount: u64,
}

/// What rounding had left in the ranking index went to insurance, or came from it.
#[event]
#[derive(Clone, Debug)]
pub struct DustSwept {
    /// The market's index.
    pub market: u16,
    /// Atoms that moved from the market's pool to insurance's fees (negative: the other way).
    pub amount: i64,
}

/// A position's place in the ranking index was brought to date.
#[event]
#[derive(Clone, Debug)]
pub struct Reranked {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Columns by which it had been out of place.
    pub columns: u16,
}

/// A market's trading fees were paid out.
#[event]
#[derive(Clone, Debug)]
pub struct FeesWithdrawn {
    /// The market's index.
    pub market: u16,
    /// The token account that was paid.
    pub target: Pubkey,
    /// Atoms that the exchange's own claim drew from the market's pool.
    pub from_pool: u64,
    /// Atoms of settled fees.
    pub from_fees: u64,
}

/// A market's parameters were set: at its creation, or later.
#[event]
#[derive(Clone, Debug)]
pub struct MarketParamsSet {
    /// The market's index.
    pub market: u16,
    /// All of them, as they are from here on.
    pub params: MarketParams,
}

/// Deposits or withdrawals were stopped or resumed.
#[event]
#[derive(Clone, Debug)]
pub struct PauseSet {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who did it.
    pub authority: Pubkey,
    /// Whether deposits are stopped from here on.
    pub deposits: bool,
    /// Whether withdrawals are.
    pub withdrawals: bool,
}

/// The admin role was offered, or the offer withdrawn.
#[event]
#[derive(Clone, Debug)]
pub struct AdminProposed {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who has the role.
    pub admin: Pubkey,
    /// To whom; the default key withdraws the offer.
    pub next: Pubkey,
}

/// The admin role was taken over.
#[event]
#[derive(Clone, Debug)]
pub struct AdminAccepted {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who had it.
    pub before: Pubkey,
    /// Who has it now.
    pub admin: Pubkey,
}

/// An account's delegate was named or dismissed.
#[event]
#[derive(Clone, Debug)]
pub struct DelegateSet {
    /// The account.
    pub account: Pubkey,
    /// Who may trade for it from here on; the default key is nobody.
    pub delegate: Pubkey,
}

/// An empty margin account was closed.
#[event]
#[derive(Clone, Debug)]
pub struct AccountClosed {
    /// The account.
    pub account: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// Who got its rent.
    pub receiver: Pubkey,
}

/// Collateral moved between two accounts of one owner.
#[event]
#[derive(Clone, Debug)]
pub struct CollateralTransferred {
    /// The account that paid.
    pub from: Pubkey,
    /// The account that was paid.
    pub to: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral of the first afterwards.
    pub from_collateral: u64,
    /// Settled collateral of the second afterwards.
    pub to_collateral: u64,
}

/// An hour of funding ended. One event an hour, at the first price after its end; after a silence of more than a day there
/// is one for all of it.
#[event]
#[derive(Clone, Debug)]
pub struct FundingHour {
    /// The market's index.
    pub market: u16,
    /// When the hour ended: unix seconds, a multiple of 3,600.
    pub end: i64,
    /// How many hours this event stands for: one, or all of a long silence.
    pub hours: u32,
    /// Cumulative funding per lot at that time, scaled by 2^24. The difference to the last event's is what a lot paid.
    pub index: i64,
    /// The hourly rate in force, in billionths: the premium's average over time. Positive when longs pay.
    pub rate_ppb: i64,
    /// The last sample of the premium, in billionths.
    pub premium_ppb: i64,
    /// The mark in force.
    pub mark: u64,
    /// Open interest of the longs in the ranking index, in lots.
    pub longs: u64,
    /// Open interest of the shorts in the ranking index, in lots.
    pub shorts: u64,
}

/// A trigger was placed, edited, or ratcheted: its terms as they are now.
#[event]
#[derive(Clone, Debug)]
pub struct TriggerSet {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The trigger.
    pub trigger: u64,
    /// Why.
    pub cause: TriggerChange,
    /// Whether it buys.
    pub buys: bool,
    /// Whether it is a stop-loss; otherwise a take-profit.
    pub stop: bool,
    /// Where it fires.
    pub price: u64,
    /// Lots at most; 0 for the whole position.
    pub lots: u64,
    /// Price of its limit order; 0 for a market order.
    pub limit: u64,
    /// Slippage of its market order, in basis points of the mark.
    pub slippage_bps: u16,
    /// How far it trails, in ppm; 0 if it does not.
    pub trail_ppm: u32,
    /// The best mark that it has followed; 0 if it does not trail.
    pub best: u64,
    /// Unix time at which it expires; 0 for never.
    pub expires_at: i64,
    /// The client's own id.
    pub client_id: u64,
    /// The other of its pair, 0 if none.
    pub sibling: u64,
}

/// Why a trigger has the terms that it has.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerChange {
    /// It is new.
    Placed,
    /// Its owner changed it.
    Edited,
    /// It followed the mark.
    Ratcheted,
}

/// Triggers went without being executed.
#[event]
#[derive(Clone, Debug)]
pub struct TriggersRemoved {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Why.
    pub reason: TriggersRemovedFor,
    /// Which.
    pub triggers: Vec<u64>,
}

/// Why triggers went.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggersRemovedFor {
    /// The owner asked.
    Cancelled,
    /// Their time was over.
    Expired,
    /// What they protected is gone.
    NothingToProtect,
}

/// A trigger was executed. Its trade is in [`Traded`] and [`PositionChanged`], its reward in [`BountyPaid`].
#[event]
#[derive(Clone, Debug)]
pub struct TriggerExecuted {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// The trigger.
    pub trigger: u64,
    /// Who called.
    pub caller: Pubkey,
    /// The mark that two price updates support, which has crossed its price.
    pub confirmed: u64,
    /// Its price.
    pub price: u64,
    /// Worst price of the order that it placed.
    pub worst: u64,
    /// Lots traded.
    pub lots: u64,
    /// Their value.
    pub quote: u64,
    /// Lots that came to rest as an order.
    pub rested: u64,
    /// Whether the trigger is gone.
    pub done: bool,
    /// Whether the other of its pair is gone with it.
    pub sibling_gone: bool,
}

/// The owner set the account's ladder.
#[event]
#[derive(Clone, Debug)]
pub struct LadderSet {
    /// The account.
    pub account: Pubkey,
    /// Pairs of margin ratio and part of the position, in basis points.
    pub rungs: Vec<LadderRung>,
    /// How far beyond the mark they may trade, in basis points.
    pub slippage_bps: u16,
}

/// One rule of a ladder.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderRung {
    /// The margin ratio (equity over maintenance margin) at or below which it is due, in basis points.
    pub ratio_bps: u16,
    /// What part of the position it takes, in basis points.
    pub reduce_bps: u16,
}

/// A rung of a ladder was executed, or rungs were armed again.
#[event]
#[derive(Clone, Debug)]
pub struct LadderExecuted {
    /// The market's index.
    pub market: u16,
    /// The account.
    pub account: Pubkey,
    /// Who called.
    pub caller: Pubkey,
    /// The margin ratio before, in basis points.
    pub ratio_bps: i64,
    /// The rung, from 0; `None` if none was due and rungs were only armed again.
    pub rung: Option<u8>,
    /// Lots traded.
    pub lots: u64,
    /// Their value.
    pub quote: u64,
    /// What is left of the rung, in millionths of the position.
    pub left_ppm: u32,
}

/// Which volumes earn fee tiers, and what referrers get, was set.
#[event]
#[derive(Clone, Debug)]
pub struct FeeScheduleSet {
    /// The exchange.
    pub exchange: Pubkey,
    /// 30-day volumes of the tiers, in atoms; unused ones zero.
    pub volumes: [u64; 4],
    /// The referrers' share in what the exchange keeps of a fee, in basis points.
    pub referral_share_bps: u16,
}

/// An owner opened a trader account.
#[event]
#[derive(Clone, Debug)]
pub struct TraderOpened {
    /// The trader account.
    pub trader: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// The trader account of whoever referred them, or the default key.
    pub referrer: Pubkey,
}

/// Volume was rolled into an owner's fee tier, and a referrer credited.
#[event]
#[derive(Clone, Debug)]
pub struct VolumeRolled {
    /// The trader account.
    pub trader: Pubkey,
    /// Atoms that margin accounts had gathered.
    pub volume: u64,
    /// Volume that counts now.
    pub thirty_days: u64,
    /// The tier.
    pub tier: u8,
    /// The first day (since 1970) on which it is no longer earned if nothing more is traded; zero for the base.
    pub until: u32,
    /// The referrer's trader account, or the default key.
    pub referrer: Pubkey,
    /// Atoms of fees that were owed to it by the margin accounts, and are now its earnings.
    pub referral: u64,
}

/// A referrer's earnings became collateral.
#[event]
#[derive(Clone, Debug)]
pub struct ReferralClaimed {
    /// The trader account that earned them.
    pub trader: Pubkey,
    /// The margin account that was credited.
    pub account: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// An account got the layout of this version.
#[event]
#[derive(Clone, Debug)]
pub struct AccountMigrated {
    /// The account.
    pub account: Pubkey,
    /// The version that it has now.
    pub version: u8,
}
