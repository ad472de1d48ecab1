//! Placing, editing and cancelling triggers: take-profit, stop-loss and trailing stops, alone or as a pair of which one
//! cancels the other. `docs/protection.md` has their exact meaning.
//!
//! A trigger only ever reduces, so it needs no margin; it needs something to protect.

use anchor_lang::prelude::*;
use ballast_book::{Book, Execution, Fires, NewTrigger, RestingOrder, Terms, Trigger, TriggerId, TriggerPrice};
use ballast_risk::oracle::Action;
use ballast_units::{Lots, Position, Price, Side};

use super::{CancelOrders, OrderRef, accounts::require_same_exchange};
use crate::{
    error::{BallastError, OrFail},
    events::{TriggerChange, TriggerSet, TriggersRemoved, TriggersRemovedFor},
    logic::{confirmed_mark, find_order, slab},
    record::tell,
    state::{BOOK_MAGIC, Current as _, MarginAccount, Market, MarketStatus, slab_bytes_mut},
};

/// What a trigger is called; with the side of its order it says in which direction it fires.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerKind {
    /// Fires when the mark has moved in the position's favour.
    TakeProfit,
    /// Fires when the mark has moved against it.
    StopLoss,
}

/// What a trigger places when it is executed.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerExecution {
    /// An order that takes, at worst this many basis points beyond the mark at that time.
    Market {
        /// Beyond the mark.
        slippage_bps: u16,
    },
    /// An order at this price, of which the rest comes to rest.
    Limit {
        /// In atoms per lot, a multiple of the tick.
        price: u64,
    },
}

/// What of a trigger can be edited.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriggerTerms {
    /// Where it fires, in atoms per lot; 0 if it trails.
    pub price: u64,
    /// Lots at most; 0 for the whole position, whatever that is then.
    pub lots: u64,
    /// What it places.
    pub execution: TriggerExecution,
    /// How far it stays behind the best mark, in ppm; 0 if it does not trail. For stop-losses of an open position.
    pub trail_ppm: u32,
    /// Unix time at which it expires; 0 for never.
    pub expires_at: i64,
}

/// The order that opens what a bracket protects.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct BracketEntry {
    /// The order.
    pub order: OrderRef,
    /// Lots of that side which the account held before the order was placed: they are not the bracket's.
    pub held: u64,
}

/// A trigger.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriggerArgs {
    /// Whether its order buys (reduces a short) or sells (reduces a long).
    pub buys: bool,
    /// What it is.
    pub kind: TriggerKind,
    /// Where it fires and what it places.
    pub terms: TriggerTerms,
    /// The client's own id.
    pub client_id: u64,
}

impl TriggerArgs {
    /// The side of its order.
    pub fn side(&self) -> Side {
        if self.buys { Side::Long } else { Side::Short }
    }

    /// In which direction it fires.
    pub fn fires(&self) -> Fires {
        match self.kind {
            TriggerKind::StopLoss => Fires::stop(self.side()),
            TriggerKind::TakeProfit => Fires::stop(self.side()).opposite(),
        }
    }
}

/// Accounts of `place_triggers` and `edit_trigger`.
#[derive(Accounts)]
pub struct SetTriggers<'info> {
    /// Owner or delegate.
    pub trader: Signer<'info>,
    /// The account that is protected.
    #[account(mut)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The market.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

impl SetTriggers<'_> {
    /// Checks the signer, the market and its state; gives the account's slot in it.
    fn slot(&self, margin: &MarginAccount, market: &Market) -> Result<usize> {
        margin.require_trader(self.trader.key)?;
        require_same_exchange(margin, market)?;
        require!(market.status()? != MarketStatus::Paused, BallastError::MarketState);
        margin.slot_index(market.index).ok_or_else(|| BallastError::NothingToProtect.into())
    }
}

/// Places a trigger, or two of which one cancels the other: what one trades comes off both. With `entry` they are a bracket: as long
/// as that order rests they wait for what it opens. One that has filled already needs no waiting for.
pub fn place_triggers(
    ctx: Context<SetTriggers>,
    first: TriggerArgs,
    second: Option<TriggerArgs>,
    entry: Option<BracketEntry>,
) -> Result<()> {
    let accounts = ctx.accounts;
    let key = accounts.margin.key();
    let margin = &mut *accounts.margin.current_mut()?;
    let market = &*accounts.market.current()?;
    let slot = accounts.slot(margin, market)?;
    let mut data = slab(&accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    let mut protected = Protected::of(&book, margin, slot, &key)?;
    if let Some(entry) = entry {
        let order = find_order(&book.view(), margin.slots[slot].seat, entry.order)?;
        protected.expect(order, Lots(entry.held), first.side())?;
    }
    if let Some(second) = &second {
        let fits = second.buys == first.buys && second.terms.lots == first.terms.lots;
        require!(fits, BallastError::InvalidTrigger);
    }
    if margin.slots[slot].seat == 0 {
        margin.slots[slot].seat = book.open_seat(key.to_bytes(), margin.owner.to_bytes()).or_fail()?;
    }
    let seat = margin.slots[slot].seat;
    let one = place(&mut book, market, &protected, seat, &first)?;
    let other = second.map(|second| place(&mut book, market, &protected, seat, &second)).transpose()?;
    if let Some(other) = other {
        book.pair_triggers(one, other).or_fail()?;
    }
    for (id, sibling) in [(Some(one), other), (other, Some(one))] {
        if let Some(id) = id {
            let trigger = book.view().trigger(id).or_fail()?;
            report(market, &key, TriggerChange::Placed, &trigger, sibling.map_or(0, |sibling| sibling.0));
        }
    }
    Ok(())
}

/// Gives a trigger new terms; its side, its kind and its pair stay.
pub fn edit_trigger(ctx: Context<SetTriggers>, trigger: u64, terms: TriggerTerms) -> Result<()> {
    let accounts = ctx.accounts;
    let key = accounts.margin.key();
    let margin = &*accounts.margin.current()?;
    let market = &*accounts.market.current()?;
    let slot = accounts.slot(margin, market)?;
    let mut data = slab(&accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    let mut protected = Protected::of(&book, margin, slot, &key)?;
    let (id, seat) = (TriggerId(trigger), margin.slots[slot].seat);
    let old = book.view().trigger(id).or_fail()?;
    require!(old.seat == seat && !old.spent, BallastError::TriggerNotFound);
    protected.entry = if book.view().awaits(id).or_fail()? { old.entry } else { 0 };
    let mut terms = protected.terms(market, old.side, old.fires, &terms)?;
    // What it has followed so far is not forgotten.
    if let (TriggerPrice::Trailing { best, .. }, TriggerPrice::Trailing { best: before, .. }) =
        (&mut terms.price, old.terms.price)
    {
        *best = match old.fires {
            Fires::AtOrBelow => before.max(*best),
            Fires::AtOrAbove => before.min(*best),
        };
    }
    book.edit_trigger(id, seat, terms).or_fail()?;
    let trigger = book.view().trigger(id).or_fail()?;
    protected.require_not_due(market, &trigger)?;
    report(market, &key, TriggerChange::Edited, &trigger, sibling_of(&book, id)?);
    Ok(())
}

/// Cancels one trigger; the other of its pair stays.
pub fn cancel_trigger(ctx: Context<CancelOrders>, trigger: u64) -> Result<()> {
    cancel(ctx.accounts, |book, seat| {
        book.remove_trigger(TriggerId(trigger), seat).or_fail()?;
        Ok(vec![trigger])
    })
}

/// Cancels all triggers of the account in this market.
pub fn cancel_all_triggers(ctx: Context<CancelOrders>) -> Result<()> {
    cancel(ctx.accounts, |book, seat| {
        let mut triggers = Vec::new();
        book.remove_triggers(seat, |trigger| {
            triggers.push(trigger.id.0);
            true
        })
        .or_fail()?;
        Ok(triggers)
    })
}

fn cancel(accounts: &CancelOrders, remove: impl FnOnce(&mut Book, u32) -> Result<Vec<u64>>) -> Result<()> {
    accounts.at_seat(|book, seat, market| {
        let triggers = remove(book, seat)?;
        require!(!triggers.is_empty(), BallastError::TriggerNotFound);
        let (account, reason) = (accounts.margin.key(), TriggersRemovedFor::Cancelled);
        tell(&TriggersRemoved { market, account, reason, triggers });
        Ok(())
    })
}

/// What an account has in a market for a trigger to protect.
struct Protected {
    /// With the fills that wait in the seat.
    position: Position,
    /// Sequence of the resting order that opens it, 0 for none.
    entry: u64,
    /// Of a bracket: what of the position is its entry's.
    filled: Option<Lots>,
    now: i64,
}

impl Protected {
    fn of(book: &Book, margin: &MarginAccount, slot: usize, key: &Pubkey) -> Result<Protected> {
        let now = Clock::get()?.unix_timestamp;
        let slot = &margin.slots[slot];
        let mut position = slot.position();
        if slot.seat != 0 {
            let seat = book.seat(slot.seat, &key.to_bytes()).or_fail()?;
            position = position.add(Position(seat.pending_base)).or_fail()?;
        }
        Ok(Protected { position, entry: 0, filled: None, now })
    }

    /// Triggers of `side` are of what an order opens beyond `held`, and wait for it, if it rests.
    fn expect(&mut self, entry: Option<RestingOrder>, held: Lots, side: Side) -> Result<()> {
        let there = if self.holds(side) { self.position.lots() } else { Lots::ZERO };
        let filled = Lots(there.0.saturating_sub(held.0));
        self.filled = Some(filled);
        let Some(order) = entry else {
            require!(!filled.is_zero(), BallastError::NothingToProtect);
            return Ok(());
        };
        require!(order.side == side.opposite() && !order.reduce_only, BallastError::InvalidTrigger);
        self.entry = order.id.sequence();
        Ok(())
    }

    /// Whether the position that orders of `side` reduce is there already.
    fn holds(&self, side: Side) -> bool {
        self.position.side() == Some(side.opposite())
    }

    /// Terms as the book has them, checked against market and clock.
    fn terms(&self, market: &Market, side: Side, fires: Fires, terms: &TriggerTerms) -> Result<Terms> {
        require!(self.holds(side) || self.entry != 0, BallastError::NothingToProtect);
        require!(terms.expires_at == 0 || terms.expires_at > self.now, BallastError::Expired);
        let price = match terms.trail_ppm {
            0 => TriggerPrice::Fixed(Price(terms.price)),
            ppm => {
                require!(terms.price == 0, BallastError::InvalidTrigger);
                require!(self.holds(side), BallastError::NothingToProtect);
                market.require_price(Action::Liquidate, self.now)?;
                TriggerPrice::Trailing { ppm, best: confirmed_mark(market, fires.opposite())? }
            }
        };
        let execution = match terms.execution {
            TriggerExecution::Market { slippage_bps } => Execution::Market { slippage_bps },
            TriggerExecution::Limit { price } => {
                require!(price.is_multiple_of(market.params.tick), BallastError::BadPrice);
                Execution::Limit(Price(price))
            }
        };
        let mut lots = if terms.lots == 0 { None } else { Some(Lots(terms.lots)) };
        // An entry that has filled at once needs no waiting for, but its bracket is of no more than that.
        if let Some(filled) = self.filled.filter(|filled| self.entry == 0 && *filled < self.position.lots()) {
            lots = Some(lots.map_or(filled, |lots| lots.min(filled)));
        }
        Ok(Terms { price, lots, execution, expires_at: terms.expires_at })
    }

    /// Fails if the trigger could be executed at once. While there is no position, none can.
    fn require_not_due(&self, market: &Market, trigger: &Trigger) -> Result<()> {
        if !self.holds(trigger.side) || !market.mark_state().is_supported() {
            return Ok(());
        }
        let due = trigger.fires.reached(trigger.price, confirmed_mark(market, trigger.fires)?);
        require!(!due, BallastError::TriggerAlreadyDue);
        Ok(())
    }
}

fn place(book: &mut Book, market: &Market, protected: &Protected, seat: u32, args: &TriggerArgs) -> Result<TriggerId> {
    let (side, fires) = (args.side(), args.fires());
    let terms = protected.terms(market, side, fires, &args.terms)?;
    let (client_id, entry) = (args.client_id, protected.entry);
    let filled = protected.filled.unwrap_or(Lots::ZERO);
    let id = book.place_trigger(NewTrigger { seat, side, fires, terms, client_id, entry, filled }).or_fail()?;
    protected.require_not_due(market, &book.view().trigger(id).or_fail()?)?;
    Ok(id)
}

/// The sequence of the other of a trigger's pair, 0 if it has none.
pub(super) fn sibling_of(book: &Book, id: TriggerId) -> Result<u64> {
    Ok(book.view().sibling(id).or_fail()?.map_or(0, |sibling| sibling.sequence()))
}

/// Reports a trigger's terms.
pub(super) fn report(market: &Market, account: &Pubkey, cause: TriggerChange, trigger: &Trigger, sibling: u64) {
    let (limit, slippage_bps) = match trigger.terms.execution {
        Execution::Market { slippage_bps } => (0, slippage_bps),
        Execution::Limit(price) => (price.0, 0),
    };
    let (trail_ppm, best) = match trigger.terms.price {
        TriggerPrice::Fixed(_) => (0, 0),
        TriggerPrice::Trailing { ppm, best } => (ppm, best.0),
    };
    tell(&TriggerSet {
        market: market.index,
        account: *account,
        trigger: trigger.id.0,
        cause,
        buys: trigger.side == Side::Long,
        stop: trigger.is_stop(),
        price: trigger.price.0,
        lots: trigger.terms.lots.map_or(0, |lots| lots.0),
        limit,
        slippage_bps,
        trail_ppm,
        best,
        expires_at: trigger.terms.expires_at,
        client_id: trigger.client_id,
        sibling,
        entry: trigger.entry,
    });
}
