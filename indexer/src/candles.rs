//! Candles: made of trades, one at a time, in the order of the chain.

use crate::{
    db::{DbError, Row, Value},
    items,
};

/// Seconds of the candles that are kept.
pub const INTERVALS: [i64; 6] = [60, 300, 900, 3_600, 14_400, 86_400];

/// Inserts a candle or replaces the one of the same time.
pub const UPSERT: &str = "INSERT INTO candles (market, seconds, time, open, high, low, close, lots, quote, trades)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (market, seconds, time) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, lots = excluded.lots, quote = excluded.quote, trades = excluded.trades";
/// Columns of a candle, as [`Candle::read`] takes them.
pub const COLUMNS: &str = "time, open, high, low, close, lots, quote, trades";

/// When the candle of `seconds` begins in which `time` lies.
pub fn begin(time: i64, seconds: i64) -> i64 {
    time - time.rem_euclid(seconds)
}

/// A candle in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candle {
    /// When it begins.
    pub time: i64,
    open: u64,
    high: u64,
    low: u64,
    close: u64,
    lots: u128,
    quote: u128,
    trades: u64,
}

impl Candle {
    /// Of one trade.
    pub fn new(time: i64, price: u64, lots: u64) -> Candle {
        let mut candle =
            Candle { time, open: price, high: price, low: price, close: price, lots: 0, quote: 0, trades: 0 };
        candle.add(price, lots);
        candle
    }

    /// Adds the next trade.
    pub fn add(&mut self, price: u64, lots: u64) {
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.close = price;
        self.lots = self.lots.saturating_add(lots.into());
        self.quote = self.quote.saturating_add(u128::from(price) * u128::from(lots));
        self.trades += 1;
    }

    /// From a row of [`COLUMNS`].
    ///
    /// # Errors
    /// When the row is none.
    pub fn read(row: &Row) -> Result<Candle, DbError> {
        let number = |at: usize| row.text(at)?.parse().map_err(|_| DbError::Column(at, "a number"));
        let sum = |at: usize| row.text(at)?.parse().map_err(|_| DbError::Column(at, "a number"));
        Ok(Candle {
            time: row.int(0)?,
            open: number(1)?,
            high: number(2)?,
            low: number(3)?,
            close: number(4)?,
            lots: sum(5)?,
            quote: sum(6)?,
            trades: u64::try_from(row.int(7)?).map_err(|_| DbError::Column(7, "a count"))?,
        })
    }

    /// As [`UPSERT`] takes it.
    pub fn row(&self, market: u16, seconds: i64) -> Vec<Value> {
        let text = |value: u64| Value::Text(value.to_string());
        vec![
            market.into(),
            seconds.into(),
            self.time.into(),
            text(self.open),
            text(self.high),
            text(self.low),
            text(self.close),
            self.lots.to_string().into(),
            self.quote.to_string().into(),
            i64::try_from(self.trades).unwrap_or(i64::MAX).into(),
        ]
    }

    /// As it is told.
    pub fn item(&self) -> items::Candle {
        items::Candle {
            time: self.time,
            open: self.open.to_string(),
            high: self.high.to_string(),
            low: self.low.to_string(),
            close: self.close.to_string(),
            lots: self.lots.to_string(),
            quote: self.quote.to_string(),
            trades: self.trades,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candles_begin_at_multiples_of_their_interval() {
        assert_eq!((begin(119, 60), begin(120, 60), begin(-1, 60)), (60, 120, -60));
    }

    #[test]
    fn a_candle_follows_its_trades() {
        let mut candle = Candle::new(60, 100, 2);
        candle.add(110, 1);
        candle.add(90, 3);
        let item = candle.item();
        assert_eq!([item.open, item.high, item.low, item.close], ["100", "110", "90", "90"]);
        assert_eq!((item.lots.as_str(), item.quote.as_str(), item.trades), ("6", "580", 3));
    }
}
