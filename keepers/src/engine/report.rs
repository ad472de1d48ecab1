//! What the engine tells: to the board when a task has ended, to metrics, health and log.

use std::{sync::atomic::Ordering, time::Instant};

use ballast_client::ballast::logic::insurance_available;
use ballast_units::Side;
use tokio::task::{Id, JoinError};

use super::{Engine, Finished, Parts};
use crate::{
    outcome::{Outcome, Sense},
    pipeline,
    task::{STAGES, stage_name},
    view::Changes,
};

/// SOL below which the keeper complains: a hundred transactions without priority.
const FEW_LAMPORTS: u64 = 500_000;

impl Engine {
    pub(super) fn note_connection(&mut self, changes: &Changes) {
        let Parts { health, metrics, repair, watched, live, .. } = &self.parts;
        if let Some(connected) = changes.connected {
            let before = health.connected.swap(connected, Ordering::Relaxed);
            metrics.connected.set(connected.into());
            if connected {
                // What changed while nobody listened.
                repair.notify_one();
            } else if before {
                metrics.disconnections.inc();
            }
        }
        if changes.incomplete {
            repair.notify_one();
        }
        if let Some(missed) = changes.repaired {
            metrics.repairs.inc();
            metrics.missed.inc_by(u64::try_from(missed).unwrap_or(u64::MAX));
            // Oracle accounts are not the program's, so the snapshot did not have them.
            tokio::spawn(self.parts.asker.clone().read_accounts(live.oracles().copied().collect()));
            let keys = live.watched();
            watched.send_if_modified(|known| {
                let other = *known != keys;
                if other {
                    *known = keys;
                }
                other
            });
        }
        if let Some(lamports) = changes.balance {
            metrics.balance.set(i64::try_from(lamports).unwrap_or(i64::MAX));
            let broke = lamports < FEW_LAMPORTS && !self.parts.config.dry_run;
            if !health.broke.swap(broke, Ordering::Relaxed) && broke {
                tracing::error!(lamports, "the key has too little SOL for transactions");
            }
        }
    }

    /// A task has ended: notes its costs and what it earned, and when its account may be tried again.
    pub(super) fn finish(&mut self, finished: Result<(Id, Finished), JoinError>) {
        let now = Instant::now();
        let Finished { plan, eligible_slot, outcome } = match finished {
            Ok((id, finished)) => {
                self.running_tasks.remove(&id);
                finished
            }
            Err(error) => {
                tracing::error!(%error, "a task ended without a word");
                if let Some((task, lamports)) = self.running_tasks.remove(&error.id()) {
                    self.mind.lose(&task, lamports, now);
                }
                return;
            }
        };
        let reward = pipeline::reward(&outcome);
        pipeline::log(&plan, &outcome, eligible_slot, reward);
        self.parts.metrics.note(&plan.task, &outcome, eligible_slot, reward);
        self.parts.metrics.spent.inc_by(outcome.spent(plan.rent));
        if plan.task.urgency.presses() {
            match outcome {
                Outcome::Confirmed { .. } => self.mind.board.came_first(),
                Outcome::Failed { ref refused, .. } if refused.sense == Sense::AlreadyDone => {
                    self.mind.board.came_second();
                }
                _ => {}
            }
        }
        if self.mind.end(&plan, &outcome, now) {
            let keys = self.parts.live.snapshot.market(plan.task.market).map(|entry| entry.keys);
            let mut wanted = vec![plan.task.account];
            wanted.extend(keys.map(|keys| keys.market).filter(|market| *market != plan.task.account));
            tokio::spawn(self.parts.asker.clone().read_accounts(wanted));
        }
    }

    pub(super) fn report(&self, now: Instant, capped: bool, routine_capped: bool) {
        let Parts { metrics, health, live, own, .. } = &self.parts;
        let silence = live.silence(now);
        health.pass(now, live.heard_at, silence);
        metrics.silence.set(silence.as_secs_f64());
        if health.capped.swap(capped, Ordering::Relaxed) != capped {
            tracing::warn!(capped, "spending cap");
        }
        metrics.capped.set(capped.into());
        metrics.routine_capped.set(routine_capped.into());
        let (counts, unassessable) = self.mind.watch.counts();
        for (stage, count) in STAGES.into_iter().zip(counts) {
            metrics.accounts.with_label_values(&[stage_name(stage)]).set(count);
        }
        let integer = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        metrics.unassessable.set(integer(unassessable));
        let (waiting, under_way) = self.mind.board.counts();
        metrics.waiting.set(integer(waiting));
        metrics.in_flight.set(integer(under_way));
        metrics.slot.set(i64::try_from(live.slot).unwrap_or(i64::MAX));
        metrics.clock_speed.set(live.clock.speed());
        let collateral = live.snapshot.account(&own.margin).map_or(0, |account| account.collateral);
        metrics.collateral.set(i64::try_from(collateral).unwrap_or(i64::MAX));
        let unix_time = live.clock.now(now);
        for entry in live.snapshot.markets() {
            let index = entry.keys.index.to_string();
            let available = insurance_available(&entry.market, live.insurance, unix_time);
            let age = unix_time.saturating_sub(entry.market.reading().publish_time);
            metrics.price_age.with_label_values(&[&index]).set(age);
            if let Ok(ranks) = entry.ranks.ranks() {
                for (side, name) in [(Side::Long, "long"), (Side::Short, "short")] {
                    let lots = ranks.open_interest(side).0;
                    let value = lots as f64 * entry.market.mark().0 as f64;
                    metrics.open_interest.with_label_values(&[index.as_str(), name]).set(value);
                }
            }
            if let Ok(book) = entry.book.book() {
                metrics.triggers.with_label_values(&[&index]).set(book.trigger_count().into());
            }
            // Figures for people.
            metrics.insurance.with_label_values(&[&index]).set(available as f64);
        }
    }
}
