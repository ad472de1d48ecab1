//! The keeper's own margin account: what it can carry, and how it gets rid of what it took over.

use ballast_client::{
    ballast::{
        logic::{Assessment, Marks, SlotHealth, require_initial_margin, slot_health},
        state::{MarginAccount, Slot},
    },
    instructions,
    view::ViewError,
};
use ballast_risk::health::{self, MarketState, PositionState, Stage};
use ballast_units::{BPS, Lots, Price, Quote, Side};
use bytemuck::Zeroable;

use super::Context;
use crate::{
    config::Role,
    task::{Kind, Plan, Task, Urgency},
};

/// Whether the keeper's own account would cover its initial margin after taking `lots` of `side` over at `price`.
///
/// # Errors
/// When the view cannot be read, or an amount leaves its range.
pub fn covers_margin_with(
    context: &Context,
    market: u16,
    side: Side,
    lots: Lots,
    price: Price,
) -> Result<bool, ViewError> {
    let key = &context.own.margin;
    let account = context.account(key)?;
    let mut assessment = Assessment::new(account.collateral);
    for slot in &account.slots {
        let Some(index) = slot.market().filter(|index| *index != market) else { continue };
        let open = context.view.market(index)?;
        let health = slot_health(slot, key, &open.market, &open.book, &open.ranks, Marks::Current)?;
        assessment.add(index, &health, false)?;
    }
    let held = context.view.position(key, market)?.unwrap_or_default();
    let after = traded(&held, side, lots, price)?;
    let open = context.view.market(market)?;
    let params = &open.market.params;
    let state = MarketState {
        mark: open.market.mark(),
        tiers: params.tiers(),
        pool: open.market.pool,
        profit_haircut_bps: params.profit_haircut_bps,
        margin_multiplier_bps: params.margin_multiplier_bps,
    };
    let health = SlotHealth { health: health::assess(&after, &state)?, mark: state.mark, owed: 0 };
    assessment.add(market, &health, true)?;
    Ok(require_initial_margin(&assessment.account).is_ok())
}

/// A position after `lots` of `side` more, paid at `price`: by the program's own booking of trades.
fn traded(held: &PositionState, side: Side, lots: Lots, price: Price) -> Result<PositionState, ViewError> {
    let overflow = |_| ballast_risk::RiskError::Overflow;
    let cash = held.unsettled.add(held.funding).map_err(overflow)?;
    let mut slot = Slot { lots: held.position.0, basis: held.basis.0, unsettled: cash.0, ..Slot::zeroed() };
    let value = lots.value(price).map_err(overflow)?;
    let paid = match side {
        Side::Long => value.neg().map_err(overflow)?,
        Side::Short => value,
    };
    slot.trade(lots.on(side).map_err(overflow)?, paid)?;
    Ok(PositionState {
        position: slot.position(),
        basis: Quote(slot.basis),
        unsettled: Quote(slot.unsettled),
        funding: Quote::ZERO,
        ..*held
    })
}

/// Positions to sell on the book, if the operator wants that.
///
/// # Errors
/// When the view cannot be read.
pub fn find_unwind(context: &Context) -> Result<Option<Task>, ViewError> {
    if !context.config.has(Role::Liquidator) {
        return Ok(None);
    }
    let Some(account) = context.view.snapshot().account(&context.own.margin) else { return Ok(None) };
    for market in account.slots.iter().filter_map(Slot::market) {
        if let Some((side, lots, limit)) = unwinding(context, account, market)? {
            let value = lots.value(limit).unwrap_or_default().positive_part();
            return Ok(Some(Task {
                kind: Kind::Unwind,
                market,
                account: context.own.margin,
                stage: Stage::Healthy,
                reason: match side {
                    Side::Long => "sell",
                    Side::Short => "buy_back",
                },
                urgency: Urgency::Owed(core::cmp::Reverse(value)),
            }));
        }
    }
    Ok(None)
}

/// The own position in a market, and the limit at which the book takes some of it.
fn unwinding(
    context: &Context,
    account: &MarginAccount,
    market: u16,
) -> Result<Option<(Side, Lots, Price)>, ViewError> {
    let Some(far_bps) = context.config.takeover.unwind_bps else { return Ok(None) };
    if account.slot_index(market).is_none() || !context.may_trade.get() {
        return Ok(None);
    }
    let state = context.view.position(&context.own.margin, market)?.unwrap_or_default();
    let Some(side) = state.position.side() else { return Ok(None) };
    let open = context.view.market(market)?;
    // The orders that it meets are the position's own side.
    let Ok(band) = open.market.range(side) else { return Ok(None) };
    let limit = limit(side, open.market.mark(), far_bps, open.market.params.tick);
    let limit = Price(limit.0.clamp(band.0.0, band.1.0));
    let takes = context.book_takes(open, side, limit);
    Ok(takes.then_some((side, state.position.lots(), limit)))
}

/// The worst price to close a position at: so far from the mark, on the better side of the nearest tick.
fn limit(side: Side, mark: Price, far_bps: u32, tick: u64) -> Price {
    let tick = tick.max(1);
    let far = u64::from(far_bps).saturating_mul(mark.0) / BPS;
    match side {
        Side::Long => Price(mark.0.saturating_sub(far).div_ceil(tick).max(1).saturating_mul(tick)),
        Side::Short => Price((mark.0.saturating_add(far) / tick).max(1).saturating_mul(tick)),
    }
}

/// An order that sells what was taken over, as far as the book takes it.
///
/// # Errors
/// When the view cannot be read.
pub fn build_unwind(context: &Context, task: &Task) -> Result<Option<Plan>, ViewError> {
    let account = context.account(&context.own.margin)?;
    let Some((side, lots, limit)) = unwinding(context, account, task.market)? else { return Ok(None) };
    let min_lots = context.view.market(task.market)?.market.params.min_lots;
    let order = instructions::reducing_order(side.opposite(), limit, Lots(lots.0.max(min_lots)));
    let others = instructions::others(account, Some(task.market), context.view.snapshot());
    let others = others.map_err(|unknown| ViewError::NoMarket(unknown.0))?;
    let keys = context.keys(task.market)?;
    let instruction = instructions::place_order(&context.own.signer, &context.own.margin, &keys, order, &others);
    let mut plan = context.forced(*task, instruction)?;
    plan.lots = Some(lots.0);
    Ok(Some(plan))
}

#[cfg(test)]
mod tests {
    use ballast_units::Position;

    use super::*;

    #[test]
    fn the_limit_is_no_worse_than_said_and_on_a_tick() {
        assert_eq!(limit(Side::Long, Price(10_000), 33, 10), Price(9_970));
        assert_eq!(limit(Side::Short, Price(10_000), 33, 10), Price(10_030));
        assert_eq!(limit(Side::Long, Price(3), 10_000, 10), Price(10));
    }

    #[test]
    fn what_is_taken_over_is_booked_as_the_program_books_it() {
        let held = PositionState {
            position: Position(-10),
            basis: Quote(-1_000),
            unsettled: Quote(5),
            funding: Quote(-2),
            ..PositionState::default()
        };
        let after = traded(&held, Side::Long, Lots(4), Price(90)).unwrap();
        assert_eq!((after.position, after.basis), (Position(-6), Quote(-600)));
        // Sold at 100, bought back at 90.
        assert_eq!((after.unsettled, after.funding), (Quote(3 + 40), Quote::ZERO));
        let more = traded(&held, Side::Short, Lots(5), Price(120)).unwrap();
        assert_eq!((more.position, more.basis, more.unsettled), (Position(-15), Quote(-1_600), Quote(3)));
    }
}
