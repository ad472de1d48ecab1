//! A market with its two slabs, opened once per instruction.

use std::cell::RefMut;

use anchor_lang::prelude::*;
use ballast_book::{Book, BookView};
use ballast_rank::{Index, IndexView};

use crate::{
    error::{BallastError, OrFail},
    state::{BOOK_MAGIC, Current as _, Market, RANKS_MAGIC, slab_bytes, slab_bytes_mut},
};

/// The accounts of a market in one place: parameters and money, order book, ranking index.
pub struct Venue<'a> {
    /// The market.
    pub market: &'a mut Market,
    /// Its order book.
    pub book: Book<'a>,
    /// Its ranking index.
    pub ranks: Index<'a>,
}

impl<'a> Venue<'a> {
    /// Opens the slabs of `market`. The caller's account constraints have checked that the slabs are the market's.
    pub fn open(market: &'a mut Market, book: &'a mut [u8], ranks: &'a mut [u8]) -> Result<Self> {
        let book = Book::load(slab_bytes_mut(book, BOOK_MAGIC)?).or_fail()?;
        let ranks = Index::load(slab_bytes_mut(ranks, RANKS_MAGIC)?).or_fail()?;
        Ok(Venue { market, book, ranks })
    }
}

/// Borrows a slab account's data.
pub fn slab<'a>(account: &'a AccountInfo<'_>) -> Result<RefMut<'a, [u8]>> {
    let data = account.try_borrow_mut_data()?;
    Ok(RefMut::map(data, |data| &mut **data))
}

/// The other markets of an account, passed after an instruction's own accounts as triples: market, book, ranks.
pub struct Others<'info> {
    accounts: &'info [AccountInfo<'info>],
    exchange: Pubkey,
}

impl<'info> Others<'info> {
    /// From an instruction's remaining accounts.
    pub fn new(accounts: &'info [AccountInfo<'info>], exchange: Pubkey) -> Result<Self> {
        require!(accounts.len().is_multiple_of(3), BallastError::MissingMarket);
        Ok(Others { accounts, exchange })
    }

    /// Reads the market with `index`. `hint` is the triple where it would stand if the caller kept to the order of the
    /// account's slots.
    pub fn read<R>(
        &self,
        index: u16,
        hint: usize,
        read: impl FnOnce(&Market, &BookView, &IndexView) -> Result<R>,
    ) -> Result<R> {
        let triples = self.accounts.len() / 3;
        for step in 0..triples {
            let at = (hint + step) % triples * 3;
            let [market_info, book_info, ranks_info] = &self.accounts[at..at + 3] else {
                return err!(BallastError::MissingMarket);
            };
            let loader = AccountLoader::<Market>::try_from(market_info)?;
            let market = loader.current()?;
            if market.index != index || market.exchange != self.exchange {
                continue;
            }
            require!(market.book == *book_info.key, BallastError::WrongAccount);
            require!(market.ranks == *ranks_info.key, BallastError::WrongAccount);
            let book_data = book_info.try_borrow_data()?;
            let ranks_data = ranks_info.try_borrow_data()?;
            let book = BookView::load(slab_bytes(&book_data, BOOK_MAGIC)?).or_fail()?;
            let ranks = IndexView::load(slab_bytes(&ranks_data, RANKS_MAGIC)?).or_fail()?;
            return read(&market, &book, &ranks);
        }
        err!(BallastError::MissingMarket)
    }
}
