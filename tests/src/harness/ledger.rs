//! The history of every account, rebuilt from the program's events alone and compared with the accounts themselves: each
//! change of money or of a position is in exactly one event.

use std::collections::BTreeMap;

use ballast_client::{ballast::events::Cause, events::Event, snapshot::Snapshot};
use solana_pubkey::Pubkey;

/// What an account has in one market, in lots and atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Line {
    lots: i64,
    basis: i64,
    unsettled: i64,
}

/// What accounts have, as far as events tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    collateral: BTreeMap<Pubkey, i128>,
    lines: BTreeMap<(Pubkey, u16), Line>,
}

impl Ledger {
    /// A ledger that begins with what accounts have now.
    pub fn from_now(snapshot: &Snapshot) -> Ledger {
        let mut ledger = Ledger::default();
        for (key, account) in snapshot.accounts() {
            ledger.collateral.insert(*key, account.collateral.into());
            for slot in &account.slots {
                let Some(market) = slot.market() else { continue };
                let line = Line { lots: slot.lots, basis: slot.basis, unsettled: slot.unsettled };
                ledger.lines.insert((*key, market), line);
            }
        }
        ledger
    }

    /// Enters the events of one transaction.
    pub fn enter(&mut self, events: &[Event]) {
        let by_takeover = events
            .iter()
            .any(|event| matches!(event, Event::PositionChanged(change) if change.cause == Cause::Takeover));
        for event in events {
            self.enter_one(event, by_takeover);
        }
    }

    fn enter_one(&mut self, event: &Event, by_takeover: bool) {
        match event {
            Event::Deposited(event) => self.pay(&event.account, event.amount.into()),
            Event::Withdrawn(event) => self.pay(&event.account, -i128::from(event.amount)),
            Event::CollateralTransferred(event) => {
                self.pay(&event.from, -i128::from(event.amount));
                self.pay(&event.to, event.amount.into());
            }
            Event::PositionChanged(event) => {
                let settled = i128::from(event.fee).min(self.collateral.get(&event.account).copied().unwrap_or(0));
                self.pay(&event.account, -settled);
                let claimed = i64::try_from(i128::from(event.fee) - settled).expect("a fee");
                let line = self.line(&event.account, event.market);
                line.unsettled += event.cash + event.basis - line.basis - claimed;
                line.basis = event.basis;
                line.lots += event.base;
                assert_eq!(line.lots, event.lots, "the position after the change");
            }
            Event::Settled(event) => {
                self.line(&event.account, event.market).unsettled += event.funding - event.moved;
                self.pay(&event.account, event.moved.into());
            }
            Event::Liquidated(event) => {
                self.draw(&event.account, event.market, event.insurance_drawn);
                // What a taker earns is in the price.
                if !by_takeover {
                    self.pay(&event.credited, event.reward.into());
                    self.pay(&event.account, -i128::from(event.reward) - i128::from(event.to_insurance));
                }
            }
            Event::Deleveraged(event) => self.draw(&event.account, event.market, event.insurance_drawn),
            Event::BadDebtCovered(event) => self.draw(&event.account, event.market, event.paid),
            Event::BountyPaid(event) => {
                self.pay(&event.account, event.amount.into());
                if let Some(charged) = event.charged {
                    self.pay(&charged, -i128::from(event.amount));
                }
            }
            _ => {}
        }
    }

    fn pay(&mut self, account: &Pubkey, amount: i128) {
        *self.collateral.entry(*account).or_default() += amount;
    }

    fn draw(&mut self, account: &Pubkey, market: u16, amount: u64) {
        self.line(account, market).unsettled += i64::try_from(amount).expect("an amount");
    }

    fn line(&mut self, account: &Pubkey, market: u16) -> &mut Line {
        self.lines.entry((*account, market)).or_default()
    }

    /// Compares with the accounts of an exchange.
    ///
    /// # Panics
    /// If they differ.
    pub fn check(&self, snapshot: &Snapshot) {
        for (key, account) in snapshot.accounts() {
            let collateral = self.collateral.get(key).copied().unwrap_or(0);
            assert_eq!(i128::from(account.collateral), collateral, "collateral of {key} by its events");
            for entry in snapshot.markets() {
                let market = entry.keys.index;
                let noted = self.lines.get(&(*key, market)).copied().unwrap_or_default();
                let slot = account.slot_index(market).map(|at| account.slots[at]);
                let held = slot.map_or_else(Line::default, |slot| Line {
                    lots: slot.lots,
                    basis: slot.basis,
                    unsettled: slot.unsettled,
                });
                assert_eq!(held, noted, "{key} in market {market} by its events");
            }
        }
    }
}
