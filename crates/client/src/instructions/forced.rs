//! The forced stages that may draw on insurance: takeover, deleveraging, covering bad debt.

use ballast::{accounts, instruction};
use ballast_units::Lots;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::{Tend, build};
use crate::addresses::{ExchangeKeys, MarketKeys, PROGRAM_ID};

/// Who takes what over.
#[derive(Clone, Debug)]
pub struct TakeoverOf {
    /// Signs: owner or delegate of `taker`.
    pub liquidator: Pubkey,
    /// The margin account that takes over; of another owner than `margin`.
    pub taker: Pubkey,
    /// The margin account that is reduced.
    pub margin: Pubkey,
    /// The market.
    pub market: MarketKeys,
    /// The other markets of both accounts (see [`super::others_of_both`]).
    pub others: Vec<AccountMeta>,
}

/// Hands up to `max_lots` of the position with the most relief to the taker, at the discount that has grown so far.
pub fn takeover(keys: &ExchangeKeys, takeover: &TakeoverOf, max_lots: Lots) -> Instruction {
    build(
        &accounts::Takeover {
            liquidator: takeover.liquidator,
            taker: takeover.taker,
            margin: takeover.margin,
            market: takeover.market.market,
            book: takeover.market.book,
            ranks: takeover.market.ranks,
            exchange: keys.exchange,
            vault: keys.vault,
            insurance: keys.insurance,
            token_program: spl_token_interface::ID,
            program: PROGRAM_ID,
        },
        &instruction::Takeover { max_lots: max_lots.0 },
        &takeover.others,
    )
}

/// Closes a bankrupt position: on the book, then against up to `max_cells` cells of the ranking index.
pub fn deleverage(keys: &ExchangeKeys, tend: &Tend, max_cells: u32) -> Instruction {
    build(&resolve(keys, tend), &instruction::Deleverage { max_cells }, &tend.others)
}

/// Lets insurance pay what an account without positions still owes the market's pool.
pub fn cover_bad_debt(keys: &ExchangeKeys, tend: &Tend) -> Instruction {
    build(&resolve(keys, tend), &instruction::CoverBadDebt {}, &tend.others)
}

fn resolve(keys: &ExchangeKeys, tend: &Tend) -> accounts::ResolveBankruptcy {
    accounts::ResolveBankruptcy {
        reward: tend.reward,
        margin: tend.margin,
        market: tend.market.market,
        book: tend.market.book,
        ranks: tend.market.ranks,
        exchange: keys.exchange,
        vault: keys.vault,
        insurance: keys.insurance,
        token_program: spl_token_interface::ID,
        program: PROGRAM_ID,
    }
}
