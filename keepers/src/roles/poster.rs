//! The poster: keeps markets at the freshest price that their oracle accounts have. Other roles with known oracle accounts
//! bring a price that somebody depends on when no poster does.

use ballast_book::Fires;
use ballast_client::{instructions, view::ViewError};
use ballast_risk::health::Stage;
use solana_pubkey::Pubkey;

use super::Context;
use crate::{
    config::Role,
    decide::{
        edge::Prices,
        refresh::{self, Facts, Policy, Reason},
    },
    task::{Kind, Plan, Task, Urgency},
    view::{Ahead, oracle},
    watch::Watch,
};

/// Markets that are to be refreshed.
pub fn find(context: &Context, watch: &Watch) -> Vec<Task> {
    let tasks = context.ahead.iter().filter_map(|(index, ahead)| {
        let reason = decide(context, watch, *index, ahead)?;
        let urgency = Urgency::Price(reason != Reason::Reaches);
        let account = context.view.snapshot().market(*index)?.keys.market;
        let (kind, stage, reason) = (Kind::RefreshMarket, Stage::Healthy, reason.name());
        Some(Task { kind, market: *index, account, stage, reason, urgency })
    });
    tasks.collect()
}

fn decide(context: &Context, watch: &Watch, index: u16, ahead: &Ahead) -> Option<Reason> {
    // As it is on chain: the view's own may have been refreshed in thought.
    let market = &context.view.snapshot().market(index)?.market;
    let reading = oracle::reading(market, &ahead.sample, context.now)?;
    let here = Prices::of(market.mark_state(), market.funding_index());
    let moved = here.moved(&Prices::standing(reading.price, market.funding_index()));
    let published = market.reading().publish_time;
    let facts = Facts {
        known_for: context.instant.saturating_duration_since(ahead.since),
        newer_by_s: reading.publish_time.saturating_sub(published),
        age_s: context.now.saturating_sub(published),
        moved,
        reaches: moved > 0
            && (reaches_account(context, watch, index, moved) || reaches_trigger(context, index, &reading)),
    };
    let wishes = &context.config.poster;
    let max_age_s = wishes.max_age_s.unwrap_or(i64::from(market.params.max_age_open_s) / 2);
    let posts = context.config.has(Role::Poster);
    let policy =
        Policy { posts, patience: oracle::PATIENCE, least_move: wishes.least_move, max_age_s, gap_s: wishes.gap_s };
    refresh::decide(&facts, &policy)
}

fn reaches_account(context: &Context, watch: &Watch, index: u16, moved: u64) -> bool {
    let forces = context.config.has(Role::Liquidator) || context.config.has(Role::Deleverager);
    forces && watch.reaches(index, moved)
}

fn reaches_trigger(context: &Context, index: u16, reading: &ballast_risk::oracle::Reading) -> bool {
    let Ok(open) = context.view.market(index) else { return false };
    let crossed = |fires| open.book.due_triggers(fires, reading.price).next().is_some();
    context.config.has(Role::Triggers) && Fires::BOTH.into_iter().any(crossed)
}

/// Refreshes a market that still lags.
///
/// # Errors
/// When the market is not in the view.
pub fn build(context: &Context, task: &Task) -> Result<Option<Plan>, ViewError> {
    let Some(ahead) = context.ahead.get(&task.market) else { return Ok(None) };
    let market = &context.view.snapshot().market(task.market).ok_or(ViewError::NoMarket(task.market))?.market;
    if oracle::reading(market, &ahead.sample, context.now).is_none() {
        return Ok(None);
    }
    let oracle: Pubkey = ahead.account;
    Ok(Some(Plan::new(*task, instructions::refresh_market(&context.keys(task.market)?, &oracle))))
}
