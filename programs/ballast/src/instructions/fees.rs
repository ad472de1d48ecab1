//! Where collected fees go: insurance's to its vault, by anyone; the exchange's to the admin's choice.

use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};

use crate::{
    error::BallastError,
    events::InsuranceFunded,
    logic::transfer_signed,
    state::{Exchange, INSURANCE_SEED, Market, VAULT_SEED},
};

/// Accounts of `sweep_insurance_fees`.
#[derive(Accounts)]
pub struct SweepInsuranceFees<'info> {
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The market.
    #[account(mut, has_one = exchange @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// The collateral vault.
    #[account(mut, seeds = [VAULT_SEED, exchange.key().as_ref()], bump = exchange.vault_bump)]
    pub vault: Account<'info, TokenAccount>,
    /// The insurance vault.
    #[account(mut, seeds = [INSURANCE_SEED, exchange.key().as_ref()], bump = exchange.insurance_bump)]
    pub insurance: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
}

/// Moves a market's insurance fees from the collateral vault into the insurance vault.
pub fn sweep_insurance_fees(ctx: Context<SweepInsuranceFees>) -> Result<()> {
    let accounts = ctx.accounts;
    let amount = core::mem::take(&mut accounts.market.load_mut()?.insurance_fees);
    require!(amount > 0, BallastError::ZeroAmount);
    transfer_signed(&accounts.exchange, &accounts.token_program, &accounts.vault, &accounts.insurance, amount)?;
    emit!(InsuranceFunded { exchange: accounts.exchange.key(), source: accounts.market.key(), amount });
    Ok(())
}

/// Accounts of `withdraw_fees`.
#[derive(Accounts)]
pub struct WithdrawFees<'info> {
    /// The exchange's admin.
    #[account(address = exchange.admin @ BallastError::Unauthorized)]
    pub admin: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The market.
    #[account(mut, has_one = exchange @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// The collateral vault.
    #[account(mut, seeds = [VAULT_SEED, exchange.key().as_ref()], bump = exchange.vault_bump)]
    pub vault: Account<'info, TokenAccount>,
    /// Where the tokens go.
    #[account(mut, token::mint = exchange.quote_mint, constraint = target.key() != vault.key() @ BallastError::DuplicateAccount)]
    pub target: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
}

/// Collects the exchange's claims on the pool as far as it reaches, and pays out all trading fees of the market.
pub fn withdraw_fees(ctx: Context<WithdrawFees>) -> Result<()> {
    let accounts = ctx.accounts;
    let amount = {
        let market = &mut *accounts.market.load_mut()?;
        let claimed = u64::try_from(market.fee_claims).unwrap_or(0).min(market.pool);
        market.pool -= claimed;
        market.fee_claims -= i64::try_from(claimed).map_err(|_| BallastError::Overflow)?;
        core::mem::take(&mut market.fees).checked_add(claimed).ok_or(BallastError::Overflow)?
    };
    require!(amount > 0, BallastError::ZeroAmount);
    transfer_signed(&accounts.exchange, &accounts.token_program, &accounts.vault, &accounts.target, amount)
}
