//! A partial liquidation on the book, or a takeover by another account.

use ballast::{
    events::{Cause, Liquidated, Traded},
    logic::{as_limit, loss_per_lot, stage_code},
    state::Market,
};
use ballast_risk::{
    RiskError,
    liquidation::{self, LiquidationParams},
    margin,
};
use ballast_units::{BPS, Position, Price, Quote, Side};

use super::{Line, What, account, at_least, at_most, same, same_alone, signed};
use crate::{events::Event, view::ViewError};

/// Whether the event is of a takeover: the positions of both accounts changed for that cause.
pub(super) fn is_takeover(event: &Liquidated, before: &[Event]) -> bool {
    before.iter().any(|other| match other {
        Event::PositionChanged(changed) => changed.account == event.account && changed.cause == Cause::Takeover,
        _ => false,
    })
}

pub(super) fn lines(
    event: &Liquidated,
    before: &[Event],
    market: &Market,
    alone: bool,
) -> Result<Vec<Line>, ViewError> {
    let position = Position(event.position);
    let mark = Price(event.mark);
    let value = position.value(mark).map_err(RiskError::from)?;
    let here = i128::from(event.unsettled) + i128::from(value.0) - i128::from(event.basis);
    let equity = i64::try_from(here + i128::from(event.collateral)).map_err(|_| RiskError::Overflow)?;
    let notional = value.0.unsigned_abs();
    let own = if notional == 0 { 0 } else { margin::maintenance(notional, market.params.tiers())? };
    let whole = account(event.equity, event.maintenance);
    let mut lines = vec![
        same_alone(What::Equity, event.equity, equity, alone),
        same(What::PositionMaintenance, signed(event.position_maintenance), signed(own)),
        same_alone(What::Maintenance, signed(event.maintenance), signed(own), alone),
        same(What::Stage, event.stage.into(), stage_code(whole.stage()).into()),
    ];
    let Some(side) = position.side().filter(|_| event.lots != 0) else { return Ok(lines) };
    let bankruptcy = liquidation::bankruptcy_price(position, mark, event.position_maintenance, &whole)?;
    lines.push(same(What::BankruptcyPrice, event.bankruptcy_price, bankruptcy));
    if is_takeover(event, before) {
        taken_over(event, market, side, &mut lines)?;
    } else {
        on_book(event, before, market, side, &mut lines)?;
    }
    Ok(lines)
}

fn on_book(
    event: &Liquidated,
    before: &[Event],
    market: &Market,
    side: Side,
    lines: &mut Vec<Line>,
) -> Result<(), ViewError> {
    let params = market.params.liquidation();
    let mark = Price(event.mark);
    let whole = account(event.equity, event.maintenance);
    let position = Position(event.position);
    let wanted = liquidation::partial_lots(position, mark, mark, market.params.tiers(), &whole, &params)?;
    lines.push(at_most(What::Lots, signed(event.lots), signed(wanted.0)));
    let traded = before.iter().rev().find_map(|other| match other {
        Event::Traded(traded) if traded.taker == event.account && traded.market == event.market => Some(traded),
        _ => None,
    });
    if let Some(Traded { fills, .. }) = traded {
        let quote = fills.iter().map(|fill| u128::from(fill.price) * u128::from(fill.lots)).sum::<u128>();
        lines.push(same(What::Quote, signed(event.quote), i64::try_from(quote).unwrap_or(i64::MAX)));
        let limit = signed(as_limit(event.bankruptcy_price).0);
        let prices = fills.iter().map(|fill| signed(fill.price));
        match side {
            Side::Long => lines.extend(prices.min().map(|worst| at_least(What::WorstPrice, worst, limit))),
            Side::Short => lines.extend(prices.max().map(|worst| at_most(What::WorstPrice, worst, limit))),
        }
    }
    // Closing off the mark costs the distance; the fee cannot exceed what is left, or what of it is settled.
    let at_mark = ballast_units::Lots(event.lots).value(mark).map_err(RiskError::from)?.0;
    let lost = i64::from(side == Side::Long) * (at_mark - signed(event.quote))
        + i64::from(side == Side::Short) * (signed(event.quote) - at_mark);
    let settled = before.iter().rev().find_map(|other| match other {
        Event::Settled(settled) if settled.account == event.account => Some(settled.collateral),
        _ => None,
    });
    let left = Quote((event.equity - lost).min(signed(settled.unwrap_or(event.collateral))));
    let fee = liquidation::fee(event.quote, left, &params)?;
    lines.push(same(What::Reward, signed(event.reward), signed(fee.to_liquidator)));
    lines.push(same(What::ToInsurance, signed(event.to_insurance), signed(fee.to_insurance)));
    Ok(())
}

fn taken_over(event: &Liquidated, market: &Market, side: Side, lines: &mut Vec<Line>) -> Result<(), ViewError> {
    let params = market.params.liquidation();
    let limits = LiquidationParams { max_fraction_bps: BPS as u32, fee_bps: 0, ..params };
    let (mark, whole) = (Price(event.mark), account(event.equity, event.maintenance));
    let position = Position(event.position);
    let offer = liquidation::takeover_price(side, mark, event.bankruptcy_price, event.seconds, &params.takeover)?;
    let price = signed(event.quote / event.lots);
    lines.push(same(What::Price, price, signed(offer.price.0)));
    let wanted = liquidation::partial_lots(position, mark, offer.price, market.params.tiers(), &whole, &limits)?;
    lines.push(at_most(What::Lots, signed(event.lots), signed(wanted.0)));
    lines.push(same(What::Quote, signed(event.quote), signed(offer.price.0.saturating_mul(event.lots))));
    let discount = loss_per_lot(side, mark, offer.price).saturating_mul(event.lots);
    lines.push(same(What::Reward, signed(event.reward), signed(discount)));
    let owed = offer.shortfall.saturating_mul(event.lots);
    lines.push(same(What::InsuranceDrawn, signed(event.insurance_drawn), signed(owed)));
    Ok(())
}
