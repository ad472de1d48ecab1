//! Whether to take a position over with the keeper's own account, and how much of it.

use ballast_units::{BPS, Lots, Price, Side};

/// A takeover on offer, and what limits it.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The position's side.
    pub side: Side,
    /// The price per lot.
    pub price: Price,
    /// The mark that the discount is measured from.
    pub mark: Price,
    /// As many lots as restore the account: the program hands no more over.
    pub restoring: Lots,
    /// What insurance has to add per lot, in atoms.
    pub shortfall: u64,
    /// What insurance can pay for this market now, in atoms.
    pub insurance: u64,
}

/// What the operator allows, and what the own account has.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest value of the own position in the market, in atoms.
    pub max_position: u64,
    /// Largest position that the market permits.
    pub max_lots: Lots,
    /// Smallest discount, in basis points.
    pub min_discount_bps: u32,
    /// The own position in the market, positive long.
    pub own: i64,
}

/// How many lots to ask for; `None` when none. `fits` says whether the own account would cover its initial margin with so
/// many more; it holds for fewer lots where it holds for more.
pub fn decide(offer: &Offer, limits: &Limits, fits: impl Fn(Lots) -> bool) -> Option<Lots> {
    if discount_bps(offer) < i64::from(limits.min_discount_bps) {
        return None;
    }
    let insured = offer.insurance.checked_div(offer.shortfall).unwrap_or(u64::MAX);
    let most = offer.restoring.0.min(insured).min(room(offer, limits));
    let lots = largest(most, |lots| fits(Lots(lots)));
    (lots > 0).then_some(Lots(lots))
}

/// What is gained on the mark, in basis points rounded down; negative when it costs.
pub fn discount_bps(offer: &Offer) -> i64 {
    let gain = match offer.side {
        Side::Long => i128::from(offer.mark.0) - i128::from(offer.price.0),
        Side::Short => i128::from(offer.price.0) - i128::from(offer.mark.0),
    };
    let bps = (gain * i128::from(BPS)).div_euclid(i128::from(offer.mark.0.max(1)));
    i64::try_from(bps).unwrap_or(i64::MIN)
}

/// Lots of the offer's side that the own position may still grow by, an opposite one first being closed.
fn room(offer: &Offer, limits: &Limits) -> u64 {
    let most = limits.max_lots.0.min(limits.max_position / offer.mark.0.max(1));
    let held = match offer.side {
        Side::Long => i128::from(limits.own),
        Side::Short => -i128::from(limits.own),
    };
    u64::try_from((i128::from(most) - held).max(0)).unwrap_or(u64::MAX)
}

/// The largest number up to `most` for which `fits` holds, which it does for all smaller ones; 0 when for none.
fn largest(most: u64, fits: impl Fn(u64) -> bool) -> u64 {
    if most > 0 && fits(most) {
        return most;
    }
    let (mut low, mut high) = (0, most);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: Offer = Offer {
        side: Side::Long,
        price: Price(9_900),
        mark: Price(10_000),
        restoring: Lots(50),
        shortfall: 0,
        insurance: 0,
    };
    const LIMITS: Limits = Limits { max_position: 1_000_000, max_lots: Lots(1_000), min_discount_bps: 100, own: 0 };

    #[test]
    fn a_discount_that_is_too_small_is_declined_on_both_sides() {
        assert_eq!(discount_bps(&OFFER), 100);
        assert_eq!(decide(&OFFER, &LIMITS, |_| true), Some(Lots(50)));
        assert_eq!(decide(&OFFER, &Limits { min_discount_bps: 101, ..LIMITS }, |_| true), None);
        let short = Offer { side: Side::Short, ..OFFER };
        assert_eq!(discount_bps(&short), -100);
        assert_eq!(decide(&short, &LIMITS, |_| true), None);
    }

    #[test]
    fn the_own_position_stays_within_its_limit() {
        assert_eq!(decide(&OFFER, &Limits { own: 60, ..LIMITS }, |_| true), Some(Lots(40)));
        assert_eq!(decide(&OFFER, &Limits { own: 100, ..LIMITS }, |_| true), None);
        // An opposite position is closed first.
        let large = Offer { restoring: Lots(500), ..OFFER };
        assert_eq!(decide(&large, &Limits { own: -60, ..LIMITS }, |_| true), Some(Lots(160)));
        assert_eq!(decide(&large, &Limits { max_lots: Lots(30), ..LIMITS }, |_| true), Some(Lots(30)));
    }

    #[test]
    fn no_more_than_insurance_pays_for_is_asked() {
        let bankrupt = Offer { shortfall: 7, insurance: 100, ..OFFER };
        assert_eq!(decide(&bankrupt, &LIMITS, |_| true), Some(Lots(14)));
        assert_eq!(decide(&Offer { insurance: 6, ..bankrupt }, &LIMITS, |_| true), None);
    }

    #[test]
    fn margin_decides_the_rest() {
        for most in 0..50 {
            let expected = (most > 0).then_some(Lots(most));
            assert_eq!(decide(&OFFER, &LIMITS, |lots| lots.0 <= most), expected);
        }
    }
}
