//! A cap on what is spent on fees and rent in an hour.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The time that the cap is for.
const WINDOW: Duration = Duration::from_secs(3_600);

/// What was spent in the last hour.
#[derive(Debug)]
pub struct Spending {
    cap: u64,
    spent: VecDeque<(Instant, u64)>,
    total: u64,
}

impl Spending {
    /// A cap in lamports.
    pub fn new(cap: u64) -> Self {
        Spending { cap, spent: VecDeque::new(), total: 0 }
    }

    /// Notes what was paid.
    pub fn note(&mut self, at: Instant, lamports: u64) {
        self.spent.push_back((at, lamports));
        self.total = self.total.saturating_add(lamports);
    }

    /// What may still be spent now, in lamports.
    pub fn left(&mut self, at: Instant) -> u64 {
        while let Some((then, lamports)) = self.spent.front().copied() {
            if at.saturating_duration_since(then) < WINDOW {
                break;
            }
            self.total = self.total.saturating_sub(lamports);
            self.spent.pop_front();
        }
        self.cap.saturating_sub(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_is_for_any_hour() {
        let start = Instant::now();
        let mut spending = Spending::new(100);
        spending.note(start, 60);
        assert_eq!(spending.left(start), 40);
        spending.note(start + Duration::from_secs(1_800), 45);
        assert_eq!(spending.left(start + Duration::from_secs(3_599)), 0);
        assert_eq!(spending.left(start + Duration::from_secs(3_600)), 55);
    }
}
