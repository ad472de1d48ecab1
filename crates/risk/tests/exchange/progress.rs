//! The steps of a liquidation in time.

use crate::support::liquidation;
use ballast_risk::health::{Account, Stage};
use ballast_risk::liquidation::{LiquidationParams, Progress, Step};
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

#[test]
fn after_a_silence_every_clock_starts_anew() {
    let memory = i64::from(liquidation().memory_s());
    assert_eq!(memory, 90, "a cooldown of 30 s and a minute");
    let mut progress = Progress::default();
    step(&mut progress, 100, 1_000);
    assert_eq!(step(&mut progress, 100, 1_000 + memory), Step::Takeover { seconds: 90 });
    assert_eq!(step(&mut progress, 100, 1_090 + memory + 1), Step::Takeover { seconds: 0 });
    // A recovery that nobody saw, and then bankruptcy: neither the discount nor the delay is that of the first fall.
    let mut progress = Progress::default();
    step(&mut progress, -1, 1_000);
    let fresh = Step::Bankrupt { seconds: 0, deleverage_from: 5_010 };
    assert_eq!(step(&mut progress, -1, 5_000), fresh);
    // Nor does a book that failed once allow takeovers ever after.
    let mut progress = Progress::default();
    step(&mut progress, 290, 1_000);
    progress.note_partial(1_000, Lots(0));
    assert_eq!(step(&mut progress, 290, 1_091), Step::Partial);
}

#[test]
fn whoever_keeps_looking_keeps_the_clocks_going() {
    let mut progress = Progress::default();
    for seconds in (0..=900).step_by(90) {
        assert_eq!(
            progress.step(&account(100), 1_000 + seconds, &liquidation()),
            Step::Takeover { seconds: seconds.unsigned_abs() }
        );
        assert!(!progress.fades(1_000 + seconds + 45, &liquidation()));
        assert!(progress.fades(1_000 + seconds + 46, &liquidation()));
    }
}

#[test]
fn a_long_delay_is_remembered_to_its_end() {
    let params = LiquidationParams { deleverage_delay_s: 3_600, ..liquidation() };
    let mut progress = Progress::default();
    let first = progress.step(&account(-1), 1_000, &params);
    assert_eq!(progress.step(&account(-1), 4_600, &params), Step::Bankrupt { seconds: 3_600, deleverage_from: 4_600 });
    assert_eq!(first, Step::Bankrupt { seconds: 0, deleverage_from: 4_600 });
}

#[test]
fn a_touch_forgets_what_the_stage_that_it_leaves_behind_has_overcome() {
    let full = Progress { takeover_since: 1, bankrupt_since: 2, partial_at: 3, partial_filled: 1, seen_at: 4 };
    let left = |progress: Progress, stage| {
        let mut progress = progress;
        progress.leave_at(stage);
        progress
    };
    assert_eq!(left(full, Stage::Healthy), Progress::default());
    assert_eq!(left(full, Stage::Restricted), Progress::default());
    assert_eq!(left(full, Stage::Partial), Progress { takeover_since: 0, bankrupt_since: 0, ..full });
    let failed = Progress { partial_filled: 0, ..full };
    assert_eq!(left(failed, Stage::Partial), Progress { bankrupt_since: 0, ..failed });
    assert_eq!(left(full, Stage::Takeover), Progress { bankrupt_since: 0, ..full });
    assert_eq!(left(full, Stage::Bankrupt), full);
}
