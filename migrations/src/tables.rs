//! The address lookup table of an exchange: everything about it that does not depend on who trades. With it, a transaction
//! of an account in 16 markets fits into a packet.

use ballast_client::addresses::ExchangeKeys;
use solana_pubkey::Pubkey;

use crate::{
    cluster::Found,
    config::ExchangeConfig,
    exchange::{exchange_of, market_keys},
    plan::{Action, PlanError, Step},
    roles::Roles,
};

/// Addresses that a table can hold.
const MOST: usize = 256;
/// The table's own bytes before its addresses.
const HEADER: usize = 56;
/// Addresses that one transaction adds: they are 32 bytes each in a packet of 1,232.
pub const AT_ONCE: usize = 20;

/// What has to be done with the table.
#[derive(Clone, Debug)]
pub struct TableStep {
    /// The exchange.
    pub exchange: Pubkey,
    /// The table; `None` when it has to be created.
    pub table: Option<Pubkey>,
    /// The addresses that it lacks, in their order.
    pub add: Vec<Pubkey>,
}

/// Everything static about the exchange: programs that instructions name as accounts, the exchange, vaults, the mint, and
/// of each market its account, book, ranking index and, where it has a fixed one, its oracle's account.
pub fn contents(config: &ExchangeConfig, found: &Found, roles: &Roles) -> Vec<Pubkey> {
    let keys = ExchangeKeys::new(exchange_of(config, roles));
    let mut all = vec![spl_token_interface::ID, solana_sdk_ids::system_program::ID];
    all.extend([keys.exchange, keys.vault, keys.insurance]);
    all.extend(found.exchange.as_ref().map(|exchange| exchange.quote_mint).or(config.quote_mint));
    let count = config.markets.len().max(found.markets.len());
    for index in (0u16..).take(count) {
        let market = market_keys(found, &keys.exchange, &roles.admin, index);
        all.extend([market.market, market.book, market.ranks]);
        let configured = config.markets.get(usize::from(index));
        all.extend(configured.and_then(crate::config::MarketConfig::fixed_oracle));
    }
    all
}

/// The step that creates or extends the table.
///
/// # Errors
/// When it would hold too much, or belongs to somebody else.
pub fn plan(config: &ExchangeConfig, found: &Found, roles: &Roles) -> Result<Option<Step>, PlanError> {
    let wanted = contents(config, found, roles);
    let held = found.table.as_ref().map_or(&[][..], |table| &table.addresses);
    let add: Vec<_> = wanted.into_iter().filter(|key| !held.contains(key)).collect();
    if held.len() + add.len() > MOST {
        return Err(PlanError::TableFull(held.len() + add.len()));
    }
    if let Some(table) = found.table.as_ref().filter(|table| table.authority != Some(roles.admin)) {
        let owner = table.authority.map_or("nobody".to_owned(), |authority| authority.to_string());
        return Err(PlanError::TableAuthority(table.key, owner));
    }
    if add.is_empty() {
        return Ok(None);
    }
    let (what, rent) = match &found.table {
        Some(table) => {
            let more = found.rent.of(32 * add.len()) - found.rent.of(0);
            (format!("extend lookup table {} by {} addresses", table.key, add.len()), more)
        }
        None => (format!("create a lookup table of {} addresses", add.len()), found.rent.of(HEADER + 32 * add.len())),
    };
    let step =
        TableStep { exchange: exchange_of(config, roles), table: found.table.as_ref().map(|table| table.key), add };
    Ok(Some(Step { what, details: Vec::new(), rent, action: Action::Table(step) }))
}
