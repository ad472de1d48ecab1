//! A network with one small market for tests, and traders who do as they are told. Everything panics where it fails, with
//! words that a failed test needs.

use std::{
    cell::Cell,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use ballast_client::{
    accounts,
    addresses::PROGRAM_ID,
    audit::Vaults,
    ballast::{OrderArgs, state::Market},
    instructions::{self, limit_order, market_order},
    rpc,
    snapshot::Snapshot,
};
use ballast_units::{Lots, Price, Side};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;

use crate::{
    Blocks, Faucet, Localnet, LocalnetConfig, ProgramFile,
    bulk::{Bulk, Job},
    exchange::{Deployment, found, post_prices},
    market_config::ExchangeConfig,
    stage::open_account,
};

/// Longer than anything takes on a slow machine that does something else as well.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What tests differ in.
pub struct Site<'a> {
    /// File in `migrations/` that describes the exchange.
    pub configuration: &'a str,
    /// What insurance begins with, in atoms.
    pub insurance: u64,
    /// Blocks of the book.
    pub book_blocks: u32,
    /// Chain seconds in a second.
    pub speed: f64,
}

/// The network.
pub struct World {
    /// The node.
    pub localnet: Localnet,
    /// SOL and dollars.
    pub faucet: Faucet,
    /// Sends transactions.
    pub bulk: Bulk,
    /// The exchange.
    pub deployment: Deployment,
    /// Who posts prices, and is rich.
    pub poster: Keypair,
    posted_at: Cell<i64>,
}

/// Somebody with a margin account.
pub struct Trader {
    /// The owner.
    pub key: Keypair,
    /// The margin account.
    pub margin: Pubkey,
}

/// An order's price from cents: a lot of this market is a thousandth of a unit.
pub fn atoms_per_lot(cents: u64) -> Price {
    Price(cents * 10)
}

impl World {
    /// Founds an exchange with one market, SOL, whose mark follows prices fast.
    pub fn found(site: &Site) -> World {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = root.join("target/deploy/ballast.so");
        assert!(program.exists(), "the program has not been built: run `cargo xtask test`, which builds it first");
        let localnet = Localnet::start(LocalnetConfig {
            rpc_port: 0,
            ws_port: 0,
            blocks: Blocks::Paced { speed: site.speed },
            programs: vec![ProgramFile { id: PROGRAM_ID, path: program, upgrade_authority: None }],
            ..LocalnetConfig::default()
        })
        .unwrap();
        let mut config = ExchangeConfig::load(root.join("migrations").join(site.configuration)).unwrap();
        config.insurance = site.insurance;
        config.markets.retain(|market| market.symbol == "SOL");
        let market = &mut config.markets[0];
        (market.book_blocks, market.rank_cells) = (site.book_blocks, 512);
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

    /// Sends a transaction that has to succeed.
    pub fn run(&self, what: &str, instructions: Vec<Instruction>, signer: &Keypair) {
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

    /// Places an order.
    pub fn order(&self, trader: &Trader, order: OrderArgs) {
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
            let market = self.market();
            let state = market.mark_state();
            let there = atoms_per_lot(cents);
            (state.mark == there && state.supported == there && state.previous_tick == there).then_some(())
        });
    }

    /// Posts a price again and again until something is so.
    pub fn until<T>(&self, cents: u64, what: &str, so: impl Fn() -> Option<T>) -> T {
        self.wait(what, || {
            self.post(cents);
            so()
        })
    }

    /// Waits until something is so.
    pub fn wait<T>(&self, what: &str, so: impl Fn() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(result) = so() {
                return result;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The market.
    pub fn market(&self) -> Market {
        accounts::market(&self.bytes(&self.deployment.markets[0].keys.market)).unwrap()
    }

    /// An account's data.
    pub fn bytes(&self, key: &Pubkey) -> Vec<u8> {
        self.localnet.account(key).unwrap().data
    }

    /// Somebody's position, as of its last touch.
    pub fn position(&self, trader: &Trader) -> i64 {
        let data = self.localnet.rpc().get_account_data(&trader.margin).unwrap();
        accounts::margin_account(&data).unwrap().slots[0].lots
    }

    /// The accounts of the exchange, and what its vaults hold.
    pub fn state(&self, commitment: CommitmentConfig) -> (Snapshot, Vaults) {
        let rpc = RpcClient::new(self.rpc_url().to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(rpc::state(&rpc, &self.deployment.keys.exchange, commitment)).unwrap()
    }
}
