//! A taker meets the resting orders: price, then time, inside the band, never its own owner's.

use ballast_units::{Lots, Price, Side};

use crate::cancel::{Reason, detach, shrink, withdraw};
use crate::front::{Front, Met, keys_within};
use crate::order::{key_of, order, order_mut, tree_of};
use crate::seat::{Seat, VOLUME_BITS, seat, seat_mut};
use crate::slab::Block;
use crate::trigger::stored_mut;
use crate::trigger_change::{entry_filled, named};
use crate::{Book, BookError, Event, Fill, Matched, SelfTrade, Sibling, Stopped, Taker};

/// Parts in one, of a fee rate.
const PPM: u64 = 1_000_000;

impl Book<'_> {
    /// Matches a taker against the opposite side, best price and oldest first, and books the makers' part at their seats.
    /// The taker's own part is the caller's: ±`lots` and ∓`quote`. What is not filled does not come to rest.
    ///
    /// # Errors
    /// `InvalidOrder` if the fee rate exceeds one; `Overflow` if a maker's pending sums or the taker's quote leave their range.
    pub fn match_taker(&mut self, taker: Taker, mut on_event: impl FnMut(&Event)) -> Result<Matched, BookError> {
        let side = taker.side.opposite();
        let (_, end_of_band) = keys_within(side, taker.terms.range(side));
        let limit = key_of(side, taker.limit.0);
        let end = limit.min(end_of_band);
        if u64::from(taker.taker_fee_ppm) > PPM {
            return Err(BookError::InvalidOrder);
        }
        let (mut left, mut budget) = (taker.lots.0, taker.rebate_budget);
        let mut matched = Matched::nothing();
        // What makers have bought that waits, seat by seat set off against what they sold.
        let mut grown = 0i64;
        let mut front = Front::new(self.header, self.blocks, side, &taker.terms)?;
        matched.stopped = loop {
            if left == 0 {
                break Stopped::Filled;
            }
            let Some(met) = front.met(self.blocks)? else {
                let counts = [false, true].map(|pegged| self.header.roots[tree_of(side, pegged)].count);
                break if counts == [0, 0] { Stopped::Empty } else { Stopped::Band };
            };
            if met.key > end {
                break if met.key > limit { Stopped::Price } else { Stopped::Band };
            }
            if matched.makers >= taker.max_makers {
                break Stopped::MakerLimit;
            }
            let after = front.after(self.header, self.blocks, &met)?;
            let order = order(self.blocks, met.id)?;
            let price = key_of(side, met.key);
            let own = same_owner(&seat(self.blocks, order.node.seat)?.owner, &taker.owner);
            let gone = if own || order.expired(taker.terms.now) || order.is_beyond_limit(price) {
                let Some(event) = self.pass(&taker, met.id, price, &mut left, &mut matched)? else {
                    break Stopped::SelfTrade;
                };
                on_event(&event);
                !matches!(event, Event::Decremented { maker_left, .. } if !maker_left.is_zero())
            } else {
                let fill = self.trade(&taker, side, &met, left, &mut budget, &mut matched)?;
                left -= fill.lots.0;
                // At most what the taker wants.
                grown = grown.wrapping_add(growth(seat(self.blocks, fill.seat)?.pending_base, side, fill.lots));
                on_event(&Event::Fill(fill));
                fill.maker_done
            };
            matched.makers += 1;
            if gone {
                front.pass_gone(self.header, &met, after);
            }
        };
        // Cannot be negative: what is left is what was asked for less these two.
        matched.lots = Lots(taker.lots.0.wrapping_sub(left).wrapping_sub(matched.decremented.0));
        let lots = i64::try_from(matched.lots.0).map_err(|_| BookError::Overflow)?;
        matched.maker_base_delta = if side == Side::Long { lots } else { -lots };
        let pending = self.header.pending_base.checked_add(matched.maker_base_delta);
        self.header.pending_base = pending.ok_or(BookError::Overflow)?;
        let bought = self.header.pending_bought;
        self.header.pending_bought = bought.saturating_add_signed(grown);
        self.header.pending_funding.add_product(matched.maker_base_delta, taker.funding_index)?;
        Ok(matched)
    }

    /// The taker meets an order that is expired, beyond its limit, or of its own owner. `None` if that ends it.
    #[inline(never)]
    fn pass(
        &mut self,
        taker: &Taker,
        at: u32,
        price: u64,
        left: &mut u64,
        matched: &mut Matched,
    ) -> Result<Option<Event>, BookError> {
        let order = order(self.blocks, at)?;
        if order.expired(taker.terms.now) {
            matched.expired += 1;
            return Ok(Some(Event::Cancelled(withdraw(self.header, self.blocks, at, Reason::Expired)?)));
        }
        if order.is_beyond_limit(price) {
            matched.beyond_limit += 1;
            return Ok(Some(Event::Cancelled(withdraw(self.header, self.blocks, at, Reason::BeyondLimit)?)));
        }
        match taker.self_trade {
            SelfTrade::CancelTaking => Ok(None),
            SelfTrade::CancelResting => {
                matched.cancelled_self += 1;
                Ok(Some(Event::Cancelled(withdraw(self.header, self.blocks, at, Reason::SelfTrade)?)))
            }
            SelfTrade::DecrementBoth => {
                let (order_id, seat, client_id) = (order.id(), order.node.seat, order.client_id);
                let lots = order.lots.min(*left);
                let maker_left = if lots == order.lots {
                    withdraw(self.header, self.blocks, at, Reason::SelfTrade)?;
                    matched.cancelled_self += 1;
                    Lots::ZERO
                } else {
                    shrink(self.blocks, at, lots)?
                };
                *left -= lots;
                // At most the taker's.
                matched.decremented = Lots(matched.decremented.0.wrapping_add(lots));
                Ok(Some(Event::Decremented { order_id, seat, client_id, lots: Lots(lots), maker_left }))
            }
        }
    }

    /// The taker, of which `left` lots are left, trades with the order that it met.
    #[inline(always)]
    fn trade(
        &mut self,
        taker: &Taker,
        side: Side,
        met: &Met,
        left: u64,
        budget: &mut u64,
        matched: &mut Matched,
    ) -> Result<Fill, BookError> {
        let order = order_mut(self.blocks, met.id)?;
        let (price, seat) = (key_of(side, met.key), order.node.seat);
        let (order_id, client_id) = (order.id(), order.client_id);
        let lots = left.min(order.lots);
        let maker_left = order.lots - lots;
        order.lots = maker_left;
        // It only reduces, or triggers wait for it: of most, neither.
        let watched = order.node.flags != 0;
        // Not more than the whole order's, which was checked when it came to rest or, for a peg, was met.
        let quote = lots.wrapping_mul(price);
        let reserved = if met.pegged { lots.wrapping_mul(order.limit) } else { quote };
        let maker = seat_mut(self.blocks, seat)?;
        let fees = fees(quote, maker.maker_fee_ppm, taker.taker_fee_ppm, budget)?;
        let fill = Fill {
            seat,
            order_id,
            client_id,
            price: Price(price),
            lots: Lots(lots),
            quote,
            maker_fee: fees.maker,
            maker_left: Lots(maker_left),
            maker_done: maker_left == 0,
        };
        maker.unreserve(side, lots, reserved)?;
        let owed = credit(maker, side, &fill, fees.earned, taker.funding_index)?;
        matched.quote = matched.quote.checked_add(quote).ok_or(BookError::Overflow)?;
        // At most the quote, for no rate exceeds one.
        matched.maker_fees = matched.maker_fees.wrapping_add(fill.maker_fee);
        matched.rebates_owed = matched.rebates_owed.wrapping_add(owed);
        if watched {
            watched_traded(self.blocks, met.id, lots)?;
        }
        if maker_left == 0 {
            detach(self.header, self.blocks, met.id)?;
        }
        Ok(fill)
    }
}

/// What an order trades that was one of a pair comes off the other, which is a trigger still; what an entry trades is for the triggers
/// that wait for it to protect.
#[cold]
#[inline(never)]
fn watched_traded(blocks: &mut [Block], at: u32, lots: u64) -> Result<(), BookError> {
    let order = order(blocks, at)?;
    let (sequence, of) = (order.sequence, order.node.seat);
    if !order.is_reduce_only() {
        return entry_filled(blocks, seat(blocks, of)?.newest_trigger, sequence, lots);
    }
    if let Some(Sibling::Trigger(other)) = named(blocks, order.pair, of) {
        let trigger = stored_mut(blocks, other.block())?;
        if trigger.sibling == sequence {
            trigger.pair_traded(lots);
        }
    }
    Ok(())
}

/// Books a fill at its maker's seat. Gives by how much this raised the rebates that the seat is owed.
#[inline(always)]
fn credit(seat: &mut Seat, side: Side, fill: &Fill, earned: u64, funding_index: i64) -> Result<i64, BookError> {
    let lots = i64::try_from(fill.lots.0).map_err(|_| BookError::Corrupt)?;
    let quote = i64::try_from(fill.quote).map_err(|_| BookError::Corrupt)?;
    let (base, cash) = match side {
        Side::Long => (lots, -quote),
        Side::Short => (-lots, quote),
    };
    seat.pending_base = seat.pending_base.checked_add(base).ok_or(BookError::Overflow)?;
    seat.pending_cash = seat.pending_cash.checked_add(cash).ok_or(BookError::Overflow)?;
    let fees = seat.pending_fees.checked_add(fill.maker_fee).ok_or(BookError::Overflow)?;
    // The change of min(fees, 0), downwards: at most the fill's fee or rebate, which fits.
    let owed = seat.pending_fees.min(0).wrapping_sub(fees.min(0));
    seat.pending_fees = fees;
    let upto = |amount: u64| u32::try_from(amount).unwrap_or(u32::MAX);
    seat.pending_bounty_base = seat.pending_bounty_base.saturating_add(upto(earned));
    seat.pending_volume = seat.pending_volume.saturating_add(upto(fill.quote >> VOLUME_BITS));
    seat.pending_funding.add_product(base, funding_index)?;
    Ok(owed)
}

/// By how much a fill that brought a seat's pending base to `after` raised the positive part of it.
#[inline(always)]
fn growth(after: i64, side: Side, lots: Lots) -> i64 {
    // No more than a position's.
    let lots = i64::try_from(lots.0).unwrap_or(i64::MAX);
    let before = after.wrapping_sub(if side == Side::Long { lots } else { -lots });
    after.max(0).wrapping_sub(before.max(0))
}

#[inline(always)]
fn same_owner(a: &[u8; 32], b: &[u8; 32]) -> bool {
    // Word by word: a comparison of arrays goes byte by byte on chain.
    let (a, b): ([u64; 4], [u64; 4]) = (bytemuck::cast(*a), bytemuck::cast(*b));
    a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3]
}

/// What a fill costs and brings, in atoms.
struct Fees {
    /// The maker's fee, rounded up; negative: its rebate, rounded down.
    maker: i64,
    /// What the exchange earns: the maker's fee and the taker's, rounded down.
    earned: u64,
}

/// The fees of a fill. A rebate is at most the taker's fee for it, and at most `budget`, from which it is taken.
#[inline(always)]
fn fees(quote: u64, maker_ppm: i16, taker_ppm: u32, budget: &mut u64) -> Result<Fees, BookError> {
    let (whole, rest) = (quote / PPM, quote % PPM);
    let share = |ppm: u64, rounded: u64| {
        times(whole, ppm)?.checked_add((rest * ppm + rounded) / PPM).ok_or(BookError::Overflow)
    };
    let rate = u64::from(maker_ppm.unsigned_abs());
    let taker = share(taker_ppm.into(), 0)?;
    if maker_ppm < 0 {
        let rebate = share(rate, 0)?.min(taker).min(*budget);
        *budget -= rebate;
        let maker = i64::try_from(rebate).map_err(|_| BookError::Overflow)?;
        return Ok(Fees { maker: -maker, earned: taker - rebate });
    }
    let maker = share(rate, PPM - 1)?;
    let earned = maker.checked_add(taker).ok_or(BookError::Overflow)?;
    Ok(Fees { maker: i64::try_from(maker).map_err(|_| BookError::Overflow)?, earned })
}

/// Product, with a short way for factors below 2^32, because a checked product costs 128 bits on chain.
#[inline(always)]
fn times(a: u64, b: u64) -> Result<u64, BookError> {
    if (a | b) >> 32 == 0 { Ok(a.wrapping_mul(b)) } else { a.checked_mul(b).ok_or(BookError::Overflow) }
}
