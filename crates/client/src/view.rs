//! What positions hold and are worth: the program's and the pure crates' own formulas on a snapshot.
//!
//! Positions settle lazily, so an account's bytes alone are out of date: its market's ranking index knows what
//! deleveraging and funding did to it, its seat knows which of its orders were filled. Everything here looks through to
//! that, with the functions that the program itself calls.

mod due;
mod error;
mod protection;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use ballast::{
    logic::{Assessment, Marks, SlotHealth, position_state, slot_health},
    state::{MarginAccount, Market, Slot},
};
use ballast_book::BookView;
use ballast_rank::{Ahead, IndexView};
use ballast_risk::{health::PositionState, liquidation, mark::MarkState};
use ballast_units::{MAX_PRICE, Position, Price, Side};
use solana_pubkey::Pubkey;

pub use due::{Due, Offer};
pub use error::ViewError;
pub use protection::DueTrigger;

use crate::{
    accounts::DecodeError,
    snapshot::{MarketEntry, Snapshot},
};

/// A snapshot with its slabs opened.
#[derive(Clone)]
pub struct View<'a> {
    snapshot: &'a Snapshot,
    markets: Vec<Option<OpenMarket<'a>>>,
}

/// A market with its slabs opened.
#[derive(Clone)]
pub struct OpenMarket<'a> {
    /// The market as in the snapshot.
    pub entry: &'a MarketEntry,
    /// The market: the snapshot's, unless [`View::set_market`] replaced it.
    pub market: Cow<'a, Market>,
    /// Its order book.
    pub book: BookView<'a>,
    /// Its ranking index.
    pub ranks: IndexView<'a>,
}

/// An account's health and what it has at stake.
pub struct Exposure {
    /// The account.
    pub assessment: Assessment,
    /// Σ value of its positions at their marks, without their sides, in atoms.
    pub gross: u128,
    /// Σ value of its positions, longs less shorts.
    pub net: i128,
}

impl Snapshot {
    /// Opens the slabs.
    ///
    /// # Errors
    /// When one of them cannot be.
    pub fn view(&self) -> Result<View<'_>, ViewError> {
        let mut markets = Vec::new();
        for entry in self.markets() {
            let index = entry.keys.index;
            let failed = |error| ViewError::Slab(index, error);
            markets.resize(usize::from(index), None);
            markets.push(Some(OpenMarket {
                entry,
                market: Cow::Borrowed(&entry.market),
                book: entry.book.book().map_err(failed)?,
                ranks: entry.ranks.ranks().map_err(failed)?,
            }));
        }
        Ok(View { snapshot: self, markets })
    }

    /// [`View::assess`] for a single question.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn assess(&self, key: &Pubkey, marks: Marks) -> Result<Assessment, ViewError> {
        self.view()?.assess(key, marks, None)
    }
}

impl<'a> View<'a> {
    /// The snapshot.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// A market.
    ///
    /// # Errors
    /// When it is not in the snapshot.
    pub fn market(&self, index: u16) -> Result<&OpenMarket<'a>, ViewError> {
        self.markets.get(usize::from(index)).and_then(Option::as_ref).ok_or(ViewError::NoMarket(index))
    }

    /// Replaces a market's account by what it might be: another mark, another funding index, other parameters.
    ///
    /// # Errors
    /// When the market is not in the snapshot.
    pub fn set_market(&mut self, market: Market) -> Result<(), ViewError> {
        let index = market.index;
        let open = self.markets.get_mut(usize::from(index)).and_then(Option::as_mut);
        open.ok_or(ViewError::NoMarket(index))?.market = Cow::Owned(market);
        Ok(())
    }

    /// Replaces a market with its slabs by what they might be after something was tried on copies.
    ///
    /// # Errors
    /// When the market is not in the snapshot.
    pub fn replace(&mut self, market: Market, book: BookView<'a>, ranks: IndexView<'a>) -> Result<(), ViewError> {
        let index = market.index;
        let open = self.markets.get_mut(usize::from(index)).and_then(Option::as_mut);
        let open = open.ok_or(ViewError::NoMarket(index))?;
        (open.market, open.book, open.ranks) = (Cow::Owned(market), book, ranks);
        Ok(())
    }

    fn account(&self, key: &Pubkey) -> Result<&'a MarginAccount, ViewError> {
        self.snapshot.account(key).ok_or(ViewError::NoAccount(*key))
    }

    fn health(&self, slot: &Slot, key: &Pubkey, index: u16, marks: Marks) -> Result<SlotHealth, ViewError> {
        let open = self.market(index)?;
        Ok(slot_health(slot, key, &open.market, &open.book, &open.ranks, marks)?)
    }

    /// The account's health, with `primary` as the market of [`Assessment::primary`].
    ///
    /// # Errors
    /// See [`ViewError`]; at [`Marks::Confirmed`], also when only one tick supports a mark.
    pub fn assess(&self, key: &Pubkey, marks: Marks, primary: Option<u16>) -> Result<Assessment, ViewError> {
        self.assess_account(key, self.account(key)?, marks, primary)
    }

    /// As [`assess`](Self::assess), of an account that need not be as in the snapshot.
    ///
    /// # Errors
    /// As [`assess`](Self::assess).
    pub fn assess_account(
        &self,
        key: &Pubkey,
        account: &MarginAccount,
        marks: Marks,
        primary: Option<u16>,
    ) -> Result<Assessment, ViewError> {
        let mut assessment = Assessment::new(account.collateral);
        for slot in &account.slots {
            let Some(index) = slot.market() else { continue };
            let health = self.health(slot, key, index, marks)?;
            assessment.add(index, &health, primary == Some(index))?;
        }
        Ok(assessment)
    }

    /// The account's health with the value of its positions: by how much prices may move before it is due.
    ///
    /// # Errors
    /// As [`assess`](Self::assess).
    pub fn exposure(&self, key: &Pubkey, marks: Marks) -> Result<Exposure, ViewError> {
        let account = self.account(key)?;
        let mut exposure = Exposure { assessment: Assessment::new(account.collateral), gross: 0, net: 0 };
        for slot in &account.slots {
            let Some(index) = slot.market() else { continue };
            let slot_health = self.health(slot, key, index, marks)?;
            exposure.assessment.add(index, &slot_health, false)?;
            let notional = slot_health.health.notional;
            exposure.gross += u128::from(notional);
            let open = self.market(index)?;
            let state = position_state(slot, key, &open.market, &open.book, &open.ranks)?;
            exposure.net += i128::from(notional) * i128::from(state.position.side().map_or(0, Side::sign));
        }
        Ok(exposure)
    }

    /// What the account has in a market now: deleveraging, funding and waiting fills included. `None` when nothing.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn position(&self, key: &Pubkey, market: u16) -> Result<Option<PositionState>, ViewError> {
        self.position_of(key, self.account(key)?, market)
    }

    /// As [`position`](Self::position), of an account that need not be as in the snapshot.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn position_of(
        &self,
        key: &Pubkey,
        account: &MarginAccount,
        market: u16,
    ) -> Result<Option<PositionState>, ViewError> {
        let Some(slot) = account.slot_index(market) else { return Ok(None) };
        let open = self.market(market)?;
        let state = position_state(&account.slots[slot], key, &open.market, &open.book, &open.ranks)?;
        Ok(Some(state))
    }

    /// The price at which the position would close with its share of the account's equity spent, in atoms per lot; it
    /// may be negative. `None` without a position.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn bankruptcy_price(&self, key: &Pubkey, market: u16, marks: Marks) -> Result<Option<i64>, ViewError> {
        let position = self.position(key, market)?.map_or(Position::FLAT, |state| state.position);
        if position == Position::FLAT {
            return Ok(None);
        }
        let assessment = self.assess(key, marks, Some(market))?;
        Ok(Some(assessment.bankruptcy_price(position)?))
    }

    /// The mark at which the account is still above liquidation, and an atom beyond which it is not, with its other
    /// markets as they are. `None` without a position in the market, and where no mark makes the difference.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn liquidation_price(
        &self,
        key: &Pubkey,
        account: &MarginAccount,
        market: u16,
    ) -> Result<Option<Price>, ViewError> {
        let Some(slot) = account.slot_index(market).map(|at| &account.slots[at]) else { return Ok(None) };
        let open = self.market(market)?;
        let position = position_state(slot, key, &open.market, &open.book, &open.ranks)?.position;
        let Some(side) = position.side() else { return Ok(None) };
        let mut rest = Assessment::new(account.collateral);
        for slot in &account.slots {
            let Some(index) = slot.market().filter(|index| *index != market) else { continue };
            rest.add(index, &self.health(slot, key, index, Marks::Current)?, false)?;
        }
        // Values up to there fit their type with room for the rest of the account.
        let highest = Price(MAX_PRICE.min(i64::MAX.unsigned_abs() / 4 / position.lots().0));
        let mut tried = open.market.clone().into_owned();
        liquidation::liquidation_price(side, highest, |mark| {
            tried.set_mark_state(MarkState { mark, ..*tried.mark_state() });
            let health = slot_health(slot, key, &tried, &open.book, &open.ranks, Marks::Current)?;
            let mut at_mark = rest.account;
            at_mark.add(&health.health)?;
            Ok(at_mark)
        })
    }

    /// What stands before the position in the order of deleveraging, at the mark. `None` when it is not in the index.
    /// [`Ahead::lights`] gives the five lights.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn rank(&self, key: &Pubkey, market: u16) -> Result<Option<Ahead>, ViewError> {
        let account = self.account(key)?;
        let Some(slot) = account.slot_index(market).map(|at| &account.slots[at]) else { return Ok(None) };
        let (true, Some(side)) = (slot.is_member(), slot.position().side()) else { return Ok(None) };
        let open = self.market(market)?;
        let ahead = open.ranks.ahead(side, slot.membership(), open.market.mark(), open.market.funding_index());
        ahead.map(Some).map_err(|error| ViewError::Slab(market, DecodeError::Ranks(error)))
    }
}

/// The part of the side's open interest that is deleveraged before the position, in basis points rounded down.
pub fn share_ahead_bps(ahead: &Ahead) -> u32 {
    let share = u128::from(ahead.lots_ahead.0) * u128::from(ballast_units::BPS) / u128::from(ahead.total.0.max(1));
    u32::try_from(share).unwrap_or(u32::MAX)
}
