//! The permissionless instructions on anyone's position: settling, reranking, partial liquidation.

use ballast::{accounts, instruction};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::build;
use crate::addresses::{MarketKeys, PROGRAM_ID};

/// Whose position, where, and who is paid for tending it.
#[derive(Clone, Debug)]
pub struct Tend {
    /// Credited with what the instruction pays: any other margin account of the exchange.
    pub reward: Pubkey,
    /// The account that is tended.
    pub margin: Pubkey,
    /// The market.
    pub market: MarketKeys,
    /// The tended account's other markets (see [`super::others`]).
    pub others: Vec<AccountMeta>,
}

impl Tend {
    pub(super) fn accounts(&self) -> accounts::TendPosition {
        accounts::TendPosition {
            reward: self.reward,
            margin: self.margin,
            market: self.market.market,
            book: self.market.book,
            ranks: self.market.ranks,
            program: PROGRAM_ID,
        }
    }
}

/// Settles the account's seat, deleveraging, funding and realised profit and loss in the market.
pub fn settle_seat(tend: &Tend) -> Instruction {
    build(&tend.accounts(), &instruction::SettleSeat {}, &tend.others)
}

/// Moves the position to where it belongs in the ranking index now.
pub fn rerank(tend: &Tend) -> Instruction {
    build(&tend.accounts(), &instruction::Rerank {}, &tend.others)
}

/// Cancels the orders of an account below initial margin that would make its position larger.
pub fn cancel_unfunded(tend: &Tend) -> Instruction {
    build(&tend.accounts(), &instruction::CancelUnfunded {}, &tend.others)
}

/// Cancels the orders of an account below maintenance margin and reduces its position on the book.
pub fn liquidate(tend: &Tend) -> Instruction {
    build(&tend.accounts(), &instruction::Liquidate {}, &tend.others)
}
