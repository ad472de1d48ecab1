//! Versions of layouts. A version goes up when accounts that an older program wrote cannot be read as they are; the
//! instructions in `instructions/migrate.rs` bring them up to date, and every other one refuses them.

use std::cell::{Ref, RefMut};

use anchor_lang::{ZeroCopy, prelude::*};

use super::{MarginAccount, Market, SLAB_PREFIX, Trader};
use crate::error::BallastError;

/// Version of [`super::Exchange`].
pub const EXCHANGE_VERSION: u8 = 1;
/// Version of [`Market`]. 2: more tiers, parameters of book, mark and protection; seats keep their own funding.
pub const MARKET_VERSION: u8 = 2;
/// Version of [`MarginAccount`]. 2: when a forced step last saw the account; the deleveraging ladder.
pub const MARGIN_VERSION: u8 = 2;
/// Version of [`super::Trader`].
pub const TRADER_VERSION: u8 = 1;
/// Version of a book's account. 2: blocks of 160 bytes.
pub const BOOK_VERSION: u8 = 2;
/// Version of a ranking index's account.
pub const RANKS_VERSION: u8 = 1;

/// Where the version stands: behind the eight bytes that tell the kind.
pub const VERSION_AT: usize = 8;

const _: () = assert!(VERSION_AT < SLAB_PREFIX);
const _: () = assert!(core::mem::offset_of!(Market, version) == 0);
const _: () = assert!(core::mem::offset_of!(MarginAccount, version) == 0);

/// An account that is read where it lies.
pub trait Versioned: ZeroCopy + Owner {
    /// The version that this program reads.
    const VERSION: u8;
}

impl Versioned for Market {
    const VERSION: u8 = MARKET_VERSION;
}

impl Versioned for MarginAccount {
    const VERSION: u8 = MARGIN_VERSION;
}

impl Versioned for Trader {
    const VERSION: u8 = TRADER_VERSION;
}

/// Loading accounts of the present version only.
pub trait Current<T> {
    /// To read.
    fn current(&self) -> Result<Ref<'_, T>>;
    /// To write.
    fn current_mut(&self) -> Result<RefMut<'_, T>>;
}

impl<T: Versioned> Current<T> for AccountLoader<'_, T> {
    #[inline(always)]
    fn current(&self) -> Result<Ref<'_, T>> {
        require_version(&self.as_ref().try_borrow_data()?, T::VERSION)?;
        self.load()
    }

    #[inline(always)]
    fn current_mut(&self) -> Result<RefMut<'_, T>> {
        require_version(&self.as_ref().try_borrow_data()?, T::VERSION)?;
        self.load_mut()
    }
}

/// Fails unless an account's data says that it is of this version.
#[inline(always)]
pub fn require_version(data: &[u8], version: u8) -> Result<()> {
    require!(data.get(VERSION_AT) == Some(&version), BallastError::AccountOutdated);
    Ok(())
}
