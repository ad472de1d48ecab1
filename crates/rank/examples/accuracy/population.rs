//! Positions as venues have them: three distributions, reproducible from a seed.

use ballast_units::Side;

/// The price around which positions were opened, in atoms per lot.
pub const AROUND: f64 = 1_000_000.0;

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

/// How positions are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Entries, leverage and sizes log-normal, isolated margin.
    LogNormal,
    /// Leverage at the round values that venues offer, entries along a month's random walk with clusters at round prices.
    Clustered,
    /// Cross margin: other markets' profit and loss move bankruptcy beyond the entry, or below zero.
    Cross,
}

impl Distribution {
    pub const ALL: [Distribution; 3] = [Distribution::LogNormal, Distribution::Clustered, Distribution::Cross];

    pub fn name(self) -> &'static str {
        match self {
            Distribution::LogNormal => "log-normal",
            Distribution::Clustered => "clustered",
            Distribution::Cross => "cross",
        }
    }

    /// `count` positions on a side.
    pub fn positions(self, side: Side, count: usize, seed: u64) -> Vec<Position> {
        let mut random = Random(seed ^ (side.index() as u64) << 32);
        let mut walk = Walk { price: AROUND };
        (0..count).map(|_| self.position(side, &mut random, &mut walk)).collect()
    }

    fn position(self, side: Side, random: &mut Random, walk: &mut Walk) -> Position {
        let (entry, distance) = match self {
            Distribution::LogNormal => (AROUND * (random.normal() * 0.12).exp(), 1.0 / random.leverage()),
            Distribution::Clustered => (walk.entry(random), 1.0 / random.round_leverage()),
            Distribution::Cross => {
                let entry = AROUND * (random.normal() * 0.12).exp();
                // The account's equity over the position's value, shifted by what other positions won or lost.
                (entry, 1.3 / random.leverage() + random.normal() * 0.12)
            }
        };
        let gap = entry * distance;
        let bankruptcy = match side {
            Side::Long => entry - gap,
            Side::Short => entry + gap,
        };
        let lots = (random.normal() * 1.6 + 6.0).exp().clamp(1.0, 5e6);
        Position { entry: entry.max(1.0) as u64, bankruptcy: bankruptcy as i64, lots: lots as u64 }
    }
}

/// A month's prices.
struct Walk {
    price: f64,
}

impl Walk {
    fn entry(&mut self, random: &mut Random) -> f64 {
        // About a fifth of a percent between trades that are kept, pulled back to where the month began.
        self.price *= (random.normal() * 0.002 - (self.price / AROUND).ln() * 0.0002).exp();
        let round = AROUND / 100.0;
        if random.uniform() < 0.15 { (self.price / round).round() * round } else { self.price }
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Box–Muller.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (core::f64::consts::TAU * self.uniform()).cos()
    }

    /// Log-normal around 8, between 1 and 125.
    fn leverage(&mut self) -> f64 {
        (self.normal() * 0.9 + 8f64.ln()).exp().clamp(1.0, 125.0)
    }

    fn round_leverage(&mut self) -> f64 {
        const OFFERED: [(f64, f64); 10] = [
            (1.0, 0.04),
            (2.0, 0.07),
            (3.0, 0.09),
            (5.0, 0.17),
            (10.0, 0.24),
            (20.0, 0.17),
            (25.0, 0.07),
            (50.0, 0.09),
            (75.0, 0.02),
            (100.0, 0.04),
        ];
        let mut rest = self.uniform();
        for (leverage, share) in OFFERED {
            if rest < share {
                return leverage;
            }
            rest -= share;
        }
        10.0
    }
}
