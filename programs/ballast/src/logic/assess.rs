//! The health of a whole account: what each slot holds now, deleveraging and waiting fills included, and what that
//! means for margin.

use anchor_lang::prelude::*;
use ballast_book::{BookView, Pending};
use ballast_rank::{Holding, IndexView};
use ballast_risk::{
    funding,
    health::{self, Account, MarketState, PositionHealth, PositionState},
    liquidation, mark,
    oracle::Action,
};
use ballast_units::{Lots, Position, Price, Quote, Side};

use super::{Others, Venue};
use crate::{
    error::{BallastError, OrFail},
    state::{MAX_SLOTS, MarginAccount, Market, Slot},
};

/// At which price positions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// The mark.
    Current,
    /// Per position the less favourable of the mark and the last tick: for opening and withdrawing, while the mark is
    /// still on its way to a price that everybody knows.
    Cautious,
    /// Per position the more favourable of the last two ticks, so that no single tick liquidates anybody.
    Confirmed,
}

/// An account's health, and that of its position in one market, the primary.
#[derive(Default)]
pub struct Assessment {
    /// The whole account.
    pub account: Account,
    /// Its position in the primary market.
    pub primary: PositionHealth,
    /// The mark used for that position.
    pub primary_mark: Price,
    /// Realised losses and funding owed that have not reached their pools yet, in atoms.
    pub losses_owed: u64,
    /// The market whose position a forced reduction takes first, if there is any position.
    pub most_relief: Option<u16>,
    largest_maintenance: u64,
}

impl Assessment {
    /// Of an account without positions.
    pub fn new(collateral: u64) -> Self {
        Assessment { account: Account::new(collateral), ..Assessment::default() }
    }

    /// Adds a slot. Forced reductions begin with the position that needs the most maintenance margin, the first such
    /// in the order of the slots.
    pub fn add(&mut self, market: u16, slot: &SlotHealth, primary: bool) -> Result<()> {
        let health = &slot.health;
        self.account.add(health).or_fail()?;
        self.losses_owed = self.losses_owed.checked_add(slot.owed).ok_or(BallastError::Overflow)?;
        if health.notional > 0 && (self.most_relief.is_none() || health.maintenance > self.largest_maintenance) {
            self.most_relief = Some(market);
            self.largest_maintenance = health.maintenance;
        }
        if primary {
            self.primary = *health;
            self.primary_mark = slot.mark;
        }
        Ok(())
    }

    /// The bankruptcy price of the position in the instruction's market.
    pub fn bankruptcy_price(&self, position: Position) -> Result<i64> {
        liquidation::bankruptcy_price(position, self.primary_mark, self.primary.maintenance, &self.account).or_fail()
    }
}

/// Assesses `margin`, whose slot `primary` is in `venue`'s market; `None` when the account has nothing there. Every
/// other slot's market must be among `others`, with a price good enough for `action` if one is named.
pub fn assess(
    margin: &MarginAccount,
    key: &Pubkey,
    venue: Option<(&Venue, usize)>,
    others: &Others,
    marks: Marks,
    action: Option<Action>,
    now: i64,
) -> Result<Assessment> {
    let mut assessment = Assessment::new(margin.collateral);
    let mut hint = 0;
    for index in 0..MAX_SLOTS {
        let slot = &margin.slots[index];
        let Some(market_index) = slot.market() else { continue };
        match venue {
            Some((venue, primary)) if primary == index => {
                let health = slot_health(slot, key, venue.market, &venue.book.view(), &venue.ranks.view(), marks)?;
                assessment.add(market_index, &health, true)?;
            }
            _ => {
                let health = others.read(market_index, hint, |market, book, ranks| {
                    // A claim on a pool needs no price: a dead market must not lock the rest of the account.
                    let priced = slot.lots != 0 || slot.seat != 0;
                    if let Some(action) = action.filter(|_| priced) {
                        market.require_price(action, now)?;
                    }
                    slot_health(slot, key, market, book, ranks, marks)
                })?;
                hint += 1;
                assessment.add(market_index, &health, false)?;
            }
        }
    }
    Ok(assessment)
}

/// The health of one slot.
#[derive(Clone, Copy)]
pub struct SlotHealth {
    /// Its part in the account's health.
    pub health: PositionHealth,
    /// The mark at which it was taken.
    pub mark: Price,
    /// Realised loss and funding that it owes its pool.
    pub owed: u64,
}

/// The health of one slot. Keepers call this on account data too, so that they decide with the program's own lines.
pub fn slot_health(
    slot: &Slot,
    key: &Pubkey,
    market: &Market,
    book: &BookView,
    ranks: &IndexView,
    marks: Marks,
) -> Result<SlotHealth> {
    let state = position_state(slot, key, market, book, ranks)?;
    let mark = match (marks, state.position.side()) {
        (Marks::Current, _) | (Marks::Cautious | Marks::Confirmed, None) => market.mark(),
        (Marks::Cautious, Some(Side::Long)) => market.mark().min(market.mark_state().tick),
        (Marks::Cautious, Some(Side::Short)) => market.mark().max(market.mark_state().tick),
        (Marks::Confirmed, Some(side)) => {
            mark::liquidation_price(side, market.mark_state()).ok_or(BallastError::OracleSingleTick)?
        }
    };
    let market_state = MarketState {
        mark,
        tiers: market.params.tiers(),
        pool: market.pool,
        profit_haircut_bps: market.params.profit_haircut_bps,
        margin_multiplier_bps: market.params.margin_multiplier_bps,
    };
    let owed = state.unsettled.add(state.funding).or_fail()?.negative_part();
    Ok(SlotHealth { health: health::assess(&state, &market_state).or_fail()?, mark, owed })
}

/// What `slot` holds now: the index's view of a deleveraged position, funding to date, fills and orders in the seat.
pub fn position_state(
    slot: &Slot,
    key: &Pubkey,
    market: &Market,
    book: &BookView,
    ranks: &IndexView,
) -> Result<PositionState> {
    let mut slot = *slot;
    let mut state = PositionState::default();
    if let Some(side) = slot.position().side().filter(|_| slot.is_member()) {
        let holding = ranks.peek(side, slot.membership(), market.funding_index(), market.mark()).or_fail()?;
        state.funding = holding.funding;
        apply_holding(&mut slot, &holding)?;
    }
    if slot.seat != 0 {
        let seat = book.seat(slot.seat, &key.to_bytes()).or_fail()?;
        let pending = seat.pending();
        if pending != Pending::default() {
            slot.trade(Position(pending.base), Quote(pending.cash))?;
            slot.unsettled = slot.unsettled.checked_sub(pending.fees).ok_or(BallastError::Overflow)?;
            let (waited, _) = funding::whole_atoms(pending.funding_at(market.funding_index()).or_fail()?).or_fail()?;
            state.funding = state.funding.add(waited).or_fail()?;
        }
        state.bids = Lots(seat.bid_lots);
        state.bid_quote = seat.bid_quote;
        state.asks = Lots(seat.ask_lots);
        state.ask_quote = seat.ask_quote;
    }
    state.position = slot.position();
    state.basis = Quote(slot.basis);
    state.unsettled = Quote(slot.unsettled);
    Ok(state)
}

/// Applies to a slot what the ranking index says has become of its position.
pub fn apply_holding(slot: &mut Slot, holding: &Holding) -> Result<()> {
    if holding.lots != slot.size() || holding.proceeds != Quote::ZERO {
        slot.deleveraged_to(holding.lots, holding.proceeds)?;
    }
    Ok(())
}

/// Fails with the reason when an account that increased its risk does not cover its initial margin.
pub fn require_initial_margin(account: &Account) -> Result<()> {
    let required = i64::try_from(account.initial).map_err(|_| BallastError::Overflow)?;
    require!(account.initial_equity.0 >= required, BallastError::InsufficientMargin);
    Ok(())
}
