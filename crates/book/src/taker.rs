//! What matching takes and gives: the taker, what happens to the orders that it meets, and its result.

use ballast_units::{Lots, Price, Side};

use crate::{CancelledOrder, OrderId};

/// What happens when a taker meets an order of the same owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTrade {
    /// The resting order is cancelled and the taker goes on.
    CancelResting,
    /// The taker stops, and the resting order stays.
    CancelTaking,
    /// Both shrink by the smaller of the two, without a trade.
    DecrementBoth,
}

/// On what terms orders match at a moment: the market's, the same for everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchTerms {
    /// Lowest and highest price at which bids may match. Higher ones are passed over by a search, not one by one.
    pub bids: (Price, Price),
    /// Lowest and highest price at which asks may match; lower ones are passed over.
    pub asks: (Price, Price),
    /// What pegged bids and asks stand from: the mark, rounded to the tick down and up.
    pub references: (Price, Price),
    /// Unix time, for expiry.
    pub now: i64,
}

impl MatchTerms {
    /// Lowest and highest price at which orders of a side may match.
    #[inline(always)]
    pub fn range(&self, side: Side) -> (Price, Price) {
        match side {
            Side::Long => self.bids,
            Side::Short => self.asks,
        }
    }
}

/// An order that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker {
    /// Long to buy, short to sell.
    pub side: Side,
    /// At most this many.
    pub lots: Lots,
    /// Worst price.
    pub limit: Price,
    /// The market's terms.
    pub terms: MatchTerms,
    /// Whose orders not to trade with.
    pub owner: [u8; 32],
    /// How not to.
    pub self_trade: SelfTrade,
    /// Most resting orders to meet, counting expired and own ones, and pegged ones beyond their limit.
    pub max_makers: u32,
    /// The market's funding index, at which makers' positions begin.
    pub funding_index: i64,
    /// Fee on the taker's fill, for the bounty base and as the limit of a rebate; charged by the caller. At most 10^6.
    pub taker_fee_ppm: u32,
    /// Atoms of his fee that the taker can certainly pay: all rebates together are at most this.
    pub rebate_budget: u64,
}

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The maker's seat.
    pub seat: u32,
    /// The maker's order.
    pub order_id: OrderId,
    /// The maker's number for it.
    pub client_id: u64,
    /// The price at which it traded: the order's, or where a pegged one stood.
    pub price: Price,
    /// How much.
    pub lots: Lots,
    /// Lots × price.
    pub quote: u64,
    /// What the maker owes for it, rounded up; negative: the rebate that it receives, rounded down.
    pub maker_fee: i64,
    /// What is left of the order; zero if it is done and gone.
    pub maker_left: Lots,
    /// Whether the order is done and gone.
    pub maker_done: bool,
}

/// What happens to a resting order that a taker meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A trade.
    Fill(Fill),
    /// It was removed without a trade: expired, of the taker's owner, or pegged and beyond its limit.
    Cancelled(CancelledOrder),
    /// It is of the taker's owner, and both shrank without a trade. If it is used up, it is gone.
    Decremented {
        /// The resting order.
        order_id: OrderId,
        /// Its seat.
        seat: u32,
        /// Its maker's number for it.
        client_id: u64,
        /// By how much both shrank.
        lots: Lots,
        /// What is left of the resting order.
        maker_left: Lots,
    },
}

/// Why matching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing is left of the taker.
    Filled,
    /// The next order is worse than the limit.
    Price,
    /// No order is left on that side.
    Empty,
    /// None of the orders left is inside the band.
    Band,
    /// `max_makers` were met, and there are more that would match.
    MakerLimit,
    /// The next order is the owner's own, and [`SelfTrade::CancelTaking`] was asked for.
    SelfTrade,
}

/// What a taker got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Lots traded.
    pub lots: Lots,
    /// Σ lots × price traded, in atoms.
    pub quote: u64,
    /// Resting orders met: filled, expired, or of the same owner.
    pub makers: u32,
    /// Σ over makers of what their pending base changed by: −lots for a buyer, +lots for a seller.
    pub maker_base_delta: i64,
    /// Σ maker fees accrued less rebates, in atoms.
    pub maker_fees: i64,
    /// By how much this raised (negative: lowered) Σ over seats of the rebates to receive, in atoms. Less than the Σ of
    /// rebates where a seat owed fees before, below zero where it was owed rebates and made fills that cost a fee.
    pub rebates_owed: i64,
    /// Lots by which the taker shrank against its owner's orders, without a trade.
    pub decremented: Lots,
    /// Orders of the same owner that were removed.
    pub cancelled_self: u32,
    /// Expired orders that were removed.
    pub expired: u32,
    /// Pegged orders that stood beyond their limit and were removed.
    pub beyond_limit: u32,
    /// Why it ended.
    pub stopped: Stopped,
}

impl Matched {
    pub(crate) const fn nothing() -> Matched {
        Matched {
            lots: Lots::ZERO,
            quote: 0,
            makers: 0,
            maker_base_delta: 0,
            maker_fees: 0,
            rebates_owed: 0,
            decremented: Lots::ZERO,
            cancelled_self: 0,
            expired: 0,
            beyond_limit: 0,
            stopped: Stopped::Filled,
        }
    }
}
