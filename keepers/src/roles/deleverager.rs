//! The deleverager: closes what book and insurance could not of bankrupt accounts, and has insurance pay what is left.

use ballast_client::{
    ballast::logic::{as_limit, loss_per_lot},
    instructions,
    view::{Due, ViewError},
};
use ballast_risk::health::Stage;
use solana_pubkey::Pubkey;

use super::{Context, forced_urgency, liquidator::is_noted};
use crate::{
    decide::deleverage::{Debt, Facts, Relief, Verdict, Waiting, decide, decide_debt, seats_to_settle},
    task::{Kind, Plan, Task, Urgency},
};

/// Most seats that are settled at once for one bankrupt position.
const MAX_SEATS: usize = 16;

/// What is to be done about a bankrupt account: its own task, or the seats of others that have to be settled first.
///
/// # Errors
/// When the view cannot be read.
pub fn find(context: &Context, key: &Pubkey, due: &Due) -> Result<Vec<Task>, ViewError> {
    if due.stage != Stage::Bankrupt {
        return Ok(Vec::new());
    }
    let Some(market) = due.market else { return find_debt(context, key, due) };
    let Some((verdict, position)) = verdict(context, key, market, due)? else { return Ok(Vec::new()) };
    let task =
        |kind, account: Pubkey, reason, urgency| Task { kind, market, account, stage: due.stage, reason, urgency };
    Ok(match verdict {
        Verdict::Nothing => Vec::new(),
        Verdict::Call(reason) => vec![task(Kind::Deleverage, *key, reason.name(), forced_urgency(due))],
        Verdict::SettleSeatsFirst => {
            let waiting =
                context.view.market(market)?.book.seats().map(|(_, seat)| Waiting {
                    account: Pubkey::new_from_array(seat.account),
                    base: seat.pending_base,
                });
            let seats = seats_to_settle(position, waiting.filter(|seat| seat.account != *key), MAX_SEATS);
            let settle = |account| task(Kind::SettleSeat, account, "before_deleveraging", Urgency::Blocking);
            seats.into_iter().map(settle).collect()
        }
    })
}

/// What to do about a bankrupt position, and its lots (positive long). `None` without a position.
fn verdict(context: &Context, key: &Pubkey, market: u16, due: &Due) -> Result<Option<(Verdict, i64)>, ViewError> {
    let Some(state) = context.view.position(key, market)? else { return Ok(None) };
    let Some(side) = state.position.side() else { return Ok(None) };
    let open = context.view.market(market)?;
    let limit = as_limit(due.assessment.bankruptcy_price(state.position)?);
    let per_lot = loss_per_lot(side, limit, due.assessment.primary_mark);
    let progress = context.account(key)?.progress();
    let forgotten = progress.is_forgotten(context.now, &open.market.params.liquidation());
    let facts = Facts {
        step: due.step,
        now: context.now,
        noted: is_noted(due.step, progress) && !forgotten,
        book_takes: context.book_takes(open, side, limit),
        shortfall: per_lot.saturating_mul(state.position.lots().0),
        insurance: context.available(open),
        opposing: open.ranks.open_interest(side.opposite()).0,
    };
    Ok(Some((decide(&facts), state.position.0)))
}

/// What is to be done about an account that owes but has no position left.
fn find_debt(context: &Context, key: &Pubkey, due: &Due) -> Result<Vec<Task>, ViewError> {
    let account = context.account(key)?;
    let mut debts = Vec::new();
    for market in account.slots.iter().filter_map(|slot| slot.market()) {
        let Some(state) = context.view.position(key, market)? else { continue };
        let cash = state.unsettled.add(state.funding).map_err(|_| ballast_risk::RiskError::Overflow)?;
        let insurance = context.available(context.view.market(market)?);
        debts.push(Debt { market, owed: cash.negative_part(), insurance });
    }
    let task = |kind, market| Task {
        kind,
        market,
        account: *key,
        stage: due.stage,
        reason: "bad_debt",
        urgency: forced_urgency(due),
    };
    Ok(match decide_debt(account.collateral, &debts) {
        None => Vec::new(),
        Some(Relief::Settle(market)) => vec![task(Kind::SettleSeat, market)],
        Some(Relief::Cover(market)) => vec![task(Kind::CoverBadDebt, market)],
    })
}

/// Decides again, and builds the instructions.
///
/// # Errors
/// When the view cannot be read.
pub fn build(context: &Context, wanted: &Task) -> Result<Option<Plan>, ViewError> {
    let key = &wanted.account;
    let due = context.view.due(key, context.now)?;
    let Some(task) = find(context, key, &due)?.into_iter().find(|task| task.kind == wanted.kind) else {
        return Ok(None);
    };
    let tend = context.tend(key, task.market)?;
    let keys = &context.view.snapshot().keys;
    if task.kind == Kind::CoverBadDebt {
        return Ok(Some(Plan::new(task, instructions::cover_bad_debt(keys, &tend))));
    }
    let instruction = instructions::deleverage(keys, &tend, context.config.max_cells);
    // Not said to be paid for: only the piece that ends a bankruptcy is, and the others have to be done all the same.
    context.forced(task, instruction).map(Some)
}
