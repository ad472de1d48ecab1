//! Triggers come, change and go.

use ballast_units::{Lots, Price};

use crate::order::{BLOCK_BITS, ENTRY, MAX_ARRIVALS, order, order_mut};
use crate::seat::{seat, seat_mut};
use crate::slab::{self, Block, Header, ORDER, TRIGGER, index};
use crate::trigger::{
    Fires, HELD_ENTRY, MAX_TRIGGERS, Stored, TRIGGER_SHARE, block_of, stored, stored_mut, trailing_price, valid,
};
use crate::{Book, BookError, NewTrigger, OrderId, Sibling, Terms, Trigger, TriggerId, TriggerPrice, tree};

/// What an execution left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Whether the trigger is done and gone.
    pub done: bool,
    /// The other of its pair that is gone with it: done as well, or an order that has no lots left.
    pub sibling_gone: Option<Sibling>,
}

impl Book<'_> {
    /// Adds a trigger.
    ///
    /// # Errors
    /// `InvalidTrigger` outside the ranges of [`NewTrigger`]; `SeatNotFound`; `TooManyTriggers` at the seat;
    /// `TriggersFull` or `Full` in the slab. None of these changes anything.
    pub fn place_trigger(&mut self, new: NewTrigger) -> Result<TriggerId, BookError> {
        if !valid(new.side, new.fires, &new.terms) {
            return Err(BookError::InvalidTrigger);
        }
        let newest = seat(self.blocks, new.seat).map_err(|_| BookError::SeatNotFound)?.newest_trigger;
        if self.view().seat_triggers(new.seat)?.count() >= slab::index(MAX_TRIGGERS) {
            return Err(BookError::TooManyTriggers);
        }
        if self.view().trigger_count() >= self.view().trigger_capacity() {
            return Err(BookError::TriggersFull);
        }
        let (header, blocks) = (&mut *self.header, &mut *self.blocks);
        if header.arrivals >= MAX_ARRIVALS || !slab::has_room(header, blocks) {
            return Err(BookError::Full);
        }
        let id = slab::allocate(header, blocks)?;
        let sequence = header.arrivals << BLOCK_BITS | u64::from(id);
        header.arrivals += 1;
        let mut trigger = Stored::new(&new, sequence);
        trigger.older = newest;
        *bytemuck::cast_mut(blocks.get_mut(index(id)).ok_or(BookError::Corrupt)?) = trigger;
        if newest != 0 {
            stored_mut(blocks, newest)?.newer = id;
        }
        mark_entry(blocks, new.entry, new.seat)?;
        seat_mut(blocks, new.seat)?.newest_trigger = id;
        tree::insert(blocks, &mut header.roots[new.fires.root()], id)?;
        Ok(TriggerId(sequence))
    }

    /// Makes a pair of two triggers of one seat and side (one cancels the other): what one executes comes off the other.
    ///
    /// # Errors
    /// `TriggerNotFound` if one is gone or they are the same; `InvalidTrigger` if seats or sides differ or one has a
    /// partner already.
    pub fn pair_triggers(&mut self, one: TriggerId, other: TriggerId) -> Result<(), BookError> {
        let ((a, first), (b, second)) = (find(self.blocks, one)?, find(self.blocks, other)?);
        if a == b {
            return Err(BookError::TriggerNotFound);
        }
        let alike = first.node.seat == second.node.seat && first.side() == second.side();
        if !alike || first.sibling != 0 || second.sibling != 0 {
            return Err(BookError::InvalidTrigger);
        }
        stored_mut(self.blocks, a)?.sibling = other.0;
        stored_mut(self.blocks, b)?.sibling = one.0;
        Ok(())
    }

    /// Gives a seat's trigger new terms. It keeps its id, its side, its direction and its partner.
    ///
    /// # Errors
    /// `TriggerNotFound` if it is gone or another seat's; `InvalidTrigger`.
    pub fn edit_trigger(&mut self, id: TriggerId, seat: u32, terms: Terms) -> Result<(), BookError> {
        let (at, trigger) = find_of(self.blocks, id, seat)?;
        let fires = trigger.fires();
        if !valid(trigger.side(), fires, &terms) {
            return Err(BookError::InvalidTrigger);
        }
        let root = &mut self.header.roots[fires.root()];
        tree::remove(self.blocks, root, at)?;
        stored_mut(self.blocks, at)?.set_terms(&terms);
        tree::insert(self.blocks, root, at)
    }

    /// Moves the best mark of a trailing trigger to `mark`, and its price with it, if that is better than the best so far.
    /// Gives the new price if it moved.
    ///
    /// # Errors
    /// `TriggerNotFound`; `InvalidTrigger` if it does not trail, or `mark` is not a price.
    pub fn ratchet_trigger(&mut self, id: TriggerId, mark: Price) -> Result<Option<Price>, BookError> {
        let trigger = find(self.blocks, id)?.1.trigger();
        let TriggerPrice::Trailing { ppm, best } = trigger.terms.price else { return Err(BookError::InvalidTrigger) };
        let better = match trigger.fires {
            Fires::AtOrBelow => mark > best,
            Fires::AtOrAbove => mark < best,
        };
        if !better {
            return Ok(None);
        }
        let terms = Terms { price: TriggerPrice::Trailing { ppm, best: mark }, ..trigger.terms };
        self.edit_trigger(id, trigger.seat, terms)?;
        let price = trailing_price(trigger.side, mark, ppm);
        Ok(if price == trigger.price { None } else { Some(price) })
    }

    /// Removes a seat's trigger. Its partner stays.
    ///
    /// # Errors
    /// `TriggerNotFound` if it is gone or another seat's.
    pub fn remove_trigger(&mut self, id: TriggerId, seat: u32) -> Result<Trigger, BookError> {
        let (at, _) = find_of(self.blocks, id, seat)?;
        remove(self.header, self.blocks, at)
    }

    /// Removes those of a seat's triggers that `gone` chooses, newest first. Gives their number, at most
    /// [`MAX_TRIGGERS`].
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn remove_triggers(&mut self, seat: u32, mut gone: impl FnMut(&Trigger) -> bool) -> Result<u32, BookError> {
        let mut at = self.view().seat_by_id(seat)?.newest_trigger;
        let mut removed = 0;
        for _ in 0..MAX_TRIGGERS {
            if at == 0 {
                break;
            }
            let trigger = stored(self.blocks, at)?;
            let older = trigger.older;
            if gone(&trigger.trigger()) {
                remove(self.header, self.blocks, at)?;
                removed += 1;
            }
            at = older;
        }
        Ok(removed)
    }

    /// Takes executed lots off a trigger and off the other of its pair, trigger or order. One that has none left is gone,
    /// and so is one for the whole position if that was `closed`, unless the order that opens it still rests.
    ///
    /// # Errors
    /// `TriggerNotFound`; `Corrupt` if more was executed than it has.
    pub fn execute_trigger(&mut self, id: TriggerId, lots: Lots, closed: bool) -> Result<Executed, BookError> {
        let (at, trigger) = find(self.blocks, id)?;
        if trigger.lots != 0 && lots.0 > trigger.lots {
            return Err(BookError::Corrupt);
        }
        let sibling = self.view().sibling(id)?;
        let done = self.take_off(at, lots, closed)?;
        let sibling_gone = match sibling {
            Some(Sibling::Trigger(other)) => self.take_off(other.block(), lots, closed)?,
            Some(Sibling::Order(order)) if !lots.is_zero() => {
                let seat = self.view().order(order)?.seat;
                self.reduce(order, seat, lots)?.is_zero()
            }
            Some(Sibling::Order(_)) | None => false,
        };
        Ok(Executed { done, sibling_gone: sibling.filter(|_| sibling_gone) })
    }

    /// Removes a trigger whose rest has become a resting order; its partner's partner is that order from now on.
    ///
    /// # Errors
    /// `TriggerNotFound`; `OrderNotFound` if the order is not of the same seat.
    pub fn trigger_became_order(&mut self, id: TriggerId, order: OrderId) -> Result<(), BookError> {
        let (at, trigger) = find(self.blocks, id)?;
        if self.view().order(order)?.seat != trigger.node.seat {
            return Err(BookError::OrderNotFound);
        }
        if let Some(Sibling::Trigger(other)) = self.view().sibling(id)? {
            stored_mut(self.blocks, other.block())?.sibling = order.sequence();
            order_mut(self.blocks, order.block())?.pair = other.0;
        }
        remove(self.header, self.blocks, at)?;
        Ok(())
    }

    /// Lets the triggers of a seat that wait for order `from` (a sequence) wait for order `to`, which has taken its place, and of which
    /// `filled` lots traded at once.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn move_entry(&mut self, seat: u32, from: u64, to: u64, filled: Lots) -> Result<(), BookError> {
        mark_entry(self.blocks, to, seat)?;
        let newest = self.view().seat_by_id(seat)?.newest_trigger;
        change_each(self.blocks, newest, |trigger| {
            if trigger.entry == from && from != 0 {
                trigger.entry = to;
                trigger.filled = trigger.filled.saturating_add(filled.0);
            }
        })
    }

    /// What the entries of a seat's triggers have filled so far is no longer there to protect.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn forget_filled(&mut self, seat: u32) -> Result<(), BookError> {
        let newest = self.view().seat_by_id(seat)?.newest_trigger;
        change_each(self.blocks, newest, |trigger| trigger.filled = 0)
    }

    /// Takes lots off the trigger in block `at`; whether it is gone.
    fn take_off(&mut self, at: u32, lots: Lots, closed: bool) -> Result<bool, BookError> {
        let trigger = stored(self.blocks, at)?;
        let whole = trigger.lots == 0;
        // One that trails has followed the position, and goes with it.
        let kept = trigger.trail_ppm == 0 && awaits(self.blocks, trigger);
        let filled = trigger.filled.saturating_sub(lots.0);
        let covered = trigger.entry != 0 && filled == 0;
        let done = if whole { (closed || covered) && !kept } else { trigger.lots <= lots.0 };
        if done {
            remove(self.header, self.blocks, at)?;
            return Ok(true);
        }
        let trigger = stored_mut(self.blocks, at)?;
        trigger.filled = filled;
        if !whole {
            trigger.lots -= lots.0;
        }
        Ok(false)
    }
}

/// The block of the trigger of this id.
pub(crate) fn find(blocks: &[Block], id: TriggerId) -> Result<(u32, &Stored), BookError> {
    let at = id.block();
    match stored(blocks, at) {
        Ok(trigger) if trigger.sequence == id.0 => Ok((at, trigger)),
        _ => Err(BookError::TriggerNotFound),
    }
}

/// As [`find`], if it is of that seat.
fn find_of(blocks: &[Block], id: TriggerId, seat: u32) -> Result<(u32, &Stored), BookError> {
    match find(blocks, id) {
        Ok(found) if found.1.node.seat == seat => Ok(found),
        _ => Err(BookError::TriggerNotFound),
    }
}

/// Notes at the order of this sequence, if it rests at this seat, that triggers wait for it.
fn mark_entry(blocks: &mut [Block], sequence: u64, seat: u32) -> Result<(), BookError> {
    if let Some(Sibling::Order(order)) = named(blocks, sequence, seat) {
        order_mut(blocks, order.block())?.node.flags |= ENTRY;
    }
    Ok(())
}

/// Counts `lots` that the order of this sequence traded for the triggers that wait for it, in the list that begins at `newest`.
pub(crate) fn entry_filled(blocks: &mut [Block], newest: u32, sequence: u64, lots: u64) -> Result<(), BookError> {
    change_each(blocks, newest, |trigger| {
        if trigger.entry == sequence {
            trigger.filled = trigger.filled.saturating_add(lots);
        }
    })
}

/// Changes every trigger of a seat's list, which begins with its newest; 0 for none.
fn change_each(blocks: &mut [Block], newest: u32, mut change: impl FnMut(&mut Stored)) -> Result<(), BookError> {
    let mut at = newest;
    for _ in 0..MAX_TRIGGERS {
        if at == 0 {
            break;
        }
        let trigger = stored_mut(blocks, at)?;
        change(trigger);
        at = trigger.older;
    }
    Ok(())
}

/// Whether the order that opens what a trigger protects still rests.
pub(crate) fn awaits(blocks: &[Block], trigger: &Stored) -> bool {
    match trigger.entry {
        0 => return false,
        HELD_ENTRY => return true,
        _ => {}
    }
    match named(blocks, trigger.entry, trigger.node.seat) {
        Some(Sibling::Order(order)) => order.side() == trigger.side().opposite(),
        Some(Sibling::Trigger(_)) | None => false,
    }
}

/// What a sequence kept as sibling or entry names now, if it still is of that seat.
pub(crate) fn named(blocks: &[Block], sequence: u64, seat: u32) -> Option<Sibling> {
    let at = block_of(sequence);
    match blocks.get(index(at))?.node.kind {
        TRIGGER => {
            let trigger = stored(blocks, at).ok()?;
            let same = trigger.sequence == sequence && trigger.node.seat == seat;
            same.then_some(Sibling::Trigger(TriggerId(sequence)))
        }
        ORDER => {
            let order = order(blocks, at).ok()?;
            (order.sequence == sequence && order.node.seat == seat).then(|| Sibling::Order(order.id()))
        }
        _ => None,
    }
}

/// Takes a trigger out of its tree and its seat's list and frees its block.
fn remove(header: &mut Header, blocks: &mut [Block], at: u32) -> Result<Trigger, BookError> {
    let trigger = *stored(blocks, at)?;
    if trigger.older != 0 {
        stored_mut(blocks, trigger.older)?.newer = trigger.newer;
    }
    if trigger.newer != 0 {
        stored_mut(blocks, trigger.newer)?.older = trigger.older;
    } else {
        seat_mut(blocks, trigger.node.seat)?.newest_trigger = trigger.older;
    }
    tree::remove(blocks, &mut header.roots[trigger.fires().root()], at)?;
    slab::release(header, blocks, at)?;
    Ok(trigger.trigger())
}

/// Blocks that triggers may have of a slab with this many.
pub(crate) fn share_of(capacity: u32) -> u32 {
    capacity / TRIGGER_SHARE
}
