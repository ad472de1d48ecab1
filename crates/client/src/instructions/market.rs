//! Creating and governing a market, and reading its oracle.
//!
//! A book and a ranking index are larger than a program can create by itself. So the client creates both accounts
//! zeroed, with [`create_book`] and [`create_ranks`] (each signed by the new account's key, in one transaction with
//! `create_market` or before), and `create_market` claims them.

use ballast::{
    MarketIdentity, accounts, instruction,
    state::{MarketParams, MarketStatus, SLAB_PREFIX},
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::build;
use crate::addresses::{self, MarketKeys, PROGRAM_ID};

/// Bytes of a book account with room for `blocks` orders and seats together.
pub fn book_space(blocks: u32) -> usize {
    SLAB_PREFIX + ballast_book::space(blocks)
}

/// Bytes of a ranks account with `cells` cells, shared by both sides.
pub fn ranks_space(cells: u32) -> usize {
    SLAB_PREFIX + ballast_rank::space(cells)
}

/// Creates the zeroed account `book`, which signs. `lamports` is the rent of [`book_space`].
pub fn create_book(payer: &Pubkey, book: &Pubkey, blocks: u32, lamports: u64) -> Instruction {
    create_slab(payer, book, book_space(blocks), lamports)
}

/// Creates the zeroed account `ranks`, which signs. `lamports` is the rent of [`ranks_space`].
pub fn create_ranks(payer: &Pubkey, ranks: &Pubkey, cells: u32, lamports: u64) -> Instruction {
    create_slab(payer, ranks, ranks_space(cells), lamports)
}

fn create_slab(payer: &Pubkey, account: &Pubkey, space: usize, lamports: u64) -> Instruction {
    // `usize` has at most 64 bits wherever this runs.
    solana_system_interface::instruction::create_account(payer, account, lamports, space as u64, &PROGRAM_ID)
}

/// Creates the exchange's market `index`, which must be its `market_count`, and pays for it.
pub fn create_market(
    admin: &Pubkey,
    exchange: &Pubkey,
    index: u16,
    book: &Pubkey,
    ranks: &Pubkey,
    identity: MarketIdentity,
    params: MarketParams,
) -> Instruction {
    build(
        &accounts::CreateMarket {
            admin: *admin,
            exchange: *exchange,
            market: addresses::market(exchange, index),
            book: *book,
            ranks: *ranks,
            system_program: solana_system_interface::program::ID,
            program: PROGRAM_ID,
        },
        &instruction::CreateMarket { identity, params },
        &[],
    )
}

/// Replaces a market's parameters.
pub fn update_market(admin: &Pubkey, exchange: &Pubkey, market: &Pubkey, params: MarketParams) -> Instruction {
    build(
        &accounts::GovernMarket { authority: *admin, exchange: *exchange, market: *market, program: PROGRAM_ID },
        &instruction::UpdateMarket { params },
        &[],
    )
}

/// Changes what may be done in a market. The guardian can only tighten.
pub fn set_market_status(authority: &Pubkey, exchange: &Pubkey, market: &Pubkey, status: MarketStatus) -> Instruction {
    build(
        &accounts::GovernMarket { authority: *authority, exchange: *exchange, market: *market, program: PROGRAM_ID },
        &instruction::SetMarketStatus { status: status as u8 },
        &[],
    )
}

/// Reads `oracle`, an account of the market's oracle program, into the market. Anyone may.
pub fn refresh_market(keys: &MarketKeys, oracle: &Pubkey) -> Instruction {
    build(
        &accounts::RefreshMarket {
            market: keys.market,
            book: keys.book,
            ranks: keys.ranks,
            oracle: *oracle,
            program: PROGRAM_ID,
        },
        &instruction::RefreshMarket {},
        &[],
    )
}
