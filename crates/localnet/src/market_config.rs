//! The exchange's configuration file: markets, their parameters and oracles.

use std::{fs, path::Path};

use ballast::state::MarketParams;
use serde::Deserialize;
use toml::{Table, Value};

/// What a configuration file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeConfig {
    /// Given to insurance at the start, in atoms.
    pub insurance: u64,
    /// The markets, in the order of their indices.
    pub markets: Vec<MarketConfig>,
}

/// One market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketConfig {
    /// Name, up to 16 bytes.
    pub symbol: String,
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
    /// Pyth's id of the feed.
    pub feed_id: [u8; 32],
    /// Room in the book for orders and seats together.
    pub book_blocks: u32,
    /// Cells of the ranking index.
    pub rank_cells: u32,
    /// Parameters.
    pub params: MarketParams,
}

/// Why a configuration file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {0}: {1}")]
    Read(String, std::io::Error),
    /// It is not TOML, or lacks something, or has something unknown.
    #[error("{0}: {1}")]
    Syntax(String, toml::de::Error),
    /// A market's feed id is not 64 hexadecimal digits.
    #[error("{0}: feed_id of {1} must be 64 hexadecimal digits")]
    FeedId(String, String),
    /// A market's symbol does not fit.
    #[error("{0}: the symbol {1:?} must have 1 to 16 bytes")]
    Symbol(String, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    exchange: ExchangeSection,
    defaults: Table,
    markets: Vec<MarketSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeSection {
    insurance: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarketSection {
    symbol: String,
    lot_exponent: u8,
    feed_id: String,
    book_blocks: u32,
    rank_cells: u32,
    #[serde(default)]
    params: Table,
}

impl ExchangeConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| ConfigError::Read(name.clone(), error))?;
        Self::parse(&text, &name)
    }

    /// Reads the text of a file called `name`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let syntax = |error| ConfigError::Syntax(name.to_owned(), error);
        let file: File = toml::from_str(text).map_err(syntax)?;
        let market = |section: MarketSection| {
            let mut table = file.defaults.clone();
            table.extend(section.params);
            pad_tiers(&mut table);
            let mut feed_id = [0; 32];
            hex::decode_to_slice(&section.feed_id, &mut feed_id)
                .map_err(|_| ConfigError::FeedId(name.to_owned(), section.symbol.clone()))?;
            if section.symbol.is_empty() || section.symbol.len() > 16 {
                return Err(ConfigError::Symbol(name.to_owned(), section.symbol));
            }
            Ok(MarketConfig {
                symbol: section.symbol,
                lot_exponent: section.lot_exponent,
                feed_id,
                book_blocks: section.book_blocks,
                rank_cells: section.rank_cells,
                params: Value::Table(table).try_into().map_err(syntax)?,
            })
        };
        let markets = file.markets.into_iter().map(market).collect::<Result<_, _>>()?;
        Ok(ExchangeConfig { insurance: file.exchange.insurance, markets })
    }
}

/// Unused tiers are zero and need not be written.
fn pad_tiers(table: &mut Table) {
    let Some(Value::Array(tiers)) = table.get_mut("tiers") else { return };
    while tiers.len() < ballast_risk::margin::TIERS {
        let zero = ["lower", "maintenance_bps", "initial_bps"].map(|key| (key.to_owned(), Value::Integer(0)));
        tiers.push(Value::Table(zero.into_iter().collect()));
    }
}

impl MarketConfig {
    /// The symbol as the market account keeps it.
    pub fn padded_symbol(&self) -> [u8; 16] {
        let mut symbol = [0; 16];
        symbol[..self.symbol.len()].copy_from_slice(self.symbol.as_bytes());
        symbol
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALNET: &str = include_str!("../../../migrations/localnet.toml");

    #[test]
    fn every_market_of_the_local_network_is_within_the_programs_bounds() {
        let config = ExchangeConfig::parse(LOCALNET, "localnet.toml").unwrap();
        assert_eq!(config.markets.len(), 4);
        for market in &config.markets {
            market.params.validate(-i32::from(market.lot_exponent)).unwrap();
        }
    }

    #[test]
    fn a_market_overrides_defaults() {
        let config = ExchangeConfig::parse(LOCALNET, "localnet.toml").unwrap();
        let limit = |at: usize| config.markets[at].params.insurance_limit_per_day;
        assert!(limit(3) < limit(0));
    }

    #[test]
    fn an_unknown_parameter_is_refused_by_name() {
        let text = LOCALNET.replace("[defaults]", "[defaults]\nleverage = 5");
        let error = ExchangeConfig::parse(&text, "x.toml").unwrap_err().to_string();
        assert!(error.contains("leverage"), "{error}");
    }
}
