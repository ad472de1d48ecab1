//! Ballast's order book: bids, asks and the seats of those who placed them, in one slab of bytes that grows.
//!
//! The crate knows nothing of accounts or of margin. It matches by price and time inside a band around the mark, and
//! books a maker's part of each fill at the maker's seat, so that a taker's instruction needs no other account. The
//! taker's part, margin, fees and who may do what are the program's.
//!
//! A slab is a header and blocks of [`BLOCK`] bytes; orders, seats and the free list share them. It has to start at a
//! multiple of 8 bytes. Prices are atoms per lot, so a value is lots × price exactly; nothing here rounds but fees.
//!
//! # The tree
//! A side is a crit-bit tree over prices with a ring of orders at each price, its inner nodes kept inside the orders'
//! own blocks. The other candidates were a red-black tree over (price, arrival), as Manifest has, and a crit-bit tree
//! with blocks of their own for inner nodes, as OpenBook has. The first rebalances after insertion and removal, each
//! step on other blocks; the second takes two blocks for an order. Here neither rebalances, an order is one block, and
//! a second order at a price costs no more than finding the first. A crit-bit tree is not balanced, but prices differ
//! in 40 bits at most, which bounds its depth against anybody's choice of prices; a red-black tree of 20,000 may have 28.
//!
//! An order's id carries the number of its block, so cancelling looks nothing up. Compute units on the Solana virtual
//! machine (SBPF v3), 20,000 resting orders over 50,000 prices a side, without what loading the slab costs (25):
//!
//! | operation | median | most seen |
//! |---|---|---|
//! | [`rest`](Book::rest) | 540 | 660 |
//! | `rest` in the deepest tree that anybody can make | 980 | |
//! | [`cancel`](Book::cancel) | 280 | 320 |
//! | [`match_taker`](Book::match_taker), one maker, whole | 580 | 630 |
//! | the same, past orders outside the band | 1,040 | 1,130 |
//! | each further maker | 430 | 440 |
//! | [`would_match`](Book::would_match) | 80 | 80 |
//! | [`take_pending`](Book::take_pending) | 40 | 40 |
//! | [`impact_price`](Book::impact_price), each order looked at | 70 | |
//!
//! # Pegged orders
//! An order may stand at an offset from the market's reference for its side (the mark, rounded to the tick away from the
//! touch) instead of at a price. Pegged orders have trees of their own, sorted by offset, which is the order of their
//! prices wherever the reference is: a mark that moves writes nothing. A taker merges the two trees of a side. A peg has a
//! limit; standing beyond it, it cannot trade, and whoever meets it removes it. Its seat reserves the limit, so a seat's
//! sums do not move with the mark.
//!
//! # Invariants
//! Each is named by a test (`inv_<number>_…`); [`BookView::check`] looks for 2 to 6 in a slab's bytes.
//!
//! 1. Orders of a side are met by price, best first, and at one price by arrival, pegged ones among them at the price
//!    where they stand; nothing trades beyond the taker's limit, outside the band, or beyond a peg's own limit, and an order
//!    passed over costs nothing by itself.
//! 2. A side's tree holds exactly its orders; each inner node stands for the highest bit in which the keys below differ;
//!    a block's leaf is below its own inner node.
//! 3. Every block below the high-water mark is one of order, seat, trigger, or entry of the free list, and reached once.
//! 4. A seat's lots and quote per side are the sums over its resting orders, its list holds exactly those, and it counts
//!    those among them that only reduce.
//! 5. The totals of pending base and of base × funding index are the sums over seats.
//! 6. An id never names two orders, and arrivals at a price ascend.
//! 7. What makers are credited in base and cash is what the taker is told, with opposite sign, to the atom.
//! 8. Orders of one owner never trade with each other, whichever of the three modes, and an expired order never trades.
//! 9. A maker's fee is rounded up at each fill and a rebate down; a rebate is at most the taker's fee for that fill, all of
//!    a taker's are at most what it can pay; and what fills are said to have earned never exceeds what was charged.
//! 10. A slab that grows keeps its contents and gains free blocks; initialising does not depend on its size.
//! 11. No bytes, however corrupt, make a call panic or run without end.
//! 12. A refused [`rest`](Book::rest), [`cancel`](Book::cancel) or [`close_seat`](Book::close_seat) on a sound slab
//!     changes nothing.
//! 13. A trigger's tree and its seat's list hold it once; what is executed comes off it and off the other of its pair, once;
//!     a pair never names what is not its own, whoever has the block since.
#![cfg_attr(not(test), no_std)]

mod cancel;
mod check;
mod error;
mod front;
mod iter;
mod matching;
mod migrate;
mod order;
mod seat;
mod slab;
mod taker;
mod tree;
mod trigger;
mod trigger_change;
mod trigger_check;
mod trigger_view;
mod view;
mod walk;
mod wide;

pub use cancel::{CancelledOrder, Reason};
pub use check::Broken;
pub use error::BookError;
pub use iter::{Level, Levels, Orders, SeatOrders, Seats, Standing, StandingOrders};
pub use migrate::{FromMarket, Migrated, migrate, space_for_migration};
pub use order::{NewOrder, OrderId, RestingOrder};
pub use seat::{Pending, Seat, VOLUME_STEP};
pub use slab::{BLOCK, HEADER, MAX_BLOCKS, space};
pub use taker::{Event, Fill, MatchTerms, Matched, SelfTrade, Stopped, Taker};
pub use trigger::{
    Execution, Fires, HELD_ENTRY, MAX_TRAIL_PPM, MAX_TRIGGERS, MIN_TRAIL_PPM, NewTrigger, Sibling, TRIGGER_SHARE,
    Terms, Trigger, TriggerId, TriggerPrice, trailing_price, worst_price,
};
pub use trigger_change::Executed;
pub use trigger_view::{SeatTriggers, Triggers};

use slab::{Block, Header};

/// The book over a mutable slab.
#[derive(Debug)]
pub struct Book<'a> {
    header: &'a mut Header,
    blocks: &'a mut [Block],
}

/// The book over a shared slab.
#[derive(Clone, Copy, Debug)]
pub struct BookView<'a> {
    header: &'a Header,
    blocks: &'a [Block],
}

impl<'a> Book<'a> {
    /// Makes a book of a slab of zeros, in constant time.
    ///
    /// # Errors
    /// `AlreadyInitialised` if the slab does not begin with zeros; `Corrupt` if it is shorter than [`HEADER`] or not
    /// aligned to 8 bytes.
    pub fn init(slab: &'a mut [u8]) -> Result<Book<'a>, BookError> {
        let (header, blocks) = slab::split_mut(slab)?;
        header.initialise()?;
        Ok(Book { header, blocks })
    }

    /// The book in an initialised slab. Its capacity follows from the slab's length.
    ///
    /// # Errors
    /// `Corrupt` if it is not one.
    pub fn load(slab: &'a mut [u8]) -> Result<Book<'a>, BookError> {
        let (header, blocks) = slab::split_mut(slab)?;
        header.verify()?;
        Ok(Book { header, blocks })
    }

    /// The same book, to read.
    #[inline(always)]
    pub fn view(&self) -> BookView<'_> {
        BookView { header: self.header, blocks: self.blocks }
    }
}

impl<'a> BookView<'a> {
    /// As [`Book::load`].
    ///
    /// # Errors
    /// `Corrupt` if the slab is not a book.
    pub fn load(slab: &'a [u8]) -> Result<BookView<'a>, BookError> {
        let (header, blocks) = slab::split(slab)?;
        header.verify()?;
        Ok(BookView { header, blocks })
    }
}
