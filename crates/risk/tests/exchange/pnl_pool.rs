//! Settlement of realised profit and loss.

use ballast_risk::pnl_pool::{Settled, settle};
use proptest::prelude::*;

#[test]
fn a_losers_loss_becomes_the_pool_and_a_winner_draws_it() {
    let mut pool = 0;
    let (mut loss, mut loser) = (-300, 1_000);
    assert_eq!(settle(&mut loss, &mut loser, &mut pool), Settled { moved: -300 });
    assert_eq!((loss, loser, pool), (0, 700, 300));
    let (mut claim, mut winner) = (500, 0);
    assert_eq!(settle(&mut claim, &mut winner, &mut pool), Settled { moved: 300 });
    assert_eq!((claim, winner, pool), (200, 300, 0));
}

#[test]
fn what_collateral_does_not_cover_stays_a_loss() {
    let (mut loss, mut loser, mut pool) = (-300, 100, 0);
    assert_eq!(settle(&mut loss, &mut loser, &mut pool), Settled { moved: -100 });
    assert_eq!((loss, loser, pool), (-200, 0, 100));
}

proptest! {
    #[test]
    fn settling_neither_makes_nor_loses_an_atom(unsettled: i64, collateral: u64, pool: u64) {
        let (mut u, mut c, mut p) = (unsettled, collateral, pool);
        let Settled { moved } = settle(&mut u, &mut c, &mut p);
        let moved = i128::from(moved);
        prop_assert_eq!(i128::from(c), i128::from(collateral) + moved);
        prop_assert_eq!(i128::from(p), i128::from(pool) - moved);
        prop_assert_eq!(i128::from(u), i128::from(unsettled) - moved);
        // Towards zero, and as far as it goes.
        prop_assert!(moved == 0 || moved.signum() == i128::from(unsettled.signum()));
        let stopped = if u < 0 { c == 0 || p == u64::MAX } else { p == 0 || c == u64::MAX };
        prop_assert!(u == 0 || stopped || unsettled == i64::MIN);
    }
}
