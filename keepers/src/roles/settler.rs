//! The settler: folds fills and deleveragings into accounts, brings realised losses to their pools, keeps the ranking index
//! current, and sweeps fees to insurance.

use core::cmp::Reverse;
use std::time::{Duration, Instant};

use ballast_book::Pending;
use ballast_client::{
    ballast::{
        logic::{Marks, entry_price},
        state::Slot,
    },
    instructions,
    view::{OpenMarket, View, ViewError},
};
use ballast_rank::{
    grid::{self, column, column_middle, row_bounds},
    score,
};
use ballast_risk::{RiskError, health::Stage, liquidation, oracle::Action};
use ballast_units::{Lots, Quote, Side};
use solana_pubkey::Pubkey;

use super::Context;
use crate::{
    decide::settle::{self, Facts, Place, Policy, Reason},
    task::{Kind, Plan, Task, Urgency},
    watch::Watch,
};

/// Most orders that are pruned at once.
const MAX_PRUNED: usize = 64;

/// What a look at one account found.
#[derive(Default)]
pub struct Found {
    /// What is to be done.
    pub tasks: Vec<Task>,
    /// Its positions' markets, and by how many columns each is out of place there.
    pub drifts: Vec<(u16, u16)>,
}

/// Tasks in all of an account's markets.
///
/// # Errors
/// When the view cannot be read.
pub fn find(context: &Context, watch: &Watch, key: &Pubkey, now: Instant) -> Result<Found, ViewError> {
    let mut found = Found::default();
    for market in context.account(key)?.slots.iter().filter_map(Slot::market) {
        if let Some(task) = settle_task(context, key, market, watch.fills_wait(market, key, now))? {
            found.tasks.push(task);
            continue;
        }
        let Some((place, score)) = place(context, key, market)? else { continue };
        found.drifts.push((market, place.drift()));
        if settle::decide_rerank(&place, context.now) {
            let urgency = Urgency::Rank(Reverse(score));
            found.tasks.push(task(Kind::Rerank, key, market, "out_of_place", urgency));
        }
    }
    Ok(found)
}

fn task(kind: Kind, key: &Pubkey, market: u16, reason: &'static str, urgency: Urgency) -> Task {
    Task { kind, market, account: *key, stage: Stage::Healthy, reason, urgency }
}

/// A settlement that is worth it. `fills_wait`: for how long fills have waited in the seat.
///
/// # Errors
/// When the view cannot be read.
pub fn settle_task(
    context: &Context,
    key: &Pubkey,
    market: u16,
    fills_wait: Option<Duration>,
) -> Result<Option<Task>, ViewError> {
    let wishes = context.config.settle;
    let policy = Policy { min_loss: wishes.min_loss, seat_age: wishes.seat_age };
    let facts = Facts { fills_wait, ..facts(context, key, market)? };
    let urgency = |reason| match reason {
        Reason::Deleveraged => Urgency::Owed(Reverse(u64::MAX)),
        Reason::Loss => Urgency::Owed(Reverse(facts.owed.min(facts.collateral))),
        Reason::Fills => Urgency::Owed(Reverse(0)),
    };
    let reason = settle::decide(&facts, &policy);
    Ok(reason.map(|reason| task(Kind::SettleSeat, key, market, reason.name(), urgency(reason))))
}

/// What there is to settle, but for fills.
fn facts(context: &Context, key: &Pubkey, market: u16) -> Result<Facts, ViewError> {
    let account = context.account(key)?;
    let Some(slot) = account.slot_index(market).map(|at| &account.slots[at]) else { return Ok(Facts::default()) };
    let open = context.view.market(market)?;
    let mut deleveraged = false;
    if let Some(side) = slot.position().side().filter(|_| slot.is_member()) {
        let held = open.ranks.peek(side, slot.membership(), open.market.funding_index(), open.market.mark());
        deleveraged = held.is_ok_and(|held| held.lots != slot.size() || held.proceeds != Quote::ZERO);
    }
    let state = context.view.position(key, market)?.unwrap_or_default();
    // Fees and rebates of waiting fills are settled apart, and are no loss that a pool waits for.
    let fees = Quote(pending(open, slot, key).fees);
    let cash = state.unsettled.add(state.funding).and_then(|cash| cash.add(fees));
    let cash = cash.map_err(|_| RiskError::Overflow)?;
    Ok(Facts { fills_wait: None, owed: cash.negative_part(), collateral: account.collateral, deleveraged })
}

fn pending(open: &OpenMarket, slot: &Slot, key: &Pubkey) -> Pending {
    if slot.seat == 0 {
        return Pending::default();
    }
    open.book.seat(slot.seat, &key.to_bytes()).map(|seat| seat.pending()).unwrap_or_default()
}

/// Settles what there is to settle now, whatever the reason was.
///
/// # Errors
/// When the view cannot be read.
pub fn build_settle(context: &Context, task: &Task) -> Result<Option<Plan>, ViewError> {
    let key = &task.account;
    let account = context.account(key)?;
    let Some(slot) = account.slot_index(task.market).map(|at| &account.slots[at]) else { return Ok(None) };
    let open = context.view.market(task.market)?;
    let facts = facts(context, key, task.market)?;
    let worth =
        pending(open, slot, key) != Pending::default() || facts.deleveraged || facts.owed.min(facts.collateral) > 0;
    if !worth {
        return Ok(None);
    }
    // What a deleveraging waits for, or left behind, is a part of it.
    let paid = [Reason::Fills, Reason::Loss].map(Reason::name).contains(&task.reason);
    Ok(Some(Plan::new(*task, instructions::settle_seat(&context.tend(key, task.market)?)).paid_if(paid)))
}

/// Where a position is in the ranking index and where it belongs, with its score. `None` when it is not in it.
fn place(context: &Context, key: &Pubkey, market: u16) -> Result<Option<(Place, u64)>, ViewError> {
    let account = context.account(key)?;
    let Some(slot) = account.slot_index(market).map(|at| &account.slots[at]) else { return Ok(None) };
    let open = context.view.market(market)?;
    let Some(side) = slot.position().side().filter(|_| slot.is_member()) else { return Ok(None) };
    let Ok(current) = open.ranks.coordinates_of(slot.membership()) else { return Ok(None) };
    let state = context.view.position(key, market)?.unwrap_or_default();
    if state.position.side() != Some(side) {
        // Fills that wait turn it round or close it: they are settled, not reranked.
        return Ok(None);
    }
    let assessment = context.view.assess(key, Marks::Current, Some(market))?;
    let bankruptcy = assessment.bankruptcy_price(state.position)?;
    let beta = liquidation::relative_to_funding(bankruptcy, open.market.funding_index())?;
    let lots = Lots(state.position.lots().0.max(1));
    let entry = entry_price(side, lots, state.basis, open.market.mark());
    let score = score::score(side, entry, bankruptcy, open.market.mark());
    // As the index buckets it: at the funding origin of the row.
    let row = grid::bucket(entry);
    let origin = open.ranks.rows(side).find(|occupied| occupied.bucket == row).map(|row| row.origin);
    let shift = origin.unwrap_or_else(|| grid::funding_shift(open.market.funding_index(), row_bounds(row).middle));
    let distance = grid::distance(side, entry, beta);
    let belongs = column(match side {
        Side::Long => distance.saturating_sub(shift),
        Side::Short => distance.saturating_add(shift),
    });
    Ok(Some((Place { column: current.column, belongs, reranked_at: slot.reranked_at }, score)))
}

/// Reranks a position that is still out of place.
///
/// # Errors
/// When the view cannot be read.
pub fn build_rerank(context: &Context, task: &Task) -> Result<Option<Plan>, ViewError> {
    let Some((place, _)) = place(context, &task.account, task.market)? else { return Ok(None) };
    if !settle::decide_rerank(&place, context.now) {
        return Ok(None);
    }
    Ok(Some(Plan::new(*task, instructions::rerank(&context.tend(&task.account, task.market)?)).paid_if(true)))
}

/// Markets whose insurance fees are worth sweeping.
pub fn find_sweeps(context: &Context) -> Vec<Task> {
    let worth =
        context.view.snapshot().markets().filter(|entry| is_worth_sweeping(context, entry.market.insurance_fees));
    worth
        .map(|entry| {
            let urgency = Urgency::Owed(Reverse(0));
            task(Kind::SweepInsuranceFees, &entry.keys.market, entry.keys.index, "insurance_fees", urgency)
        })
        .collect()
}

fn is_worth_sweeping(context: &Context, fees: u64) -> bool {
    fees >= context.config.settle.min_sweep.max(1)
}

/// Sweeps a market's insurance fees.
///
/// # Errors
/// When the view cannot be read.
pub fn build_sweep(context: &Context, task: &Task) -> Result<Option<Plan>, ViewError> {
    let market = context.view.market(task.market)?;
    if !is_worth_sweeping(context, market.market.insurance_fees) {
        return Ok(None);
    }
    let keys = &context.view.snapshot().keys;
    Ok(Some(Plan::new(*task, instructions::sweep_insurance_fees(keys, &market.entry.keys))))
}

/// Sides of books whose front is full of orders that takers only pass over.
pub fn find_prunes(context: &Context) -> Vec<Task> {
    let markets = context.view.snapshot().markets().filter_map(|entry| context.view.market(entry.keys.index).ok());
    let tasks = markets.flat_map(|open| {
        let prunable = Side::BOTH.into_iter().find(|side| is_worth_pruning(context, open, *side));
        let reason = prunable.map(prune_reason);
        let (book, index) = (&open.entry.keys.book, open.entry.keys.index);
        reason.map(|reason| task(Kind::PruneOrders, book, index, reason, Urgency::Owed(Reverse(0))))
    });
    tasks.collect()
}

fn prune_reason(side: Side) -> &'static str {
    match side {
        Side::Long => "bids_passed_over",
        Side::Short => "asks_passed_over",
    }
}

fn is_worth_pruning(context: &Context, open: &OpenMarket, side: Side) -> bool {
    let Ok(terms) = open.market.terms(context.now) else { return false };
    let front = open.book.useless(side, terms).take(MAX_PRUNED).count();
    let (free, capacity) = (open.book.free_blocks(), open.book.capacity());
    open.market.require_price(Action::Liquidate, context.now).is_ok() && settle::decide_prune(front, free, capacity)
}

/// Prunes one side of a market's book.
///
/// # Errors
/// When the view cannot be read.
pub fn build_prune(context: &Context, task: &Task) -> Result<Option<Plan>, ViewError> {
    let open = context.view.market(task.market)?;
    let side = Side::BOTH.into_iter().find(|side| prune_reason(*side) == task.reason);
    let Some(side) = side.filter(|side| is_worth_pruning(context, open, *side)) else { return Ok(None) };
    let limit = u32::try_from(MAX_PRUNED).unwrap_or(u32::MAX);
    Ok(Some(Plan::new(*task, instructions::prune_orders(&open.entry.keys, side, limit))))
}

/// An account's score in the ranking index, as the index itself sees it: by the middle of its cell, not of the position.
/// For the order in which accounts are looked at; 0 when in no profit or in no index.
pub fn standing(view: &View, slots: &[Slot]) -> u64 {
    let of_slot = |slot: &Slot| {
        let side = slot.position().side().filter(|_| slot.is_member())?;
        let open = view.market(slot.market()?).ok()?;
        let cell = open.ranks.coordinates_of(slot.membership()).ok()?;
        let profit = score::profit(side, row_bounds(cell.row).middle, open.market.mark())?;
        let left = column_middle(cell.column.into()).saturating_add(i64::try_from(profit).ok()?);
        Some(score::quotient(score::numerator(side, profit), left))
    };
    slots.iter().filter_map(of_slot).max().unwrap_or(0)
}
