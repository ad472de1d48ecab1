//! The compiled program beside an independent slow model: the same random orders, cancellations, settlements, deposits and
//! withdrawals to both. After each, both accept or both refuse for the same reason, and every account, every resting order
//! and every pool are equal to the atom.

mod compare;
mod margin;
mod model;
mod run;

use run::Run;

/// Histories, and steps of each. `BALLAST_RUNS` and `BALLAST_STEPS` ask for more, `BALLAST_SEED` for others.
const RUNS: u64 = 4;
const STEPS: u64 = 2_500;

fn asked(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().expect("a number"))
}

#[test]
fn the_program_does_what_a_slow_model_does() {
    let first = asked("BALLAST_SEED", 1);
    let mut seen = std::collections::BTreeMap::<String, u64>::new();
    for seed in first..first + asked("BALLAST_RUNS", RUNS) {
        let mut run = Run::new(seed);
        for step in 0..asked("BALLAST_STEPS", STEPS) {
            let (what, result) = run.step();
            let note = format!("{what}: {}", result.as_ref().err().map_or("done", |refused| refused));
            *seen.entry(note).or_default() += 1;
            compare::assert_equal(&mut run.world, &run.model, &format!("seed {seed}, step {step}: {what} {result:?}"));
        }
    }
    for (what, times) in &seen {
        println!("{times:>7} {what}");
    }
    let wanted = [
        "limit: done",
        "limit: InsufficientMargin",
        "post-only: done",
        "post-only: WouldMatch",
        "post-only: InsufficientMargin",
        "immediate: done",
        "immediate: InsufficientMargin",
        "fill or kill: done",
        "fill or kill: NotFilled",
        "reduce: done",
        "reduce: NotReducing",
        "reduce and rest: done",
        "reduce and rest: NotReducing",
        "withdraw: done",
        "withdraw: InsufficientMargin",
        "withdraw: InsufficientSettled",
        "settle: done",
        "cancel: done",
        "cancel all: done",
    ];
    let missing: Vec<_> = wanted.iter().filter(|what| seen.get(**what).is_none_or(|times| *times < 5)).collect();
    assert!(missing.is_empty(), "the histories do not reach {missing:?}");
}
