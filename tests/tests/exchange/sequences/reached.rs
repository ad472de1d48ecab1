//! What a run has been through. A run that proves nothing about deleveraging because nobody was deleveraged would look
//! like one that proves everything.

use std::{collections::BTreeMap, fmt};

use ballast_book::OrderId;
use ballast_client::{
    ballast::events::{Cause, TriggerChange, TriggersRemovedFor},
    events::{Event, cells},
};
use ballast_tests::harness::{Outcome, order_ids};

/// How often each state was reached and each error met.
#[derive(Default)]
pub struct Reached {
    pub states: BTreeMap<&'static str, u64>,
    pub errors: BTreeMap<String, u64>,
    pub instructions: u64,
    /// Claims, in atoms, that no pool had money for at the end of each run.
    pub unpaid: Vec<i64>,
}

/// What every long run must come across.
pub const STATES: [&str; 42] = [
    "an order rested",
    "a pegged order rested",
    "an order traded",
    "a pegged order traded",
    "an order shrank in its place",
    "several orders rested at once",
    "an order met one of its owner or an expired one",
    "a maker's fills were folded",
    "profit was drawn from a pool",
    "a loss was paid into a pool",
    "a claim stayed unpaid",
    "funding was paid",
    "funding was received",
    "a position was liquidated in part",
    "a liquidation found nothing on the book",
    "a position was taken over",
    "insurance paid a taker",
    "a bankrupt position was closed on the book",
    "a position was deleveraged",
    "a deleveraging took several cells",
    "a deleveraging drew on insurance first",
    "longs were deleveraged",
    "shorts were deleveraged",
    "a member found itself deleveraged whole",
    "a member found itself deleveraged in part",
    "a rerank was paid",
    "a settlement was paid",
    "orders were pruned",
    "an account was migrated",
    "a trigger was executed",
    "a trigger was executed in part",
    "a trigger's rest came to rest",
    "a trigger took its pair along",
    "a trailing stop followed the mark",
    "triggers went with their position",
    "a trigger expired",
    "a rung of a ladder was executed",
    "collateral moved between an owner's accounts",
    "volume earned a tier",
    "a referrer was credited",
    "a referrer's earnings became collateral",
    "a maker had a rebate",
];

/// Errors that every long run must meet: the boundaries were tried.
pub const ERRORS: [&str; 26] = [
    "Unauthorized",
    "WrongAccount",
    "DuplicateAccount",
    "MissingMarket",
    "TooLarge",
    "OutsideBand",
    "WouldMatch",
    "NotFilled",
    "NotReducing",
    "OrderNotFound",
    "NothingHere",
    "InsufficientMargin",
    "InsufficientSettled",
    "AccountBankrupt",
    "NotEligible",
    "Cooldown",
    "InsuranceCovers",
    "InsuranceExhausted",
    "SettleSeatsFirst",
    "OracleStale",
    "TriggerNotDue",
    "TriggerNotFound",
    "TriggerAlreadyDue",
    "NothingToProtect",
    "NothingToRatchet",
    "NothingToMatch",
];

impl Reached {
    fn state(&mut self, state: &'static str) {
        *self.states.entry(state).or_default() += 1;
    }

    /// Notes what became of a transaction.
    pub fn note(&mut self, outcome: &Outcome) {
        self.instructions += 1;
        match outcome {
            Ok(receipt) => {
                let events = receipt.events();
                let reranked = events.iter().any(|event| matches!(event, Event::Reranked(_)));
                if reranked && events.iter().any(|event| matches!(event, Event::BountyPaid(_))) {
                    self.state("a rerank was paid");
                }
                if order_ids(receipt).len() > 1 {
                    self.state("several orders rested at once");
                }
                events.iter().for_each(|event| self.event(event));
            }
            Err(refusal) => *self.errors.entry(refusal.name()).or_default() += 1,
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::OrderPlaced(order) => {
                self.state("an order rested");
                if OrderId(order.order_id).is_pegged() {
                    self.state("a pegged order rested");
                }
            }
            Event::OrderReduced(_) => self.state("an order shrank in its place"),
            Event::Traded(trade) => {
                if !trade.fills.is_empty() {
                    self.state("an order traded");
                }
                if trade.fills.iter().any(|fill| OrderId(fill.order_id).is_pegged()) {
                    self.state("a pegged order traded");
                }
                if !trade.removed.is_empty() {
                    self.state("an order met one of its owner or an expired one");
                }
            }
            Event::PositionChanged(change) => match change.cause {
                Cause::Maker => {
                    self.state("a maker's fills were folded");
                    if change.fee < 0 {
                        self.state("a maker had a rebate");
                    }
                }
                Cause::Takeover => self.state("a position was taken over"),
                Cause::Deleveraged if change.lots == 0 => self.state("a member found itself deleveraged whole"),
                Cause::Deleveraged => self.state("a member found itself deleveraged in part"),
                Cause::Bankruptcy => self.state("a bankrupt position was closed on the book"),
                Cause::Taker | Cause::Liquidation | Cause::TakeoverReceived => {}
                Cause::Trigger => self.state("a trigger was executed"),
                Cause::Ladder => self.state("a rung of a ladder was executed"),
            },
            Event::Settled(settled) => {
                match settled.moved {
                    1.. => self.state("profit was drawn from a pool"),
                    0 => {}
                    _ => self.state("a loss was paid into a pool"),
                }
                match settled.funding {
                    1.. => self.state("funding was received"),
                    0 => {}
                    _ => self.state("funding was paid"),
                }
                if settled.unsettled > 0 {
                    self.state("a claim stayed unpaid");
                }
            }
            Event::Liquidated(done) => {
                let by_takeover = done.to_insurance == 0 && done.reward > 0;
                match (done.lots, by_takeover) {
                    (0, _) => self.state("a liquidation found nothing on the book"),
                    (_, false) => self.state("a position was liquidated in part"),
                    (_, true) => {}
                }
                if done.insurance_drawn > 0 {
                    self.state("insurance paid a taker");
                }
            }
            Event::Deleveraged(done) => {
                self.state("a position was deleveraged");
                self.state(if done.longs_reduced { "longs were deleveraged" } else { "shorts were deleveraged" });
                if cells(done).count() > 1 {
                    self.state("a deleveraging took several cells");
                }
                if done.insurance_drawn > 0 {
                    self.state("a deleveraging drew on insurance first");
                }
                if done.in_profit_exhausted {
                    self.state("no profit was left to take lots from");
                }
            }
            Event::BountyPaid(paid) if paid.charged.is_none() => self.state("a settlement was paid"),
            Event::VolumeRolled(rolled) => {
                if rolled.tier > 0 {
                    self.state("volume earned a tier");
                }
                if rolled.referral > 0 {
                    self.state("a referrer was credited");
                }
            }
            Event::ReferralClaimed(_) => self.state("a referrer's earnings became collateral"),
            Event::CollateralTransferred(_) => self.state("collateral moved between an owner's accounts"),
            Event::TriggerExecuted(done) => {
                if !done.done {
                    self.state("a trigger was executed in part");
                }
                if done.rested > 0 {
                    self.state("a trigger's rest came to rest");
                }
                if done.sibling_gone {
                    self.state("a trigger took its pair along");
                }
            }
            Event::TriggerSet(set) if set.cause == TriggerChange::Ratcheted => {
                self.state("a trailing stop followed the mark");
            }
            Event::TriggersRemoved(gone) => match gone.reason {
                TriggersRemovedFor::Cancelled => {}
                TriggersRemovedFor::Expired => self.state("a trigger expired"),
                TriggersRemovedFor::NothingToProtect => self.state("triggers went with their position"),
            },
            Event::OrdersPruned(_) => self.state("orders were pruned"),
            Event::AccountMigrated(_) => self.state("an account was migrated"),
            Event::BadDebtCovered(_) => self.state("insurance paid a debt"),
            _ => {}
        }
    }

    /// Adds another run's.
    pub fn extend(&mut self, other: Reached) {
        self.instructions += other.instructions;
        self.unpaid.extend(other.unpaid);
        for (state, count) in other.states {
            *self.states.entry(state).or_default() += count;
        }
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }

    /// What should have been reached and was not.
    pub fn missing(&self) -> Vec<&str> {
        let states = STATES.into_iter().filter(|state| !self.states.contains_key(state));
        states.chain(ERRORS.into_iter().filter(|error| !self.errors.contains_key(*error))).collect()
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} transactions; unpaid at the end: {:?}", self.instructions, self.unpaid)?;
        self.states.iter().try_for_each(|(state, count)| writeln!(f, "{count:>7}  {state}"))?;
        self.errors.iter().try_for_each(|(error, count)| writeln!(f, "{count:>7}  {error}"))
    }
}
