//! What is worth settling and reranking.

use std::time::Duration;

/// What the decision needs to know of an account's slot in a market.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// For how long fills have waited in its seat; `None` when none do.
    pub fills_wait: Option<Duration>,
    /// Realised loss and funding owed to the pool, in atoms.
    pub owed: u64,
    /// The account's collateral, from which that is paid.
    pub collateral: u64,
    /// Whether a deleveraging took some of the position since its last touch.
    pub deleveraged: bool,
}

/// What the operator thinks worth a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Smallest loss, in atoms.
    pub min_loss: u64,
    /// How long fills may wait.
    pub seat_age: Duration,
}

/// Why to settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A deleveraging's proceeds are to be booked.
    Deleveraged,
    /// A realised loss can be paid, so that profits can be drawn.
    Loss,
    /// Fills wait in the seat.
    Fills,
}

impl Reason {
    /// As it is logged.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Deleveraged => "deleveraged",
            Reason::Loss => "realised_loss",
            Reason::Fills => "pending_fills",
        }
    }
}

/// Whether to settle the slot.
pub fn decide(facts: &Facts, policy: &Policy) -> Option<Reason> {
    if facts.deleveraged {
        return Some(Reason::Deleveraged);
    }
    if facts.owed.min(facts.collateral) >= policy.min_loss.max(1) {
        return Some(Reason::Loss);
    }
    facts.fills_wait.filter(|waited| *waited >= policy.seat_age).map(|_| Reason::Fills)
}

/// Columns by which a position has to be out of place for the program to pay for putting it right.
const BOUNTY_COLUMNS: u16 = 2;
/// Seconds between two such payments for one position.
const BOUNTY_INTERVAL_S: i64 = 60;

/// A position's place in the ranking index.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The column that it is in.
    pub column: u16,
    /// The column that it belongs into.
    pub belongs: u16,
    /// When it was last put right for a bounty, or 0.
    pub reranked_at: i64,
}

impl Place {
    /// By how many columns it is out of place.
    pub fn drift(&self) -> u16 {
        self.column.abs_diff(self.belongs)
    }
}

/// Whether to rerank.
pub fn decide_rerank(place: &Place, now: i64) -> bool {
    place.drift() >= BOUNTY_COLUMNS && now.saturating_sub(place.reranked_at) >= BOUNTY_INTERVAL_S
}

/// Orders at the front of a book that make pruning it worth a transaction: takers look past no more than twice as many.
const MANY_PASSED_OVER: usize = 8;
/// A book with less than one in so many blocks free is pruned of any.
const FULL_SHARE: u32 = 8;

/// Whether to prune a side of a book that has `front` orders at its front that takers only pass over. Nobody pays for it,
/// and takers pass over a few quickly.
pub fn decide_prune(front: usize, free_blocks: u32, capacity: u32) -> bool {
    front >= MANY_PASSED_OVER || (front > 0 && free_blocks < capacity / FULL_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy { min_loss: 100, seat_age: Duration::from_secs(2) };

    #[test]
    fn losses_are_settled_as_far_as_there_is_collateral_to_pay_them() {
        let facts = Facts { owed: 100, collateral: 100, ..Facts::default() };
        assert_eq!(decide(&facts, &POLICY), Some(Reason::Loss));
        assert_eq!(decide(&Facts { collateral: 99, ..facts }, &POLICY), None);
        assert_eq!(decide(&Facts { owed: 0, ..facts }, &Policy { min_loss: 0, ..POLICY }), None);
    }

    #[test]
    fn owners_have_time_to_fold_their_fills_themselves() {
        let waited = |seconds| Facts { fills_wait: Some(Duration::from_secs(seconds)), ..Facts::default() };
        assert_eq!(decide(&waited(1), &POLICY), None);
        assert_eq!(decide(&waited(2), &POLICY), Some(Reason::Fills));
    }

    #[test]
    fn a_deleveraged_position_is_settled_at_once() {
        let facts = Facts { deleveraged: true, ..Facts::default() };
        assert_eq!(decide(&facts, &POLICY), Some(Reason::Deleveraged));
    }

    #[test]
    fn a_position_is_reranked_when_it_is_out_of_place_and_somebody_pays() {
        let place = Place { column: 10, belongs: 12, reranked_at: 1_000 };
        assert!(decide_rerank(&place, 1_060) && !decide_rerank(&place, 1_059));
        assert!(!decide_rerank(&Place { belongs: 11, ..place }, 2_000));
    }

    #[test]
    fn a_book_is_pruned_when_many_orders_are_in_the_way_or_room_is_scarce() {
        assert!(decide_prune(8, 100, 100) && !decide_prune(7, 100, 100));
        assert!(decide_prune(1, 11, 96) && !decide_prune(1, 12, 96) && !decide_prune(0, 0, 96));
    }
}
