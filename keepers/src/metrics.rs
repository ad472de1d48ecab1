//! What Prometheus is told.

use anyhow::Result;
use ballast_ops::metrics::Register;
use prometheus::{Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};
use solana_pubkey::Pubkey;

use crate::{
    effect::Effect,
    outcome::Outcome,
    task::{Kind, STAGES, Task, stage_name},
};

/// Slots from the price that made an account eligible to the transaction.
const REACTION_BUCKETS: [f64; 12] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0, 40.0, 80.0, 150.0];
/// Seconds of one pass of decisions.
const PASS_BUCKETS: [f64; 9] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/// All metrics of a keeper.
pub struct Metrics {
    register: Register,
    /// Whose keeper it is.
    info: IntGaugeVec,
    /// Margin accounts in the view, by stage.
    pub accounts: IntGaugeVec,
    /// Margin accounts that cannot be assessed now.
    pub unassessable: IntGauge,
    /// Tasks waiting for their turn.
    pub waiting: IntGauge,
    /// Tasks under way.
    pub in_flight: IntGauge,
    /// Attempts that were simulated.
    pub attempts: IntCounterVec,
    /// Transactions sent.
    pub sent: IntCounterVec,
    /// Transactions that landed and succeeded.
    pub confirmed: IntCounterVec,
    /// Attempts that did not, by reason.
    pub failed: IntCounterVec,
    /// Confirmed transactions that did something else than their simulation.
    pub surprises: IntCounterVec,
    /// Slots between cause and effect.
    pub reaction: HistogramVec,
    /// Seconds from news to decisions.
    pub pass: Histogram,
    /// Fees and rent paid, in lamports.
    pub spent: IntCounter,
    /// Rewards earned, in atoms.
    pub rewards: IntCounterVec,
    /// The keeper's SOL, in lamports.
    pub balance: IntGauge,
    /// Collateral of the keeper's own margin account, in atoms.
    pub collateral: IntGauge,
    /// Whether the subscriptions are in place.
    pub connected: IntGauge,
    /// How often they went.
    pub disconnections: IntCounter,
    /// For how long they have been silent although slots passed.
    pub silence: Gauge,
    /// Newest slot heard of.
    pub slot: IntGauge,
    /// Snapshots taken to repair the view.
    pub repairs: IntCounter,
    /// Accounts that the subscriptions had missed when a snapshot was taken.
    pub missed: IntCounter,
    /// What insurance can pay, by market, in atoms.
    pub insurance: GaugeVec,
    /// Age of each market's price, in seconds of the cluster's clock.
    pub price_age: IntGaugeVec,
    /// Value of the positions of each side of each market at the mark, in atoms.
    pub open_interest: GaugeVec,
    /// What insurance can pay beside the larger side's value, by market, in basis points.
    pub insurance_share: IntGaugeVec,
    /// Least move at which any account reaches a stage, by market, stage and direction, in millionths.
    pub nearest: IntGaugeVec,
    /// Largest position of a side, in basis points of it.
    pub largest: IntGaugeVec,
    /// What a shock would close, by market and per cent, in atoms.
    pub shock_closed: GaugeVec,
    /// What bankrupt positions would lack.
    pub shock_bad_debt: GaugeVec,
    /// What would be deleveraged, both sides.
    pub shock_deleveraged: GaugeVec,
    /// How long the last computation of these took.
    pub risk_seconds: Gauge,
    /// Triggers that wait, by market.
    pub triggers: IntGaugeVec,
    /// Most columns by which a position is out of place in the ranking index, by market.
    pub rank_drift: IntGaugeVec,
    /// Whether the spending cap has stopped the keeper.
    pub capped: IntGauge,
    /// Whether routine work has used up its share of the cap.
    pub routine_capped: IntGauge,
    /// What was left out because it was not worth its cost.
    pub unprofitable: IntCounterVec,
    /// What a SOL is taken to cost, in atoms.
    pub sol_price: IntGauge,
    /// Speed of the cluster's clock.
    pub clock_speed: Gauge,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Never, unless two metrics have one name.
    pub fn new() -> Result<Metrics> {
        let register = Register::new("ballast_keeper")?;
        let r = &register;
        let shock = |name: &str, help: &str| r.reals(name, help, &["market", "percent"]);
        let metrics = Metrics {
            info: r.gauges("info", "1: which exchange it keeps, and with which key", &["exchange", "signer"])?,
            accounts: r.gauges("accounts", "Margin accounts watched, by stage", &["stage"])?,
            unassessable: r.gauge("accounts_unassessable", "Margin accounts that cannot be assessed now")?,
            waiting: r.gauge("tasks_waiting", "Tasks waiting for their turn")?,
            in_flight: r.gauge("tasks_in_flight", "Tasks under way")?,
            attempts: r.counters("attempts_total", "Tasks simulated", &["kind"])?,
            sent: r.counters("transactions_sent_total", "Transactions sent", &["kind"])?,
            confirmed: r.counters(
                "transactions_confirmed_total",
                "Transactions that landed and succeeded",
                &["kind"],
            )?,
            failed: r.counters("failures_total", "Attempts that did not succeed", &["kind", "result", "reason"])?,
            surprises: r.counters("surprises_total", "Transactions that did not do what was simulated", &["kind"])?,
            reaction: r.histograms(
                "reaction_slots",
                "Slots from the cause of an action to its transaction",
                &REACTION_BUCKETS,
                &["kind"],
            )?,
            pass: r.histogram("pass_seconds", "Seconds from news to decisions", &PASS_BUCKETS)?,
            spent: r.counter("lamports_spent_total", "Fees and rent paid")?,
            rewards: r.counters("rewards_atoms_total", "Rewards earned, as events tell", &["kind"])?,
            balance: r.gauge("balance_lamports", "The keeper's SOL")?,
            collateral: r.gauge("collateral_atoms", "Collateral of the keeper's own margin account")?,
            connected: r.gauge("connected", "1 while the subscriptions are in place")?,
            disconnections: r.counter("disconnections_total", "How often the subscriptions went")?,
            silence: r.real("subscription_silence_seconds", "Silence of the subscriptions while slots pass")?,
            slot: r.gauge("slot", "Newest slot heard of")?,
            repairs: r.counter("repairs_total", "Snapshots taken to repair the view")?,
            missed: r.counter("missed_updates_total", "Accounts that the subscriptions had missed")?,
            insurance: r.reals("insurance_available_atoms", "What insurance can pay for a market now", &["market"])?,
            price_age: r.gauges("price_age_seconds", "Age of a market's price", &["market"])?,
            open_interest: r.reals(
                "open_interest_atoms",
                "Value of a side's positions in the ranking index",
                &["market", "side"],
            )?,
            insurance_share: r.gauges(
                "insurance_share_bps",
                "Insurance available beside open interest",
                &["market"],
            )?,
            nearest: r.gauges(
                "nearest_ppm",
                "Least move that takes anybody to a stage",
                &["market", "stage", "direction"],
            )?,
            largest: r.gauges("largest_position_bps", "Largest position's part of its side", &["market", "side"])?,
            shock_closed: shock("shock_closed_atoms", "Value that a move of all markets would liquidate")?,
            shock_bad_debt: shock("shock_bad_debt_atoms", "What bankrupt positions would lack after a move")?,
            shock_deleveraged: shock("shock_deleveraged_atoms", "Value that a move would deleverage, both sides")?,
            risk_seconds: r.real("risk_seconds", "Seconds that the last look at shocks took")?,
            triggers: r.gauges("triggers", "Triggers that wait for the mark", &["market"])?,
            rank_drift: r.gauges("rank_drift_columns", "Most columns a position is out of place", &["market"])?,
            capped: r.gauge("spending_capped", "1 while the spending cap stops the keeper")?,
            routine_capped: r.gauge("routine_capped", "1 while routine work has used up its share of the cap")?,
            unprofitable: r.counters("unprofitable_total", "Left out: not worth its cost", &["kind"])?,
            sol_price: r.gauge("sol_price_atoms", "What a SOL is taken to cost")?,
            clock_speed: r.real("clock_speed", "Seconds of the cluster in a second")?,
            register,
        };
        metrics.preset();
        Ok(metrics)
    }

    /// Series that should be there from the start, so that an alert on a rate sees the first one.
    fn preset(&self) {
        for stage in STAGES {
            self.accounts.with_label_values(&[stage_name(stage)]).set(0);
        }
        for kind in Kind::ALL {
            let kind = &[kind.name()];
            let counted =
                [&self.attempts, &self.sent, &self.confirmed, &self.surprises, &self.rewards, &self.unprofitable];
            for counters in counted {
                counters.with_label_values(kind).inc_by(0);
            }
            let _ = self.reaction.with_label_values(kind);
        }
    }

    /// Says whose keeper it is.
    pub fn introduce(&self, exchange: &Pubkey, signer: &Pubkey) {
        self.info.with_label_values(&[exchange.to_string(), signer.to_string()]).set(1);
    }

    /// Notes what became of a task.
    pub fn note(&self, task: &Task, outcome: &Outcome, since_slot: u64, reward: u64) {
        let kind = &[task.kind.name()];
        self.attempts.with_label_values(kind).inc();
        if outcome.signature().is_some() {
            self.sent.with_label_values(kind).inc();
        }
        match outcome {
            Outcome::Confirmed { slot, expected, actual, .. } => {
                self.confirmed.with_label_values(kind).inc();
                let slots = u32::try_from(slot.saturating_sub(since_slot)).unwrap_or(u32::MAX);
                self.reaction.with_label_values(kind).observe(f64::from(slots));
                self.rewards.with_label_values(kind).inc_by(reward);
                if actual.is_some_and(|actual: Effect| actual != *expected) {
                    self.surprises.with_label_values(kind).inc();
                }
            }
            Outcome::DryRun(_) => {}
            Outcome::LeftOut { .. } => self.unprofitable.with_label_values(kind).inc(),
            Outcome::Nothing
            | Outcome::Refused(_)
            | Outcome::Failed { .. }
            | Outcome::Expired(_)
            | Outcome::Trouble(_)
            | Outcome::Unknown(_) => {
                let reason = outcome.error().unwrap_or("Nothing");
                self.failed.with_label_values(&[task.kind.name(), outcome.name(), reason]).inc();
            }
        }
    }

    /// The names of all metrics, whether they have a sample yet or not.
    pub fn names(&self) -> Vec<String> {
        self.register.names()
    }

    /// The exposition text.
    ///
    /// # Errors
    /// Never, unless a metric is malformed.
    pub fn text(&self) -> Result<String> {
        self.register.text()
    }
}

#[cfg(test)]
mod tests {
    use ballast_risk::health::Stage;
    use solana_signature::Signature;

    use super::*;
    use crate::task::Urgency;

    #[test]
    fn outcomes_are_counted_by_kind_and_reason() {
        let metrics = Metrics::new().unwrap();
        let task = Task {
            kind: Kind::Liquidate,
            market: 0,
            account: Pubkey::new_from_array([1; 32]),
            stage: Stage::Partial,
            reason: "reduce",
            urgency: Urgency::Blocking,
        };
        let confirmed = Outcome::Confirmed {
            signature: Signature::default(),
            slot: 13,
            fee: 5_000,
            spent: Some(5_000),
            expected: Effect::default(),
            actual: Some(Effect { lots: 1, ..Effect::default() }),
        };
        metrics.note(&task, &confirmed, 11, 7);
        metrics.note(&task, &Outcome::Expired(Signature::default()), 11, 0);
        metrics.note(&task, &Outcome::LeftOut { expected: Effect::default(), cost: 750 }, 11, 0);
        let text = metrics.text().unwrap();
        for line in [
            "ballast_keeper_transactions_sent_total{kind=\"liquidate\"} 2",
            "ballast_keeper_transactions_confirmed_total{kind=\"liquidate\"} 1",
            "ballast_keeper_failures_total{kind=\"liquidate\",reason=\"Expired\",result=\"expired\"} 1",
            "ballast_keeper_reaction_slots_bucket{kind=\"liquidate\",le=\"2\"} 1",
            "ballast_keeper_reaction_slots_bucket{kind=\"liquidate\",le=\"1\"} 0",
            "ballast_keeper_rewards_atoms_total{kind=\"liquidate\"} 7",
            "ballast_keeper_surprises_total{kind=\"liquidate\"} 1",
            "ballast_keeper_accounts{stage=\"bankrupt\"} 0",
            "ballast_keeper_unprofitable_total{kind=\"liquidate\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
