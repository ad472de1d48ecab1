//! The index over its slab: joining, leaving, and what a member has.

use crate::grid::{Coordinates, slot};
use crate::{
    Error,
    cell::{CASH_BITS, Cell, MAX_SIDE_LOTS, relative, state},
    chain,
    dust::{self, Dust},
    layout::{self, Fixed, MAGIC},
    membership::{Holding, Membership, settle},
    place::place,
    pool,
};
use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Price, Quote, Side};

/// The index of one market, to be changed.
pub struct Index<'a> {
    pub(crate) fixed: &'a mut Fixed,
    pub(crate) cells: &'a mut [Cell],
}

/// The index of one market, to be read.
#[derive(Clone, Copy)]
pub struct IndexView<'a> {
    pub(crate) fixed: &'a Fixed,
    pub(crate) cells: &'a [Cell],
}

/// Most that a funding index may be away from zero: 2^38 atoms per lot, a quarter of `MAX_PRICE`, so that differences fit.
pub const MAX_FUNDING: i64 = (1 << 62) - 1;

/// Refuses a funding index beyond [`MAX_FUNDING`].
#[inline(always)]
pub(crate) fn check_funding(funding: i64) -> Result<(), Error> {
    if funding.wrapping_add(MAX_FUNDING) as u64 <= 2 * MAX_FUNDING as u64 { Ok(()) } else { Err(Error::Argument) }
}

/// Refuses a price outside 1..=`MAX_PRICE`.
#[inline(always)]
pub(crate) fn check_price(price: Price) -> Result<(), Error> {
    if price.0.wrapping_sub(1) < MAX_PRICE { Ok(()) } else { Err(Error::Argument) }
}

impl<'a> Index<'a> {
    /// Makes a zeroed slab an empty index. Writes the header only.
    pub fn init(slab: &'a mut [u8]) -> Result<Self, Error> {
        let (fixed, cells) = layout::split_mut(slab)?;
        if fixed.magic != 0 {
            return Err(Error::AlreadyInitialised);
        }
        if pool::capacity(cells) == 0 {
            return Err(Error::Size);
        }
        fixed.magic = MAGIC;
        Ok(Self { fixed, cells })
    }

    /// Opens an initialised slab. A slab that has grown since has more cells.
    #[inline(always)]
    pub fn load(slab: &'a mut [u8]) -> Result<Self, Error> {
        let (fixed, cells) = layout::split_mut(slab)?;
        if fixed.magic != MAGIC {
            return Err(Error::Uninitialised);
        }
        Ok(Self { fixed, cells })
    }

    /// The same, to be read.
    #[inline(always)]
    pub fn view(&self) -> IndexView<'_> {
        IndexView { fixed: self.fixed, cells: self.cells }
    }

    /// Adds a position.
    ///
    /// `entry` is its average entry price, `beta` its bankruptcy price less the funding index in atoms per lot (any
    /// value), `funding` the funding index now. Keep the membership with the position.
    ///
    /// # Errors
    /// `Argument` for an entry or lots out of range, `Overflow` beyond [`MAX_SIDE_LOTS`], `Full` and `PriceSpan` as
    /// described there.
    pub fn join(&mut self, side: Side, entry: Price, beta: i64, lots: Lots, funding: i64) -> Result<Membership, Error> {
        check_price(entry)?;
        check_funding(funding)?;
        if lots.0.wrapping_sub(1) >= MAX_LOTS {
            return Err(Error::Argument);
        }
        let open_interest = self.fixed.sides[side.index()].open_interest.wrapping_add(lots.0);
        if open_interest > MAX_SIDE_LOTS {
            return Err(Error::Overflow);
        }
        let id = place(self.fixed, self.cells, side, entry, beta, funding)?;
        let cell = pool::get_mut(self.cells, id)?;
        let now = cell.snapshot(funding);
        cell.admit(side, lots.0, funding)?;
        let book = &mut self.fixed.sides[side.index()];
        book.open_interest = open_interest;
        book.note(cell.row(), cell.column, lots.0, 0);
        Ok(Membership {
            cell: id,
            generation: cell.generation,
            lots: lots.0,
            a: now.scale,
            k: crate::Wide::new(now.proceeds).0,
            g: crate::Wide::new(now.funding).0,
        })
    }

    /// Removes a position and says what it has. Its fractional lot is sold to the dust owner at `dust_price` (bought
    /// back, for a short): that is part of the proceeds, rounded against the position.
    ///
    /// # Errors
    /// `NotAMember` when the cell has been freed since, `Argument` for a price out of range, `Overflow` when an amount
    /// exceeds 64 bits, `Corrupt` when the membership contradicts its cell.
    pub fn leave(
        &mut self,
        side: Side,
        member: &Membership,
        funding: i64,
        dust_price: Price,
    ) -> Result<Holding, Error> {
        check_price(dust_price)?;
        check_funding(funding)?;
        let cell = pool::get_mut(self.cells, member.cell)?;
        let holding = settle(cell, side, member, funding, dust_price)?;
        if cell.state == state::CLOSED {
            cell.book_close()?;
        }
        let claim = i128::from(holding.deleveraged().0).wrapping_add(i128::from(holding.funding.0)) << CASH_BITS;
        let lots = holding.lots.0;
        cell.cash.add(-claim.wrapping_add(relative(side, lots, funding)))?;
        cell.total = cell.total.checked_sub(lots).ok_or(Error::Corrupt)?;
        cell.members = cell.members.checked_sub(1).ok_or(Error::Corrupt)?;
        let book = &mut self.fixed.sides[side.index()];
        book.open_interest = book.open_interest.checked_sub(lots).ok_or(Error::Corrupt)?;
        book.note(cell.row(), cell.column, 0, lots);
        if holding.buyout != Quote::ZERO {
            book.dust.pay(holding.buyout)?;
        }
        if cell.members == 0 {
            self.free(side, member.cell, funding)?;
        }
        Ok(holding)
    }

    /// What [`Index::leave`] would return.
    pub fn peek(&self, side: Side, member: &Membership, funding: i64, dust_price: Price) -> Result<Holding, Error> {
        self.view().peek(side, member, funding, dust_price)
    }

    /// Lots of all cells of a side and of its dust.
    pub fn open_interest(&self, side: Side) -> Lots {
        self.view().open_interest(side)
    }

    /// The dust of a side at a funding index.
    pub fn dust(&self, side: Side, funding: i64) -> Dust {
        self.view().dust(side, funding)
    }

    /// Takes the dust owner's cash of a side out of the index, in whole atoms, rounded down: negative when the owner has to
    /// pay in. The lots stay.
    pub fn sweep_dust(&mut self, side: Side, funding: i64) -> Result<Quote, Error> {
        let amount = self.dust(side, funding).atoms()?;
        self.fixed.sides[side.index()].dust.pay(amount)?;
        Ok(amount)
    }

    /// Takes `amount` atoms of the dust owner's cash of a side out of the index; pays in, when negative.
    pub fn draw_dust(&mut self, side: Side, amount: Quote) -> Result<(), Error> {
        self.fixed.sides[side.index()].dust.pay(amount)
    }

    /// Adds `cash`, in units of 2^-24 atoms, to the dust owner's of a side: what rounding left over elsewhere.
    pub fn add_to_dust(&mut self, side: Side, cash: i128) -> Result<(), Error> {
        self.fixed.sides[side.index()].dust.cash.add(cash)
    }

    /// Sells all dust lots of a side (buys them back, for shorts) at a price, as when the market closes. Returns how many; their
    /// cash stays until it is swept.
    pub fn close_dust(&mut self, side: Side, price: Price, funding: i64) -> Result<Lots, Error> {
        check_price(price)?;
        check_funding(funding)?;
        let book = &mut self.fixed.sides[side.index()];
        let lots = book.dust.lots;
        book.dust.deleverage(side, lots, price, funding)?;
        book.open_interest = book.open_interest.checked_sub(lots).ok_or(Error::Corrupt)?;
        Ok(Lots(lots))
    }

    /// Frees a cell without members; what is left in it becomes dust.
    fn free(&mut self, side: Side, id: u32, funding: i64) -> Result<(), Error> {
        let cell = pool::get(self.cells, id)?;
        let book = &mut self.fixed.sides[side.index()];
        book.dust.inherit(cell)?;
        book.note(cell.row(), cell.column, 0, cell.total);
        if cell.is_live() {
            chain::unlink(book, self.cells, id)?;
        }
        pool::give_back(self.fixed, self.cells, id)?;
        dust::cancel(&mut self.fixed.sides, funding)
    }
}

impl<'a> IndexView<'a> {
    /// Opens an initialised slab for reading.
    #[inline(always)]
    pub fn load(slab: &'a [u8]) -> Result<Self, Error> {
        let (fixed, cells) = layout::split(slab)?;
        if fixed.magic != MAGIC {
            return Err(Error::Uninitialised);
        }
        Ok(Self { fixed, cells })
    }

    /// What [`Index::leave`] would return.
    pub fn peek(&self, side: Side, member: &Membership, funding: i64, dust_price: Price) -> Result<Holding, Error> {
        check_price(dust_price)?;
        check_funding(funding)?;
        settle(pool::get(self.cells, member.cell)?, side, member, funding, dust_price)
    }

    /// Lots of all cells of a side and of its dust.
    #[inline(always)]
    pub fn open_interest(&self, side: Side) -> Lots {
        Lots(self.fixed.sides[side.index()].open_interest)
    }

    /// The dust of a side at a funding index.
    pub fn dust(&self, side: Side, funding: i64) -> Dust {
        self.fixed.sides[side.index()].dust.at(side, funding)
    }

    /// The coordinates of the cell that a member is in.
    pub fn coordinates_of(&self, member: &Membership) -> Result<Coordinates, Error> {
        let cell = pool::get(self.cells, member.cell)?;
        if cell.generation != member.generation || !member.is_member() {
            return Err(Error::NotAMember);
        }
        Ok(Coordinates { row: cell.bucket, column: u16::from(cell.column) })
    }

    /// How far a funding index is from where it was when the row that holds a bucket got its first cell, as a ratio to the
    /// row's middle price (units of 2^-20); still so after its last cell has left. Zero when the row holds another bucket.
    pub fn funding_since(&self, side: Side, bucket: u16, funding: i64) -> i64 {
        let row = &self.fixed.sides[side.index()].rows[slot(bucket)];
        if row.bucket == bucket { row.funding_since(funding) } else { 0 }
    }

    /// Cells of the pool: in use, and in all.
    pub fn pool(&self) -> (u32, u32) {
        (self.fixed.taken, pool::capacity(self.cells))
    }

    /// Positions of a side that were ever put into a neighbouring cell because the pool was full.
    pub fn merged(&self, side: Side) -> u64 {
        self.fixed.sides[side.index()].merged
    }
}
