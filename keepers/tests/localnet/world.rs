//! The network as keepers find it, and what can be wrong with it.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    ops::Deref,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anchor_lang::Discriminator;
use ballast_client::{
    accounts, addresses, audit,
    ballast::state::Market,
    instructions::{self, limit_order, stop_loss, trailing_stop},
};
pub use ballast_localnet::testing::Trader;
use ballast_localnet::testing::{self, atoms_per_lot};
use ballast_risk::oracle::Reading;
use ballast_units::{Lots, Side};
use solana_address_lookup_table_interface::instruction as lookup;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// The network.
pub struct World(testing::World);

impl Deref for World {
    type Target = testing::World;

    fn deref(&self) -> &testing::World {
        &self.0
    }
}

impl World {
    /// Founds an exchange with one small market and no insurance.
    pub fn found() -> World {
        World::found_as("localnet.toml")
    }

    /// As [`found`](Self::found), by another configuration.
    pub fn found_as(configuration: &str) -> World {
        World(testing::World::found(&testing::Site { configuration, insurance: 0, book_blocks: 64, speed: 2.0 }))
    }

    /// A long that is due below $95.95, and bids that can take all of it at so many cents.
    pub fn exposed_long(&self, bid: u64) -> Trader {
        let (maker, long) = (self.trader(1_000_000), self.trader(300));
        self.price(10_000);
        self.rest(&maker, Side::Short, 10_000, 60_000);
        self.take(&long, Side::Long, 10_000, 60_000);
        self.rest(&maker, Side::Long, bid, 60_000);
        long
    }

    /// Gives SOL and dollars.
    pub fn enrich(&self, key: &Pubkey, dollars: u64) {
        self.faucet.airdrop(key, 10_000_000_000).unwrap();
        self.faucet.mint_to(key, dollars * 1_000_000).unwrap();
    }

    /// As [`rest`](Self::rest), until so many seconds of the chain's clock have passed.
    pub fn rest_for(&self, trader: &Trader, side: Side, cents: u64, lots: u64, seconds: i64) {
        let expires_at = self.localnet.clock().now().unix_s() + seconds;
        let order = limit_order(side, atoms_per_lot(cents), Lots(lots));
        self.order(trader, ballast_client::ballast::OrderArgs { expires_at, ..order });
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

    /// Whether the market's mark has come to a price in cents that two ticks support.
    pub fn stands_at(&self, cents: u64) -> bool {
        let state = *self.market().mark_state();
        let there = atoms_per_lot(cents);
        state.held == there && state.supported == there && state.previous_tick == there
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

    /// Checks the solvency invariants.
    pub fn audit(&self) {
        let (snapshot, vaults) = self.state(CommitmentConfig::processed());
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
    /// Whether the connections of a time are mute, from then on and for good.
    mute: Arc<Mutex<Arc<AtomicBool>>>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Link {
    fn to(server: String) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (whole, ends) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let (silent, mute) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Arc<AtomicBool>>>::default());
        let link =
            Link { address, whole: whole.clone(), silent: silent.clone(), mute: mute.clone(), ends: ends.clone() };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if !whole.load(Ordering::Relaxed) {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                let copies = [&client, &server].map(|stream| stream.try_clone().unwrap());
                ends.lock().unwrap().extend([&client, &server].map(|stream| stream.try_clone().unwrap()));
                let [client_too, server_too] = copies;
                let (silent, mute) = (silent.clone(), mute.lock().unwrap().clone());
                let held = move || silent.load(Ordering::Relaxed) || mute.load(Ordering::Relaxed);
                let held_too = held.clone();
                thread::spawn(move || pass_on(client, server_too, held));
                thread::spawn(move || pass_on(server, client_too, held_too));
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

    /// Holds back what comes over the connections that there are, which stay open. New ones are not concerned.
    pub fn mute(&self) {
        std::mem::take(&mut *self.mute.lock().unwrap()).store(true, Ordering::Relaxed);
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

fn pass_on(mut from: TcpStream, mut to: TcpStream, held: impl Fn() -> bool) {
    let mut buffer = [0; 16_384];
    while let Ok(count) = from.read(&mut buffer) {
        while held() {
            thread::sleep(Duration::from_millis(20));
        }
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
