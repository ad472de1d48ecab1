//! Founding an exchange on a network: vaults, markets with their slabs and oracles, insurance.

use ballast::state::OracleKind;
use ballast_client::{
    addresses::{ExchangeKeys, MarketKeys},
    instructions,
    oracle_accounts::{LEGACY_PROGRAM, LegacyStatus, PythPrice, RECEIVER_PROGRAM, Verification},
};
use ballast_migrate::{
    cluster::{Found, Rent},
    exchange::{exchange_of, market_keys},
    plan::{Action, Plan},
    roles::Keys,
    tables::AT_ONCE,
};
use solana_address_lookup_table_interface::instruction::{create_lookup_table, extend_lookup_table};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;

use crate::{
    Faucet, Localnet, LocalnetError,
    bulk::{Bulk, Job},
    market_config::{ExchangeConfig, MarketConfig},
};

/// SOL for the admin, in lamports: the rent of large slabs.
const ADMIN_LAMPORTS: u64 = 2_000_000_000_000;

/// A founded exchange.
pub struct Deployment {
    /// Its keys.
    pub keys: ExchangeKeys,
    /// Its markets, by index.
    pub markets: Vec<DeployedMarket>,
    /// Who administers it.
    pub admin: Keypair,
}

/// One of its markets.
pub struct DeployedMarket {
    /// Its accounts.
    pub keys: MarketKeys,
    /// Its oracle account.
    pub oracle: Pubkey,
    /// The format of its oracle.
    pub kind: OracleKind,
    /// Its feed; of the legacy format, the oracle account's address.
    pub feed_id: [u8; 32],
    /// Its name.
    pub symbol: String,
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
}

impl DeployedMarket {
    /// The account data of a price of `price` × 10^-8 dollars with a confidence of `confidence_bps`, in the format of the
    /// market's oracle.
    pub fn price_account(&self, price: i64, confidence_bps: u64, unix_s: i64, slot: u64) -> Vec<u8> {
        let conf = price.unsigned_abs() * confidence_bps / 10_000;
        let price = PythPrice::new(self.feed_id, price, conf, -8, unix_s, slot);
        match self.kind {
            OracleKind::PythReceiver => price.price_update(&self.oracle, Verification::Full),
            OracleKind::PythLegacy => price.legacy_price(&self.oracle, LegacyStatus::Trading),
        }
    }

    /// The program that owns the oracle account.
    pub fn oracle_program(&self) -> Pubkey {
        match self.kind {
            OracleKind::PythReceiver => RECEIVER_PROGRAM,
            OracleKind::PythLegacy => LEGACY_PROGRAM,
        }
    }

    /// What `price` × 10^-8 dollars is in atoms per lot, rounded down.
    pub fn price_per_lot(&self, price: i64) -> u64 {
        // 10^-8 dollars per unit = 10^-2 atoms per unit.
        price.unsigned_abs() / 10_u64.pow(2 + u32::from(self.lot_exponent))
    }
}

/// Founds the exchange of `config`, by the deployment tool's own steps. The program must be deployed, and blocks be made
/// by hand.
///
/// # Errors
/// When the configuration is refused, or a transaction fails.
pub fn found(
    localnet: &Localnet,
    faucet: &Faucet,
    bulk: &Bulk,
    config: &ExchangeConfig,
) -> Result<Deployment, LocalnetError> {
    // Public, and worth nothing anywhere else; so the exchange has the same address on every local network.
    let admin = Keypair::new_from_array(*b"ballast-localnet: exchange admin");
    faucet.airdrop(&admin.pubkey(), ADMIN_LAMPORTS)?;
    faucet.mint_to(&admin.pubkey(), config.insurance)?;
    let signing = Keys::all(&admin, None);
    let roles = signing.roles();
    let mut config = config.clone();
    config.quote_mint = Some(faucet.mint());
    let rpc = localnet.rpc();
    let nothing =
        Found { rent: Rent::new(rent(&rpc, 0)?, rent(&rpc, 1)?), payer_tokens: config.insurance, ..Found::default() };
    let plan = Plan::new(&config, &nothing, &roles, None)
        .map_err(|error| LocalnetError::Refused { action: "found the exchange".into(), reason: error.to_string() })?;
    for step in plan.steps {
        match step.action {
            Action::Send { instructions, .. } => bulk.run_all(&[job(&step.what, instructions, vec![&admin])])?,
            Action::Table(table) => make_table(localnet, bulk, &admin, &table.add)?,
            Action::Program(_) | Action::Migrate(_) => {}
        }
    }
    let keys = ExchangeKeys::new(exchange_of(&config, &roles));
    let deployed = |(index, market): (u16, &MarketConfig)| DeployedMarket {
        keys: market_keys(&nothing, &keys.exchange, &roles.admin, index),
        oracle: market.fixed_oracle().unwrap_or_else(|| posted_account(index)),
        kind: market.oracle_kind,
        feed_id: market.feed_id,
        symbol: market.symbol.clone(),
        lot_exponent: market.lot_exponent,
    };
    let markets = (0u16..).zip(&config.markets).map(deployed).collect();
    Ok(Deployment { keys, markets, admin })
}

/// Makes a lookup table of these addresses.
fn make_table(localnet: &Localnet, bulk: &Bulk, admin: &Keypair, addresses: &[Pubkey]) -> Result<(), LocalnetError> {
    // A table names a slot that has passed.
    let slot = localnet.clock().produce_block()?.slot - 1;
    let (create, table) = create_lookup_table(admin.pubkey(), admin.pubkey(), slot);
    bulk.run_all(&[job("create the lookup table", vec![create], vec![admin])])?;
    let extend = |part: &[Pubkey]| extend_lookup_table(table, admin.pubkey(), Some(admin.pubkey()), part.to_vec());
    let parts = addresses.chunks(AT_ONCE).map(|part| job("extend the lookup table", vec![extend(part)], vec![admin]));
    bulk.run_all(&parts.collect::<Vec<_>>())
}

/// Where the prices of a market are posted whose oracle's format lets anybody choose the account.
fn posted_account(index: u16) -> Pubkey {
    let mut seed = *b"ballast-localnet: oracle account";
    seed[17] = b'a' + index.to_le_bytes()[0];
    Keypair::new_from_array(seed).pubkey()
}

fn rent(rpc: &RpcClient, space: usize) -> Result<u64, LocalnetError> {
    rpc.get_minimum_balance_for_rent_exemption(space)
        .map_err(|source| LocalnetError::Rpc { action: "ask for the rent".into(), source: Box::new(source) })
}

fn job<'a>(what: &str, instructions: Vec<solana_instruction::Instruction>, signers: Vec<&'a Keypair>) -> Job<'a> {
    Job { what: what.to_owned(), instructions, signers }
}

/// Writes a price to every market's oracle account and reads it into the markets: what Pyth's poster does on a cluster.
/// `prices` are in 10^-8 dollars.
///
/// # Errors
/// When the node does not answer.
pub fn post_prices(
    localnet: &Localnet,
    bulk: &Bulk,
    deployment: &Deployment,
    payer: &Keypair,
    prices: &[i64],
    confidence_bps: u64,
) -> Result<(), LocalnetError> {
    let now = localnet.clock().now();
    let accounts = deployment.markets.iter().zip(prices).map(|(market, price)| {
        let data = market.price_account(*price, confidence_bps, now.unix_s(), now.slot);
        (market.oracle, market.oracle_program(), data)
    });
    localnet.set_accounts(accounts.collect())?;
    let refresh = deployment.markets.iter().map(|market| instructions::refresh_market(&market.keys, &market.oracle));
    bulk.send(&job("post prices", refresh.collect(), vec![payer]))?;
    Ok(())
}
