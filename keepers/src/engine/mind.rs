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
    board::{Board, Waiting},
    config::Config,
    metrics::Metrics,
    roles::{self, Context, Own},
    task::{Kind, Plan},
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
    pub may_grow: u32,
}

/// What a pass decided.
#[derive(Default)]
pub struct Decided {
    /// What is to be sent, with the slot in which each became due.
    pub plans: Vec<(Plan, u64)>,
    /// Whether it was one of those that look at everything in turn.
    pub in_turn: bool,
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
        })
    }

    /// From changes to plans, `free` at most, which may pay `left` lamports of rent. Those are marked as begun.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn decide(
        &mut self,
        live: &LiveView,
        changes: &Changes,
        (config, own, metrics): (&Config, Own, &Metrics),
        (free, left): (usize, u64),
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
            may_spend: Cell::new(left),
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
        for (plan, _) in &plans {
            self.board.begin(&plan.task);
        }
        Ok(Decided { plans, in_turn })
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
                context.may_spend.set(context.may_spend.get().saturating_sub(plan.rent));
                plans.push((plan, since_slot));
            }
            Ok(None) => tracing::debug!(account = %task.account, kind = task.kind.name(), "no longer due"),
            Err(error) => tracing::debug!(account = %task.account, %error, "cannot be decided now"),
        }
    }
    plans
}
