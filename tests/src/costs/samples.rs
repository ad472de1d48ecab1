//! Figures of the same thing under random circumstances.

use super::Cost;

/// Some figures, ascending.
pub(super) struct Samples(Vec<u64>);

impl FromIterator<u64> for Samples {
    fn from_iter<I: IntoIterator<Item = u64>>(figures: I) -> Self {
        let mut sorted = Vec::from_iter(figures);
        assert!(!sorted.is_empty(), "something was measured");
        sorted.sort_unstable();
        Samples(sorted)
    }
}

impl Samples {
    /// The figure that `percent` of all do not exceed (nearest rank).
    fn at(&self, percent: usize) -> u64 {
        self.0[(self.0.len() * percent).div_ceil(100).max(1) - 1]
    }

    pub fn median(&self) -> u64 {
        self.at(50)
    }

    /// Median and 95th percentile; the budget is the median's.
    pub fn rows(&self, name: &str, budget: u64) -> [Cost; 2] {
        [
            Cost::units(format!("{name}: median"), self.median()).at_most(budget),
            Cost::units(format!("{name}: 95th percentile"), self.at(95)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let samples: Samples = (1..=20).rev().collect();
        assert_eq!((samples.median(), samples.at(95), samples.at(100)), (10, 19, 20));
        assert_eq!(Samples::from_iter([7]).median(), 7);
    }
}
