//! The deleveraging ladder: an account's own rules, "at a margin ratio of this, reduce by that", carried out before
//! liquidation and for less.
//!
//! The ratio is equity over maintenance margin of the whole account, as liquidation judges it. A rung applies to the
//! position with the most relief at the time of execution. It is due when the ratio is at or below its own, once: what an
//! execution could not trade stays due, and a rung that is used up waits until the ratio has been seen a tenth above its
//! own.

use crate::{BPS, ParamError};
use ballast_units::{Lots, wide};
use bytemuck::{Pod, Zeroable};

/// Rungs of a ladder.
pub const RUNGS: usize = 4;
/// Lowest ratio of a rung: 105 %, above where liquidation begins.
pub const MIN_RATIO_BPS: u16 = 10_500;
/// Highest ratio of a rung: 500 %.
pub const MAX_RATIO_BPS: u16 = 50_000;
/// Smallest part that a rung takes: a percent.
pub const MIN_REDUCE_BPS: u16 = 100;
/// Smallest slippage: a tenth of a percent.
pub const MIN_SLIPPAGE_BPS: u16 = 10;
/// Largest slippage: a tenth.
pub const MAX_SLIPPAGE_BPS: u16 = 1_000;
/// How far above its ratio a rung is armed again: a tenth of it.
const HYSTERESIS_DIVISOR: i64 = 10;
/// Parts of a position in which a rung's rest is counted.
const PPM: u32 = 1_000_000;

/// One rule. All zero: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Rung {
    /// The margin ratio at or below which it is due, in basis points.
    pub ratio_bps: u16,
    /// What part of the position it takes, in basis points.
    pub reduce_bps: u16,
    /// What is left of that part, in millionths of the position as it is now; zero once it is used up.
    pub left_ppm: u32,
}

impl Rung {
    /// A rung that is armed.
    pub fn new(ratio_bps: u16, reduce_bps: u16) -> Rung {
        Rung { ratio_bps, reduce_bps, left_ppm: u32::from(reduce_bps) * (PPM / BPS) }
    }

    fn is_unused(&self) -> bool {
        self.ratio_bps == 0
    }

    /// The ratio from which on it is armed again.
    fn recovered_at(&self) -> i64 {
        let ratio = i64::from(self.ratio_bps);
        ratio + ratio / HYSTERESIS_DIVISOR
    }
}

/// An account's ladder. Zeroed: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Ladder {
    /// Rungs by descending ratio; unused ones at the end are zero.
    pub rungs: [Rung; RUNGS],
    /// How far beyond the mark a rung may trade, in basis points.
    pub slippage_bps: u16,
    /// Zero.
    pub reserved: [u16; 3],
}
const _: () = assert!(size_of::<Ladder>() == 40);

impl Ladder {
    /// A ladder of armed rungs from (ratio, part) in basis points; of none, no ladder.
    ///
    /// # Errors
    /// `Ladder` if there are more than [`RUNGS`], if ratios do not descend, or if a number is out of its bounds: ratios
    /// [`MIN_RATIO_BPS`] to [`MAX_RATIO_BPS`], parts [`MIN_REDUCE_BPS`] to all, slippage [`MIN_SLIPPAGE_BPS`] to
    /// [`MAX_SLIPPAGE_BPS`] (0 without rungs).
    pub fn new(rules: &[(u16, u16)], slippage_bps: u16) -> Result<Ladder, ParamError> {
        if rules.len() > RUNGS {
            return Err(ParamError::Ladder);
        }
        let mut ladder = Ladder { slippage_bps, ..Ladder::default() };
        let mut above = MAX_RATIO_BPS.saturating_add(1);
        for (rung, (ratio_bps, reduce_bps)) in ladder.rungs.iter_mut().zip(rules) {
            let ratio = (MIN_RATIO_BPS..above).contains(ratio_bps);
            if !ratio || *reduce_bps < MIN_REDUCE_BPS || u32::from(*reduce_bps) > BPS {
                return Err(ParamError::Ladder);
            }
            above = *ratio_bps;
            *rung = Rung::new(*ratio_bps, *reduce_bps);
        }
        let slippage = if rules.is_empty() { 0..=0 } else { MIN_SLIPPAGE_BPS..=MAX_SLIPPAGE_BPS };
        if slippage.contains(&slippage_bps) { Ok(ladder) } else { Err(ParamError::Ladder) }
    }

    /// Arms rungs above which the ratio has recovered; whether any was not.
    pub fn rearm(&mut self, ratio_bps: i64) -> bool {
        let mut armed = false;
        for rung in self.rungs.iter_mut().filter(|rung| !rung.is_unused()) {
            let whole = Rung::new(rung.ratio_bps, rung.reduce_bps);
            if ratio_bps >= rung.recovered_at() && *rung != whole {
                *rung = whole;
                armed = true;
            }
        }
        armed
    }

    /// The rung that is due at this ratio: the first that is not used up.
    pub fn due(&self, ratio_bps: i64) -> Option<usize> {
        self.rungs
            .iter()
            .position(|rung| !rung.is_unused() && rung.left_ppm > 0 && ratio_bps <= i64::from(rung.ratio_bps))
    }

    /// How many lots of a position of `position` that rung takes now, rounded up; zero if it is used up or unused.
    pub fn lots(&self, rung: usize, position: Lots) -> Lots {
        let left = self.rungs.get(rung).map_or(0, |rung| rung.left_ppm.min(PPM));
        Lots(wide::scale_ceil(position.0, left, PPM).unwrap_or(0).min(position.0))
    }

    /// Notes that `traded` lots of a position of `position` went by that rung. What is left is a part of what is left of
    /// the position, rounded down: of a rung, no more is ever traded than its part of the position and a lot per
    /// execution, however it is divided.
    pub fn note(&mut self, rung: usize, position: Lots, traded: Lots) {
        let wanted = self.lots(rung, position);
        let Some(rung) = self.rungs.get_mut(rung) else { return };
        let (left, position) = (wanted.0.saturating_sub(traded.0), position.0.saturating_sub(traded.0));
        let part = if position == 0 { Some(0) } else { wide::mul_div_floor_u64(left, u64::from(PPM), position) };
        let part = part.and_then(|part| u32::try_from(part).ok()).unwrap_or(0);
        // The part of what is left is smaller than that of the whole was, but for rounding to whole lots.
        rung.left_ppm = if left == 0 { 0 } else { part.min(rung.left_ppm.saturating_sub(1)) };
    }
}
