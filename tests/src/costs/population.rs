//! Positions as a venue may have them, reproducible from a seed: the log-normal distribution of `ballast-rank`'s accuracy
//! measurements.

use ballast_client::units::{Price, Side};

/// SplitMix64 (Steele, Lea, Flood, 2014).
pub struct Random(pub u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }

    fn uniform(&mut self) -> f64 {
        ((self.draw() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Box–Muller.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (core::f64::consts::TAU * self.uniform()).cos()
    }
}

/// One position.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Entry price.
    pub entry: u64,
    /// Bankruptcy price at funding index zero.
    pub bankruptcy: i64,
    /// Size.
    pub lots: u64,
}

/// `count` positions of one side that are still solvent at `mark`: entries log-normal around `around`, leverage log-normal
/// around 8 (1 to 125), sizes log-normal.
pub fn solvent(side: Side, around: Price, mark: Price, count: usize, seed: u64) -> Vec<Position> {
    let mut random = Random(seed);
    let every = std::iter::repeat_with(|| {
        let entry = around.0 as f64 * (random.normal() * 0.12).exp();
        let leverage = (random.normal() * 0.9 + 8f64.ln()).exp().clamp(1.0, 125.0);
        let bankruptcy = match side {
            Side::Long => entry - entry / leverage,
            Side::Short => entry + entry / leverage,
        };
        let lots = (random.normal() * 1.6 + 6.0).exp().clamp(1.0, 5e6);
        Position { entry: entry as u64, bankruptcy: bankruptcy as i64, lots: lots as u64 }
    });
    let is_solvent = |position: &Position| match side {
        Side::Long => position.bankruptcy < mark.0 as i64,
        Side::Short => position.bankruptcy > mark.0 as i64,
    };
    every.filter(is_solvent).take(count).collect()
}
