//! Random lives of an index, compared step by step with a model that stores every member in exact arithmetic.

mod model;

use model::{Coverage, life};
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;

/// Runs lives and returns what they reached.
fn live(cases: u32, pool: std::ops::Range<u32>, narrow: bool) -> Coverage {
    let coverage = RefCell::new(Coverage::default());
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, max_shrink_iters: 400, ..Config::with_cases(cases) });
    runner
        .run(&life::life(pool), |life| {
            coverage.borrow_mut().add(&life::live(life, narrow));
            Ok(())
        })
        .unwrap();
    coverage.into_inner()
}

#[test]
fn a_roomy_index_is_what_the_model_says() {
    // Enough lives that the fullest of them has 15 cells: of 400, one run in several stopped at 14.
    let reached = live(1_200, 100..200, false);
    assert_eq!(reached.merged, 0);
    for count in [reached.whole_cells, reached.partial_cells, reached.exhausted, reached.pro_rata, reached.recentred] {
        assert!(count > 20, "{reached:?}");
    }
    assert!(reached.cells_in_grid >= 15, "{reached:?}");
}

#[test]
fn a_crowded_index_is_what_the_model_says() {
    let reached = live(600, 2..12, false);
    for count in [reached.merged, reached.full, reached.shared_cells, reached.settled_from_taken, reached.interrupted] {
        assert!(count > 20, "{reached:?}");
    }
}

#[test]
fn shared_cells_are_what_the_model_says() {
    let reached = live(1000, 40..60, true);
    for count in [
        reached.shared_cells,
        reached.partial_cells,
        reached.second_cells,
        reached.fractions,
        reached.dust_lots,
        reached.dust_taken,
        reached.dust_cancelled,
        reached.settled_from_taken,
    ] {
        assert!(count > 5, "{reached:?}");
    }
}
