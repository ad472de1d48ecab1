//! At which mark an account becomes due for liquidation: for whoever wants to know it before.

use crate::health::{Account, Stage};
use ballast_units::{Price, Side};

/// The last mark, in atoms per lot, at which an account keeps its maintenance margin while one market's mark moves
/// against its position of `side` there: an atom below it (above, for a short) the account is due for liquidation.
///
/// `account_at` gives the whole account at a mark between 1 and `highest`. A loss moves equity by the whole position and
/// maintenance margin by less than that (or, for a short, the other way), so the marks that are due lie all on one side,
/// and halving finds the border exactly. `None` where all marks in the range are due, or none is.
///
/// # Errors
/// Whatever `account_at` gives.
pub fn liquidation_price<E>(
    side: Side,
    highest: Price,
    mut account_at: impl FnMut(Price) -> Result<Account, E>,
) -> Result<Option<Price>, E> {
    let mut safe_at = |mark: u64| account_at(Price(mark)).map(|account| account.stage() < Stage::Partial);
    let (mut low, mut high) = (1, highest.0.max(1));
    // A long is safe above the border, a short below it.
    let (bad, good) = match side {
        Side::Long => (low, high),
        Side::Short => (high, low),
    };
    if safe_at(bad)? || !safe_at(good)? {
        return Ok(None);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if safe_at(middle)? == (side == Side::Long) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(Price(match side {
        Side::Long => high,
        Side::Short => low,
    })))
}
