//! Traders who protect themselves, each with a twin who does not: the same market, side, size, deposit and moment of entry.
//! What the two have left at the end is what the protection was worth on this path.

use std::collections::BTreeSet;

use anyhow::Result;
use ballast::logic::Marks;
use ballast_client::{events::Event, instructions, snapshot::Snapshot};
use ballast_localnet::{bulk::Job, exchange::Deployment};
use ballast_units::{Price, Side};
use rand::Rng;
use rand_chacha::ChaCha12Rng;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::crowd::Trader;

/// How far from the entry a stop stands, in parts of the distance at which the deposit is used up (1 ÷ leverage).
const STOP_AT: f64 = 0.5;
/// How far beyond the mark a rung of a ladder may trade, in basis points.
const LADDER_SLIPPAGE_BPS: u16 = 300;
/// The ladder: at a margin ratio of 300 % a quarter, at 200 % half, at 150 % the rest. In basis points.
const LADDER: [(u16, u16); 3] = [(30_000, 2_500), (20_000, 5_000), (15_000, 10_000)];

/// How a trader is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// A stop-loss at a fixed price.
    Stop,
    /// A trailing stop.
    Trailing,
    /// A deleveraging ladder.
    Ladder,
}

const KINDS: [Protection; 3] = [Protection::Stop, Protection::Trailing, Protection::Ladder];

/// A protected trader, and the unprotected one of whom it is the twin.
pub struct Twin {
    pub kind: Protection,
    pub protected: usize,
    pub unprotected: usize,
}

/// Adds a protected twin for so many of the traders with one position, evenly spread and every kind in turn.
pub fn add_twins(
    traders: &mut Vec<Trader>,
    count: usize,
    deployment: &Deployment,
    random: &mut ChaCha12Rng,
) -> Vec<Twin> {
    let isolated: Vec<usize> = (0..traders.len()).filter(|at| traders[*at].plans.len() == 1).collect();
    let count = count.min(isolated.len());
    let mut twins = Vec::new();
    for turn in 0..count {
        let unprotected = isolated[turn * isolated.len() / count];
        let mut secret = [0; 32];
        random.fill(&mut secret);
        let twin = traders[unprotected].twin(Keypair::new_from_array(secret), deployment);
        twins.push(Twin { kind: KINDS[turn % KINDS.len()], protected: traders.len(), unprotected });
        traders.push(twin);
    }
    twins
}

/// The transactions with which those who have a position protect it, at the marks of now.
pub fn protect<'a>(
    twins: &[Twin],
    traders: &'a [Trader],
    deployment: &Deployment,
    snapshot: &Snapshot,
) -> Result<Vec<Job<'a>>> {
    let view = snapshot.view()?;
    let mut jobs = Vec::new();
    for twin in twins {
        let trader = &traders[twin.protected];
        let Some(plan) = trader.plans.first().filter(|plan| trader.entered.contains(&plan.market)) else { continue };
        let market = &deployment.markets[plan.market];
        let Some(state) = view.position(&trader.margin, market.keys.index)? else { continue };
        let Some(side) = state.position.side() else { continue };
        let mark = view.market(market.keys.index)?.market.mark();
        let distance = STOP_AT * trader.deposit as f64 / plan.notional as f64;
        let (owner, margin) = (trader.key.pubkey(), trader.margin);
        let place = |trigger| instructions::place_triggers(&owner, &margin, &market.keys, trigger, None);
        let instruction = match twin.kind {
            Protection::Stop => place(instructions::stop_loss(side, away(mark, side, distance), None)),
            Protection::Trailing => place(instructions::trailing_stop(side, (distance * 1e6) as u32, None)),
            Protection::Ladder => instructions::set_ladder(&owner, &margin, &LADDER, LADDER_SLIPPAGE_BPS),
        };
        jobs.push(Job {
            what: format!("protect a position in {}", market.symbol),
            instructions: vec![instruction],
            signers: vec![&trader.key],
        });
    }
    Ok(jobs)
}

/// The price that a part of the mark away is against a position of `side`.
fn away(mark: Price, side: Side, part: f64) -> Price {
    let distance = (mark.0 as f64 * part) as u64;
    match side {
        Side::Long => Price(mark.0.saturating_sub(distance).max(1)),
        Side::Short => Price(mark.0 + distance),
    }
}

/// What one kind of protection came to.
#[derive(Debug, Serialize)]
pub struct ProtectionReport {
    pub kind: Protection,
    /// Pairs of a protected and an unprotected trader, both of whom entered.
    pub pairs: usize,
    /// What they deposited, in atoms, each half.
    pub deposits: u64,
    /// Equity at the end, in atoms, negative as zero.
    pub protected_equity: u64,
    pub unprotected_equity: u64,
    /// How many of them were liquidated, at any stage.
    pub protected_liquidated: usize,
    pub unprotected_liquidated: usize,
    /// How many were protected by an execution.
    pub executed: usize,
}

/// Compares the twins by their equity in `snapshot`.
pub fn compare(
    twins: &[Twin],
    traders: &[Trader],
    snapshot: &Snapshot,
    events: &[Event],
) -> Result<Vec<ProtectionReport>> {
    let mut liquidated = BTreeSet::new();
    let mut executed = BTreeSet::new();
    for event in events {
        match event {
            Event::Liquidated(done) if done.lots > 0 => drop(liquidated.insert(done.account)),
            Event::TriggerExecuted(done) => drop(executed.insert(done.account)),
            Event::LadderExecuted(done) if done.lots > 0 => drop(executed.insert(done.account)),
            _ => {}
        }
    }
    let equity = |margin: &Pubkey| -> Result<u64> {
        Ok(snapshot.assess(margin, Marks::Current)?.account.equity.positive_part())
    };
    let mut reports = Vec::new();
    for kind in KINDS {
        let mut report = ProtectionReport {
            kind,
            pairs: 0,
            deposits: 0,
            protected_equity: 0,
            unprotected_equity: 0,
            protected_liquidated: 0,
            unprotected_liquidated: 0,
            executed: 0,
        };
        for twin in twins.iter().filter(|twin| twin.kind == kind) {
            let (one, other) = (&traders[twin.protected], &traders[twin.unprotected]);
            if one.entered.is_empty() || other.entered.is_empty() {
                continue;
            }
            report.pairs += 1;
            report.deposits += one.deposit;
            report.protected_equity += equity(&one.margin)?;
            report.unprotected_equity += equity(&other.margin)?;
            report.protected_liquidated += usize::from(liquidated.contains(&one.margin));
            report.unprotected_liquidated += usize::from(liquidated.contains(&other.margin));
            report.executed += usize::from(executed.contains(&one.margin));
        }
        if report.pairs > 0 {
            reports.push(report);
        }
    }
    Ok(reports)
}
