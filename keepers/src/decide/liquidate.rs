//! Whether to call `liquidate`.

use ballast_risk::liquidation::Step;

/// What the decision needs to know of an account.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// What the program allows now.
    pub step: Step,
    /// Orders that rest in the market whose position is reduced first.
    pub orders: u32,
    /// Whether the book has something for that position, no worse than its bankruptcy price.
    pub book_takes: bool,
    /// Whether the account's data says already since when it is below this step's threshold. If not, its takeover
    /// discount and its deleveraging wait for somebody to note it.
    pub noted: bool,
}

/// Why to call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The position is to be reduced on the book.
    Reduce,
    /// Orders are to be cancelled.
    CancelOrders,
    /// There is nothing on the book; the clock of the next stage is to be started.
    StartClock,
}

impl Reason {
    /// As it is logged.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Reduce => "reduce",
            Reason::CancelOrders => "cancel_orders",
            Reason::StartClock => "start_clock",
        }
    }
}

/// Whether a call would do something that nobody has done yet. In a cooldown only orders are cancelled. From the
/// takeover stage on a call is for what the book takes; an empty book has nothing for a second call.
pub fn decide(facts: &Facts) -> Option<Reason> {
    match facts.step {
        Step::None => None,
        Step::Wait { .. } => (facts.orders > 0).then_some(Reason::CancelOrders),
        // The attempt counts even when the book is empty: it leads to the next stage.
        Step::Partial if facts.book_takes => Some(Reason::Reduce),
        Step::Partial => Some(if facts.orders > 0 { Reason::CancelOrders } else { Reason::StartClock }),
        Step::Takeover { .. } | Step::Backstop { .. } | Step::Bankrupt { .. } => {
            if facts.book_takes {
                Some(Reason::Reduce)
            } else if facts.orders > 0 {
                Some(Reason::CancelOrders)
            } else {
                (!facts.noted).then_some(Reason::StartClock)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Facts = Facts { step: Step::Partial, orders: 0, book_takes: false, noted: true };

    #[test]
    fn an_account_with_its_margin_is_left_alone() {
        assert_eq!(decide(&Facts { step: Step::None, orders: 3, book_takes: true, noted: false }), None);
    }

    #[test]
    fn in_a_cooldown_only_orders_are_cancelled() {
        let waits = Facts { step: Step::Wait { until: 9 }, book_takes: true, ..EMPTY };
        assert_eq!(decide(&waits), None);
        assert_eq!(decide(&Facts { orders: 1, ..waits }), Some(Reason::CancelOrders));
    }

    #[test]
    fn a_partial_liquidation_is_tried_on_an_empty_book_too() {
        assert_eq!(decide(&EMPTY), Some(Reason::StartClock));
        assert_eq!(decide(&Facts { book_takes: true, ..EMPTY }), Some(Reason::Reduce));
    }

    #[test]
    fn later_stages_are_called_for_what_the_book_takes_and_once_to_be_noted() {
        for step in [
            Step::Takeover { seconds: 1 },
            Step::Backstop { seconds: 1 },
            Step::Bankrupt { seconds: 1, deleverage_from: 5 },
        ] {
            let facts = Facts { step, ..EMPTY };
            assert_eq!(decide(&facts), None);
            assert_eq!(decide(&Facts { noted: false, ..facts }), Some(Reason::StartClock));
            assert_eq!(decide(&Facts { orders: 2, ..facts }), Some(Reason::CancelOrders));
            assert_eq!(decide(&Facts { book_takes: true, orders: 2, ..facts }), Some(Reason::Reduce));
        }
    }
}
