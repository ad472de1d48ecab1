//! What a position keeps of its cell, and what it is worth at any later time.

use crate::{
    Error,
    arithmetic::{SCALE_BITS, Wide, divide_by_scale, per_lot, signed_product, wide_product},
    cell::{CASH_BITS, Cell, SCALE_OPEN, SCALE_START, state},
};
use ballast_units::{Lots, MAX_LOTS, Price, Quote, Side};
use bytemuck::{Pod, Zeroable};

/// A position's place in the index, kept by its owner's account; all zero is none. 56 bytes.
///
/// Whoever keeps it must forget it when the position leaves: the index cannot tell a membership from its copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Membership {
    /// Cell, from 1; 0 is none.
    pub cell: u32,
    /// The cell's life in which the position joined.
    pub generation: u32,
    /// Lots at joining.
    pub lots: u64,
    /// The cell's scale at joining.
    pub a: u64,
    /// The cell's proceeds index at joining, an `i128`, low word first.
    pub k: [u64; 2],
    /// The cell's funding index at joining, an `i128`, low word first.
    pub g: [u64; 2],
}

const _: () = assert!(size_of::<Membership>() == 56);

impl Membership {
    /// Not in the index.
    pub const NONE: Membership = Membership { cell: 0, generation: 0, lots: 0, a: 0, k: [0; 2], g: [0; 2] };

    /// Whether it is in the index.
    #[inline(always)]
    pub const fn is_member(&self) -> bool {
        self.cell != 0
    }
}

/// What a member has now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Whole lots, rounded down; the rest was bought by the dust owner.
    pub lots: Lots,
    /// Cash of deleveraging and of the fractional lot: ≥ 0 for a long (received), ≤ 0 for a short (paid). Rounded down.
    pub proceeds: Quote,
    /// Cash of funding since joining; negative when paid. Rounded down.
    pub funding: Quote,
    /// Lots at joining less lots now.
    pub taken: Lots,
    /// Of `proceeds`, what the dust owner paid (long, ≥ 0) or was paid (short, ≤ 0) for the fractional lot.
    pub buyout: Quote,
}

impl Holding {
    /// Of `proceeds`, what deleveraging paid.
    pub const fn deleveraged(&self) -> Quote {
        Quote(self.proceeds.0.wrapping_sub(self.buyout.0))
    }
}

/// What `member` of `cell` has at a funding index, with its fractional lot sold (bought back, for a short) at
/// `dust_price`. Rounds every amount against the member.
#[inline(always)]
pub(crate) fn settle(
    cell: &Cell,
    side: Side,
    member: &Membership,
    funding: i64,
    dust_price: Price,
) -> Result<Holding, Error> {
    if member.generation != cell.generation || cell.state == state::FREE || cell.side() != side {
        return Err(Error::NotAMember);
    }
    if member.lots > MAX_LOTS || member.a < SCALE_OPEN || member.a > SCALE_START || member.a < cell.scale {
        return Err(Error::Corrupt);
    }
    if cell.is_untouched() {
        // The index at joining is what a lot had received by then, times a scale that is a power of two.
        let received = cell.received(side, funding).wrapping_sub((Wide(member.g).get() >> SCALE_BITS) as i64);
        let funding = Quote::from_wide(signed_product(member.lots, received) >> CASH_BITS)?;
        let (lots, zero) = (Lots(member.lots), Quote::ZERO);
        return Ok(Holding { lots, proceeds: zero, funding, taken: Lots::ZERO, buyout: zero });
    }
    let now = cell.snapshot(funding);
    let (joined, proceeds_then, funding_then) = (member.a, Wide(member.k).get(), Wide(member.g).get());

    let funding = per_lot(member.lots, now.funding.wrapping_sub(funding_then), joined)? >> CASH_BITS;
    let funding = Quote::from_wide(funding)?;
    if now.scale == joined {
        // Nothing was deleveraged since: lots are whole and there are no proceeds.
        let (lots, zero) = (Lots(member.lots), Quote::ZERO);
        return Ok(Holding { lots, proceeds: zero, funding, taken: Lots::ZERO, buyout: zero });
    }
    let deleveraged = per_lot(member.lots, now.proceeds.wrapping_sub(proceeds_then), joined)?;
    let (lots, fraction) = divide_by_scale(wide_product(member.lots, now.scale), joined);
    let buyout = buyout(side, fraction, joined, dust_price);
    Ok(Holding {
        lots: Lots(lots),
        proceeds: Quote::from_wide(deleveraged.checked_add(i128::from(buyout)).ok_or(Error::Overflow)?)?,
        funding,
        taken: Lots(member.lots.wrapping_sub(lots)),
        buyout: Quote(buyout),
    })
}

/// The price of `fraction / scale` of a lot: received by a long, rounded down; paid by a short, rounded up.
#[inline(always)]
fn buyout(side: Side, fraction: u64, scale: u64, price: Price) -> i64 {
    if fraction == 0 {
        return 0;
    }
    // Below the price, which is below 2^40.
    let (quotient, remainder) = divide_by_scale(wide_product(fraction, price.0), scale);
    match side {
        Side::Long => quotient as i64,
        Side::Short => -((quotient as i64).wrapping_add(i64::from(remainder != 0))),
    }
}
