//! Triggers and ladders: what an account has, and what is due, as the program would see it.

use ballast::logic::{Duty, Marks, confirmed_mark, duty, position_state, rung_would_trade, slot_health};
use ballast::state::MarketStatus;
use ballast_book::{Fires, Trigger, TriggerPrice, trailing_price};
use ballast_risk::oracle::Action;
use ballast_units::{Price, Side};
use solana_pubkey::Pubkey;

use super::{View, ViewError};

/// A trigger and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTrigger {
    /// The account that it protects.
    pub account: Pubkey,
    /// The trigger.
    pub trigger: Trigger,
}

impl View<'_> {
    /// An account's triggers in a market, newest first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn triggers(&self, key: &Pubkey, market: u16) -> Result<Vec<Trigger>, ViewError> {
        let account = self.account(key)?;
        let seat = account.slot_index(market).map_or(0, |at| account.slots[at].seat);
        let book = &self.market(market)?.book;
        Ok(book.seat_triggers(seat).map(|triggers| triggers.collect()).unwrap_or_default())
    }

    /// All triggers of a market that anyone may execute at `now`, of each direction first to fire first: the mark has crossed
    /// their price, and their position is there. Those that are over come too: they may be removed. No number of triggers
    /// that wait for a position hides those behind them.
    ///
    /// # Errors
    /// See [`ViewError`]; also when the market's price does not allow it.
    pub fn due_triggers(&self, market: u16, now: i64) -> Result<Vec<DueTrigger>, ViewError> {
        let open = self.market(market)?;
        open.market.require_price(Action::Liquidate, now)?;
        let mut due = Vec::new();
        if open.market.status()? == MarketStatus::Paused {
            return Ok(due);
        }
        for fires in Fires::BOTH {
            let confirmed = confirmed_mark(&open.market, fires)?;
            for trigger in open.book.due_triggers(fires, confirmed) {
                let Ok(seat) = open.book.seat_by_id(trigger.seat) else { continue };
                let account = Pubkey::new_from_array(seat.account);
                let Some(state) = self.position(&account, market)? else { continue };
                // One that waits for its entry is not due; one that is over is, to be removed.
                if duty(state.position, &open.book, &trigger)? != Duty::Waits || trigger.expired(now) {
                    due.push(DueTrigger { account, trigger });
                }
            }
        }
        Ok(due)
    }

    /// Trailing stops of a market that would follow the mark now by at least `step_ppm` millionths of their price, each
    /// with the price at which it would stand.
    ///
    /// # Errors
    /// See [`ViewError`]; also when the market's price does not allow it.
    pub fn followers(&self, market: u16, now: i64, step_ppm: u64) -> Result<Vec<(Trigger, Price)>, ViewError> {
        let open = self.market(market)?;
        open.market.require_price(Action::Liquidate, now)?;
        let mut found = Vec::new();
        for fires in Fires::BOTH {
            let reached = confirmed_mark(&open.market, fires.opposite())?;
            for trigger in open.book.triggers(fires) {
                let TriggerPrice::Trailing { ppm, best } = trigger.terms.price else { continue };
                let better = match trigger.side {
                    Side::Short => reached > best,
                    Side::Long => reached < best,
                };
                let next = trailing_price(trigger.side, reached, ppm);
                let moved = u128::from(next.0.abs_diff(trigger.price.0)) * 1_000_000;
                if better && moved > 0 && moved >= u128::from(step_ppm) * u128::from(trigger.price.0) {
                    found.push((trigger, next));
                }
            }
        }
        Ok(found)
    }

    /// The market in which the account's ladder may be executed now, if a rung is due or rungs may be armed again.
    ///
    /// # Errors
    /// See [`ViewError`]; also when the price of one of its markets does not allow it.
    pub fn due_ladder(&self, key: &Pubkey, now: i64) -> Result<Option<u16>, ViewError> {
        let account = self.account(key)?;
        let mut ladder = *account.ladder();
        if ladder.rungs[0].ratio_bps == 0 || account.progress().bankrupt_since != 0 {
            return Ok(None);
        }
        for slot in account.slots.iter().filter(|slot| slot.lots != 0 || slot.seat != 0) {
            let Some(index) = slot.market() else { continue };
            self.market(index)?.market.require_price(Action::Liquidate, now)?;
        }
        let assessment = self.assess(key, Marks::Confirmed, None)?;
        let ratio = assessment.account.margin_ratio_bps();
        let armed = ladder.rearm(ratio);
        if ladder.due(ratio).is_none() {
            return Ok(assessment.most_relief.filter(|_| armed));
        }
        self.rung_market(key, now)
    }

    /// The market of the position with the most relief, of those whose book has anything for a rung.
    fn rung_market(&self, key: &Pubkey, now: i64) -> Result<Option<u16>, ViewError> {
        let account = self.account(key)?;
        let slippage_bps = account.ladder().slippage_bps;
        let mut best: Option<(u64, u16)> = None;
        for slot in &account.slots {
            let Some(index) = slot.market() else { continue };
            let open = self.market(index)?;
            let (market, book, ranks) = (&open.market, &open.book, &open.ranks);
            let health = slot_health(slot, key, market, book, ranks, Marks::Confirmed)?.health;
            let position = position_state(slot, key, market, book, ranks)?.position;
            let more = health.notional > 0 && best.is_none_or(|(most, _)| health.maintenance > most);
            if more && rung_would_trade(position, market, book, slippage_bps, now)? {
                best = Some((health.maintenance, index));
            }
        }
        Ok(best.map(|(_, index)| index))
    }
}
