//! Recorded prices, one per second.
//!
//! A recording is a CSV file with the header `unix_s,price_usd` and a row for each second in which something traded.
//! Between rows the last price holds, as it does for a trader looking at the exchange. `data/README.md` says where the
//! recordings in this repository come from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Decimals that prices are kept with; those of Pyth's crypto feeds, whose exponent is the negative of this.
pub const PRICE_DECIMALS: u32 = 8;

/// A recording that cannot be used.
#[derive(Debug, Error)]
pub enum PriceError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The recording.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line that is not what it should be.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The recording.
        path: PathBuf,
        /// Counted from 1, header included.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Recordings without a second in common.
    #[error("{} starts at {start}, after {} has ended at {end}", late.display(), early.display())]
    NoOverlap {
        /// The recording that starts last.
        late: PathBuf,
        /// Its first second.
        start: i64,
        /// The recording that ends first.
        early: PathBuf,
        /// Its last second.
        end: i64,
    },
    /// A tape of no markets.
    #[error("no recordings were named")]
    Empty,
}

/// The price of one market in every second from its first trade to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricePath {
    source: PathBuf,
    start: i64,
    /// One price per second from `start`, in 10^-8 dollars, each positive.
    prices: Vec<i64>,
}

impl PricePath {
    /// Reads a recording.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PriceError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| PriceError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a recording; `source` is for error messages.
    pub fn parse(text: &str, source: impl Into<PathBuf>) -> Result<Self, PriceError> {
        let source = source.into();
        let fail = |line: usize, problem: String| PriceError::Line { path: source.clone(), line, problem };
        let mut lines = text.lines().zip(1..);
        match lines.next() {
            Some(("unix_s,price_usd", _)) => {}
            _ => return Err(fail(1, "expected the header unix_s,price_usd".into())),
        }
        let mut start = None;
        let mut prices: Vec<i64> = Vec::new();
        for (row, line) in lines {
            let (second, price) = parse_row(row).map_err(|problem| fail(line, problem))?;
            let start = *start.get_or_insert(second);
            let index = usize::try_from(second - start).map_err(|_| fail(line, "earlier than the first row".into()))?;
            match prices.last() {
                Some(_) if index < prices.len() => return Err(fail(line, "not later than the row before".into())),
                Some(&last) => prices.resize(index, last),
                None => {}
            }
            prices.push(price);
        }
        let start = start.ok_or_else(|| fail(1, "no prices follow the header".into()))?;
        Ok(Self { source, start, prices })
    }

    /// The second of the first trade.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The second of the last trade.
    pub fn end(&self) -> i64 {
        self.start + i64::try_from(self.prices.len()).expect("a recording fits in memory") - 1
    }

    /// The last price at or before `unix_s`, in 10^-8 dollars; the final price after the end, none before the start.
    pub fn at(&self, unix_s: i64) -> Option<i64> {
        let index = usize::try_from(unix_s.checked_sub(self.start)?).ok()?;
        self.prices.get(index).or(self.prices.last()).copied()
    }
}

/// The prices of several markets on one clock: from the second in which the last of them has begun to trade, to the
/// second after which the first of them has no more trades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceTape {
    paths: Vec<PricePath>,
    start: i64,
    end: i64,
}

impl PriceTape {
    /// Reads one recording per market, in the order in which prices will be given.
    pub fn load(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self, PriceError> {
        Self::new(paths.into_iter().map(PricePath::load).collect::<Result<_, _>>()?)
    }

    /// Aligns recordings.
    pub fn new(paths: Vec<PricePath>) -> Result<Self, PriceError> {
        let late = paths.iter().max_by_key(|path| path.start).ok_or(PriceError::Empty)?;
        let early = paths.iter().min_by_key(|path| path.end()).ok_or(PriceError::Empty)?;
        let (start, end) = (late.start, early.end());
        if start > end {
            return Err(PriceError::NoOverlap { late: late.source.clone(), start, early: early.source.clone(), end });
        }
        Ok(Self { paths, start, end })
    }

    /// The first second in which every market has a price.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The last second in which every market still trades.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// How many markets there are.
    pub fn markets(&self) -> usize {
        self.paths.len()
    }

    /// Every market's price in a second, in 10^-8 dollars. None outside the tape.
    pub fn at(&self, unix_s: i64) -> Option<Vec<i64>> {
        (self.start..=self.end)
            .contains(&unix_s)
            .then(|| self.paths.iter().filter_map(|path| path.at(unix_s)).collect())
    }

    /// The second from which a window of `seconds` holds the deepest fall of one market, from the window's highest price
    /// to a later lowest one in proportion. For replays that have no time for the whole tape.
    pub fn steepest_window(&self, market: usize, seconds: i64) -> Option<i64> {
        let path = self.paths.get(market)?;
        let last_start = self.end.checked_sub(seconds)?;
        let fall = |start: i64| {
            let (mut high, mut deepest) = (0_i64, 0.0_f64);
            for price in (start..=start + seconds).filter_map(|second| path.at(second)) {
                high = high.max(price);
                deepest = deepest.max(1.0 - price as f64 / high as f64);
            }
            deepest
        };
        // A minute is fine enough a step, and keeps this in milliseconds for hours of recording.
        (self.start..=last_start).step_by(60).max_by(|&a, &b| fall(a).total_cmp(&fall(b)))
    }
}

/// A row's second and its price in 10^-8 dollars.
fn parse_row(row: &str) -> Result<(i64, i64), String> {
    let (second, price) = row.split_once(',').ok_or_else(|| format!("expected two fields, got {row:?}"))?;
    let second = second.parse().map_err(|_| format!("{second:?} is not a unix time in seconds"))?;
    let price = parse_price(price)
        .ok_or_else(|| format!("{price:?} is not a positive price with at most {PRICE_DECIMALS} decimals"))?;
    Ok((second, price))
}

/// Exact, because a price read through floating point would differ between machines in its last digit.
fn parse_price(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let decimals = u32::try_from(fraction.len()).ok().filter(|&length| length <= PRICE_DECIMALS)?;
    if !(digits(whole) && digits(fraction)) {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(10_i64.pow(PRICE_DECIMALS))?;
    let fraction = fraction.parse::<i64>().ok()? * 10_i64.pow(PRICE_DECIMALS - decimals);
    whole.checked_add(fraction).filter(|&price| price > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PricePath {
        PricePath::parse(text, "test.csv").unwrap()
    }

    fn error(text: &str) -> String {
        PricePath::parse(text, "test.csv").unwrap_err().to_string()
    }

    #[test]
    fn the_last_price_holds_until_the_next_trade() {
        let path = path("unix_s,price_usd\n100,1.5\n103,0.00000001\n104,116682.01\n");
        assert_eq!((path.start(), path.end()), (100, 104));
        assert_eq!(path.at(99), None);
        assert_eq!(path.at(100), Some(150_000_000));
        assert_eq!(path.at(102), Some(150_000_000));
        assert_eq!(path.at(103), Some(1));
        assert_eq!(path.at(104), Some(11_668_201_000_000));
        assert_eq!(path.at(i64::MAX), Some(11_668_201_000_000));
        assert_eq!(path.at(i64::MIN), None);
    }

    #[test]
    fn errors_name_file_and_line() {
        let row = |row| error(&format!("unix_s,price_usd\n100,1\n{row}\n"));
        assert_eq!(error("time,price\n"), "test.csv:1: expected the header unix_s,price_usd");
        assert_eq!(error("unix_s,price_usd\n"), "test.csv:1: no prices follow the header");
        assert_eq!(row("101"), "test.csv:3: expected two fields, got \"101\"");
        assert_eq!(row("soon,1"), "test.csv:3: \"soon\" is not a unix time in seconds");
        assert_eq!(row("100,1"), "test.csv:3: not later than the row before");
        assert_eq!(row("99,1"), "test.csv:3: earlier than the first row");
        for price in ["", "-1", "0", "1e5", "1.", ".5", "1.123456789", "99999999999999"] {
            let expected = format!("test.csv:3: {price:?} is not a positive price with at most 8 decimals");
            assert_eq!(error(&format!("unix_s,price_usd\n100,1\n101,{price}\n")), expected);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = PricePath::load("no/such.csv").unwrap_err().to_string();
        assert!(error.starts_with("cannot read no/such.csv: "), "{error}");
    }

    #[test]
    fn markets_share_the_seconds_in_which_all_of_them_trade() {
        let one = path("unix_s,price_usd\n100,1\n105,2\n");
        let other = path("unix_s,price_usd\n102,7\n110,8\n");
        let tape = PriceTape::new(vec![one, other]).unwrap();
        assert_eq!((tape.start(), tape.end(), tape.markets()), (102, 105, 2));
        assert_eq!(tape.at(101), None);
        assert_eq!(tape.at(104), Some(vec![100_000_000, 700_000_000]));
        assert_eq!(tape.at(105), Some(vec![200_000_000, 700_000_000]));
        assert_eq!(tape.at(106), None);
    }

    #[test]
    fn markets_that_never_trade_together_are_refused() {
        let early = PricePath::parse("unix_s,price_usd\n100,1\n105,2\n", "early.csv").unwrap();
        let late = PricePath::parse("unix_s,price_usd\n106,1\n107,2\n", "late.csv").unwrap();
        let error = PriceTape::new(vec![early, late]).unwrap_err().to_string();
        assert_eq!(error, "late.csv starts at 106, after early.csv has ended at 105");
        assert_eq!(PriceTape::new(vec![]).unwrap_err().to_string(), "no recordings were named");
    }

    #[test]
    fn the_recorded_crash_is_whole() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/crash-2025-10-10");
        let tape = PriceTape::load(["BTC", "ETH", "SOL", "AVAX"].map(|m| data.join(m).with_extension("csv"))).unwrap();
        // 20:00 to 24:00 UTC, less the seconds before every market's first trade and after the first market's last.
        assert_eq!((tape.start(), tape.end()), (1_760_126_407, 1_760_140_792));
        let avax: Vec<_> = (tape.start()..=tape.end()).map(|second| tape.at(second).unwrap()[3]).collect();
        assert_eq!(*avax.first().unwrap(), 2_643_000_000);
        assert_eq!(*avax.iter().min().unwrap(), 602_000_000);
        // The low, at 21:21:29 UTC, is inside any window worth replaying.
        let start = tape.steepest_window(3, 4_000).unwrap();
        let low = tape.start() + i64::try_from(avax.iter().position(|&price| price == 602_000_000).unwrap()).unwrap();
        assert!((start..=start + 4_000).contains(&low));
    }
}
