//! Withdrawing settled collateral.

use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use ballast_risk::oracle::Action;

use crate::{
    error::BallastError,
    events::Withdrawn,
    logic::{Marks, Others, assess, require_initial_margin, transfer_signed},
    state::{Exchange, MarginAccount, VAULT_SEED},
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
}

/// Pays out settled collateral, when what is left covers the initial margin and every realised loss.
pub fn withdraw<'info>(ctx: Context<'info, Withdraw<'info>>, amount: u64) -> Result<()> {
    require!(amount > 0, BallastError::ZeroAmount);
    let accounts = ctx.accounts;
    require!(!accounts.exchange.withdrawals_paused, BallastError::Paused);
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.margin.key();
    let collateral = {
        let margin = &mut *accounts.margin.load_mut()?;
        require!(amount <= margin.collateral, BallastError::InsufficientSettled);
        margin.collateral -= amount;
        let others = Others::new(ctx.remaining_accounts, accounts.exchange.key())?;
        let assessment = assess(margin, &key, None, &others, Marks::Cautious, Some(Action::Withdraw), now)?;
        require_initial_margin(&assessment.account)?;
        // Realised losses that have not reached their pools yet are owed in settled money: what stays must be enough for
        // all of them, whatever unsettled profit there is elsewhere.
        require!(margin.collateral >= assessment.losses_owed, BallastError::InsufficientSettled);
        margin.collateral
    };
    transfer_signed(&accounts.exchange, &accounts.token_program, &accounts.vault, &accounts.target, amount)?;
    emit!(Withdrawn { account: key, amount, collateral });
    Ok(())
}
