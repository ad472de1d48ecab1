//! The decisions, without the network: from what changed to plans. What is done with them is the engine's.

use std::{
    cell::Cell,
    collections::HashMap,
    time::{Duration, Instant},
};

use ballast_client::view::ViewError;
use solana_pubkey::Pubkey;

use super::{PASS_EVERY, eyes::Eyes};
use crate::{
    board::{Board, Next, Waiting},
    config::Config,
    decide::spending::Spending,
    metrics::Metrics,
    outcome::Outcome,
    roles::{self, Context, Own},
    task::{Class, Kind, Plan, Task},
    view::{Changes, LiveView},
    watch::Watch,
};

/// Time between two looks for upkeep that nobody waits for.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What is known between two passes.
pub struct Mind {
    /// All accounts.
    pub watch: Watch,
    /// Whose turn it is.
    pub board: Board,
    /// Largest drift seen in the round of accounts under way, by market.
    drifts: HashMap<u16, u16>,
    swept_at: Instant,
    upkept_at: Instant,
    /// How often the operator still pays for a larger book.
    may_grow: u32,
    spending: Spending,
}

/// What a pass decided.
#[derive(Default)]
pub struct Decided {
    /// What is to be sent, with the slot in which each became due.
    pub plans: Vec<(Plan, u64)>,
    /// Whether it was one of those that look at everything in turn.
    pub in_turn: bool,
    /// Whether the hour's money is spent, so that nothing is begun.
    pub capped: bool,
    /// Whether the share of it is that is for routine work.
    pub routine_capped: bool,
}

impl Mind {
    /// Ready to decide; every account has been looked at.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn new(config: &Config, live: &LiveView, now: Instant) -> Result<Mind, ViewError> {
        let mut watch = Watch::default();
        let view = live.snapshot.view()?;
        for entry in live.snapshot.markets() {
            watch.market_changed(&entry.market);
            watch.book_changed(&view, entry.keys.index, now)?;
        }
        for (key, _) in live.snapshot.accounts() {
            watch.look(&view, key);
        }
        Ok(Mind {
            watch,
            board: Board::new(config.jitter),
            drifts: HashMap::new(),
            swept_at: now,
            upkept_at: now,
            may_grow: config.settle.grow_books,
            spending: Spending::new(config.fees.per_hour),
        })
    }

    /// From changes to plans, `free` at most, within what is left of the hour's money. Those are marked as begun.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn decide(
        &mut self,
        live: &LiveView,
        changes: &Changes,
        (config, own, metrics): (&Config, Own, &Metrics),
        free: usize,
        now: Instant,
    ) -> Result<Decided, ViewError> {
        let unix_time = live.clock.now(now);
        let lagging = live.lagging(now, unix_time);
        let mut view = live.snapshot.view()?;
        let accounts: HashMap<u16, Pubkey> = lagging.iter().map(|(market, account)| (market.index, *account)).collect();
        for (market, _) in lagging {
            view.set_market(market)?;
        }
        let context = Context {
            view: &view,
            config,
            own,
            insurance: live.insurance,
            now: unix_time,
            instant: now,
            ahead: live.ahead(),
            lagging: &accounts,
            may_trade: Cell::new(!self.board.is_trading()),
            may_grow: Cell::new(self.may_grow),
            sol_price: live.sol_price(&config.profit, now),
            budget: Cell::new(self.spending.left(now)),
        };
        let mut eyes = Eyes { watch: &mut self.watch, board: &mut self.board, slot: live.slot, now };
        eyes.look_at_changes(&context, changes)?;
        eyes.note_prices(&context);
        let elapsed = now.saturating_duration_since(self.swept_at);
        // News first: what is looked at in turn waits until there are none, but not for long.
        let in_turn = elapsed >= if changes.concern_accounts() { 5 * PASS_EVERY } else { PASS_EVERY };
        if in_turn || changes.concern_accounts() {
            eyes.note_forced(&context, in_turn);
            eyes.note_unwind(&context);
            eyes.note_triggers(&context);
        }
        if in_turn {
            self.swept_at = now;
            eyes.note_fills(&context);
            eyes.note_protection(&context);
            eyes.note_unfunded(&context);
            if now.saturating_duration_since(self.upkept_at) >= UPKEEP_EVERY {
                self.upkept_at = now;
                eyes.note_upkeep(&context);
            }
            eyes.sweep(&context, elapsed, &mut self.drifts, metrics);
            eyes.board.tidy(now);
        }
        let plans = choose(&context, &mut self.board, free, now);
        self.may_grow = context.may_grow.get();
        let most = config.fees.most();
        for (plan, _) in &plans {
            self.board.begin(&plan.task);
            self.spending.pledge(plan.task.account, plan.task.class(), plan.rent.saturating_add(most));
        }
        let unspent = self.spending.unspent(now);
        let [capped, routine_capped] = [Class::Forced, Class::Routine].map(|class| unspent.of(class) < most);
        Ok(Decided { plans, in_turn, capped, routine_capped })
    }

    /// What was begun has ended: its money is booked, and its account is free again. Returns whether the view has yet to show
    /// what it did.
    pub fn end(&mut self, plan: &Plan, outcome: &Outcome, now: Instant) -> bool {
        let task = &plan.task;
        if task.kind == Kind::GrowBook && !matches!(outcome, Outcome::Confirmed { .. } | Outcome::Unknown(_)) {
            // Nothing was paid for.
            self.may_grow = self.may_grow.saturating_add(1);
        }
        self.spending.pay(&task.account, task.class(), outcome.spent(plan.rent), now);
        if matches!(outcome, Outcome::LeftOut { .. }) {
            self.board.leave_out(task, now);
        }
        self.board.end(&task.account, outcome.next(task), now)
    }

    /// What was begun has ended without a word: the worst is booked.
    pub fn lose(&mut self, task: &Task, lamports: u64, now: Instant) {
        self.spending.pay(&task.account, task.class(), lamports, now);
        self.board.end(&task.account, Next::BackOff(Duration::from_secs(5)), now);
    }
}

/// Takes the most urgent tasks off the board and decides them again on the newest view.
fn choose(context: &Context, board: &mut Board, free: usize, now: Instant) -> Vec<(Plan, u64)> {
    let mut plans: Vec<(Plan, u64)> = Vec::new();
    let most = context.config.fees.most();
    while plans.len() < free {
        let (may_trade, budget) = (context.may_trade.get(), context.budget.get());
        let may = |task: &Task| (may_trade || !task.kind.trades()) && budget.of(task.class()) >= most;
        let Some(Waiting { task, since_slot, .. }) = board.take(now, may) else { break };
        match roles::build(context, &task) {
            Ok(Some(plan)) => {
                context.may_trade.set(may_trade && !plan.task.kind.trades());
                if plan.task.kind == Kind::GrowBook {
                    context.may_grow.set(context.may_grow.get().saturating_sub(1));
                }
                context.budget.set(budget.less(plan.task.class(), plan.rent.saturating_add(most)));
                plans.push((plan, since_slot));
            }
            Ok(None) => tracing::debug!(account = %task.account, kind = task.kind.name(), "no longer due"),
            Err(error) => tracing::debug!(account = %task.account, %error, "cannot be decided now"),
        }
    }
    plans
}
