//! A local network with one market, and traders who do as they are told.

use std::{
    cell::Cell,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anchor_lang::Discriminator;
use ballast_client::{
    accounts, addresses, audit,
    ballast::state::Market,
    instructions::{self, limit_order, market_order, stop_loss, trailing_stop},
    rpc,
};
use ballast_localnet::{
    Blocks, Faucet, Localnet, LocalnetConfig, ProgramFile,
    bulk::{Bulk, Job},
    exchange::{Deployment, found, post_prices},
    market_config::ExchangeConfig,
    stage::open_account,
};
use ballast_risk::oracle::Reading;
use ballast_units::{Lots, Price, Side};
use solana_address_lookup_table_interface::instruction as lookup;
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;

/// Longer than anything takes on a slow machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(120);
/// Chain seconds in a second.
const SPEED: f64 = 2.0;

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
    /// Founds an exchange with one small market and no insurance.
    pub fn found() -> World {
        World::found_as("localnet.toml")
    }

    /// As [`found`](Self::found), by another configuration.
    pub fn found_as(configuration: &str) -> World {
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
        let mut config = ExchangeConfig::load(root.join("migrations").join(configuration)).unwrap();
        config.insurance = 0;
        config.markets.retain(|market| market.symbol == "SOL");
        let market = &mut config.markets[0];
        (market.book_blocks, market.rank_cells) = (64, 512);
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
    pub fn rpc_url(&self) -> String {
        self.localnet.rpc_url().to_string()
    }

    /// WebSocket endpoint.
    pub fn ws_url(&self) -> String {
        self.localnet.ws_url().to_string()
    }

    /// Gives SOL and dollars.
    pub fn enrich(&self, key: &Pubkey, dollars: u64) {
        self.faucet.airdrop(key, 10_000_000_000).unwrap();
        self.faucet.mint_to(key, dollars * 1_000_000).unwrap();
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

    /// As [`rest`](Self::rest), until so many seconds of the chain's clock have passed.
    pub fn rest_for(&self, trader: &Trader, side: Side, cents: u64, lots: u64, seconds: i64) {
        let expires_at = self.localnet.clock().now().unix_s() + seconds;
        let order = limit_order(side, atoms_per_lot(cents), Lots(lots));
        self.order(trader, ballast_client::ballast::OrderArgs { expires_at, ..order });
    }

    /// Trades at once; the worst price in cents.
    pub fn take(&self, trader: &Trader, side: Side, cents: u64, lots: u64) {
        self.order(trader, market_order(side, atoms_per_lot(cents), Lots(lots)));
    }

    /// Free and all blocks of the market's book.
    pub fn room(&self) -> (u32, u32) {
        let key = self.deployment.markets[0].keys.book;
        let slab = accounts::Slab::new(&self.localnet.account(&key).unwrap().data).unwrap();
        let book = slab.book().unwrap();
        (book.free_blocks(), book.capacity())
    }

    /// Sets the volume, in dollars, from which the first fee tier applies.
    pub fn fee_tier_from(&self, dollars: u64) {
        let (admin, exchange) = (&self.deployment.admin, &self.deployment.keys.exchange);
        let volumes = [dollars * 1_000_000, 0, 0, 0];
        let set = instructions::set_fee_schedule(&admin.pubkey(), exchange, volumes, 1_000);
        self.run("set the fee schedule", vec![set], admin);
    }

    /// Opens somebody's trader account.
    pub fn open_trader(&self, trader: &Trader) {
        let owner = trader.key.pubkey();
        let open = instructions::open_trader(&owner, &owner, &self.deployment.keys.exchange, None);
        self.run("open a trader account", vec![open], &trader.key);
    }

    /// Somebody's trader account.
    pub fn trader_account(&self, trader: &Trader) -> Pubkey {
        addresses::trader(&self.deployment.keys.exchange, &trader.key.pubkey())
    }

    /// Somebody's margin account.
    pub fn margin(&self, trader: &Trader) -> ballast_client::ballast::state::MarginAccount {
        accounts::margin_account(&self.localnet.account(&trader.margin).unwrap().data).unwrap()
    }

    /// The market.
    pub fn market(&self) -> ballast_client::ballast::state::Market {
        let key = self.deployment.markets[0].keys.market;
        accounts::market(&self.localnet.account(&key).unwrap().data).unwrap()
    }

    /// Whether the market's mark has come to a price in cents that two ticks support.
    pub fn stands_at(&self, cents: u64) -> bool {
        let state = *self.market().mark_state();
        let there = atoms_per_lot(cents);
        state.held == there && state.supported == there && state.previous_tick == there
    }

    /// Cancels all of somebody's orders.
    pub fn cancel(&self, trader: &Trader) {
        let market = &self.deployment.markets[0].keys;
        let cancel = instructions::cancel_all(&trader.key.pubkey(), &trader.margin, market, None, 64);
        self.run("cancel all orders", vec![cancel], &trader.key);
    }

    fn protect(&self, trader: &Trader, trigger: ballast_client::ballast::TriggerArgs) {
        let market = &self.deployment.markets[0].keys;
        let place = instructions::place_triggers(&trader.key.pubkey(), &trader.margin, market, trigger, None);
        self.run("place a trigger", vec![place], &trader.key);
    }

    /// Places a stop for a long; the price in cents.
    pub fn stop(&self, trader: &Trader, cents: u64, lots: u64) {
        self.protect(trader, stop_loss(Side::Long, atoms_per_lot(cents), Some(Lots(lots))));
    }

    /// Places a trailing stop for a long.
    pub fn trail(&self, trader: &Trader, ppm: u32, lots: u64) {
        self.protect(trader, trailing_stop(Side::Long, ppm, Some(Lots(lots))));
    }

    /// Sets a ladder with a slippage of one per cent.
    pub fn ladder(&self, trader: &Trader, rules: &[(u16, u16)]) {
        let set = instructions::set_ladder(&trader.key.pubkey(), &trader.margin, rules, 100);
        self.run("set a ladder", vec![set], &trader.key);
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
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Writes a price to the market's oracle account, and leaves it to others to bring it into the market.
    pub fn publish(&self, cents: u64) {
        let now = self.localnet.clock().now();
        let market = &self.deployment.markets[0];
        let price = i64::try_from(cents * 1_000_000).unwrap();
        let data = market.price_account(price, 1, now.unix_s(), now.slot);
        self.localnet.set_account(market.oracle, market.oracle_program(), data).unwrap();
    }

    /// Makes the market's price and its oracle account's so many seconds old.
    pub fn age(&self, seconds: i64) {
        let (now, deployed) = (self.localnet.clock().now(), &self.deployment.markets[0]);
        let data = deployed.price_account(10_000_000_000, 1, now.unix_s() - seconds, now.slot);
        self.put(deployed.oracle, deployed.oracle_program(), data);
        let mut market = self.market();
        let reading = Reading { publish_time: now.unix_s() - seconds, ..*market.reading() };
        market.set_reading(reading);
        let data = [Market::DISCRIMINATOR, bytemuck::bytes_of(&market)].concat();
        self.put(deployed.keys.market, addresses::PROGRAM_ID, data);
    }

    /// An account's data.
    pub fn bytes(&self, key: &Pubkey) -> Vec<u8> {
        self.localnet.account(key).unwrap().data
    }

    /// Writes an account as it is.
    pub fn put(&self, key: Pubkey, owner: Pubkey, data: Vec<u8>) {
        self.localnet.set_account(key, owner, data).unwrap();
    }

    /// The market's oracle account as a keeper is told it.
    pub fn oracle(&self) -> String {
        format!("0={}", self.deployment.markets[0].oracle)
    }

    /// Makes an address lookup table of the exchange's accounts.
    pub fn lookup_table(&self) -> String {
        let (keys, market) = (&self.deployment.keys, &self.deployment.markets[0]);
        let exchange = [keys.exchange, keys.vault, keys.insurance, spl_token_interface::ID];
        let market = [market.keys.market, market.keys.book, market.keys.ranks, market.oracle];
        self.lookup_table_of(&[exchange, market].concat())
    }

    /// Makes an address lookup table.
    pub fn lookup_table_of(&self, addresses: &[Pubkey]) -> String {
        let (owner, slot) = (self.poster.pubkey(), self.localnet.clock().now().slot - 2);
        let (create, table) = lookup::create_lookup_table(owner, owner, slot);
        let extend = lookup::extend_lookup_table(table, owner, Some(owner), addresses.to_vec());
        self.run("make a lookup table", vec![create, extend], &self.poster);
        table.to_string()
    }

    /// Somebody's position, as of its last touch.
    pub fn position(&self, trader: &Trader) -> i64 {
        let data = self.localnet.rpc().get_account_data(&trader.margin).unwrap();
        accounts::margin_account(&data).unwrap().slots[0].lots
    }

    /// Checks the solvency invariants.
    pub fn audit(&self) {
        let rpc = RpcClient::new(self.rpc_url());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let state = rpc::state(&rpc, &self.deployment.keys.exchange, CommitmentConfig::processed());
        let (snapshot, vaults) = runtime.block_on(state).unwrap();
        let report = audit::audit(&snapshot, &vaults);
        assert!(report.is_clean(), "{report}");
    }

    /// A way to the RPC server that can be cut.
    pub fn rpc_link(&self) -> Link {
        Link::to(self.rpc_url().trim_start_matches("http://").to_string())
    }

    /// A way to the WebSocket server that can be cut.
    pub fn link(&self) -> Link {
        Link::to(self.ws_url().trim_start_matches("ws://").to_string())
    }
}

/// Passes bytes on to a server, until cut.
pub struct Link {
    address: String,
    whole: Arc<AtomicBool>,
    silent: Arc<AtomicBool>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Link {
    fn to(server: String) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (whole, ends) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let silent = Arc::new(AtomicBool::new(false));
        let link = Link { address, whole: whole.clone(), silent: silent.clone(), ends: ends.clone() };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if !whole.load(Ordering::Relaxed) {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                let copies = [&client, &server].map(|stream| stream.try_clone().unwrap());
                ends.lock().unwrap().extend([&client, &server].map(|stream| stream.try_clone().unwrap()));
                let [client_too, server_too] = copies;
                let (to_server, to_client) = (silent.clone(), silent.clone());
                thread::spawn(move || pass_on(client, server_too, &to_server));
                thread::spawn(move || pass_on(server, client_too, &to_client));
            }
        });
        link
    }

    /// Where to connect with a WebSocket.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Where to connect with HTTP.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Holds everything back, connections as they are, or lets it all through again.
    pub fn hold(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    /// Ends all connections and takes no new ones.
    pub fn cut(&self) {
        self.whole.store(false, Ordering::Relaxed);
        for end in self.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.whole.store(true, Ordering::Relaxed);
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, silent: &AtomicBool) {
    let mut buffer = [0; 16_384];
    while let Ok(count) = from.read(&mut buffer) {
        while silent.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
