//! A local network with one market, and traders who do as they are told.

use std::{
    cell::Cell,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use ballast_client::{
    accounts, addresses,
    instructions::{self, Tend, limit_order, market_order},
    rpc,
    snapshot::Snapshot,
};
use ballast_localnet::{
    Blocks, Faucet, Localnet, LocalnetConfig, ProgramFile,
    bulk::{Bulk, Job},
    exchange::{Deployment, found, post_prices},
    market_config::ExchangeConfig,
    stage::open_account,
};
use ballast_units::{Lots, Price, Side};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;

/// Longer than anything takes on a slow machine that does something else as well.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Chain seconds in a second.
const SPEED: f64 = 4.0;
/// What insurance begins with, in atoms.
pub const INSURANCE: u64 = 20_000_000;

/// The network.
pub struct World {
    localnet: Localnet,
    faucet: Faucet,
    bulk: Bulk,
    deployment: Deployment,
    poster: Keypair,
    posted_at: Cell<i64>,
}

/// Somebody with a margin account.
pub struct Trader {
    key: Keypair,
    /// The margin account.
    pub margin: Pubkey,
}

/// An order's price from cents: a lot of this market is a thousandth of a unit.
fn atoms_per_lot(cents: u64) -> Price {
    Price(cents * 10)
}

impl World {
    /// Founds an exchange with one small market and little insurance.
    pub fn found() -> World {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let program = root.join("target/deploy/ballast.so");
        assert!(program.exists(), "the program has not been built: run `cargo xtask test`, which builds it first");
        let localnet = Localnet::start(LocalnetConfig {
            rpc_port: 0,
            ws_port: 0,
            blocks: Blocks::Paced { speed: SPEED },
            programs: vec![ProgramFile { id: addresses::PROGRAM_ID, path: program, upgrade_authority: None }],
            ..LocalnetConfig::default()
        })
        .unwrap();
        let mut config = ExchangeConfig::load(root.join("migrations/localnet.toml")).unwrap();
        config.insurance = INSURANCE;
        config.markets.retain(|market| market.symbol == "SOL");
        let market = &mut config.markets[0];
        (market.book_blocks, market.rank_cells) = (256, 512);
        market.params.mark_cap_ppm_per_second = 100_000;
        market.params.mark_average_s = 60;
        market.params.liquidation_cooldown_s = 2;
        let faucet = Faucet::connect(localnet.rpc_url()).unwrap();
        let bulk = Bulk::new(localnet.rpc_url(), localnet.clock().clone());
        let deployment = found(&localnet, &faucet, &bulk, &config).unwrap();
        let poster = Keypair::new();
        faucet.airdrop(&poster.pubkey(), 1_000_000_000_000).unwrap();
        World { localnet, faucet, bulk, deployment, poster, posted_at: Cell::new(0) }
    }

    /// JSON-RPC endpoint.
    pub fn rpc_url(&self) -> &str {
        self.localnet.rpc_url()
    }

    /// WebSocket endpoint.
    pub fn ws_url(&self) -> &str {
        self.localnet.ws_url()
    }

    /// The exchange.
    pub fn exchange(&self) -> Pubkey {
        self.deployment.keys.exchange
    }

    /// The market.
    pub fn market(&self) -> Pubkey {
        self.deployment.markets[0].keys.market
    }

    fn run(&self, what: &str, instructions: Vec<Instruction>, signer: &Keypair) {
        self.bulk.run_all(&[Job { what: what.to_string(), instructions, signers: vec![signer] }]).unwrap();
    }

    /// Somebody who has deposited so many dollars.
    pub fn trader(&self, dollars: u64) -> Trader {
        let key = Keypair::new();
        let (lamports, atoms) = (1_000_000_000, dollars * 1_000_000);
        let (margin, open) = open_account(&self.deployment, &self.faucet, &key, 0, lamports, atoms).unwrap();
        self.bulk.run_all(&[open]).unwrap();
        Trader { key, margin }
    }

    fn order(&self, trader: &Trader, order: ballast_client::ballast::OrderArgs) {
        let market = &self.deployment.markets[0].keys;
        let place = instructions::place_order(&trader.key.pubkey(), &trader.margin, market, order, &[]);
        self.run("place an order", vec![place], &trader.key);
    }

    /// Places an order that rests; the price in cents.
    pub fn rest(&self, trader: &Trader, side: Side, cents: u64, lots: u64) {
        self.order(trader, limit_order(side, atoms_per_lot(cents), Lots(lots)));
    }

    /// Trades at once; the worst price in cents.
    pub fn take(&self, trader: &Trader, side: Side, cents: u64, lots: u64) {
        self.order(trader, market_order(side, atoms_per_lot(cents), Lots(lots)));
    }

    /// Cancels all of somebody's orders.
    pub fn cancel(&self, trader: &Trader) {
        let market = &self.deployment.markets[0].keys;
        let cancel = instructions::cancel_all(&trader.key.pubkey(), &trader.margin, market, None, 64);
        self.run("cancel all orders", vec![cancel], &trader.key);
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

    /// Posts a price, once a second of the chain's clock: more often it is none.
    fn post(&self, cents: u64) {
        let now = self.localnet.clock().now().unix_s();
        if self.posted_at.replace(now) == now {
            return;
        }
        let price = i64::try_from(cents * 1_000_000).unwrap();
        post_prices(&self.localnet, &self.bulk, &self.deployment, &self.poster, &[price], 1).unwrap();
    }

    /// Posts a price until the mark is there and two ticks support it.
    pub fn price(&self, cents: u64) {
        self.until(cents, "the mark follows the price", || {
            let market = accounts::market(&self.localnet.rpc().get_account_data(&self.market()).unwrap()).unwrap();
            let state = market.mark_state();
            let there = atoms_per_lot(cents);
            (state.mark == there && state.supported == there && state.previous_tick == there).then_some(())
        });
    }

    /// Posts a price again and again until something is so.
    pub fn until<T>(&self, cents: u64, what: &str, so: impl Fn() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            self.post(cents);
            if let Some(result) = so() {
                return result;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Somebody's position, as of its last touch.
    pub fn position(&self, trader: &Trader) -> i64 {
        let data = self.localnet.rpc().get_account_data(&trader.margin).unwrap();
        accounts::margin_account(&data).unwrap().slots[0].lots
    }

    /// The accounts of the exchange, and what its insurance vault holds.
    pub fn state(&self) -> (Snapshot, u64) {
        let rpc = RpcClient::new(self.rpc_url().to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let exchange = self.exchange();
        let state = rpc::state(&rpc, &exchange, CommitmentConfig::confirmed());
        let (snapshot, vaults) = runtime.block_on(state).unwrap();
        (snapshot, vaults.insurance)
    }

    /// The newest slot of the chain.
    pub fn slot(&self) -> u64 {
        self.localnet.rpc().get_slot().unwrap()
    }
}
