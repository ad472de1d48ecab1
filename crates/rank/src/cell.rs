//! A cell: all members of one grid coordinate, held together so that deleveraging costs the same with one as with a million.
//!
//! A cell has a total of lots, a scale (what one lot at joining has become), and two running indices per lot times scale:
//! proceeds of deleveraging, and funding. A member remembers the three as they were when it joined.
//!
//! Cash is kept relative to the funding index: `cash + pay × total × F` (in units of 2^-24 atoms, `pay` = −1 for longs, +1
//! for shorts) is what the cell holds for its members, so that funding costs no write. It is exact; what rounding leaves
//! over goes to the dust owner when the last member leaves.

use crate::{
    Error,
    arithmetic::{Wide, divide, scaled, signed_product, wide_product},
    grid::slot,
};
use ballast_units::{FUNDING_ONE, Price, Side};
use bytemuck::{Pod, Zeroable};

/// The scale of a fresh cell. A power of two, so that dividing by it is a shift.
pub const SCALE_START: u64 = 1 << 60;
/// Below this scale nobody joins a cell any more; the next one to join gets a fresh cell at the same coordinates. So no
/// member's scale at joining is below it, and one deleveraging rounds a member down by at most lots ÷ 2^44 ≤ 1/16 lot.
pub const SCALE_OPEN: u64 = 1 << 44;
/// Most lots that one side of the index may hold.
pub const MAX_SIDE_LOTS: u64 = (1 << 50) - 1;

/// Bits of a funding unit, in which cash is kept: 2^-24 atoms.
pub(crate) const CASH_BITS: u32 = FUNDING_ONE.trailing_zeros();

/// What a cell is. Zero is free, so a zeroed slab is empty.
pub(crate) mod state {
    /// In the free list, or never used.
    pub const FREE: u8 = 0;
    /// In the grid.
    pub const LIVE: u8 = 1;
    /// Taken whole; out of the grid. Its last price and funding are noted, and not yet booked into the indices.
    pub const CLOSED: u8 = 2;
    /// Out of the grid, all booked, scale zero: members settle out of it.
    pub const SETTLING: u8 = 3;
}

/// One cell of the pool, 112 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Cell {
    /// Lots of all members and of what departed members left behind (a CLOSED cell: as they were when taken).
    pub(crate) total: u64,
    /// What one lot at scale [`SCALE_START`] has become; 0 when settling.
    pub(crate) scale: u64,
    /// Proceeds per lot × scale, signed, modulo 2^128.
    pub(crate) proceeds: Wide,
    /// Funding received per lot × scale, in 2^-24 atoms, signed, modulo 2^128, up to `funding_at`.
    pub(crate) funding: Wide,
    /// Funding index to which `funding` is booked.
    pub(crate) funding_at: i64,
    /// Cash less claims paid, relative to the funding index, in 2^-24 atoms.
    pub(crate) cash: Wide,
    /// Execution price of a CLOSED cell.
    pub(crate) close_price: u64,
    /// Funding index at which a CLOSED cell was taken.
    pub(crate) closed_at: i64,
    /// Distance of the member that opened the cell (at funding index 0), for recentring.
    pub(crate) distance: i64,
    /// Members that have not left.
    pub(crate) members: u32,
    /// Counts the lives of this cell; a membership of an earlier life is refused.
    pub(crate) generation: u32,
    /// Next cell of the same coordinates, or next free cell.
    pub(crate) next: u16,
    /// Bucket of its least favourable entries; its row is this modulo the number of rows.
    pub(crate) bucket: u16,
    /// Column in the grid.
    pub(crate) column: u8,
    /// 0 long, 1 short.
    pub(crate) side: u8,
    /// One of [`state`].
    pub(crate) state: u8,
    pub(crate) padding: u8,
}

const _: () = assert!(size_of::<Cell>() == 112 && align_of::<Cell>() == 8);

/// Scale and indices of a cell at one funding index, with everything booked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub scale: u64,
    pub proceeds: i128,
    pub funding: i128,
}

/// What a rise of the funding index costs a lot of a side: longs pay it, shorts receive it.
#[inline(always)]
pub(crate) fn paid(side: Side, rise: i64) -> i64 {
    match side {
        Side::Long => rise,
        Side::Short => rise.wrapping_neg(),
    }
}

/// Lots at a funding index as relative cash: what must be added to cash when `lots` join, and taken off when they go.
#[inline(always)]
pub(crate) fn relative(side: Side, lots: u64, funding: i64) -> i128 {
    signed_product(lots, paid(side, funding))
}

/// Proceeds of `lots` at `price` in units of cash: received by longs, paid by shorts.
#[inline(always)]
pub(crate) fn proceeds_cash(side: Side, lots: u64, price: u64) -> Result<i128, Error> {
    let value = wide_product(lots, price);
    if value >> (126 - CASH_BITS) != 0 {
        return Err(Error::Overflow);
    }
    let cash = (value as i128) << CASH_BITS;
    Ok(match side {
        Side::Long => cash,
        Side::Short => -cash,
    })
}

impl Cell {
    /// Its side, as stored.
    #[inline(always)]
    pub(crate) fn side(&self) -> Side {
        if self.side == 0 { Side::Long } else { Side::Short }
    }

    /// Whether it is in the grid.
    #[inline(always)]
    pub(crate) fn is_live(&self) -> bool {
        self.state == state::LIVE
    }

    /// Whether positions may join it.
    #[inline(always)]
    pub(crate) fn is_open(&self) -> bool {
        self.state == state::LIVE && self.scale >= SCALE_OPEN
    }

    /// Whether nothing was ever deleveraged from it. Then its indices are zero, and what a lot received is
    /// [`Cell::received`]: no 128-bit arithmetic is needed.
    #[inline(always)]
    pub(crate) fn is_untouched(&self) -> bool {
        self.state == state::LIVE && self.scale == SCALE_START
    }

    /// Funding that a lot of an untouched cell received since the cell was opened, in 2^-24 atoms.
    #[inline(always)]
    pub(crate) fn received(&self, side: Side, funding: i64) -> i64 {
        paid(side, funding.wrapping_sub(self.funding_at)).wrapping_neg()
    }

    /// Its row in the grid.
    #[inline(always)]
    pub(crate) fn row(&self) -> usize {
        slot(self.bucket)
    }

    /// What the cell holds at a funding index, in 2^-24 atoms: claims of its members, and the dust owner's part.
    pub(crate) fn cash_at(&self, funding: i64) -> i128 {
        self.cash.get().wrapping_sub(relative(self.side(), self.total, funding))
    }

    /// Scale and indices at `funding`, including what is not booked yet. Writes nothing.
    #[inline(always)]
    pub(crate) fn snapshot(&self, funding: i64) -> Snapshot {
        let side = self.side();
        if self.is_untouched() {
            let funding = scaled(self.received(side, funding), SCALE_START);
            return Snapshot { scale: SCALE_START, proceeds: 0, funding };
        }
        let mut snapshot = Snapshot { scale: self.scale, proceeds: self.proceeds.get(), funding: self.funding.get() };
        if self.state == state::SETTLING {
            return snapshot;
        }
        let until = if self.state == state::CLOSED { self.closed_at } else { funding };
        let rise = until.wrapping_sub(self.funding_at);
        if rise != 0 {
            snapshot.funding = snapshot.funding.wrapping_sub(scaled(paid(side, rise), self.scale));
        }
        if self.state == state::CLOSED {
            let step = scaled(self.close_price as i64, self.scale);
            snapshot.proceeds = match side {
                Side::Long => snapshot.proceeds.wrapping_add(step),
                Side::Short => snapshot.proceeds.wrapping_sub(step),
            };
            snapshot.scale = 0;
        }
        snapshot
    }

    /// Books the funding index up to `funding`.
    #[inline(always)]
    pub(crate) fn accrue(&mut self, funding: i64) {
        let rise = funding.wrapping_sub(self.funding_at);
        if rise != 0 {
            self.funding.add_wrapping(scaled(paid(self.side(), rise), self.scale).wrapping_neg());
            self.funding_at = funding;
        }
    }

    /// Takes the whole cell at `price`: notes it, and leaves the booking to the first member that settles. No
    /// multiplication, no division.
    #[inline(always)]
    pub(crate) fn close(&mut self, price: Price, funding: i64) {
        self.close_price = price.0;
        self.closed_at = funding;
        self.state = state::CLOSED;
    }

    /// Books what [`Cell::close`] noted.
    pub(crate) fn book_close(&mut self) -> Result<(), Error> {
        if self.state != state::CLOSED {
            return Ok(());
        }
        let (side, taken_at) = (self.side(), self.closed_at);
        let snapshot = self.snapshot(taken_at);
        let proceeds = proceeds_cash(side, self.total, self.close_price)?;
        self.cash.add(proceeds)?;
        self.cash.add(-relative(side, self.total, taken_at))?;
        self.proceeds = Wide::new(snapshot.proceeds);
        self.funding = Wide::new(snapshot.funding);
        self.funding_at = taken_at;
        self.scale = 0;
        self.total = 0;
        self.state = state::SETTLING;
        Ok(())
    }

    /// Takes `lots`, fewer than the total, at `price`: every member shrinks by the same fraction.
    ///
    /// The scale is rounded down, and proceeds against the members: a long is paid for no more than its share, a short pays
    /// for all that it loses. So the total still covers the members' lots, and the cash their claims.
    pub(crate) fn reduce(&mut self, lots: u64, price: Price, funding: i64) -> Result<(), Error> {
        let side = self.side();
        let total = self.total;
        if lots >= total || total > MAX_SIDE_LOTS {
            return Err(Error::Corrupt);
        }
        self.accrue(funding);
        // The part of the scale that is taken, as quotient and remainder over the total.
        let (whole, rest) = divide(wide_product(self.scale, lots), total);
        let drop = whole.saturating_add(u64::from(rest != 0));
        self.proceeds.add_wrapping(match side {
            // What was taken × price, rounded down; the remainder's share is below one price.
            Side::Long => {
                let (share, _) = divide(wide_product(rest, price.0), total);
                (wide_product(whole, price.0) as i128).wrapping_add(i128::from(share))
            }
            // All that the scale drops × price: what rounding takes from a short is a debt, and it pays for it.
            Side::Short => -(wide_product(drop, price.0) as i128),
        });
        self.cash.add(proceeds_cash(side, lots, price.0)?)?;
        self.cash.add(-relative(side, lots, funding))?;
        self.scale = self.scale.saturating_sub(drop);
        self.total = total - lots;
        Ok(())
    }

    /// Adds a member's lots at `funding`.
    #[inline(always)]
    pub(crate) fn admit(&mut self, side: Side, lots: u64, funding: i64) -> Result<(), Error> {
        self.total = self.total.checked_add(lots).ok_or(Error::Overflow)?;
        self.members = self.members.checked_add(1).ok_or(Error::Overflow)?;
        self.cash.add(relative(side, lots, funding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_units::wide::widening_mul;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        /// What the members can claim for what a reduction took is what it paid, less than one unit of the index off, and never
        /// in favour of all of them together.
        #[test]
        fn a_reduction_pays_what_its_members_can_claim(
            total in 2..=MAX_SIDE_LOTS,
            cut in any::<u64>(),
            scale in prop_oneof![Just(SCALE_START), 1..=SCALE_START, 1u64..1000],
            price in (0u32..40).prop_flat_map(|shift| (1u64 << shift)..(2 << shift)),
            short in any::<bool>(),
            shift in 0u32..49,
        ) {
            let total = (total >> shift).max(2);
            let lots = 1 + cut % (total - 1);
            let mut cell = Cell { total, scale, state: state::LIVE, side: u8::from(short), ..Cell::default() };
            cell.reduce(lots, Price(price), 0).unwrap();
            prop_assert_eq!(cell.total, total - lots);
            prop_assert_eq!(cell.cash.get().unsigned_abs() >> CASH_BITS, u128::from(lots) * u128::from(price));

            // Scale: the members' share of what is left, rounded down by less than one.
            let left = u128::from(scale) * u128::from(total - lots);
            prop_assert_eq!(u128::from(cell.scale), left / u128::from(total));
            // Index: the scale taken × price, compared as (index × total) with (scale × lots × price).
            let index = cell.proceeds.get().unsigned_abs();
            prop_assert_eq!(cell.proceeds.get() < 0, short && index != 0);
            let claimed = widening_mul(index, total.into());
            let paid = widening_mul(u128::from(scale) * u128::from(lots), price.into());
            let above = |a: (u128, u128), b: (u128, u128)| (a.1, a.0) >= (b.1, b.0);
            let next = |by: u128| widening_mul(index.wrapping_add(by), total.into());
            if short {
                // Pays at least for what was taken, at most for one unit of scale more.
                prop_assert!(above(claimed, paid));
                prop_assert_eq!(index, u128::from(scale - cell.scale) * u128::from(price));
            } else {
                // Receives at most what was paid, and one unit more would be too much.
                prop_assert!(above(paid, claimed) && above(next(1), paid) && next(1) != paid);
            }
        }
    }
}
