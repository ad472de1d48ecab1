//! A margin account's life: opening, collateral in and out, delegate, closing.

use ballast::{OrderArgs, accounts, instruction};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::{build, place_order};
use crate::addresses::{self, ExchangeKeys, MarketKeys, PROGRAM_ID};

/// Opens `owner`'s account with this number at [`addresses::margin_account`]. Payer and owner sign.
pub fn open_margin_account(payer: &Pubkey, owner: &Pubkey, exchange: &Pubkey, number: u16) -> Instruction {
    build(
        &accounts::OpenMarginAccount {
            payer: *payer,
            owner: *owner,
            exchange: *exchange,
            margin: addresses::margin_account(exchange, owner, number),
            trader: addresses::trader(exchange, owner),
            system_program: solana_system_interface::program::ID,
            program: PROGRAM_ID,
        },
        &instruction::OpenMarginAccount { number },
        &[],
    )
}

/// Closes an empty account; its rent goes to `receiver`.
pub fn close_margin_account(owner: &Pubkey, margin: &Pubkey, receiver: &Pubkey) -> Instruction {
    build(
        &accounts::CloseMarginAccount { owner: *owner, margin: *margin, receiver: *receiver, program: PROGRAM_ID },
        &instruction::CloseMarginAccount {},
        &[],
    )
}

/// Names who may trade but not withdraw; the default key names nobody.
pub fn set_delegate(owner: &Pubkey, margin: &Pubkey, delegate: &Pubkey) -> Instruction {
    build(
        &accounts::OwnMarginAccount { owner: *owner, margin: *margin, program: PROGRAM_ID },
        &instruction::SetDelegate { delegate: *delegate },
        &[],
    )
}

/// Deposits `amount` atoms from `source`, the depositor's token account, to anyone's margin account.
pub fn deposit(depositor: &Pubkey, keys: &ExchangeKeys, margin: &Pubkey, source: &Pubkey, amount: u64) -> Instruction {
    build(
        &accounts::Deposit {
            depositor: *depositor,
            exchange: keys.exchange,
            margin: *margin,
            source: *source,
            vault: keys.vault,
            token_program: spl_token_interface::ID,
            program: PROGRAM_ID,
        },
        &instruction::Deposit { amount },
        &[],
    )
}

/// Withdraws `amount` atoms to `target`, a token account. `others`: all markets in which the account has anything.
pub fn withdraw(
    owner: &Pubkey,
    keys: &ExchangeKeys,
    margin: &Pubkey,
    target: &Pubkey,
    amount: u64,
    others: &[AccountMeta],
) -> Instruction {
    build(
        &accounts::Withdraw {
            owner: *owner,
            exchange: keys.exchange,
            margin: *margin,
            vault: keys.vault,
            target: *target,
            token_program: spl_token_interface::ID,
            program: PROGRAM_ID,
        },
        &instruction::Withdraw { amount },
        others,
    )
}

/// Moves `amount` atoms of settled collateral between two accounts of `owner`. `others`: all markets in which the paying
/// account has anything.
pub fn transfer_collateral(
    owner: &Pubkey,
    exchange: &Pubkey,
    from: &Pubkey,
    to: &Pubkey,
    amount: u64,
    others: &[AccountMeta],
) -> Instruction {
    build(
        &accounts::TransferCollateral { owner: *owner, exchange: *exchange, from: *from, to: *to, program: PROGRAM_ID },
        &instruction::TransferCollateral { amount },
        others,
    )
}

/// An account of its own for one position, paid out of another account of the same owner.
#[derive(Clone, Copy, Debug)]
pub struct Isolated<'a> {
    /// Pays the new account's rent, and signs.
    pub payer: Pubkey,
    /// Owner of both accounts, who signs.
    pub owner: Pubkey,
    /// The account that pays.
    pub from: Pubkey,
    /// All markets in which the paying account has anything (see [`super::others`]).
    pub others: &'a [AccountMeta],
    /// Number of the new account, which must be free.
    pub number: u16,
    /// Its collateral, in atoms.
    pub amount: u64,
}

/// Opens an isolated position in one transaction: the account, its collateral, and the first order. If one of them fails,
/// none of them happened.
pub fn open_isolated(
    exchange: &Pubkey,
    isolated: &Isolated<'_>,
    market: &MarketKeys,
    order: OrderArgs,
) -> [Instruction; 3] {
    let Isolated { payer, owner, from, others, number, amount } = isolated;
    let margin = addresses::margin_account(exchange, owner, *number);
    [
        open_margin_account(payer, owner, exchange, *number),
        transfer_collateral(owner, exchange, from, &margin, *amount, others),
        place_order(owner, &margin, market, order, &[]),
    ]
}
