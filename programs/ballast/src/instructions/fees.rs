//! Where collected fees go: insurance's to its vault, by anyone; the exchange's to the admin's choice.

use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use ballast_rank::Index;
use ballast_risk::oracle::Action;
use ballast_units::{Quote, Side};

use crate::{
    error::{BallastError, OrFail},
    events::{DustSwept, FeesWithdrawn, InsuranceFunded},
    logic::{slab, transfer_signed},
    record::tell,
    state::{Current as _, Exchange, INSURANCE_SEED, Market, RANKS_MAGIC, VAULT_SEED, slab_bytes_mut},
};

/// Accounts of `sweep_insurance_fees`.
#[derive(Accounts)]
pub struct SweepInsuranceFees<'info> {
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The market.
    #[account(mut, has_one = exchange @ BallastError::WrongAccount, has_one = ranks @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's ranking index, whose dust is insurance's.
    #[account(mut)]
    pub ranks: UncheckedAccount<'info>,
    /// The collateral vault.
    #[account(mut, seeds = [VAULT_SEED, exchange.key().as_ref()], bump = exchange.vault_bump)]
    pub vault: Account<'info, TokenAccount>,
    /// The insurance vault.
    #[account(mut, seeds = [INSURANCE_SEED, exchange.key().as_ref()], bump = exchange.insurance_bump)]
    pub insurance: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Settles what rounding has left in the ranking index, then moves a market's insurance fees from the collateral vault
/// into the insurance vault.
pub fn sweep_insurance_fees(ctx: Context<SweepInsuranceFees>) -> Result<()> {
    let accounts = ctx.accounts;
    let (swept, amount) = {
        let market = &mut *accounts.market.current_mut()?;
        let mut ranks = slab(&accounts.ranks)?;
        let now = Clock::get()?.unix_timestamp;
        let index = &mut Index::load(slab_bytes_mut(&mut ranks, RANKS_MAGIC)?).or_fail()?;
        (sweep_dust(market, index, now)?, core::mem::take(&mut market.insurance_fees))
    };
    require!(swept || amount > 0, BallastError::ZeroAmount);
    if amount == 0 {
        return Ok(());
    }
    transfer_signed(&accounts.exchange, &accounts.token_program, &accounts.vault, &accounts.insurance, amount)?;
    tell(&InsuranceFunded { exchange: accounts.exchange.key(), source: accounts.market.key(), amount });
    Ok(())
}

/// Dust is insurance's: what it is worth at the mark goes from the pool to insurance's fees, what it owes the other way,
/// each as far as there is something; says whether anything was moved. Its cash alone says neither: for lots that are still open, it is their cost.
fn sweep_dust(market: &mut Market, ranks: &mut Index, now: i64) -> Result<bool> {
    if market.require_price(Action::Liquidate, now).is_err() {
        return Ok(false);
    }
    let (funding, mark) = (market.funding_index(), market.mark());
    let mut worth = Quote::ZERO;
    for side in Side::BOTH {
        let dust = ranks.dust(side, funding);
        let lots = dust.lots.on(side).or_fail()?.value(mark).or_fail()?;
        worth = worth.add(dust.atoms().or_fail()?).or_fail()?.add(lots).or_fail()?;
    }
    let gain = worth.positive_part().min(market.pool);
    let debt = worth.negative_part().min(market.insurance_fees);
    if gain == 0 && debt == 0 {
        return Ok(false);
    }
    market.pool = (market.pool - gain).checked_add(debt).ok_or(BallastError::Overflow)?;
    market.insurance_fees = (market.insurance_fees - debt).checked_add(gain).ok_or(BallastError::Overflow)?;
    let moved = i128::from(gain) - i128::from(debt);
    let moved = Quote::from_wide(moved).or_fail()?;
    ranks.draw_dust(Side::Long, moved).or_fail()?;
    tell(&DustSwept { market: market.index, amount: moved.0 });
    Ok(true)
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
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Collects the exchange's claims on the pool as far as it reaches, and pays out all trading fees of the market.
pub fn withdraw_fees(ctx: Context<WithdrawFees>) -> Result<()> {
    let accounts = ctx.accounts;
    let (market, from_pool, from_fees) = {
        let market = &mut *accounts.market.current_mut()?;
        let claimed = u64::try_from(market.fee_claims).unwrap_or(0).min(market.pool);
        market.pool -= claimed;
        market.fee_claims -= i64::try_from(claimed).map_err(|_| BallastError::Overflow)?;
        (market.index, claimed, core::mem::take(&mut market.fees))
    };
    let amount = from_fees.checked_add(from_pool).ok_or(BallastError::Overflow)?;
    require!(amount > 0, BallastError::ZeroAmount);
    tell(&FeesWithdrawn { market, target: accounts.target.key(), from_pool, from_fees });
    transfer_signed(&accounts.exchange, &accounts.token_program, &accounts.vault, &accounts.target, amount)
}
