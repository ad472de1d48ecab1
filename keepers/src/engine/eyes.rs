//! Finding what is to be done: looking at accounts, and noting the tasks that they give rise to.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use ballast_client::view::{View, ViewError};
use ballast_risk::health::Stage;
use solana_pubkey::Pubkey;

use crate::{
    board::Board,
    config::Role,
    metrics::Metrics,
    roles::{self, Context, own, poster, settler, triggers, upkeep},
    task::Task,
    view::Changes,
    watch::Watch,
};

/// Accounts in trouble that news are decided for at once; the others within a pass in turn.
const WORST_FIRST: usize = 256;

/// What finding tasks needs, beside the view.
pub(super) struct Eyes<'a> {
    /// What is known of all accounts.
    pub watch: &'a mut Watch,
    /// Where tasks are noted.
    pub board: &'a mut Board,
    /// The newest slot.
    pub slot: u64,
    /// Now.
    pub now: Instant,
}

impl Eyes<'_> {
    /// Looks at the accounts that the news concern, nearest to the edge first.
    pub fn look_at_changes(&mut self, context: &Context, changes: &Changes) -> Result<(), ViewError> {
        let view = context.view;
        let mut due = Vec::new();
        for key in changes.accounts.iter().chain(&changes.closed) {
            self.board.seen(key);
            due.push(*key);
        }
        for index in changes.markets.iter().chain(context.lagging.keys()) {
            due.extend(self.watch.market_changed(&view.market(*index)?.market));
            self.board.seen(&view.market(*index)?.entry.keys.market);
        }
        for index in &changes.books {
            due.extend(self.watch.book_changed(view, *index, self.now)?);
            self.board.seen(&view.market(*index)?.entry.keys.book);
        }
        if changes.repaired.is_some() {
            let snapshot = view.snapshot();
            self.watch.retain(|key| snapshot.account(key).is_some());
            due.extend(snapshot.accounts().map(|(key, _)| *key).filter(|key| !self.watch.knows(key)));
        }
        for key in due {
            self.watch.look(view, &key);
        }
        Ok(())
    }

    fn note(&mut self, task: Task) {
        self.board.note(task, self.slot, self.now);
    }

    /// Notes what is to be done about accounts below maintenance margin: in turn about all of them, on news about as many of
    /// the worst as can be worked on soon, so that a crowd in trouble does not keep the first of them waiting.
    pub fn note_forced(&mut self, context: &Context, in_turn: bool) {
        if !context.config.has(Role::Liquidator) && !context.config.has(Role::Deleverager) {
            return;
        }
        let hot = match in_turn {
            true => self.watch.hot(),
            false => self.watch.worst(WORST_FIRST, |key| self.board.is_free(key, self.now)),
        };
        for key in hot {
            // Nobody can be rewarded for reducing his own account.
            if key == context.own.margin {
                continue;
            }
            let tasks = self.find_forced(context, &key).unwrap_or_else(|error| {
                tracing::debug!(account = %key, %error, "not now");
                Vec::new()
            });
            if tasks.is_empty() {
                self.board.forget(&key, |task| task.kind.is_forced());
            }
            for task in tasks {
                self.note(task);
            }
        }
    }

    fn find_forced(&mut self, context: &Context, key: &Pubkey) -> Result<Vec<Task>, ViewError> {
        let due = context.view.due(key, context.now)?;
        if due.stage < Stage::Partial {
            self.watch.look(context.view, key);
        }
        roles::find_forced(context, key, &due)
    }

    /// Notes markets whose oracle accounts have a newer price that is worth bringing.
    pub fn note_prices(&mut self, context: &Context) {
        for task in poster::find(context, self.watch) {
            self.note(task);
        }
    }

    /// Notes orders that their accounts cannot fund.
    pub fn note_unfunded(&mut self, context: &Context) {
        if !context.config.has(Role::Settler) {
            return;
        }
        for key in self.watch.restricted() {
            if key == context.own.margin {
                continue;
            }
            if let Ok(Some(task)) = upkeep::find_unfunded(context, &key) {
                self.note(task);
            }
        }
    }

    /// Notes what is to be done about books and owners' volume, which nobody waits for.
    pub fn note_upkeep(&mut self, context: &Context) {
        if context.config.has(Role::Settler) {
            for task in upkeep::find_in_books(context).into_iter().chain(upkeep::find_rolls(context)) {
                self.note(task);
            }
        }
    }

    /// Notes the keeper's own positions that the book would take.
    pub fn note_unwind(&mut self, context: &Context) {
        if let Ok(Some(task)) = own::find_unwind(context) {
            self.note(task);
        }
    }

    /// Notes triggers that are due.
    pub fn note_triggers(&mut self, context: &Context) {
        if context.config.has(Role::Triggers) {
            for task in triggers::find_due(context) {
                self.note(task);
            }
        }
    }

    /// Notes trailing stops that lag behind the mark, and ladders of which a rung is due.
    pub fn note_protection(&mut self, context: &Context) {
        if context.config.has(Role::Triggers) {
            for task in triggers::find_followers(context).into_iter().chain(triggers::find_ladders(context)) {
                self.note(task);
            }
        }
    }

    /// Notes seats whose fills have waited long enough.
    pub fn note_fills(&mut self, context: &Context) {
        if !context.config.has(Role::Settler) {
            return;
        }
        for (market, key) in self.watch.fills_older_than(context.config.settle.seat_age, self.now) {
            let wait = self.watch.fills_wait(market, &key, self.now);
            if let Ok(Some(task)) = settler::settle_task(context, &key, market, wait) {
                self.note(task);
            }
        }
    }

    /// Looks at some accounts in turn, those at the top of the ranking index first.
    pub fn sweep(&mut self, context: &Context, elapsed: Duration, drifts: &mut HashMap<u16, u16>, metrics: &Metrics) {
        let settles = context.config.has(Role::Settler);
        if settles {
            for task in settler::find_sweeps(context).into_iter().chain(settler::find_prunes(context)) {
                self.note(task);
            }
        }
        let rate = u128::from(context.config.settle.sweep_rate) * elapsed.as_millis().min(1_000) / 1_000;
        let limit = usize::try_from(rate).unwrap_or(usize::MAX).max(1);
        let snapshot = context.view.snapshot();
        let mut ended = false;
        let round = self.watch.next_in_turn(limit, || {
            ended = true;
            in_order_of_standing(context.view)
        });
        if ended {
            for (market, drift) in drifts.drain() {
                metrics.rank_drift.with_label_values(&[&market.to_string()]).set(drift.into());
            }
        }
        for key in round {
            if snapshot.account(&key).is_none() {
                continue;
            }
            self.watch.look(context.view, &key);
            if !(settles || context.config.has(Role::Monitor)) || key == context.own.margin {
                continue;
            }
            let Ok(found) = settler::find(context, self.watch, &key, self.now) else { continue };
            for task in found.tasks.into_iter().filter(|_| settles) {
                self.note(task);
            }
            for (market, drift) in found.drifts {
                let largest = drifts.entry(market).or_default();
                *largest = drift.max(*largest);
            }
        }
    }
}

/// All accounts, those at the top of the ranking index last.
fn in_order_of_standing(view: &View) -> Vec<Pubkey> {
    let accounts = view.snapshot().accounts();
    let mut keys: Vec<_> = accounts.map(|(key, account)| (settler::standing(view, &account.slots), *key)).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, key)| key).collect()
}
