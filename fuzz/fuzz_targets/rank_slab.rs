//! A ranking index whose bytes the fuzzer changed: whatever is called comes back, with a result or an error.
#![no_main]

use ballast_rank::{Index, IndexView, Membership, space};
use ballast_units::{Lots, Price, Side};
use libfuzzer_sys::{arbitrary, arbitrary::Arbitrary, fuzz_target};

const AROUND: u64 = 1_000_000;
const CELLS: u32 = 24;

#[derive(Arbitrary, Debug)]
struct Damage {
    /// Which words, counted in those in use, become what.
    words: Vec<(u16, u64)>,
    member: [u64; 7],
    like: Option<(u8, u8)>,
    long: bool,
    entry: u64,
    beta: i64,
    lots: u64,
    funding: i64,
    price: u64,
    mark: u64,
}

/// A slab with some cells of every kind, and the memberships in it.
fn lived_in() -> (Vec<u64>, Vec<Membership>) {
    let mut words = vec![0u64; space(CELLS).div_ceil(8)];
    let mut index = Index::init(bytemuck::cast_slice_mut(&mut words)).expect("a fresh slab");
    let mut members = Vec::new();
    for number in 0..40u64 {
        let side = if number % 2 == 0 { Side::Long } else { Side::Short };
        let entry = AROUND * (90 + number % 21) / 100;
        let beta = entry.cast_signed() - side.sign() * (entry / (1 + number % 7)).cast_signed();
        if let Ok(member) = index.join(side, Price(entry), beta, Lots(1 + number * number), 0) {
            members.push(member);
        }
    }
    for side in Side::BOTH {
        let lots = Lots(index.open_interest(side).0 / 3);
        index.deleverage(side, lots, Price(AROUND), Price(AROUND), 77, u32::MAX, |_| ()).expect("a sound index");
    }
    (words, members)
}

fuzz_target!(|damage: Damage| {
    let (mut words, members) = lived_in();
    let used: Vec<usize> = (1..words.len()).filter(|word| words[*word] != 0).collect();
    for (place, value) in &damage.words {
        words[used[usize::from(*place) % used.len()]] = *value;
    }
    let mut member = damage.member;
    if let Some((which, keep)) = damage.like {
        let real: [u64; 7] = bytemuck::cast(members[usize::from(which) % members.len()]);
        member = core::array::from_fn(|word| if keep >> word & 1 == 1 { real[word] } else { member[word] });
    }
    let member: Membership = bytemuck::cast(member);
    let side = if damage.long { Side::Long } else { Side::Short };
    let Damage { entry, beta, lots, funding, price, mark, .. } = damage;
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let Ok(view) = IndexView::load(bytes) else { return };
    let _ = view.check();
    let _ = view.peek(side, &member, funding, Price(price));
    let _ = view.ahead(side, &member, Price(mark), funding).map(|ahead| ahead.lights());
    let _ = view.dust(side, funding).atoms();
    let _ = view.cells(side, funding).count();
    for row in view.rows(side) {
        let _ = view.drift(side, row.bucket, funding);
    }
    let Ok(mut index) = Index::load(bytes) else { return };
    let _ = index.join(side, Price(entry), beta, Lots(lots), funding);
    let _ = index.leave(side, &member, funding, Price(price));
    let _ = index.deleverage(side, Lots(lots), Price(price), Price(mark), funding, 7, |_| ());
    let _ = index.deleverage(side, Lots(lots), Price(AROUND), Price(AROUND), 5, u32::MAX, |_| ());
    let _ = index.join(side, Price(AROUND), 0, Lots(5), 7);
    let _ = index.recentre(side, ballast_rank::grid::bucket(Price(AROUND)), funding);
    let _ = index.close_dust(side, Price(price), funding);
    let _ = index.sweep_dust(side, funding);
});
