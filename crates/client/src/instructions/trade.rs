//! Placing and cancelling orders.

use ballast::{OrderArgs, accounts, instruction};
use ballast_book::OrderId;
use ballast_units::Side;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::build;
use crate::addresses::MarketKeys;

/// Places an order for `margin`, signed by its owner or delegate. [`super::limit_order`] and its siblings make the usual
/// kinds. `others`: the account's other markets.
pub fn place_order(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    order: OrderArgs,
    others: &[AccountMeta],
) -> Instruction {
    build(
        &accounts::PlaceOrder {
            trader: *trader,
            margin: *margin,
            market: market.market,
            book: market.book,
            ranks: market.ranks,
        },
        &instruction::PlaceOrder { order },
        others,
    )
}

/// Cancels one order by its id.
pub fn cancel_order(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys, order: OrderId) -> Instruction {
    build(&cancel_accounts(trader, margin, market), &instruction::CancelOrder { order_id: order.0 }, &[])
}

/// Cancels up to `limit` orders, those of one side or all, newest first.
pub fn cancel_all(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    side: Option<Side>,
    limit: u32,
) -> Instruction {
    let side = side.map_or(2, side_code);
    build(&cancel_accounts(trader, margin, market), &instruction::CancelAll { side, limit }, &[])
}

/// Removes up to `limit` orders of a side that takers only pass over: expired, or beyond the band. Anyone may.
pub fn prune_orders(market: &MarketKeys, side: Side, limit: u32) -> Instruction {
    build(
        &accounts::PruneOrders { market: market.market, book: market.book },
        &instruction::PruneOrders { side: side_code(side), limit },
        &[],
    )
}

/// A side as the program's arguments name it.
fn side_code(side: Side) -> u8 {
    match side {
        Side::Long => 0,
        Side::Short => 1,
    }
}

pub(super) fn cancel_accounts(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys) -> accounts::CancelOrders {
    accounts::CancelOrders { trader: *trader, margin: *margin, market: market.market, book: market.book }
}
