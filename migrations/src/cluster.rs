//! What a cluster has now.

use std::collections::BTreeMap;

use ballast::state::{Exchange, Market};
use ballast_client::{
    accounts::{self, Kind},
    addresses::{self, ExchangeKeys, PROGRAM_ID},
    rpc::token_amount,
};
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccountEncoding, UiDataSliceConfig};
use solana_address_lookup_table_interface::state::AddressLookupTable;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::Error as ClientError,
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
};
use spl_associated_token_account_interface::address::get_associated_token_address;

use crate::{
    accounts::{Outdated, filter, is_current, slabs},
    config::ExchangeConfig,
    exchange::{Slab, exchange_of},
    program::{self, Deployed},
    roles::Roles,
    state_file::StateFile,
};

/// Accounts that a node answers for in one request.
const ACCOUNTS: usize = 100;

/// Why a cluster could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The node did not answer.
    #[error("{0}: {1}")]
    Rpc(&'static str, Box<ClientError>),
    /// An account is not what it should be.
    #[error("account {0}: {1}")]
    Account(Pubkey, String),
}

/// Rent exemption: linear in the account's bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rent {
    base: u64,
    per_byte: u64,
}

impl Rent {
    /// From what a cluster asks for no bytes and for one more.
    pub fn new(empty: u64, one_byte: u64) -> Rent {
        Rent { base: empty, per_byte: one_byte.saturating_sub(empty) }
    }

    /// Lamports that keep an account of so many bytes alive.
    pub fn of(self, bytes: usize) -> u64 {
        // `usize` has at most 64 bits wherever this runs.
        self.base + self.per_byte * bytes as u64
    }
}

/// An account where a slab belongs.
#[derive(Clone, Copy, Debug)]
pub struct FoundSlab {
    /// Its lamports.
    pub lamports: u64,
    /// Its owner.
    pub owner: Pubkey,
    /// Its bytes.
    pub space: usize,
}

/// A lookup table.
#[derive(Clone, Debug)]
pub struct FoundTable {
    /// Its address.
    pub key: Pubkey,
    /// Who may extend it.
    pub authority: Option<Pubkey>,
    /// What it holds.
    pub addresses: Vec<Pubkey>,
}

/// What a cluster has. The default is a cluster without anything, and without rent.
#[derive(Clone, Default)]
pub struct Found {
    /// Rent exemption.
    pub rent: Rent,
    /// The program.
    pub program: Deployed,
    /// The payer's lamports.
    pub payer_lamports: u64,
    /// The admin's lamports.
    pub admin_lamports: u64,
    /// Atoms in the payer's associated token account.
    pub payer_tokens: u64,
    /// The exchange.
    pub exchange: Option<Exchange>,
    /// Atoms in the insurance vault.
    pub insurance: u64,
    /// The exchange's markets, by index.
    pub markets: Vec<Market>,
    /// Accounts where slabs of new markets belong.
    pub slabs: BTreeMap<Pubkey, FoundSlab>,
    /// The lookup table.
    pub table: Option<FoundTable>,
    /// Accounts of older versions. While there are any, exchange and markets are not read.
    pub outdated: Outdated,
}

/// Reads a cluster.
pub struct Cluster<'a> {
    rpc: &'a RpcClient,
}

impl<'a> Cluster<'a> {
    /// Through a connection, at its commitment.
    pub fn new(rpc: &'a RpcClient) -> Self {
        Cluster { rpc }
    }

    /// What tells the cluster from others.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn genesis(&self) -> Result<String, ReadError> {
        Ok(self.rpc.get_genesis_hash().await.map_err(rpc("the genesis hash"))?.to_string())
    }

    /// Several accounts; `None` where there is none.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn accounts(&self, keys: &[Pubkey]) -> Result<Vec<Option<Account>>, ReadError> {
        let mut all = Vec::with_capacity(keys.len());
        for keys in keys.chunks(ACCOUNTS) {
            all.extend(self.rpc.get_multiple_accounts(keys).await.map_err(rpc("reading accounts"))?);
        }
        Ok(all)
    }

    async fn account(&self, key: &Pubkey) -> Result<Option<Account>, ReadError> {
        let answer = self.rpc.get_account_with_commitment(key, self.rpc.commitment()).await;
        Ok(answer.map_err(rpc("reading an account"))?.value)
    }

    /// Everything that a plan depends on.
    ///
    /// # Errors
    /// When the node does not answer, or an account cannot be read.
    pub async fn read(
        &self,
        config: &ExchangeConfig,
        roles: &Roles,
        state: &StateFile,
        genesis: &str,
    ) -> Result<Found, ReadError> {
        let mut found = Found { rent: self.rent().await?, program: self.program().await?, ..Found::default() };
        let exchange = exchange_of(config, roles);
        let keys = ExchangeKeys::new(exchange);
        let wanted = [keys.exchange, keys.insurance, roles.payer, roles.admin];
        let accounts = self.accounts(&wanted).await?;
        let lamports = |at: usize| accounts[at].as_ref().map_or(0, |account| account.lamports);
        (found.payer_lamports, found.admin_lamports) = (lamports(2), lamports(3));
        found.insurance = accounts[1].as_ref().and_then(token_amount).unwrap_or(0);
        if let Some(account) = accounts[0].as_ref().filter(|account| account.owner == PROGRAM_ID) {
            let decoded = accounts::exchange(&account.data);
            found.exchange = Some(decoded.map_err(|error| ReadError::Account(exchange, error.to_string()))?);
        }
        found.outdated = self.outdated(&exchange).await?;
        if !found.outdated.is_empty() {
            return Ok(found);
        }
        let mint = found.exchange.as_ref().map(|exchange| exchange.quote_mint).or(config.quote_mint);
        if let Some(mint) = mint {
            let source = get_associated_token_address(&roles.payer, &mint);
            found.payer_tokens = self.account(&source).await?.as_ref().and_then(token_amount).unwrap_or(0);
        }
        found.markets = self.markets(&found, &exchange).await?;
        found.slabs = self.slabs(config, &found, &exchange, roles).await?;
        if let Some(key) = state.lookup_table(genesis, &exchange) {
            found.table = self.table(&key).await?;
        }
        Ok(found)
    }

    async fn rent(&self) -> Result<Rent, ReadError> {
        let mut lamports = [0; 2];
        for (bytes, lamports) in lamports.iter_mut().enumerate() {
            let asked = self.rpc.get_minimum_balance_for_rent_exemption(bytes).await;
            *lamports = asked.map_err(rpc("asking for the rent"))?;
        }
        Ok(Rent::new(lamports[0], lamports[1]))
    }

    /// The program and its bytes.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn program(&self) -> Result<Deployed, ReadError> {
        let program = self.account(&PROGRAM_ID).await?;
        let data = match program {
            Some(_) => self.account(&program::data_address()).await?,
            None => None,
        };
        Ok(Deployed::of(program, data))
    }

    async fn markets(&self, found: &Found, exchange: &Pubkey) -> Result<Vec<Market>, ReadError> {
        let count = found.exchange.as_ref().map_or(0, |exchange| exchange.market_count);
        let keys: Vec<_> = (0..count).map(|index| addresses::market(exchange, index)).collect();
        let accounts = self.accounts(&keys).await?;
        let decode = |(key, account): (&Pubkey, Option<Account>)| {
            let missing = || ReadError::Account(*key, "the market is missing".into());
            accounts::market(&account.ok_or_else(missing)?.data)
                .map_err(|error| ReadError::Account(*key, error.to_string()))
        };
        keys.iter().zip(accounts).map(decode).collect()
    }

    async fn slabs(
        &self,
        config: &ExchangeConfig,
        found: &Found,
        exchange: &Pubkey,
        roles: &Roles,
    ) -> Result<BTreeMap<Pubkey, FoundSlab>, ReadError> {
        let new = (0u16..).zip(&config.markets).skip(found.markets.len());
        let keys: Vec<_> = new
            .flat_map(|(index, _)| [Slab::Book, Slab::Ranks].map(|slab| slab.address(exchange, &roles.admin, index)))
            .collect();
        let accounts = self.accounts(&keys).await?;
        let slab = |account: Account| FoundSlab {
            lamports: account.lamports,
            owner: account.owner,
            space: account.data.len(),
        };
        let pairs = keys.into_iter().zip(accounts);
        Ok(pairs.filter_map(|(key, account)| Some((key, slab(account?)))).collect())
    }

    /// The exchange's accounts of older versions.
    ///
    /// # Errors
    /// When the node does not answer, or a market's account is malformed.
    pub async fn outdated(&self, exchange: &Pubkey) -> Result<Outdated, ReadError> {
        let mut outdated = Outdated::default();
        for version in 1..Kind::MarginAccount.version() {
            let keys = self.keys_of(Kind::MarginAccount, version, exchange).await?;
            outdated.margin_accounts.extend(keys);
        }
        let mut all = Vec::new();
        for version in 1..=Kind::Market.version() {
            let keys = self.keys_of(Kind::Market, version, exchange).await?;
            all.extend(keys.into_iter().map(|key| (key, version)));
        }
        for (market, version) in all {
            let account = self.account(&market).await?;
            let malformed = || ReadError::Account(market, "is not a market".into());
            let slabs = account.as_ref().and_then(|account| slabs(&account.data));
            let (book, ranks) = slabs.ok_or_else(malformed)?;
            if version < Kind::Market.version() {
                outdated.markets.push((market, ranks));
            }
            let old = self.account(&book).await?.is_some_and(|account| !is_current(&account.owner, &account.data));
            if old {
                outdated.books.push((market, book));
            }
        }
        Ok(outdated)
    }

    /// The addresses of the exchange's accounts of a kind and version; their data stays where it is.
    async fn keys_of(&self, kind: Kind, version: u8, exchange: &Pubkey) -> Result<Vec<Pubkey>, ReadError> {
        let starts = |at, bytes| RpcFilterType::Memcmp(Memcmp::new_raw_bytes(at, bytes));
        let config = RpcProgramAccountsConfig {
            // Both kinds name their exchange behind eight bytes of discriminator and eight of numbers.
            filters: Some(vec![starts(0, filter(kind, version)), starts(16, exchange.to_bytes().to_vec())]),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                data_slice: Some(UiDataSliceConfig { offset: 0, length: 0 }),
                commitment: Some(self.rpc.commitment()),
                min_context_slot: None,
            },
            ..RpcProgramAccountsConfig::default()
        };
        let found = self.rpc.get_program_ui_accounts_with_config(&PROGRAM_ID, config).await;
        Ok(found.map_err(rpc("listing accounts"))?.into_iter().map(|(key, _)| key).collect())
    }

    async fn table(&self, key: &Pubkey) -> Result<Option<FoundTable>, ReadError> {
        let Some(account) = self.account(key).await? else { return Ok(None) };
        let table = AddressLookupTable::deserialize(&account.data)
            .map_err(|_| ReadError::Account(*key, "is not a lookup table".into()))?;
        Ok(Some(FoundTable { key: *key, authority: table.meta.authority, addresses: table.addresses.to_vec() }))
    }
}

fn rpc(action: &'static str) -> impl Fn(ClientError) -> ReadError {
    move |error| ReadError::Rpc(action, Box::new(error))
}
