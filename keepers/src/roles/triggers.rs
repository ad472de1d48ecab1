//! The role of triggers: executes those that are due, lets trailing stops follow the mark, and carries out ladders.

use core::cmp::Reverse;

use ballast_book::{Execution, Trigger};
use ballast_client::{
    ballast::logic::Marks,
    instructions,
    view::{DueTrigger, OpenMarket, ViewError},
};
use ballast_risk::health::Stage;
use ballast_units::{Price, Side};
use solana_pubkey::Pubkey;

use super::Context;
use crate::{
    decide::triggers::{self, Facts, Reason},
    task::{Kind, Plan, Task, Urgency},
};

/// Why a ladder is executed that pays for it.
const RUNG: &str = "rung";

/// Triggers that are due, in all markets.
pub fn find_due(context: &Context) -> Vec<Task> {
    let mut tasks = Vec::new();
    for market in markets(context) {
        // A price that does not allow it now allows it later.
        let due = context.view.due_triggers(market, context.now).unwrap_or_default();
        for DueTrigger { account, trigger } in due {
            if let Ok(Some((reason, value))) = worth(context, market, &account, &trigger) {
                tasks.push(execute_task(market, account, reason, value));
            }
        }
    }
    tasks
}

/// Trailing stops that lag behind the mark, in all markets.
pub fn find_followers(context: &Context) -> Vec<Task> {
    let mut tasks = Vec::new();
    for market in markets(context) {
        let followers = context.view.followers(market, context.now, context.config.ratchet_ppm).unwrap_or_default();
        for (trigger, _) in followers {
            let Ok(open) = context.view.market(market) else { continue };
            let Ok(seat) = open.book.seat_by_id(trigger.seat) else { continue };
            let account = Pubkey::new_from_array(seat.account);
            tasks.push(task(Kind::RatchetTrigger, market, account, "mark_moved", Urgency::Owed(Reverse(0))));
        }
    }
    tasks
}

fn markets(context: &Context) -> Vec<u16> {
    context.view.snapshot().markets().map(|entry| entry.keys.index).collect()
}

/// Accounts whose ladder may be executed.
pub fn find_ladders(context: &Context) -> Vec<Task> {
    let with_ladder = context
        .view
        .snapshot()
        .accounts()
        .filter(|(key, account)| account.ladder().rungs[0].ratio_bps != 0 && **key != context.own.margin);
    let tasks = with_ladder.filter_map(|(key, _)| ladder_task(context, key).ok().flatten());
    tasks.collect()
}

fn task(kind: Kind, market: u16, account: Pubkey, reason: &'static str, urgency: Urgency) -> Task {
    Task { kind, market, account, stage: Stage::Healthy, reason, urgency }
}

fn execute_task(market: u16, account: Pubkey, reason: Reason, value: u64) -> Task {
    let urgency = match reason {
        Reason::Fires => Urgency::Protective(Reverse(value)),
        Reason::Rests | Reason::Over => Urgency::Owed(Reverse(0)),
    };
    task(Kind::ExecuteTrigger, market, account, reason.name(), urgency)
}

/// Why a due trigger is worth a transaction, and the value that it may trade.
fn worth(
    context: &Context,
    market: u16,
    account: &Pubkey,
    trigger: &Trigger,
) -> Result<Option<(Reason, u64)>, ViewError> {
    let open = context.view.market(market)?;
    let state = context.view.position(account, market)?.unwrap_or_default();
    let protects = state.position.side() == Some(trigger.side.opposite());
    let lots = trigger.terms.lots.map_or(state.position.lots(), |lots| lots.min(state.position.lots()));
    let facts = Facts {
        // Nobody can be rewarded for reducing his own account.
        own: *account == context.own.margin,
        over: trigger.expired(context.now) || !protects,
        bankrupt: context.account(account)?.progress().bankrupt_since != 0,
        book_takes: context.book_takes(open, trigger.side.opposite(), trigger.worst_price(open.market.mark())),
        rests: may_rest(open, trigger),
    };
    let value = lots.value(open.market.mark()).unwrap_or_default().positive_part();
    Ok(triggers::decide(&facts).map(|reason| (reason, value)))
}

/// Whether the rest of a trigger would come to rest: a limit order where its side may rest.
fn may_rest(open: &OpenMarket, trigger: &Trigger) -> bool {
    let Execution::Limit(price) = trigger.terms.execution else { return false };
    open.market.range(trigger.side).is_ok_and(|(low, high)| (low..=high).contains(&price))
}

fn ladder_task(context: &Context, key: &Pubkey) -> Result<Option<Task>, ViewError> {
    let Some(market) = context.view.due_ladder(key, context.now)? else { return Ok(None) };
    let open = context.view.market(market)?;
    let ladder = context.account(key)?.ladder();
    let ratio = context.view.assess(key, Marks::Confirmed, Some(market))?.account.margin_ratio_bps();
    let Some(rung) = ladder.due(ratio) else {
        return Ok(Some(task(Kind::ExecuteLadder, market, *key, "rearm", Urgency::Owed(Reverse(0)))));
    };
    let state = context.view.position(key, market)?.unwrap_or_default();
    let Some(side) = state.position.side() else { return Ok(None) };
    let limit = ballast_book::worst_price(side.opposite(), open.market.mark(), ladder.slippage_bps.into());
    let lots = ladder.lots(rung, state.position.lots());
    if lots.is_zero() || !context.book_takes(open, side, limit) {
        return Ok(None);
    }
    let value = lots.value(open.market.mark()).unwrap_or_default().positive_part();
    Ok(Some(task(Kind::ExecuteLadder, market, *key, RUNG, Urgency::Protective(Reverse(value)))))
}

/// Decides again which trigger of the account it is, and builds the instructions.
///
/// # Errors
/// When the view cannot be read, or a price does not allow it.
pub fn build(context: &Context, wanted: &Task) -> Result<Option<Plan>, ViewError> {
    match wanted.kind {
        Kind::RatchetTrigger => build_ratchet(context, wanted),
        Kind::ExecuteLadder => {
            let Some(task) = ladder_task(context, &wanted.account)? else { return Ok(None) };
            let tend = context.tend(&task.account, task.market)?;
            let paid = task.reason == RUNG;
            Ok(Some(context.forced(task, instructions::execute_ladder(&tend))?.paid_if(paid)))
        }
        _ => build_execution(context, wanted),
    }
}

fn build_execution(context: &Context, wanted: &Task) -> Result<Option<Plan>, ViewError> {
    let (market, account) = (wanted.market, wanted.account);
    let mut best: Option<(Task, Trigger)> = None;
    for found in context.view.due_triggers(market, context.now)? {
        if found.account != account {
            continue;
        }
        let Some((reason, value)) = worth(context, market, &account, &found.trigger)? else { continue };
        let task = execute_task(market, account, reason, value);
        if best.as_ref().is_none_or(|(best, _)| task.urgency < best.urgency) {
            best = Some((task, found.trigger));
        }
    }
    let Some((task, trigger)) = best else { return Ok(None) };
    let tend = context.tend(&account, market)?;
    let paid = task.reason == Reason::Fires.name();
    Ok(Some(context.forced(task, instructions::execute_trigger(&tend, trigger.id))?.paid_if(paid)))
}

fn build_ratchet(context: &Context, wanted: &Task) -> Result<Option<Plan>, ViewError> {
    let open = context.view.market(wanted.market)?;
    let seat = |id| open.book.seat_by_id(id).map(|seat| Pubkey::new_from_array(seat.account));
    let followers = context.view.followers(wanted.market, context.now, context.config.ratchet_ppm)?;
    let mut own = followers.into_iter().filter(|(trigger, _)| seat(trigger.seat) == Ok(wanted.account));
    let Some((trigger, next)) = own.next() else { return Ok(None) };
    log_follow(&trigger, next);
    let ratchet = instructions::ratchet_trigger(&context.keys(wanted.market)?, trigger.id);
    context.forced(*wanted, ratchet).map(Some)
}

fn log_follow(trigger: &Trigger, next: Price) {
    let side = match trigger.side {
        Side::Long => "buys",
        Side::Short => "sells",
    };
    tracing::debug!(trigger = trigger.id.0, side, from = trigger.price.0, to = next.0, "a trailing stop follows");
}
