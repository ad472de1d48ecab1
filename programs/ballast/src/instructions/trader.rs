//! An owner's trader account: opened once, with who referred them; volume rolled into it, and with it the fee tier; a
//! referrer's earnings claimed.

use anchor_lang::prelude::*;
use ballast_risk::fees::day_of;

use crate::{
    error::BallastError,
    events::{ReferralClaimed, TraderOpened, VolumeRolled},
    record::tell,
    state::{Current as _, Exchange, FeeTerms, MarginAccount, TRADER_SEED, TRADER_VERSION, Trader},
};

/// Accounts of `open_trader`.
#[derive(Accounts)]
pub struct OpenTrader<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The owner, who consents.
    pub owner: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The trader account.
    #[account(init, payer = payer, space = 8 + core::mem::size_of::<Trader>(),
        seeds = [TRADER_SEED, exchange.key().as_ref(), owner.key().as_ref()], bump)]
    pub trader: AccountLoader<'info, Trader>,
    /// Who referred the owner, if anybody did.
    #[account(has_one = exchange @ BallastError::WrongAccount)]
    pub referrer: Option<AccountLoader<'info, Trader>>,
    /// The system program.
    pub system_program: Program<'info, System>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Opens the owner's trader account. The referrer is named now or never; nobody refers himself under the same key.
pub fn open_trader(ctx: Context<OpenTrader>) -> Result<()> {
    let accounts = ctx.accounts;
    let owner = accounts.owner.key();
    let referrer = match &accounts.referrer {
        None => Pubkey::default(),
        Some(referrer) => {
            require_keys_neq!(referrer.current()?.owner, owner, BallastError::SelfReferral);
            referrer.key()
        }
    };
    let mut trader = accounts.trader.load_init()?;
    trader.version = TRADER_VERSION;
    trader.bump = ctx.bumps.trader;
    trader.exchange = accounts.exchange.key();
    trader.owner = owner;
    trader.referrer = referrer;
    tell(&TraderOpened { trader: accounts.trader.key(), owner, referrer });
    Ok(())
}

/// Accounts of `roll_volume`; then the owner's margin accounts, as many as fit.
#[derive(Accounts)]
pub struct RollVolume<'info> {
    /// The exchange, whose volumes earn tiers.
    pub exchange: Account<'info, Exchange>,
    /// The owner's trader account.
    #[account(mut, has_one = exchange @ BallastError::WrongAccount)]
    pub trader: AccountLoader<'info, Trader>,
    /// The trader account of whoever referred the owner, if anybody did.
    #[account(mut)]
    pub referrer: Option<AccountLoader<'info, Trader>>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Moves the volume that margin accounts have gathered into the owner's days, credits the referrer with what is due out of
/// the fees that were paid, and gives the accounts the tier that the last thirty days earn, until the day on which they no
/// longer do. By anyone: it never takes a tier away that is earned, and volume counts for the day on which it began.
pub fn roll_volume<'info>(ctx: Context<'info, RollVolume<'info>>) -> Result<()> {
    let accounts = ctx.accounts;
    let today = day_of(Clock::get()?.unix_timestamp);
    let exchange = &accounts.exchange;
    let trader = &mut *accounts.trader.current_mut()?;
    let referrer = accounts.referrer.as_ref().map_or(Pubkey::default(), |referrer| referrer.key());
    require_keys_eq!(referrer, trader.referrer, BallastError::WrongAccount);
    let mut volume = 0u64;
    let mut owed = 0u64;
    for info in ctx.remaining_accounts {
        let loader = own_account(info, trader)?;
        let mut margin = loader.current_mut()?;
        volume = volume.saturating_add(margin.volume);
        owed = owed.checked_add(margin.referral_owed).ok_or(BallastError::Overflow)?;
        trader.volumes_mut().add(today, margin.volume_day, margin.volume);
        (margin.volume, margin.referral_owed) = (0, 0);
    }
    let terms = FeeTerms::of(exchange, trader, today);
    for info in ctx.remaining_accounts {
        let loader = own_account(info, trader)?;
        let mut margin = loader.current_mut()?;
        margin.take_terms(&terms);
    }
    if let Some(referrer) = &accounts.referrer {
        let mut referrer = referrer.current_mut()?;
        referrer.earned = referrer.earned.checked_add(owed).ok_or(BallastError::Overflow)?;
        referrer.earned_in_all = referrer.earned_in_all.saturating_add(owed);
    }
    tell(&VolumeRolled {
        trader: accounts.trader.key(),
        volume,
        thirty_days: trader.volumes().total(today),
        tier: terms.tier,
        until: terms.until,
        referrer: trader.referrer,
        referral: owed,
    });
    Ok(())
}

/// A margin account of the trader's owner, on the trader's exchange.
fn own_account<'info>(info: &'info AccountInfo<'info>, trader: &Trader) -> Result<AccountLoader<'info, MarginAccount>> {
    let loader = AccountLoader::<MarginAccount>::try_from(info)?;
    let margin = loader.current()?;
    let own = margin.owner == trader.owner && margin.exchange == trader.exchange;
    drop(margin);
    require!(own, BallastError::WrongAccount);
    Ok(loader)
}

/// Accounts of `claim_referral`.
#[derive(Accounts)]
pub struct ClaimReferral<'info> {
    /// The owner of both accounts.
    pub owner: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The trader account that has earned something.
    #[account(mut, has_one = owner @ BallastError::Unauthorized, has_one = exchange @ BallastError::WrongAccount)]
    pub trader: AccountLoader<'info, Trader>,
    /// The margin account that is credited.
    #[account(mut, has_one = owner @ BallastError::Unauthorized, has_one = exchange @ BallastError::WrongAccount)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Credits all that a referrer has earned to one of their margin accounts, as settled collateral.
pub fn claim_referral(ctx: Context<ClaimReferral>) -> Result<()> {
    let accounts = ctx.accounts;
    let amount = core::mem::take(&mut accounts.trader.current_mut()?.earned);
    require!(amount > 0, BallastError::ZeroAmount);
    let mut margin = accounts.margin.current_mut()?;
    margin.credit(amount)?;
    tell(&ReferralClaimed {
        trader: accounts.trader.key(),
        account: accounts.margin.key(),
        amount,
        collateral: margin.collateral,
    });
    Ok(())
}
