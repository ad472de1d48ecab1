//! A book's account grows when somebody pays for it.

use anchor_lang::{
    prelude::*,
    system_program::{Transfer, transfer},
};
use ballast_book::{BLOCK, BookView};

use crate::{
    error::{BallastError, OrFail},
    events::BookGrown,
    record::tell,
    state::{BOOK_MAGIC, Current as _, MAX_BOOK_BLOCKS, Market, SLAB_PREFIX, slab_bytes},
};

/// Most bytes by which the runtime lets an account grow in one instruction: 64 blocks, as it happens.
const MAX_GROWTH: usize = 10_240;

/// Accounts of `grow_book`.
#[derive(Accounts)]
pub struct GrowBook<'info> {
    /// Pays the rent of what is added.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// The system program.
    pub system_program: Program<'info, System>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Gives the market's book room for 64 more orders or seats, up to [`MAX_BOOK_BLOCKS`]. By anyone who pays; the rent stays
/// with the book. Several of these fit a transaction.
pub fn grow_book(ctx: Context<GrowBook>) -> Result<()> {
    let accounts = ctx.accounts;
    let info = accounts.book.to_account_info();
    let old = info.data_len();
    let largest = SLAB_PREFIX + ballast_book::space(MAX_BOOK_BLOCKS);
    let new = old.checked_add(MAX_GROWTH / BLOCK * BLOCK).ok_or(BallastError::Overflow)?.min(largest);
    require!(new > old, BallastError::BookFull);
    let missing = Rent::get()?.minimum_balance(new).saturating_sub(info.lamports());
    if missing > 0 {
        let from_to = Transfer { from: accounts.payer.to_account_info(), to: info.clone() };
        transfer(CpiContext::new(accounts.system_program.key(), from_to), missing)?;
    }
    info.resize(new)?;
    let data = info.try_borrow_data()?;
    let blocks = BookView::load(slab_bytes(&data, BOOK_MAGIC)?).or_fail()?.capacity();
    tell(&BookGrown { market: accounts.market.current()?.index, blocks });
    Ok(())
}
