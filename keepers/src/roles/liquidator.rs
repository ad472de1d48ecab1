//! The liquidator: reduces accounts below maintenance margin on the book, and takes positions over.

use ballast_client::{
    ballast::{
        logic::{as_limit, loss_per_lot},
        state::MarginAccount,
    },
    instructions::{self, TakeoverOf},
    view::{Due, ViewError},
};
use ballast_risk::{
    RiskError, fees,
    liquidation::{self, LiquidationParams, Progress, Step},
};
use ballast_units::Lots;
use solana_pubkey::Pubkey;

use super::{Context, forced_urgency, own};
use crate::{
    decide::{
        liquidate::{self, Facts},
        profit::Worth,
        takeover::{self, Limits, Offer},
    },
    task::{Kind, Plan, Task},
};

/// What is to be done about an account in trouble, if anything.
///
/// # Errors
/// When the view cannot be read.
pub fn find(context: &Context, key: &Pubkey, due: &Due) -> Result<Option<Task>, ViewError> {
    Ok(find_with_lots(context, key, due)?.map(|(task, _)| task))
}

/// A takeover if the keeper can, with its lots; else a reduction on the book, else the cancelling of orders in the
/// account's other markets.
fn find_with_lots(context: &Context, key: &Pubkey, due: &Due) -> Result<Option<(Task, Option<Lots>)>, ViewError> {
    if due.step == Step::None || due.market.is_none() {
        return Ok(None);
    }
    if let Some((task, lots)) = takeover_task(context, key, due)? {
        return Ok(Some((task, Some(lots))));
    }
    if let Some(task) = liquidate_task(context, key, due)? {
        return Ok(Some((task, None)));
    }
    let account = context.account(key)?;
    for market in account.slots.iter().filter_map(|slot| slot.market()).filter(|index| Some(*index) != due.market) {
        if context.orders(key, market)? > 0 {
            let reason = liquidate::Reason::CancelOrders.name();
            return Ok(Some((task(key, market, due, Kind::Liquidate, reason), None)));
        }
    }
    Ok(None)
}

/// Decides again, and builds the instructions.
///
/// # Errors
/// When the view cannot be read.
pub fn build(context: &Context, wanted: &Task) -> Result<Option<Plan>, ViewError> {
    let key = &wanted.account;
    let due = context.view.due(key, context.now)?;
    match find_with_lots(context, key, &due)? {
        None => Ok(None),
        Some((task, Some(lots))) => build_takeover(context, task, lots).map(Some),
        Some((task, None)) => {
            let instruction = instructions::liquidate(&context.tend(key, task.market)?);
            let paid = task.reason == liquidate::Reason::Reduce.name();
            Ok(Some(context.forced(task, instruction)?.paid_if(paid)))
        }
    }
}

fn task(key: &Pubkey, market: u16, due: &Due, kind: Kind, reason: &'static str) -> Task {
    Task { kind, market, account: *key, stage: due.stage, reason, urgency: forced_urgency(due) }
}

fn liquidate_task(context: &Context, key: &Pubkey, due: &Due) -> Result<Option<Task>, ViewError> {
    let Some(market) = due.market else { return Ok(None) };
    let Some(state) = context.view.position(key, market)? else { return Ok(None) };
    let Some(side) = state.position.side() else { return Ok(None) };
    let limit = as_limit(due.assessment.bankruptcy_price(state.position)?);
    let progress = context.account(key)?.progress();
    let params = context.view.market(market)?.market.params.liquidation();
    let facts = Facts {
        step: due.step,
        orders: context.orders(key, market)?,
        book_takes: context.book_takes(context.view.market(market)?, side, limit),
        // Called once more before it is forgotten, so that the clocks go on.
        noted: is_noted(due.step, progress) && !progress.fades(context.now, &params),
    };
    let reason = liquidate::decide(&facts);
    Ok(reason.map(|reason| task(key, market, due, Kind::Liquidate, reason.name())))
}

/// Whether the account's data says already since when it is at this step.
pub(super) fn is_noted(step: Step, progress: &Progress) -> bool {
    match step {
        Step::None | Step::Wait { .. } | Step::Partial => true,
        Step::Takeover { .. } | Step::Backstop { .. } => progress.takeover_since != 0,
        Step::Bankrupt { .. } => progress.bankrupt_since != 0,
    }
}

/// A takeover that the keeper wants and can afford, with how many lots of it.
fn takeover_task(context: &Context, key: &Pubkey, due: &Due) -> Result<Option<(Task, Lots)>, ViewError> {
    let wishes = context.config.takeover;
    let taker = context.view.snapshot().account(&context.own.margin);
    let may = wishes.enabled && context.may_trade.get() && *key != context.own.margin;
    let (true, Some(taker)) = (may, taker) else { return Ok(None) };
    let Some(terms) = context.view.offer(key, due)? else { return Ok(None) };
    let Some(side) = terms.position.side() else { return Ok(None) };
    let account = context.account(key)?;
    let solvent = taker.collateral > 0 && taker.progress().bankrupt_since == 0;
    if taker.owner == account.owner || !solvent {
        return Ok(None);
    }
    let open = context.view.market(terms.market)?;
    let params = &open.market.params;
    // As the program: without the book's cap on the part, and at the cost of the discount instead of the fee.
    let limits = LiquidationParams { max_fraction_bps: 10_000, fee_bps: 0, ..params.liquidation() };
    let account = &due.assessment.account;
    let restoring =
        liquidation::partial_lots(terms.position, terms.mark, terms.price, params.tiers(), account, &limits)?;
    let offer = Offer {
        side,
        price: terms.price,
        mark: terms.mark,
        restoring,
        shortfall: terms.shortfall,
        insurance: context.available(open),
    };
    let held = context.view.position(&context.own.margin, terms.market)?;
    let limits = Limits {
        max_position: wishes.max_position,
        max_lots: Lots(params.max_position_lots),
        min_discount_bps: wishes.min_discount_bps,
        own: held.map_or(0, |state| state.position.0),
    };
    let fits = |lots: Lots| own::covers_margin_with(context, terms.market, side, lots, terms.price).unwrap_or(false);
    let Some(lots) = takeover::decide(&offer, &limits, fits) else { return Ok(None) };
    // As the program counts the discount, and at the highest fee: what is not worth that is left to the book.
    let discount = loss_per_lot(side, terms.mark, terms.price).saturating_mul(lots.0);
    let afterwards = unwinding_fee(context, taker, terms.market, lots)?;
    let worth = Worth::new(discount, context.config.fees.most(), context.sol_price, afterwards);
    let worth = worth.suffices(context.config.profit.forced);
    Ok(worth.then(|| (task(key, terms.market, due, Kind::Takeover, "discount"), lots)))
}

fn build_takeover(context: &Context, task: Task, lots: Lots) -> Result<Plan, ViewError> {
    let taker = context.account(&context.own.margin)?;
    let account = context.account(&task.account)?;
    let others = instructions::others_of_both(account, taker, Some(task.market), context.view.snapshot());
    let takeover = TakeoverOf {
        liquidator: context.own.signer,
        taker: context.own.margin,
        margin: task.account,
        market: context.keys(task.market)?,
        others: others.map_err(|unknown| ViewError::NoMarket(unknown.0))?,
    };
    let instruction = instructions::takeover(&context.view.snapshot().keys, &takeover, lots);
    let plan = context.forced(task, instruction)?.paid_if(true);
    Ok(Plan { lots: Some(lots.0), afterwards: unwinding_fee(context, taker, task.market, lots)?, ..plan })
}

/// What it costs to sell so many lots again as a taker, in atoms.
fn unwinding_fee(context: &Context, taker: &MarginAccount, market: u16, lots: Lots) -> Result<u64, ViewError> {
    let market = &context.view.market(market)?.market;
    let rates = market.params.rates(taker.fee_tier_on(fees::day_of(context.now)));
    let value = lots.value(market.mark()).map_err(|_| RiskError::Overflow)?;
    Ok(fees::charge(value.positive_part(), rates.taker_ppm)?)
}
