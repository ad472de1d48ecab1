//! Founding an exchange on a network: vaults, markets with their slabs and oracles, insurance.

use ballast::{MarketIdentity, state::OracleKind};
use ballast_client::{
    addresses::{self, ExchangeKeys, MarketKeys},
    instructions,
    oracle_accounts::{PythPrice, RECEIVER_PROGRAM, Verification},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;

use crate::{
    Faucet, Localnet, LocalnetError,
    bulk::{Bulk, Job},
    market_config::ExchangeConfig,
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
    /// Its feed.
    pub feed_id: [u8; 32],
    /// Its name.
    pub symbol: String,
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
}

impl DeployedMarket {
    /// The account data of a price of `price` × 10^-8 dollars with a confidence of `confidence_bps`.
    pub fn price_account(&self, price: i64, confidence_bps: u64, unix_s: i64, slot: u64) -> Vec<u8> {
        let conf = price.unsigned_abs() * confidence_bps / 10_000;
        PythPrice::new(self.feed_id, price, conf, -8, unix_s, slot).price_update(&self.oracle, Verification::Full)
    }

    /// What `price` × 10^-8 dollars is in atoms per lot, rounded down.
    pub fn price_per_lot(&self, price: i64) -> u64 {
        // 10^-8 dollars per unit = 10^-2 atoms per unit.
        price.unsigned_abs() / 10_u64.pow(2 + u32::from(self.lot_exponent))
    }
}

/// Founds the exchange of `config`. The program must be deployed, and blocks be made by hand.
///
/// # Errors
/// When a transaction fails.
pub fn found(
    localnet: &Localnet,
    faucet: &Faucet,
    bulk: &Bulk,
    config: &ExchangeConfig,
) -> Result<Deployment, LocalnetError> {
    // Public, and worth nothing anywhere else; so the exchange has the same address on every local network.
    let admin = Keypair::new_from_array(*b"ballast-localnet: exchange admin");
    faucet.airdrop(&admin.pubkey(), ADMIN_LAMPORTS)?;
    let keys = ExchangeKeys::new(addresses::exchange(&admin.pubkey()));
    let create = instructions::initialize_exchange(&admin.pubkey(), &faucet.mint(), &admin.pubkey());
    bulk.run_all(&[job("found the exchange", vec![create], vec![&admin])])?;

    let source = faucet.mint_to(&admin.pubkey(), config.insurance)?;
    if config.insurance > 0 {
        let fund = instructions::fund_insurance(&admin.pubkey(), &keys, &source, config.insurance);
        bulk.run_all(&[job("fund insurance", vec![fund], vec![&admin])])?;
    }
    let rpc = localnet.rpc();
    let mut markets = Vec::new();
    for (index, market) in (0u16..).zip(&config.markets) {
        let slab = |what: u8| {
            let mut seed = *b"ballast-localnet: slab  account.";
            seed[22] = what;
            seed[23] = b'a' + index.to_le_bytes()[0];
            Keypair::new_from_array(seed)
        };
        let (book, ranks) = (slab(b'B'), slab(b'R'));
        let oracle = Keypair::new_from_array({
            let mut seed = *b"ballast-localnet: oracle account";
            seed[17] = b'a' + index.to_le_bytes()[0];
            seed
        });
        let admin_key = admin.pubkey();
        let rent = |space| rent(&rpc, space);
        let create_book = instructions::create_book(
            &admin_key,
            &book.pubkey(),
            market.book_blocks,
            rent(instructions::book_space(market.book_blocks))?,
        );
        let create_ranks = instructions::create_ranks(
            &admin_key,
            &ranks.pubkey(),
            market.rank_cells,
            rent(instructions::ranks_space(market.rank_cells))?,
        );
        let identity = MarketIdentity {
            symbol: market.padded_symbol(),
            lot_exponent: market.lot_exponent,
            oracle_kind: OracleKind::PythReceiver as u8,
            oracle_program: RECEIVER_PROGRAM,
            oracle_feed: market.feed_id,
        };
        let create = instructions::create_market(
            &admin_key,
            &keys.exchange,
            index,
            &book.pubkey(),
            &ranks.pubkey(),
            identity,
            market.params,
        );
        let what = format!("create the {} market", market.symbol);
        bulk.run_all(&[job(&what, vec![create_book, create_ranks], vec![&admin, &book, &ranks])])?;
        bulk.run_all(&[job(&what, vec![create], vec![&admin])])?;
        markets.push(DeployedMarket {
            keys: MarketKeys {
                index,
                market: addresses::market(&keys.exchange, index),
                book: book.pubkey(),
                ranks: ranks.pubkey(),
            },
            oracle: oracle.pubkey(),
            feed_id: market.feed_id,
            symbol: market.symbol.clone(),
            lot_exponent: market.lot_exponent,
        });
    }
    Ok(Deployment { keys, markets, admin })
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
        (market.oracle, RECEIVER_PROGRAM, data)
    });
    localnet.set_accounts(accounts.collect())?;
    let refresh = deployment.markets.iter().map(|market| instructions::refresh_market(&market.keys, &market.oracle));
    bulk.send(&job("post prices", refresh.collect(), vec![payer]))?;
    Ok(())
}
