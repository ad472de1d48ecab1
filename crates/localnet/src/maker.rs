//! The market maker: an account per market that quotes both sides around the mark. Its depth thins as volatility rises, as
//! makers' did on the day: what it quotes is inversely proportional to the realised volatility of the last minute.

use ballast::state::MarketParams;
use ballast_client::instructions;
use ballast_units::{Lots, Price, Side};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{
    Faucet, LocalnetError,
    bulk::{Bulk, Job},
    exchange::Deployment,
    stage::open_account,
};

/// Distances of the levels from the mark in basis points, and each level's part of the depth in per cent.
const LEVELS: [(u64, u64); 5] = [(4, 10), (10, 15), (25, 20), (60, 25), (150, 30)];
/// Volatility at which the whole depth is quoted: relative, per square root of a second.
const CALM: f64 = 0.000_15;
/// Prices that volatility is measured over, in seconds.
const MEMORY: usize = 60;
/// Collateral per market, in atoms.
const COLLATERAL: u64 = 60_000_000_000_000;
/// SOL per market, in lamports.
const LAMPORTS: u64 = 2_500_000_000_000;

/// The maker of all markets.
pub struct Maker {
    key: Keypair,
    accounts: Vec<Pubkey>,
    depth: u64,
    prices: Vec<Vec<i64>>,
}

impl Maker {
    /// Opens and funds the maker's accounts. `depth` is what it quotes on each side of a calm market, in atoms.
    ///
    /// # Errors
    /// When a transaction fails.
    pub fn open(deployment: &Deployment, faucet: &Faucet, bulk: &Bulk, depth: u64) -> Result<Self, LocalnetError> {
        let key = Keypair::new_from_array(*b"ballast-localnet: market maker k");
        let mut accounts = Vec::new();
        for (number, _) in (0u16..).zip(&deployment.markets) {
            let (margin, job) = open_account(deployment, faucet, &key, number, LAMPORTS, COLLATERAL)?;
            bulk.run_all(&[job])?;
            accounts.push(margin);
        }
        let prices = vec![Vec::new(); accounts.len()];
        Ok(Maker { key, accounts, depth, prices })
    }

    /// Its key, which also pays for posting prices.
    pub fn key(&self) -> &Keypair {
        &self.key
    }

    /// Its margin accounts, by market.
    pub fn accounts(&self) -> &[Pubkey] {
        &self.accounts
    }

    /// Takes a second's prices into its measure of volatility.
    pub fn observe(&mut self, prices: &[i64]) {
        for (memory, price) in self.prices.iter_mut().zip(prices) {
            memory.push(*price);
            let excess = memory.len().saturating_sub(MEMORY);
            memory.drain(..excess);
        }
    }

    /// Forgets prices, after a time in which it did not look.
    pub fn forget(&mut self) {
        self.prices.iter_mut().for_each(Vec::clear);
    }

    /// Realised volatility of a market over the last minute, per square root of a second.
    pub fn volatility(&self, market: usize) -> f64 {
        let memory = &self.prices[market];
        if memory.len() < 2 {
            return CALM;
        }
        let squares: f64 = memory.windows(2).map(|pair| (pair[1] as f64 / pair[0] as f64 - 1.0).powi(2)).sum();
        (squares / (memory.len() - 1) as f64).sqrt()
    }

    /// The depth that it quotes on each side of a market now, in atoms.
    pub fn depth(&self, market: usize) -> u64 {
        (self.depth as f64 * (CALM / self.volatility(market).max(CALM))) as u64
    }

    /// One transaction that replaces all its quotes in a market: `mark` in atoms per lot, `scale` times its depth.
    pub fn requote(
        &self,
        deployment: &Deployment,
        market: usize,
        params: &MarketParams,
        mark: u64,
        scale: u64,
    ) -> Job<'_> {
        let deployed = &deployment.markets[market];
        let (owner, margin) = (self.key.pubkey(), self.accounts[market]);
        let depth = self.depth(market) * scale;
        let mut instructions: Vec<Instruction> = Vec::new();
        instructions.push(instructions::cancel_all(&owner, &margin, &deployed.keys, None, 64));
        for (distance_bps, percent) in LEVELS {
            let gap = (mark * distance_bps / 10_000).max(params.tick);
            let lots = depth / 100 * percent / mark.max(1);
            for (side, price) in [(Side::Long, mark.saturating_sub(gap)), (Side::Short, mark + gap)] {
                let price = price - price % params.tick;
                if lots >= params.min_lots && price > 0 {
                    let order = instructions::post_only_order(side, Price(price), Lots(lots));
                    instructions.push(instructions::place_order(&owner, &margin, &deployed.keys, order, &[]));
                }
            }
        }
        Job { what: format!("quote {}", deployed.symbol), instructions, signers: vec![&self.key] }
    }

    /// The first quotes of a market, in which it has no seat yet and so nothing to cancel.
    pub fn first_quote(&self, deployment: &Deployment, market: usize, params: &MarketParams, mark: u64) -> Job<'_> {
        let mut job = self.requote(deployment, market, params, mark, 1);
        job.instructions.remove(0);
        job
    }
}
