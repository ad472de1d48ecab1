//! The main flow on LiteSVM, and what its instructions cost.

use ballast_tests::{flow, harness::Lite};

#[test]
fn a_market_lives_through_a_crash_and_everybody_is_paid() {
    let (ledger, usage) = flow::play(Lite::new());
    assert_eq!(ledger.last().map(|(step, _)| *step), Some("withdrawal"));
    println!("{usage}");
}
