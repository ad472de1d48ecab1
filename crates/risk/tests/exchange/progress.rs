//! The steps of a liquidation in time.

use crate::support::liquidation;
use ballast_risk::health::Account;
use ballast_risk::liquidation::{Progress, Step};
use ballast_units::{Lots, Quote};

/// An account with this much equity over a maintenance margin of 300.
fn account(equity: i64) -> Account {
    Account {
        equity: Quote(equity),
        initial_equity: Quote(equity),
        maintenance: 300,
        initial: 600,
        ..Account::default()
    }
}

fn step(progress: &mut Progress, equity: i64, now: i64) -> Step {
    progress.step(&account(equity), now, &liquidation())
}

#[test]
fn a_partial_liquidation_is_followed_by_a_cooldown() {
    let mut progress = Progress::default();
    assert_eq!(step(&mut progress, 299, 1_000), Step::Partial);
    progress.note_partial(1_000, Lots(5));
    assert_eq!(step(&mut progress, 290, 1_029), Step::Wait { until: 1_030 });
    assert_eq!(step(&mut progress, 290, 1_030), Step::Partial);
}

#[test]
fn an_empty_book_opens_takeovers_after_the_cooldown() {
    let mut progress = Progress::default();
    progress.note_partial(1_000, Lots(0));
    assert_eq!(step(&mut progress, 290, 1_010), Step::Wait { until: 1_030 });
    assert_eq!(step(&mut progress, 290, 1_030), Step::Takeover { seconds: 0 });
    assert_eq!(step(&mut progress, 290, 1_037), Step::Takeover { seconds: 7 });
}

#[test]
fn below_two_thirds_of_maintenance_there_is_no_waiting() {
    let mut progress = Progress::default();
    progress.note_partial(1_000, Lots(5));
    assert_eq!(step(&mut progress, 199, 1_001), Step::Takeover { seconds: 0 });
    assert_eq!(step(&mut progress, 29, 1_011), Step::Backstop { seconds: 10 });
}

#[test]
fn a_bankrupt_account_is_deleveraged_only_after_the_delay() {
    let mut progress = Progress::default();
    assert_eq!(step(&mut progress, -1, 1_000), Step::Bankrupt { seconds: 0, deleverage_from: 1_010 });
    assert_eq!(step(&mut progress, -1, 1_015), Step::Bankrupt { seconds: 15, deleverage_from: 1_010 });
    // Solvent for a moment: the delay starts anew, and so does the discount, which insurance pays from there on.
    assert_eq!(step(&mut progress, 1, 1_016), Step::Backstop { seconds: 16 });
    assert_eq!(step(&mut progress, -1, 1_020), Step::Bankrupt { seconds: 0, deleverage_from: 1_030 });
}

#[test]
fn an_account_with_its_margin_back_starts_afresh() {
    let mut progress = Progress::default();
    step(&mut progress, 10, 1_000);
    assert_eq!(step(&mut progress, 300, 1_005), Step::None);
    assert_eq!(progress, Progress::default());
    assert_eq!(step(&mut progress, 199, 2_000), Step::Takeover { seconds: 0 });
}
