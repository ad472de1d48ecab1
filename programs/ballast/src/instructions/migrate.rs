//! Bringing accounts of an older version up to date, in place. Anyone may: what an account becomes follows from what it
//! was. An account that is up to date stays as it is, so that a batch does not fail for one that somebody else was first
//! to migrate.
//!
//! A market comes before its book, whose waiting fills need the market's funding index. While the book is on its way, every
//! instruction that would move the index refuses the book.

use anchor_lang::{
    Discriminator,
    prelude::*,
    system_program::{self, Transfer},
};
use ballast_book::{FromMarket, Migrated};
use ballast_rank::Index;
use ballast_units::{FUNDING_ONE, Side};

use crate::{
    error::{BallastError, OrFail},
    events::AccountMigrated,
    record::tell,
    state::{
        BOOK_MAGIC, BOOK_VERSION, Current, MARGIN_VERSION, MARKET_VERSION, MarginAccount, Market, RANKS_MAGIC,
        SLAB_PREFIX, VERSION_AT, slab_bytes_mut, v1::MarketV1,
    },
};

/// The version that these instructions bring up to date.
const OLD: u8 = 1;
/// Most that an account may grow by in one instruction.
const MAX_GROWTH: usize = 10_240;

/// Whether the account is one of this kind and of the old version; fails when it is neither that nor up to date.
fn is_old(account: &AccountInfo, magic: &[u8], present: u8) -> Result<bool> {
    require_keys_eq!(*account.owner, crate::ID, BallastError::WrongAccount);
    let data = account.try_borrow_data()?;
    require!(data.len() > SLAB_PREFIX && data[..8] == *magic, BallastError::WrongAccount);
    match data[VERSION_AT] {
        OLD => Ok(true),
        version => {
            require!(version == present, BallastError::AccountOutdated);
            Ok(false)
        }
    }
}

/// Accounts of `migrate_margin_account`.
#[derive(Accounts)]
pub struct MigrateMarginAccount<'info> {
    /// CHECK: a margin account of the program, of any version.
    #[account(mut)]
    pub margin: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Brings a margin account up to date. Clocks of its liquidation that run go on from now.
pub fn migrate_margin_account(ctx: Context<MigrateMarginAccount>) -> Result<()> {
    let account = &ctx.accounts.margin;
    if !is_old(account, MarginAccount::DISCRIMINATOR, MARGIN_VERSION)? {
        return Ok(());
    }
    {
        let mut data = account.try_borrow_mut_data()?;
        let margin = data.get_mut(8..8 + size_of::<MarginAccount>()).ok_or(BallastError::WrongAccount)?;
        let margin: &mut MarginAccount = bytemuck::from_bytes_mut(margin);
        margin.version = MARGIN_VERSION;
        let progress = margin.progress_mut();
        if progress.takeover_since != 0 || progress.bankrupt_since != 0 || progress.partial_at != 0 {
            progress.seen_at = Clock::get()?.unix_timestamp;
        }
    }
    tell(&AccountMigrated { account: account.key(), version: MARGIN_VERSION });
    Ok(())
}

/// Accounts of `migrate_market`.
#[derive(Accounts)]
pub struct MigrateMarket<'info> {
    /// CHECK: a market of the program, of any version.
    #[account(mut)]
    pub market: UncheckedAccount<'info>,
    /// CHECK: the market's ranking index.
    #[account(mut)]
    pub ranks: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Brings a market up to date. Parameters that there were not yet are zero, which switches off what they are for. What its
/// fills in seats have not paid or received of funding stays the exchange's: whole atoms as a claim on the pool, the rest
/// as dust of the ranking index.
pub fn migrate_market(ctx: Context<MigrateMarket>) -> Result<()> {
    let accounts = ctx.accounts;
    if !is_old(&accounts.market, Market::DISCRIMINATOR, MARKET_VERSION)? {
        return Ok(());
    }
    {
        let mut data = accounts.market.try_borrow_mut_data()?;
        let bytes = data.get_mut(8..8 + size_of::<Market>()).ok_or(BallastError::WrongAccount)?;
        // On the heap: together they are too large for a frame of the stack.
        let old: Vec<u64> = bytemuck::cast_slice(bytes).to_vec();
        let old: &MarketV1 = bytemuck::from_bytes(bytemuck::cast_slice(&old));
        require_keys_eq!(old.ranks, accounts.ranks.key(), BallastError::WrongAccount);
        bytes.fill(0);
        let market: &mut Market = bytemuck::from_bytes_mut(bytes);
        old.upgrade_into(market);
        let residual = old.funding_residual();
        let atoms = residual >> FUNDING_ONE.trailing_zeros();
        let claim = i64::try_from(atoms).map_err(|_| BallastError::Overflow)?;
        market.fee_claims = market.fee_claims.checked_add(claim).ok_or(BallastError::Overflow)?;
        let mut ranks = accounts.ranks.try_borrow_mut_data()?;
        let mut ranks = Index::load(slab_bytes_mut(&mut ranks, RANKS_MAGIC)?).or_fail()?;
        ranks.add_to_dust(Side::Long, residual - atoms * i128::from(FUNDING_ONE)).or_fail()?;
    }
    tell(&AccountMigrated { account: accounts.market.key(), version: MARKET_VERSION });
    Ok(())
}

/// Accounts of `migrate_book`.
#[derive(Accounts)]
pub struct MigrateBook<'info> {
    /// Pays for the bytes by which the book grows.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market, which is up to date.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: its book, of any version.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// The system program.
    pub system_program: Program<'info, System>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Brings a book up to date by up to `limit` blocks; before that, makes room, by what one instruction may. To be repeated
/// until the account says the new version.
pub fn migrate_book(ctx: Context<MigrateBook>, limit: u32) -> Result<()> {
    let accounts = ctx.accounts;
    let terms = {
        let market = accounts.market.current()?;
        let maker_fee_ppm =
            i16::try_from(market.params.maker_fee_ppm).map_err(|_| BallastError::ParameterOutOfBounds)?;
        FromMarket { funding_index: market.funding_index(), maker_fee_ppm }
    };
    if !is_old(&accounts.book, &BOOK_MAGIC, BOOK_VERSION)? {
        return Ok(());
    }
    let (length, needed) = {
        let data = accounts.book.try_borrow_data()?;
        (data.len(), SLAB_PREFIX + ballast_book::space_for_migration(&data[SLAB_PREFIX..]).or_fail()?)
    };
    if length < needed {
        return grow(accounts, needed.min(length + MAX_GROWTH));
    }
    let done = {
        let mut data = accounts.book.try_borrow_mut_data()?;
        let migrated = ballast_book::migrate(&mut data[SLAB_PREFIX..], &terms, limit).or_fail()?;
        if migrated == Migrated::Whole {
            data[VERSION_AT] = BOOK_VERSION;
        }
        migrated == Migrated::Whole
    };
    if done {
        tell(&AccountMigrated { account: accounts.book.key(), version: BOOK_VERSION });
    }
    Ok(())
}

fn grow(accounts: &MigrateBook, length: usize) -> Result<()> {
    let missing = Rent::get()?.minimum_balance(length).saturating_sub(accounts.book.lamports());
    if missing > 0 {
        let transfer = Transfer { from: accounts.payer.to_account_info(), to: accounts.book.to_account_info() };
        system_program::transfer(CpiContext::new(accounts.system_program.key(), transfer), missing)?;
    }
    accounts.book.resize(length)?;
    Ok(())
}
