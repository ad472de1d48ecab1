//! One market: parameters, mark, funding, money pools, counters.

use anchor_lang::prelude::*;
use ballast_book::MatchTerms;
use ballast_risk::{
    funding::FundingState,
    insurance::Budget,
    mark::MarkState,
    oracle::{Action, Reading, conditions},
};
use ballast_units::{Price, Side};

use super::MarketParams;
use crate::error::{BallastError, OrFail};

/// Seed of a market's address, followed by the exchange and the market's index (two bytes, little endian).
pub const MARKET_SEED: &[u8] = b"market";

/// What may be done in a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MarketStatus {
    /// Everything.
    Active = 1,
    /// Orders that reduce, settlement, liquidation.
    ReduceOnly = 2,
    /// No orders; settlement and liquidation go on.
    Paused = 3,
}

impl MarketStatus {
    /// From its number.
    pub fn from_code(code: u8) -> Result<Self> {
        match code {
            1 => Ok(MarketStatus::Active),
            2 => Ok(MarketStatus::ReduceOnly),
            3 => Ok(MarketStatus::Paused),
            _ => Err(BallastError::MarketState.into()),
        }
    }
}

/// Which adapter reads the market's oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OracleKind {
    /// Pyth's receiver program, `PriceUpdateV2`.
    PythReceiver = 1,
    /// Pyth's legacy price account.
    PythLegacy = 2,
}

impl OracleKind {
    /// From its number.
    pub fn from_code(code: u8) -> Result<Self> {
        match code {
            1 => Ok(OracleKind::PythReceiver),
            2 => Ok(OracleKind::PythLegacy),
            _ => Err(BallastError::ParameterOutOfBounds.into()),
        }
    }
}

/// One market.
///
/// Money identity, exact, in units of 2^-24 atoms (the ranking index's cash is at the market's funding index):
/// Σ (unsettled − basis) over the accounts + Σ pending cash and funding of seats + Σ cell cash + dust cash
/// + `fee_claims` = `pool`.
#[account(zero_copy)]
pub struct Market {
    /// Layout version.
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// The market's index in its exchange.
    pub index: u16,
    /// [`MarketStatus`].
    pub status: u8,
    /// [`OracleKind`].
    pub oracle_kind: u8,
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
    /// Explicit padding.
    pub padding: u8,
    /// The exchange.
    pub exchange: Pubkey,
    /// The order book's account.
    pub book: Pubkey,
    /// The ranking index's account.
    pub ranks: Pubkey,
    /// Program that must own the oracle account.
    pub oracle_program: Pubkey,
    /// Feed id (receiver) or address (legacy) of the oracle.
    pub oracle_feed: [u8; 32],
    /// Name, padded with zeros.
    pub symbol: [u8; 16],
    /// Parameters.
    pub params: MarketParams,
    /// Mark, ticks and slow average ([`ballast_risk::mark::MarkState`] as words).
    pub mark_state: [u64; MARK_WORDS],
    /// The last oracle price ([`Reading`] as words).
    pub reading: [u64; READING_WORDS],
    /// Funding ([`FundingState`] as words).
    pub funding: [u64; FUNDING_WORDS],
    /// Atoms that realised losses have paid and realised profits have not drawn yet.
    pub pool: u64,
    /// Trading fees owed to the exchange, in settled atoms.
    pub fees: u64,
    /// Fees owed to insurance, in settled atoms, until they are swept into its vault.
    pub insurance_fees: u64,
    /// Fees that were charged against unsettled profit: the exchange's own claim on the pool.
    pub fee_claims: i64,
    /// Rebates that makers' fills have earned and that wait in seats, in settled atoms, set aside from the fees of the
    /// takers who filled them.
    pub rebates: u64,
    /// Room to grow.
    pub reserved_word: u64,
    /// Insurance paid into this market so far.
    pub insurance_drawn: u64,
    /// Insurance budget of the running window ([`ballast_risk::insurance::Budget`] as words).
    pub budget: [u64; BUDGET_WORDS],
    /// Number of deleverage instructions so far.
    pub deleverages: u64,
    /// Lots deleveraged so far.
    pub deleveraged_lots: u64,
    /// Value liquidated so far, on the book and by takeover.
    pub liquidated_quote: u64,
    /// Room to grow.
    pub reserved: [u64; 12],
}

/// Words of a [`MarkState`].
pub const MARK_WORDS: usize = 8;
/// Words of a [`Reading`].
pub const READING_WORDS: usize = 3;
/// Words of a [`FundingState`].
pub const FUNDING_WORDS: usize = 4;
/// Words of a [`Budget`].
pub const BUDGET_WORDS: usize = 3;
const _: () = assert!(core::mem::size_of::<MarkState>() == 8 * MARK_WORDS);
const _: () = assert!(core::mem::size_of::<Reading>() == 8 * READING_WORDS);
const _: () = assert!(core::mem::size_of::<FundingState>() == 8 * FUNDING_WORDS);
const _: () = assert!(core::mem::size_of::<Budget>() == 8 * BUDGET_WORDS);

impl Market {
    /// Mark, ticks and slow average.
    pub fn mark_state(&self) -> &MarkState {
        bytemuck::cast_ref(&self.mark_state)
    }

    /// Replaces the mark's state.
    pub fn set_mark_state(&mut self, state: MarkState) {
        self.mark_state = bytemuck::cast(state);
    }

    /// The mark; zero before the first price.
    pub fn mark(&self) -> Price {
        self.mark_state().mark
    }

    /// The last oracle price.
    pub fn reading(&self) -> &Reading {
        bytemuck::cast_ref(&self.reading)
    }

    /// Replaces the last oracle price.
    pub fn set_reading(&mut self, reading: Reading) {
        self.reading = bytemuck::cast(reading);
    }

    /// Funding.
    pub fn funding(&self) -> &FundingState {
        bytemuck::cast_ref(&self.funding)
    }

    /// Cumulative funding per lot, atoms × 2^24.
    pub fn funding_index(&self) -> i64 {
        self.funding().index
    }

    /// Replaces the funding state.
    pub fn set_funding(&mut self, next: FundingState) {
        self.funding = bytemuck::cast(next);
    }

    /// Exponent of a lot: it is 10^this of the base asset.
    pub fn lot_exponent(&self) -> i32 {
        -i32::from(self.lot_exponent)
    }

    /// Fails unless the market's price is good enough for `action`.
    pub fn require_price(&self, action: Action, now: i64) -> Result<()> {
        let params = self.params.oracle(self.lot_exponent());
        conditions(self.reading(), self.mark_state(), now, &params).allow(action).or_fail()
    }

    /// The insurance budget of the running window.
    pub fn budget_mut(&mut self) -> &mut Budget {
        bytemuck::cast_mut(&mut self.budget)
    }

    /// The insurance budget of the running window.
    pub fn budget(&self) -> &Budget {
        bytemuck::cast_ref(&self.budget)
    }

    /// What may be done.
    pub fn status(&self) -> Result<MarketStatus> {
        MarketStatus::from_code(self.status)
    }

    /// On what terms orders match at `now`: the band, and where pegged orders stand from.
    pub fn terms(&self, now: i64) -> Result<MatchTerms> {
        let (mark, tick) = (self.mark().0, self.params.tick.max(1));
        let low = mark - mark % tick;
        let high = if low == mark { low } else { low.checked_add(tick).ok_or(BallastError::Overflow)? };
        let (bids, asks) = self.ranges()?;
        Ok(MatchTerms { bids, asks, references: (Price(low), Price(high)), now })
    }

    /// Lowest and highest price at which bids match, and asks: within the band about the mark, but where a fill would cost the
    /// maker against the mark, by no more than the lowest initial margin rate, which is the least that was reserved for it. So an order
    /// that the mark has left behind takes no more from its maker, whoever trades with it, than its maker put up.
    #[inline(always)]
    fn ranges(&self) -> Result<((Price, Price), (Price, Price))> {
        let mark = self.mark().0;
        let share = |bps: u32| {
            let share = mark.checked_mul(u64::from(bps)).ok_or(BallastError::Overflow)? / ballast_units::BPS;
            Result::Ok(share)
        };
        let gain = share(self.params.band_bps)?;
        let loss = share(self.params.band_bps.min(self.params.tiers[0].initial_bps))?;
        let about = |below: u64, above: u64| {
            let high = mark.checked_add(above).ok_or(BallastError::Overflow)?;
            Result::Ok((Price(mark.saturating_sub(below).max(1)), Price(high)))
        };
        Ok((about(gain, loss)?, about(loss, gain)?))
    }

    /// Lowest and highest price at which resting orders of a side match.
    pub fn range(&self, side: Side) -> Result<(Price, Price)> {
        let (bids, asks) = self.ranges()?;
        Ok(match side {
            Side::Long => bids,
            Side::Short => asks,
        })
    }

    /// Lowest and highest price at which anything matches.
    pub fn band(&self) -> Result<(Price, Price)> {
        let (bids, asks) = self.ranges()?;
        Ok((bids.0, asks.1))
    }
}
