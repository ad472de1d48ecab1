//! Settled collateral leaves an account: to its owner, or to another account of the same owner.

use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use ballast_risk::oracle::Action;

use super::accounts::require_distinct;
use crate::{
    error::BallastError,
    events::{CollateralTransferred, Withdrawn},
    logic::{Marks, Others, assess, require_initial_margin, transfer_signed},
    record::tell,
    state::{Current as _, Exchange, MarginAccount, VAULT_SEED},
};

/// Accounts of `withdraw`; then a triple (market, book, ranks) for each market in which the account has anything.
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// The owner.
    pub owner: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The account.
    #[account(mut, has_one = owner @ BallastError::Unauthorized, has_one = exchange @ BallastError::WrongAccount)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The collateral vault.
    #[account(mut, seeds = [VAULT_SEED, exchange.key().as_ref()], bump = exchange.vault_bump)]
    pub vault: Account<'info, TokenAccount>,
    /// Where the tokens go.
    #[account(mut, token::mint = exchange.quote_mint, constraint = target.key() != vault.key() @ BallastError::DuplicateAccount)]
    pub target: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Pays out settled collateral, when what is left covers the initial margin and every realised loss.
pub fn withdraw<'info>(ctx: Context<'info, Withdraw<'info>>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    require!(!accounts.exchange.withdrawals_paused, BallastError::Paused);
    let key = accounts.margin.key();
    let collateral = {
        let margin = &mut *accounts.margin.current_mut()?;
        release(margin, &key, amount, &Others::new(ctx.remaining_accounts, accounts.exchange.key())?)?;
        margin.collateral
    };
    transfer_signed(&accounts.exchange, &accounts.token_program, &accounts.vault, &accounts.target, amount)?;
    tell(&Withdrawn { account: key, amount, collateral });
    Ok(())
}

/// Accounts of `transfer_collateral`; then a triple (market, book, ranks) for each market in which the paying account
/// has anything.
#[derive(Accounts)]
pub struct TransferCollateral<'info> {
    /// The owner of both accounts.
    pub owner: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The account that pays.
    #[account(mut, has_one = owner @ BallastError::Unauthorized, has_one = exchange @ BallastError::WrongAccount)]
    pub from: AccountLoader<'info, MarginAccount>,
    /// The account that is paid.
    #[account(mut, has_one = owner @ BallastError::Unauthorized, has_one = exchange @ BallastError::WrongAccount)]
    pub to: AccountLoader<'info, MarginAccount>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Moves settled collateral between two accounts of one owner, as a withdrawal and a deposit would: under the conditions
/// of both, but no token moves.
pub fn transfer_collateral<'info>(ctx: Context<'info, TransferCollateral<'info>>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    let (from_key, to_key) = (accounts.from.key(), accounts.to.key());
    require_distinct(&from_key, &to_key)?;
    let exchange = &accounts.exchange;
    require!(!exchange.withdrawals_paused && !exchange.deposits_paused, BallastError::Paused);
    let from = &mut *accounts.from.current_mut()?;
    let to = &mut *accounts.to.current_mut()?;
    release(from, &from_key, amount, &Others::new(ctx.remaining_accounts, exchange.key())?)?;
    to.credit(amount)?;
    tell(&CollateralTransferred {
        from: from_key,
        to: to_key,
        amount,
        from_collateral: from.collateral,
        to_collateral: to.collateral,
    });
    Ok(())
}

/// Takes `amount` out of the account's collateral, when what is left covers the initial margin and every realised loss.
fn release(margin: &mut MarginAccount, key: &Pubkey, amount: u64, markets: &Others) -> Result<()> {
    require!(amount > 0, BallastError::ZeroAmount);
    margin.collateral = margin.collateral.checked_sub(amount).ok_or(BallastError::InsufficientSettled)?;
    let now = Clock::get()?.unix_timestamp;
    let assessment = assess(margin, key, None, markets, Marks::Cautious, Some(Action::Withdraw), now)?;
    require_initial_margin(&assessment.account)?;
    // Realised losses that have not reached their pools yet are owed in settled money: what stays must be enough for all
    // of them, whatever unsettled profit there is elsewhere.
    require!(margin.collateral >= assessment.losses_owed, BallastError::InsufficientSettled);
    Ok(())
}
