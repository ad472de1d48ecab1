//! Triggers: orders that wait off the market until the mark reaches a price. What they are, and what is stored of them.
//!
//! A trigger is a block in the same slab as the orders, in one of two trees by trigger price, so that what is due is found
//! at the front: [`Fires::AtOrBelow`] has the highest price first, [`Fires::AtOrAbove`] the lowest. It belongs to a seat,
//! which lists its triggers newest first. Whether a price has been reached, and what is then traded, is the program's.
//!
//! A trigger is not an order: it reserves nothing and never matches. It shares only blocks with the orders, so their
//! number is bounded twice: [`MAX_TRIGGERS`] at a seat, and a quarter of the slab over all seats, so that triggers, which
//! need no margin, cannot crowd out orders, which do. A slab that grows has room for more of both.

use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Price, Side, wide};
use bytemuck::{Pod, Zeroable};

use crate::order::{BLOCK_BITS, MAX_ARRIVALS};
use crate::slab::{BLOCK, Block, TRIGGER, index};
use crate::tree::Node;
use crate::{BookError, OrderId};

/// Most triggers of one seat: what bounds every walk along its list.
pub const MAX_TRIGGERS: u32 = 16;
/// Triggers have at most one block in this many of the slab's.
pub const TRIGGER_SHARE: u32 = 4;
/// In the place of an entry's sequence while another order takes its place: it is waited for.
pub const HELD_ENTRY: u64 = u64::MAX;
/// Most that a trailing trigger can stay behind: half.
pub const MAX_TRAIL_PPM: u32 = 500_000;
/// Least that a trailing trigger stays behind: a basis point.
pub const MIN_TRAIL_PPM: u32 = 100;
/// Parts in one.
const PPM: u32 = 1_000_000;
/// First of the two trees of triggers.
pub(crate) const FIRST_ROOT: usize = 2;

/// Identifies a trigger of one market for ever: the number of its arrival, which it shares with the orders, and of its
/// block. Its price is not part of it: prices move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TriggerId(pub u64);

impl TriggerId {
    pub(crate) fn block(self) -> u32 {
        block_of(self.0)
    }
}

/// The number of the block in a sequence.
pub(crate) fn block_of(sequence: u64) -> u32 {
    // Twenty bits, which fit.
    (sequence & ((1 << BLOCK_BITS) - 1)) as u32
}

/// In which direction a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fires {
    /// Once the mark is no higher than its price.
    AtOrBelow,
    /// Once the mark is no lower than its price.
    AtOrAbove,
}

impl Fires {
    /// Both, as the trees are numbered.
    pub const BOTH: [Fires; 2] = [Fires::AtOrBelow, Fires::AtOrAbove];

    /// The direction of a stop that places orders of `side`: against the position that they reduce.
    pub const fn stop(side: Side) -> Fires {
        match side {
            Side::Long => Fires::AtOrAbove,
            Side::Short => Fires::AtOrBelow,
        }
    }

    /// The other direction.
    pub const fn opposite(self) -> Fires {
        match self {
            Fires::AtOrBelow => Fires::AtOrAbove,
            Fires::AtOrAbove => Fires::AtOrBelow,
        }
    }

    pub(crate) const fn root(self) -> usize {
        match self {
            Fires::AtOrBelow => FIRST_ROOT,
            Fires::AtOrAbove => FIRST_ROOT + 1,
        }
    }

    /// The key by which a price sorts, first to fire first; and back, being its own inverse.
    pub(crate) const fn key(self, price: u64) -> u64 {
        match self {
            Fires::AtOrBelow => !price,
            Fires::AtOrAbove => price,
        }
    }

    /// Whether a trigger at `price` fires at this mark.
    pub const fn reached(self, price: Price, mark: Price) -> bool {
        match self {
            Fires::AtOrBelow => mark.0 <= price.0,
            Fires::AtOrAbove => mark.0 >= price.0,
        }
    }
}

/// Where a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerPrice {
    /// Always there: 1 to [`MAX_PRICE`].
    Fixed(Price),
    /// Behind the best mark so far, for stops only.
    Trailing {
        /// How far behind, in ppm of the best mark: [`MIN_TRAIL_PPM`] to [`MAX_TRAIL_PPM`].
        ppm: u32,
        /// The best mark so far: the highest for a stop that sells, the lowest for one that buys.
        best: Price,
    },
}

/// What a trigger places when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// An order that takes, at worst this many basis points beyond the mark at that time: up to 10,000.
    Market {
        /// Beyond the mark.
        slippage_bps: u16,
    },
    /// An order at this price, of which the rest may come to rest.
    Limit(Price),
}

/// What of a trigger can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Where it fires.
    pub price: TriggerPrice,
    /// At most this many lots, 1 to [`MAX_LOTS`]; `None` for the whole position, whatever that is then.
    pub lots: Option<Lots>,
    /// What it places.
    pub execution: Execution,
    /// First second (unix time) at which it no longer fires; 0 for never.
    pub expires_at: i64,
}

/// What the caller wants to place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTrigger {
    /// The seat, which the caller has verified to be theirs.
    pub seat: u32,
    /// Long to buy (reduces a short), short to sell (reduces a long).
    pub side: Side,
    /// In which direction it fires: against the position for a stop-loss, with it for a take-profit.
    pub fires: Fires,
    /// The rest.
    pub terms: Terms,
    /// The owner's own number for it; need not be unique.
    pub client_id: u64,
    /// Sequence of the seat's resting order that opens the position which it protects, 0 where that is there already.
    pub entry: u64,
    /// Of one with an entry: lots of the position that it protects already.
    pub filled: Lots,
}

/// A trigger as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its id.
    pub id: TriggerId,
    /// Its seat.
    pub seat: u32,
    /// Long to buy, short to sell.
    pub side: Side,
    /// In which direction it fires.
    pub fires: Fires,
    /// Where it fires now.
    pub price: Price,
    /// Its terms, with what is left of its lots.
    pub terms: Terms,
    /// The owner's own number for it.
    pub client_id: u64,
    /// Sequence of the order that opens the position which it protects, 0 if it never waited for one. What has that sequence may
    /// be gone ([`BookView::awaits`](crate::BookView::awaits)).
    pub entry: u64,
    /// Of one with an entry: lots that this filled, or that were there before it, and that have not been reduced since. It protects no more.
    pub filled: Lots,
    /// Whether fills of the order that the other of its pair became have taken all its lots: it is over.
    pub spent: bool,
}

impl Trigger {
    /// Whether it no longer fires at `now`.
    pub fn expired(&self, now: i64) -> bool {
        self.terms.expires_at != 0 && self.terms.expires_at <= now
    }

    /// Whether it is a stop-loss; otherwise it is a take-profit.
    pub fn is_stop(&self) -> bool {
        self.fires == Fires::stop(self.side)
    }

    /// Whether it follows the mark.
    pub fn trails(&self) -> bool {
        matches!(self.terms.price, TriggerPrice::Trailing { .. })
    }

    /// The price of the order that it places while the mark is at `mark`, rounded towards the mark and kept in the range
    /// of prices.
    pub fn worst_price(&self, mark: Price) -> Price {
        match self.terms.execution {
            Execution::Limit(price) => price,
            Execution::Market { slippage_bps } => worst_price(self.side, mark, u32::from(slippage_bps)),
        }
    }
}

/// The worst price of an order of `side` that may slip `slippage_bps` beyond the mark, rounded towards the mark.
pub fn worst_price(side: Side, mark: Price, slippage_bps: u32) -> Price {
    let slip = wide::scale_floor(mark.0, slippage_bps, 10_000).unwrap_or(0);
    let price = match side {
        Side::Long => mark.0.saturating_add(slip),
        Side::Short => mark.0.saturating_sub(slip),
    };
    Price(price.clamp(1, MAX_PRICE))
}

/// Where a trailing stop of `side` fires: `ppm` of the best mark behind it, rounded away from the mark. Within the range
/// of prices.
pub fn trailing_price(side: Side, best: Price, ppm: u32) -> Price {
    let behind = wide::scale_ceil(best.0, ppm, PPM).unwrap_or(0);
    let price = match side {
        Side::Long => best.0.saturating_add(behind),
        Side::Short => best.0.saturating_sub(behind),
    };
    Price(price.clamp(1, MAX_PRICE))
}

/// What stands on the other side of an OCO pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sibling {
    /// A trigger still.
    Trigger(TriggerId),
    /// The order that it became.
    Order(OrderId),
}

impl Sibling {
    /// Its sequence: what the other of the pair keeps of it.
    pub fn sequence(self) -> u64 {
        match self {
            Sibling::Trigger(id) => id.0,
            Sibling::Order(id) => id.sequence(),
        }
    }
}

/// Words of a block that a trigger leaves free.
const SPARE: usize = BLOCK / 8 - 16;
/// In the flags: it places orders that sell.
const SELLS: u8 = 1;
/// In the flags: it fires at or above its price.
const ABOVE: u8 = 2;
/// In the flags: its lots were taken off by fills of the order that the other of its pair became.
const SPENT: u8 = 4;

/// A trigger's block.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Stored {
    /// Its flags are [`SELLS`], [`ABOVE`] and [`SPENT`].
    pub node: Node,
    pub sequence: u64,
    /// 0 for the whole position.
    pub lots: u64,
    /// 0 for a market order.
    pub limit: u64,
    pub expires_at: i64,
    pub client_id: u64,
    /// Sequence of the other of its pair, 0 if it has none. What has that sequence may be gone.
    pub sibling: u64,
    /// The best mark so far, 0 if it does not trail.
    pub best: u64,
    /// 0 if it does not trail.
    pub trail_ppm: u32,
    pub slippage_bps: u32,
    /// The seat's next older trigger, 0 at the end.
    pub older: u32,
    /// The seat's next newer trigger, 0 if this is its newest.
    pub newer: u32,
    /// Sequence of the order that opens the position which it protects, 0 for none. What has that sequence may be gone.
    pub entry: u64,
    /// Lots that the entry filled and that the trigger has not reduced. Means nothing without an entry.
    pub filled: u64,
    pub reserved: [u64; SPARE],
}

const _: () = assert!(size_of::<Stored>() == BLOCK);

impl Stored {
    pub fn new(new: &NewTrigger, sequence: u64) -> Stored {
        let sells = if new.side == Side::Short { SELLS } else { 0 };
        let above = if new.fires == Fires::AtOrAbove { ABOVE } else { 0 };
        let node = Node { kind: TRIGGER, flags: sells | above, seat: new.seat, ..Node::zeroed() };
        let (client_id, entry, filled) = (new.client_id, new.entry, new.filled.0);
        let mut stored = Stored { node, sequence, client_id, entry, filled, ..Stored::zeroed() };
        stored.set_terms(&new.terms);
        stored
    }

    /// Takes over terms that are valid.
    pub fn set_terms(&mut self, terms: &Terms) {
        let price = match terms.price {
            TriggerPrice::Fixed(price) => {
                (self.trail_ppm, self.best) = (0, 0);
                price
            }
            TriggerPrice::Trailing { ppm, best } => {
                (self.trail_ppm, self.best) = (ppm, best.0);
                trailing_price(self.side(), best, ppm)
            }
        };
        self.node.key = self.fires().key(price.0);
        self.lots = terms.lots.map_or(0, |lots| lots.0);
        (self.limit, self.slippage_bps) = match terms.execution {
            Execution::Market { slippage_bps } => (0, u32::from(slippage_bps)),
            Execution::Limit(price) => (price.0, 0),
        };
        self.expires_at = terms.expires_at;
    }

    #[inline(always)]
    pub fn side(&self) -> Side {
        if self.node.flags & SELLS == 0 { Side::Long } else { Side::Short }
    }

    #[inline(always)]
    pub fn fires(&self) -> Fires {
        if self.node.flags & ABOVE == 0 { Fires::AtOrBelow } else { Fires::AtOrAbove }
    }

    #[inline(always)]
    pub fn is_spent(&self) -> bool {
        self.node.flags & SPENT != 0
    }

    /// Takes off lots that the other of its pair traded; with none left it is spent. One for the whole position has no lots of its own.
    pub fn pair_traded(&mut self, lots: u64) {
        if self.lots > lots {
            self.lots -= lots;
        } else if self.lots != 0 {
            self.node.flags |= SPENT;
        }
    }

    #[inline(always)]
    pub fn price(&self) -> u64 {
        self.fires().key(self.node.key)
    }

    pub fn trigger(&self) -> Trigger {
        let price = Price(self.price());
        let terms = Terms {
            price: match self.trail_ppm {
                0 => TriggerPrice::Fixed(price),
                ppm => TriggerPrice::Trailing { ppm, best: Price(self.best) },
            },
            lots: if self.lots == 0 { None } else { Some(Lots(self.lots)) },
            execution: match self.limit {
                0 => Execution::Market { slippage_bps: u16::try_from(self.slippage_bps).unwrap_or(u16::MAX) },
                limit => Execution::Limit(Price(limit)),
            },
            expires_at: self.expires_at,
        };
        Trigger {
            id: TriggerId(self.sequence),
            seat: self.node.seat,
            side: self.side(),
            fires: self.fires(),
            price,
            terms,
            client_id: self.client_id,
            entry: self.entry,
            filled: Lots(self.filled),
            spent: self.is_spent(),
        }
    }
}

/// Whether every field is in its range.
pub(crate) fn valid(side: Side, fires: Fires, terms: &Terms) -> bool {
    let price = |price: Price| (1..=MAX_PRICE).contains(&price.0);
    let fires_at = match terms.price {
        TriggerPrice::Fixed(at) => price(at),
        TriggerPrice::Trailing { ppm, best } => {
            price(best) && (MIN_TRAIL_PPM..=MAX_TRAIL_PPM).contains(&ppm) && fires == Fires::stop(side)
        }
    };
    let places = match terms.execution {
        Execution::Market { slippage_bps } => slippage_bps <= 10_000,
        Execution::Limit(at) => price(at),
    };
    let lots = terms.lots.is_none_or(|lots| (1..=MAX_LOTS).contains(&lots.0));
    fires_at && places && lots && terms.expires_at >= 0
}

/// Block `id` as a trigger.
#[inline(always)]
pub(crate) fn stored(blocks: &[Block], id: u32) -> Result<&Stored, BookError> {
    match blocks.get(index(id)) {
        Some(block) if block.node.kind == TRIGGER => Ok(bytemuck::cast_ref(block)),
        _ => Err(BookError::Corrupt),
    }
}

/// As [`stored`], to write.
#[inline(always)]
pub(crate) fn stored_mut(blocks: &mut [Block], id: u32) -> Result<&mut Stored, BookError> {
    match blocks.get_mut(index(id)) {
        Some(block) if block.node.kind == TRIGGER => Ok(bytemuck::cast_mut(block)),
        _ => Err(BookError::Corrupt),
    }
}

const _: () = assert!(MAX_ARRIVALS.leading_zeros() + 1 > BLOCK_BITS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_stop_rounds_away_from_the_mark() {
        // A ten-thousandth of 12,345 is 1.2345.
        assert_eq!(trailing_price(Side::Short, Price(12_345), 100), Price(12_343));
        assert_eq!(trailing_price(Side::Long, Price(12_345), 100), Price(12_347));
        assert_eq!(trailing_price(Side::Short, Price(1), MAX_TRAIL_PPM), Price(1));
        assert_eq!(trailing_price(Side::Long, Price(MAX_PRICE), MAX_TRAIL_PPM), Price(MAX_PRICE));
    }

    #[test]
    fn a_worst_price_rounds_towards_the_mark() {
        assert_eq!(worst_price(Side::Short, Price(12_345), 1), Price(12_344));
        assert_eq!(worst_price(Side::Long, Price(12_345), 1), Price(12_346));
        assert_eq!(worst_price(Side::Short, Price(100), 10_000), Price(1));
    }

    #[test]
    fn a_stop_fires_against_the_position_that_its_order_reduces() {
        assert_eq!(Fires::stop(Side::Short), Fires::AtOrBelow);
        assert!(Fires::AtOrBelow.reached(Price(100), Price(100)) && !Fires::AtOrBelow.reached(Price(100), Price(101)));
        assert!(Fires::AtOrAbove.reached(Price(100), Price(100)) && !Fires::AtOrAbove.reached(Price(100), Price(99)));
    }
}
