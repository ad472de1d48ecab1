//! The exchange under test and everything that is sent to it.

use std::{
    collections::BTreeSet,
    ops::{Deref, DerefMut},
};

use ballast_client::{
    addresses::{self, ExchangeKeys, MarketKeys},
    audit::{Vaults, audit},
    ballast::state::MarketParams,
    events::Event,
    history::History,
    instructions,
    snapshot::{Moment, Snapshot},
    why::{Explained, Verdict, explain},
};
use solana_account::AccountSharedData;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::Mint;

use super::{
    chain::{Chain, Lite, Outcome, Receipt},
    expect::Expect,
    fresh::fresh_keypair,
    lives::Lives,
    oracle::Oracle,
    params::MarketSpec,
    traders::TraderEntry,
    usage::Usage,
};

/// The first market that a world has.
pub const BTC: u16 = 0;
/// The second, if it has two.
pub const ETH: u16 = 1;
/// The third, if it has three.
pub const SOL: u16 = 2;

/// When a world begins.
const START: i64 = 1_760_000_000;
const MAX_UNITS: u32 = 1_400_000;

/// One exchange with its admin, oracles and traders.
pub struct Realm {
    /// The exchange's founder and admin.
    pub admin: Keypair,
    /// Who may pause.
    pub guardian: Keypair,
    /// The exchange and its vaults.
    pub keys: ExchangeKeys,
    /// Its markets.
    pub markets: Vec<MarketKeys>,
    pub(super) oracles: Vec<Oracle>,
    pub(super) traders: Vec<TraderEntry>,
}

impl Clone for Realm {
    fn clone(&self) -> Self {
        Realm {
            admin: self.admin.insecure_clone(),
            guardian: self.guardian.insecure_clone(),
            keys: self.keys,
            markets: self.markets.clone(),
            oracles: self.oracles.clone(),
            traders: self.traders.clone(),
        }
    }
}

impl Realm {
    fn new() -> Realm {
        let admin = fresh_keypair();
        Realm {
            keys: ExchangeKeys::new(addresses::exchange(&admin.pubkey())),
            admin,
            guardian: fresh_keypair(),
            markets: Vec::new(),
            oracles: Vec::new(),
            traders: Vec::new(),
        }
    }
}

/// A chain with an exchange on it.
pub struct World<C: Chain = Lite> {
    /// The chain.
    pub chain: C,
    /// Pays for transactions.
    pub payer: Keypair,
    /// The quote mint. The payer has its authority.
    pub mint: Pubkey,
    /// Unix time on the chain.
    pub now: i64,
    /// Compute units so far.
    pub usage: Usage,
    /// Whether every transaction is followed by an audit. On from the start.
    pub audited: bool,
    /// The exchange. Another one can be put in its place.
    pub realm: Realm,
    known: BTreeSet<Pubkey>,
    history: History,
    /// Until there is a second exchange: events name a market by its index alone.
    lives: Option<Lives>,
    sent: u64,
}

/// What is asked of the exchange is asked of the world.
impl<C: Chain> Deref for World<C> {
    type Target = Realm;

    fn deref(&self) -> &Realm {
        &self.realm
    }
}

impl<C: Chain> DerefMut for World<C> {
    fn deref_mut(&mut self) -> &mut Realm {
        &mut self.realm
    }
}

impl<C: Chain + Clone> World<C> {
    /// The same world from here on, for what must not be undone.
    pub fn fork(&self) -> Self {
        World {
            chain: self.chain.clone(),
            payer: self.payer.insecure_clone(),
            mint: self.mint,
            now: self.now,
            usage: Usage::default(),
            audited: self.audited,
            realm: self.realm.clone(),
            known: self.known.clone(),
            history: self.history.clone(),
            lives: self.lives.clone(),
            sent: self.sent,
        }
    }
}

impl World {
    /// An exchange on LiteSVM with these markets, each with a price that two ticks support.
    pub fn new(markets: &[MarketSpec]) -> World {
        World::on(Lite::new(), markets)
    }

    /// With a Bitcoin market alone.
    pub fn btc() -> World {
        World::new(&[MarketSpec::btc()])
    }

    /// With a Bitcoin market whose parameters are changed.
    pub fn btc_with(change: impl FnOnce(&mut MarketParams)) -> World {
        World::new(&[MarketSpec::btc().with(change)])
    }
}

impl<C: Chain> World<C> {
    /// An exchange on a chain with these markets, each with a price that two ticks support.
    pub fn on(chain: C, markets: &[MarketSpec]) -> Self {
        let mut world = World::empty(chain);
        for spec in markets {
            world.create_market(spec);
        }
        world.advance(1);
        world.advance(1);
        world
    }

    /// An exchange without markets.
    pub fn empty(mut chain: C) -> Self {
        chain.set_time(START);
        let payer = chain.payer();
        let realm = Realm::new();
        let mut world = World {
            chain,
            payer,
            mint: Pubkey::default(),
            now: START,
            usage: Usage::default(),
            audited: false,
            realm,
            known: BTreeSet::new(),
            history: History::default(),
            lives: Some(Lives::default()),
            sent: 0,
        };
        world.mint = world.create_mint(6);
        world.found();
        world.audited = true;
        world
    }

    /// Goes on with accounts that another world left on the chain. Not audited yet: that is for the caller to switch on.
    pub(super) fn resume(chain: C, payer: Keypair, mint: Pubkey, now: i64, realm: Realm, known: &[Pubkey]) -> Self {
        World {
            chain,
            payer,
            mint,
            now,
            usage: Usage::default(),
            audited: false,
            realm,
            known: known.iter().copied().collect(),
            history: History::default(),
            lives: Some(Lives::default()),
            sent: 0,
        }
    }

    /// Audits from here on; events count from what accounts have now.
    pub fn audit_from_now(&mut self) {
        let snapshot = self.snapshot();
        self.history = History::from_now(&snapshot);
        self.lives = Some(Lives::resting(&snapshot));
        self.audited = true;
        self.audit();
    }

    /// Neither audits nor follows orders from here on: the book has some that no event told of.
    pub fn audit_no_more(&mut self) {
        self.lives = None;
        self.audited = false;
    }

    /// Founds another exchange with the same mint and goes on there; returns the one before.
    pub fn found_another(&mut self) -> Realm {
        self.lives = None;
        let before = std::mem::replace(&mut self.realm, Realm::new());
        self.found();
        before
    }

    fn found(&mut self) {
        let audited = std::mem::replace(&mut self.audited, false);
        let (admin, keys) = (self.admin.insecure_clone(), self.keys);
        self.known.extend([keys.exchange, keys.vault, keys.insurance]);
        let fund =
            solana_system_interface::instruction::transfer(&self.payer.pubkey(), &admin.pubkey(), 100_000_000_000);
        let found = instructions::initialize_exchange(&admin.pubkey(), &self.mint, &self.guardian.pubkey());
        self.send(&[fund, found], &[&admin]).succeeds();
        self.audited = audited;
    }

    /// A mint of the token program.
    pub fn create_mint(&mut self, decimals: u8) -> Pubkey {
        let mint = fresh_keypair();
        let create = solana_system_interface::instruction::create_account(
            &self.payer.pubkey(),
            &mint.pubkey(),
            self.chain.rent(Mint::LEN),
            Mint::LEN as u64,
            &spl_token_interface::ID,
        );
        let initialize = spl_token_interface::instruction::initialize_mint2(
            &spl_token_interface::ID,
            &mint.pubkey(),
            &self.payer.pubkey(),
            None,
            decimals,
        );
        self.send(&[create, initialize.expect("the token program's id")], &[&mint]).succeeds();
        mint.pubkey()
    }

    /// Creates the next market and publishes its first price.
    pub fn create_market(&mut self, spec: &MarketSpec) -> u16 {
        let oracle = Oracle::new(spec);
        let admin = self.admin.insecure_clone();
        let (book, ranks) = self.create_slabs(spec);
        let index = u16::try_from(self.markets.len()).expect("a few markets");
        let identity = spec.identity(oracle.feed);
        let create = instructions::create_market(
            &admin.pubkey(),
            &self.keys.exchange,
            index,
            &book,
            &ranks,
            identity,
            spec.params,
        );
        let market = addresses::market(&self.keys.exchange, index);
        self.known.extend([market, book, ranks]);
        self.send(&[create], &[&admin]).succeeds();
        self.markets.push(MarketKeys { index, market, book, ranks });
        self.oracles.push(oracle);
        index
    }

    /// Fresh accounts for a market's book and ranking index.
    pub fn create_slabs(&mut self, spec: &MarketSpec) -> (Pubkey, Pubkey) {
        let (book, ranks) = (fresh_keypair(), fresh_keypair());
        let payer = self.payer.pubkey();
        let book_rent = self.chain.rent(instructions::book_space(spec.blocks));
        let ranks_rent = self.chain.rent(instructions::ranks_space(spec.cells));
        let create_book = instructions::create_book(&payer, &book.pubkey(), spec.blocks, book_rent);
        let create_ranks = instructions::create_ranks(&payer, &ranks.pubkey(), spec.cells, ranks_rent);
        self.send(&[create_book, create_ranks], &[&book, &ranks]).succeeds();
        (book.pubkey(), ranks.pubkey())
    }

    /// The market with this index.
    pub fn market_keys(&self, market: u16) -> MarketKeys {
        self.markets[usize::from(market)]
    }

    /// All watched accounts: of every exchange on the chain.
    pub fn watched(&self) -> impl Iterator<Item = Pubkey> {
        self.known.iter().copied()
    }

    /// Watches an account: failed instructions must not change it, and audits see it.
    pub fn watch(&mut self, key: Pubkey) {
        self.known.insert(key);
    }

    /// Sends instructions in one transaction, signed by the payer and `signers`. Afterwards the exchange must be sound,
    /// and as before if the transaction failed.
    pub fn send(&mut self, these: &[Instruction], signers: &[&Keypair]) -> Outcome {
        self.sent += 1;
        let mut all = vec![
            ComputeBudgetInstruction::set_compute_unit_limit(MAX_UNITS),
            // A price of its own makes every transaction unique.
            ComputeBudgetInstruction::set_compute_unit_price(self.sent),
        ];
        all.extend_from_slice(these);
        let payer = self.payer.insecure_clone();
        let mut everybody = vec![&payer];
        everybody.extend_from_slice(signers);
        let before = self.all_accounts();
        let outcome = self.chain.send(&all, &everybody);
        match &outcome {
            Ok(receipt) => self.enter(receipt),
            Err(refusal) => {
                assert!(before == self.all_accounts(), "{} changed something: {:#?}", refusal.name(), refusal.logs);
            }
        }
        outcome
    }

    /// Enters what a transaction did that was sent past [`send`](Self::send).
    pub fn enter(&mut self, receipt: &Receipt) {
        self.usage.note(&receipt.logs);
        let moment = Moment { slot: self.sent, unix_time: self.now };
        let events = receipt.events();
        self.history.enter(moment, &events);
        if let Some(lives) = &mut self.lives {
            lives.enter(&events);
        }
        if self.audited {
            self.check_reasons(receipt);
            self.audit();
        }
    }

    /// Every forced reduction must be what anyone computes it to be from its transaction.
    fn check_reasons(&mut self, receipt: &Receipt) {
        let events = receipt.events();
        for (index, event) in events.iter().enumerate() {
            let (market, account) = match event {
                Event::Liquidated(event) => (event.market, event.account),
                Event::Deleveraged(event) => (event.market, event.account),
                _ => continue,
            };
            let snapshot = self.snapshot();
            let held = snapshot.account(&account).expect("an account that was reduced is there");
            let alone = held.slots.iter().all(|slot| slot.market().is_none_or(|other| other == market));
            let market = &snapshot.market(market).expect("the market is there").market;
            let explained = explain(&events, index, market, alone).expect("the event can be explained");
            let (Explained::Liquidated { lines, .. } | Explained::Deleveraged { lines, .. }) =
                explained.expect("it is a forced reduction");
            let wrong: Vec<_> = lines.iter().filter(|line| line.verdict == Verdict::Differs).collect();
            assert!(wrong.is_empty(), "{} is not what it is computed to be: {wrong:#?}", event.name());
        }
    }

    /// What events so far tell of every account.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// All watched accounts that there are.
    fn all_accounts(&mut self) -> Vec<(Pubkey, AccountSharedData)> {
        let known: Vec<Pubkey> = self.known.iter().copied().collect();
        known.into_iter().filter_map(|key| Some((key, self.chain.account(&key)?))).collect()
    }

    /// All accounts of the exchange, as a client sees them.
    pub fn snapshot(&mut self) -> Snapshot {
        let moment = Moment { slot: 0, unix_time: self.now };
        let all = self.all_accounts();
        Snapshot::new(&self.keys.exchange, moment, all).expect("every account can be read")
    }

    /// Checks the exchange's invariants, and that the events so far account for everything that anybody has.
    ///
    /// # Panics
    /// If one of them does not hold.
    pub fn audit(&mut self) {
        let vaults = Vaults { collateral: self.vault_tokens(), insurance: self.insurance_tokens() };
        let snapshot = self.snapshot();
        audit(&snapshot, &vaults).assert_exact();
        if let Err(difference) = self.history.compare(&snapshot) {
            panic!("{difference}");
        }
        if let Some(lives) = &self.lives {
            assert_eq!(*lives, Lives::resting(&snapshot), "events tell of every order's life");
        }
    }

    /// Moves the clock without new prices.
    pub fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        self.chain.set_time(self.now);
    }

    /// Replaces a market's parameters.
    pub fn update_market(&mut self, market: u16, change: impl FnOnce(&mut MarketParams)) -> Outcome {
        let mut params = self.market(market).params;
        change(&mut params);
        let admin = self.admin.insecure_clone();
        let update =
            instructions::update_market(&admin.pubkey(), &self.keys.exchange, &self.market_keys(market).market, params);
        self.send(&[update], &[&admin])
    }
}
