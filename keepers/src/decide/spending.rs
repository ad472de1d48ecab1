//! A cap on what is spent on fees and rent in an hour, and what of it is left to routine work: so much that forced reductions never
//! want for money because dust was settled.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use solana_pubkey::Pubkey;

use crate::task::Class;

/// The time that the cap is for.
const WINDOW: Duration = Duration::from_secs(3_600);

/// Lamports that may be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// In all.
    pub all: u64,
    /// Of them, on anything but forced reductions.
    pub standing: u64,
    /// Of these, on routine work.
    pub routine: u64,
}

impl Budget {
    /// Without a limit.
    pub const UNLIMITED: Budget = Budget { all: u64::MAX, standing: u64::MAX, routine: u64::MAX };

    /// Of `all`, `routine` for routine work; of the rest, half is kept back for forced reductions alone.
    pub fn new(all: u64, routine: u64) -> Budget {
        let routine = routine.min(all);
        Budget { all, standing: all - (all - routine) / 2, routine }
    }

    /// What a class of work may have.
    pub fn of(&self, class: Class) -> u64 {
        match class {
            Class::Forced => self.all,
            Class::Standing => self.all.min(self.standing),
            Class::Routine => self.all.min(self.standing).min(self.routine),
        }
    }

    /// What is left after a class of work has had so much.
    #[must_use]
    pub fn less(self, class: Class, lamports: u64) -> Budget {
        let [standing, routine] = match class {
            Class::Forced => [0, 0],
            Class::Standing => [lamports, 0],
            Class::Routine => [lamports, lamports],
        };
        Budget {
            all: self.all.saturating_sub(lamports),
            standing: self.standing.saturating_sub(standing),
            routine: self.routine.saturating_sub(routine),
        }
    }
}

/// What was spent in the last hour, and what transactions under way may cost at most.
#[derive(Debug)]
pub struct Spending {
    cap: Budget,
    spent: VecDeque<(Instant, Class, u64)>,
    /// What that comes to, by class: an hour's payments may be many, and every pass asks.
    totals: HashMap<Class, u64>,
    /// By the account that is worked on.
    pledged: HashMap<Pubkey, (Class, u64)>,
}

impl Spending {
    /// With these caps for an hour.
    pub fn new(cap: Budget) -> Self {
        Spending { cap, spent: VecDeque::new(), totals: HashMap::new(), pledged: HashMap::new() }
    }

    /// A transaction for an account begins that may cost so much.
    pub fn pledge(&mut self, account: Pubkey, class: Class, lamports: u64) {
        self.pledged.insert(account, (class, lamports));
    }

    /// It has ended, and cost so much.
    pub fn pay(&mut self, account: &Pubkey, class: Class, lamports: u64, at: Instant) {
        self.pledged.remove(account);
        if lamports > 0 {
            self.spent.push_back((at, class, lamports));
            let total = self.totals.entry(class).or_default();
            *total = total.saturating_add(lamports);
        }
    }

    /// What is not spent yet.
    pub fn unspent(&mut self, at: Instant) -> Budget {
        let old = |spent: &mut (Instant, Class, u64)| at.saturating_duration_since(spent.0) >= WINDOW;
        while let Some((_, class, lamports)) = self.spent.pop_front_if(old) {
            let total = self.totals.entry(class).or_default();
            *total = total.saturating_sub(lamports);
        }
        self.totals.iter().fold(self.cap, |left, (class, lamports)| left.less(*class, *lamports))
    }

    /// What is neither spent nor pledged.
    pub fn left(&mut self, at: Instant) -> Budget {
        let unspent = self.unspent(at);
        self.pledged.values().fold(unspent, |left, (class, lamports)| left.less(*class, *lamports))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Budget = Budget { all: 100, standing: 75, routine: 50 };

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    #[test]
    fn the_cap_is_for_any_hour() {
        let (start, mut spending) = (Instant::now(), Spending::new(CAP));
        spending.pay(&key(1), Class::Forced, 60, start);
        assert_eq!(spending.left(start).of(Class::Forced), 40);
        spending.pay(&key(2), Class::Forced, 45, start + Duration::from_secs(1_800));
        assert_eq!(spending.left(start + Duration::from_secs(3_599)).all, 0);
        assert_eq!(spending.left(start + Duration::from_secs(3_600)).all, 55);
    }

    #[test]
    fn routine_work_has_its_share_and_no_more() {
        let (start, mut spending) = (Instant::now(), Spending::new(CAP));
        spending.pay(&key(1), Class::Routine, 50, start);
        let left = spending.left(start);
        assert_eq!((left.of(Class::Routine), left.of(Class::Forced)), (0, 50));
        // What forced reductions have used up is not there for routine work either.
        let mut spending = Spending::new(CAP);
        spending.pay(&key(1), Class::Forced, 80, start);
        assert_eq!(spending.left(start).of(Class::Routine), 20);
    }

    #[test]
    fn neither_prices_nor_protection_use_up_what_is_kept_back_for_forced_reductions() {
        assert_eq!(Budget::new(100, 50), CAP);
        let (start, mut spending) = (Instant::now(), Spending::new(CAP));
        spending.pay(&key(1), Class::Standing, 75, start);
        let left = spending.left(start);
        assert_eq!([Class::Standing, Class::Routine, Class::Forced].map(|class| left.of(class)), [0, 0, 25]);
        // Routine work that has had its share leaves protection some.
        let mut spending = Spending::new(CAP);
        spending.pay(&key(1), Class::Routine, 50, start);
        let left = spending.left(start);
        assert_eq!([Class::Standing, Class::Routine, Class::Forced].map(|class| left.of(class)), [25, 0, 50]);
    }

    #[test]
    fn what_is_under_way_counts_until_it_has_ended() {
        let (start, mut spending) = (Instant::now(), Spending::new(CAP));
        spending.pledge(key(1), Class::Routine, 30);
        assert_eq!(
            (spending.left(start), spending.unspent(start)),
            (Budget { all: 70, standing: 45, routine: 20 }, CAP)
        );
        spending.pay(&key(1), Class::Routine, 5, start);
        assert_eq!(spending.left(start), Budget { all: 95, standing: 70, routine: 45 });
    }
}
