//! What a transaction did, read from its events: simulated ones say what is expected, real ones what came of it.

use core::fmt;

use ballast_client::{
    ballast::events::Cause,
    events::{Event, Logged},
};
use solana_pubkey::Pubkey;

/// What a transaction did to the account that it was for, by its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Lots closed, handed over or folded.
    pub lots: u64,
    /// Orders cancelled or pruned.
    pub orders: u64,
    /// Cells of the ranking index reduced.
    pub cells: u64,
    /// Moved from the pool to the account; negative to the pool. In atoms.
    pub moved: i64,
    /// Paid by, or to, insurance, in atoms.
    pub insurance: u64,
    /// Earned by the keeper, in atoms; of a takeover, the discount.
    pub reward: u64,
}

impl Effect {
    /// Reads the events of a transaction for `account`, by a keeper whose margin account is `own`.
    pub fn of(logged: &Logged, account: &Pubkey, own: &Pubkey) -> Effect {
        let mut effect = Effect::default();
        for event in &logged.events {
            effect.add(event, account, own);
        }
        effect
    }

    fn add(&mut self, event: &Event, account: &Pubkey, own: &Pubkey) {
        match event {
            Event::Liquidated(event) if event.account == *account => {
                self.orders = self.orders.saturating_add(event.orders_cancelled.into());
                self.insurance = self.insurance.saturating_add(event.insurance_drawn);
                self.reward = self.reward.saturating_add(event.reward);
            }
            Event::Deleveraged(event) if event.account == *account => {
                let cells = event.cells.len() / 8;
                self.cells = self.cells.saturating_add(u64::try_from(cells).unwrap_or(u64::MAX));
                self.insurance = self.insurance.saturating_add(event.insurance_drawn);
            }
            Event::PositionChanged(event) if event.account == *account => match event.cause {
                Cause::Taker
                | Cause::Maker
                | Cause::Liquidation
                | Cause::Takeover
                | Cause::Bankruptcy
                | Cause::Trigger
                | Cause::Ladder
                | Cause::Deleveraged => self.lots = self.lots.saturating_add(event.base.unsigned_abs()),
                Cause::TakeoverReceived => {}
            },
            Event::OrdersCancelled(event) if event.account == *account => {
                let orders = u64::try_from(event.order_ids.len()).unwrap_or(u64::MAX);
                self.orders = self.orders.max(orders);
            }
            Event::Settled(event) if event.account == *account => {
                self.moved = self.moved.saturating_add(event.moved);
            }
            Event::BadDebtCovered(event) if event.account == *account => {
                self.insurance = self.insurance.saturating_add(event.paid);
            }
            Event::InsuranceFunded(event) if event.source == *account => {
                self.insurance = self.insurance.saturating_add(event.amount);
            }
            Event::BountyPaid(event) if event.account == *own => {
                self.reward = self.reward.saturating_add(event.amount);
            }
            Event::OrdersPruned(event) => {
                let pruned = u64::try_from(event.removed.len()).unwrap_or(u64::MAX);
                self.orders = self.orders.saturating_add(pruned);
            }
            _ => {}
        }
    }

    /// Whether nothing was closed, cancelled, moved or paid.
    pub fn is_nothing(&self) -> bool {
        *self == Effect::default()
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Effect { lots, orders, cells, moved, insurance, reward } = self;
        write!(f, "lots:{lots},orders:{orders},cells:{cells},moved:{moved},insurance:{insurance},reward:{reward}")
    }
}

#[cfg(test)]
mod tests {
    use ballast_client::ballast::events::{BountyPaid, PositionChanged};

    use super::*;

    #[test]
    fn an_effect_is_that_on_its_own_account() {
        let [mine, other, own] = [1, 2, 3].map(|byte| Pubkey::new_from_array([byte; 32]));
        let paid = |account, amount| Event::BountyPaid(BountyPaid { market: 0, account, charged: None, amount });
        let changed = |account, cause, base| {
            Event::PositionChanged(PositionChanged {
                market: 0,
                account,
                cause,
                base,
                cash: 0,
                fee: 0,
                lots: 0,
                basis: 0,
            })
        };
        let logged = Logged {
            events: vec![
                changed(mine, Cause::Takeover, -7),
                changed(other, Cause::TakeoverReceived, 7),
                changed(mine, Cause::Maker, 2),
                paid(own, 40),
                paid(other, 30),
            ],
            ..Logged::default()
        };
        assert_eq!(Effect::of(&logged, &mine, &own), Effect { lots: 9, reward: 40, ..Effect::default() });
        assert!(Effect::of(&logged, &other, &mine).is_nothing());
    }
}
