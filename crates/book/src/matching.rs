//! A taker meets the resting orders: price, then time, inside the band, never its own owner's.

use ballast_units::{Lots, Price, Side};

use crate::cancel::{Reason, detach, keys_within, shrink, withdraw};
use crate::order::{OrderId, key_of, order, order_mut};
use crate::seat::{Seat, seat, seat_mut};
use crate::slab::Block;
use crate::tree::{Root, node};
use crate::{Book, BookError, Event, Fill, Matched, SelfTrade, Stopped, Taker, walk};

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
        let (start, end_of_band) = keys_within(side, taker.band);
        let limit = key_of(side, taker.limit.0);
        let end = limit.min(end_of_band);
        if u64::from(taker.taker_fee_ppm) > PPM {
            return Err(BookError::InvalidOrder);
        }
        let (mut left, mut budget) = (taker.lots.0, taker.rebate_budget);
        let mut matched = Matched::nothing();
        let mut at = first_from(self.blocks, &self.header.roots[side.index()], start)?;
        matched.stopped = loop {
            if left == 0 {
                break Stopped::Filled;
            }
            if at == 0 {
                break if self.header.roots[side.index()].count == 0 { Stopped::Empty } else { Stopped::Band };
            }
            let order = order(self.blocks, at)?;
            if order.node.key > end {
                break if order.node.key > limit { Stopped::Price } else { Stopped::Band };
            }
            if matched.makers >= taker.max_makers {
                break Stopped::MakerLimit;
            }
            let front = at == self.header.roots[side.index()].first;
            // Where orders before the band were passed over, the root does not know what follows.
            let next = if front { 0 } else { walk::next(self.blocks, at)? };
            let own = same_owner(&seat(self.blocks, order.node.seat)?.owner, &taker.owner);
            let gone = if own || order.expired(taker.now) {
                let Some(event) = self.pass(&taker, at, &mut left, &mut matched)? else { break Stopped::SelfTrade };
                on_event(&event);
                !matches!(event, Event::Decremented { maker_left, .. } if !maker_left.is_zero())
            } else {
                let fill = self.trade(&taker, side, at, left, &mut budget, &mut matched)?;
                left -= fill.lots.0;
                on_event(&Event::Fill(fill));
                fill.maker_done
            };
            matched.makers += 1;
            if gone {
                at = if front { self.header.roots[side.index()].first } else { next };
            }
        };
        // Cannot be negative: what is left is what was asked for less these two.
        matched.lots = Lots(taker.lots.0.wrapping_sub(left).wrapping_sub(matched.decremented.0));
        let lots = i64::try_from(matched.lots.0).map_err(|_| BookError::Overflow)?;
        matched.maker_base_delta = if side == Side::Long { lots } else { -lots };
        let pending = self.header.pending_base.checked_add(matched.maker_base_delta);
        self.header.pending_base = pending.ok_or(BookError::Overflow)?;
        self.header.pending_funding.add_product(matched.maker_base_delta, taker.funding_index)?;
        Ok(matched)
    }

    /// The taker meets an order that is expired or of its own owner. `None` if that ends it.
    #[inline(never)]
    fn pass(
        &mut self,
        taker: &Taker,
        at: u32,
        left: &mut u64,
        matched: &mut Matched,
    ) -> Result<Option<Event>, BookError> {
        let order = order(self.blocks, at)?;
        if order.expired(taker.now) {
            matched.expired += 1;
            return Ok(Some(Event::Cancelled(withdraw(self.header, self.blocks, at, Reason::Expired)?)));
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

    /// The taker, of which `left` lots are left, trades with order `at`.
    #[inline(always)]
    fn trade(
        &mut self,
        taker: &Taker,
        side: Side,
        at: u32,
        left: u64,
        budget: &mut u64,
        matched: &mut Matched,
    ) -> Result<Fill, BookError> {
        let order = order_mut(self.blocks, at)?;
        let (price, seat) = (key_of(side, order.node.key), order.node.seat);
        let (sequence, client_id) = (order.sequence, order.client_id);
        let lots = left.min(order.lots);
        let maker_left = order.lots - lots;
        order.lots = maker_left;
        // Not more than the whole order's, which was checked when it came to rest.
        let quote = lots.wrapping_mul(price);
        let maker = seat_mut(self.blocks, seat)?;
        let fees = fees(quote, maker.maker_fee_ppm, taker.taker_fee_ppm, budget)?;
        let fill = Fill {
            seat,
            order_id: OrderId::new(side, price, sequence),
            client_id,
            price: Price(price),
            lots: Lots(lots),
            quote,
            maker_fee: fees.maker,
            maker_left: Lots(maker_left),
            maker_done: maker_left == 0,
        };
        let owed = credit(maker, side, &fill, fees.earned, taker.funding_index)?;
        matched.quote = matched.quote.checked_add(quote).ok_or(BookError::Overflow)?;
        // At most the quote, for no rate exceeds one.
        matched.maker_fees = matched.maker_fees.wrapping_add(fill.maker_fee);
        matched.rebates_owed = matched.rebates_owed.wrapping_add(owed);
        if maker_left == 0 {
            detach(self.header, self.blocks, at, side)?;
        }
        Ok(fill)
    }
}

/// Books a fill at its maker's seat. Gives by how much this raised the rebates that the seat is owed.
#[inline(always)]
fn credit(seat: &mut Seat, side: Side, fill: &Fill, earned: u64, funding_index: i64) -> Result<i64, BookError> {
    seat.unreserve(side, fill.lots.0, fill.quote)?;
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
    seat.pending_bounty_base = seat.pending_bounty_base.checked_add(earned).ok_or(BookError::Overflow)?;
    seat.pending_funding.add_product(base, funding_index)?;
    Ok(owed)
}

/// Head of the first level whose key is at least `start`: the best, unless that lies before.
#[inline]
pub(crate) fn first_from(blocks: &[Block], root: &Root, start: u64) -> Result<u32, BookError> {
    let first = root.first;
    if first == 0 || node(blocks, first)?.key >= start { Ok(first) } else { walk::seek(blocks, root, start) }
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
