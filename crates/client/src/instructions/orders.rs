//! Orders as traders think of them. Each returns an [`OrderArgs`] that can be changed further.

use ballast::{MAX_MAKERS, OrderArgs, OrderKind, SelfTradeMode};
use ballast_units::{Lots, Price, Side};

/// A limit order: matches what it can at `price` or better, the rest comes to rest.
pub fn limit_order(side: Side, price: Price, lots: Lots) -> OrderArgs {
    order(OrderKind::Limit, side, price, lots)
}

/// An order that rests or is refused.
pub fn post_only_order(side: Side, price: Price, lots: Lots) -> OrderArgs {
    order(OrderKind::PostOnly, side, price, lots)
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
    }
}
