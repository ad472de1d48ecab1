//! The loop: takes news in, looks at the accounts they concern, notes what is to be done, and sets as much of it going as
//! may be under way at once. All decisions are made here, one after the other, on one view; only sending is concurrent.

mod eyes;
pub mod mind;
mod report;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use ballast_client::view::ViewError;
use mind::Mind;
use solana_pubkey::Pubkey;
use tokio::{
    sync::{Notify, mpsc, watch as value},
    task::JoinSet,
    time::{sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Role},
    http::Health,
    metrics::Metrics,
    monitor::{self, Latest, Schedule},
    outcome::Outcome,
    pipeline::Pipeline,
    roles::Own,
    task::{Plan, Task},
    view::{Heard, LiveView, repair::Asker},
};

/// Longest time between two passes: cooldowns and delays end without any news.
const PASS_EVERY: Duration = Duration::from_millis(200);
/// How long news wait for others that belong to them.
const GATHER: Duration = Duration::from_millis(3);
/// Most news taken in at once.
const BATCH: usize = 4_096;

/// What an engine works with.
pub struct Parts {
    /// The operator's wishes.
    pub config: Arc<Config>,
    /// The exchange.
    pub live: LiveView,
    /// The keeper's own keys.
    pub own: Own,
    /// Where tasks go.
    pub pipeline: Arc<Pipeline>,
    /// What comes in.
    pub news: mpsc::Receiver<Heard>,
    /// Asks for single accounts.
    pub asker: Asker,
    /// Asks for a snapshot.
    pub repair: Arc<Notify>,
    /// Tells the feed which accounts matter.
    pub watched: value::Sender<Vec<Pubkey>>,
    /// What operators see.
    pub metrics: Arc<Metrics>,
    /// What operators' machines see.
    pub health: Arc<Health>,
    /// Where the risk monitor's result goes.
    pub risk: Latest,
}

/// A task that has come to its end.
struct Finished {
    plan: Plan,
    eligible_slot: u64,
    outcome: Outcome,
}

/// The loop and what it knows.
pub struct Engine {
    parts: Parts,
    mind: Mind,
    running: JoinSet<Finished>,
    /// What each running task works on, should it fail without a word, and the lamports that it may have cost.
    running_tasks: HashMap<tokio::task::Id, (Task, u64)>,
    schedule: Schedule,
}

impl Engine {
    /// Ready to run; every account has been looked at.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn new(parts: Parts) -> Result<Engine, ViewError> {
        let mind = Mind::new(&parts.config, &parts.live, Instant::now())?;
        Ok(Engine {
            parts,
            mind,
            running: JoinSet::new(),
            running_tasks: HashMap::new(),
            schedule: Schedule::default(),
        })
    }

    /// Runs until cancelled, then waits for what is under way.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut news = Vec::new();
        loop {
            let now = Instant::now();
            let wake = self.mind.board.next_ready(now).map_or(now + PASS_EVERY, |at| at.min(now + PASS_EVERY));
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Some(finished) = self.running.join_next_with_id() => self.finish(finished),
                count = self.parts.news.recv_many(&mut news, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    self.gather(&mut news).await;
                }
                () = sleep_until(wake.into()) => {}
            }
            if let Err(error) = self.pass(core::mem::take(&mut news)) {
                tracing::warn!(%error, "the view cannot be read; waiting for a snapshot");
                self.parts.repair.notify_one();
            }
        }
        self.stop().await;
    }

    /// Waits for the news that belong to those that came: a transaction changes several accounts, which are told one by
    /// one.
    async fn gather(&mut self, news: &mut Vec<Heard>) {
        sleep(GATHER).await;
        while news.len() < BATCH {
            let Ok(heard) = self.parts.news.try_recv() else { break };
            news.push(heard);
        }
    }

    async fn stop(mut self) {
        self.parts.health.stopping.store(true, Ordering::Relaxed);
        tracing::info!(under_way = self.running.len(), "stopping: finishing what is under way");
        let grace = self.parts.config.grace;
        let rest = async {
            while let Some(finished) = self.running.join_next_with_id().await {
                self.finish(finished);
            }
        };
        if timeout(grace, rest).await.is_err() {
            tracing::warn!("some transactions were still under way; they may land yet");
        }
    }

    /// From news to tasks set going.
    fn pass(&mut self, news: Vec<Heard>) -> Result<(), ViewError> {
        let began = Instant::now();
        let changes = self.parts.live.apply(news, began);
        self.note_connection(&changes);
        let Parts { live, config, own, metrics, .. } = &self.parts;
        let free = config.max_in_flight.saturating_sub(self.running.len());
        let decided = self.mind.decide(live, &changes, (config, *own, metrics), free, began)?;
        let (most, sol_price) = (config.fees.most(), live.sol_price(&config.profit, began));
        for (plan, eligible_slot) in decided.plans {
            let (pipeline, task, rent) = (self.parts.pipeline.clone(), plan.task, plan.rent);
            let handle = self.running.spawn(async move {
                let outcome = pipeline.run(&plan, sol_price).await;
                Finished { plan, eligible_slot, outcome }
            });
            self.running_tasks.insert(handle.id(), (task, rent.saturating_add(most)));
        }
        metrics.sol_price.set(i64::try_from(sol_price).unwrap_or(i64::MAX));
        if changes.concern_accounts() {
            metrics.pass.observe(began.elapsed().as_secs_f64());
        }
        if decided.in_turn {
            self.report(began, decided.capped, decided.routine_capped);
            self.monitor(began);
        }
        Ok(())
    }

    /// Begins to compute what shocks would do, when it is time.
    fn monitor(&mut self, now: Instant) {
        let Parts { config, live, metrics, risk, .. } = &self.parts;
        if !config.has(Role::Monitor) {
            return;
        }
        self.schedule.begin(config.risk_every, now, || {
            let (snapshot, vault, time) = (live.snapshot.clone(), live.insurance, live.clock.now(now));
            let (metrics, risk) = (metrics.clone(), risk.clone());
            Box::new(move || {
                let drift = |index: u16| metrics.rank_drift.with_label_values(&[&index.to_string()]).get();
                match monitor::compute(&snapshot, vault, time, drift) {
                    Ok(found) => {
                        monitor::publish(&found, &metrics);
                        risk.set(found);
                    }
                    Err(error) => tracing::warn!(%error, "what shocks would do cannot be computed"),
                }
            })
        });
    }
}
