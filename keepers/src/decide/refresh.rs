//! When to bring an oracle account's price into its market.
//!
//! Liquidation believes a price only when two ticks support it. So a keeper cannot wait for the transaction that a price makes
//! necessary and bring the price in that: the first of the two has to be brought before anything is due. Whoever posts prices
//! brings them anyway; another keeper steps in where nobody does and a price matters.

use std::time::Duration;

/// A price in an oracle account that its market does not have yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// For how long it has been known that the market lags.
    pub known_for: Duration,
    /// By how many seconds the price is newer than the market's.
    pub newer_by_s: i64,
    /// How old the market's price is, in seconds.
    pub age_s: i64,
    /// How far the price is from the farthest of the market's own, in 10^-9 of it: zero when the market has arrived.
    pub moved: u64,
    /// Whether it would take somebody below maintenance margin, or cross a trigger, if it stands.
    pub reaches: bool,
}

/// What the operator thinks worth a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether this keeper posts prices, or only steps in.
    pub posts: bool,
    /// How long whoever posts prices is given to do it.
    pub patience: Duration,
    /// Smallest move that is posted, in 10^-9.
    pub least_move: u64,
    /// Age from which a market is refreshed even if nothing moved, in seconds.
    pub max_age_s: i64,
    /// Least seconds between two prices, unless the newer one reaches somebody.
    pub gap_s: i64,
}

/// Why to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody is due at the new price if it stands.
    Reaches,
    /// The price moved.
    Moved,
    /// The market's price grows old.
    Stale,
}

impl Reason {
    /// As it is logged.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Reaches => "price_reaches_somebody",
            Reason::Moved => "price_moved",
            Reason::Stale => "price_grows_old",
        }
    }
}

/// Whether to refresh the market, and why.
pub fn decide(facts: &Facts, policy: &Policy) -> Option<Reason> {
    if facts.newer_by_s <= 0 || (!policy.posts && facts.known_for < policy.patience) {
        return None;
    }
    if facts.reaches {
        return Some(Reason::Reaches);
    }
    if !policy.posts || facts.newer_by_s < policy.gap_s {
        return None;
    }
    if facts.moved >= policy.least_move.max(1) {
        return Some(Reason::Moved);
    }
    (facts.age_s >= policy.max_age_s).then_some(Reason::Stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy =
        Policy { posts: true, patience: Duration::from_secs(1), least_move: 500, max_age_s: 15, gap_s: 2 };
    const FACTS: Facts = Facts { known_for: Duration::ZERO, newer_by_s: 2, age_s: 3, moved: 0, reaches: false };

    #[test]
    fn a_poster_brings_moves_at_once_and_quiet_prices_before_they_are_too_old() {
        assert_eq!(decide(&FACTS, &POLICY), None);
        assert_eq!(decide(&Facts { moved: 500, ..FACTS }, &POLICY), Some(Reason::Moved));
        assert_eq!(decide(&Facts { moved: 499, ..FACTS }, &POLICY), None);
        assert_eq!(decide(&Facts { age_s: 15, ..FACTS }, &POLICY), Some(Reason::Stale));
    }

    #[test]
    fn prices_closer_together_than_the_gap_are_left_out_unless_somebody_depends_on_them() {
        let soon = Facts { newer_by_s: 1, moved: 9_000_000, ..FACTS };
        assert_eq!(decide(&soon, &POLICY), None);
        assert_eq!(decide(&Facts { reaches: true, ..soon }, &POLICY), Some(Reason::Reaches));
        assert_eq!(decide(&Facts { reaches: true, newer_by_s: 0, ..soon }, &POLICY), None);
    }

    #[test]
    fn others_step_in_late_and_only_where_a_price_matters() {
        let policy = Policy { posts: false, ..POLICY };
        let late = Facts { known_for: Duration::from_secs(1), moved: 9_000_000, age_s: 100, ..FACTS };
        assert_eq!(decide(&late, &policy), None);
        assert_eq!(decide(&Facts { reaches: true, ..late }, &policy), Some(Reason::Reaches));
        let early = Facts { known_for: Duration::from_millis(999), reaches: true, ..late };
        assert_eq!(decide(&early, &policy), None);
    }
}
