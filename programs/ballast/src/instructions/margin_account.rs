//! Opening a margin account, depositing, naming a delegate, closing.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, Token, TokenAccount, Transfer};
use ballast_risk::fees::day_of;

use crate::{
    error::BallastError,
    events::{AccountClosed, AccountOpened, DelegateSet, Deposited},
    record::tell,
    state::{
        Current as _, Exchange, FeeTerms, MARGIN_SEED, MARGIN_VERSION, MarginAccount, TRADER_SEED, Trader, VAULT_SEED,
    },
};

/// Accounts of `open_margin_account`.
#[derive(Accounts)]
#[instruction(number: u16)]
pub struct OpenMarginAccount<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The owner, who consents.
    pub owner: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The account.
    #[account(init, payer = payer, space = 8 + core::mem::size_of::<MarginAccount>(),
        seeds = [MARGIN_SEED, exchange.key().as_ref(), owner.key().as_ref(), &number.to_le_bytes()], bump)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// CHECK: the owner's trader account, whether it exists or not.
    #[account(seeds = [TRADER_SEED, exchange.key().as_ref(), owner.key().as_ref()], bump)]
    pub trader: UncheckedAccount<'info>,
    /// The system program.
    pub system_program: Program<'info, System>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Opens the owner's account with this number. It begins with the fee tier that the owner has, and owes the owner's referrer his
/// share from its first trade on.
pub fn open_margin_account<'info>(ctx: Context<'info, OpenMarginAccount<'info>>, number: u16) -> Result<()> {
    let owner = ctx.accounts.owner.key();
    let mut margin = ctx.accounts.margin.load_init()?;
    margin.version = MARGIN_VERSION;
    margin.bump = ctx.bumps.margin;
    margin.number = number;
    margin.exchange = ctx.accounts.exchange.key();
    margin.owner = owner;
    let trader = &ctx.accounts.trader;
    if trader.owner == &crate::ID {
        let trader = AccountLoader::<Trader>::try_from(trader)?;
        let today = day_of(Clock::get()?.unix_timestamp);
        margin.take_terms(&FeeTerms::of(&ctx.accounts.exchange, &*trader.current()?, today));
    }
    tell(&AccountOpened { account: ctx.accounts.margin.key(), owner, number });
    Ok(())
}

/// Accounts of `deposit`.
#[derive(Accounts)]
pub struct Deposit<'info> {
    /// Who pays: anyone may add to anyone's collateral.
    pub depositor: Signer<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The account that is credited.
    #[account(mut, has_one = exchange @ BallastError::WrongAccount)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The depositor's tokens.
    #[account(mut, token::mint = exchange.quote_mint, token::authority = depositor)]
    pub source: Account<'info, TokenAccount>,
    /// The collateral vault.
    #[account(mut, seeds = [VAULT_SEED, exchange.key().as_ref()], bump = exchange.vault_bump)]
    pub vault: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Moves tokens into the vault and credits them as settled collateral.
pub fn deposit(ctx: Context<Deposit>, amount: u64) -> Result<()> {
    let accounts = ctx.accounts;
    require!(amount > 0, BallastError::ZeroAmount);
    require!(!accounts.exchange.deposits_paused, BallastError::Paused);
    token::transfer(
        CpiContext::new(
            accounts.token_program.key(),
            Transfer {
                from: accounts.source.to_account_info(),
                to: accounts.vault.to_account_info(),
                authority: accounts.depositor.to_account_info(),
            },
        ),
        amount,
    )?;
    let mut margin = accounts.margin.current_mut()?;
    margin.credit(amount)?;
    tell(&Deposited { account: accounts.margin.key(), amount, collateral: margin.collateral });
    Ok(())
}

/// Accounts of `set_delegate`.
#[derive(Accounts)]
pub struct OwnMarginAccount<'info> {
    /// The owner.
    pub owner: Signer<'info>,
    /// The account.
    #[account(mut, has_one = owner @ BallastError::Unauthorized)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Names who may trade for the account but not withdraw; the default key names nobody.
pub fn set_delegate(ctx: Context<OwnMarginAccount>, delegate: Pubkey) -> Result<()> {
    ctx.accounts.margin.current_mut()?.delegate = delegate;
    tell(&DelegateSet { account: ctx.accounts.margin.key(), delegate });
    Ok(())
}

/// Accounts of `close_margin_account`.
#[derive(Accounts)]
pub struct CloseMarginAccount<'info> {
    /// The owner.
    pub owner: Signer<'info>,
    /// The account.
    #[account(mut, has_one = owner @ BallastError::Unauthorized, close = receiver)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// CHECK: gets the rent; any account the owner names.
    #[account(mut)]
    pub receiver: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Closes an account that holds nothing, and returns its rent.
pub fn close_margin_account(ctx: Context<CloseMarginAccount>) -> Result<()> {
    let margin = ctx.accounts.margin.current()?;
    let empty =
        margin.collateral == 0 && margin.referral_owed == 0 && margin.slots.iter().all(|slot| slot.market().is_none());
    require!(empty, BallastError::NotEmpty);
    tell(&AccountClosed {
        account: ctx.accounts.margin.key(),
        owner: ctx.accounts.owner.key(),
        receiver: ctx.accounts.receiver.key(),
    });
    Ok(())
}
