//! Paying out of the insurance vault within a market's budget, and signing for the vaults.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, Token, TokenAccount, Transfer};

use crate::{
    error::BallastError,
    state::{Exchange, MarginAccount, Market},
};

/// The accounts that a payment from insurance moves tokens between.
pub struct InsurancePath<'a, 'info> {
    /// The exchange, authority over both vaults.
    pub exchange: &'a Account<'info, Exchange>,
    /// The collateral vault.
    pub vault: &'a Account<'info, TokenAccount>,
    /// The insurance vault.
    pub insurance: &'a Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: &'a Program<'info, Token>,
}

/// What insurance can still pay for this market now, in atoms.
pub fn insurance_available(market: &Market, vault_balance: u64, now: i64) -> u64 {
    market.budget().available(now).min(vault_balance)
}

/// Reserves up to `wanted` atoms of the market's budget and credits them to the account's unsettled profit and the
/// market's pool. The tokens follow in [`move_insurance`], once no account data is borrowed.
pub fn draw_insurance(
    market: &mut Market,
    margin: &mut MarginAccount,
    slot: usize,
    wanted: u64,
    vault_balance: u64,
    now: i64,
) -> Result<u64> {
    let drawn = market.budget_mut().draw(now, wanted, vault_balance);
    let credit = i64::try_from(drawn).map_err(|_| BallastError::Overflow)?;
    let slot = &mut margin.slots[slot];
    slot.unsettled = slot.unsettled.checked_add(credit).ok_or(BallastError::Overflow)?;
    market.pool = market.pool.checked_add(drawn).ok_or(BallastError::Overflow)?;
    market.insurance_drawn = market.insurance_drawn.checked_add(drawn).ok_or(BallastError::Overflow)?;
    Ok(drawn)
}

/// Moves drawn atoms from the insurance vault into the collateral vault.
pub fn move_insurance(path: &InsurancePath, amount: u64) -> Result<()> {
    if amount == 0 {
        return Ok(());
    }
    transfer_signed(path.exchange, path.token_program, path.insurance, path.vault, amount)
}

/// Moves tokens out of a vault, which the exchange signs for.
pub fn transfer_signed<'info>(
    exchange: &Account<'info, Exchange>,
    token_program: &Program<'info, Token>,
    from: &Account<'info, TokenAccount>,
    to: &Account<'info, TokenAccount>,
    amount: u64,
) -> Result<()> {
    let bump = [exchange.bump];
    let seeds = Exchange::signer_seeds(&exchange.creator, &bump);
    token::transfer(
        CpiContext::new_with_signer(
            token_program.key(),
            Transfer { from: from.to_account_info(), to: to.to_account_info(), authority: exchange.to_account_info() },
            &[&seeds],
        ),
        amount,
    )
}
