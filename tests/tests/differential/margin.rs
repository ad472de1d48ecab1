//! Margin as the pages define it: each slice of a notional at its own tier's rate.

use crate::model::{Market, Resting, Slot};

/// An account's, or one position's part of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Health {
    pub equity: i128,
    pub initial_equity: i128,
    pub initial: i128,
    pub maintenance: i128,
}

impl Health {
    pub fn add(&mut self, other: &Health) {
        self.equity += other.equity;
        self.initial_equity += other.initial_equity;
        self.initial += other.initial;
        self.maintenance += other.maintenance;
    }

    pub fn covers_initial(&self) -> bool {
        self.initial_equity >= self.initial
    }

    pub fn excess(&self) -> i128 {
        self.equity - self.maintenance
    }
}

/// What a position and its resting orders are worth and need.
pub fn of_position(slot: &Slot, market: &Market, resting: &[&Resting]) -> Health {
    let price = match slot.lots.signum() {
        1 => market.mark.min(market.last),
        -1 => market.mark.max(market.last),
        _ => market.mark,
    };
    let equity = slot.unsettled + slot.lots * price - slot.basis;
    // What the pool can pay now counts in full; profit beyond that is a promise.
    let payable = slot.unsettled.min(market.pool);
    let promised = equity - payable;
    let kept = if promised > 0 { promised * (10_000 - market.rules.haircut_bps) / 10_000 } else { promised };
    let lots = |buys: bool| resting.iter().filter(|order| order.buys == buys).map(|order| order.lots).sum::<i128>();
    let value = |buys: bool| {
        resting.iter().filter(|order| order.buys == buys).map(|order| order.lots * order.price).sum::<i128>()
    };
    // Whatever fills: all bids, or all asks.
    let worst = (slot.lots + lots(true)).abs().max((slot.lots - lots(false)).abs()).max(slot.lots.abs());
    let given_away = (value(true) - lots(true) * price).max(0) + (lots(false) * price - value(false)).max(0);
    let requirement = |notional: i128, rate: fn(&(i128, i128, i128)) -> i128| -> i128 {
        let tiers = &market.rules.tiers;
        let slices = tiers.iter().enumerate().map(|(at, tier)| {
            let end = tiers.get(at + 1).map_or(notional, |next| next.0).min(notional);
            (end - tier.0).max(0) * rate(tier)
        });
        (slices.sum::<i128>() + 9_999).div_euclid(10_000)
    };
    Health {
        equity,
        initial_equity: payable + kept,
        initial: requirement(worst * price, |tier| tier.2) + given_away,
        maintenance: requirement(slot.lots.abs() * price, |tier| tier.1),
    }
}
