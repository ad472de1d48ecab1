//! What happens when the book is full.

use anchor_lang::prelude::*;
use ballast_book::MatchTerms;
use ballast_units::{Price, Side};

use super::Venue;
use crate::{
    error::OrFail,
    events::OrderEvicted,
    record::tell,
    state::{MAX_BOOK_BLOCKS, MAX_ORDERS_PER_SIDE},
};

/// Makes sure that the book has a block for an order of a side that stands at `price` (`order`), or for the seat of whoever
/// places it. In a book of the largest size that has none left, and for an order on a side that has all orders that a side
/// may have, the side's worst order is removed, if the new one is strictly better. Whether there is room now.
pub fn make_room(venue: &mut Venue, side: Side, price: Price, terms: &MatchTerms, order: bool) -> Result<bool> {
    let has_block = venue.book.free_blocks() != 0;
    if has_block && !(order && venue.book.order_count(side) >= MAX_ORDERS_PER_SIDE) {
        return Ok(true);
    }
    // A book that can still grow evicts nobody: `grow_book` is anyone's to call.
    if !has_block && venue.book.view().capacity() < MAX_BOOK_BLOCKS {
        return Ok(false);
    }
    let Some(worst) = venue.book.view().worst(side, terms) else { return Ok(false) };
    let better = match side {
        Side::Long => price > worst.price,
        Side::Short => price < worst.price,
    };
    if !better {
        return Ok(false);
    }
    let evicted = venue.book.evict_worst(side, terms).or_fail()?;
    tell(&OrderEvicted {
        market: venue.market.index,
        seat: evicted.seat,
        order_id: evicted.id.0,
        lots: evicted.lots.0,
    });
    Ok(true)
}
