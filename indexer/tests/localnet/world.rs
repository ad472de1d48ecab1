//! The network, and what is done in it that leaves something to index.

use std::ops::Deref;

use ballast_client::{
    instructions::{self, Tend},
    snapshot::Snapshot,
};
pub use ballast_localnet::testing::{PATIENCE, Trader};
use ballast_localnet::{bulk::Job, testing};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// What insurance begins with, in atoms.
pub const INSURANCE: u64 = 20_000_000;

/// The network.
pub struct World(testing::World);

impl Deref for World {
    type Target = testing::World;

    fn deref(&self) -> &testing::World {
        &self.0
    }
}

impl World {
    /// Founds an exchange with one small market and little insurance.
    pub fn found() -> World {
        let site = testing::Site { configuration: "localnet.toml", insurance: INSURANCE, book_blocks: 256, speed: 4.0 };
        World(testing::World::found(&site))
    }

    /// The exchange.
    pub fn exchange(&self) -> Pubkey {
        self.deployment.keys.exchange
    }

    /// The market's address.
    pub fn market(&self) -> Pubkey {
        self.deployment.markets[0].keys.market
    }

    /// Takes dollars out.
    pub fn withdraw(&self, trader: &Trader, dollars: u64) {
        let owner = trader.key.pubkey();
        let target = self.faucet.mint_to(&owner, 1).unwrap();
        let keys = &self.deployment.keys;
        let withdraw = instructions::withdraw(&owner, keys, &trader.margin, &target, dollars * 1_000_000, &[]);
        self.run("withdraw", vec![withdraw], &trader.key);
    }

    fn tend(&self, reward: &Trader, margin: &Trader) -> Tend {
        let market = self.deployment.markets[0].keys;
        Tend { reward: reward.margin, margin: margin.margin, market, others: Vec::new() }
    }

    /// Tries something for somebody, while prices stay, until it succeeds and the position is as wanted.
    fn force(&self, cents: u64, by: &Trader, what: &str, instruction: Instruction, so: impl Fn() -> bool) {
        self.until(cents, what, || {
            let job = Job { what: what.to_string(), instructions: vec![instruction.clone()], signers: vec![&by.key] };
            self.bulk.run(&[job]).unwrap();
            so().then_some(())
        });
    }

    /// Liquidates somebody until the position is smaller.
    pub fn liquidate(&self, cents: u64, by: &Trader, whom: &Trader) {
        let before = self.position(whom);
        let liquidate = instructions::liquidate(&self.tend(by, whom));
        self.force(cents, by, "liquidate", liquidate, || self.position(whom).abs() < before.abs());
    }

    /// Deleverages somebody until the position is gone.
    pub fn deleverage(&self, cents: u64, by: &Trader, whom: &Trader) {
        let deleverage = instructions::deleverage(&self.deployment.keys, &self.tend(by, whom), 256);
        self.force(cents, by, "deleverage", deleverage, || self.position(whom) == 0);
    }

    /// Settles somebody's seat, and what deleveragings did.
    pub fn settle(&self, by: &Trader, whom: &Trader) {
        self.run("settle", vec![instructions::settle_seat(&self.tend(by, whom))], &by.key);
    }

    /// The accounts of the exchange, and what its insurance vault holds.
    pub fn state(&self) -> (Snapshot, u64) {
        let (snapshot, vaults) = self.0.state(CommitmentConfig::confirmed());
        (snapshot, vaults.insurance)
    }

    /// The newest slot of the chain.
    pub fn slot(&self) -> u64 {
        self.localnet.rpc().get_slot().unwrap()
    }
}
