//! Random sequences of everything that the book does, beside the naive book.

mod common;

use common::ops::op;
use common::run::{Seen, run};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn prop_the_book_does_what_sorted_lists_do(ops in prop::collection::vec(op(), 1..150)) {
        run(20, &ops);
    }

    #[test]
    fn prop_a_large_book_does_what_sorted_lists_do(ops in prop::collection::vec(op(), 1..150)) {
        run(400, &ops);
    }
}

#[test]
fn the_random_sequences_reach_what_they_claim_to_check() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let ops = prop::collection::vec(op(), 3_000).new_tree(&mut runner).unwrap().current();
    let seen = run(40, &ops);
    let Seen { fills, partial, expired, self_cancelled, decremented, full, unknown, pegged, beyond_limit } = seen;
    let least = [fills, partial, expired, self_cancelled, decremented, full, unknown, pegged, beyond_limit];
    assert!(least.iter().all(|count| *count >= 10), "{least:?}");
}
