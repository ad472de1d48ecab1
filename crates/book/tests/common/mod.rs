//! A book as plain sorted lists, as slow as it is plainly right, and a slab to run the real one beside it.
#![allow(dead_code)]

pub mod damage;
pub mod model;
pub mod ops;
pub mod run;

use ballast_book::{Book, BookView, Event, MatchTerms, Matched, NewOrder, OrderId, SelfTrade, Taker, space};
use ballast_units::{Lots, Price, Side};

/// Bytes aligned to eight, as account data is.
pub struct Slab {
    words: Vec<u64>,
}

impl Slab {
    /// Zeros, with room for `blocks`.
    pub fn zeros(blocks: u32) -> Slab {
        Slab { words: vec![0; space(blocks) / 8] }
    }

    /// A copy of these bytes.
    pub fn of(bytes: &[u8]) -> Slab {
        Slab { words: bytemuck::cast_slice(bytes).to_vec() }
    }

    /// An initialised book with room for `blocks`.
    pub fn new(blocks: u32) -> Slab {
        let mut slab = Slab::zeros(blocks);
        Book::init(slab.bytes()).unwrap();
        slab
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }

    pub fn book(&mut self) -> Book<'_> {
        Book::load(self.bytes()).unwrap()
    }

    pub fn view(&self) -> BookView<'_> {
        BookView::load(bytemuck::cast_slice(&self.words)).unwrap()
    }

    /// More zeros at the end, for `blocks` more.
    pub fn grow(&mut self, blocks: u32) {
        let words = self.words.len() + (space(blocks) - space(0)) / 8;
        self.words.resize(words, 0);
    }
}

/// A key of 32 equal bytes.
pub fn key(n: u8) -> [u8; 32] {
    [n; 32]
}

/// The widest band.
pub const EVERYWHERE: (Price, Price) = (Price(0), Price(u64::MAX));

/// Inside a band at a time, with pegs around 100.
pub fn terms(band: (Price, Price), now: i64) -> MatchTerms {
    MatchTerms { bids: band, asks: band, references: (Price(100), Price(100)), now }
}

/// An order that never expires.
pub fn order(side: Side, price: u64, lots: u64, seat: u32) -> NewOrder {
    NewOrder {
        side,
        price: Price(price),
        peg: None,
        lots: Lots(lots),
        seat,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
    }
}

/// A taker without limit or fees, of owner 255.
pub fn taker(side: Side, lots: u64) -> Taker {
    let limit = match side {
        Side::Long => Price(u64::MAX),
        Side::Short => Price(0),
    };
    Taker {
        side,
        lots: Lots(lots),
        limit,
        terms: terms(EVERYWHERE, 0),
        owner: key(255),
        self_trade: SelfTrade::CancelTaking,
        max_makers: u32::MAX,
        funding_index: 0,
        taker_fee_ppm: 0,
        rebate_budget: 0,
    }
}

/// A book with two seats, 1 of owner 1 and 2 of owner 2.
pub fn two_seats(blocks: u32) -> Slab {
    let mut slab = Slab::new(blocks);
    let mut book = slab.book();
    assert_eq!(book.open_seat(key(101), key(1)), Ok(1));
    assert_eq!(book.open_seat(key(102), key(2)), Ok(2));
    slab
}

/// The ids of a side, best first.
pub fn ids(view: &BookView<'_>, side: Side) -> Vec<OrderId> {
    view.orders(side).map(|order| order.id).collect()
}

/// Matches and gives what was traded as (order, lots).
pub fn take(slab: &mut Slab, taker: Taker) -> (Matched, Vec<(OrderId, u64)>) {
    let mut fills = Vec::new();
    let matched = slab
        .book()
        .match_taker(taker, |event| {
            if let Event::Fill(fill) = event {
                fills.push((fill.order_id, fill.lots.0));
            }
        })
        .unwrap();
    assert_eq!(slab.view().check(), Ok(()));
    (matched, fills)
}
