//! Prices: accounts written byte for byte as Pyth's programs write them, and `refresh_market`.

use ballast_client::{
    ballast::state::OracleKind,
    instructions,
    oracle_accounts::{LEGACY_PROGRAM, LegacyStatus, PythPrice, RECEIVER_PROGRAM, Verification},
};
use solana_account::Account;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    chain::{Chain, Outcome},
    expect::Expect,
    fresh::fresh_keypair,
    params::MarketSpec,
    world::World,
};

/// Decimal places of published prices.
const EXPONENT: i32 = -8;
/// Decimal places of USDC.
const QUOTE_DECIMALS: i32 = 6;
/// Seconds between two ticks while a price settles.
const TICK_S: i64 = 10;

/// A market's feed.
#[derive(Clone)]
pub(super) struct Oracle {
    pub kind: OracleKind,
    pub account: Pubkey,
    pub feed: [u8; 32],
    pub lot_exponent: u8,
    /// In atoms per lot.
    pub price: u64,
}

impl Oracle {
    pub fn new(spec: &MarketSpec) -> Oracle {
        let account = fresh_keypair().pubkey();
        let feed = match spec.oracle {
            OracleKind::PythReceiver => fresh_keypair().pubkey().to_bytes(),
            OracleKind::PythLegacy => account.to_bytes(),
        };
        Oracle { kind: spec.oracle, account, feed, lot_exponent: spec.lot_exponent, price: spec.price }
    }

    /// Atoms per lot as the feed publishes them: dollars per unit of the base.
    fn mantissa(&self, price: u64) -> i64 {
        let power = EXPONENT + QUOTE_DECIMALS - i32::from(self.lot_exponent);
        let scale = 10i64.pow(u32::try_from(-power).expect("no lot is that large"));
        i64::try_from(price).expect("a price") * scale
    }
}

/// What a feed says, and how it is written down.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The price and its time.
    pub price: PythPrice,
    /// How many guardians vouched for it (newer format).
    pub verification: Verification,
    /// The feed's state (older format).
    pub status: LegacyStatus,
    /// Who owns the account.
    pub owner: Pubkey,
}

impl<C: Chain> World<C> {
    /// The account of the market's feed.
    pub fn oracle_account(&self, market: u16) -> Pubkey {
        self.oracles[usize::from(market)].account
    }

    /// What an honest feed would say now: this price, in atoms per lot, with a narrow confidence interval.
    pub fn observe(&self, market: u16, price: u64) -> Observation {
        let oracle = &self.oracles[usize::from(market)];
        let mantissa = oracle.mantissa(price);
        Observation {
            price: PythPrice::new(oracle.feed, mantissa, mantissa.unsigned_abs() / 5_000, EXPONENT, self.now, 1),
            verification: Verification::Full,
            status: LegacyStatus::Trading,
            owner: match oracle.kind {
                OracleKind::PythReceiver => RECEIVER_PROGRAM,
                OracleKind::PythLegacy => LEGACY_PROGRAM,
            },
        }
    }

    /// Writes an observation into an account, in the format of the market's feed.
    pub fn write_observation(&mut self, market: u16, account: Pubkey, observation: &Observation) {
        let data = match self.oracles[usize::from(market)].kind {
            OracleKind::PythReceiver => observation.price.price_update(&Pubkey::default(), observation.verification),
            OracleKind::PythLegacy => observation.price.legacy_price(&Pubkey::default(), observation.status),
        };
        let lamports = self.chain.rent(data.len());
        let account_data =
            Account { lamports, data, owner: observation.owner, executable: false, rent_epoch: u64::MAX };
        self.chain.put_account(account, account_data);
    }

    /// Publishes an observation and lets the market read it.
    pub fn publish(&mut self, market: u16, observation: &Observation) -> Outcome {
        let account = self.oracle_account(market);
        self.write_observation(market, account, observation);
        self.refresh(market)
    }

    /// Lets the market read its feed.
    pub fn refresh(&mut self, market: u16) -> Outcome {
        let refresh = instructions::refresh_market(&self.market_keys(market), &self.oracle_account(market));
        self.send(&[refresh], &[])
    }

    /// One tick of a market at a price, `seconds` after what was before. The other markets hear nothing.
    pub fn tick(&mut self, market: u16, price: u64, seconds: i64) {
        self.wait(seconds);
        self.oracles[usize::from(market)].price = price;
        let observation = self.observe(market, price);
        self.publish(market, &observation).succeeds();
    }

    /// Lets time pass while every feed goes on publishing what it last said.
    pub fn advance(&mut self, seconds: i64) {
        self.wait(seconds);
        for market in 0..u16::try_from(self.oracles.len()).expect("a few markets") {
            let observation = self.observe(market, self.oracles[usize::from(market)].price);
            self.publish(market, &observation).succeeds();
        }
    }

    /// The price that the market's feed says.
    pub fn oracle_price(&self, market: u16) -> u64 {
        self.oracles[usize::from(market)].price
    }

    /// Changes what the market's feed goes on to say.
    pub fn set_oracle_price(&mut self, market: u16, price: u64) {
        self.oracles[usize::from(market)].price = price;
    }

    /// Moves a market's price, and lets ticks follow each other until mark and liquidation price have arrived there.
    ///
    /// # Panics
    /// If the price is so far away that the mark never arrives.
    pub fn move_price(&mut self, market: u16, price: u64) {
        self.oracles[usize::from(market)].price = price;
        for _ in 0..200 {
            self.advance(TICK_S);
            let state = *self.market(market).mark_state();
            let all = [state.mark, state.supported, state.tick, state.previous_tick];
            if all.iter().all(|arrived| arrived.0 == price) {
                return;
            }
        }
        panic!("the mark is at {:?}, not at {price}", self.market(market).mark_state());
    }
}
