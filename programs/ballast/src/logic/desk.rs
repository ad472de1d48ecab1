//! An account's orders in one market within one instruction: any number are placed, and what they lead to is assessed
//! once, at the end.

use anchor_lang::prelude::*;
use ballast_book::{BookView, CancelledOrder, HELD_ENTRY, MatchTerms, NewOrder, OrderId, RestingOrder, Stopped};
use ballast_risk::oracle::Action;
use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Position, Price, Side};

use super::{
    Assessment, Gone, Marks, Others, Take, Venue, assess, close_idle_seat, cut_reduce_only, drop_triggers_of,
    leave_idle_seat, make_room, maker_rate, reducible, rejoin, removed_order, require_initial_margin, settle_slot,
    take, touch,
};
use crate::{
    error::{BallastError, OrFail},
    events::{Cause, OrderPlaced, OrderReduced, OrdersCancelledFor, OrdersPruned},
    instructions::{MAX_CANCELLED, MAX_MAKERS, MAX_PRUNED, MAX_REDUCE_ONLY, OrderArgs, OrderKind, OrderRef},
    record::tell,
    state::{MarginAccount, Market, MarketStatus},
};

/// Where one account places orders in one market. [`Desk::finish`] has to end it.
pub struct Desk<'a, 'v, 'info> {
    /// The market.
    pub venue: &'a mut Venue<'v>,
    margin: &'a mut MarginAccount,
    slot: usize,
    key: &'a Pubkey,
    others: &'a Others<'info>,
    now: i64,
    terms: MatchTerms,
    /// The assessment before anything changed, if all orders only reduce.
    before: Option<Assessment>,
    /// The position when it was taken out of the ranking index, which is before the first order that takes.
    touched: Option<Position>,
    placed: bool,
    /// The order that came to rest last.
    rested: Option<OrderId>,
    /// What the last order that takes has taken.
    taken: Lots,
    /// Whether an order that only reduces came to rest.
    reducing_rests: bool,
}

/// What is left to do with an order after matching: where it comes to rest.
#[derive(Clone, Copy)]
struct Place {
    /// Its price, or a peg's limit.
    limit: Price,
    peg: Option<i64>,
    /// The price at which it stands now.
    standing: Price,
}

impl<'a, 'v, 'info> Desk<'a, 'v, 'info> {
    /// Opens the desk. `reduces`: all orders that will be placed only reduce; others are refused then.
    pub fn open(
        venue: &'a mut Venue<'v>,
        margin: &'a mut MarginAccount,
        key: &'a Pubkey,
        others: &'a Others<'info>,
        reduces: bool,
        now: i64,
    ) -> Result<Self> {
        margin.require_not_bankrupt()?;
        let slot = margin.slot_index_or_new(venue.market.index)?;
        let before = if reduces {
            let marks = Marks::Cautious;
            Some(assess(margin, key, Some((venue, slot)), others, marks, Some(Action::Reduce), now)?)
        } else {
            None
        };
        let terms = venue.market.terms(now)?;
        Ok(Desk {
            venue,
            margin,
            slot,
            key,
            others,
            now,
            terms,
            before,
            touched: None,
            placed: false,
            rested: None,
            taken: Lots::ZERO,
            reducing_rests: false,
        })
    }

    /// Places an order. A post-only one that would match, that has no room to slide, or whose peg is beyond its limit, is left out
    /// where `skip` says so, with nothing of the book but what cannot trade changed; false then.
    pub fn place(&mut self, order: &OrderArgs, skip: bool) -> Result<bool> {
        require_order(self.venue.market, order, self.now)?;
        require!(order.reduce_only || self.before.is_none(), BallastError::NotReducing);
        match order.kind {
            OrderKind::PostOnly | OrderKind::PostOnlySlide => {
                if order.reduce_only {
                    // What there is to reduce, only a position that is up to date says.
                    self.touch()?;
                }
                let lots = self.lots_to_rest(order, order.lots)?;
                require!(lots > 0, BallastError::NotReducing);
                let place = match self.post(order) {
                    Ok(place) => place,
                    Err(_) if skip => return Ok(false),
                    Err(refused) => return Err(refused),
                };
                self.rest(order, place, lots)?;
            }
            OrderKind::Limit | OrderKind::ImmediateOrCancel | OrderKind::FillOrKill => {
                let place = self.place_of(order)?;
                let left = self.take(order, place)?;
                let lots = if order.kind == OrderKind::Limit { self.lots_to_rest(order, left)? } else { 0 };
                if lots > 0 {
                    self.rest(order, place, lots)?;
                }
            }
        }
        self.placed = true;
        Ok(true)
    }

    /// How many of `left` lots of an order come to rest, zero if too few: of one that only reduces, no more than together with the
    /// account's other orders of that side can reduce. The position has been touched then.
    fn lots_to_rest(&self, order: &OrderArgs, left: u64) -> Result<u64> {
        let mut lots = left;
        if order.reduce_only && left > 0 {
            let slot = &self.margin.slots[self.slot];
            let mut rests = Lots::ZERO;
            if slot.seat != 0 {
                let seat = self.venue.book.seat(slot.seat, &self.key.to_bytes()).or_fail()?;
                require!(seat.reduce_only < MAX_REDUCE_ONLY, BallastError::TooLarge);
                rests = seat.lots(order.side());
            }
            lots = lots.min(reducible(order.side(), slot.lots).0.saturating_sub(rests.0));
        }
        Ok(if lots >= self.venue.market.params.min_lots { lots } else { 0 })
    }

    /// Takes the position out of the ranking index, once, with all that waits for it.
    fn touch(&mut self) -> Result<()> {
        if self.touched.is_none() {
            touch(self.venue, self.margin, self.slot, self.key)?;
            self.touched = Some(self.margin.slots[self.slot].position());
        }
        Ok(())
    }

    /// Puts an order in the place of another, also for the triggers that wait for it. One that differs only in being smaller keeps its
    /// place in the queue, and needs no price and no margin; otherwise the old one is cancelled first.
    pub fn replace(&mut self, target: OrderRef, order: &OrderArgs, even_if_gone: bool) -> Result<()> {
        let Some(old) = self.find(target)? else {
            require!(even_if_gone, BallastError::OrderNotFound);
            return self.place(order, false).map(drop);
        };
        if !self.only_shrinks(&old, order) {
            self.hand_over(old.id.sequence(), HELD_ENTRY, Lots::ZERO)?;
            self.cancel([OrderRef::Id(old.id.0)], false)?;
            (self.rested, self.taken) = (None, Lots::ZERO);
            self.place(order, false)?;
            // What comes to rest in its place is waited for; where nothing does, the old order is, which is gone.
            let opens = !order.reduce_only && order.side() == old.side;
            let entry = self.rested.filter(|_| opens).unwrap_or(old.id);
            return self.hand_over(HELD_ENTRY, entry.sequence(), if opens { self.taken } else { Lots::ZERO });
        }
        let less = old.lots.sub(Lots(order.lots)).or_fail()?;
        self.venue.book.reduce(old.id, old.seat, less).or_fail()?;
        tell(&OrderReduced {
            market: self.venue.market.index,
            account: *self.key,
            order_id: old.id.0,
            lots: order.lots,
            reason: OrdersCancelledFor::Request,
        });
        Ok(())
    }

    /// Lets triggers that wait for one order wait for another, of which `taken` lots traded at once.
    fn hand_over(&mut self, from: u64, to: u64, taken: Lots) -> Result<()> {
        match self.margin.slots[self.slot].seat {
            0 => Ok(()),
            seat => self.venue.book.move_entry(seat, from, to, taken).or_fail(),
        }
    }

    /// Whether `order` differs from the resting one in nothing but fewer lots.
    fn only_shrinks(&self, old: &RestingOrder, order: &OrderArgs) -> bool {
        order.rests()
            && order.reduce_only == old.reduce_only
            && order.side() == old.side
            && (order.price, order.peg) == (old.price.0, old.peg)
            && (order.client_id, order.expires_at) == (old.client_id, old.expires_at)
            && order.lots <= old.lots.0
            && order.lots >= self.venue.market.params.min_lots
    }

    fn find(&self, target: OrderRef) -> Result<Option<RestingOrder>> {
        find_order(&self.venue.book.view(), self.margin.slots[self.slot].seat, target)
    }

    /// Cancels orders of the account. Those that are gone are passed over where `skip` says so.
    pub fn cancel(&mut self, targets: impl IntoIterator<Item = OrderRef>, skip: bool) -> Result<()> {
        let mut gone = Gone::default();
        for target in targets {
            let Some(order) = self.find(target)? else {
                require!(skip, BallastError::OrderNotFound);
                continue;
            };
            gone.note(&self.venue.book.cancel(order.id, order.seat).or_fail()?);
        }
        gone.report(self.venue.market.index, self.key, OrdersCancelledFor::Request);
        Ok(())
    }

    /// Cancels all the account's orders, or those of a side. Fails if they are more than one event tells of.
    pub fn cancel_all(&mut self, side: Option<Side>) -> Result<()> {
        let seat = self.margin.slots[self.slot].seat;
        if seat == 0 {
            return Ok(());
        }
        let mut gone = Gone::default();
        let orders = self.venue.book.cancel_all(seat, side, MAX_CANCELLED + 1, |order| gone.note(order)).or_fail()?;
        require!(orders <= MAX_CANCELLED, BallastError::TooLarge);
        gone.report(self.venue.market.index, self.key, OrdersCancelledFor::Request);
        Ok(())
    }

    /// Assesses the account after all orders, refuses what it does not bear, and puts the position back.
    pub fn finish(self) -> Result<()> {
        let Desk { venue, margin, slot, key, others, now, before, touched, placed, reducing_rests, .. } = self;
        if !placed && touched.is_none() {
            return leave_idle_seat(&mut venue.book, venue.market.index, margin, slot, key);
        }
        let action = if before.is_some() { Action::Reduce } else { Action::Open };
        if let Some(position) = touched {
            require_limits(venue, margin, slot, position)?;
            close_idle_seat(venue, margin, slot, key)?;
        }
        let after = assess(margin, key, Some((venue, slot)), others, Marks::Cautious, Some(action), now)?;
        if reducing_rests {
            // Nothing was reserved for it: what it may lose against the mark has to be there.
            require_initial_margin(&after.account)?;
        }
        require_margin(&before, &after)?;
        if touched.is_some() { rejoin(venue, margin, slot, key, &after) } else { Ok(()) }
    }

    /// Where the order stands, if it rests. A peg's offset counts from the mark, rounded to the tick away from the touch.
    fn place_of(&self, order: &OrderArgs) -> Result<Place> {
        let limit = Price(order.price);
        let Some(offset) = order.peg else { return Ok(Place { limit, peg: None, standing: limit }) };
        let standing = self.reference(order).checked_add_signed(offset).ok_or(BallastError::BadPrice)?;
        let within = match order.side() {
            Side::Long => standing <= limit.0,
            Side::Short => standing >= limit.0,
        };
        require!(within, BallastError::BadPrice);
        Ok(Place { limit, peg: Some(offset), standing: Price(standing) })
    }

    fn reference(&self, order: &OrderArgs) -> u64 {
        match order.side() {
            Side::Long => self.terms.references.0.0,
            Side::Short => self.terms.references.1.0,
        }
    }

    /// Where an order comes to rest that must not match: one that slides, behind what it would match.
    fn post(&mut self, order: &OrderArgs) -> Result<Place> {
        let mut place = self.place_of(order)?;
        let (side, slides) = (order.side(), order.kind == OrderKind::PostOnlySlide);
        if !slides {
            self.require_inside(order.side(), place.standing)?;
        }
        let mut matches = self.venue.book.would_match(side, place.standing, &self.terms);
        if matches && self.clear_front(side.opposite())? {
            matches = self.venue.book.would_match(side, place.standing, &self.terms);
        }
        if !matches {
            self.require_inside(order.side(), place.standing)?;
            return Ok(place);
        }
        require!(slides, BallastError::WouldMatch);
        let (best, _) = self.venue.book.best_inside(side.opposite(), &self.terms).ok_or(BallastError::WouldMatch)?;
        let tick = self.venue.market.params.tick;
        let slid = match side {
            Side::Long => best.0.checked_sub(tick),
            Side::Short => best.0.checked_add(tick),
        };
        let slid = slid.ok_or(BallastError::OutsideBand)?;
        self.require_inside(side, Price(slid))?;
        if place.peg.is_some() {
            let offset = i128::from(slid) - i128::from(self.reference(order));
            place.peg = Some(i64::try_from(offset).map_err(|_| BallastError::BadPrice)?);
        } else {
            place.limit = Price(slid);
        }
        place.standing = Price(slid);
        Ok(place)
    }

    /// Removes orders that cannot trade from the front of a side: enough of them would hide what is behind them, and keep
    /// others from resting. Whether there were any.
    fn clear_front(&mut self, side: Side) -> Result<bool> {
        let mut removed = Vec::new();
        let note = |order: &CancelledOrder| removed.push(removed_order(order));
        self.venue.book.clean(side, &self.terms, MAX_PRUNED, note).or_fail()?;
        if removed.is_empty() {
            return Ok(false);
        }
        tell(&OrdersPruned { market: self.venue.market.index, removed });
        Ok(true)
    }

    /// Nothing rests where it could not match.
    fn require_inside(&self, side: Side, price: Price) -> Result<()> {
        let (low, high) = self.terms.range(side);
        require!(price >= low && price <= high, BallastError::OutsideBand);
        Ok(())
    }

    /// Matches the order. Gives the lots that may rest.
    fn take(&mut self, order: &OrderArgs, place: Place) -> Result<u64> {
        if order.kind == OrderKind::Limit {
            self.require_inside(order.side(), place.standing)?;
        }
        self.touch()?;
        let before = self.margin.slots[self.slot].position().side();
        let lots = lots_to_take(order, self.margin.slots[self.slot].lots)?;
        let what = Take {
            side: order.side(),
            lots,
            limit: place.standing,
            self_trade: order.self_trade.into(),
            max_makers: u32::from(order.max_makers),
            cause: Cause::Taker,
            client_id: order.client_id,
        };
        let matched = take(self.venue, self.margin, self.slot, self.key, &what, self.now)?;
        self.taken = matched.lots;
        if order.kind == OrderKind::FillOrKill {
            require!(matched.lots == lots, BallastError::NotFilled);
        }
        settle_slot(self.venue.market, self.margin, self.slot, self.key)?;
        drop_triggers_of(before, self.venue, self.margin, self.slot, self.key)?;
        let left = lots.sub(matched.lots).or_fail()?.sub(matched.decremented).or_fail()?.0;
        // Not where matching was cut short: the rest would stand across orders that it should have met.
        let complete = matches!(matched.stopped, Stopped::Price | Stopped::Empty | Stopped::Band);
        Ok(if complete { left } else { 0 })
    }

    /// Puts `lots` on the book in the account's seat, which it takes if it has none.
    fn rest(&mut self, order: &OrderArgs, place: Place, lots: u64) -> Result<OrderId> {
        let (account, side) = (self.key.to_bytes(), order.side());
        let seat = self.seat(side, place.standing)?;
        let (book, market) = (&mut self.venue.book, &*self.venue.market);
        let orders = u32::from(book.seat(seat, &account).or_fail()?.orders);
        require!(orders < market.params.max_orders_per_account, BallastError::TooLarge);
        book.set_maker_fee(seat, maker_rate(market, self.margin)?).or_fail()?;
        self.require_room(side, place.standing, true)?;
        let new = NewOrder {
            side,
            price: place.limit,
            peg: place.peg,
            lots: Lots(lots),
            seat,
            client_id: order.client_id,
            expires_at: order.expires_at,
            reduce_only: order.reduce_only,
        };
        self.reducing_rests |= order.reduce_only;
        let id = self.venue.book.rest(new).or_fail()?;
        self.rested = Some(id);
        self.require_position_within_limit(seat, side)?;
        tell(&OrderPlaced {
            market: self.venue.market.index,
            account: *self.key,
            seat,
            order_id: id.0,
            buys: order.buys,
            price: place.limit.0,
            peg: place.peg,
            lots,
            reduce_only: new.reduce_only,
            expires_at: order.expires_at,
            client_id: order.client_id,
        });
        cut_reduce_only(self.venue, self.margin, self.slot, self.key)?;
        Ok(id)
    }

    fn require_room(&mut self, side: Side, standing: Price, order: bool) -> Result<()> {
        require!(make_room(self.venue, side, standing, &self.terms, order)?, BallastError::BookFull);
        Ok(())
    }

    /// The account's seat, which it takes if it has none.
    fn seat(&mut self, side: Side, standing: Price) -> Result<u32> {
        if self.margin.slots[self.slot].seat == 0 {
            self.require_room(side, standing, false)?;
            let (account, owner) = (self.key.to_bytes(), self.margin.owner.to_bytes());
            self.margin.slots[self.slot].seat = self.venue.book.open_seat(account, owner).or_fail()?;
        }
        Ok(self.margin.slots[self.slot].seat)
    }

    /// The market's limit on one position, for what the account's resting orders of a side could make of it.
    fn require_position_within_limit(&self, seat: u32, side: Side) -> Result<()> {
        let seat = self.venue.book.seat(seat, &self.key.to_bytes()).or_fail()?;
        let held = i128::from(self.margin.slots[self.slot].lots) + i128::from(seat.pending_base);
        let reached = match side {
            Side::Long => i128::from(seat.bid_lots) + held,
            Side::Short => i128::from(seat.ask_lots) - held,
        };
        require!(reached <= i128::from(self.venue.market.params.max_position_lots), BallastError::TooLarge);
        Ok(())
    }
}

/// A seat's order that is meant, if it still rests. Of several with one client id, the newest. Seat 0 has none.
pub fn find_order(book: &BookView, seat: u32, target: OrderRef) -> Result<Option<RestingOrder>> {
    if seat == 0 {
        return Ok(None);
    }
    Ok(match target {
        OrderRef::Id(id) => book.order(OrderId(id)).ok().filter(|order| order.seat == seat),
        OrderRef::Client(id) => book.seat_orders(seat).or_fail()?.find(|order| order.client_id == id),
    })
}

/// Checks what can be checked about an order before anything is touched.
fn require_order(market: &Market, order: &OrderArgs, now: i64) -> Result<()> {
    match market.status()? {
        MarketStatus::Active => {}
        MarketStatus::ReduceOnly => require!(order.reduce_only, BallastError::MarketState),
        MarketStatus::Paused => return err!(BallastError::MarketState),
    }
    require!(order.lots > 0, BallastError::ZeroAmount);
    require!(order.lots <= MAX_LOTS, BallastError::TooLarge);
    require!(order.reduce_only || order.lots >= market.params.min_lots, BallastError::TooSmall);
    require!(!(order.reduce_only && order.peg.is_some()), BallastError::NotReducing);
    let tick = market.params.tick;
    let on_tick = order.price.is_multiple_of(tick);
    require!(order.price > 0 && order.price <= MAX_PRICE && on_tick, BallastError::BadPrice);
    if let Some(offset) = order.peg {
        require!(order.rests() && offset.unsigned_abs().is_multiple_of(tick), BallastError::BadPrice);
    }
    require!(order.max_makers <= MAX_MAKERS, BallastError::TooLarge);
    require!(order.expires_at == 0 || order.expires_at > now, BallastError::Expired);
    market.require_price(if order.reduce_only { Action::Reduce } else { Action::Open }, now)
}

/// How much to take: all of it, or for a reduce-only order no more than the position.
fn lots_to_take(order: &OrderArgs, position: i64) -> Result<Lots> {
    if !order.reduce_only {
        return Ok(Lots(order.lots));
    }
    let reduces = if order.buys { position < 0 } else { position > 0 };
    require!(reduces, BallastError::NotReducing);
    Ok(Lots(order.lots.min(position.unsigned_abs())))
}

/// The market's limits on one position and on open interest, for a position that grew or turned from `before`.
fn require_limits(venue: &Venue, margin: &MarginAccount, slot: usize, before: Position) -> Result<()> {
    let (size, side) = (margin.slots[slot].size(), margin.slots[slot].position().side());
    if size <= before.lots() && (side.is_none() || side == before.side()) {
        return Ok(());
    }
    let params = &venue.market.params;
    require!(size.0 <= params.max_position_lots, BallastError::TooLarge);
    if let Some(side) = side {
        // The position itself has left the index, and fills that wait in seats are not in it yet: at most so many open more.
        let waits = venue.book.view().pending_of(side);
        let open_interest = venue.ranks.open_interest(side).add(size).or_fail()?.add(waits).or_fail()?;
        require!(open_interest.0 <= params.max_open_interest_lots, BallastError::TooLarge);
    }
    Ok(())
}

/// An order that can open needs initial margin afterwards. One that only reduces may also leave an account below it,
/// as long as the account is solvent and its margin above maintenance has not become less: nobody may sell far below
/// the mark to an accomplice and leave the loss to others.
fn require_margin(before: &Option<Assessment>, after: &Assessment) -> Result<()> {
    let Some(before) = before else { return require_initial_margin(&after.account) };
    if require_initial_margin(&after.account).is_ok() {
        return Ok(());
    }
    let excess =
        |assessment: &Assessment| i128::from(assessment.account.equity.0) - i128::from(assessment.account.maintenance);
    let improved = excess(after) >= excess(before) && after.account.equity.0 >= 0;
    require!(improved, BallastError::InsufficientMargin);
    Ok(())
}
