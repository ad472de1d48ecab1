//! Executing what is due, and letting trailing stops follow the mark: by anyone.

use anchor_lang::prelude::*;
use ballast_book::{Book, Executed, Execution, NewOrder, OrderId, SelfTrade, Sibling, Stopped, Trigger, TriggerId};
use ballast_risk::{health::Account, oracle::Action};
use ballast_units::{Lots, Price, Side};

use super::{
    MAX_REDUCE_ONLY, TendPosition, Tended, tend,
    triggers::{report, sibling_of},
};
use crate::{
    error::{BallastError, OrFail},
    events::{
        Cause, OrderPlaced, OrderReduced, OrdersCancelledFor, TriggerChange, TriggerExecuted, TriggersRemoved,
        TriggersRemovedFor,
    },
    logic::{
        Duty, Gone, Marks, Take, Venue, assess, close_idle_seat, confirmed_mark, duty, make_room, maker_rate,
        pay_protection, rejoin, settle_slot, slab, take, touch,
    },
    record::tell,
    state::{BOOK_MAGIC, Current as _, MarginAccount, Market, MarketStatus, slab_bytes_mut},
};

/// Most makers that one execution meets.
const MAX_TRIGGER_MAKERS: u32 = 32;

/// Executes a trigger whose price the mark has crossed: reduces the position on the book by at most its lots, no worse than
/// its worst price. What could not be traded stays due, or comes to rest if it is a limit order. One whose time is over,
/// or that has nothing left to protect, is removed.
pub fn execute_trigger<'info>(ctx: Context<'info, TendPosition<'info>>, trigger: u64) -> Result<()> {
    tend(ctx, Some(Action::Liquidate), |position| {
        let Tended { venue, margin, key, reward, reward_key: to, slot, others, now } = position;
        require!(venue.market.status()? != MarketStatus::Paused, BallastError::MarketState);
        margin.require_not_bankrupt()?;
        let trigger = venue.book.view().trigger(TriggerId(trigger)).or_fail()?;
        require!(trigger.seat == margin.slots[slot].seat, BallastError::TriggerNotFound);
        let confirmed = confirmed_mark(venue.market, trigger.fires)?;
        let due = trigger.fires.reached(trigger.price, confirmed);
        require!(due || trigger.expired(now), BallastError::TriggerNotDue);

        touch(venue, margin, slot, key)?;
        let assess_now = |margin: &MarginAccount, venue: &Venue| {
            assess(margin, key, Some((venue, slot)), &others, Marks::Cautious, Some(Action::Reduce), now)
        };
        let before = assess_now(margin, venue)?;
        // The touch may have removed it with its position.
        let duty = match venue.book.view().trigger(trigger.id) {
            Ok(trigger) => duty(margin.slots[slot].position(), &venue.book.view(), &trigger)?,
            Err(_) => Duty::Over,
        };
        if trigger.expired(now) && duty != Duty::Over {
            venue.book.remove_trigger(trigger.id, trigger.seat).or_fail()?;
            let (market, reason) = (venue.market.index, TriggersRemovedFor::Expired);
            tell(&TriggersRemoved { market, account: *key, reason, triggers: vec![trigger.id.0] });
            close_idle_seat(venue, margin, slot, key)?;
            return rejoin(venue, margin, slot, key, &before);
        }
        require!(duty != Duty::Waits, BallastError::NothingToProtect);
        if duty == Duty::Over {
            close_idle_seat(venue, margin, slot, key)?;
            return rejoin(venue, margin, slot, key, &before);
        }
        let mut done = trade(venue, margin, slot, key, &trigger, now)?;
        settle_slot(venue.market, margin, slot, key)?;
        let mut after = assess_now(margin, venue)?;
        if done.left.0 > 0 {
            done.rested = rest(venue, margin, slot, key, &trigger, (done.left, &mut after.account), now)?;
        }
        // Orders that cannot trade and were in the way are gone: that is something, too, or they would be there the next time.
        require!(done.lots.0 > 0 || done.rested.is_some() || done.cleared, BallastError::NothingToMatch);
        let fee_bps = venue.market.params.trigger_fee_bps;
        pay_protection(venue.market, (margin, key), (reward, to), (&before, &mut after), done.quote, fee_bps)?;
        done.report(venue.market.index, key, to, &trigger, confirmed);
        close_idle_seat(venue, margin, slot, key)?;
        rejoin(venue, margin, slot, key, &after)
    })
}

/// What an execution did.
struct Done {
    lots: Lots,
    quote: u64,
    worst: Price,
    /// What may come to rest.
    left: Lots,
    /// The order that its rest became, and its lots.
    rested: Option<(OrderId, OrderPlaced)>,
    done: bool,
    sibling_gone: bool,
    /// It met nothing but orders that cannot trade, and as many as one execution meets.
    cleared: bool,
}

impl Done {
    fn report(&self, market: u16, account: &Pubkey, caller: &Pubkey, trigger: &Trigger, confirmed: Price) {
        let rested = self.rested.as_ref().map_or(0, |(_, placed)| placed.lots);
        if let Some((_, placed)) = &self.rested {
            tell(placed);
        }
        tell(&TriggerExecuted {
            market,
            account: *account,
            trigger: trigger.id.0,
            caller: *caller,
            confirmed: confirmed.0,
            price: trigger.price.0,
            worst: self.worst.0,
            lots: self.lots.0,
            quote: self.quote,
            rested,
            done: self.done || rested > 0,
            sibling_gone: self.sibling_gone,
        });
    }
}

/// Trades on the book what the trigger asks for, and takes that off the trigger and its pair.
fn trade(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    slot: usize,
    key: &Pubkey,
    trigger: &Trigger,
    now: i64,
) -> Result<Done> {
    let size = margin.slots[slot].size();
    let covered = if trigger.entry == 0 { size } else { size.min(trigger.filled) };
    let lots = trigger.terms.lots.map_or(covered, |lots| lots.min(covered));
    let worst = trigger.worst_price(venue.market.mark());
    let matched = take(
        venue,
        margin,
        slot,
        key,
        &Take {
            side: trigger.side,
            lots,
            limit: worst,
            self_trade: SelfTrade::CancelResting,
            max_makers: MAX_TRIGGER_MAKERS,
            cause: Cause::Trigger,
            client_id: trigger.client_id,
        },
        now,
    )?;
    let closed = margin.slots[slot].lots == 0;
    let executed = take_off(venue, key, trigger.id, matched.lots, closed)?;
    // Not where matching was cut short: the rest would stand across orders that it should have met.
    let complete = matches!(matched.stopped, Stopped::Price | Stopped::Empty | Stopped::Band);
    let left = lots.sub(matched.lots).or_fail()?;
    Ok(Done {
        lots: matched.lots,
        quote: matched.quote,
        worst,
        left: if complete && !executed.done { left } else { Lots::ZERO },
        rested: None,
        done: executed.done,
        sibling_gone: executed.sibling_gone.is_some(),
        cleared: matched.stopped == Stopped::MakerLimit,
    })
}

/// Takes executed lots off a trigger and its pair, and reports what that takes off an order that the pair has become.
fn take_off(venue: &mut Venue, key: &Pubkey, trigger: TriggerId, lots: Lots, closed: bool) -> Result<Executed> {
    let order = match venue.book.view().sibling(trigger).or_fail()? {
        Some(Sibling::Order(order)) => Some(venue.book.view().order(order).or_fail()?),
        Some(Sibling::Trigger(_)) | None => None,
    };
    let executed = venue.book.execute_trigger(trigger, lots, closed).or_fail()?;
    if let Some(order) = order.filter(|_| !lots.is_zero()) {
        let (market, reason) = (venue.market.index, OrdersCancelledFor::Pair);
        if executed.sibling_gone.is_some() {
            let mut gone = Gone::default();
            gone.add(order.id, order.lots);
            gone.report(market, key, reason);
        } else {
            let left = order.lots.sub(lots).or_fail()?;
            tell(&OrderReduced { market, account: *key, order_id: order.id.0, lots: left.0, reason });
        }
    }
    Ok(executed)
}

/// Puts up to `lots` of a limit trigger on the book as a reduce-only order, no more than together with the account's other
/// orders of that side can reduce. It makes room in a full book like any order. Nothing rests outside the band, below the smallest order, or where there is no room: then the trigger waits.
fn rest(
    venue: &mut Venue,
    margin: &MarginAccount,
    slot: usize,
    key: &Pubkey,
    trigger: &Trigger,
    (lots, account): (Lots, &mut Account),
    now: i64,
) -> Result<Option<(OrderId, OrderPlaced)>> {
    let Execution::Limit(price) = trigger.terms.execution else { return Ok(None) };
    // Of a pair, one order rests: what both could trade would be twice what was asked for.
    if let Some(Sibling::Order(_)) = venue.book.view().sibling(trigger.id).or_fail()? {
        return Ok(None);
    }
    let params = &venue.market.params;
    let seat = venue.book.seat(trigger.seat, &key.to_bytes()).or_fail()?;
    let lots = lots.0.min(margin.slots[slot].size().0.saturating_sub(seat.lots(trigger.side).0));
    let (low, high) = venue.market.range(trigger.side)?;
    // A position may be reduced below initial margin, but nothing rests there, and no other order makes room for it. The most that the
    // order adds to it is what it may lose against the mark.
    let margin_then = account.initial.checked_add(loss_at(venue.market, trigger.side, price, lots)?);
    let initial = margin_then.ok_or(BallastError::Overflow)?;
    let covered = i64::try_from(initial).is_ok_and(|initial| account.initial_equity.0 >= initial);
    let fits = covered
        && lots >= params.min_lots
        && (low..=high).contains(&price)
        && price.0.is_multiple_of(params.tick)
        && u32::from(seat.orders) < params.max_orders_per_account
        && seat.reduce_only < MAX_REDUCE_ONLY;
    if !fits {
        return Ok(None);
    }
    let new = NewOrder {
        side: trigger.side,
        price,
        peg: None,
        lots: Lots(lots),
        seat: trigger.seat,
        client_id: trigger.client_id,
        expires_at: trigger.terms.expires_at,
        reduce_only: true,
    };
    let terms = venue.market.terms(now)?;
    if !make_room(venue, trigger.side, price, &terms, true)? {
        return Ok(None);
    }
    venue.book.set_maker_fee(trigger.seat, maker_rate(venue.market, margin)?).or_fail()?;
    let order = venue.book.rest(new).or_fail()?;
    venue.book.trigger_became_order(trigger.id, order).or_fail()?;
    account.initial = initial;
    let placed = OrderPlaced {
        market: venue.market.index,
        account: *key,
        seat: trigger.seat,
        order_id: order.0,
        buys: trigger.side == Side::Long,
        price: price.0,
        peg: None,
        lots,
        reduce_only: true,
        expires_at: trigger.terms.expires_at,
        client_id: trigger.client_id,
    };
    Ok(Some((order, placed)))
}

/// What `lots` of an order lose at most against the mark or the last tick, in atoms, if they fill at their price.
fn loss_at(market: &Market, side: Side, price: Price, lots: u64) -> Result<u64> {
    let (mark, tick) = (market.mark(), market.mark_state().tick);
    let worse = match side {
        Side::Long => price.0.saturating_sub(mark.min(tick).0),
        Side::Short => mark.max(tick).0.saturating_sub(price.0),
    };
    Ok(Lots(lots).value(Price(worse)).or_fail()?.positive_part())
}

/// Accounts of `ratchet_trigger`.
#[derive(Accounts)]
pub struct RatchetTrigger<'info> {
    /// The market.
    #[account(has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Lets a trailing stop follow the mark, by anyone: to what mark, last two ticks and what both support have all reached.
pub fn ratchet_trigger(ctx: Context<RatchetTrigger>, trigger: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let market = &*ctx.accounts.market.current()?;
    market.require_price(Action::Liquidate, now)?;
    let mut data = slab(&ctx.accounts.book)?;
    let mut book = Book::load(slab_bytes_mut(&mut data, BOOK_MAGIC)?).or_fail()?;
    let id = TriggerId(trigger);
    let before = book.view().trigger(id).or_fail()?;
    require!(before.trails(), BallastError::NothingToRatchet);
    let reached = confirmed_mark(market, before.fires.opposite())?;
    let moved = book.ratchet_trigger(id, reached).or_fail()?;
    require!(moved.is_some(), BallastError::NothingToRatchet);
    let view = book.view();
    let account = Pubkey::new_from_array(view.seat_by_id(before.seat).or_fail()?.account);
    report(market, &account, TriggerChange::Ratcheted, &view.trigger(id).or_fail()?, sibling_of(&book, id)?);
    Ok(())
}
