//! The cluster's time between two readings of it.
//!
//! Cooldowns and delays end by the cluster's clock, which a keeper reads about once a second. In between it estimates. A
//! local network's clock may run faster than the wall's, or stand still; so the speed is measured, not assumed.

use std::time::{Duration, Instant};

/// How far an estimate goes beyond the last reading, in readings' distances: a clock that is no longer read is not
/// guessed at.
const MOST_AHEAD: f64 = 2.0;
/// Readings closer together than this say nothing about speed: the clock has whole seconds.
const SHORTEST_BASE: Duration = Duration::from_secs(3);
/// Readings older than this are forgotten, so that a change of speed is noticed.
const LONGEST_BASE: Duration = Duration::from_secs(20);

/// The cluster's clock as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct ChainClock {
    readings: Vec<(Instant, i64)>,
}

impl ChainClock {
    /// Notes that it was `unix_time` on the cluster at `at`.
    pub fn read(&mut self, at: Instant, unix_time: i64) {
        if self.readings.last().is_some_and(|(_, before)| unix_time < *before) {
            // Another network, or one that was reset.
            self.readings.clear();
        }
        self.readings.retain(|(then, _)| at.saturating_duration_since(*then) <= LONGEST_BASE);
        self.readings.push((at, unix_time));
    }

    /// The cluster's unix time at `at`; 0 before the first reading.
    pub fn now(&self, at: Instant) -> i64 {
        let Some((last, unix_time)) = self.readings.last() else { return 0 };
        let since = at.saturating_duration_since(*last).as_secs_f64();
        let before = self.readings.iter().rev().nth(1).map_or(*last, |(before, _)| *before);
        let between = last.saturating_duration_since(before).as_secs_f64();
        let ahead = since.min(between * MOST_AHEAD) * self.speed();
        // Seconds since a reading, a small number.
        unix_time.saturating_add(ahead as i64)
    }

    /// Seconds of the cluster in a second of the wall's clock.
    pub fn speed(&self) -> f64 {
        let (Some((first, began)), Some((last, ended))) = (self.readings.first(), self.readings.last()) else {
            return 1.0;
        };
        let wall = last.saturating_duration_since(*first);
        if wall < SHORTEST_BASE {
            return 1.0;
        }
        // A difference of seconds within a few minutes.
        (ended.saturating_sub(*began) as f64 / wall.as_secs_f64()).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(speed: i64, start: Instant) -> ChainClock {
        let mut clock = ChainClock::default();
        for second in 0..6 {
            clock.read(start + Duration::from_secs(second), 1_000 + speed * i64::try_from(second).unwrap());
        }
        clock
    }

    #[test]
    fn time_goes_on_between_readings_at_the_measured_speed() {
        let start = Instant::now();
        let at = start + Duration::from_millis(6_500);
        assert_eq!(clock(1, start).now(at), 1_006);
        assert_eq!(clock(60, start).now(at), 1_300 + 90);
        assert_eq!(clock(0, start).now(at), 1_000);
    }

    #[test]
    fn a_clock_that_is_no_longer_read_is_not_guessed_at() {
        let start = Instant::now();
        assert_eq!(clock(1, start).now(start + Duration::from_secs(600)), 1_007);
    }

    #[test]
    fn a_reset_begins_anew() {
        let start = Instant::now();
        let mut clock = clock(60, start);
        clock.read(start + Duration::from_secs(6), 500);
        assert_eq!(clock.now(start + Duration::from_secs(6)), 500);
        assert_eq!(ChainClock::default().now(start), 0);
    }
}
