//! Founding an exchange, its roles and pauses, and funding its insurance.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, Mint, Token, TokenAccount, Transfer};
use ballast_risk::fees::{self, FEE_TIERS, MAX_REFERRAL_BPS};

use crate::{
    error::BallastError,
    events::{AdminAccepted, AdminProposed, ExchangeCreated, FeeScheduleSet, InsuranceFunded, PauseSet},
    record::tell,
    state::{EXCHANGE_SEED, EXCHANGE_VERSION, Exchange, INSURANCE_SEED, VAULT_SEED},
};

/// Decimals of the quote mint: an atom is 10^-6.
pub const QUOTE_DECIMALS: u8 = 6;

/// Accounts of `initialize_exchange`.
#[derive(Accounts)]
pub struct InitializeExchange<'info> {
    /// Founder and first admin; part of the exchange's address.
    #[account(mut)]
    pub creator: Signer<'info>,
    /// The exchange.
    #[account(init, payer = creator, space = 8 + Exchange::INIT_SPACE, seeds = [EXCHANGE_SEED, creator.key().as_ref()], bump)]
    pub exchange: Account<'info, Exchange>,
    /// The mint of the collateral.
    #[account(constraint = quote_mint.decimals == QUOTE_DECIMALS @ BallastError::ParameterOutOfBounds)]
    pub quote_mint: Account<'info, Mint>,
    /// The collateral vault.
    #[account(init, payer = creator, token::mint = quote_mint, token::authority = exchange, seeds = [VAULT_SEED, exchange.key().as_ref()], bump)]
    pub vault: Account<'info, TokenAccount>,
    /// The insurance vault.
    #[account(init, payer = creator, token::mint = quote_mint, token::authority = exchange, seeds = [INSURANCE_SEED, exchange.key().as_ref()], bump)]
    pub insurance: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
    /// The system program.
    pub system_program: Program<'info, System>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Creates the exchange and its two vaults.
pub fn initialize_exchange(ctx: Context<InitializeExchange>, guardian: Pubkey) -> Result<()> {
    let accounts = ctx.accounts;
    let creator = accounts.creator.key();
    accounts.exchange.set_inner(Exchange {
        version: EXCHANGE_VERSION,
        bump: ctx.bumps.exchange,
        vault_bump: ctx.bumps.vault,
        insurance_bump: ctx.bumps.insurance,
        creator,
        admin: creator,
        pending_admin: Pubkey::default(),
        guardian,
        quote_mint: accounts.quote_mint.key(),
        market_count: 0,
        deposits_paused: false,
        withdrawals_paused: false,
        fee_tier_volumes: [0; FEE_TIERS],
        referral_share_bps: 0,
        reserved: [0; 218],
    });
    tell(&ExchangeCreated { exchange: accounts.exchange.key(), admin: creator, quote_mint: accounts.quote_mint.key() });
    Ok(())
}

/// Accounts of the instructions that only change the exchange.
#[derive(Accounts)]
pub struct GovernExchange<'info> {
    /// Admin, pending admin or guardian, as the instruction requires.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<'info, Exchange>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Names the next admin, who has to accept. The default key withdraws the offer.
pub fn propose_admin(ctx: Context<GovernExchange>, next: Pubkey) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    require_keys_eq!(ctx.accounts.authority.key(), exchange.admin, BallastError::Unauthorized);
    exchange.pending_admin = next;
    tell(&AdminProposed { exchange: exchange.key(), admin: exchange.admin, next });
    Ok(())
}

/// The pending admin takes over.
pub fn accept_admin(ctx: Context<GovernExchange>) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    let authority = ctx.accounts.authority.key();
    require!(
        exchange.pending_admin != Pubkey::default() && authority == exchange.pending_admin,
        BallastError::Unauthorized
    );
    let before = exchange.admin;
    exchange.admin = authority;
    exchange.pending_admin = Pubkey::default();
    tell(&AdminAccepted { exchange: exchange.key(), before, admin: authority });
    Ok(())
}

/// Stops or resumes deposits and withdrawals. The guardian can only stop; the admin can do both.
pub fn set_pause(ctx: Context<GovernExchange>, deposits: bool, withdrawals: bool) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    let authority = ctx.accounts.authority.key();
    let loosens = (exchange.deposits_paused && !deposits) || (exchange.withdrawals_paused && !withdrawals);
    let allowed = authority == exchange.admin || (authority == exchange.guardian && !loosens);
    require!(allowed, BallastError::Unauthorized);
    exchange.deposits_paused = deposits;
    exchange.withdrawals_paused = withdrawals;
    tell(&PauseSet { exchange: exchange.key(), authority, deposits, withdrawals });
    Ok(())
}

/// Sets from which 30-day volumes fee tiers apply (ascending, unused ones zero), and the referrers' share in what the
/// exchange keeps of a fee. What the tiers cost is each market's.
pub fn set_fee_schedule(
    ctx: Context<GovernExchange>,
    volumes: [u64; FEE_TIERS],
    referral_share_bps: u16,
) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    require_keys_eq!(ctx.accounts.authority.key(), exchange.admin, BallastError::Unauthorized);
    let within = fees::are_ordered(&volumes) && u32::from(referral_share_bps) <= MAX_REFERRAL_BPS;
    require!(within, BallastError::ParameterOutOfBounds);
    exchange.fee_tier_volumes = volumes;
    exchange.referral_share_bps = referral_share_bps;
    tell(&FeeScheduleSet { exchange: exchange.key(), volumes, referral_share_bps });
    Ok(())
}

/// Accounts of `fund_insurance`.
#[derive(Accounts)]
pub struct FundInsurance<'info> {
    /// Who pays.
    pub funder: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The funder's tokens.
    #[account(mut, token::mint = exchange.quote_mint, token::authority = funder)]
    pub source: Account<'info, TokenAccount>,
    /// The insurance vault.
    #[account(mut, seeds = [INSURANCE_SEED, exchange.key().as_ref()], bump = exchange.insurance_bump)]
    pub insurance: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Gives tokens to the insurance vault, for good.
pub fn fund_insurance(ctx: Context<FundInsurance>, amount: u64) -> Result<()> {
    require!(amount > 0, BallastError::ZeroAmount);
    let accounts = ctx.accounts;
    token::transfer(
        CpiContext::new(
            accounts.token_program.key(),
            Transfer {
                from: accounts.source.to_account_info(),
                to: accounts.insurance.to_account_info(),
                authority: accounts.funder.to_account_info(),
            },
        ),
        amount,
    )?;
    tell(&InsuranceFunded { exchange: accounts.exchange.key(), source: accounts.funder.key(), amount });
    Ok(())
}
