//! A small exchange for tests: made of the pure crates' own operations, so that every invariant holds, and delivered as
//! account data, so that single bytes can be tampered with.

use std::collections::BTreeMap;

use anchor_lang::{AccountSerialize, Discriminator};
use ballast::state::{
    BOOK_MAGIC, BOOK_VERSION, EXCHANGE_VERSION, Exchange, INSURANCE_SEED, MARGIN_VERSION, MARKET_VERSION,
    MarginAccount, Market, MarketStatus, OracleKind, RANKS_MAGIC, RANKS_VERSION, SLAB_PREFIX, VAULT_SEED,
};
use ballast_book::{Book, MatchTerms, NewOrder, SelfTrade, Taker};
use ballast_rank::Index;
use ballast_risk::{funding::FundingState, mark::MarkState, oracle::Reading};
use ballast_units::{FUNDING_ONE, Lots, MAX_PRICE, Price, Side};
use bytemuck::{Pod, Zeroable};
use solana_account::Account;
use solana_pubkey::Pubkey;

use crate::{
    accounts::Slab,
    addresses::PROGRAM_ID,
    audit::Vaults,
    snapshot::{Moment, Snapshot, SnapshotError},
};

pub(crate) const EXCHANGE: Pubkey = Pubkey::new_from_array([1; 32]);
pub(crate) const MARKET: Pubkey = Pubkey::new_from_array([2; 32]);
pub(crate) const BOOK: Pubkey = Pubkey::new_from_array([3; 32]);
pub(crate) const RANKS: Pubkey = Pubkey::new_from_array([4; 32]);
/// Long 7,000 lots at 1,000.
pub(crate) const LONG: Pubkey = Pubkey::new_from_array([11; 32]);
/// Short 5,500 lots at 1,000.
pub(crate) const SHORT: Pubkey = Pubkey::new_from_array([12; 32]);
/// Sold 1,500 lots at 1,000, which wait in its seat; 500 more rest there.
pub(crate) const MAKER: Pubkey = Pubkey::new_from_array([13; 32]);
pub(crate) const PRICE: u64 = 1_000;

/// A market with a mark of [`PRICE`] that two ticks support.
pub(crate) fn market(index: u16) -> Market {
    let mut market = Market::zeroed();
    market.version = MARKET_VERSION;
    market.index = index;
    market.status = MarketStatus::Active as u8;
    market.oracle_kind = OracleKind::PythReceiver as u8;
    (market.exchange, market.book, market.ranks) = (EXCHANGE, BOOK, RANKS);
    market.params.tiers[0].maintenance_bps = 250;
    market.params.tiers[0].initial_bps = 500;
    market.params.margin_multiplier_bps = 10_000;
    (market.params.max_age_liquidate_s, market.params.max_age_reduce_s) = (60, 600);
    (market.params.max_confidence_liquidate_bps, market.params.max_confidence_reduce_bps) = (100, 200);
    market.params.liquidation_cooldown_s = 10;
    set_mark(&mut market, PRICE);
    market
}

/// Gives a market a mark that two ticks support.
pub(crate) fn set_mark(market: &mut Market, price: u64) {
    let price = Price(price);
    market.set_mark_state(MarkState {
        mark: price,
        supported: price,
        tick: price,
        previous_tick: price,
        average: price.0 << 20,
        updated_at: 1_000,
        held: price,
        book_ppm: 0,
    });
    market.set_reading(Reading { price, publish_time: 1_000, confidence_bps: 1, deviation_bps: 0 });
}

/// The data of a zero-copy account.
pub(crate) fn account_data<T: Pod + Discriminator>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

fn slab(magic: [u8; 8], space: usize, fill: impl FnOnce(&mut [u8])) -> Slab {
    let mut words = vec![0u64; (SLAB_PREFIX + space).div_ceil(8)];
    let data = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..SLAB_PREFIX + space];
    data[..8].copy_from_slice(&magic);
    data[8] = if magic == BOOK_MAGIC { BOOK_VERSION } else { RANKS_VERSION };
    fill(&mut data[SLAB_PREFIX..]);
    Slab::new(data).unwrap()
}

/// A book account.
pub(crate) fn book(fill: impl FnOnce(&mut Book)) -> Slab {
    slab(BOOK_MAGIC, ballast_book::space(64), |bytes| fill(&mut Book::init(bytes).unwrap()))
}

/// A ranks account.
pub(crate) fn ranks(fill: impl FnOnce(&mut Index)) -> Slab {
    slab(RANKS_MAGIC, ballast_rank::space(64), |bytes| fill(&mut Index::init(bytes).unwrap()))
}

/// A margin account with one position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub key: Pubkey,
    pub side: Side,
    pub lots: u64,
    /// Atoms per lot.
    pub entry: u64,
    pub collateral: u64,
}

/// An exchange's accounts and vaults.
pub(crate) struct World {
    pub accounts: BTreeMap<Pubkey, Account>,
    pub vaults: Vaults,
}

impl World {
    /// One market, three traders, a fill that waits in a seat while funding moved, a claim on the pool, fees.
    pub fn new() -> World {
        World::with(|_| {})
    }

    /// The same, with something done to the ranking index behind everybody's back.
    pub fn with(behind: impl FnOnce(&mut Index)) -> World {
        let (mut long, mut short, mut maker) = (margin(LONG), margin(SHORT), margin(MAKER));
        let mut market = market(0);
        let book = book(|book| {
            maker.slots[0].seat = book.open_seat(MAKER.to_bytes(), maker.owner.to_bytes()).unwrap();
            sell_and_fill(book, maker.slots[0].seat);
            market.set_funding(funding(FUNDING_ONE / 2));
        });
        let ranks = ranks(|ranks| {
            let mut join = |account: &mut MarginAccount, side: Side, lots: u64, beta: i64| {
                let slot = &mut account.slots[0];
                slot.lots = Lots(lots).on(side).unwrap().0;
                slot.basis = slot.lots * 1_000;
                slot.set_membership(ranks.join(side, Price(PRICE), beta, Lots(lots), 0).unwrap());
            };
            join(&mut long, Side::Long, 7_000, 900);
            join(&mut short, Side::Short, 5_500, 1_100);
            behind(ranks);
        });
        for account in [&mut long, &mut short, &mut maker] {
            account.slots[0].market_plus_one = 1;
        }
        long.collateral = 1_000_000;
        short.collateral = 600_000;
        short.slots[0].unsettled = 700;
        long.slots[0].unsettled = -200;
        // A fee of 40 that was charged against unsettled profit, and not taken out of the pool yet.
        (market.pool, market.fee_claims) = (500 + 40, 40);
        (market.fees, market.insurance_fees) = (30, 20);

        let vaults = Vaults { collateral: 1_600_000 + 540 + 50, insurance: 5_000 };
        let mut accounts = BTreeMap::new();
        let mut put = |key: Pubkey, data: Vec<u8>| {
            let account = Account { lamports: 1, data, owner: PROGRAM_ID, executable: false, rent_epoch: 0 };
            accounts.insert(key, account);
        };
        put(EXCHANGE, exchange_data());
        put(MARKET, account_data(&market));
        put(BOOK, book.data().to_vec());
        put(RANKS, ranks.data().to_vec());
        put(LONG, account_data(&long));
        put(SHORT, account_data(&short));
        put(MAKER, account_data(&maker));
        World { accounts, vaults }
    }

    /// One market at [`PRICE`] × 100 without funding: margin accounts with a position each, and levels of the book, whose maker
    /// has nothing else.
    pub fn of(traders: &[Position], bids: &[(u64, u64)], asks: &[(u64, u64)]) -> World {
        let mut market = market(0);
        set_mark(&mut market, 100 * PRICE);
        let mut maker = margin(MAKER);
        maker.slots[0].market_plus_one = 1;
        let book = book(|book| {
            let seat = book.open_seat(MAKER.to_bytes(), maker.owner.to_bytes()).unwrap();
            maker.slots[0].seat = seat;
            for (side, levels) in [(Side::Long, bids), (Side::Short, asks)] {
                for (price, lots) in levels {
                    let (price, lots) = (Price(*price), Lots(*lots));
                    book.rest(NewOrder {
                        side,
                        price,
                        peg: None,
                        lots,
                        seat,
                        client_id: 0,
                        expires_at: 0,
                        reduce_only: false,
                    })
                    .unwrap();
                }
            }
        });
        let mut accounts = BTreeMap::new();
        let mut put = |key: Pubkey, data: Vec<u8>| {
            let account = Account { lamports: 1, data, owner: PROGRAM_ID, executable: false, rent_epoch: 0 };
            accounts.insert(key, account);
        };
        let ranks = ranks(|ranks| {
            for position in traders {
                let mut account = margin(position.key);
                account.collateral = position.collateral;
                let slot = &mut account.slots[0];
                slot.market_plus_one = 1;
                slot.lots = Lots(position.lots).on(position.side).unwrap().0;
                slot.basis = slot.lots * i64::try_from(position.entry).unwrap();
                let cushion = i64::try_from(position.collateral / position.lots).unwrap();
                let beta = i64::try_from(position.entry).unwrap() - position.side.sign() * cushion;
                let entry = Price(position.entry);
                slot.set_membership(ranks.join(position.side, entry, beta, Lots(position.lots), 0).unwrap());
                put(position.key, account_data(&account));
            }
        });
        put(EXCHANGE, exchange_data());
        put(MARKET, account_data(&market));
        put(BOOK, book.data().to_vec());
        put(RANKS, ranks.data().to_vec());
        put(MAKER, account_data(&maker));
        World { accounts, vaults: Vaults { collateral: 0, insurance: 0 } }
    }

    /// The snapshot of the accounts as they are now.
    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        let moment = Moment { slot: 9, unix_time: 1_001 };
        Snapshot::new(&EXCHANGE, moment, self.accounts.iter().map(|(key, account)| (*key, account.clone())))
    }

    /// Changes a zero-copy account.
    pub fn change<T: Pod>(&mut self, key: Pubkey, change: impl FnOnce(&mut T)) {
        let data = &mut self.accounts.get_mut(&key).unwrap().data;
        let mut value: T = bytemuck::pod_read_unaligned(&data[8..]);
        change(&mut value);
        data[8..].copy_from_slice(bytemuck::bytes_of(&value));
    }

    /// The data of an account.
    pub fn data(&mut self, key: Pubkey) -> &mut [u8] {
        &mut self.accounts.get_mut(&key).unwrap().data
    }
}

fn funding(index: i64) -> FundingState {
    FundingState { index, ..FundingState::zeroed() }
}

/// A margin account of an owner of its own.
fn margin(key: Pubkey) -> MarginAccount {
    let mut account = MarginAccount::zeroed();
    account.version = MARGIN_VERSION;
    account.exchange = EXCHANGE;
    account.owner = Pubkey::new_from_array(key.to_bytes().map(|byte| byte + 100));
    account
}

/// The maker offers 2,000 lots; somebody takes 1,500.
fn sell_and_fill(book: &mut Book, seat: u32) {
    let order = NewOrder {
        side: Side::Short,
        price: Price(PRICE),
        peg: None,
        lots: Lots(2_000),
        seat,
        client_id: 5,
        expires_at: 0,
        reduce_only: false,
    };
    book.set_maker_fee(seat, 100).unwrap();
    book.rest(order).unwrap();
    let taker = Taker {
        side: Side::Long,
        lots: Lots(1_500),
        limit: Price(PRICE),
        terms: MatchTerms {
            bids: (Price(1), Price(MAX_PRICE)),
            asks: (Price(1), Price(MAX_PRICE)),
            references: (Price(PRICE), Price(PRICE)),
            now: 1_000,
        },
        owner: [0; 32],
        self_trade: SelfTrade::CancelResting,
        max_makers: 8,
        funding_index: 0,
        taker_fee_ppm: 500,
        rebate_budget: 0,
    };
    assert_eq!(book.match_taker(taker, |_| {}).unwrap().lots, Lots(1_500));
}

fn exchange_data() -> Vec<u8> {
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
