//! Orders as traders think of them. Each returns an [`OrderArgs`] that can be changed further.

use ballast::{MAX_MAKERS, OrderArgs, OrderKind, SelfTradeMode};
use ballast_units::{BPS, Lots, Price, Side};

/// A limit order: matches what it can at `price` or better, the rest comes to rest.
pub fn limit_order(side: Side, price: Price, lots: Lots) -> OrderArgs {
    order(OrderKind::Limit, side, price, lots)
}

/// An order that rests or is refused.
pub fn post_only_order(side: Side, price: Price, lots: Lots) -> OrderArgs {
    order(OrderKind::PostOnly, side, price, lots)
}

/// An order that rests, one tick behind the best order that it would match.
pub fn sliding_order(side: Side, price: Price, lots: Lots) -> OrderArgs {
    order(OrderKind::PostOnlySlide, side, price, lots)
}

/// A post-only order that follows the mark at `offset` atoms per lot from it, a multiple of the tick, and never trades beyond
/// `limit`.
pub fn pegged_order(side: Side, offset: i64, limit: Price, lots: Lots) -> OrderArgs {
    OrderArgs { peg: Some(offset), ..post_only_order(side, limit, lots) }
}

/// The worst price of a market order that accepts `slippage_bps` from the mark, on the tick and inside `u64`: to be passed to
/// [`market_order`] and [`fill_or_kill_order`].
pub fn worst_price(side: Side, mark: Price, slippage_bps: u32, tick: u64) -> Price {
    let width = u128::from(mark.0) * u128::from(slippage_bps) / u128::from(BPS);
    let width = u64::try_from(width).unwrap_or(u64::MAX);
    let tick = tick.max(1);
    match side {
        Side::Long => Price(mark.0.saturating_add(width) / tick * tick),
        Side::Short => Price(mark.0.saturating_sub(width).max(1).div_ceil(tick).saturating_mul(tick)),
    }
}

/// An order that matches what it can now, at no worse than `worst`.
pub fn market_order(side: Side, worst: Price, lots: Lots) -> OrderArgs {
    order(OrderKind::ImmediateOrCancel, side, worst, lots)
}

/// An order that matches completely at no worse than `worst`, or not at all.
pub fn fill_or_kill_order(side: Side, worst: Price, lots: Lots) -> OrderArgs {
    order(OrderKind::FillOrKill, side, worst, lots)
}

/// A market order that reduces the position and stops at zero.
pub fn reducing_order(side: Side, worst: Price, lots: Lots) -> OrderArgs {
    OrderArgs { reduce_only: true, ..market_order(side, worst, lots) }
}

fn order(kind: OrderKind, side: Side, price: Price, lots: Lots) -> OrderArgs {
    OrderArgs {
        buys: side == Side::Long,
        kind,
        price: price.0,
        lots: lots.0,
        reduce_only: false,
        client_id: 0,
        expires_at: 0,
        self_trade: SelfTradeMode::CancelResting,
        max_makers: MAX_MAKERS,
        peg: None,
    }
}
