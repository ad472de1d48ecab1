//! Where prices come from: a quiet random walk, or the recorded crash again and again; and what somebody makes of them who
//! types a shock.

use std::path::Path;

use anyhow::{Context, Result};
use ballast_localnet::prices::{PricePath, PriceTape};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Normal};

/// Where the quiet walk begins, in dollars: about the prices of the morning of 10 October 2025.
const CALM_PRICES: [(&str, f64); 4] = [("BTC", 121_400.0), ("ETH", 4_350.0), ("SOL", 221.0), ("AVAX", 28.2)];
/// Size of a second's step, relative: a quiet day.
const STEP: f64 = 0.000_12;
/// Part of the way back to the first price that a step takes, so that the network can run for days.
const PULL: f64 = 0.000_5;
/// 10 October 2025, 21:12 and 21:42 UTC.
const CRASH: (i64, i64) = (1_760_130_720, 1_760_132_520);
/// Seconds in which prices glide from the recording's end back to its beginning.
const GLIDE: i64 = 240;
/// Part of a typed shock that wears off in a second.
const HEAL: f64 = 0.002;

/// The prices of all markets.
pub struct Prices {
    path: Box<dyn FnMut() -> Vec<f64>>,
    /// What the path says now, in dollars.
    now: Vec<f64>,
    /// What shocks have made of it, as factors.
    shifts: Vec<f64>,
}

impl Prices {
    /// A quiet day.
    pub fn calm(symbols: &[&str], seed: u64) -> Result<Self> {
        let first = symbols.iter().map(|symbol| calm_price(symbol)).collect::<Result<Vec<_>>>()?;
        let step = Normal::new(0.0, STEP)?;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut prices = first.clone();
        Ok(Self::of(Box::new(move || {
            for (price, first) in prices.iter_mut().zip(&first) {
                *price *= 1.0 + step.sample(&mut random);
                *price += (first - *price) * PULL;
            }
            prices.clone()
        })))
    }

    /// The recorded crash.
    pub fn crash(symbols: &[&str], folder: &Path) -> Result<Self> {
        let paths = symbols.iter().map(|symbol| PricePath::load(folder.join(format!("{symbol}.csv"))));
        let tape = PriceTape::new(paths.collect::<Result<_, _>>()?)?;
        let at = |second: i64| -> Result<Vec<f64>> {
            let prices = tape.at(second).with_context(|| format!("no recorded prices at {second}"))?;
            Ok(prices.iter().map(|price| *price as f64 / 1e8).collect())
        };
        let (begin, end) = CRASH;
        let mut round = (begin..=end).map(at).collect::<Result<Vec<_>>>()?;
        let (first, last) = (at(begin)?, at(end)?);
        round.extend((1..GLIDE).map(|second| {
            let part = second as f64 / GLIDE as f64;
            last.iter().zip(&first).map(|(from, to)| from * (to / from).powf(part)).collect()
        }));
        let mut seconds = round.into_iter().cycle();
        Ok(Self::of(Box::new(move || seconds.next().expect("the recording has seconds"))))
    }

    fn of(mut path: Box<dyn FnMut() -> Vec<f64>>) -> Self {
        let now = path();
        let shifts = vec![1.0; now.len()];
        Prices { path, now, shifts }
    }

    /// The next second.
    pub fn step(&mut self) {
        self.now = (self.path)();
        self.shifts.iter_mut().for_each(|shift| *shift += (1.0 - *shift) * HEAL);
    }

    /// Moves a market's price by so many per cent, at once; it wears off within minutes.
    pub fn shock(&mut self, market: usize, percent: f64) {
        self.shifts[market] *= 1.0 + percent / 100.0;
    }

    /// The prices now, in 10^-8 dollars.
    pub fn posted(&self) -> Vec<i64> {
        self.now.iter().zip(&self.shifts).map(|(price, shift)| (price * shift * 1e8) as i64).collect()
    }
}

fn calm_price(symbol: &str) -> Result<f64> {
    let known = CALM_PRICES.iter().find(|(name, _)| *name == symbol);
    known.map(|(_, price)| *price).with_context(|| format!("no first price is known for {symbol}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crash_comes_round_again() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/crash-2025-10-10");
        let mut prices = Prices::crash(&["BTC", "AVAX"], &data).unwrap();
        let first = prices.posted();
        let mut lowest = first.clone();
        let round = CRASH.1 - CRASH.0 + GLIDE;
        for _ in 0..round {
            let before = prices.posted();
            prices.step();
            for (low, now) in lowest.iter_mut().zip(prices.posted()) {
                *low = now.min(*low);
            }
            assert!(prices.posted()[0] * 100 > before[0] * 97, "BTC never fell by 3 % in a second");
        }
        assert_eq!(prices.posted(), first);
        assert_eq!(lowest[1], 602_000_000);
    }

    #[test]
    fn a_shock_moves_one_market_and_wears_off() {
        let mut prices = Prices::calm(&["BTC", "AVAX"], 1).unwrap();
        let before = prices.posted();
        prices.shock(1, -30.0);
        assert_eq!(prices.posted()[0], before[0]);
        assert!((prices.posted()[1] - before[1] * 7 / 10).abs() <= 1);
        (0..3_600).for_each(|_| prices.step());
        assert!((prices.posted()[1] as f64 / before[1] as f64 - 1.0).abs() < 0.05);
        assert!(Prices::calm(&["DOGE"], 1).is_err());
    }
}
