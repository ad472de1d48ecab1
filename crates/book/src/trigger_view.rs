//! Reading triggers: by id, of a seat, and those that are due.

use ballast_units::Price;

use crate::trigger::{Fires, MAX_TRIGGERS, stored};
use crate::trigger_change::{awaits, find, named, share_of};
use crate::{BookError, BookView, Seat, Sibling, Trigger, TriggerId, walk};

impl Seat {
    /// Whether any trigger waits here.
    pub fn has_triggers(&self) -> bool {
        self.newest_trigger != 0
    }
}

impl<'a> BookView<'a> {
    /// The trigger of this id, if it still waits.
    ///
    /// # Errors
    /// `TriggerNotFound`.
    pub fn trigger(&self, id: TriggerId) -> Result<Trigger, BookError> {
        find(self.blocks, id).map(|(_, trigger)| trigger.trigger())
    }

    /// The other of a trigger's pair, if it has one and that has not gone.
    ///
    /// # Errors
    /// `TriggerNotFound`.
    pub fn sibling(&self, id: TriggerId) -> Result<Option<Sibling>, BookError> {
        let (_, trigger) = find(self.blocks, id)?;
        Ok(if trigger.sibling == 0 { None } else { named(self.blocks, trigger.sibling, trigger.node.seat) })
    }

    /// Whether the order that opens what a trigger protects still rests.
    ///
    /// # Errors
    /// `TriggerNotFound`.
    pub fn awaits(&self, id: TriggerId) -> Result<bool, BookError> {
        Ok(awaits(self.blocks, find(self.blocks, id)?.1))
    }

    /// A seat's triggers, newest first.
    ///
    /// # Errors
    /// `SeatNotFound`.
    pub fn seat_triggers(&self, seat: u32) -> Result<SeatTriggers<'a>, BookError> {
        let at = self.seat_by_id(seat)?.newest_trigger;
        Ok(SeatTriggers { view: *self, at, left: MAX_TRIGGERS })
    }

    /// All triggers of a direction, first to fire first.
    pub fn triggers(&self, fires: Fires) -> Triggers<'a> {
        let root = &self.header.roots[fires.root()];
        Triggers { view: *self, at: root.first, left: root.count.min(self.capacity()) }
    }

    /// The triggers of a direction whose price `mark` has reached, first to fire first; expired, dormant and spent ones too.
    pub fn due_triggers(&self, fires: Fires, mark: Price) -> impl Iterator<Item = Trigger> + use<'a> {
        self.triggers(fires).take_while(move |trigger| fires.reached(trigger.price, mark))
    }

    /// Triggers of both directions.
    pub fn trigger_count(&self) -> u32 {
        let count = |fires: Fires| self.header.roots[fires.root()].count;
        count(Fires::AtOrBelow).saturating_add(count(Fires::AtOrAbove))
    }

    /// Triggers for which this slab has room as long as it does not grow: a quarter of its blocks.
    pub fn trigger_capacity(&self) -> u32 {
        share_of(self.capacity())
    }
}

/// Iterator of [`BookView::seat_triggers`]. Ends early on corrupt links.
#[derive(Clone, Debug)]
pub struct SeatTriggers<'a> {
    view: BookView<'a>,
    at: u32,
    left: u32,
}

impl Iterator for SeatTriggers<'_> {
    type Item = Trigger;

    fn next(&mut self) -> Option<Trigger> {
        self.left = self.left.checked_sub(1)?;
        let trigger = stored(self.view.blocks, self.at).ok()?;
        self.at = trigger.older;
        Some(trigger.trigger())
    }
}

/// Iterator of [`BookView::triggers`]. Ends early on corrupt links.
#[derive(Clone, Debug)]
pub struct Triggers<'a> {
    view: BookView<'a>,
    at: u32,
    left: u32,
}

impl Iterator for Triggers<'_> {
    type Item = Trigger;

    fn next(&mut self) -> Option<Trigger> {
        self.left = self.left.checked_sub(1)?;
        let trigger = stored(self.view.blocks, self.at).ok()?;
        self.at = walk::next(self.view.blocks, self.at).unwrap_or(0);
        Some(trigger.trigger())
    }
}
