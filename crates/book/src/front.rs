//! A side's orders in the order in which takers meet them: those with a price of their own and the pegged ones, merged by
//! the price at which they stand, then by arrival.

use ballast_units::{MAX_PRICE, Price, Side, wide};

use crate::order::{Order, PEG_BIAS, key_of, order, tree_of};
use crate::slab::{Block, Header};
use crate::tree::{Root, node};
use crate::{BookError, MatchTerms, walk};

/// Where a walk through a side stands: the next order in each of its two trees, 0 at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    side: Side,
    /// What the side's pegs stand from.
    reference: u64,
    fixed: u32,
    pegged: u32,
}

/// The order that is met next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    pub id: u32,
    /// Sorts by the price at which it stands, best first.
    pub key: u64,
    pub pegged: bool,
}

impl Front {
    /// The first of a side that is inside the band or worse.
    #[inline(always)]
    pub fn new(header: &Header, blocks: &[Block], side: Side, terms: &MatchTerms) -> Result<Front, BookError> {
        let (best, reference) = match side {
            Side::Long => (terms.bids.1.0, terms.references.0.0),
            Side::Short => (terms.asks.0.0, terms.references.1.0),
        };
        let fixed = first_from(blocks, &header.roots[tree_of(side, false)], key_of(side, best))?;
        let pegs = &header.roots[tree_of(side, true)];
        let pegged = match pegs.first {
            0 => 0,
            _ => first_from(blocks, pegs, key_of(side, biased(best, reference)))?,
        };
        Ok(Front { side, reference, fixed, pegged })
    }

    /// The same without pegged orders.
    pub fn without_pegs(self) -> Front {
        Front { pegged: 0, ..self }
    }

    /// The order that is met next, `None` after the last.
    #[inline(always)]
    pub fn met(&self, blocks: &[Block]) -> Result<Option<Met>, BookError> {
        if self.pegged != 0 {
            return self.merged(blocks).map(Some);
        }
        if self.fixed == 0 {
            return Ok(None);
        }
        Ok(Some(Met { id: self.fixed, key: node(blocks, self.fixed)?.key, pegged: false }))
    }

    #[inline(never)]
    fn merged(&self, blocks: &[Block]) -> Result<Met, BookError> {
        let peg = order(blocks, self.pegged)?;
        let key = key_of(self.side, standing(self.side, peg.node.key, self.reference));
        if self.fixed != 0 {
            let fixed = order(blocks, self.fixed)?;
            if (fixed.node.key, fixed.sequence) < (key, peg.sequence) {
                return Ok(Met { id: self.fixed, key: fixed.node.key, pegged: false });
            }
        }
        Ok(Met { id: self.pegged, key, pegged: true })
    }

    /// What follows an order in its tree; to be asked before the order is changed. `None` if it is the first of its tree,
    /// so that the root knows when it is gone.
    #[inline(always)]
    pub fn after(&self, header: &Header, blocks: &[Block], met: &Met) -> Result<Option<u32>, BookError> {
        // Where orders before the band were passed over, the root does not know what follows.
        if met.id == header.roots[tree_of(self.side, met.pegged)].first {
            Ok(None)
        } else {
            walk::next(blocks, met.id).map(Some)
        }
    }

    /// Goes on from an order that is gone.
    #[inline(always)]
    pub fn pass_gone(&mut self, header: &Header, met: &Met, after: Option<u32>) {
        let next = after.unwrap_or(header.roots[tree_of(self.side, met.pegged)].first);
        if met.pegged { self.pegged = next } else { self.fixed = next }
    }

    /// Goes on from an order that stays.
    pub fn pass(&mut self, blocks: &[Block], met: &Met) -> Result<(), BookError> {
        let next = walk::next(blocks, met.id)?;
        if met.pegged {
            self.pegged = next
        } else {
            self.fixed = next
        }
        Ok(())
    }
}

/// Head of the first level whose key is at least `start`: the best, unless that lies before.
#[inline]
pub(crate) fn first_from(blocks: &[Block], root: &Root, start: u64) -> Result<u32, BookError> {
    let first = root.first;
    if first == 0 || node(blocks, first)?.key >= start { Ok(first) } else { walk::seek(blocks, root, start) }
}

/// By what a pegged order at `price` is sorted. All that cannot stand any lower are at zero.
fn biased(price: u64, reference: u64) -> u64 {
    if price == 0 { 0 } else { price.saturating_add(PEG_BIAS).saturating_sub(reference) }
}

/// Where a pegged order of this key stands: reference + offset, zero instead of below.
#[inline(always)]
pub(crate) fn standing(side: Side, key: u64, reference: u64) -> u64 {
    key_of(side, key).saturating_add(reference).saturating_sub(PEG_BIAS)
}

/// First and last key of a side's orders inside a band of prices.
#[inline(always)]
pub(crate) fn keys_within(side: Side, (low, high): (Price, Price)) -> (u64, u64) {
    match side {
        Side::Long => (key_of(side, high.0), key_of(side, low.0)),
        Side::Short => (key_of(side, low.0), key_of(side, high.0)),
    }
}

impl Order {
    /// The price at which it stands: its own, or where its offset from the reference puts it.
    #[inline(always)]
    pub fn standing(&self, terms: &MatchTerms) -> u64 {
        match (self.is_pegged(), self.side()) {
            (false, _) => self.limit,
            (true, Side::Long) => standing(Side::Long, self.node.key, terms.references.0.0),
            (true, Side::Short) => standing(Side::Short, self.node.key, terms.references.1.0),
        }
    }

    /// Whether a pegged order cannot trade at the price where it stands: beyond its limit, or out of range.
    #[inline(always)]
    pub fn is_beyond_limit(&self, price: u64) -> bool {
        self.is_pegged() && beyond_limit(self, price)
    }
}

#[inline(never)]
fn beyond_limit(order: &Order, price: u64) -> bool {
    let beyond = match order.side() {
        Side::Long => price > order.limit,
        Side::Short => price < order.limit,
    };
    beyond || price == 0 || price > MAX_PRICE || wide::mul(order.lots, price).is_none()
}
