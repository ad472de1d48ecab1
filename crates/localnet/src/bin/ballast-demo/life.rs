//! What happens on the network: prices take a random step every second, the market maker quotes around them, traders buy and
//! sell, and positions are brought up to date.

use anyhow::{Context, Result};
use ballast_client::{
    addresses,
    instructions::{self, Tend},
};
use ballast_localnet::{
    Faucet, Localnet,
    bulk::{Bulk, Job},
    exchange::{Deployment, post_prices},
    maker::Maker,
    market_config::ExchangeConfig,
};
use ballast_units::{Lots, Price, Side};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Normal};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// Where prices begin, in dollars: about those of the morning of 10 October 2025.
const FIRST_PRICES: [(&str, f64); 4] = [("BTC", 121_400.0), ("ETH", 4_350.0), ("SOL", 221.0), ("AVAX", 28.2)];
/// Size of a second's step, relative: a quiet day.
const STEP: f64 = 0.000_12;
/// Part of the way back to the first price that a step takes, so that the network can run for days.
const PULL: f64 = 0.000_5;
/// Confidence of the posted prices, in basis points.
const CONFIDENCE_BPS: u64 = 5;
/// What the maker quotes on each side of a market, in atoms.
const DEPTH: u64 = 300_000_000_000;
/// Traders in each market.
const TRADERS: u8 = 6;
/// What each has, in atoms.
const COLLATERAL: u64 = 50_000_000_000;
/// Value of a trader's order, in atoms, at most.
const LARGEST_ORDER: u64 = 12_000_000_000;
/// Seconds between two rounds of settling seats.
const SETTLE_EVERY: u64 = 5;

/// The network's inhabitants.
pub struct Life<'a> {
    localnet: &'a Localnet,
    bulk: &'a Bulk,
    deployment: &'a Deployment,
    config: &'a ExchangeConfig,
    maker: Maker,
    traders: Vec<Trader>,
    first: Vec<f64>,
    prices: Vec<f64>,
    random: ChaCha12Rng,
    seconds: u64,
}

struct Trader {
    key: Keypair,
    margin: Pubkey,
    market: usize,
}

impl<'a> Life<'a> {
    /// Opens everybody's accounts, posts the first prices and quotes.
    pub fn begin(
        localnet: &'a Localnet,
        faucet: &Faucet,
        bulk: &'a Bulk,
        deployment: &'a Deployment,
        config: &'a ExchangeConfig,
        seed: u64,
    ) -> Result<Self> {
        let first = deployment.markets.iter().map(|market| first_price(&market.symbol)).collect::<Result<Vec<_>>>()?;
        let maker = Maker::open(deployment, faucet, bulk, DEPTH)?;
        let traders = open_traders(deployment, faucet, bulk)?;
        let random = ChaCha12Rng::seed_from_u64(seed);
        let prices = first.clone();
        let life = Life { localnet, bulk, deployment, config, maker, traders, first, prices, random, seconds: 0 };
        // Two ticks support a price; a market without them lets nobody open.
        for _ in 0..3 {
            life.post()?;
            let next = life.localnet.clock().now().unix_s() + 1;
            life.localnet.clock().jump_to(next)?;
            life.localnet.clock().produce_block()?;
        }
        life.post()?;
        for market in 0..life.deployment.markets.len() {
            let (params, mark) = (&life.config.markets[market].params, life.mark(market));
            life.bulk.run_all(&[life.maker.first_quote(life.deployment, market, params, mark)])?;
        }
        Ok(life)
    }

    /// What happens in a second.
    pub fn second(&mut self) -> Result<()> {
        self.seconds += 1;
        self.step_prices()?;
        self.post()?;
        let markets = self.deployment.markets.len();
        let due = usize::try_from(self.seconds)? % markets;
        let (params, mark) = (&self.config.markets[due].params, self.mark(due));
        self.bulk.send(&self.maker.requote(self.deployment, due, params, mark, 1))?;
        for market in 0..markets {
            if self.random.random_bool(0.6) {
                self.trade(market)?;
            }
        }
        if self.seconds.is_multiple_of(SETTLE_EVERY) {
            self.settle()?;
        }
        Ok(())
    }

    fn step_prices(&mut self) -> Result<()> {
        let step = Normal::new(0.0, STEP)?;
        for (price, first) in self.prices.iter_mut().zip(&self.first) {
            *price *= 1.0 + step.sample(&mut self.random);
            *price += (first - *price) * PULL;
        }
        let posted = self.posted();
        self.maker.observe(&posted);
        Ok(())
    }

    /// Prices in 10^-8 dollars.
    fn posted(&self) -> Vec<i64> {
        self.prices.iter().map(|price| (price * 1e8) as i64).collect()
    }

    /// A market's price in atoms per lot.
    fn mark(&self, market: usize) -> u64 {
        self.deployment.markets[market].price_per_lot(self.posted()[market])
    }

    fn post(&self) -> Result<()> {
        let prices = self.posted();
        post_prices(self.localnet, self.bulk, self.deployment, self.maker.key(), &prices, CONFIDENCE_BPS)?;
        Ok(())
    }

    /// One of the market's traders takes from the book. A refusal, for want of margin, is a trader's own affair.
    fn trade(&mut self, market: usize) -> Result<()> {
        let of_market: Vec<usize> = (0..self.traders.len()).filter(|at| self.traders[*at].market == market).collect();
        let Some(at) = of_market.choose(&mut self.random).copied() else { return Ok(()) };
        let side = if self.random.random_bool(0.5) { Side::Long } else { Side::Short };
        let (mark, params) = (self.mark(market), &self.config.markets[market].params);
        let value = LARGEST_ORDER as f64 * self.random.random::<f64>().powi(3);
        let lots = (value as u64 / mark.max(1)).max(params.min_lots);
        let reach = mark / 100;
        let worst = match side {
            Side::Long => mark + reach,
            Side::Short => mark - reach,
        };
        let order = instructions::market_order(side, Price(worst - worst % params.tick), Lots(lots));
        let Trader { key, margin, .. } = &self.traders[at];
        let place = instructions::place_order(&key.pubkey(), margin, &self.deployment.markets[market].keys, order, &[]);
        self.bulk.send(&Job { what: "trade".into(), instructions: vec![place], signers: vec![key] })?;
        Ok(())
    }

    /// Folds the maker's fills into its accounts, so that the ranking index knows them.
    fn settle(&self) -> Result<()> {
        for (market, margin) in self.deployment.markets.iter().zip(self.maker.accounts()) {
            let Some(trader) = self.traders.first() else { return Ok(()) };
            let tend = Tend { reward: trader.margin, margin: *margin, market: market.keys, others: Vec::new() };
            let settle = instructions::settle_seat(&tend);
            self.bulk.send(&Job { what: "settle".into(), instructions: vec![settle], signers: vec![&trader.key] })?;
        }
        Ok(())
    }
}

fn first_price(symbol: &str) -> Result<f64> {
    let known = FIRST_PRICES.iter().find(|(name, _)| *name == symbol);
    known.map(|(_, price)| *price).with_context(|| format!("no first price is known for {symbol}"))
}

fn open_traders(deployment: &Deployment, faucet: &Faucet, bulk: &Bulk) -> Result<Vec<Trader>> {
    let mut traders = Vec::new();
    for (market, letter) in (0..deployment.markets.len()).zip(b'a'..) {
        for number in 0..TRADERS {
            let mut seed = *b"ballast-localnet: demo trader...";
            (seed[30], seed[31]) = (letter, b'0' + number);
            let key = Keypair::new_from_array(seed);
            let owner = key.pubkey();
            faucet.airdrop(&owner, 100_000_000_000)?;
            let source = faucet.mint_to(&owner, COLLATERAL)?;
            let margin = addresses::margin_account(&deployment.keys.exchange, &owner, 0);
            let instructions = vec![
                instructions::open_margin_account(&owner, &owner, &deployment.keys.exchange, 0),
                instructions::deposit(&owner, &deployment.keys, &margin, &source, COLLATERAL),
            ];
            bulk.run_all(&[Job { what: "fund a trader".into(), instructions, signers: vec![&key] }])?;
            traders.push(Trader { key, margin, market });
        }
    }
    Ok(traders)
}
