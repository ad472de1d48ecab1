//! The configuration file: what a cluster should have.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ballast::state::{MarketParams, MarketStatus, OracleKind};
use ballast_client::oracle_accounts::{LEGACY_PROGRAM, RECEIVER_PROGRAM};
use ballast_risk::{
    fees::{FEE_TIERS, TierVolumes},
    margin::TIERS,
};
use serde::Deserialize;
use solana_pubkey::Pubkey;
use toml::{Table, Value};

/// What a configuration file says.
#[derive(Clone, Debug)]
pub struct ExchangeConfig {
    /// Where the cluster is.
    pub cluster: Cluster,
    /// Which keys sign, by path.
    pub keys: KeyFiles,
    /// The compiled program, relative to the file; `None` leaves the program alone.
    pub program: Option<PathBuf>,
    /// The mint of the collateral; a running exchange knows its own.
    pub quote_mint: Option<Pubkey>,
    /// Who may pause, when the exchange is founded; the admin if nobody is named.
    pub guardian: Option<Pubkey>,
    /// Who founded the exchange, when that is not the present admin.
    pub creator: Option<Pubkey>,
    /// The insurance vault is topped up to this, in atoms.
    pub insurance: u64,
    /// Whether an address lookup table is kept for keepers and traders.
    pub lookup_table: bool,
    /// From which volumes fee tiers apply, and what referrers get; `None` leaves that alone.
    pub fees: Option<FeeSchedule>,
    /// The markets, in the order of their indices.
    pub markets: Vec<MarketConfig>,
}

/// The exchange's fee schedule. What the tiers cost is each market's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeSchedule {
    /// 30-day volumes from which tiers apply, in atoms, ascending; unused ones at the end are zero, and need not be written.
    #[serde(deserialize_with = "volumes")]
    pub tier_volumes: TierVolumes,
    /// The referrers' share in what the exchange keeps of a fee, in basis points.
    pub referral_share_bps: u16,
}

fn volumes<'de, D: serde::Deserializer<'de>>(from: D) -> Result<TierVolumes, D::Error> {
    let written = Vec::<u64>::deserialize(from)?;
    let mut volumes = TierVolumes::default();
    let Some(used) = volumes.get_mut(..written.len()) else {
        return Err(serde::de::Error::custom(format!("there are {FEE_TIERS} tiers beyond the base")));
    };
    used.copy_from_slice(&written);
    Ok(volumes)
}

/// The cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// JSON-RPC endpoint.
    pub url: Option<String>,
}

/// Key files, relative to the configuration file; a leading `~/` is the home directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFiles {
    /// Who pays rent and fees.
    pub payer: Option<PathBuf>,
    /// The exchange's admin; the payer if nobody is named.
    pub admin: Option<PathBuf>,
    /// Who may upgrade the program; the admin if nobody is named.
    pub upgrade_authority: Option<PathBuf>,
    /// The program's own key, for its first deployment only.
    pub program: Option<PathBuf>,
    /// These keys are public on purpose: their permissions are not looked at. Refused for any cluster but one on this
    /// machine.
    #[serde(default)]
    pub published: bool,
}

/// One market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketConfig {
    /// Name, up to 16 bytes.
    pub symbol: String,
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
    /// The format of its oracle.
    pub oracle_kind: OracleKind,
    /// The program that owns its oracle account.
    pub oracle_program: Pubkey,
    /// Pyth's id of the feed; for a legacy price account its address.
    pub feed_id: [u8; 32],
    /// What may be done in it; `None` leaves that alone.
    pub status: Option<MarketStatus>,
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
    /// A market names no oracle, or two.
    #[error("{0}: {1} must have either feed_id (Pyth's receiver) or price_account (Pyth's legacy format)")]
    Oracle(String, String),
    /// A value is not what it should be.
    #[error("{0}: {1} = {2:?} is not {3}")]
    Value(String, &'static str, String, &'static str),
    /// A market's symbol does not fit.
    #[error("{0}: the symbol {1:?} must have 1 to 16 bytes")]
    Symbol(String, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    cluster: Cluster,
    #[serde(default)]
    keys: KeyFiles,
    #[serde(default)]
    program: ProgramSection,
    exchange: ExchangeSection,
    fees: Option<FeeSchedule>,
    #[serde(default)]
    keepers: KeepersSection,
    defaults: Table,
    markets: Vec<MarketSection>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramSection {
    file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeSection {
    #[serde(default)]
    insurance: u64,
    quote_mint: Option<String>,
    guardian: Option<String>,
    creator: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepersSection {
    #[serde(default)]
    lookup_table: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarketSection {
    symbol: String,
    lot_exponent: u8,
    feed_id: Option<String>,
    price_account: Option<String>,
    oracle_program: Option<String>,
    status: Option<String>,
    book_blocks: u32,
    rank_cells: u32,
    #[serde(default)]
    params: Table,
}

impl ExchangeConfig {
    /// Reads a file. Where it says `defaults_from`, the parameters of another file are its defaults.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| ConfigError::Read(name.clone(), error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut table = table(&text, &name)?;
        if let Some(Value::String(other)) = table.remove("defaults_from") {
            let other = located(folder, Path::new(&other));
            let name = other.display().to_string();
            let text = fs::read_to_string(&other).map_err(|error| ConfigError::Read(name.clone(), error))?;
            let defaults = self::table(&text, &name)?.remove("defaults");
            table.extend(defaults.map(|defaults| ("defaults".to_owned(), defaults)));
        }
        let mut config = Self::from_table(table, &name)?;
        let keys = &mut config.keys;
        let files =
            [&mut keys.payer, &mut keys.admin, &mut keys.upgrade_authority, &mut keys.program, &mut config.program];
        for file in files.into_iter().flatten() {
            *file = located(folder, file);
        }
        Ok(config)
    }

    /// Reads the text of a file called `name`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        Self::from_table(table(text, name)?, name)
    }

    fn from_table(table: Table, name: &str) -> Result<Self, ConfigError> {
        let file: File = Value::Table(table).try_into().map_err(|error| ConfigError::Syntax(name.to_owned(), error))?;
        let key = |field, text: Option<String>| text.map(|text| address(name, field, text)).transpose();
        let markets = file.markets.into_iter().map(|section| section.read(&file.defaults, name));
        Ok(ExchangeConfig {
            cluster: file.cluster,
            keys: file.keys,
            program: file.program.file,
            quote_mint: key("quote_mint", file.exchange.quote_mint)?,
            guardian: key("guardian", file.exchange.guardian)?,
            creator: key("creator", file.exchange.creator)?,
            insurance: file.exchange.insurance,
            lookup_table: file.keepers.lookup_table,
            fees: file.fees,
            markets: markets.collect::<Result<_, _>>()?,
        })
    }
}

fn table(text: &str, name: &str) -> Result<Table, ConfigError> {
    toml::from_str(text).map_err(|error| ConfigError::Syntax(name.to_owned(), error))
}

/// A path as the configuration file means it.
fn located(folder: &Path, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => folder.join(path),
    }
}

fn address(name: &str, field: &'static str, text: String) -> Result<Pubkey, ConfigError> {
    text.parse().map_err(|_| ConfigError::Value(name.to_owned(), field, text, "an address"))
}

impl MarketSection {
    fn read(self, defaults: &Table, name: &str) -> Result<MarketConfig, ConfigError> {
        if self.symbol.is_empty() || self.symbol.len() > 16 {
            return Err(ConfigError::Symbol(name.to_owned(), self.symbol));
        }
        let (oracle_kind, usual_program, feed_id) = self.oracle(name)?;
        let oracle_program = match self.oracle_program {
            Some(text) => address(name, "oracle_program", text)?,
            None => usual_program,
        };
        let status = self.status.map(|text| match text.as_str() {
            "active" => Ok(MarketStatus::Active),
            "reduce_only" => Ok(MarketStatus::ReduceOnly),
            "paused" => Ok(MarketStatus::Paused),
            _ => Err(ConfigError::Value(name.to_owned(), "status", text, "active, reduce_only or paused")),
        });
        let mut table = defaults.clone();
        table.extend(self.params);
        pad_tiers(&mut table);
        let params = Value::Table(table).try_into().map_err(|error| ConfigError::Syntax(name.to_owned(), error))?;
        Ok(MarketConfig {
            symbol: self.symbol,
            lot_exponent: self.lot_exponent,
            oracle_kind,
            oracle_program,
            feed_id,
            status: status.transpose()?,
            book_blocks: self.book_blocks,
            rank_cells: self.rank_cells,
            params,
        })
    }

    /// Format, usual program and feed of the market's oracle.
    fn oracle(&self, name: &str) -> Result<(OracleKind, Pubkey, [u8; 32]), ConfigError> {
        match (&self.feed_id, &self.price_account) {
            (Some(feed), None) => {
                let mut feed_id = [0; 32];
                hex::decode_to_slice(feed, &mut feed_id)
                    .map_err(|_| ConfigError::FeedId(name.to_owned(), self.symbol.clone()))?;
                Ok((OracleKind::PythReceiver, RECEIVER_PROGRAM, feed_id))
            }
            (None, Some(account)) => {
                let account = address(name, "price_account", account.clone())?;
                Ok((OracleKind::PythLegacy, LEGACY_PROGRAM, account.to_bytes()))
            }
            _ => Err(ConfigError::Oracle(name.to_owned(), self.symbol.clone())),
        }
    }
}

/// Unused tiers are zero and need not be written.
fn pad_tiers(table: &mut Table) {
    pad(table, "tiers", TIERS, &["lower", "maintenance_bps", "initial_bps"]);
    pad(table, "fee_tiers", FEE_TIERS, &["maker_ppm", "taker_ppm"]);
}

fn pad(table: &mut Table, name: &str, length: usize, keys: &[&str]) {
    let rows = table.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(rows) = rows else { return };
    while rows.len() < length {
        let zero = keys.iter().map(|key| ((*key).to_owned(), Value::Integer(0)));
        rows.push(Value::Table(zero.collect()));
    }
}

impl MarketConfig {
    /// The symbol as the market account keeps it.
    pub fn padded_symbol(&self) -> [u8; 16] {
        let mut symbol = [0; 16];
        symbol[..self.symbol.len()].copy_from_slice(self.symbol.as_bytes());
        symbol
    }

    /// The oracle's account, where the format fixes it. Of Pyth's receiver, any account with the feed will do.
    pub fn fixed_oracle(&self) -> Option<Pubkey> {
        match self.oracle_kind {
            OracleKind::PythReceiver => None,
            OracleKind::PythLegacy => Some(Pubkey::from(self.feed_id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALNET: &str = include_str!("../localnet.toml");

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
    fn a_market_has_one_oracle() {
        let account = Pubkey::new_from_array([7; 32]).to_string();
        let line = LOCALNET.lines().find(|line| line.starts_with("feed_id")).unwrap();
        let legacy = LOCALNET.replacen(line, &format!("price_account = \"{account}\""), 1);
        let market = &ExchangeConfig::parse(&legacy, "x.toml").unwrap().markets[0];
        assert_eq!((market.oracle_kind, market.oracle_program), (OracleKind::PythLegacy, LEGACY_PROGRAM));
        assert_eq!(market.feed_id, [7; 32]);
        for wrong in ["", &format!("{line}\nprice_account = \"{account}\"")] {
            let error = ExchangeConfig::parse(&LOCALNET.replacen(line, wrong, 1), "x.toml").unwrap_err().to_string();
            assert!(error.contains("BTC must have either"), "{error}");
        }
    }

    #[test]
    fn a_market_with_the_legacy_oracle_is_within_the_programs_bounds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let config = ExchangeConfig::load(folder.join("legacy.toml")).unwrap();
        let market = &config.markets[0];
        assert_eq!(market.oracle_kind, OracleKind::PythLegacy);
        assert!(market.fixed_oracle().is_some());
        market.params.validate(-i32::from(market.lot_exponent)).unwrap();
    }

    #[test]
    fn a_fee_schedule_may_name_fewer_tiers_than_there_are_and_no_more() {
        let fees = |line: &str| {
            let text = format!("tier_volumes = {line}\nreferral_share_bps = 1_000");
            toml::from_str::<FeeSchedule>(&text).map(|fees| fees.tier_volumes)
        };
        assert_eq!(fees("[5, 7]"), Ok([5, 7, 0, 0]));
        assert!(fees("[1, 2, 3, 4, 5]").unwrap_err().to_string().contains("4 tiers"));
        assert!(ExchangeConfig::parse(LOCALNET, "localnet.toml").unwrap().fees.is_some());
    }

    #[test]
    fn paths_are_those_of_the_file() {
        assert_eq!(located(Path::new("a/b"), Path::new("../c.so")), Path::new("a/b/../c.so"));
        assert_eq!(located(Path::new("a/b"), Path::new("/c.so")), Path::new("/c.so"));
    }

    #[test]
    fn an_unknown_parameter_is_refused_by_name() {
        let text = LOCALNET.replace("[defaults]", "[defaults]\nleverage = 5");
        let error = ExchangeConfig::parse(&text, "x.toml").unwrap_err().to_string();
        assert!(error.contains("leverage"), "{error}");
    }
}
