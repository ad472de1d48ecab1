//! The history of every account, rebuilt from the program's events alone: fills, position changes, funding, fees,
//! settlements, liquidations, deleveragings, transfers, and what it all adds up to.
//!
//! Each change of money or of a position is in exactly one event, so what events add up to is what the accounts hold, to the
//! atom: [`History::compare`] says whether it is. The program's tests do that after every transaction.
//!
//! Feed it the events of every transaction of an exchange, from its founding on and in order ([`History::enter`]); the
//! events of one transaction come from [`crate::record::recorded`]. A transaction that is left out, or whose events are unknown
//! to this client, leaves a gap that [`History::compare`] shows.

mod entry;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ballast::{
    events::{Cause, FundingHour, Liquidated, PositionChanged, Settled, Traded},
    state::Slot,
};
use solana_pubkey::Pubkey;

pub use entry::{Entry, What};

use crate::{
    events::Event,
    snapshot::{Moment, Snapshot},
};

/// What an account has in one market as of its last touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Position in lots, positive long.
    pub lots: i64,
    /// What it cost, in atoms.
    pub basis: i64,
    /// Realised profit that is not money yet, or loss not paid yet.
    pub unsettled: i64,
}

/// One account: what it has, and how that came about.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// Settled collateral, in atoms.
    pub collateral: i128,
    /// What it has in markets, by their index; empty lines are left out.
    pub lines: BTreeMap<u16, Line>,
    /// Fees paid less rebates received so far, in atoms.
    pub fees: i128,
    /// Funding received less paid so far, in atoms.
    pub funding: i128,
    /// Everything that happened, oldest first.
    pub entries: Vec<Entry>,
}

/// Where events and an account differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// In settled collateral.
    #[error("account {account}: {held} atoms of collateral, {rebuilt} by its events")]
    Collateral {
        /// The account.
        account: Pubkey,
        /// What it holds.
        held: i128,
        /// What its events add up to.
        rebuilt: i128,
    },
    /// In a market.
    #[error("account {account} in market {market}: {held:?}, {rebuilt:?} by its events")]
    Line {
        /// The account.
        account: Pubkey,
        /// The market.
        market: u16,
        /// What it holds.
        held: Line,
        /// What its events add up to.
        rebuilt: Line,
    },
}

/// All accounts of an exchange, and the funding of its markets.
#[derive(Clone, Debug, Default)]
pub struct History {
    statements: BTreeMap<Pubkey, Statement>,
    hours: BTreeMap<u16, Vec<FundingHour>>,
    /// Who sits in a market's seat, by the last order that was placed from it: a seat changes hands only when empty.
    seats: BTreeMap<(u16, u32), Pubkey>,
    /// Why a position last changed.
    causes: BTreeMap<(Pubkey, u16), Cause>,
}

impl Line {
    fn of(slot: &Slot) -> Line {
        Line { lots: slot.lots, basis: slot.basis, unsettled: slot.unsettled }
    }
}

impl History {
    /// A history that begins with what accounts hold now.
    pub fn from_now(snapshot: &Snapshot) -> History {
        let mut history = History::default();
        for (key, account) in snapshot.accounts() {
            let statement = history.statements.entry(*key).or_default();
            statement.collateral = account.collateral.into();
            for slot in &account.slots {
                let Some(market) = slot.market() else { continue };
                statement.lines.insert(market, Line::of(slot));
                history.seats.insert((market, slot.seat), *key);
            }
        }
        history
    }

    /// Enters the events of one transaction.
    pub fn enter(&mut self, moment: Moment, events: &[Event]) {
        for event in events {
            self.enter_one(moment, event);
        }
    }

    /// One account's history.
    pub fn account(&self, key: &Pubkey) -> Option<&Statement> {
        self.statements.get(key)
    }

    /// All accounts that there ever were.
    pub fn accounts(&self) -> impl Iterator<Item = (&Pubkey, &Statement)> {
        self.statements.iter()
    }

    /// A market's hours of funding, oldest first.
    pub fn funding_hours(&self, market: u16) -> &[FundingHour] {
        self.hours.get(&market).map_or(&[], Vec::as_slice)
    }

    fn enter_one(&mut self, moment: Moment, event: &Event) {
        match event {
            Event::AccountOpened(e) => {
                self.note(moment, &e.account, 0, What::Opened { owner: e.owner, number: e.number });
            }
            Event::AccountClosed(e) => self.note(moment, &e.account, 0, What::Closed),
            Event::DelegateSet(e) => self.note(moment, &e.account, 0, What::Delegated { delegate: e.delegate }),
            Event::Deposited(e) => self.pay(moment, &e.account, e.amount.into()),
            Event::Withdrawn(e) => self.pay(moment, &e.account, -i128::from(e.amount)),
            Event::CollateralTransferred(e) => {
                let amount = i128::from(e.amount);
                self.note(moment, &e.from, -amount, What::Transferred { other: e.to, amount: -amount });
                self.note(moment, &e.to, amount, What::Transferred { other: e.from, amount });
            }
            Event::OrderPlaced(e) => {
                self.seats.insert((e.market, e.seat), e.account);
            }
            Event::Traded(e) => self.fills(moment, e),
            Event::PositionChanged(e) => self.position(moment, e),
            Event::Settled(e) => self.settled(moment, e),
            Event::Liquidated(e) => self.liquidated(moment, e),
            Event::Deleveraged(e) => self.insured(moment, &e.account, e.market, e.insurance_drawn),
            Event::BadDebtCovered(e) => self.insured(moment, &e.account, e.market, e.paid),
            Event::BountyPaid(e) => {
                let (market, amount) = (e.market, i128::from(e.amount));
                self.note(moment, &e.account, amount, What::Worked { market, amount });
                if let Some(charged) = &e.charged {
                    self.note(moment, charged, -amount, What::Worked { market, amount: -amount });
                }
            }
            Event::ReferralClaimed(e) => {
                self.note(moment, &e.account, e.amount.into(), What::Referral { amount: e.amount });
            }
            Event::FundingHour(e) => self.hours.entry(e.market).or_default().push(e.clone()),
            _ => {}
        }
    }

    /// Adds to an account's collateral, and a line to its history.
    fn note(&mut self, moment: Moment, account: &Pubkey, paid: i128, what: What) {
        let statement = self.statements.entry(*account).or_default();
        statement.collateral += paid;
        statement.entries.push(Entry { moment, what, collateral: statement.collateral });
    }

    fn pay(&mut self, moment: Moment, account: &Pubkey, amount: i128) {
        self.note(moment, account, amount, What::Paid { amount });
    }

    /// Changes what an account has in a market.
    fn change(&mut self, account: &Pubkey, market: u16, change: impl FnOnce(&mut Line)) {
        let statement = self.statements.entry(*account).or_default();
        let mut line = statement.lines.get(&market).copied().unwrap_or_default();
        change(&mut line);
        if line == Line::default() {
            statement.lines.remove(&market);
        } else {
            statement.lines.insert(market, line);
        }
    }

    fn fills(&mut self, moment: Moment, trade: &Traded) {
        for fill in &trade.fills {
            let filled = |maker, bought| What::Filled {
                market: trade.market,
                maker,
                bought,
                price: fill.price,
                lots: fill.lots,
                order_id: fill.order_id,
            };
            self.note(moment, &trade.taker, 0, filled(false, trade.bought));
            if let Some(maker) = self.seats.get(&(trade.market, fill.seat)).copied() {
                self.note(moment, &maker, 0, filled(true, !trade.bought));
            }
        }
    }

    /// A trade changes `unsettled − basis` by its cash; the fee is charged to collateral first, then to unsettled profit. A
    /// rebate is a negative fee, and goes to collateral.
    fn position(&mut self, moment: Moment, e: &PositionChanged) {
        let fee = e.fee;
        let statement = self.statements.entry(e.account).or_default();
        statement.fees += i128::from(fee);
        let settled = i128::from(fee).min(statement.collateral);
        let claimed = i64::try_from(i128::from(fee) - settled).unwrap_or(i64::MAX);
        self.change(&e.account, e.market, |line| {
            line.unsettled = line.unsettled.wrapping_add(e.cash).wrapping_add(e.basis).wrapping_sub(line.basis);
            line.unsettled = line.unsettled.wrapping_sub(claimed);
            (line.basis, line.lots) = (e.basis, line.lots.wrapping_add(e.base));
        });
        self.causes.insert((e.account, e.market), e.cause);
        let (market, cause, base, cash, lots) = (e.market, e.cause, e.base, e.cash, e.lots);
        self.note(moment, &e.account, -settled, What::Position { market, cause, base, cash, fee, lots });
    }

    fn settled(&mut self, moment: Moment, e: &Settled) {
        self.change(&e.account, e.market, |line| {
            line.unsettled = line.unsettled.wrapping_add(e.funding).wrapping_sub(e.moved);
        });
        if e.funding != 0 {
            self.statements.entry(e.account).or_default().funding += i128::from(e.funding);
            self.note(moment, &e.account, 0, What::Funding { market: e.market, amount: e.funding });
        }
        if e.moved != 0 {
            self.note(moment, &e.account, e.moved.into(), What::Settled { market: e.market, amount: e.moved });
        }
    }

    /// What a takeover brings its taker is in the price, so that only a liquidation on the book moves fees.
    fn liquidated(&mut self, moment: Moment, e: &Liquidated) {
        let by_takeover = self.causes.get(&(e.account, e.market)) == Some(&Cause::Takeover);
        let (reward, fee) = match by_takeover {
            true => (0, 0),
            false => (i128::from(e.reward), i128::from(e.reward) + i128::from(e.to_insurance)),
        };
        let (market, stage, lots) = (e.market, e.stage, e.lots);
        self.note(moment, &e.account, -fee, What::Liquidated { market, stage, lots, fee });
        if reward > 0 {
            self.note(moment, &e.credited, reward, What::Worked { market, amount: reward });
        }
        self.insured(moment, &e.account, e.market, e.insurance_drawn);
    }

    fn insured(&mut self, moment: Moment, account: &Pubkey, market: u16, amount: u64) {
        if amount == 0 {
            return;
        }
        self.change(account, market, |line| line.unsettled = line.unsettled.wrapping_add_unsigned(amount));
        self.note(moment, account, 0, What::Insured { market, amount });
    }

    /// Compares with the accounts of an exchange at the same moment.
    ///
    /// # Errors
    /// The first [`Difference`]: events are missing, or belong to another exchange.
    pub fn compare(&self, snapshot: &Snapshot) -> Result<(), Difference> {
        let nothing = Statement::default();
        for (key, account) in snapshot.accounts() {
            let statement = self.statements.get(key).unwrap_or(&nothing);
            let held = i128::from(account.collateral);
            if held != statement.collateral {
                return Err(Difference::Collateral { account: *key, held, rebuilt: statement.collateral });
            }
            for market in snapshot.markets().map(|entry| entry.keys.index) {
                let slot = account.slot_index(market).and_then(|at| account.slots.get(at));
                let held = slot.map_or_else(Line::default, Line::of);
                let rebuilt = statement.lines.get(&market).copied().unwrap_or_default();
                if held != rebuilt {
                    return Err(Difference::Line { account: *key, market, held, rebuilt });
                }
            }
        }
        Ok(())
    }
}
