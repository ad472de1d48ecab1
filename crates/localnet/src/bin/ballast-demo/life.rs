//! What happens on the network: prices move every second, the market maker quotes around them, traders buy and sell, and fills
//! are folded into the maker's positions.

use anyhow::Result;
use ballast::state::MarketParams;
use ballast_client::{
    addresses::MarketKeys,
    instructions::{self, Tend},
};
use ballast_localnet::{
    bulk::Job,
    exchange::post_prices,
    maker::Maker,
    stage::{Stage, open_account},
};
use ballast_units::{Lots, Price, Side};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{gamblers::Gamblers, prices::Prices};

/// Confidence of the posted prices, in basis points.
const CONFIDENCE_BPS: u64 = 5;
/// What the maker quotes on each side of a market, in atoms.
const DEPTH: u64 = 300_000_000_000;
/// Traders in each market.
const TRADERS: u8 = 6;
/// What each has, in atoms.
const COLLATERAL: u64 = 50_000_000_000;
/// SOL of each, in lamports.
const LAMPORTS: u64 = 100_000_000_000;
/// Value of a trader's order, in atoms, at most.
const LARGEST_ORDER: u64 = 12_000_000_000;
/// Seconds between two rounds of settling seats.
const SETTLE_EVERY: u64 = 5;

/// The network's inhabitants.
pub struct Life<'a> {
    stage: &'a Stage,
    prices: Prices,
    maker: Maker,
    traders: Vec<Trader>,
    gamblers: Option<Gamblers>,
    random: ChaCha12Rng,
    seconds: u64,
}

struct Trader {
    key: Keypair,
    margin: Pubkey,
    market: usize,
}

/// A market as somebody sees it who wants to trade.
pub struct Market {
    /// Its accounts.
    pub keys: MarketKeys,
    /// Its parameters.
    pub params: MarketParams,
    /// Its price in atoms per lot.
    pub price: u64,
}

impl<'a> Life<'a> {
    /// Opens everybody's accounts, posts the first prices and quotes.
    pub fn begin(stage: &'a Stage, prices: Prices, gamble: bool, seed: u64) -> Result<Self> {
        let maker = Maker::open(&stage.deployment, &stage.faucet, &stage.bulk, DEPTH)?;
        let traders = open_traders(stage)?;
        let gamblers = gamble.then(|| Gamblers::open(stage)).transpose()?;
        let random = ChaCha12Rng::seed_from_u64(seed);
        let life = Life { stage, prices, maker, traders, gamblers, random, seconds: 0 };
        // Two ticks support a price; a market without them lets nobody open.
        for _ in 0..3 {
            life.post()?;
            let clock = stage.localnet.clock();
            clock.jump_to(clock.now().unix_s() + 1)?;
            clock.produce_block()?;
        }
        life.post()?;
        for index in 0..stage.deployment.markets.len() {
            let market = life.market(index);
            let quote = life.maker.first_quote(&stage.deployment, index, &market.params, market.price);
            stage.bulk.run_all(&[quote])?;
        }
        Ok(life)
    }

    /// The prices, for shocks.
    pub fn prices_mut(&mut self) -> &mut Prices {
        &mut self.prices
    }

    /// What happens in a second.
    pub fn second(&mut self) -> Result<()> {
        self.seconds += 1;
        self.prices.step();
        self.maker.observe(&self.prices.posted());
        self.post()?;
        let markets = self.stage.deployment.markets.len();
        let due = usize::try_from(self.seconds)? % markets;
        let market = self.market(due);
        let quote = self.maker.requote(&self.stage.deployment, due, &market.params, market.price, 1);
        self.stage.bulk.send(&quote)?;
        for market in 0..markets {
            if self.random.random_bool(0.6) {
                self.trade(market)?;
            }
        }
        if let Some(mut gamblers) = self.gamblers.take() {
            gamblers.second(self.stage, |market| self.market(market))?;
            self.gamblers = Some(gamblers);
        }
        if self.seconds.is_multiple_of(SETTLE_EVERY) {
            self.settle()?;
        }
        Ok(())
    }

    fn market(&self, index: usize) -> Market {
        let deployed = &self.stage.deployment.markets[index];
        let price = deployed.price_per_lot(self.prices.posted()[index]);
        Market { keys: deployed.keys, params: self.stage.config.markets[index].params, price }
    }

    fn post(&self) -> Result<()> {
        let (stage, prices) = (self.stage, self.prices.posted());
        post_prices(&stage.localnet, &stage.bulk, &stage.deployment, self.maker.key(), &prices, CONFIDENCE_BPS)?;
        Ok(())
    }

    /// One of the market's traders takes from the book. A refusal, for want of margin, is a trader's own affair.
    fn trade(&mut self, market: usize) -> Result<()> {
        let of_market: Vec<usize> = (0..self.traders.len()).filter(|at| self.traders[*at].market == market).collect();
        let Some(at) = of_market.choose(&mut self.random).copied() else { return Ok(()) };
        let side = if self.random.random_bool(0.5) { Side::Long } else { Side::Short };
        let value = (LARGEST_ORDER as f64 * self.random.random::<f64>().powi(3)) as u64;
        let Trader { key, margin, .. } = &self.traders[at];
        let order = take(&key.pubkey(), margin, &self.market(market), side, value);
        self.stage.bulk.send(&Job { what: "trade".into(), instructions: vec![order], signers: vec![key] })?;
        Ok(())
    }

    /// Folds the maker's fills into its accounts, so that the ranking index knows them.
    fn settle(&self) -> Result<()> {
        for (market, margin) in self.stage.deployment.markets.iter().zip(self.maker.accounts()) {
            let Some(trader) = self.traders.first() else { return Ok(()) };
            let tend = Tend { reward: trader.margin, margin: *margin, market: market.keys, others: Vec::new() };
            let settle = instructions::settle_seat(&tend);
            self.stage.bulk.send(&Job {
                what: "settle".into(),
                instructions: vec![settle],
                signers: vec![&trader.key],
            })?;
        }
        Ok(())
    }
}

/// A market order for about `value` atoms, at most a per cent from the price.
pub fn take(owner: &Pubkey, margin: &Pubkey, market: &Market, side: Side, value: u64) -> Instruction {
    let Market { keys, params, price } = market;
    let lots = (value / (*price).max(1)).max(params.min_lots);
    let worst = match side {
        Side::Long => price + price / 100,
        Side::Short => price - price / 100,
    };
    let order = instructions::market_order(side, Price(worst - worst % params.tick), Lots(lots));
    instructions::place_order(owner, margin, keys, order, &[])
}

fn open_traders(stage: &Stage) -> Result<Vec<Trader>> {
    let mut traders = Vec::new();
    for (market, letter) in (0..stage.deployment.markets.len()).zip(b'a'..) {
        for number in 0..TRADERS {
            let mut seed = *b"ballast-localnet: demo trader...";
            (seed[30], seed[31]) = (letter, b'0' + number);
            let key = Keypair::new_from_array(seed);
            let (margin, job) = open_account(&stage.deployment, &stage.faucet, &key, 0, LAMPORTS, COLLATERAL)?;
            stage.bulk.run_all(&[job])?;
            traders.push(Trader { key, margin, market });
        }
    }
    Ok(traders)
}
