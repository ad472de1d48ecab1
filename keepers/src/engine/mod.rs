//! The loop: takes news in, looks at the accounts they concern, notes what is to be done, and sets as much of it going as
//! may be under way at once. All decisions are made here, one after the other, on one view; only sending is concurrent.

mod eyes;
mod report;

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use ballast_client::view::ViewError;
use solana_pubkey::Pubkey;
use tokio::{
    sync::{Notify, mpsc, watch as value},
    task::JoinSet,
    time::{sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    board::{Board, Waiting},
    config::Config,
    decide::spending::Spending,
    http::Health,
    metrics::Metrics,
    outcome::Outcome,
    pipeline::Pipeline,
    roles::{self, Context, Own},
    task::{Kind, Plan, Task},
    view::{Heard, LiveView, repair::Asker},
    watch::Watch,
};
use eyes::Eyes;

/// Longest time between two passes: cooldowns and delays end without any news.
const PASS_EVERY: Duration = Duration::from_millis(200);
/// Time between two looks for upkeep that nobody waits for.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
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
    watch: Watch,
    board: Board,
    spending: Spending,
    running: JoinSet<Finished>,
    /// What each running task works on, should it fail without a word.
    running_tasks: HashMap<tokio::task::Id, Task>,
    /// Largest drift seen in the round of accounts under way, by market.
    drifts: HashMap<u16, u16>,
    swept_at: Instant,
    upkept_at: Instant,
    /// How often the operator still pays for a larger book.
    may_grow: u32,
}

impl Engine {
    /// Ready to run; every account has been looked at.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn new(parts: Parts) -> Result<Engine, ViewError> {
        let board = Board::new(parts.config.jitter);
        let spending = Spending::new(parts.config.fees.max_lamports_per_hour);
        let may_grow = parts.config.settle.grow_books;
        let mut watch = Watch::default();
        let now = Instant::now();
        let view = parts.live.snapshot.view()?;
        for entry in parts.live.snapshot.markets() {
            watch.market_changed(&entry.market);
            watch.book_changed(&view, entry.keys.index, now)?;
        }
        for (key, _) in parts.live.snapshot.accounts() {
            watch.look(&view, key);
        }
        drop(view);
        Ok(Engine {
            parts,
            watch,
            board,
            spending,
            running: JoinSet::new(),
            running_tasks: HashMap::new(),
            drifts: HashMap::new(),
            swept_at: now,
            upkept_at: now,
            may_grow,
        })
    }

    /// Runs until cancelled, then waits for what is under way.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut news = Vec::new();
        loop {
            let now = Instant::now();
            let wake = self.board.next_ready(now).map_or(now + PASS_EVERY, |at| at.min(now + PASS_EVERY));
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
        let unix_time = self.parts.live.clock.now(began);
        let lagging = self.parts.live.lagging(began, unix_time);
        let Parts { live, config, own, metrics, .. } = &self.parts;
        let mut view = live.snapshot.view()?;
        let accounts: HashMap<u16, Pubkey> = lagging.iter().map(|(market, account)| (market.index, *account)).collect();
        for (market, _) in lagging {
            view.set_market(market)?;
        }
        let context = Context {
            view: &view,
            config,
            own: *own,
            insurance: live.insurance,
            now: unix_time,
            instant: began,
            ahead: live.ahead(),
            lagging: &accounts,
            may_trade: Cell::new(!self.board.is_trading()),
            may_grow: Cell::new(self.may_grow),
        };
        let mut eyes = Eyes { watch: &mut self.watch, board: &mut self.board, slot: live.slot, now: began };
        eyes.look_at_changes(&context, &changes)?;
        eyes.note_prices(&context);
        let elapsed = began.saturating_duration_since(self.swept_at);
        let in_turn = elapsed >= PASS_EVERY;
        if in_turn || changes.concern_accounts() {
            eyes.note_forced(&context);
            eyes.note_unwind(&context);
            eyes.note_triggers(&context);
        }
        if in_turn {
            self.swept_at = began;
            eyes.note_fills(&context);
            eyes.note_protection(&context);
            eyes.note_unfunded(&context);
            if began.saturating_duration_since(self.upkept_at) >= UPKEEP_EVERY {
                self.upkept_at = began;
                eyes.note_upkeep(&context);
            }
            eyes.sweep(&context, elapsed, &mut self.drifts, metrics);
            eyes.board.tidy(began);
        }
        let capped = self.spending.exhausted(began);
        let free = if capped { 0 } else { config.max_in_flight.saturating_sub(self.running.len()) };
        let chosen = choose(&context, &mut self.board, free, began);
        self.may_grow = context.may_grow.get();
        for (plan, eligible_slot) in chosen {
            self.board.begin(&plan.task);
            let (pipeline, task) = (self.parts.pipeline.clone(), plan.task);
            let handle = self.running.spawn(async move {
                let outcome = pipeline.run(&plan).await;
                Finished { plan, eligible_slot, outcome }
            });
            self.running_tasks.insert(handle.id(), task);
        }
        if changes.concern_accounts() {
            metrics.pass.observe(began.elapsed().as_secs_f64());
        }
        if in_turn {
            self.report(began, capped);
        }
        Ok(())
    }
}

/// Takes the most urgent tasks off the board and decides them again on the newest view.
fn choose(context: &Context, board: &mut Board, free: usize, now: Instant) -> Vec<(Plan, u64)> {
    let mut plans: Vec<(Plan, u64)> = Vec::new();
    while plans.len() < free {
        let may_trade = context.may_trade.get();
        let Some(Waiting { task, since_slot, .. }) = board.take(now, |task| may_trade || !task.kind.trades()) else {
            break;
        };
        match roles::build(context, &task) {
            Ok(Some(plan)) => {
                context.may_trade.set(may_trade && !plan.task.kind.trades());
                if plan.task.kind == Kind::GrowBook {
                    context.may_grow.set(context.may_grow.get().saturating_sub(1));
                }
                plans.push((plan, since_slot));
            }
            Ok(None) => tracing::debug!(account = %task.account, kind = task.kind.name(), "no longer due"),
            Err(error) => tracing::debug!(account = %task.account, %error, "cannot be decided now"),
        }
    }
    plans
}
