//! What to do about a bankrupt account.

use ballast_risk::liquidation::Step;

/// What the decision about a bankrupt position needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// What the program allows now.
    pub step: Step,
    /// The cluster's time.
    pub now: i64,
    /// Whether the account's data says already since when it is bankrupt.
    pub noted: bool,
    /// Whether the book has something for the position, no worse than its bankruptcy price.
    pub book_takes: bool,
    /// What the account lacks at the mark for this position, in atoms.
    pub shortfall: u64,
    /// What insurance can pay for this market now, in atoms.
    pub insurance: u64,
    /// Lots of the other side in the ranking index.
    pub opposing: u64,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet, or nothing any more.
    Nothing,
    /// Call `deleverage`.
    Call(Reason),
    /// Settle seats in which the other side waits, then look again.
    SettleSeatsFirst,
}

/// Why to call `deleverage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The book closes some of it.
    CloseOnBook,
    /// Insurance cannot pay for a taker.
    InsuranceShort,
    /// No taker came while insurance would have paid one.
    DelayOver,
    /// The time that it waits for a taker is to begin.
    StartClock,
}

impl Reason {
    /// As it is logged.
    pub fn name(self) -> &'static str {
        match self {
            Reason::CloseOnBook => "close_on_book",
            Reason::InsuranceShort => "insurance_short",
            Reason::DelayOver => "delay_over",
            Reason::StartClock => "start_clock",
        }
    }
}

/// What to do about a bankrupt position.
pub fn decide(facts: &Facts) -> Verdict {
    let Step::Bankrupt { deleverage_from, .. } = facts.step else { return Verdict::Nothing };
    if facts.book_takes {
        return Verdict::Call(Reason::CloseOnBook);
    }
    let reason = if facts.insurance < facts.shortfall {
        Reason::InsuranceShort
    } else if facts.now >= deleverage_from {
        Reason::DelayOver
    } else if facts.noted {
        return Verdict::Nothing;
    } else {
        return Verdict::Call(Reason::StartClock);
    };
    if facts.opposing == 0 { Verdict::SettleSeatsFirst } else { Verdict::Call(reason) }
}

/// Fills that wait in a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting<K> {
    /// Whose seat.
    pub account: K,
    /// Lots, positive bought.
    pub base: i64,
}

/// Which seats to settle so that the index has the other side of `position` (positive long): those with fills of that
/// side, largest first, until they would do, at most `limit`.
pub fn seats_to_settle<K: Copy + Ord>(
    position: i64,
    waiting: impl IntoIterator<Item = Waiting<K>>,
    limit: usize,
) -> Vec<K> {
    let mut opposing: Vec<_> =
        waiting.into_iter().filter(|seat| seat.base != 0 && (seat.base > 0) != (position > 0)).collect();
    opposing.sort_by_key(|seat| (core::cmp::Reverse(seat.base.unsigned_abs()), seat.account));
    let mut missing = position.unsigned_abs();
    let mut chosen = Vec::new();
    for seat in opposing {
        if missing == 0 || chosen.len() == limit {
            break;
        }
        missing = missing.saturating_sub(seat.base.unsigned_abs());
        chosen.push(seat.account);
    }
    chosen
}

/// What an account without positions owes in one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debt {
    /// The market.
    pub market: u16,
    /// Realised loss and funding that have not reached the pool, in atoms.
    pub owed: u64,
    /// What insurance can pay for the market now, in atoms.
    pub insurance: u64,
}

/// How a debt is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relief {
    /// The account's own collateral still covers it: settle there first.
    Settle(u16),
    /// Insurance pays.
    Cover(u16),
}

/// What to do about an account without positions whose equity is negative: the largest debt first, from its collateral
/// as far as that goes, then by insurance. `None` when there is no debt, or nothing left to pay it with.
pub fn decide_debt(collateral: u64, debts: &[Debt]) -> Option<Relief> {
    let largest = debts.iter().filter(|debt| debt.owed > 0).max_by_key(|debt| (debt.owed, debt.market))?;
    if largest.owed <= collateral {
        return Some(Relief::Settle(largest.market));
    }
    let insured = debts.iter().filter(|debt| debt.owed > collateral && debt.insurance > 0);
    insured.max_by_key(|debt| (debt.owed, debt.market)).map(|debt| Relief::Cover(debt.market))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANKRUPT: Facts = Facts {
        step: Step::Bankrupt { seconds: 4, deleverage_from: 100 },
        now: 50,
        noted: true,
        book_takes: false,
        shortfall: 1_000,
        insurance: 1_000,
        opposing: 10,
    };

    #[test]
    fn while_insurance_can_pay_a_taker_the_position_waits_for_one() {
        assert_eq!(decide(&BANKRUPT), Verdict::Nothing);
        assert_eq!(decide(&Facts { noted: false, ..BANKRUPT }), Verdict::Call(Reason::StartClock));
        assert_eq!(decide(&Facts { now: 100, ..BANKRUPT }), Verdict::Call(Reason::DelayOver));
        assert_eq!(decide(&Facts { insurance: 999, ..BANKRUPT }), Verdict::Call(Reason::InsuranceShort));
    }

    #[test]
    fn the_book_comes_first_and_solvent_accounts_are_left_alone() {
        assert_eq!(decide(&Facts { book_takes: true, ..BANKRUPT }), Verdict::Call(Reason::CloseOnBook));
        let takeover = Facts { step: Step::Takeover { seconds: 4 }, book_takes: true, ..BANKRUPT };
        assert_eq!(decide(&takeover), Verdict::Nothing);
    }

    #[test]
    fn an_index_without_the_other_side_has_its_seats_settled_first() {
        let due = Facts { now: 100, opposing: 0, ..BANKRUPT };
        assert_eq!(decide(&due), Verdict::SettleSeatsFirst);
        assert_eq!(decide(&Facts { book_takes: true, ..due }), Verdict::Call(Reason::CloseOnBook));
    }

    #[test]
    fn the_largest_opposing_seats_are_settled_until_they_do() {
        let waiting = [(1, -3), (2, 50), (3, -20), (4, -9), (5, 0)].map(|(account, base)| Waiting { account, base });
        assert_eq!(seats_to_settle(25, waiting, 8), [3, 4]);
        assert_eq!(seats_to_settle(1_000, waiting, 8), [3, 4, 1]);
        assert_eq!(seats_to_settle(1_000, waiting, 2), [3, 4]);
        assert_eq!(seats_to_settle(-5, waiting, 8), [2]);
    }

    #[test]
    fn collateral_pays_before_insurance_does() {
        let debt = |market, owed, insurance| Debt { market, owed, insurance };
        assert_eq!(decide_debt(10, &[debt(0, 6, 100), debt(1, 7, 100)]), Some(Relief::Settle(1)));
        assert_eq!(decide_debt(10, &[debt(0, 60, 100), debt(1, 7, 100)]), Some(Relief::Cover(0)));
        assert_eq!(decide_debt(0, &[debt(0, 60, 0), debt(1, 7, 100)]), Some(Relief::Cover(1)));
        assert_eq!(decide_debt(0, &[debt(0, 60, 0)]), None);
        assert_eq!(decide_debt(0, &[debt(0, 0, 9)]), None);
    }
}
