//! Which accounts a price move can have taken below their maintenance margin, without looking at the others.
//!
//! An account's *room* is the relative move against it, of all its markets at once, that takes its equity to its
//! maintenance margin. Each market has an odometer, which sums up its price's relative moves, up and down. An account is
//! safe as long as no odometer of its markets has gone its room since it was last looked at. So accounts wait in queues by
//! the reading at which they are due, nearest first, and a move costs only what it may have touched.
//!
//! Moves and rooms are in 10^-9. A sum of relative moves bounds the logarithm of the whole move; rooms are logarithms,
//! rounded down, for the same reason.

use std::collections::{BTreeSet, HashMap};

use ballast_risk::mark::MarkState;
use ballast_units::{FUNDING_ONE, Price};
use solana_pubkey::Pubkey;

/// One, as a move.
const ONE: u128 = 1_000_000_000;
/// Accounts with more room than this (a quarter) are looked at as if they had this.
const MOST_ROOM: u128 = ONE / 4;
/// ln(1 + 1/4) ÷ (1/4), rounded down: what is left of a room as a logarithm, at most [`MOST_ROOM`].
const AS_LOGARITHM: (u128, u128) = (89, 100);
/// A move that nobody has room for.
const EVERYTHING: u64 = 1_000_000_000;

/// How far an account can be moved before it is due: `slack` (equity less maintenance margin) over the value of its
/// positions and what they add to the margin when they grow. Zero when it is due already.
pub fn room(slack: i64, notional: u128, largest_rate_bps: u32) -> u64 {
    let Ok(slack) = u128::try_from(slack) else { return 0 };
    if notional == 0 {
        return EVERYTHING;
    }
    let exposed = notional.saturating_mul(10_000 + u128::from(largest_rate_bps));
    let room = (slack * 10_000 * ONE / exposed).min(MOST_ROOM);
    u64::try_from(room * AS_LOGARITHM.0 / AS_LOGARITHM.1).unwrap_or(0)
}

/// What of a market moves its accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    marks: [u64; 4],
    funding_index: i64,
}

impl Prices {
    /// The prices that liquidation takes its best of, and funding.
    pub fn of(state: &MarkState, funding_index: i64) -> Self {
        let MarkState { supported, tick, previous_tick, .. } = state;
        Prices { marks: [state.held().0, supported.0, tick.0, previous_tick.0], funding_index }
    }

    /// Once a price stands: two ticks support it and the mark has come to it.
    pub fn standing(price: Price, funding_index: i64) -> Self {
        Prices { marks: [price.0; 4], funding_index }
    }

    /// The largest relative move from `self` to `next`, rounded up.
    pub fn moved(&self, next: &Prices) -> u64 {
        let pairs = self.marks.iter().zip(&next.marks);
        let marks =
            pairs.map(|(before, after)| relative(before.abs_diff(*after), *before.min(after))).max().unwrap_or(0);
        let paid = next.funding_index.abs_diff(self.funding_index).div_ceil(FUNDING_ONE.unsigned_abs());
        let lowest = next.marks.iter().copied().min().unwrap_or(0);
        marks.saturating_add(relative(paid, lowest)).min(EVERYTHING)
    }
}

fn relative(difference: u64, price: u64) -> u64 {
    match (difference, price) {
        (0, _) => 0,
        // The first price, or the first that is supported.
        (_, 0) => EVERYTHING,
        _ => u64::try_from((u128::from(difference) * ONE).div_ceil(u128::from(price))).unwrap_or(EVERYTHING),
    }
}

/// One market's odometer and the accounts that wait at it.
#[derive(Default)]
struct Market {
    prices: Option<Prices>,
    travelled: u64,
    due: BTreeSet<(u64, Pubkey)>,
}

/// All markets' queues.
#[derive(Default)]
pub struct Queues {
    markets: HashMap<u16, Market>,
    /// Where each account waits: markets and readings.
    accounts: HashMap<Pubkey, Vec<(u16, u64)>>,
}

impl Queues {
    /// Puts an account, just looked at, to where it waits; in no market, it does not.
    pub fn put(&mut self, key: Pubkey, markets: &[u16], room: u64) {
        self.remove(&key);
        let mut places = Vec::with_capacity(markets.len());
        for index in markets {
            let market = self.markets.entry(*index).or_default();
            let due = market.travelled.saturating_add(room);
            market.due.insert((due, key));
            places.push((*index, due));
        }
        if !places.is_empty() {
            self.accounts.insert(key, places);
        }
    }

    /// Forgets an account.
    pub fn remove(&mut self, key: &Pubkey) {
        for (index, due) in self.accounts.remove(key).unwrap_or_default() {
            if let Some(market) = self.markets.get_mut(&index) {
                market.due.remove(&(due, *key));
            }
        }
    }

    /// A market's prices now. Returns the accounts that are due, nearest to the edge first; they are to be put back.
    pub fn advance(&mut self, index: u16, prices: Prices) -> Vec<Pubkey> {
        let market = self.markets.entry(index).or_default();
        let moved = market.prices.map_or(EVERYTHING, |before| before.moved(&prices));
        market.prices = Some(prices);
        market.travelled = market.travelled.saturating_add(moved);
        let due: Vec<_> =
            market.due.range(..=(market.travelled, Pubkey::from([u8::MAX; 32]))).map(|(_, key)| *key).collect();
        for key in &due {
            self.remove(key);
        }
        due
    }

    /// Whether a further move in a market would make any account due.
    pub fn reaches(&self, index: u16, moved: u64) -> bool {
        let Some(market) = self.markets.get(&index) else { return false };
        market.due.first().is_some_and(|(due, _)| *due <= market.travelled.saturating_add(moved))
    }

    /// All accounts that wait at a market, nearest to the edge first; they are to be put back.
    pub fn take_all(&mut self, index: u16) -> Vec<Pubkey> {
        let Some(market) = self.markets.get(&index) else { return Vec::new() };
        let all: Vec<_> = market.due.iter().map(|(_, key)| *key).collect();
        for key in &all {
            self.remove(key);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn at(price: u64) -> Prices {
        Prices::of(
            &MarkState {
                mark: Price(price),
                supported: Price(price),
                tick: Price(price),
                previous_tick: Price(price),
                ..MarkState::default()
            },
            0,
        )
    }

    /// A queue at price 10,000 after its first tick.
    fn queues() -> Queues {
        let mut queues = Queues::default();
        assert!(queues.advance(0, at(10_000)).is_empty());
        queues
    }

    #[test]
    fn only_accounts_that_the_move_may_have_touched_are_due_and_the_nearest_comes_first() {
        let mut queues = queues();
        for (number, percent) in [(1, 5), (2, 1), (3, 2)] {
            queues.put(key(number), &[0], percent * 10_000_000);
        }
        assert_eq!(queues.advance(0, at(9_950)), []);
        let moved = |price| at(9_950).moved(&Prices::standing(Price(price), 0));
        assert!(queues.reaches(0, moved(9_890)) && !queues.reaches(0, moved(9_910)) && !queues.reaches(1, EVERYTHING));
        assert_eq!(queues.advance(0, at(9_790)), [key(2), key(3)]);
        assert_eq!(queues.advance(0, at(9_790)), []);
        assert_eq!(queues.take_all(0), [key(1)]);
    }

    #[test]
    fn an_account_in_two_markets_is_due_by_either_and_leaves_both_queues() {
        let mut queues = queues();
        queues.advance(1, at(500));
        queues.put(key(1), &[0, 1], 10_000_000);
        assert_eq!(queues.advance(1, at(510)), [key(1)]);
        assert_eq!(queues.advance(0, at(5_000)), []);
    }

    #[test]
    fn the_first_price_and_the_first_supported_price_make_everybody_due() {
        let mut queues = Queues::default();
        queues.put(key(1), &[0], room(1_000_000, 1, 0));
        let mut first = at(100);
        first.marks[3] = 0;
        assert_eq!(queues.advance(0, first), [key(1)]);
        queues.put(key(1), &[0], room(1_000_000, 1, 0));
        assert_eq!(queues.advance(0, at(100)), [key(1)]);
    }

    #[test]
    fn funding_moves_accounts_too() {
        let mut paid = at(10_000);
        paid.funding_index = 100 * FUNDING_ONE;
        assert_eq!(at(10_000).moved(&paid), 10_000_000);
    }

    /// An account of one position, followed tick by tick: never below maintenance without having been due.
    #[test]
    fn no_path_of_prices_takes_an_account_below_maintenance_unnoticed() {
        let mut random = 12_345u64;
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random >> 33
        };
        for round in 0..400u64 {
            let long = round % 2 == 0;
            let (lots, rate_bps, entry) = (1_000i64, 50 + next() % 500, 10_000 + next() % 1_000_000);
            let slack_of = |price: u64| {
                let value = lots * i64::try_from(price).unwrap();
                let paid = lots * i64::try_from(entry).unwrap();
                let profit = if long { value - paid } else { paid - value };
                let collateral = paid / (2 + i64::try_from(round % 40).unwrap());
                collateral + profit - value * i64::try_from(rate_bps).unwrap() / 10_000
            };
            let mut queues = Queues::default();
            let mut price = entry;
            queues.advance(0, at(price));
            let rate = u32::try_from(rate_bps).unwrap();
            let put = |queues: &mut Queues, price: u64| {
                queues.put(key(1), &[0], room(slack_of(price), u128::from(1_000 * price), rate));
            };
            put(&mut queues, price);
            while slack_of(price) >= 0 {
                let step = price * (next() % 300) / 10_000;
                // Drifting against the account, so that the loop ends.
                let against = next() % 3 != 0;
                price = if against == long { price - step } else { price + step };
                if !queues.advance(0, at(price)).is_empty() {
                    put(&mut queues, price);
                } else {
                    assert!(slack_of(price) >= 0, "round {round}: {price} from {entry}");
                }
            }
        }
    }
}
