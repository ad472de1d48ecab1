//! An owner's trader account: fee tier and referrals.

use ballast::{accounts, instruction, state::Trader};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::build;
use crate::addresses::{self, PROGRAM_ID};

/// Opens `owner`'s trader account at [`addresses::trader`]. `referrer` is the trader account of whoever referred them; it
/// is named now or never. Payer and owner sign.
pub fn open_trader(payer: &Pubkey, owner: &Pubkey, exchange: &Pubkey, referrer: Option<Pubkey>) -> Instruction {
    build(
        &accounts::OpenTrader {
            payer: *payer,
            owner: *owner,
            exchange: *exchange,
            trader: addresses::trader(exchange, owner),
            referrer,
            system_program: solana_system_interface::program::ID,
            program: PROGRAM_ID,
        },
        &instruction::OpenTrader {},
        &[],
    )
}

/// Rolls the volume of the owner's margin accounts into their fee tier, and credits who referred them. Anyone may.
pub fn roll_volume(exchange: &Pubkey, key: &Pubkey, trader: &Trader, margins: &[Pubkey]) -> Instruction {
    let others: Vec<_> = margins.iter().map(|margin| AccountMeta::new(*margin, false)).collect();
    build(
        &accounts::RollVolume {
            exchange: *exchange,
            trader: *key,
            referrer: trader.is_referred().then_some(trader.referrer),
            program: PROGRAM_ID,
        },
        &instruction::RollVolume {},
        &others,
    )
}

/// Credits all that `owner` has earned as a referrer to their margin account.
pub fn claim_referral(owner: &Pubkey, exchange: &Pubkey, margin: &Pubkey) -> Instruction {
    build(
        &accounts::ClaimReferral {
            owner: *owner,
            exchange: *exchange,
            trader: addresses::trader(exchange, owner),
            margin: *margin,
            program: PROGRAM_ID,
        },
        &instruction::ClaimReferral {},
        &[],
    )
}
