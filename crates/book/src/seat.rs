//! Seats: what an account has at the book. Sums of its resting orders, the list of them, and the fills and fees that its
//! orders made since it was last touched.

use ballast_units::{Lots, Side};
use bytemuck::{Pod, Zeroable};

use crate::migrate::FromMarket;
use crate::order::{NewOrder, order_mut};
use crate::slab::{self, BLOCK, Block, SEAT, index};
use crate::wide::Wide;
use crate::{Book, BookError, BookView};

/// Bits of the atoms in which a seat counts the value of fills.
pub(crate) const VOLUME_BITS: u32 = 16;
/// In these steps a seat counts the value of fills: about seven cents.
pub const VOLUME_STEP: u64 = 1 << VOLUME_BITS;

/// One account's seat. Only the book changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Seat {
    pub(crate) kind: u8,
    reserved: u8,
    /// Resting orders, both sides.
    pub orders: u16,
    /// Fee on its orders' fills, in millionths of the value; negative for a rebate.
    pub maker_fee_ppm: i16,
    /// Resting orders that only reduce a position.
    pub reduce_only: u16,
    /// The newest resting order's block, 0 if none.
    pub(crate) newest: u32,
    /// The newest trigger order's block, 0 if none.
    pub(crate) newest_trigger: u32,
    /// The margin account that sits here.
    pub account: [u8; 32],
    /// Who trades for it: orders of one owner do not trade with each other.
    pub owner: [u8; 32],
    /// Σ lots of its bids.
    pub bid_lots: u64,
    /// Σ lots × price of its bids, in atoms.
    pub bid_quote: u64,
    /// Σ lots of its asks.
    pub ask_lots: u64,
    /// Σ lots × price of its asks, in atoms.
    pub ask_quote: u64,
    /// Lots that its orders bought (+) or sold (−) since the last [`take_pending`](Book::take_pending).
    pub pending_base: i64,
    /// Atoms that they received (+) or paid (−) for it, fees apart.
    pub pending_cash: i64,
    /// Maker fees owed for it, in atoms, each fill's rounded up; negative: rebates to receive, each rounded down.
    pub pending_fees: i64,
    /// Fees that these fills earned the exchange from maker and taker, in atoms, the taker's rounded down. Ends at
    /// `u32::MAX`, far beyond what any bounty pays for.
    pub pending_bounty_base: u32,
    /// Value of these fills in steps of [`VOLUME_STEP`], each fill's rounded down. Ends at `u32::MAX`.
    pub pending_volume: u32,
    /// Σ base × funding index at these fills, in 2^-24 atoms.
    pub(crate) pending_funding: Wide,
}

const _: () = assert!(size_of::<Seat>() == BLOCK);

/// What fills at a seat have accumulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// Lots bought (+) or sold (−).
    pub base: i64,
    /// Atoms received (+) or paid (−), fees apart.
    pub cash: i64,
    /// Maker fees owed, in atoms, rounded up fill by fill; negative: rebates to receive, rounded down fill by fill.
    pub fees: i64,
    /// Fees that the fills earned the exchange, in atoms.
    pub bounty_base: u64,
    /// Value of the fills, in atoms, each fill's rounded down to a multiple of [`VOLUME_STEP`].
    pub volume: u64,
    /// Σ base × funding index at the fills, in 2^-24 atoms.
    pub funding: i128,
}

impl Pending {
    /// What funding has brought these fills (negative: cost) at a funding index, exact, in 2^-24 atoms: longs pay its rise
    /// since each fill.
    ///
    /// # Errors
    /// `Overflow`, which takes sums that no fills make.
    pub fn funding_at(&self, index: i64) -> Result<i128, BookError> {
        let mut at = Wide::default();
        at.add_product(self.base, index)?;
        self.funding.checked_sub(at.get()).ok_or(BookError::Overflow)
    }

    /// Rebates to receive, in atoms.
    pub fn rebate(&self) -> u64 {
        rebate_of(self.fees)
    }
}

/// The part of `fees` that is a rebate.
#[inline(always)]
pub(crate) fn rebate_of(fees: i64) -> u64 {
    if fees < 0 { fees.unsigned_abs() } else { 0 }
}

impl Seat {
    /// Sets what layout 1 had otherwise, in the bytes of a seat of layout 1 with `orders` orders, zeros behind them.
    pub(crate) fn come_from_layout_1(&mut self, orders: u32, terms: &FromMarket) -> Result<(), BookError> {
        // There the count was where the fee is now; nothing is known of triggers.
        (self.reserved, self.reduce_only, self.newest_trigger) = (0, 0, 0);
        self.orders = u16::try_from(orders).map_err(|_| BookError::Corrupt)?;
        self.maker_fee_ppm = terms.maker_fee_ppm;
        self.pending_funding.add_product(self.pending_base, terms.funding_index)
    }

    /// What its fills have accumulated.
    pub fn pending(&self) -> Pending {
        Pending {
            base: self.pending_base,
            cash: self.pending_cash,
            fees: self.pending_fees,
            bounty_base: self.pending_bounty_base.into(),
            volume: u64::from(self.pending_volume) << VOLUME_BITS,
            funding: self.pending_funding.get(),
        }
    }

    /// Whether nothing rests and nothing waits here, so that it can be closed.
    pub fn is_idle(&self) -> bool {
        self.orders == 0 && self.newest_trigger == 0 && self.pending() == Pending::default()
    }

    /// Σ lots of its orders of a side.
    pub fn lots(&self, side: Side) -> Lots {
        match side {
            Side::Long => Lots(self.bid_lots),
            Side::Short => Lots(self.ask_lots),
        }
    }

    /// Σ lots and Σ quote of one side.
    #[inline(always)]
    fn sums_mut(&mut self, side: Side) -> (&mut u64, &mut u64) {
        match side {
            Side::Long => (&mut self.bid_lots, &mut self.bid_quote),
            Side::Short => (&mut self.ask_lots, &mut self.ask_quote),
        }
    }

    /// Lots that no longer rest.
    #[inline(always)]
    pub(crate) fn unreserve(&mut self, side: Side, lots: u64, quote: u64) -> Result<(), BookError> {
        let (lots_sum, quote_sum) = self.sums_mut(side);
        *lots_sum = lots_sum.checked_sub(lots).ok_or(BookError::Corrupt)?;
        *quote_sum = quote_sum.checked_sub(quote).ok_or(BookError::Corrupt)?;
        Ok(())
    }
}

/// Block `id` as a seat. `Corrupt` if it is none: where the id came from a caller, that is `SeatNotFound`.
#[inline(always)]
pub(crate) fn seat(blocks: &[Block], id: u32) -> Result<&Seat, BookError> {
    match blocks.get(index(id)) {
        Some(block) if block.node.kind == SEAT => Ok(bytemuck::cast_ref(block)),
        _ => Err(BookError::Corrupt),
    }
}

/// As [`seat`], to write.
#[inline(always)]
pub(crate) fn seat_mut(blocks: &mut [Block], id: u32) -> Result<&mut Seat, BookError> {
    match blocks.get_mut(index(id)) {
        Some(block) if block.node.kind == SEAT => Ok(bytemuck::cast_mut(block)),
        _ => Err(BookError::Corrupt),
    }
}

/// Adds a new order to its seat's sums and count; gives the seat's newest order so far.
#[inline]
pub(crate) fn reserve(blocks: &mut [Block], new: &NewOrder, quote: u64) -> Result<u32, BookError> {
    let seat = seat_mut(blocks, new.seat).map_err(|_| BookError::SeatNotFound)?;
    let orders = seat.orders.checked_add(1).ok_or(BookError::Overflow)?;
    let reduce_only = seat.reduce_only.checked_add(new.reduce_only.into()).ok_or(BookError::Overflow)?;
    let (lots_sum, quote_sum) = seat.sums_mut(new.side);
    let (lots, quote) = (lots_sum.checked_add(new.lots.0), quote_sum.checked_add(quote));
    match (lots, quote) {
        (Some(lots), Some(quote)) if (lots | quote) >> 63 == 0 => (*lots_sum, *quote_sum) = (lots, quote),
        _ => return Err(BookError::Overflow),
    }
    (seat.orders, seat.reduce_only) = (orders, reduce_only);
    Ok(seat.newest)
}

/// Puts an order in front of its seat's list.
#[inline]
pub(crate) fn push(blocks: &mut [Block], seat: u32, newest: u32, id: u32) -> Result<(), BookError> {
    if newest != 0 {
        order_mut(blocks, newest)?.newer = id;
    }
    seat_mut(blocks, seat)?.newest = id;
    Ok(())
}

/// Where an order is in its seat's list.
pub(crate) struct Listed {
    pub seat: u32,
    pub older: u32,
    pub newer: u32,
    pub reduce_only: bool,
}

/// Takes an order with these neighbours out of its seat's list and counts.
#[inline]
pub(crate) fn unlist(blocks: &mut [Block], order: &Listed) -> Result<(), BookError> {
    let Listed { seat: id, older, newer, reduce_only } = *order;
    if older != 0 {
        order_mut(blocks, older)?.newer = newer;
    }
    if newer != 0 {
        order_mut(blocks, newer)?.older = older;
    }
    let seat = seat_mut(blocks, id)?;
    if newer == 0 {
        seat.newest = older;
    }
    seat.orders = seat.orders.checked_sub(1).ok_or(BookError::Corrupt)?;
    if reduce_only {
        seat.reduce_only = seat.reduce_only.checked_sub(1).ok_or(BookError::Corrupt)?;
    }
    Ok(())
}

impl Book<'_> {
    /// Opens a seat for an account and gives its id, at least 1. Whether the account has another is not looked at.
    ///
    /// # Errors
    /// `Full` if no block is left.
    pub fn open_seat(&mut self, account: [u8; 32], owner: [u8; 32]) -> Result<u32, BookError> {
        let id = slab::allocate(self.header, self.blocks)?;
        let block = self.blocks.get_mut(index(id)).ok_or(BookError::Corrupt)?;
        let seat: &mut Seat = bytemuck::cast_mut(block);
        *seat = Seat { kind: SEAT, account, owner, ..Seat::zeroed() };
        self.header.seats = self.header.seats.checked_add(1).ok_or(BookError::Corrupt)?;
        Ok(id)
    }

    /// Closes an account's seat.
    ///
    /// # Errors
    /// `SeatNotFound` if it is not that account's; `SeatInUse` with resting orders or pending fills.
    pub fn close_seat(&mut self, id: u32, account: &[u8; 32]) -> Result<(), BookError> {
        let seat = self.view().seat(id, account)?;
        if !seat.is_idle() {
            return Err(BookError::SeatInUse);
        }
        slab::release(self.header, self.blocks, id)?;
        self.header.seats = self.header.seats.checked_sub(1).ok_or(BookError::Corrupt)?;
        Ok(())
    }

    /// Sets the fee on a seat's fills from now on, in millionths of the value; negative for a rebate.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn set_maker_fee(&mut self, id: u32, ppm: i16) -> Result<(), BookError> {
        seat_mut(self.blocks, id).map_err(|_| BookError::SeatNotFound)?.maker_fee_ppm = ppm;
        Ok(())
    }

    /// Takes what fills have accumulated at a seat, leaving zeros.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn take_pending(&mut self, id: u32) -> Result<Pending, BookError> {
        let seat = seat_mut(self.blocks, id).map_err(|_| BookError::SeatNotFound)?;
        let pending = seat.pending();
        (seat.pending_base, seat.pending_cash) = (0, 0);
        (seat.pending_fees, seat.pending_bounty_base, seat.pending_volume) = (0, 0, 0);
        seat.pending_funding = Wide::default();
        self.header.pending_funding.add(pending.funding.checked_neg().ok_or(BookError::Corrupt)?)?;
        let total = self.header.pending_base.checked_sub(pending.base).ok_or(BookError::Corrupt)?;
        self.header.pending_base = total;
        let bought = u64::try_from(pending.base).unwrap_or(0);
        self.header.pending_bought = self.header.pending_bought.saturating_sub(bought);
        Ok(pending)
    }

    /// As [`BookView::seat`].
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn seat(&self, id: u32, account: &[u8; 32]) -> Result<&Seat, BookError> {
        self.view().seat(id, account)
    }
}

impl<'a> BookView<'a> {
    /// The seat, if it is that account's.
    ///
    /// # Errors
    /// `SeatNotFound` if there is none of that id, or it is another account's.
    pub fn seat(&self, id: u32, account: &[u8; 32]) -> Result<&'a Seat, BookError> {
        let seat = self.seat_by_id(id)?;
        if seat.account == *account { Ok(seat) } else { Err(BookError::SeatNotFound) }
    }

    /// The seat of that id, whoever's it is.
    ///
    /// # Errors
    /// `SeatNotFound` if there is none.
    pub fn seat_by_id(&self, id: u32) -> Result<&'a Seat, BookError> {
        seat(self.blocks, id).map_err(|_| BookError::SeatNotFound)
    }
}
