//! What a trader has traded in the last thirty days, and the fee tier that earns.

use bytemuck::{Pod, Zeroable};

use super::FEE_TIERS;

/// Days that count: today and the 29 before.
pub const DAYS: usize = 30;
const WINDOW: u32 = 30;
const _: () = assert!(DAYS == WINDOW as usize);
/// Seconds of a day.
pub const DAY_S: i64 = 86_400;

/// The volumes, in atoms, from which a tier applies, ascending; unused ones at the end are zero.
pub type TierVolumes = [u64; FEE_TIERS];

/// The day of a unix time, counted from 1970; zero before.
#[inline]
pub fn day_of(unix_time: i64) -> u32 {
    u32::try_from(unix_time.max(0) / DAY_S).unwrap_or(u32::MAX)
}

/// Whether tiers' volumes rise, and unused ones are at the end.
pub fn are_ordered(volumes: &TierVolumes) -> bool {
    let used = volumes.iter().take_while(|volume| **volume != 0).count();
    let (used, unused) = volumes.split_at(used);
    used.is_sorted_by(|before, after| before < after) && unused.iter().all(|volume| *volume == 0)
}

/// A tier, and for how long it is earned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// The tier: 0 is the base.
    pub tier: u8,
    /// The first day on which it is no longer earned if nothing more is traded. Zero for the base, which nobody loses.
    pub until: u32,
}

/// Volume by day, in a ring: a day's place is its number modulo [`DAYS`]. Zeroed: nothing traded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Volumes {
    /// The last day that the ring knows of.
    newest: u64,
    /// Atoms by day.
    atoms: [u64; DAYS],
}
const _: () = assert!(size_of::<Volumes>() == 8 + 8 * DAYS);

impl Volumes {
    /// Books what was traded on `day` and is told `today`. What is too old to count is dropped, and so is a future day.
    pub fn add(&mut self, today: u32, day: u32, atoms: u64) {
        self.turn_to(today);
        let newest = self.newest();
        if day <= newest && newest - day < WINDOW {
            let place = &mut self.atoms[place(day)];
            *place = place.saturating_add(atoms);
        }
    }

    /// What counts today, in atoms.
    pub fn total(&self, today: u32) -> u64 {
        let mut now = *self;
        now.turn_to(today);
        now.sum_after(0)
    }

    /// The tier that today's volume earns, and for how long.
    pub fn earned(&self, today: u32, volumes: &TierVolumes) -> Earned {
        let mut now = *self;
        now.turn_to(today);
        let total = now.sum_after(0);
        let reached = volumes.iter().take_while(|volume| **volume != 0 && **volume <= total).count();
        let Some(needed) = reached.checked_sub(1).and_then(|last| volumes.get(last)) else {
            return Earned::default();
        };
        let lost = (1..=WINDOW).find(|days| now.sum_after(*days) < *needed).unwrap_or(WINDOW);
        Earned { tier: u8::try_from(reached).unwrap_or(0), until: now.newest().saturating_add(lost) }
    }

    fn newest(&self) -> u32 {
        u32::try_from(self.newest).unwrap_or(u32::MAX)
    }

    /// Forgets the days that no longer count. Time does not go back.
    fn turn_to(&mut self, today: u32) {
        let newest = self.newest();
        if today <= newest {
            return;
        }
        for passed in 1..=(today - newest).min(WINDOW) {
            self.atoms[place(today - (passed - 1).min(today))] = 0;
        }
        self.newest = today.into();
    }

    /// What still counts `days` days after the newest.
    fn sum_after(&self, days: u32) -> u64 {
        let newest = self.newest();
        let counted = (0..WINDOW.saturating_sub(days)).filter_map(|ago| newest.checked_sub(ago));
        counted.fold(0u64, |sum, day| sum.saturating_add(self.atoms[place(day)]))
    }
}

/// Where a day is in the ring.
fn place(day: u32) -> usize {
    // Below thirty, which every width holds.
    usize::try_from(day % WINDOW).unwrap_or(0)
}
