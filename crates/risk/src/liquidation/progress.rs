//! Which step of its liquidation an account is at: by its stage, and by how long it has been there.

use super::LiquidationParams;
use crate::health::{Account, Stage};
use ballast_units::Lots;
use bytemuck::{Pod, Zeroable};

/// For how many seconds beyond the market's cooldown and delay an account may go unseen before its clocks start anew.
pub const MEMORY_S: u32 = 60;

/// How far the liquidation of an account has come. Zeroed: none under way.
///
/// Its clocks only mean something while somebody sees, again and again, that the account is still short of margin. What
/// happened in a longer silence nobody knows: it may have recovered and fallen again. So after
/// [`LiquidationParams::memory_s`] without a step everything starts anew, and nobody can wind up a clock (and with it a
/// discount, or the end of a delay) in one fall to use it in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Progress {
    /// When a takeover was first allowed; zero when it is not.
    pub takeover_since: i64,
    /// When bankruptcy was first seen; zero when it was not.
    pub bankrupt_since: i64,
    /// When the last partial liquidation ran; zero when none did.
    pub partial_at: i64,
    /// Whether it closed any lots (1) or found nothing on the book (0).
    pub partial_filled: u64,
    /// When a step last saw the account short of maintenance margin; zero when none did.
    pub seen_at: i64,
}
const _: () = assert!(size_of::<Progress>() == 40);

/// What anyone may do to an account now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it has its maintenance margin.
    None,
    /// Nothing before this time: the cooldown.
    Wait {
        /// When the cooldown ends.
        until: i64,
    },
    /// Reduce on the book.
    Partial,
    /// Reduce on the book, or take over at the discount of this many seconds.
    Takeover {
        /// Since takeovers were allowed.
        seconds: u64,
    },
    /// As takeover, and insurance may take over too.
    Backstop {
        /// Since takeovers were allowed.
        seconds: u64,
    },
    /// Bankrupt: close on the book or by takeover with insurance paying, and deleverage what is left from the given
    /// time.
    Bankrupt {
        /// Since takeovers were allowed.
        seconds: u64,
        /// When deleveraging is allowed.
        deleverage_from: i64,
    },
}

impl LiquidationParams {
    /// For how many seconds the clocks of an account that nobody looks at go on: past the cooldown and the delay, in
    /// which nothing can be done to it, by [`MEMORY_S`].
    pub fn memory_s(&self) -> u32 {
        self.cooldown_s.max(self.deleverage_delay_s).saturating_add(MEMORY_S)
    }
}

impl Progress {
    /// What may be done now, having brought up to date since when. Call it at every forced step on the account; with
    /// margin restored, or after a silence, it forgets.
    pub fn step(&mut self, account: &Account, now: i64, params: &LiquidationParams) -> Step {
        if self.is_forgotten(now, params) {
            *self = Progress::default();
        }
        self.seen_at = now;
        let cooled = self.partial_at.saturating_add(i64::from(params.cooldown_s));
        let waits = self.partial_at != 0 && now < cooled;
        let failed = self.partial_at != 0 && !waits && self.partial_filled == 0;
        match account.stage() {
            Stage::Healthy | Stage::Restricted => {
                *self = Progress::default();
                return Step::None;
            }
            Stage::Partial if failed => self.bankrupt_since = 0,
            Stage::Partial => {
                (self.takeover_since, self.bankrupt_since) = (0, 0);
                return if waits { Step::Wait { until: cooled } } else { Step::Partial };
            }
            Stage::Takeover => self.bankrupt_since = 0,
            // The discount starts anew, however long it has been seen to grow: so far the account paid for it, from here on
            // insurance does.
            Stage::Bankrupt if self.bankrupt_since == 0 => (self.bankrupt_since, self.takeover_since) = (now, now),
            Stage::Bankrupt => {}
        }
        if self.takeover_since == 0 {
            self.takeover_since = now;
        }
        let seconds = u64::try_from(now.saturating_sub(self.takeover_since)).unwrap_or(0);
        if self.bankrupt_since != 0 {
            let deleverage_from = self.bankrupt_since.saturating_add(i64::from(params.deleverage_delay_s));
            return Step::Bankrupt { seconds, deleverage_from };
        }
        if account.margin_ratio_bps() < i64::from(params.backstop_ratio_bps) {
            Step::Backstop { seconds }
        } else {
            Step::Takeover { seconds }
        }
    }

    /// Notes a partial liquidation and the lots that it closed.
    pub fn note_partial(&mut self, now: i64, closed: Lots) {
        self.seen_at = now;
        self.partial_at = now;
        self.partial_filled = u64::from(!closed.is_zero());
    }

    /// Forgets what no longer holds of an account that a touch, of whatever kind, leaves at `stage`.
    pub fn leave_at(&mut self, stage: Stage) {
        match stage {
            Stage::Healthy | Stage::Restricted => *self = Progress::default(),
            Stage::Partial => {
                self.bankrupt_since = 0;
                // Takeovers are open to an account at this stage only where the book has failed.
                if self.partial_at == 0 || self.partial_filled != 0 {
                    self.takeover_since = 0;
                }
            }
            Stage::Takeover => self.bankrupt_since = 0,
            Stage::Bankrupt => {}
        }
    }

    /// Whether nobody has seen the account for so long that the next step starts its clocks anew.
    pub fn is_forgotten(&self, now: i64, params: &LiquidationParams) -> bool {
        now.saturating_sub(self.seen_at) > i64::from(params.memory_s())
    }

    /// Whether half of that time has passed: time for another step, if the clocks are to go on.
    pub fn fades(&self, now: i64, params: &LiquidationParams) -> bool {
        now.saturating_sub(self.seen_at) > i64::from(params.memory_s() / 2)
    }
}
