//! The accounts that the page has. Markets are listed from their own small accounts; what needs a book or a ranking index
//! can be asked once both of that market have come.

use std::collections::{BTreeMap, HashMap};

use ballast::state::Market;
use ballast_client::{
    accounts::{self, Kind, Slab},
    addresses::MarketKeys,
    snapshot::{MarketEntry, Moment, Snapshot},
    view::{OpenMarket, View},
};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;
use tsify::Tsify;

use crate::error::Problem;

/// The exchange as the page knows it.
pub struct Desk {
    pub(crate) snapshot: Snapshot,
    /// Every market, with or without its slabs.
    pub(crate) listed: BTreeMap<u16, (MarketKeys, Market)>,
    /// Slabs whose other half has not come yet.
    halves: HashMap<Pubkey, Slab>,
    /// The chain's clock, in unix seconds.
    pub(crate) now: i64,
}

/// Exchange-wide facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeInfo {
    /// Its address.
    pub address: String,
    /// The collateral vault's.
    pub vault: String,
    /// The insurance vault's.
    pub insurance: String,
    /// The mint of the collateral.
    pub quote_mint: String,
    /// Markets created so far.
    pub market_count: u16,
    /// Whether deposits are stopped.
    pub deposits_paused: bool,
    /// Whether withdrawals are stopped.
    pub withdrawals_paused: bool,
}

impl Desk {
    pub(crate) fn new(address: Pubkey, data: &[u8]) -> Result<Self, Problem> {
        let snapshot = Snapshot::empty(&address, Moment::default(), data)?;
        Ok(Desk { snapshot, listed: BTreeMap::new(), halves: HashMap::new(), now: 0 })
    }

    pub(crate) fn put(&mut self, address: Pubkey, data: &[u8]) -> Result<&'static str, Problem> {
        match accounts::kind(data) {
            Some(Kind::Market) => {
                let market = accounts::market(data)?;
                if market.exchange != self.snapshot.keys.exchange {
                    return Ok("none");
                }
                self.snapshot.apply(&address, data)?;
                self.listed.insert(market.index, (MarketKeys::of(address, &market), market));
                self.join_halves(market.index)?;
                Ok("market")
            }
            Some(kind @ (Kind::Book | Kind::Ranks)) => {
                let is_its = |(keys, _): &&(MarketKeys, Market)| keys.book == address || keys.ranks == address;
                let index = self.listed.values().find(is_its).map(|(keys, _)| keys.index);
                let Some(index) = index else { return Ok("none") };
                if self.snapshot.market(index).is_some() {
                    self.snapshot.apply(&address, data)?;
                } else {
                    self.halves.insert(address, Slab::new(data)?);
                    self.join_halves(index)?;
                }
                Ok(if kind == Kind::Book { "book" } else { "ranks" })
            }
            Some(Kind::Exchange) => {
                self.snapshot.apply(&address, data)?;
                Ok(if address == self.snapshot.keys.exchange { "exchange" } else { "none" })
            }
            // An owner's fee tier, which its margin accounts carry.
            Some(Kind::Trader) => Ok("none"),
            Some(Kind::MarginAccount) | None => {
                self.snapshot.apply(&address, data)?;
                Ok(if data.is_empty() || self.snapshot.account(&address).is_some() { "account" } else { "none" })
            }
        }
    }

    /// Opens a market once its account and both its slabs are here.
    fn join_halves(&mut self, index: u16) -> Result<(), Problem> {
        let Some((keys, market)) = self.listed.get(&index) else { return Ok(()) };
        if !(self.halves.contains_key(&keys.book) && self.halves.contains_key(&keys.ranks)) {
            return Ok(());
        }
        if let (Some(book), Some(ranks)) = (self.halves.remove(&keys.book), self.halves.remove(&keys.ranks)) {
            self.snapshot.insert_market(MarketEntry { keys: *keys, market: *market, book, ranks })?;
        }
        Ok(())
    }

    pub(crate) fn drop_slabs(&mut self, market: u16) {
        if let Some(entry) = self.snapshot.remove_market(market) {
            self.halves.remove(&entry.keys.book);
            self.halves.remove(&entry.keys.ranks);
        }
    }

    pub(crate) fn exchange(&self) -> ExchangeInfo {
        let Snapshot { keys, exchange, .. } = &self.snapshot;
        ExchangeInfo {
            address: keys.exchange.to_string(),
            vault: keys.vault.to_string(),
            insurance: keys.insurance.to_string(),
            quote_mint: exchange.quote_mint.to_string(),
            market_count: exchange.market_count,
            deposits_paused: exchange.deposits_paused,
            withdrawals_paused: exchange.withdrawals_paused,
        }
    }

    pub(crate) fn view(&self) -> Result<View<'_>, Problem> {
        Ok(self.snapshot.view()?)
    }
}

/// A market that the view has open.
pub(crate) fn open<'a, 'v>(view: &'v View<'a>, market: u16) -> Result<&'v OpenMarket<'a>, Problem> {
    Ok(view.market(market)?)
}
