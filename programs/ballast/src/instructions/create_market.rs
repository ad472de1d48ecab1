//! Creating a market.

use anchor_lang::prelude::*;

use crate::{
    error::{BallastError, OrFail},
    events::{MarketCreated, MarketParamsSet},
    record::tell,
    state::{
        BOOK_MAGIC, Exchange, MARKET_SEED, MARKET_VERSION, Market, MarketParams, MarketStatus, OracleKind, RANKS_MAGIC,
        claim_slab, slab_bytes_mut,
    },
};

/// Fewest blocks of a new book: room for two seats and some orders; the account can grow later.
pub const MIN_BOOK_BLOCKS: u32 = 64;
/// Fewest cells of a new ranking index.
pub const MIN_RANK_CELLS: u32 = 64;
/// Largest exponent of a lot: 10^-12 of the base asset.
pub const MAX_LOT_EXPONENT: u8 = 12;

/// What cannot change after a market was created.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct MarketIdentity {
    /// Name, padded with zeros.
    pub symbol: [u8; 16],
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
    /// [`OracleKind`].
    pub oracle_kind: u8,
    /// Program that must own the oracle account.
    pub oracle_program: Pubkey,
    /// Feed id (receiver) or address (legacy) of the oracle.
    pub oracle_feed: [u8; 32],
}

/// Accounts of `create_market`.
#[derive(Accounts)]
pub struct CreateMarket<'info> {
    /// The exchange's admin, who pays.
    #[account(mut, address = exchange.admin @ BallastError::Unauthorized)]
    pub admin: Signer<'info>,
    /// The exchange.
    #[account(mut)]
    pub exchange: Account<'info, Exchange>,
    /// The market.
    #[account(init, payer = admin, space = 8 + core::mem::size_of::<Market>(),
        seeds = [MARKET_SEED, exchange.key().as_ref(), &exchange.market_count.to_le_bytes()], bump)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: fresh, zeroed and owned by the program, as `claim_slab` checks.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: as the book.
    #[account(mut)]
    pub ranks: UncheckedAccount<'info>,
    /// The system program.
    pub system_program: Program<'info, System>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Creates the next market, which takes the book and ranks accounts for itself for good. It starts without a price:
/// nothing can be done in it before its first `refresh_market`.
pub fn create_market(ctx: Context<CreateMarket>, identity: MarketIdentity, params: MarketParams) -> Result<()> {
    let accounts = ctx.accounts;
    OracleKind::from_code(identity.oracle_kind)?;
    require!(identity.lot_exponent <= MAX_LOT_EXPONENT, BallastError::ParameterOutOfBounds);
    params.validate(-i32::from(identity.lot_exponent))?;
    require_keys_neq!(accounts.book.key(), accounts.ranks.key(), BallastError::DuplicateAccount);
    require!(identity.oracle_program != Pubkey::default(), BallastError::ParameterOutOfBounds);

    claim_slab(&accounts.book, BOOK_MAGIC, ballast_book::space(MIN_BOOK_BLOCKS))?;
    ballast_book::Book::init(slab_bytes_mut(&mut accounts.book.try_borrow_mut_data()?, BOOK_MAGIC)?).or_fail()?;
    claim_slab(&accounts.ranks, RANKS_MAGIC, ballast_rank::space(MIN_RANK_CELLS))?;
    ballast_rank::Index::init(slab_bytes_mut(&mut accounts.ranks.try_borrow_mut_data()?, RANKS_MAGIC)?).or_fail()?;

    let index = accounts.exchange.market_count;
    accounts.exchange.market_count = index.checked_add(1).ok_or(BallastError::Overflow)?;
    // Slots store the index plus one.
    require!(accounts.exchange.market_count < u16::MAX, BallastError::Overflow);
    let mut market = accounts.market.load_init()?;
    market.version = MARKET_VERSION;
    market.bump = ctx.bumps.market;
    market.index = index;
    market.status = MarketStatus::Active as u8;
    market.oracle_kind = identity.oracle_kind;
    market.lot_exponent = identity.lot_exponent;
    market.exchange = accounts.exchange.key();
    market.book = accounts.book.key();
    market.ranks = accounts.ranks.key();
    market.oracle_program = identity.oracle_program;
    market.oracle_feed = identity.oracle_feed;
    market.symbol = identity.symbol;
    market.params = params;
    market.budget_mut().limit_per_window = params.insurance_limit_per_day;
    tell(&MarketCreated { market: accounts.market.key(), index, symbol: identity.symbol });
    tell(&MarketParamsSet { market: index, params });
    Ok(())
}
