//! Fairness: nobody gains by splitting a position, and what a trader is shown as ahead is what is taken before.

mod model;

use ballast_rank::{Index, Membership};
use ballast_units::{Lots, Price, Side};
use model::Slab;
use proptest::prelude::*;

const AROUND: u64 = 1_000_000;

/// A member with isolated margin at a leverage.
fn join(index: &mut Index<'_>, side: Side, entry: u64, leverage: u64, lots: u64) -> Membership {
    let bankruptcy = (entry as i64) - side.sign() * (entry / leverage) as i64;
    index.join(side, Price(entry), bankruptcy, Lots(lots), 0).expect("room")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// One position, and the same lots in pieces: after the same deleveragings the pieces are worth no more together.
    #[test]
    fn a_split_position_is_worth_no_more(
        pieces in prop::collection::vec(1u64..5_000, 2..12),
        others in 1u64..100_000,
        reductions in prop::collection::vec((1u64..60, 1_060_000u64..1_100_000), 1..5),
        long in any::<bool>(),
    ) {
        let side = if long { Side::Long } else { Side::Short };
        let mark = if long { 1_080_000u64 } else { 920_000 };
        let whole: u64 = pieces.iter().sum();
        let worth = |parts: &[u64]| {
            let mut slab = Slab::new(8);
            let mut index = Index::init(slab.bytes()).unwrap();
            join(&mut index, side, AROUND, 10, others);
            let members: Vec<Membership> = parts.iter().map(|lots| join(&mut index, side, AROUND, 10, *lots)).collect();
            for (percent, price) in &reductions {
                let price = if long { *price } else { 2_000_000 - *price };
                let lots = Lots(index.open_interest(side).0 * percent / 100);
                index.deleverage(side, lots, Price(price), Price(mark), 0, 9, |_| ()).unwrap();
            }
            members.iter().map(|member| {
                let holding = index.leave(side, member, 0, Price(mark)).unwrap();
                side.sign() * (holding.lots.0 * mark) as i64 + holding.proceeds.0
            }).sum::<i64>()
        };
        // The one rounds twice; each of the pieces does.
        prop_assert!(worth(&pieces) <= worth(&[whole]) + 2);
    }

    /// What the lights are computed from is where deleveraging gets to.
    #[test]
    fn lots_ahead_are_deleveraged_before_and_the_next_lot_is_its_own(
        positions in prop::collection::vec((900_000u64..1_300_000, 1u64..80, 1u64..1_000), 1..60),
        which in any::<prop::sample::Index>(),
        long in any::<bool>(),
        dust in any::<bool>(),
    ) {
        let side = if long { Side::Long } else { Side::Short };
        let mark = if long { 1_100_000 } else { 950_000 };
        let mut slab = Slab::new(128);
        let mut index = Index::init(slab.bytes()).unwrap();
        if dust {
            // Three lots of two members' six are taken; each leaves with one and a half, and one whole lot stays behind.
            let pair = [0, 0].map(|_| join(&mut index, side, AROUND, 10, 3));
            index.deleverage(side, Lots(3), Price(mark), Price(mark), 0, 1, |_| ()).unwrap();
            for member in pair {
                index.leave(side, &member, 0, Price(mark)).unwrap();
            }
            prop_assert_eq!(index.dust(side, 0).lots, Lots(1));
        }
        let members: Vec<Membership> =
            positions.iter().map(|(entry, leverage, lots)| join(&mut index, side, *entry, *leverage, *lots)).collect();
        let member = which.get(&members);
        let ahead = index.view().ahead(side, member, Price(mark), 0).unwrap();
        prop_assert_eq!(ahead.total, index.open_interest(side));
        prop_assert_eq!(ahead.score == 0, ahead.lights() == 0);
        if ahead.score == 0 {
            prop_assert_eq!(ahead.lots_ahead.0, ahead.total_in_profit.0 + u64::from(dust));
            return Ok(());
        }
        if !ahead.lots_ahead.is_zero() {
            index.deleverage(side, ahead.lots_ahead, Price(mark), Price(mark), 0, u32::MAX, |_| ()).unwrap();
        }
        prop_assert_eq!(index.peek(side, member, 0, Price(mark)).unwrap().lots.0, member.lots);
        let next = index.view().ahead(side, member, Price(mark), 0).unwrap();
        prop_assert_eq!((next.lots_ahead, next.lots_same_cell), (Lots::ZERO, ahead.lots_same_cell));
        index.deleverage(side, Lots(1), Price(mark), Price(mark), 0, u32::MAX, |_| ()).unwrap();
        prop_assert!(index.peek(side, member, 0, Price(mark)).unwrap().lots.0 < member.lots);
    }
}
