//! Bringing accounts of an older version up to date. Anyone may; an account that is up to date stays as it is.

use ballast::{accounts, instruction};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::build;
use crate::addresses::PROGRAM_ID;

/// Brings a margin account up to date.
pub fn migrate_margin_account(margin: &Pubkey) -> Instruction {
    build(
        &accounts::MigrateMarginAccount { margin: *margin, program: PROGRAM_ID },
        &instruction::MigrateMarginAccount {},
        &[],
    )
}

/// Brings a market up to date; its book comes after it.
pub fn migrate_market(market: &Pubkey, ranks: &Pubkey) -> Instruction {
    build(
        &accounts::MigrateMarket { market: *market, ranks: *ranks, program: PROGRAM_ID },
        &instruction::MigrateMarket {},
        &[],
    )
}

/// Brings up to `limit` blocks of a book up to date, or makes room for that, which `payer` pays. To be repeated until the
/// account says the present version.
pub fn migrate_book(payer: &Pubkey, market: &Pubkey, book: &Pubkey, limit: u32) -> Instruction {
    build(
        &accounts::MigrateBook {
            payer: *payer,
            market: *market,
            book: *book,
            system_program: solana_system_interface::program::ID,
            program: PROGRAM_ID,
        },
        &instruction::MigrateBook { limit },
        &[],
    )
}
