//! No slab, however corrupt, and no membership, however wrong, makes the index panic or loop.

mod model;

use ballast_rank::{Error, Index, IndexView, Membership, space};
use ballast_units::{Lots, Price, Side};
use model::Slab;
use proptest::prelude::*;

const AROUND: u64 = 1_000_000;

/// A number that is likely to break something.
fn wild() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0u64..200,
        (0u32..64, -1i64..=1).prop_map(|(shift, by)| (1u64 << shift).wrapping_add_signed(by)),
        Just(u64::MAX),
        Just(1 << 63),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

/// A slab with some cells of every kind, and the memberships in it.
fn lived_in(cells: u32) -> (Slab, Vec<(Side, Membership)>) {
    let mut slab = Slab::new(cells);
    let mut index = Index::init(slab.bytes()).unwrap();
    let mut members = Vec::new();
    for number in 0..40u64 {
        let side = if number % 2 == 0 { Side::Long } else { Side::Short };
        let entry = AROUND * (90 + number % 21) / 100;
        let beta = entry as i64 - side.sign() * (entry / (1 + number % 7)) as i64;
        if let Ok(member) = index.join(side, Price(entry), beta, Lots(1 + number * number), 0) {
            members.push((side, member));
        }
    }
    for side in Side::BOTH {
        let lots = Lots(index.open_interest(side).0 / 3);
        index.deleverage(side, lots, Price(AROUND), Price(AROUND), 77, u32::MAX, |_| ()).unwrap();
    }
    for (side, member) in members.iter().step_by(5) {
        index.leave(*side, member, 99, Price(AROUND)).unwrap();
    }
    index.view().check().unwrap();
    (slab, members)
}

/// Everything that can be done to an index; only the answers are uninteresting.
fn use_it(bytes: &mut [u8], side: Side, member: &Membership, numbers: [u64; 6]) -> Result<(), Error> {
    let [entry, beta, lots, funding, price, mark] = numbers;
    let (beta, funding) = (beta as i64, funding as i64);
    let view = IndexView::load(bytes)?;
    let _ = view.check();
    let _ = view.peek(side, member, funding, Price(price));
    let _ = view.ahead(side, member, Price(mark), funding).map(|ahead| ahead.lights());
    let _ = view.dust(side, funding).atoms();
    let _ = view.cells(side, funding).count();
    for row in view.rows(side) {
        let _ = view.drift(side, row.bucket, funding);
    }
    let mut index = Index::load(bytes)?;
    let _ = index.join(side, Price(entry), beta, Lots(lots), funding);
    let _ = index.leave(side, member, funding, Price(price));
    let _ = index.deleverage(side, Lots(lots), Price(price), Price(mark), funding, 7, |_| ());
    let _ = index.deleverage(side, Lots(lots), Price(AROUND), Price(AROUND), 5, u32::MAX, |_| ());
    let _ = index.join(side, Price(AROUND), 0, Lots(5), 7);
    let _ = index.recentre(side, ballast_rank::grid::bucket(Price(AROUND)), funding);
    let _ = index.close_dust(side, Price(price), funding);
    let _ = index.sweep_dust(side, funding);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn wild_arguments_and_memberships_are_answered(
        side in side(),
        numbers in prop::array::uniform6(wild()),
        words in prop::array::uniform7(wild()),
        like in any::<prop::sample::Index>(),
        keep in 0u8..128,
    ) {
        let (mut slab, members) = lived_in(24);
        let real: [u64; 7] = bytemuck::cast(like.get(&members).1);
        let mixed: [u64; 7] = core::array::from_fn(|word| if keep >> word & 1 == 1 { real[word] } else { words[word] });
        use_it(slab.bytes(), side, &bytemuck::cast(mixed), numbers).unwrap();
    }

    #[test]
    fn a_wild_slab_is_answered(
        side in side(),
        numbers in prop::array::uniform6(wild()),
        like in any::<prop::sample::Index>(),
        writes in prop::collection::vec((any::<prop::sample::Index>(), 0u32..64, 0u32..=64, wild()), 1..12),
    ) {
        let (mut slab, members) = lived_in(24);
        let words: &mut [u64] = bytemuck::cast_slice_mut(slab.bytes());
        let used: Vec<usize> = (1..words.len()).filter(|word| words[*word] != 0).collect();
        for (place, from, width, value) in writes {
            // Some bits of a word that is in use.
            let mask = u64::MAX.checked_shl(width).map_or(u64::MAX, |high| !high) << from;
            let word = &mut words[*place.get(&used)];
            *word = *word & !mask | value << from & mask;
        }
        use_it(slab.bytes(), side, &like.get(&members).1, numbers).unwrap();
    }
}

#[test]
fn a_slab_of_noise_is_answered() {
    let mut noise = 1u64;
    for _ in 0..20 {
        let mut bytes: Vec<u64> = (0..space(50) / 8)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                noise ^ noise >> 29
            })
            .collect();
        bytes[0] = u64::from_le_bytes(*b"BALRANK\x01");
        for side in Side::BOTH {
            let member = Membership { cell: 7, generation: 1, lots: 5, a: 1 << 50, k: [3; 2], g: [4; 2] };
            let numbers = [AROUND, AROUND, 100, 5, AROUND, AROUND];
            use_it(bytemuck::cast_slice_mut(&mut bytes), side, &member, numbers).unwrap();
        }
    }
}
