//! Decoding account data. Every function checks what the bytes can tell: discriminator or magic, length, version. That
//! the program owns the account is for the caller to know; [`crate::snapshot`] checks it.

use anchor_lang::{AccountDeserialize, Discriminator};
use ballast::state::{
    BOOK_MAGIC, BOOK_VERSION, EXCHANGE_VERSION, Exchange, MARGIN_VERSION, MARKET_VERSION, MarginAccount, Market,
    RANKS_MAGIC, RANKS_VERSION, SLAB_PREFIX, TRADER_VERSION, Trader, VERSION_AT,
};
use ballast_book::{BookError, BookView};
use ballast_rank::IndexView;
use bytemuck::Pod;

/// What an account of the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`Exchange`].
    Exchange,
    /// [`Market`].
    Market,
    /// [`MarginAccount`].
    MarginAccount,
    /// An order book's slab.
    Book,
    /// A ranking index's slab.
    Ranks,
    /// [`Trader`].
    Trader,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] =
        [Kind::Exchange, Kind::Market, Kind::MarginAccount, Kind::Trader, Kind::Book, Kind::Ranks];

    /// The version that this client and its program read.
    pub const fn version(self) -> u8 {
        match self {
            Kind::Exchange => EXCHANGE_VERSION,
            Kind::Market => MARKET_VERSION,
            Kind::MarginAccount => MARGIN_VERSION,
            Kind::Trader => TRADER_VERSION,
            Kind::Book => BOOK_VERSION,
            Kind::Ranks => RANKS_VERSION,
        }
    }

    /// The first eight bytes of its data.
    pub fn magic(self) -> &'static [u8] {
        match self {
            Kind::Exchange => Exchange::DISCRIMINATOR,
            Kind::Market => Market::DISCRIMINATOR,
            Kind::MarginAccount => MarginAccount::DISCRIMINATOR,
            Kind::Trader => Trader::DISCRIMINATOR,
            Kind::Book => &BOOK_MAGIC,
            Kind::Ranks => &RANKS_MAGIC,
        }
    }
}

/// Why account data cannot be read as what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It begins otherwise.
    #[error("not a {0:?} account: its first eight bytes are another's")]
    Kind(Kind),
    /// It has another length than its layout.
    #[error("a {kind:?} account of {length} bytes; its layout has {expected}")]
    Length {
        /// What it should be.
        kind: Kind,
        /// Its bytes.
        length: usize,
        /// The layout's bytes.
        expected: usize,
    },
    /// It was written by another version of the program.
    #[error("version {0} of the layout, which this client does not read; `ballast-migrate` brings accounts up to date")]
    Version(u8),
    /// Its fields cannot be read.
    #[error("malformed account data")]
    Malformed,
    /// The book's own header is wrong.
    #[error("order book: {0}")]
    Book(BookError),
    /// The ranking index's own header is wrong.
    #[error("ranking index: {0}")]
    Ranks(ballast_rank::Error),
}

/// What the data begins like; `None` when it is no account of the program (or a slab that no market has claimed).
pub fn kind(data: &[u8]) -> Option<Kind> {
    let first = data.first_chunk::<8>()?;
    Kind::ALL.into_iter().find(|kind| kind.magic() == first)
}

/// Decodes an exchange.
///
/// # Errors
/// See [`DecodeError`].
pub fn exchange(data: &[u8]) -> Result<Exchange, DecodeError> {
    require_kind(data, Kind::Exchange)?;
    let exchange = Exchange::try_deserialize(&mut &data[..]).map_err(|_| DecodeError::Malformed)?;
    require_version(Kind::Exchange, exchange.version)?;
    Ok(exchange)
}

/// Decodes a market.
///
/// # Errors
/// See [`DecodeError`].
pub fn market(data: &[u8]) -> Result<Market, DecodeError> {
    zero_copy(data, Kind::Market)
}

/// Decodes a margin account.
///
/// # Errors
/// See [`DecodeError`].
pub fn margin_account(data: &[u8]) -> Result<MarginAccount, DecodeError> {
    zero_copy(data, Kind::MarginAccount)
}

/// Decodes a trader account.
///
/// # Errors
/// See [`DecodeError`].
pub fn trader(data: &[u8]) -> Result<Trader, DecodeError> {
    zero_copy(data, Kind::Trader)
}

fn require_kind(data: &[u8], expected: Kind) -> Result<(), DecodeError> {
    if kind(data) == Some(expected) { Ok(()) } else { Err(DecodeError::Kind(expected)) }
}

/// The version of an account of the program; `None` when the data is none.
pub fn version(data: &[u8]) -> Option<u8> {
    kind(data).and_then(|_| data.get(VERSION_AT).copied())
}

fn require_version(kind: Kind, version: u8) -> Result<(), DecodeError> {
    if version == kind.version() { Ok(()) } else { Err(DecodeError::Version(version)) }
}

fn zero_copy<T: Pod>(data: &[u8], kind: Kind) -> Result<T, DecodeError> {
    require_kind(data, kind)?;
    require_version(kind, version(data).ok_or(DecodeError::Malformed)?)?;
    let expected = 8 + size_of::<T>();
    if data.len() != expected {
        return Err(DecodeError::Length { kind, length: data.len(), expected });
    }
    Ok(bytemuck::pod_read_unaligned(&data[8..]))
}

/// The data of a book or ranks account, kept where the pure crates can read it: aligned to eight bytes.
#[derive(Clone)]
pub struct Slab {
    words: Vec<u64>,
    length: usize,
}

impl Slab {
    /// Keeps a copy of the data of a book or ranks account.
    ///
    /// # Errors
    /// When it is neither, of another version, or the crate's own header is wrong.
    pub fn new(data: &[u8]) -> Result<Slab, DecodeError> {
        let mut words = vec![0u64; data.len().div_ceil(8)];
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..data.len()].copy_from_slice(data);
        let slab = Slab { words, length: data.len() };
        match kind(data) {
            Some(Kind::Ranks) => slab.ranks().map(drop)?,
            _ => slab.book().map(drop)?,
        }
        Ok(slab)
    }

    /// The account's data.
    pub fn data(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }

    /// The account's data, to try on a copy what an instruction would do to it.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.length]
    }

    /// The data as an order book.
    ///
    /// # Errors
    /// When it is none.
    pub fn book(&self) -> Result<BookView<'_>, DecodeError> {
        BookView::load(self.contents(Kind::Book)?).map_err(DecodeError::Book)
    }

    /// The data as a ranking index.
    ///
    /// # Errors
    /// When it is none.
    pub fn ranks(&self) -> Result<IndexView<'_>, DecodeError> {
        IndexView::load(self.contents(Kind::Ranks)?).map_err(DecodeError::Ranks)
    }

    fn contents(&self, expected: Kind) -> Result<&[u8], DecodeError> {
        let data = self.data();
        require_kind(data, expected)?;
        let contents = data.get(SLAB_PREFIX..).ok_or(DecodeError::Malformed)?;
        require_version(expected, data[VERSION_AT])?;
        Ok(contents)
    }
}

impl core::fmt::Debug for Slab {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Slab").field("kind", &kind(self.data())).field("length", &self.length).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_market_survives_its_bytes() {
        let mut market = testing::market(3);
        market.fees = 77;
        let data = testing::account_data(&market);
        assert_eq!(kind(&data), Some(Kind::Market));
        let read = super::market(&data).unwrap();
        assert_eq!((read.index, read.fees), (3, 77));
    }

    #[test]
    fn another_kind_length_or_version_is_refused() {
        let data = testing::account_data(&testing::market(3));
        assert_eq!(margin_account(&data).err(), Some(DecodeError::Kind(Kind::MarginAccount)));
        let expected = data.len();
        let length = expected - 1;
        assert_eq!(market(&data[..length]).err(), Some(DecodeError::Length { kind: Kind::Market, length, expected }));
        let mut newer = data;
        newer[8] = 9;
        assert_eq!(market(&newer).err(), Some(DecodeError::Version(9)));
    }

    #[test]
    fn a_slab_is_read_from_any_alignment() {
        let book = testing::book(|_| {});
        let mut shifted = vec![0u8];
        shifted.extend_from_slice(book.data());
        let slab = Slab::new(&shifted[1..]).unwrap();
        assert_eq!(slab.book().unwrap().seat_count(), 0);
        assert_eq!(slab.ranks().err(), Some(DecodeError::Kind(Kind::Ranks)));
        let mut newer = book.data().to_vec();
        newer[8] = 9;
        assert_eq!(Slab::new(&newer).err(), Some(DecodeError::Version(9)));
    }

    #[test]
    fn a_slab_that_was_not_claimed_is_refused() {
        assert!(Slab::new(&[0; 4096]).is_err());
    }
}
