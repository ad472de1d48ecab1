//! Dust: what rounding leaves over. Its owner is the protocol's insurance.
//!
//! A member leaves with whole lots and sells the fraction to the dust owner. Fractions stay in the cell until its
//! last member leaves; then they are whole lots, and they and the cell's remaining cash become the side's dust. Dust
//! earns and pays funding like any position, is the first to be deleveraged, and annihilates with the other side's.

use crate::{
    Error,
    cell::{CASH_BITS, Cell, proceeds_cash, relative},
    layout::{DustBook, SideBook},
};
use ballast_units::{Lots, Price, Quote, Side};

/// The dust of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dust {
    /// Whole lots that belong to the dust owner.
    pub lots: Lots,
    /// Cash at the funding index asked for, in units of 2^-24 atoms; negative when the dust owner owes.
    pub cash: i128,
}

impl Dust {
    /// The cash in whole atoms, rounded down.
    pub fn atoms(&self) -> Result<Quote, Error> {
        Ok(Quote::from_wide(self.cash >> CASH_BITS)?)
    }
}

impl DustBook {
    /// Lots and cash at a funding index.
    pub fn at(&self, side: Side, funding: i64) -> Dust {
        Dust { lots: Lots(self.lots), cash: self.cash.get().wrapping_sub(relative(side, self.lots, funding)) }
    }

    /// Takes over what the last member left in a cell.
    pub fn inherit(&mut self, cell: &Cell) -> Result<(), Error> {
        self.lots = self.lots.checked_add(cell.total).ok_or(Error::Overflow)?;
        self.cash.add(cell.cash.get())
    }

    /// Removes lots at a funding index.
    pub fn remove(&mut self, side: Side, lots: u64, funding: i64) -> Result<(), Error> {
        self.lots = self.lots.checked_sub(lots).ok_or(Error::Corrupt)?;
        self.cash.add(-relative(side, lots, funding))
    }

    /// Sells lots (buys them back, for shorts) at a price.
    pub fn deleverage(&mut self, side: Side, lots: u64, price: Price, funding: i64) -> Result<(), Error> {
        self.remove(side, lots, funding)?;
        self.cash.add(proceeds_cash(side, lots, price.0)?)
    }

    /// Pays `amount` atoms for a fractional lot (receives, when negative).
    #[inline(always)]
    pub fn pay(&mut self, amount: Quote) -> Result<(), Error> {
        self.cash.add(-(i128::from(amount.0) << CASH_BITS))
    }
}

/// Cancels the dust lots of both sides against each other.
pub(crate) fn cancel(books: &mut [SideBook; 2], funding: i64) -> Result<(), Error> {
    let lots = books[0].dust.lots.min(books[1].dust.lots);
    if lots == 0 {
        return Ok(());
    }
    for side in Side::BOTH {
        let book = &mut books[side.index()];
        book.dust.remove(side, lots, funding)?;
        book.open_interest = book.open_interest.checked_sub(lots).ok_or(Error::Corrupt)?;
    }
    Ok(())
}
