//! Which triggers are worth a transaction.

/// Why a trigger is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The book takes some of it, for a reward.
    Fires,
    /// Its limit order would come to rest, for nothing.
    Rests,
    /// Its time is over or its position is gone: it is removed, for nothing.
    Over,
}

impl Reason {
    /// As it is logged.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Fires => "fires",
            Reason::Rests => "rests",
            Reason::Over => "over",
        }
    }
}

/// What is known of a trigger whose price the mark has crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// It is the keeper's own account.
    pub own: bool,
    /// Its time is over, or what it protects is gone.
    pub over: bool,
    /// Its account is bankrupt, and must be resolved otherwise.
    pub bankrupt: bool,
    /// The book takes some of it at its worst price or better.
    pub book_takes: bool,
    /// Its rest may come to rest.
    pub rests: bool,
}

/// Whether to execute, and why.
pub fn decide(facts: &Facts) -> Option<Reason> {
    if facts.own || facts.bankrupt {
        None
    } else if facts.over {
        Some(Reason::Over)
    } else if facts.book_takes {
        Some(Reason::Fires)
    } else if facts.rests {
        Some(Reason::Rests)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_trades_nothing_is_not_tried() {
        assert_eq!(decide(&Facts::default()), None);
        assert_eq!(decide(&Facts { rests: true, ..Facts::default() }), Some(Reason::Rests));
        assert_eq!(decide(&Facts { rests: true, book_takes: true, ..Facts::default() }), Some(Reason::Fires));
    }

    #[test]
    fn what_is_over_is_removed_and_not_traded() {
        let facts = Facts { over: true, book_takes: true, ..Facts::default() };
        assert_eq!(decide(&facts), Some(Reason::Over));
    }

    #[test]
    fn a_bankrupt_accounts_and_the_keepers_own_are_left_to_others() {
        let facts = Facts { book_takes: true, ..Facts::default() };
        assert_eq!(decide(&Facts { own: true, ..facts }), None);
        assert_eq!(decide(&Facts { bankrupt: true, ..facts }), None);
    }
}
