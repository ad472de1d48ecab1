//! Which step of its liquidation an account is at: by its stage, and by how long it has been there.

use super::LiquidationParams;
use crate::health::{Account, Stage};
use ballast_units::Lots;
use bytemuck::{Pod, Zeroable};

/// How far the liquidation of an account has come. Zeroed: none under way.
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
}
const _: () = assert!(size_of::<Progress>() == 32);

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

impl Progress {
    /// What may be done now, having brought up to date since when. Call it at every touch of the account; with margin
    /// restored, it forgets.
    pub fn step(&mut self, account: &Account, now: i64, params: &LiquidationParams) -> Step {
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
            // The discount starts anew: from here on insurance pays it.
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
        self.partial_at = now;
        self.partial_filled = u64::from(!closed.is_zero());
    }
}
