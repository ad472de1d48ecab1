//! The part of the structural check that looks at triggers: what is in their blocks, and the seats' lists of them. Their
//! trees are checked with the orders'.

use crate::order::MAX_ARRIVALS;
use crate::trigger::{FIRST_ROOT, Fires, MAX_TRIGGERS, Stored, block_of, stored, trailing_price, valid};
use crate::{BookView, Broken, Seat, TriggerPrice};

/// Whether tree `number` holds triggers.
pub(crate) fn is_trigger_tree(number: u8) -> bool {
    Fires::BOTH.iter().any(|fires| usize::from(number) == fires.root())
}

impl BookView<'_> {
    /// A trigger that was met in tree `root`.
    pub(crate) fn check_trigger(&self, root: u8, at: u32) -> Result<(), Broken> {
        let stored = stored(self.blocks, at).map_err(|_| Broken::Ring(at))?;
        let trigger = stored.trigger();
        let trails = match trigger.terms.price {
            TriggerPrice::Fixed(_) => stored.best == 0,
            TriggerPrice::Trailing { ppm, best } => trailing_price(trigger.side, best, ppm) == trigger.price,
        };
        let sane = usize::from(root) == trigger.fires.root()
            && usize::from(root) >= FIRST_ROOT
            && trails
            && valid(trigger.side, trigger.fires, &trigger.terms)
            && (stored.limit == 0 || stored.slippage_bps == 0)
            && block_of(stored.sequence) == at
            && stored.sequence >> crate::order::BLOCK_BITS < self.header.arrivals.min(MAX_ARRIVALS)
            && self.paired(stored);
        if sane { Ok(()) } else { Err(Broken::Trigger(at)) }
    }

    /// A partner that is still there and still a trigger has this one for its partner, and the same side.
    fn paired(&self, one: &Stored) -> bool {
        match stored(self.blocks, block_of(one.sibling)) {
            Ok(other) if one.sibling != 0 && other.sequence == one.sibling => {
                other.sibling == one.sequence && other.node.seat == one.node.seat && other.side() == one.side()
            }
            _ => true,
        }
    }

    /// A seat's list of triggers; gives their number.
    pub(crate) fn check_seat_triggers(&self, id: u32, seat: &Seat) -> Result<u32, Broken> {
        let (mut at, mut newer, mut count) = (seat.newest_trigger, 0, 0);
        while at != 0 {
            let trigger = stored(self.blocks, at).map_err(|_| Broken::SeatTriggers(id))?;
            if trigger.node.seat != id || trigger.newer != newer || count == MAX_TRIGGERS {
                return Err(Broken::SeatTriggers(id));
            }
            count += 1;
            newer = at;
            at = trigger.older;
        }
        Ok(count)
    }
}
