//! Books of layout 1 become those of layout 2 that hold the same, however many blocks a call moves.

mod common;

use ballast_book::{BLOCK, BookError, BookView, FromMarket, Migrated, migrate, space, space_for_migration};
use ballast_units::Side;
use common::{Slab, key, order, take, taker};
use proptest::prelude::*;

/// Bytes of a block of layout 1.
const OLD: usize = 144;
const TERMS: FromMarket = FromMarket { funding_index: -77_123, maker_fee_ppm: 150 };

/// Bytes at some place of one block or header, to some place of the other, and how many.
type Parts = &'static [(usize, usize, usize)];

/// Layout 1, from layout 2: the same numbers at other places.
const HEADER_PARTS: Parts = &[(8, 8, 16), (40, 24, 16), (56, 40, 96)];
const SEAT_PARTS: Parts = &[(0, 0, 1), (2, 4, 2), (8, 8, 136)];
const OTHER_PARTS: Parts = &[(0, 0, OLD)];

fn put(from: &[u8], to: &mut [u8], parts: Parts) {
    for (source, target, length) in parts {
        to[*target..target + length].copy_from_slice(&from[*source..source + length]);
    }
}

/// What layout 1 had of a book, with room for as many blocks.
fn layout_1(new: &[u8]) -> Vec<u8> {
    let blocks = new.len() / BLOCK;
    let mut old = vec![0; blocks * OLD];
    old[..8].copy_from_slice(b"blstbk\0\x01");
    put(new, &mut old, HEADER_PARTS);
    for number in 1..blocks {
        let (from, to) = (&new[number * BLOCK..][..BLOCK], &mut old[number * OLD..][..OLD]);
        put(from, to, if from[0] == 2 { SEAT_PARTS } else { OTHER_PARTS });
        if from[0] == 1 {
            // What layout 1 never set of an order's block.
            to[88..].fill(0xee);
        }
    }
    old
}

fn build(steps: &[(bool, u64, u64, u8)]) -> Slab {
    let mut slab = Slab::new(64);
    for seat in 1..=3u32 {
        let account = u8::try_from(seat).unwrap();
        slab.book().open_seat(key(account), key(account)).unwrap();
        slab.book().set_maker_fee(seat, TERMS.maker_fee_ppm).unwrap();
    }
    let mut resting = Vec::new();
    for (buys, price, lots, choice) in steps {
        let side = if *buys { Side::Long } else { Side::Short };
        match choice {
            0..=9 => {
                let seat = u32::from(choice % 3) + 1;
                // Sides apart, so that nothing is crossed.
                let price = if *buys { *price } else { price + 100 };
                resting.extend(slab.book().rest(order(side, price, *lots, seat)).ok().map(|id| (id, seat)));
            }
            10..=12 => {
                let at = usize::from(*choice) * 7 % resting.len().max(1);
                if let Some((id, seat)) = resting.get(at) {
                    let _ = slab.book().cancel(*id, *seat);
                }
            }
            _ => {
                let mut taking = taker(side, *lots);
                taking.funding_index = TERMS.funding_index;
                take(&mut slab, taking);
            }
        }
    }
    assert_eq!(slab.view().check(), Ok(()));
    slab
}

/// Migrates, `limit` blocks a call, in room for a book of `blocks`.
fn migrated(old: &[u8], blocks: u32, limit: u32) -> Vec<u64> {
    let mut words = vec![0u64; space(blocks) / 8];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    bytes[..old.len()].copy_from_slice(old);
    let mut left = u32::MAX;
    loop {
        match migrate(bytes, &TERMS, limit).unwrap() {
            Migrated::Whole => return words,
            Migrated::Partly(more) => {
                assert!(more < left && BookView::load(bytes).is_err(), "no book until it is whole");
                left = more;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn prop_a_migrated_book_is_the_one_it_was(
        steps in prop::collection::vec((any::<bool>(), 1u64..30, 1u64..9, 0u8..16), 0..90),
        limit in 1u32..80,
    ) {
        let mut new = build(&steps);
        let words = migrated(&layout_1(new.bytes()), 64, limit);
        let view = BookView::load(bytemuck::cast_slice(&words)).unwrap();
        prop_assert_eq!(view.check(), Ok(()));
        let expected = new.view();
        for side in Side::BOTH {
            prop_assert!(view.orders(side).eq(expected.orders(side)));
        }
        let seats = |view: &BookView| view.seats().map(|(id, seat)| (id, *seat)).collect::<Vec<_>>();
        prop_assert_eq!(seats(&view), seats(&expected));
        prop_assert_eq!(view.free_blocks(), expected.free_blocks());
        prop_assert_eq!(view.pending_base_total(), expected.pending_base_total());
    }
}

#[test]
fn a_slab_that_is_too_short_or_no_book_of_layout_1_is_left_alone() {
    let mut new = build(&[(true, 5, 5, 0), (false, 5, 5, 1)]);
    let old = layout_1(new.bytes());
    let needed = space_for_migration(&old).unwrap();
    let mut short = old[..needed - 8].to_vec();
    let before = short.clone();
    assert_eq!(migrate(&mut short, &TERMS, 9), Err(BookError::Full));
    assert_eq!(short, before);
    assert_eq!(migrate(new.bytes(), &TERMS, 9), Err(BookError::Corrupt));
    assert_eq!(migrate(&mut vec![0; 4_000], &TERMS, 9), Err(BookError::Corrupt));
    assert_eq!(migrate(&mut [], &TERMS, 9), Err(BookError::Corrupt));
    let mut corrupt = old;
    corrupt[28..32].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(migrate(&mut corrupt, &TERMS, 9), Err(BookError::Corrupt));
}
