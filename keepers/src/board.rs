//! Whose turn it is. One task for an account at a time, the most urgent first, each after a random delay, and after a pause
//! when it was just tried.
//!
//! Keepers side by side know nothing of each other but who was first. So each has its own order among tasks that press
//! alike, and one that came second waits longer from then on, one that came first a little less: soon one or a few are
//! quick, and the others see in time what those have done, and stand by.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use solana_pubkey::Pubkey;

use crate::task::{Kind, Task, Urgency};

/// Longest pause after failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How much longer the delays of upkeep are, for which a second keeper would pay in vain.
const UPKEEP_JITTER: u32 = 8;

/// How much longer the delays become at most for one that comes second.
const MOST_PATIENCE: u32 = 16;

/// First and longest pause of what was not worth its cost.
const LEFT_OUT_FOR: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(320));

/// A task that waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The task.
    pub task: Task,
    /// The slot in which it became due.
    pub since_slot: u64,
    /// When it may be tried.
    ready_at: Instant,
}

/// What became of a try, as far as the next one depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// As soon as the view shows what it did, or after this pause.
    WhenSeen(Duration),
    /// After this pause.
    After(Duration),
    /// After a pause that grows with each failure in a row, starting with this.
    BackOff(Duration),
}

/// When an account may be tried again.
#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    when_seen: bool,
    failures: u32,
}

/// Something that was not worth its cost.
#[derive(Clone, Copy, Debug)]
struct LeftOut {
    until: Instant,
    pause: Duration,
    urgency: Urgency,
}

/// An account that is worked on.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    /// Whether the view has shown a new state of it meanwhile.
    updated: bool,
    /// Whether the keeper's own position changes.
    trades: bool,
}

/// All tasks, waiting and under way.
pub struct Board {
    jitter: Duration,
    /// Longest delay now, of what presses: from `jitter` to [`MOST_PATIENCE`] times that.
    patience: Duration,
    /// Seeded differently in each process.
    random: RandomState,
    drawn: u64,
    waiting: HashMap<Pubkey, Waiting>,
    under_way: HashMap<Pubkey, UnderWay>,
    pauses: HashMap<Pubkey, Pause>,
    left_out: HashMap<(Pubkey, u16, Kind), LeftOut>,
}

impl Board {
    /// With delays up to `jitter`, and longer ones for upkeep.
    pub fn new(jitter: Duration) -> Self {
        Board {
            jitter,
            patience: jitter,
            random: RandomState::new(),
            drawn: 0,
            waiting: HashMap::new(),
            under_way: HashMap::new(),
            pauses: HashMap::new(),
            left_out: HashMap::new(),
        }
    }

    fn delay(&mut self, task: &Task) -> Duration {
        self.drawn = self.drawn.wrapping_add(1);
        let longest = if task.urgency.presses() { self.patience } else { self.jitter.saturating_mul(UPKEEP_JITTER) };
        let most = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_micros(self.random.hash_one((task.account, self.drawn)) % most)
    }

    /// Notes a task. One of the same kind in the same market goes on waiting as it did; a more urgent one takes the place of
    /// another for the same account. What was left out is not noted for a while.
    pub fn note(&mut self, task: Task, slot: u64, now: Instant) {
        let key = task.account;
        let left_out = self.left_out.get(&(key, task.market, task.kind));
        if left_out.is_some_and(|left| now < left.until && !task.urgency.outweighs(left.urgency)) {
            return;
        }
        if let Some(waiting) = self.waiting.get_mut(&key) {
            if (waiting.task.kind, waiting.task.market) == (task.kind, task.market) {
                waiting.task = task;
                return;
            }
            if waiting.task.urgency <= task.urgency {
                return;
            }
        }
        let ready_at = now + self.delay(&task);
        self.waiting.insert(key, Waiting { task, since_slot: slot, ready_at });
    }

    /// Forgets what waits for an account, if it is of a kind: it is no longer due.
    pub fn forget(&mut self, key: &Pubkey, of_kind: impl Fn(&Task) -> bool) {
        if self.waiting.get(key).is_some_and(|waiting| of_kind(&waiting.task)) {
            self.waiting.remove(key);
        }
    }

    /// A task was not worth its cost: it is left out for a while, longer each time, unless it presses much more by then. What
    /// else there is to do for its account goes on.
    pub fn leave_out(&mut self, task: &Task, now: Instant) {
        let place = (task.account, task.market, task.kind);
        let (first, longest) = LEFT_OUT_FOR;
        let pause = self.left_out.get(&place).map_or(first, |before| (before.pause * 2).min(longest));
        self.left_out.insert(place, LeftOut { until: now + pause, pause, urgency: task.urgency });
        self.forget(&task.account, |waiting| (waiting.market, waiting.kind) == (task.market, task.kind));
    }

    /// Takes the most urgent task whose turn has come. `free` says whether it may run beside those under way.
    pub fn take(&mut self, now: Instant, free: impl Fn(&Task) -> bool) -> Option<Waiting> {
        let ready = self.waiting.values().filter(|waiting| {
            let key = &waiting.task.account;
            let paused = self.pauses.get(key).is_some_and(|pause| now < pause.until);
            waiting.ready_at <= now && !paused && !self.under_way.contains_key(key) && free(&waiting.task)
        });
        let own_order = |task: &Task| self.random.hash_one(task.account);
        let next = *ready.min_by_key(|waiting| (waiting.task.urgency.roughly(), own_order(&waiting.task)))?;
        self.waiting.remove(&next.task.account);
        Some(next)
    }

    /// Something that presses was done before this keeper's transaction landed, which was paid for in vain: twice the delay.
    pub fn came_second(&mut self) {
        self.patience = self.patience.saturating_mul(2).min(self.jitter.saturating_mul(MOST_PATIENCE));
    }

    /// Something that presses was done by this keeper: an eighth less delay.
    pub fn came_first(&mut self) {
        self.patience = (self.patience * 7 / 8).max(self.jitter);
    }

    /// Marks a task's account as being worked on.
    pub fn begin(&mut self, task: &Task) {
        self.under_way.insert(task.account, UnderWay { updated: false, trades: task.kind.trades() });
    }

    /// Whether an account could be worked on now: nothing is under way for it, and it is not paused.
    pub fn is_free(&self, key: &Pubkey, now: Instant) -> bool {
        !self.under_way.contains_key(key) && self.pauses.get(key).is_none_or(|pause| now >= pause.until)
    }

    /// Whether a task under way changes the keeper's own position.
    pub fn is_trading(&self) -> bool {
        self.under_way.values().any(|under_way| under_way.trades)
    }

    /// A try has ended. Returns whether the view has yet to show what it did.
    pub fn end(&mut self, key: &Pubkey, next: Next, now: Instant) -> bool {
        let updated = self.under_way.remove(key).is_some_and(|under_way| under_way.updated);
        let failures = self.pauses.get(key).map_or(0, |pause| pause.failures);
        let (pause, when_seen, failures) = match next {
            Next::WhenSeen(_) if updated => {
                self.pauses.remove(key);
                return false;
            }
            Next::WhenSeen(pause) => (pause, true, 0),
            Next::After(pause) => (pause, false, 0),
            Next::BackOff(pause) => {
                let grown = pause.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
                (grown, false, failures.saturating_add(1))
            }
        };
        self.pauses.insert(*key, Pause { until: now + pause, when_seen, failures });
        when_seen
    }

    /// The view shows a new state of an account.
    pub fn seen(&mut self, key: &Pubkey) {
        if let Some(under_way) = self.under_way.get_mut(key) {
            under_way.updated = true;
        }
        if self.pauses.get(key).is_some_and(|pause| pause.when_seen) {
            self.pauses.remove(key);
        }
    }

    /// When the next waiting task may be ready, if that is after `now`.
    pub fn next_ready(&self, now: Instant) -> Option<Instant> {
        let at = |waiting: &Waiting| {
            let pause = self.pauses.get(&waiting.task.account).map_or(now, |pause| pause.until);
            waiting.ready_at.max(pause)
        };
        self.waiting.values().map(at).filter(|at| *at > now).min()
    }

    /// Number of tasks waiting and under way.
    pub fn counts(&self) -> (usize, usize) {
        (self.waiting.len(), self.under_way.len())
    }

    /// Drops pauses that are over, and the failures that they remember, after a while.
    pub fn tidy(&mut self, now: Instant) {
        self.pauses.retain(|_, pause| now < pause.until + LONGEST_PAUSE);
        self.left_out.retain(|_, left| now < left.until + LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use ballast_risk::health::Stage;

    use super::*;

    fn task(number: u8, kind: Kind, ratio: i64) -> Task {
        Task {
            kind,
            market: 0,
            account: Pubkey::new_from_array([number; 32]),
            stage: Stage::Partial,
            reason: "test",
            urgency: Urgency::Forced(ratio),
        }
    }

    fn board() -> (Board, Instant) {
        (Board::new(Duration::ZERO), Instant::now())
    }

    fn take(board: &mut Board, now: Instant) -> Option<u8> {
        board.take(now, |_| true).map(|waiting| waiting.task.account.to_bytes()[0])
    }

    #[test]
    fn the_most_urgent_comes_first_and_each_account_once() {
        let (mut board, now) = board();
        board.note(task(1, Kind::Liquidate, 9_000), 5, now);
        board.note(task(2, Kind::Liquidate, 4_000), 6, now);
        assert_eq!(take(&mut board, now), Some(2));
        board.begin(&task(2, Kind::Liquidate, 0));
        board.note(task(2, Kind::Liquidate, 4_000), 7, now);
        assert_eq!(take(&mut board, now), Some(1));
        assert_eq!(take(&mut board, now), None);
    }

    #[test]
    fn a_task_keeps_the_slot_in_which_it_became_due_until_its_kind_changes() {
        let (mut board, now) = board();
        board.note(task(1, Kind::Liquidate, 9_000), 5, now);
        board.note(task(1, Kind::Liquidate, 7_000), 8, now);
        assert_eq!(board.take(now, |_| true).map(|waiting| waiting.since_slot), Some(5));
        board.note(task(1, Kind::Liquidate, 7_000), 8, now);
        board.note(task(1, Kind::Takeover, 6_000), 9, now);
        board.note(task(1, Kind::SettleSeat, 8_000), 9, now);
        let next = board.take(now, |_| true).unwrap();
        assert_eq!((next.task.kind, next.since_slot), (Kind::Takeover, 9));
    }

    #[test]
    fn delays_differ_by_account_and_stay_below_the_limit() {
        let now = Instant::now();
        let mut board = Board::new(Duration::from_millis(100));
        for number in 0..50 {
            board.note(task(number, Kind::Liquidate, 0), 0, now);
        }
        let early = (0..50).filter(|_| take(&mut board, now + Duration::from_millis(50)).is_some()).count();
        assert!((5..45).contains(&early), "{early} of 50 within half of the delay");
        let late = (0..50).filter(|_| take(&mut board, now + Duration::from_millis(101)).is_some()).count();
        assert_eq!(early + late, 50);
    }

    #[test]
    fn who_comes_second_waits_longer_until_it_comes_first_again() {
        let (jitter, now) = (Duration::from_millis(100), Instant::now());
        let mut board = Board::new(jitter);
        let longest = |board: &mut Board| {
            (0..250).for_each(|number| board.note(task(number, Kind::Liquidate, 0), 0, now));
            let last = board.waiting.values().map(|waiting| waiting.ready_at - now).max().unwrap();
            board.waiting.clear();
            last
        };
        assert!(longest(&mut board) <= jitter);
        (0..9).for_each(|_| board.came_second());
        assert!((8 * jitter..=16 * jitter).contains(&longest(&mut board)));
        (0..30).for_each(|_| board.came_first());
        assert!(longest(&mut board) <= jitter);
    }

    #[test]
    fn two_keepers_begin_with_different_accounts_of_those_that_press_alike() {
        let order = || {
            let (mut board, now) = board();
            (0..60).for_each(|number| board.note(task(number, Kind::Liquidate, 9_000 + i64::from(number)), 0, now));
            board.note(task(99, Kind::Liquidate, 4_000), 0, now);
            (0..61).map(|_| take(&mut board, now).unwrap()).collect::<Vec<_>>()
        };
        let (one, other) = (order(), order());
        assert_eq!((one[0], other[0]), (99, 99), "the worst first");
        assert_ne!(one, other);
    }

    #[test]
    fn what_landed_waits_for_the_view_to_show_it() {
        let (mut board, now) = board();
        let liquidate = task(1, Kind::Liquidate, 0);
        let key = liquidate.account;
        board.begin(&liquidate);
        assert!(board.end(&key, Next::WhenSeen(Duration::from_secs(2)), now));
        board.note(liquidate, 0, now);
        assert_eq!(take(&mut board, now), None);
        board.seen(&key);
        assert_eq!(take(&mut board, now), Some(1));
        // Seen before the end.
        board.begin(&liquidate);
        board.seen(&key);
        assert!(!board.end(&key, Next::WhenSeen(Duration::from_secs(2)), now));
        board.note(liquidate, 0, now);
        assert_eq!(take(&mut board, now), Some(1));
    }

    #[test]
    fn what_is_not_worth_its_cost_keeps_nothing_else_waiting() {
        use core::cmp::Reverse;
        let (mut board, now) = board();
        let fires = |value| Task { urgency: Urgency::Protective(Reverse(value)), ..task(1, Kind::ExecuteTrigger, 0) };
        let settle = Task { urgency: Urgency::Owed(Reverse(5)), ..task(1, Kind::SettleSeat, 0) };
        board.note(fires(100), 0, now);
        let taken = board.take(now, |_| true).unwrap().task;
        board.begin(&taken);
        // Noted again while it is under way, as every pass does.
        board.note(fires(100), 0, now);
        board.leave_out(&taken, now);
        board.end(&taken.account, Next::After(Duration::ZERO), now);
        board.note(fires(150), 0, now);
        assert_eq!(take(&mut board, now), None);
        // Less urgent work for the same account, and the same once it is worth much more.
        board.note(settle, 0, now);
        assert_eq!(board.take(now, |_| true).map(|waiting| waiting.task.kind), Some(Kind::SettleSeat));
        board.note(fires(200), 0, now);
        assert_eq!(take(&mut board, now), Some(1));
        // Each time for longer.
        for seconds in [20, 40, 80, 160, 320, 320] {
            board.leave_out(&fires(100), now);
            board.note(fires(100), 0, now + Duration::from_secs(seconds) - Duration::from_millis(1));
            assert_eq!(board.counts().0, 0, "{seconds} s");
        }
        board.note(fires(100), 0, now + Duration::from_secs(320));
        assert_eq!(board.counts().0, 1);
    }

    #[test]
    fn pauses_grow_with_failures_in_a_row() {
        let (mut board, now) = board();
        let liquidate = task(1, Kind::Liquidate, 0);
        let key = liquidate.account;
        for (failure, seconds) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            board.begin(&liquidate);
            board.end(&key, Next::BackOff(Duration::from_secs(1)), now);
            board.note(liquidate, 0, now);
            let until = now + Duration::from_secs(seconds);
            assert_eq!(board.next_ready(now), Some(until), "failure {failure}");
            assert_eq!(take(&mut board, until - Duration::from_millis(1)), None);
            assert_eq!(take(&mut board, until), Some(1));
        }
        board.begin(&liquidate);
        board.end(&key, Next::After(Duration::from_secs(1)), now);
        board.note(liquidate, 0, now);
        assert_eq!(take(&mut board, now + Duration::from_secs(1)), Some(1));
    }
}
