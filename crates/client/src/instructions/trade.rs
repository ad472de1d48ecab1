//! Placing and cancelling orders.

use ballast::{BatchArgs, OrderArgs, OrderRef, accounts, instruction};
use ballast_book::OrderId;
use ballast_units::Side;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::build;
use crate::addresses::{MarketKeys, PROGRAM_ID};

/// Places an order for `margin`, signed by its owner or delegate. [`super::limit_order`] and its siblings make the usual
/// kinds. `others`: the account's other markets.
pub fn place_order(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    order: OrderArgs,
    others: &[AccountMeta],
) -> Instruction {
    build(&place_accounts(trader, margin, market), &instruction::PlaceOrder { order }, others)
}

/// Puts `order` in the place of another of the account's. One that differs only in fewer lots keeps its place in the queue.
/// If the other is gone, `order` is placed only where `even_if_gone` says so.
pub fn replace_order(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    target: OrderRef,
    order: OrderArgs,
    even_if_gone: bool,
    others: &[AccountMeta],
) -> Instruction {
    build(&place_accounts(trader, margin, market), &instruction::ReplaceOrder { target, order, even_if_gone }, others)
}

/// Cancels and places many orders at once, with one assessment of the account.
pub fn batch_orders(
    trader: &Pubkey,
    margin: &Pubkey,
    market: &MarketKeys,
    batch: BatchArgs,
    others: &[AccountMeta],
) -> Instruction {
    build(&place_accounts(trader, margin, market), &instruction::BatchOrders { batch }, others)
}

/// Cancels the newest order with a client id.
pub fn cancel_by_client_id(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys, client_id: u64) -> Instruction {
    build(&cancel_accounts(trader, margin, market), &instruction::CancelByClientId { client_id }, &[])
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
        &accounts::PruneOrders { market: market.market, book: market.book, program: PROGRAM_ID },
        &instruction::PruneOrders { side: side_code(side), limit },
        &[],
    )
}

/// Removes those of these orders that have expired, wherever they are in the book. Anyone may.
pub fn prune_expired(market: &MarketKeys, orders: &[OrderId]) -> Instruction {
    build(
        &accounts::PruneOrders { market: market.market, book: market.book, program: PROGRAM_ID },
        &instruction::PruneExpired { order_ids: orders.iter().map(|id| id.0).collect() },
        &[],
    )
}

/// Gives a market's book room for 64 more orders or seats, at the cost of `payer`, who signs.
pub fn grow_book(payer: &Pubkey, market: &MarketKeys) -> Instruction {
    let system_program = solana_system_interface::program::ID;
    build(
        &accounts::GrowBook {
            payer: *payer,
            market: market.market,
            book: market.book,
            system_program,
            program: PROGRAM_ID,
        },
        &instruction::GrowBook {},
        &[],
    )
}

/// A side as [`BatchArgs::cancel_side`] and other arguments of the program name it.
pub fn side_code(side: Side) -> u8 {
    match side {
        Side::Long => 0,
        Side::Short => 1,
    }
}

fn place_accounts(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys) -> accounts::PlaceOrder {
    accounts::PlaceOrder {
        trader: *trader,
        margin: *margin,
        market: market.market,
        book: market.book,
        ranks: market.ranks,
        program: PROGRAM_ID,
    }
}

pub(super) fn cancel_accounts(trader: &Pubkey, margin: &Pubkey, market: &MarketKeys) -> accounts::CancelOrders {
    accounts::CancelOrders {
        trader: *trader,
        margin: *margin,
        market: market.market,
        book: market.book,
        program: PROGRAM_ID,
    }
}
