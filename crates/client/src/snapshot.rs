//! All accounts of an exchange at one moment.
//!
//! A snapshot is built from any source of accounts (a cluster through [`crate::rpc`], a test's virtual machine) and can be
//! kept current with [`Snapshot::apply`] as updates of single accounts come in. What positions are worth is asked of a
//! [`crate::view::View`] on it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use ballast::state::{Exchange, MarginAccount, Market, Trader};
use solana_account::ReadableAccount;
use solana_pubkey::Pubkey;

use crate::{
    accounts::{self, DecodeError, Kind, Slab},
    addresses::{ExchangeKeys, MarketKeys, PROGRAM_ID},
    instructions::Lookup,
};

/// When the accounts were as they are here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The slot.
    pub slot: u64,
    /// The cluster's unix time.
    pub unix_time: i64,
}

/// One market with its slabs.
#[derive(Clone)]
pub struct MarketEntry {
    /// Its accounts.
    pub keys: MarketKeys,
    /// The market.
    pub market: Market,
    /// Its order book's account.
    pub book: Slab,
    /// Its ranking index's account.
    pub ranks: Slab,
}

/// All accounts of one exchange.
#[derive(Clone)]
pub struct Snapshot {
    /// The exchange and its vaults.
    pub keys: ExchangeKeys,
    /// The exchange.
    pub exchange: Exchange,
    /// When this was.
    pub moment: Moment,
    markets: BTreeMap<u16, MarketEntry>,
    accounts: HashMap<Pubkey, MarginAccount>,
    traders: HashMap<Pubkey, Trader>,
    slabs: HashMap<Pubkey, u16>,
}

/// Why accounts do not make a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The exchange is not among the accounts.
    #[error("no exchange at {0}")]
    NoExchange(Pubkey),
    /// An account cannot be read.
    #[error("account {0}: {1}")]
    Decode(Pubkey, DecodeError),
    /// A market's book or ranks account is not among the accounts.
    #[error("market {0}: its slab account {1} is missing")]
    NoSlab(u16, Pubkey),
    /// Two markets have the same index.
    #[error("two markets have the index {0}")]
    SameIndex(u16),
}

/// What [`Snapshot::apply`] changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The exchange.
    Exchange,
    /// A market; its mark, for one.
    Market(u16),
    /// A market's order book.
    Book(u16),
    /// A market's ranking index.
    Ranks(u16),
    /// A margin account, which may be new.
    MarginAccount,
    /// A margin account, which was closed.
    Closed,
    /// A trader account, which may be new.
    Trader,
    /// Nothing: the account is not this exchange's, or it belongs to a market that is not known yet.
    Ignored,
}

impl Snapshot {
    /// Picks the accounts of `exchange` out of accounts of the program. Those of other owners and other exchanges are
    /// passed over.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn new<A: ReadableAccount>(
        exchange: &Pubkey,
        moment: Moment,
        all: impl IntoIterator<Item = (Pubkey, A)>,
    ) -> Result<Snapshot, SnapshotError> {
        let all: HashMap<Pubkey, A> = all.into_iter().filter(|(_, account)| *account.owner() == PROGRAM_ID).collect();
        let data = all.get(exchange).ok_or(SnapshotError::NoExchange(*exchange))?.data();
        let mut snapshot = Snapshot::empty(exchange, moment, data)?;
        for (key, account) in &all {
            snapshot.insert(key, account.data(), &all)?;
        }
        Ok(snapshot)
    }

    /// An exchange by itself, from its account's data. Markets come with [`insert_market`](Self::insert_market), accounts
    /// with [`apply`](Self::apply): for those who do not hold all of it.
    ///
    /// # Errors
    /// When the data is not an exchange.
    pub fn empty(exchange: &Pubkey, moment: Moment, data: &[u8]) -> Result<Snapshot, SnapshotError> {
        let failed = |error| SnapshotError::Decode(*exchange, error);
        let decoded = accounts::exchange(data).map_err(failed)?;
        let keys = ExchangeKeys::of(*exchange, &decoded).ok_or(failed(DecodeError::Malformed))?;
        let (markets, accounts) = (BTreeMap::new(), HashMap::new());
        let (traders, slabs) = (HashMap::new(), HashMap::new());
        Ok(Snapshot { keys, exchange: decoded, moment, markets, accounts, traders, slabs })
    }

    /// Adds a market with its slabs, or replaces it.
    ///
    /// # Errors
    /// When a slab is not of its kind.
    pub fn insert_market(&mut self, entry: MarketEntry) -> Result<(), DecodeError> {
        entry.book.book()?;
        entry.ranks.ranks()?;
        let keys = entry.keys;
        self.slabs.extend([(keys.book, keys.index), (keys.ranks, keys.index)]);
        self.markets.insert(keys.index, entry);
        Ok(())
    }

    /// Forgets a market, whose account may be applied to no more, and gives what was known of it.
    pub fn remove_market(&mut self, index: u16) -> Option<MarketEntry> {
        let entry = self.markets.remove(&index)?;
        self.slabs.retain(|_, of| *of != index);
        Some(entry)
    }

    /// The addresses of all exchanges among accounts of the program, in ascending order.
    pub fn exchanges<'a, A: ReadableAccount + 'a>(all: impl IntoIterator<Item = &'a (Pubkey, A)>) -> Vec<Pubkey> {
        let is_exchange =
            |account: &A| *account.owner() == PROGRAM_ID && accounts::kind(account.data()) == Some(Kind::Exchange);
        let mut found: Vec<_> =
            all.into_iter().filter(|(_, account)| is_exchange(account)).map(|(key, _)| *key).collect();
        found.sort();
        found
    }

    fn insert<A: ReadableAccount>(
        &mut self,
        key: &Pubkey,
        data: &[u8],
        all: &HashMap<Pubkey, A>,
    ) -> Result<(), SnapshotError> {
        let failed = |error| SnapshotError::Decode(*key, error);
        match accounts::kind(data) {
            Some(Kind::Market) => {
                let market = accounts::market(data).map_err(failed)?;
                if market.exchange != self.keys.exchange {
                    return Ok(());
                }
                let slab = |slab: &Pubkey| {
                    let account = all.get(slab).ok_or(SnapshotError::NoSlab(market.index, *slab))?;
                    Slab::new(account.data()).map_err(|error| SnapshotError::Decode(*slab, error))
                };
                let keys = MarketKeys::of(*key, &market);
                let entry = MarketEntry { keys, market, book: slab(&keys.book)?, ranks: slab(&keys.ranks)? };
                self.slabs.extend([(keys.book, keys.index), (keys.ranks, keys.index)]);
                match self.markets.insert(keys.index, entry) {
                    None => Ok(()),
                    Some(_) => Err(SnapshotError::SameIndex(keys.index)),
                }
            }
            Some(Kind::MarginAccount) => {
                let account = accounts::margin_account(data).map_err(failed)?;
                if account.exchange == self.keys.exchange {
                    self.accounts.insert(*key, account);
                }
                Ok(())
            }
            Some(Kind::Trader) => {
                let trader = accounts::trader(data).map_err(failed)?;
                if trader.exchange == self.keys.exchange {
                    self.traders.insert(*key, trader);
                }
                Ok(())
            }
            Some(Kind::Exchange | Kind::Book | Kind::Ranks) | None => Ok(()),
        }
    }

    /// Takes over one account as an update reports it; no data means that it was closed. A market that is not known yet
    /// is ignored, since its slabs are missing: take a new snapshot.
    ///
    /// # Errors
    /// When the data is an account of the program that cannot be read; nothing is changed then.
    pub fn apply(&mut self, key: &Pubkey, data: &[u8]) -> Result<Applied, DecodeError> {
        if data.is_empty() {
            return Ok(self.accounts.remove(key).map_or(Applied::Ignored, |_| Applied::Closed));
        }
        match accounts::kind(data) {
            Some(Kind::Exchange) if *key == self.keys.exchange => {
                self.exchange = accounts::exchange(data)?;
                Ok(Applied::Exchange)
            }
            Some(Kind::Market) => {
                let market = accounts::market(data)?;
                match self.markets.get_mut(&market.index).filter(|entry| entry.keys.market == *key) {
                    Some(entry) => {
                        entry.market = market;
                        Ok(Applied::Market(market.index))
                    }
                    None => Ok(Applied::Ignored),
                }
            }
            Some(Kind::MarginAccount) => {
                let account = accounts::margin_account(data)?;
                if account.exchange != self.keys.exchange {
                    return Ok(Applied::Ignored);
                }
                self.accounts.insert(*key, account);
                Ok(Applied::MarginAccount)
            }
            Some(Kind::Trader) => {
                let trader = accounts::trader(data)?;
                if trader.exchange != self.keys.exchange {
                    return Ok(Applied::Ignored);
                }
                self.traders.insert(*key, trader);
                Ok(Applied::Trader)
            }
            Some(Kind::Book | Kind::Ranks) => self.apply_slab(key, data),
            Some(Kind::Exchange) | None => Ok(Applied::Ignored),
        }
    }

    fn apply_slab(&mut self, key: &Pubkey, data: &[u8]) -> Result<Applied, DecodeError> {
        let Some(entry) = self.slabs.get(key).and_then(|index| self.markets.get_mut(index)) else {
            return Ok(Applied::Ignored);
        };
        let slab = Slab::new(data)?;
        if *key == entry.keys.book {
            slab.book()?;
            entry.book = slab;
            Ok(Applied::Book(entry.keys.index))
        } else {
            slab.ranks()?;
            entry.ranks = slab;
            Ok(Applied::Ranks(entry.keys.index))
        }
    }

    /// A market.
    pub fn market(&self, index: u16) -> Option<&MarketEntry> {
        self.markets.get(&index)
    }

    /// All markets, by index.
    pub fn markets(&self) -> impl Iterator<Item = &MarketEntry> {
        self.markets.values()
    }

    /// A margin account.
    pub fn account(&self, key: &Pubkey) -> Option<&MarginAccount> {
        self.accounts.get(key)
    }

    /// All margin accounts, in no particular order.
    pub fn accounts(&self) -> impl Iterator<Item = (&Pubkey, &MarginAccount)> {
        self.accounts.iter()
    }

    /// A trader account.
    pub fn trader(&self, key: &Pubkey) -> Option<&Trader> {
        self.traders.get(key)
    }

    /// All trader accounts, in no particular order.
    pub fn traders(&self) -> impl Iterator<Item = (&Pubkey, &Trader)> {
        self.traders.iter()
    }

    /// Number of margin accounts.
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// The margin account that sits in a seat of a market's book.
    pub fn seat_account(&self, market: u16, seat: u32) -> Option<Pubkey> {
        let book = self.market(market)?.book.book().ok()?;
        book.seat_by_id(seat).ok().map(|seat| Pubkey::new_from_array(seat.account))
    }
}

impl Lookup for Snapshot {
    fn market_keys(&self, index: u16) -> Option<MarketKeys> {
        self.market(index).map(|entry| entry.keys)
    }
}
