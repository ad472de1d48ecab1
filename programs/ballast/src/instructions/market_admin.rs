//! Changing a market's parameters and status.

use anchor_lang::prelude::*;

use crate::{
    error::BallastError,
    events::{MarketParamsSet, MarketStatusChanged},
    record::tell,
    state::{Current as _, Exchange, Market, MarketParams, MarketStatus},
};

/// Accounts of `update_market` and `set_market_status`.
#[derive(Accounts)]
pub struct GovernMarket<'info> {
    /// The admin, or for pausing the guardian.
    pub authority: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The market.
    #[account(mut, has_one = exchange @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Replaces the parameters, within the bounds that no key can exceed.
pub fn update_market(ctx: Context<GovernMarket>, params: MarketParams) -> Result<()> {
    require_keys_eq!(ctx.accounts.authority.key(), ctx.accounts.exchange.admin, BallastError::Unauthorized);
    let market = &mut *ctx.accounts.market.current_mut()?;
    params.validate(market.lot_exponent())?;
    market.params = params;
    market.budget_mut().limit_per_window = params.insurance_limit_per_day;
    tell(&MarketParamsSet { market: market.index, params });
    Ok(())
}

/// Changes what may be done in the market. The guardian can only tighten.
pub fn set_market_status(ctx: Context<GovernMarket>, status: u8) -> Result<()> {
    let after = MarketStatus::from_code(status)?;
    let exchange = &ctx.accounts.exchange;
    let authority = ctx.accounts.authority.key();
    let mut market = ctx.accounts.market.current_mut()?;
    let before = market.status;
    let tightens = after as u8 >= before;
    let allowed = authority == exchange.admin || (authority == exchange.guardian && tightens);
    require!(allowed, BallastError::Unauthorized);
    market.status = after as u8;
    tell(&MarketStatusChanged { market: ctx.accounts.market.key(), before, after: after as u8 });
    Ok(())
}
