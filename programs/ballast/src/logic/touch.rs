//! Bringing a position up to date and putting it back into the ranking index.

use anchor_lang::prelude::*;
use ballast_book::{Book, Pending};
use ballast_risk::{funding, liquidation, pnl_pool};
use ballast_units::{Lots, MAX_PRICE, Position, Price, Quote, Side};

use super::{
    Assessment, Venue, apply_holding, charge_fee, cut_reduce_only, drop_stale_triggers, gather_volume, maker_rate,
    pay_rebate, signed,
};
use crate::{
    error::{BallastError, OrFail},
    events::{Cause, PositionChanged, Settled},
    record::tell,
    state::{MarginAccount, Market, Slot},
};

/// What a touch found waiting.
#[derive(Default)]
pub struct Touched {
    /// Exchange fees that the folded fills had earned: the base of the bounty for settling a seat.
    pub bounty_base: u64,
    /// Realised loss that reached the pool, in atoms.
    pub loss_settled: u64,
    /// Whether anything was folded, settled or moved.
    pub changed: bool,
}

/// Takes the slot's position out of the ranking index with all that deleveraging and funding did to it, folds the fills
/// that wait in its seat, and settles realised profit and loss against the market's pool. The caller puts the position
/// back with [`rejoin`] before the instruction ends.
pub fn touch(venue: &mut Venue, margin: &mut MarginAccount, index: usize, key: &Pubkey) -> Result<Touched> {
    let mut touched = Touched::default();
    let before = margin.slots[index].position().side();
    let held = leave_index(venue, margin, index, key, &mut touched)?;
    let waited = fold_seat(venue, margin, index, key, &mut touched)?;
    drop_triggers_of(before, venue, margin, index, key)?;
    let funding = held.add(waited).or_fail()?;
    settle(venue.market, margin, index, key, funding, &mut touched)?;
    Ok(touched)
}

/// Removes what protected a position that there is no more, or waited for one that no order opens: at once, for what is opened next is
/// another position.
pub fn drop_triggers_of(
    before: Option<Side>,
    venue: &mut Venue,
    margin: &MarginAccount,
    index: usize,
    key: &Pubkey,
) -> Result<()> {
    let slot = &margin.slots[index];
    let position = slot.position();
    if position.side().is_some() && position.side() == before {
        return Ok(());
    }
    drop_stale_triggers(&mut venue.book, venue.market.index, slot.seat, position, key)
}

fn leave_index(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    index: usize,
    key: &Pubkey,
    touched: &mut Touched,
) -> Result<Quote> {
    let market = &mut *venue.market;
    let slot = &mut margin.slots[index];
    let Some(side) = slot.position().side().filter(|_| slot.is_member()) else {
        return Ok(Quote::ZERO);
    };
    let holding = venue.ranks.leave(side, slot.membership(), market.funding_index(), market.mark()).or_fail()?;
    slot.set_membership(bytemuck::Zeroable::zeroed());
    let taken = slot.size().sub(holding.lots).or_fail()?;
    if taken != Lots::ZERO || holding.proceeds != Quote::ZERO {
        apply_holding(slot, &holding)?;
        touched.changed = true;
        tell(&PositionChanged {
            market: market.index,
            account: *key,
            cause: Cause::Deleveraged,
            base: taken.on(side.opposite()).or_fail()?.0,
            cash: holding.proceeds.0,
            fee: 0,
            lots: slot.lots,
            basis: slot.basis,
        });
    }
    slot.unsettled = slot.unsettled.checked_add(holding.funding.0).ok_or(BallastError::Overflow)?;
    Ok(holding.funding)
}

/// Folds the fills that wait in the seat, with their funding from each fill on. Returns that funding: what rounding left
/// over of it is the dust owner's.
fn fold_seat(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    index: usize,
    key: &Pubkey,
    touched: &mut Touched,
) -> Result<Quote> {
    let seat = margin.slots[index].seat;
    if seat == 0 {
        return Ok(Quote::ZERO);
    }
    let pending = {
        venue.book.seat(seat, &key.to_bytes()).or_fail()?;
        venue.book.take_pending(seat).or_fail()?
    };
    if pending == Pending::default() {
        return Ok(Quote::ZERO);
    }
    let exact = pending.funding_at(venue.market.funding_index()).or_fail()?;
    let (funding, rest) = funding::whole_atoms(exact).or_fail()?;
    if rest != 0 {
        venue.ranks.add_to_dust(Side::Long, rest).or_fail()?;
    }
    let slot = &mut margin.slots[index];
    slot.trade(Position(pending.base), Quote(pending.cash))?;
    slot.unsettled = slot.unsettled.checked_add(funding.0).ok_or(BallastError::Overflow)?;
    let (lots, basis) = (slot.lots, slot.basis);
    let fee = match u64::try_from(pending.fees) {
        Ok(fee) => signed(charge_fee(venue.market, margin, index, fee, 0)?)?,
        Err(_) => pay_rebate(venue.market, margin, pending.rebate())?,
    };
    gather_volume(margin, pending.volume)?;
    // The tier may have changed since the seat's orders came to rest.
    venue.book.set_maker_fee(seat, maker_rate(venue.market, margin)?).or_fail()?;
    touched.bounty_base = pending.bounty_base;
    touched.changed = true;
    tell(&PositionChanged {
        market: venue.market.index,
        account: *key,
        cause: Cause::Maker,
        base: pending.base,
        cash: pending.cash,
        fee,
        lots,
        basis,
    });
    Ok(funding)
}

fn settle(
    market: &mut Market,
    margin: &mut MarginAccount,
    index: usize,
    key: &Pubkey,
    funding: Quote,
    touched: &mut Touched,
) -> Result<()> {
    let slot = &mut margin.slots[index];
    let settled = pnl_pool::settle(&mut slot.unsettled, &mut margin.collateral, &mut market.pool);
    if settled.moved != 0 || funding != Quote::ZERO {
        touched.changed = true;
        touched.loss_settled = Quote(settled.moved).negative_part();
        tell(&Settled {
            market: market.index,
            account: *key,
            funding: funding.0,
            moved: settled.moved,
            unsettled: slot.unsettled,
            collateral: margin.collateral,
        });
    }
    Ok(())
}

/// Settles the slot's realised profit and loss against the pool, outside a full touch.
pub fn settle_slot(market: &mut Market, margin: &mut MarginAccount, index: usize, key: &Pubkey) -> Result<()> {
    settle(market, margin, index, key, Quote::ZERO, &mut Touched::default())
}

/// Puts the slot's position into the ranking index at its entry price and present bankruptcy price, and frees the slot
/// when nothing is left in it.
pub fn rejoin(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    index: usize,
    key: &Pubkey,
    assessment: &Assessment,
) -> Result<()> {
    margin.progress_mut().leave_at(assessment.account.stage());
    let slot = &mut margin.slots[index];
    if slot.is_member() {
        return Ok(());
    }
    let position = slot.position();
    let Some(side) = position.side() else {
        close_idle_seat(venue, margin, index, key)?;
        margin.release_if_empty(index);
        return Ok(());
    };
    let bankruptcy = assessment.bankruptcy_price(position)?;
    let funding = venue.market.funding_index();
    let beta = liquidation::relative_to_funding(bankruptcy, funding).or_fail()?;
    let entry = entry_price(side, position.lots(), Quote(slot.basis), venue.market.mark());
    let membership = venue.ranks.join(side, entry, beta, position.lots(), funding).or_fail()?;
    slot.set_membership(membership);
    Ok(())
}

/// How far an entry may be from the mark in the ranking index, as a power of two. Fills that waited in a seat fold as one
/// net trade, whose profit can end up in the basis of a single lot: without a limit, a few dollars would buy an entry
/// price anywhere, and with it any row of the index.
const ENTRY_REACH: u32 = 4;

/// Average entry price, rounded against the position (up for a long, down for a short), and kept within 2^±4 of the mark:
/// beyond that, a position is as profitable or unprofitable as the ranking can tell. A basis of the wrong sign (paid to
/// hold a long, or to open a short) counts as the lowest price.
pub fn entry_price(side: Side, lots: Lots, basis: Quote, mark: Price) -> Price {
    let (low, high) = ((mark.0 >> ENTRY_REACH).max(1), (mark.0 << ENTRY_REACH).clamp(1, MAX_PRICE));
    let price = match side {
        Side::Long => basis.positive_part().div_ceil(lots.0.max(1)),
        Side::Short => basis.negative_part() / lots.0.max(1),
    };
    Price(price.clamp(low, high))
}

/// After orders were cancelled: removes triggers that waited for one of them, and gives a seat back in which nothing rests and nothing
/// waits, and with it the slot, if nothing else is in that either. Whatever the position is, it stays where it is.
pub fn leave_idle_seat(
    book: &mut Book,
    market: u16,
    margin: &mut MarginAccount,
    index: usize,
    key: &Pubkey,
) -> Result<()> {
    let slot = &mut margin.slots[index];
    if slot.seat != 0 {
        let waits = Position(book.seat(slot.seat, &key.to_bytes()).or_fail()?.pending_base);
        let position = slot.position().add(waits).or_fail()?;
        tidy_seat(book, market, slot, position, key)?;
    }
    margin.release_if_empty(index);
    Ok(())
}

/// Cuts reduce-only orders to the position, removes triggers that have nothing left to protect, and gives the seat back when
/// no order or trigger rests and no fill waits in it.
pub fn close_idle_seat(venue: &mut Venue, margin: &mut MarginAccount, index: usize, key: &Pubkey) -> Result<()> {
    if margin.slots[index].seat == 0 {
        return Ok(());
    }
    cut_reduce_only(venue, margin, index, key)?;
    let slot = &mut margin.slots[index];
    let position = slot.position();
    tidy_seat(&mut venue.book, venue.market.index, slot, position, key)
}

/// Removes the triggers of a slot's seat that are over for `position`, and gives the seat back if nothing is left in it.
fn tidy_seat(book: &mut Book, market: u16, slot: &mut Slot, position: Position, key: &Pubkey) -> Result<()> {
    drop_stale_triggers(book, market, slot.seat, position, key)?;
    let account = key.to_bytes();
    if book.seat(slot.seat, &account).or_fail()?.is_idle() {
        book.close_seat(slot.seat, &account).or_fail()?;
        slot.seat = 0;
    }
    Ok(())
}
