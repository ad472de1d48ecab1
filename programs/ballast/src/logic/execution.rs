//! An account takes liquidity from the book.

use anchor_lang::prelude::*;
use ballast_book::{Event, Matched, SelfTrade, Taker};
use ballast_risk::fees;
use ballast_units::{Lots, Price, Quote, Side};

use super::{Venue, charge_fee, gather_volume, rates, removed_order, signed};
use crate::{
    error::{BallastError, OrFail},
    events::{Cause, MakerFill, OrderRemoved, OrderRemovedFor, PositionChanged, Traded},
    record::tell,
    state::MarginAccount,
};

/// What to take.
pub struct Take {
    /// Long to buy, short to sell.
    pub side: Side,
    /// Lots at most.
    pub lots: Lots,
    /// Worst price.
    pub limit: Price,
    /// What to do on meeting an order of the same owner.
    pub self_trade: SelfTrade,
    /// Makers at most.
    pub max_makers: u32,
    /// Why.
    pub cause: Cause,
    /// The client's own id of the order; 0 where the account did not order it.
    pub client_id: u64,
}

/// Matches within the market's band and applies the result to the account's slot: position, realised profit, taker fee
/// (none for forced trades, which pay the liquidation fee instead). The position must have left the index.
pub fn take(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    index: usize,
    key: &Pubkey,
    take: &Take,
    now: i64,
) -> Result<Matched> {
    // Forced trades pay no trading fee, and earn no tier.
    let forced = matches!(take.cause, Cause::Liquidation | Cause::Bankruptcy);
    let taker_fee_ppm = if forced { 0 } else { rates(venue.market, margin)?.taker_ppm };
    let taker = Taker {
        side: take.side,
        lots: take.lots,
        limit: take.limit,
        terms: venue.market.terms(now)?,
        owner: margin.owner.to_bytes(),
        self_trade: take.self_trade,
        max_makers: take.max_makers,
        funding_index: venue.market.funding_index(),
        taker_fee_ppm,
        rebate_budget: margin.collateral,
    };
    let (mut fills, mut removed) = (Vec::new(), Vec::new());
    let matched = venue
        .book
        .match_taker(taker, |event| match event {
            Event::Fill(fill) => fills.push(MakerFill {
                seat: fill.seat,
                order_id: fill.order_id.0,
                price: fill.price.0,
                lots: fill.lots.0,
            }),
            Event::Cancelled(order) => {
                removed.push(removed_order(order));
            }
            Event::Decremented { seat, order_id, lots, .. } => {
                let reason = OrderRemovedFor::SelfTrade;
                removed.push(OrderRemoved { seat: *seat, order_id: order_id.0, lots: lots.0, reason });
            }
        })
        .or_fail()?;
    if matched.makers == 0 {
        return Ok(matched);
    }
    let quote = i64::try_from(matched.quote).map_err(|_| BallastError::Overflow)?;
    let base = matched.lots.on(take.side).or_fail()?;
    let cash = match take.side {
        Side::Long => Quote(-quote),
        Side::Short => Quote(quote),
    };
    let slot = &mut margin.slots[index];
    slot.trade(base, cash)?;
    let (lots, basis) = (slot.lots, slot.basis);
    let fee = fees::charge(matched.quote, taker_fee_ppm).or_fail()?;
    let fee = charge_fee(venue.market, margin, index, fee, matched.rebates_owed)?;
    if !forced {
        gather_volume(margin, matched.quote)?;
    }
    tell(&Traded {
        market: venue.market.index,
        taker: *key,
        bought: take.side == Side::Long,
        cause: take.cause,
        wanted: take.lots.0,
        limit: take.limit.0,
        client_id: take.client_id,
        fee,
        fills,
        removed,
    });
    tell(&PositionChanged {
        market: venue.market.index,
        account: *key,
        cause: take.cause,
        base: base.0,
        cash: cash.0,
        fee: signed(fee)?,
        lots,
        basis,
    });
    Ok(matched)
}
