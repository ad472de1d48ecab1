//! An exchange of one market made of real account bytes, in memory: as many positions as wanted, on both sides, in the ranking
//! index as the program would have put them, with a book to be reduced on. Parameters are the local network's.

use std::{collections::BTreeMap, path::Path, time::Instant};

use anchor_lang::{AccountSerialize, Discriminator};
use ballast_book::{Book, NewOrder};
use ballast_client::{
    addresses::PROGRAM_ID,
    audit::Vaults,
    ballast::state::{
        BOOK_MAGIC, BOOK_VERSION, EXCHANGE_VERSION, Exchange, INSURANCE_SEED, MARGIN_VERSION, MARKET_VERSION,
        MarginAccount, Market, MarketStatus, OracleKind, RANKS_MAGIC, RANKS_VERSION, SLAB_PREFIX, VAULT_SEED,
    },
    rpc::Reading,
    snapshot::{Moment, Snapshot},
};
use ballast_keeper::view::{Heard, LiveView};
use ballast_localnet::market_config::ExchangeConfig;
use ballast_rank::Index;
use ballast_risk::{mark::MarkState, oracle};
use ballast_units::{Lots, Price, Side};
use bytemuck::{Pod, Zeroable};
use solana_account::Account;
use solana_account_decoder::{UiAccountEncoding, encode_ui_account};
use solana_pubkey::Pubkey;

/// The mark at the beginning, in atoms per lot: a lot is a thousandth of a unit of $100.
pub const PRICE: u64 = 100_000;
/// The cluster's time, which stands still.
pub const NOW: i64 = 1_760_000_000;
/// The exchange.
pub const EXCHANGE: Pubkey = Pubkey::new_from_array([1; 32]);
/// Its market.
pub const MARKET: Pubkey = Pubkey::new_from_array([2; 32]);
/// The market's book.
pub const BOOK: Pubkey = Pubkey::new_from_array([3; 32]);
/// The market's ranking index.
pub const RANKS: Pubkey = Pubkey::new_from_array([4; 32]);

/// SplitMix64 (Steele, Lea, Flood, 2014).
pub struct Random(pub u64);

impl Random {
    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// All accounts of the program.
#[derive(Clone)]
pub struct Population {
    /// By address.
    pub accounts: BTreeMap<Pubkey, Account>,
    /// The market.
    pub market: Market,
}

/// The address of a position's account.
pub fn holder(number: usize) -> Pubkey {
    let mut bytes = [9; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Pubkey::new_from_array(bytes)
}

fn owned(data: Vec<u8>) -> Account {
    Account { lamports: 1, data, owner: PROGRAM_ID, executable: false, rent_epoch: u64::MAX }
}

/// The data of a zero-copy account.
pub fn data_of<T: Pod + Discriminator>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

fn slab(magic: [u8; 8], version: u8, space: usize, fill: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut words = vec![0u64; (SLAB_PREFIX + space).div_ceil(8)];
    let data = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..SLAB_PREFIX + space];
    data[..8].copy_from_slice(&magic);
    data[8] = version;
    fill(&mut data[SLAB_PREFIX..]);
    data.to_vec()
}

/// A margin account with collateral.
pub fn margin(key: &Pubkey, collateral: u64) -> MarginAccount {
    let mut account = MarginAccount::zeroed();
    account.version = MARGIN_VERSION;
    account.exchange = EXCHANGE;
    account.owner = Pubkey::new_from_array(key.to_bytes().map(|byte| byte.wrapping_add(100)));
    account.collateral = collateral;
    account
}

impl Population {
    /// `count` positions, half of them long, entered within two per cent of the mark with leverage from 2 to 20, all of
    /// them above maintenance margin.
    pub fn new(count: usize, seed: u64) -> Population {
        let mut random = Random(seed);
        let mut accounts = BTreeMap::new();
        let (market, blocks, cells) = market();
        let ranks = slab(RANKS_MAGIC, RANKS_VERSION, ballast_rank::space(cells), |bytes| {
            let index = &mut Index::init(bytes).unwrap();
            for number in 0..count {
                let key = holder(number);
                let side = if number % 2 == 0 { Side::Long } else { Side::Short };
                let account = position(&mut random, index, &key, side);
                accounts.insert(key, owned(data_of(&account)));
            }
        });
        let maker = Pubkey::new_from_array([8; 32]);
        let mut making = margin(&maker, 1_000_000_000_000);
        let book = slab(BOOK_MAGIC, BOOK_VERSION, ballast_book::space(blocks), |bytes| {
            let book = &mut Book::init(bytes).unwrap();
            making.slots[0].seat = book.open_seat(maker.to_bytes(), making.owner.to_bytes()).unwrap();
            making.slots[0].market_plus_one = 1;
            for level in 1..=100u64 {
                for side in Side::BOTH {
                    let away = level * PRICE / 10_000;
                    let price = Price(if side == Side::Long { PRICE - away } else { PRICE + away });
                    book.rest(order(making.slots[0].seat, side, price)).unwrap();
                }
            }
        });
        accounts.insert(maker, owned(data_of(&making)));
        accounts.insert(EXCHANGE, owned(exchange()));
        accounts.insert(MARKET, owned(data_of(&market)));
        accounts.insert(BOOK, owned(book));
        accounts.insert(RANKS, owned(ranks));
        Population { accounts, market }
    }

    /// A snapshot of all of it.
    pub fn snapshot(&self) -> Snapshot {
        let moment = Moment { slot: 9, unix_time: NOW };
        Snapshot::new(&EXCHANGE, moment, self.accounts.iter().map(|(key, account)| (*key, account.clone()))).unwrap()
    }

    /// A live view that begins with all of it.
    pub fn live(&self, now: Instant) -> LiveView {
        let reading = Reading {
            moment: Moment { slot: 9, unix_time: NOW },
            vaults: Vaults { collateral: u64::MAX / 2, insurance: 1_000_000_000_000 },
        };
        LiveView::new(self.snapshot(), reading, Default::default(), now)
    }

    /// Moves the market to a price that two ticks support.
    pub fn set_price(&mut self, price: u64) {
        set_price(&mut self.market, price);
        self.accounts.insert(MARKET, owned(data_of(&self.market)));
    }

    /// What a node tells of an account as it is now: compressed, as subscriptions have it.
    pub fn told(&self, key: &Pubkey) -> Heard {
        let account = self.accounts.get(key).cloned().unwrap_or_default();
        Heard::Account(*key, encode_ui_account(key, &account, UiAccountEncoding::Base64Zstd, None, None))
    }
}

fn position(random: &mut Random, index: &mut Index, key: &Pubkey, side: Side) -> MarginAccount {
    let entry = PRICE * (9_800 + random.below(400)) / 10_000;
    let lots = 10 + random.below(1_000);
    let value = lots * entry;
    let leverage_tenths = 20 + random.below(180);
    let mut account = margin(key, value * 10 / leverage_tenths);
    let cushion = entry * 10 / leverage_tenths;
    let bankruptcy = if side == Side::Long { entry - cushion } else { entry + cushion };
    let slot = &mut account.slots[0];
    slot.market_plus_one = 1;
    slot.lots = Lots(lots).on(side).unwrap().0;
    slot.basis = slot.lots * i64::try_from(entry).unwrap();
    let beta = i64::try_from(bankruptcy).unwrap();
    slot.set_membership(index.join(side, Price(entry), beta, Lots(lots), 0).unwrap());
    account
}

fn order(seat: u32, side: Side, price: Price) -> NewOrder {
    let (client_id, expires_at) = (0, 0);
    NewOrder { side, price, peg: None, lots: Lots(5_000), seat, client_id, expires_at, reduce_only: false }
}

/// The local network's SOL market, its blocks and cells.
fn market() -> (Market, u32, u32) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/localnet.toml");
    let config = ExchangeConfig::load(path).unwrap();
    let sol = config.markets.iter().find(|market| market.symbol == "SOL").unwrap();
    let mut market = Market::zeroed();
    (market.version, market.status) = (MARKET_VERSION, MarketStatus::Active as u8);
    (market.oracle_kind, market.lot_exponent) = (OracleKind::PythReceiver as u8, 3);
    (market.exchange, market.book, market.ranks) = (EXCHANGE, BOOK, RANKS);
    market.params = sol.params;
    set_price(&mut market, PRICE);
    (market, sol.book_blocks, sol.rank_cells)
}

fn set_price(market: &mut Market, price: u64) {
    let at = Price(price);
    market.set_mark_state(MarkState {
        mark: at,
        supported: at,
        tick: at,
        previous_tick: at,
        average: price << 20,
        updated_at: NOW,
        held: at,
        book_ppm: 0,
    });
    market.set_reading(oracle::Reading { price: at, publish_time: NOW, confidence_bps: 1, deviation_bps: 0 });
}

fn exchange() -> Vec<u8> {
    let bump = |seed: &[u8]| Pubkey::find_program_address(&[seed, EXCHANGE.as_ref()], &PROGRAM_ID).1;
    let exchange = Exchange {
        version: EXCHANGE_VERSION,
        bump: 255,
        vault_bump: bump(VAULT_SEED),
        insurance_bump: bump(INSURANCE_SEED),
        creator: EXCHANGE,
        admin: EXCHANGE,
        pending_admin: Pubkey::default(),
        guardian: EXCHANGE,
        quote_mint: EXCHANGE,
        market_count: 1,
        deposits_paused: false,
        withdrawals_paused: false,
        fee_tier_volumes: [0; 4],
        referral_share_bps: 0,
        reserved: [0; 218],
    };
    let mut data = Vec::new();
    exchange.try_serialize(&mut data).unwrap();
    data
}
