//! Orders: their ids, what is stored of them, and how one comes to rest.

use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Price, Side};
use bytemuck::{Pod, Zeroable};

use crate::slab::{self, BLOCK, Block, ORDER, PEGS, index};
use crate::tree::{self, Node};
use crate::{Book, BookError, seat};

/// Bits of an order's sequence that hold the number of its block.
pub(crate) const BLOCK_BITS: u32 = 20;
/// Arrivals that a book can number: with a bit for the side and 20 for the block, 43 bits are left.
pub(crate) const MAX_ARRIVALS: u64 = 1 << 43;

/// Marks the upper half of a pegged order's id, which holds its offset + [`PEG_BIAS`] in place of a price.
const PEG_MARK: u64 = 1 << 63;
/// What is added to the offset of a pegged order, so that it sorts like a price.
pub(crate) const PEG_BIAS: u64 = 1 << 40;

/// Identifies an order of one market for ever: price × 2^64 + sequence for an ask, price × 2^64 + !sequence for a bid,
/// so that the best ask is the smallest id and the best bid the greatest. The sequence is the number of the order's
/// arrival × 2^20 + the number of its block, so the top bit of the low half tells the side, and an order is found from
/// its id without a search. A pegged order's id has its offset from the mark in place of the price, and the top bit set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct OrderId(pub u128);

impl OrderId {
    #[inline(always)]
    pub(crate) fn new(side: Side, high: u64, sequence: u64) -> OrderId {
        let low = match side {
            Side::Long => !sequence,
            Side::Short => sequence,
        };
        OrderId(u128::from(high) << 64 | u128::from(low))
    }

    fn high(self) -> u64 {
        // The high half, which fits.
        (self.0 >> 64) as u64
    }

    /// Whether it is a pegged order's.
    pub fn is_pegged(self) -> bool {
        self.high() & PEG_MARK != 0
    }

    /// Of a pegged order's: where it stands from the reference.
    pub fn peg(self) -> Option<i64> {
        let biased = i64::try_from(self.sorted_by()).ok()?;
        if self.is_pegged() { biased.checked_sub_unsigned(PEG_BIAS) } else { None }
    }

    /// By what the order is sorted in its tree: a price, or an offset + [`PEG_BIAS`].
    pub(crate) fn sorted_by(self) -> u64 {
        self.high() & !PEG_MARK
    }

    fn low(self) -> u64 {
        // Truncated on purpose: the low half.
        self.0 as u64
    }

    /// [`Side::Long`] for a bid, [`Side::Short`] for an ask.
    pub fn side(self) -> Side {
        if self.low() >> 63 == 0 { Side::Short } else { Side::Long }
    }

    /// The order's price; zero of a pegged order, whose price follows the mark.
    pub fn price(self) -> Price {
        if self.is_pegged() { Price(0) } else { Price(self.high()) }
    }

    /// Ascends with arrival within a market, whatever the side.
    pub fn sequence(self) -> u64 {
        match self.side() {
            Side::Long => !self.low(),
            Side::Short => self.low(),
        }
    }

    pub(crate) fn block(self) -> u32 {
        // Twenty bits, which fit.
        (self.sequence() & ((1 << BLOCK_BITS) - 1)) as u32
    }
}

/// What the caller wants to rest. Whether it would match is not looked at: match first, or ask
/// [`would_match`](crate::BookView::would_match).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Long to bid, short to ask.
    pub side: Side,
    /// 1 to [`MAX_PRICE`]. Of a pegged order: the worst price at which it may trade, and at which it counts in its seat.
    pub price: Price,
    /// Of a pegged order: where it stands from the market's reference for its side ([`MatchTerms`](crate::MatchTerms)), in atoms per
    /// lot, at most [`MAX_PRICE`] up or down.
    pub peg: Option<i64>,
    /// 1 to [`MAX_LOTS`].
    pub lots: Lots,
    /// The maker's seat, which the caller has verified to be theirs.
    pub seat: u32,
    /// The maker's own number for it; need not be unique.
    pub client_id: u64,
    /// First second (unix time) at which it no longer matches; 0 for never.
    pub expires_at: i64,
    /// Whether it only reduces a position: the caller cuts it when the position shrinks ([`Book::cut_reduce_only`]).
    pub reduce_only: bool,
}

/// A resting order as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingOrder {
    /// Its id.
    pub id: OrderId,
    /// Long for a bid, short for an ask.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// Of a pegged order: where it stands from the reference.
    pub peg: Option<i64>,
    /// What is left of it.
    pub lots: Lots,
    /// The maker's seat.
    pub seat: u32,
    /// The maker's own number for it.
    pub client_id: u64,
    /// First second at which it no longer matches; 0 for never.
    pub expires_at: i64,
    /// Whether it only reduces a position.
    pub reduce_only: bool,
}

impl RestingOrder {
    /// Whether it no longer matches at `now`.
    pub fn expired(&self, now: i64) -> bool {
        self.expires_at != 0 && self.expires_at <= now
    }
}

/// In an order's flags: it only reduces a position.
const REDUCE_ONLY: u8 = 1;
/// In an order's flags: triggers wait for what it opens.
pub(crate) const ENTRY: u8 = 2;

/// An order's block.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Order {
    pub node: Node,
    pub sequence: u64,
    pub lots: u64,
    pub client_id: u64,
    pub expires_at: i64,
    /// The seat's next older order, 0 at the end.
    pub older: u32,
    /// The seat's next newer order, 0 if this is its newest.
    pub newer: u32,
    /// 0 for a bid, 1 for an ask.
    pub side: u32,
    /// 1 for a pegged order, otherwise 0.
    pub pegged: u32,
    /// Worst price, at which it counts in its seat.
    pub limit: u64,
    /// Of one that only reduces: sequence of the trigger that was the other of its pair before it became an order, 0 if none. What has
    /// that sequence may be gone, or be another's: it has to name this order, too. Of other orders it means nothing.
    pub pair: u64,
    pub reserved: [u64; 7],
}

const _: () = assert!(size_of::<Order>() == BLOCK);

impl Order {
    /// Sets what layout 1 did not have: there an order's price was in its key alone, and none was pegged.
    pub(crate) fn come_from_layout_1(&mut self) {
        self.pegged = 0;
        self.limit = key_of(self.side(), self.node.key);
    }

    #[inline(always)]
    pub fn expired(&self, now: i64) -> bool {
        self.expires_at != 0 && self.expires_at <= now
    }

    #[inline(always)]
    pub fn side(&self) -> Side {
        if self.side == 0 { Side::Long } else { Side::Short }
    }

    #[inline(always)]
    pub fn is_pegged(&self) -> bool {
        self.pegged != 0
    }

    #[inline(always)]
    pub fn is_reduce_only(&self) -> bool {
        self.node.flags & REDUCE_ONLY != 0
    }

    /// The number of the tree that it is in.
    #[inline(always)]
    pub fn tree(&self) -> usize {
        tree_of(self.side(), self.is_pegged())
    }

    #[inline]
    pub fn id(&self) -> OrderId {
        let mark = if self.is_pegged() { PEG_MARK } else { 0 };
        OrderId::new(self.side(), key_of(self.side(), self.node.key) | mark, self.sequence)
    }

    /// Of a pegged order: where it stands from the reference.
    pub fn peg(&self) -> Option<i64> {
        self.id().peg()
    }

    pub fn resting(&self) -> RestingOrder {
        RestingOrder {
            id: self.id(),
            side: self.side(),
            price: Price(self.limit),
            peg: self.peg(),
            lots: Lots(self.lots),
            seat: self.node.seat,
            client_id: self.client_id,
            expires_at: self.expires_at,
            reduce_only: self.is_reduce_only(),
        }
    }
}

/// The key by which a price sorts on its side, best first; and back, being its own inverse.
#[inline(always)]
pub(crate) fn key_of(side: Side, price: u64) -> u64 {
    match side {
        Side::Long => !price,
        Side::Short => price,
    }
}

/// The number of the tree of a side's orders, or of its pegged ones.
#[inline(always)]
pub(crate) fn tree_of(side: Side, pegged: bool) -> usize {
    if pegged { PEGS + side.index() } else { side.index() }
}

/// Block `id` as an order.
#[inline(always)]
pub(crate) fn order(blocks: &[Block], id: u32) -> Result<&Order, BookError> {
    match blocks.get(index(id)) {
        Some(block) if block.node.kind == ORDER => Ok(bytemuck::cast_ref(block)),
        _ => Err(BookError::Corrupt),
    }
}

/// As [`order`], to write.
#[inline(always)]
pub(crate) fn order_mut(blocks: &mut [Block], id: u32) -> Result<&mut Order, BookError> {
    match blocks.get_mut(index(id)) {
        Some(block) if block.node.kind == ORDER => Ok(bytemuck::cast_mut(block)),
        _ => Err(BookError::Corrupt),
    }
}

impl Book<'_> {
    /// Adds an order behind those of its price.
    ///
    /// # Errors
    /// `InvalidOrder` outside the ranges of [`NewOrder`], or if lots × price exceeds `i64`; `SeatNotFound`; `Overflow` if
    /// the seat's sums would; `Full` if no block is left (the caller may [`evict_worst`](Book::evict_worst) and repeat).
    /// None of these changes anything.
    pub fn rest(&mut self, new: NewOrder) -> Result<OrderId, BookError> {
        let quote = valid_quote(&new)?;
        let (header, blocks) = (&mut *self.header, &mut *self.blocks);
        if header.arrivals >= MAX_ARRIVALS || !slab::has_room(header, blocks) {
            return Err(BookError::Full);
        }
        let newest = seat::reserve(blocks, &new, quote)?;
        let id = slab::allocate(header, blocks)?;
        seat::push(blocks, new.seat, newest, id)?;
        let sequence = header.arrivals << BLOCK_BITS | u64::from(id);
        header.arrivals += 1;
        let block = blocks.get_mut(index(id)).ok_or(BookError::Corrupt)?;
        let order: &mut Order = bytemuck::cast_mut(block);
        order.node.kind = ORDER;
        order.node.flags = if new.reduce_only { REDUCE_ONLY } else { 0 };
        order.node.seat = new.seat;
        let (sorted_by, mark) = match new.peg {
            None => (new.price.0, 0),
            Some(offset) => (PEG_BIAS.wrapping_add_signed(offset), PEG_MARK),
        };
        order.node.key = key_of(new.side, sorted_by);
        order.sequence = sequence;
        order.lots = new.lots.0;
        order.client_id = new.client_id;
        order.expires_at = new.expires_at;
        (order.older, order.newer) = (newest, 0);
        order.side = if new.side == Side::Long { 0 } else { 1 };
        order.pegged = u32::from(new.peg.is_some());
        order.limit = new.price.0;
        if new.reduce_only {
            order.pair = 0;
        }
        tree::insert(blocks, &mut header.roots[tree_of(new.side, new.peg.is_some())], id)?;
        Ok(OrderId::new(new.side, sorted_by | mark, sequence))
    }
}

/// Lots × price, if every field is in its range.
fn valid_quote(new: &NewOrder) -> Result<u64, BookError> {
    let (lots, price) = (new.lots.0, new.price.0);
    let far = new.peg.is_some_and(|offset| offset.unsigned_abs() > MAX_PRICE);
    if lots == 0 || lots > MAX_LOTS || price == 0 || price > MAX_PRICE || far || new.expires_at < 0 {
        return Err(BookError::InvalidOrder);
    }
    // A 64-bit product of small factors is a tenth of the cost of a checked one on chain.
    let quote = if (lots | price) >> 31 == 0 { lots * price } else { large_product(lots, price)? };
    Ok(quote)
}

#[cold]
#[inline(never)]
fn large_product(lots: u64, price: u64) -> Result<u64, BookError> {
    let product = u128::from(lots) * u128::from(price);
    i64::try_from(product).ok().and_then(|product| u64::try_from(product).ok()).ok_or(BookError::InvalidOrder)
}
