//! When blocks come, and what time the chain believes it is.
//!
//! The node's Clock advances by a fixed step with every block and never looks at the system's time again after the
//! start. So chain time runs as fast as blocks are made: blocks of 400 ms made every 10 ms let an hour pass in 90
//! seconds, with transactions, blockhashes and subscriptions none the wiser. `docs/localnet.md` has the measurements.

use std::{
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use solana_clock::Clock;
use surfpool_types::{BlockProductionMode, SimnetCommand};

use crate::{LocalnetError, control::Control};

/// How late a [`Pacer`] may be and still catch up by making blocks faster than its pace. Beyond that it accepts the
/// delay, because a burst of blocks would expire the blockhashes that keepers hold.
const CATCH_UP: Duration = Duration::from_millis(500);

/// What makes the node close a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Blocks {
    /// Wall time: the chain's clock runs `speed` times as fast as the wall's. 1.0 is how a cluster behaves.
    Paced {
        /// Chain seconds per wall second; positive.
        speed: f64,
    },
    /// Transactions: each is confirmed at once, and followed by as many empty blocks as finalise it. The chain's clock
    /// stands still, and moves by [`ChainClock::jump_to`]. For tests.
    OnTransaction,
    /// Calls to [`ChainClock::produce_block`], or a [`Pacer`] of the caller's. Transactions are executed when they
    /// arrive, and confirmed by the next block.
    Manual,
}

/// A reading of the chain's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainTime {
    /// The slot being filled.
    pub slot: u64,
    /// Milliseconds since 1970. Programs see the whole seconds of it.
    pub unix_ms: u64,
}

impl ChainTime {
    /// What the Clock sysvar's `unix_timestamp` shows, in seconds.
    pub fn unix_s(self) -> i64 {
        i64::try_from(self.unix_ms / 1_000).expect("milliseconds in 64 bits are less than 2^63 seconds")
    }
}

/// Reads and drives the chain's clock. Cheap to clone.
#[derive(Clone)]
pub struct ChainClock {
    control: Control,
    /// Chain time per block where blocks are not tied to transactions, in milliseconds.
    slot_ms: u64,
}

impl ChainClock {
    pub(crate) fn new(control: Control, slot_ms: u64) -> Self {
        Self { control, slot_ms }
    }

    /// What time the chain believes it is.
    pub fn now(&self) -> ChainTime {
        self.control.read(|svm| ChainTime { slot: svm.get_latest_absolute_slot(), unix_ms: svm.updated_at })
    }

    /// Chain time per block in milliseconds, except under [`Blocks::OnTransaction`], where it is 0.
    pub fn slot_ms(&self) -> u64 {
        self.slot_ms
    }

    /// Closes the current block: its transactions are confirmed, the slot and the clock move on by one step.
    pub fn produce_block(&self) -> Result<ChainTime, LocalnetError> {
        self.control.produce_block()?;
        Ok(self.now())
    }

    /// Sets the chain's clock to `unix_s` seconds, forwards or backwards, without making a block. Slots, blockhashes and
    /// subscriptions stay as they are. The times of blocks without transactions are told as if the clock had always run
    /// evenly up to now.
    pub fn jump_to(&self, unix_s: i64) -> Result<ChainTime, LocalnetError> {
        let seconds = u64::try_from(unix_s).map_err(|_| LocalnetError::TimeBeforeEpoch(unix_s))?;
        self.control.change(move |svm| {
            let slot = svm.get_latest_absolute_slot();
            svm.updated_at = seconds.saturating_mul(1_000);
            svm.genesis_updated_at =
                svm.updated_at.saturating_sub(slot.saturating_sub(svm.genesis_slot).saturating_mul(svm.slot_time));
            let clock = Clock { unix_timestamp: unix_s, ..svm.inner.get_sysvar::<Clock>() };
            svm.inner.set_sysvar(&clock);
            ChainTime { slot, unix_ms: svm.updated_at }
        })
    }

    /// Sets the node's own part of a mode: whether transactions make blocks, and how far a block moves the clock.
    pub(crate) fn set_mode(&self, blocks: Blocks) -> Result<(), LocalnetError> {
        let (mode, slot_ms) = match blocks {
            Blocks::OnTransaction => (BlockProductionMode::Transaction, 0),
            Blocks::Paced { .. } | Blocks::Manual => (BlockProductionMode::Manual, self.slot_ms),
        };
        self.control.change(move |svm| svm.slot_time = slot_ms)?;
        self.control.send(SimnetCommand::UpdateBlockProductionMode(mode))
    }
}

/// Makes blocks so that chain time runs at a chosen multiple of wall time.
///
/// Each block has its own due time counted from the start, so the pace does not drift with the cost of making blocks.
pub struct Pacer {
    clock: ChainClock,
    speed: f64,
    wall_origin: Instant,
    chain_origin: ChainTime,
    slipped: Duration,
}

impl Pacer {
    /// A pacer that starts now. The node must be in [`Blocks::Manual`] mode, or blocks come from both sides.
    pub fn new(clock: ChainClock, speed: f64) -> Result<Self, LocalnetError> {
        if !(speed.is_finite() && speed > 0.0) {
            return Err(LocalnetError::Speed(speed));
        }
        if clock.slot_ms == 0 {
            return Err(LocalnetError::ClockStandsStill);
        }
        let chain_origin = clock.now();
        Ok(Self { clock, speed, wall_origin: Instant::now(), chain_origin, slipped: Duration::ZERO })
    }

    /// Makes blocks, each when it is due, until the chain's clock shows `unix_s` seconds or later.
    pub fn run_until(&mut self, unix_s: i64) -> Result<ChainTime, LocalnetError> {
        let mut now = self.clock.now();
        while now.unix_s() < unix_s {
            thread::sleep(self.until_due(now));
            now = self.clock.produce_block()?;
        }
        Ok(now)
    }

    /// How far the pace has fallen behind for good, in wall time: what the machine was too slow for.
    pub fn slipped(&self) -> Duration {
        self.slipped
    }

    /// Wall time until the block after `now` is due. When that is long past, the schedule moves back instead.
    fn until_due(&mut self, now: ChainTime) -> Duration {
        let chain_ms = (now.unix_ms + self.clock.slot_ms).saturating_sub(self.chain_origin.unix_ms);
        let due = self.wall_origin + Duration::from_secs_f64(chain_ms as f64 / 1_000.0 / self.speed);
        let late = Instant::now().saturating_duration_since(due);
        if late > CATCH_UP {
            self.wall_origin += late;
            self.slipped += late;
        }
        due.saturating_duration_since(Instant::now())
    }
}

/// A [`Pacer`] on a thread of its own, until it is dropped.
pub(crate) struct BackgroundPacer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl BackgroundPacer {
    pub(crate) fn start(clock: ChainClock, speed: f64) -> Result<Self, LocalnetError> {
        let mut pacer = Pacer::new(clock, speed)?;
        let (stop, stopped) = bounded(0);
        let thread = thread::Builder::new().name("localnet-pacer".into()).spawn(move || {
            let mut now = pacer.clock.now();
            while stopped.recv_timeout(pacer.until_due(now)) == Err(RecvTimeoutError::Timeout) {
                match pacer.clock.produce_block() {
                    Ok(time) => now = time,
                    Err(error) => {
                        tracing::debug!(%error, "no more blocks");
                        return;
                    }
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for BackgroundPacer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has already been printed, and there is nothing left to stop.
            let _ = thread.join();
        }
    }
}
