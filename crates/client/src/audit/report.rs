//! What an audit found, for people and for machines.

use core::fmt;

use serde::{Serialize, Serializer};
use solana_pubkey::Pubkey;

use crate::snapshot::Snapshot;

/// What is checked. The numbers are those of [`crate::audit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// 1: the vault covers everything that is settled.
    VaultCovers,
    /// 2: a market's money identity.
    Money,
    /// 3: longs' lots are shorts' lots.
    OpenInterest,
    /// 4: positions are members of their cells.
    Membership,
    /// 5: cells cover their members.
    Cells,
    /// 6: the book is sound.
    Book,
    /// 6: the ranking index is sound.
    Ranks,
    /// 6: seats and slots name each other.
    Seats,
    /// 7: values are in their ranges.
    Bounds,
}

impl Invariant {
    /// A short name.
    pub const fn name(self) -> &'static str {
        match self {
            Invariant::VaultCovers => "vault covers",
            Invariant::Money => "money",
            Invariant::OpenInterest => "open interest",
            Invariant::Membership => "membership",
            Invariant::Cells => "cells",
            Invariant::Book => "book",
            Invariant::Ranks => "ranks",
            Invariant::Seats => "seats",
            Invariant::Bounds => "bounds",
        }
    }
}

/// One check with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub invariant: Invariant,
    /// In which market, if in one.
    pub market: Option<u16>,
    /// Whether it holds.
    pub holds: bool,
    /// What was compared, in atoms, lots or numbers.
    #[serde(serialize_with = "figures")]
    pub figures: Vec<(&'static str, i128)>,
    /// What is wrong, where figures do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// As an object of decimal strings: JSON's readers round large numbers.
fn figures<S: Serializer>(figures: &[(&'static str, i128)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(figures.iter().map(|(name, value)| (name, value.to_string())))
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds { "ok      " } else { "VIOLATED" };
        write!(f, "{verdict}  {:14}", self.invariant.name())?;
        match self.market {
            Some(market) => write!(f, "market {market:<5}")?,
            None => write!(f, "exchange    ")?,
        }
        if let Some(what) = &self.what {
            write!(f, "{what}")?;
        }
        for (at, (name, value)) in self.figures.iter().enumerate() {
            let separator = if at == 0 && self.what.is_none() { "" } else { ", " };
            write!(f, "{separator}{name} {value}")?;
        }
        Ok(())
    }
}

/// All checks of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The exchange.
    #[serde(serialize_with = "display")]
    pub exchange: Pubkey,
    /// The slot of the accounts.
    pub slot: u64,
    /// Atoms in the collateral vault beyond what is owed: zero, unless somebody sent tokens there. Negative when the vault
    /// does not cover it.
    #[serde(serialize_with = "display")]
    pub surplus: i128,
    /// Every check, those that hold included.
    pub checks: Vec<Check>,
}

fn display<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl AuditReport {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        AuditReport { exchange: snapshot.keys.exchange, slot: snapshot.moment.slot, surplus: 0, checks: Vec::new() }
    }

    pub(super) fn check(
        &mut self,
        invariant: Invariant,
        market: Option<u16>,
        holds: bool,
        figures: &[(&'static str, i128)],
    ) {
        self.checks.push(Check { invariant, market, holds, figures: figures.to_vec(), what: None });
    }

    pub(super) fn violated(&mut self, invariant: Invariant, market: Option<u16>, what: String) {
        self.checks.push(Check { invariant, market, holds: false, figures: Vec::new(), what: Some(what) });
    }

    /// Whether every invariant holds.
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// The checks that do not hold.
    pub fn violations(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.holds)
    }

    /// For tests.
    ///
    /// # Panics
    /// With every violation, unless the report is clean and nobody sent tokens to the vault.
    #[track_caller]
    pub fn assert_exact(&self) {
        assert!(self.is_clean() && self.surplus == 0, "{self}");
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exchange {} at slot {}", self.exchange, self.slot)?;
        for check in &self.checks {
            writeln!(f, "  {check}")?;
        }
        let violated = self.violations().count();
        match violated {
            0 => write!(f, "all {} checks hold", self.checks.len()),
            _ => write!(f, "{violated} of {} checks are VIOLATED", self.checks.len()),
        }
    }
}
