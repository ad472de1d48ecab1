//! The ladder.

use ballast_risk::ParamError;
use ballast_risk::ladder::{Ladder, MAX_RATIO_BPS, MIN_RATIO_BPS, RUNGS};
use ballast_units::Lots;
use proptest::prelude::*;

fn three() -> Ladder {
    Ladder::new(&[(20_000, 2_500), (15_000, 5_000), (11_000, 10_000)], 100).unwrap()
}

#[test]
fn the_first_rung_at_or_above_the_ratio_is_due() {
    let ladder = three();
    assert_eq!(ladder.due(20_001), None);
    assert_eq!(ladder.due(20_000), Some(0));
    assert_eq!(ladder.due(10_000), Some(0));
    assert_eq!(ladder.due(i64::MIN), Some(0));
}

#[test]
fn a_rung_is_used_once_until_the_ratio_has_recovered_a_tenth_above_it() {
    let mut ladder = three();
    assert_eq!(ladder.lots(0, Lots(1_000)), Lots(250));
    ladder.note(0, Lots(1_000), Lots(250));
    assert_eq!(ladder.due(19_000), None);
    assert_eq!(ladder.due(15_000), Some(1));
    assert!(!ladder.rearm(21_999));
    assert_eq!(ladder.due(20_000), None);
    assert!(ladder.rearm(22_000) && !ladder.rearm(22_000));
    assert_eq!(ladder.due(20_000), Some(0));
}

#[test]
fn what_could_not_be_traded_stays_due() {
    let mut ladder = three();
    ladder.note(1, Lots(1_000), Lots(200));
    // 300 of the 500 are left, of 800.
    assert_eq!(ladder.rungs[1].left_ppm, 375_000);
    assert_eq!(ladder.lots(1, Lots(800)), Lots(300));
    ladder.note(1, Lots(800), Lots(300));
    assert_eq!(ladder.lots(1, Lots(500)), Lots(0));
}

#[test]
fn an_account_without_maintenance_margin_is_above_every_rung() {
    let mut ladder = three();
    assert_eq!(ladder.due(i64::MAX), None);
    ladder.note(0, Lots(4), Lots(1));
    assert!(ladder.rearm(i64::MAX));
}

#[test]
fn ladders_out_of_bounds_are_refused() {
    let refused = |rules: &[(u16, u16)], slippage| assert_eq!(Ladder::new(rules, slippage), Err(ParamError::Ladder));
    refused(&[(MIN_RATIO_BPS - 1, 1_000)], 100);
    refused(&[(MAX_RATIO_BPS + 1, 1_000)], 100);
    refused(&[(20_000, 1_000), (20_000, 1_000)], 100);
    refused(&[(15_000, 1_000), (20_000, 1_000)], 100);
    refused(&[(20_000, 99)], 100);
    refused(&[(20_000, 10_001)], 100);
    refused(&[(20_000, 1_000)], 9);
    refused(&[(20_000, 1_000)], 1_001);
    refused(&[], 100);
    refused(&[(20_000, 1_000), (19_000, 1_000), (18_000, 1_000), (17_000, 1_000), (16_000, 1_000)], 100);
    assert_eq!(Ladder::new(&[], 0), Ok(Ladder::default()));
    assert_eq!(Ladder::new(&[(MAX_RATIO_BPS, 10_000), (MIN_RATIO_BPS, 100)], 1_000).map(|_| ()), Ok(()));
}

proptest! {
    /// However the book divides a rung's execution, no more is traded than its part of the position, but for a lot that
    /// each execution may round up, and it comes to an end.
    #[test]
    fn a_rung_takes_no_more_than_its_part_however_it_is_divided(
        size in 1u64..1 << 40,
        part in 100u16..=10_000,
        cuts in prop::collection::vec(1u64..1 << 40, 1..60),
    ) {
        let mut ladder = Ladder::new(&[(20_000, part)], 100).unwrap();
        let allowed = (u128::from(size) * u128::from(part)).div_ceil(10_000);
        let (mut left, mut traded, mut executions) = (size, 0u64, 0u128);
        for cut in cuts {
            let Some(rung) = ladder.due(20_000) else { break };
            let lots = ladder.lots(rung, Lots(left));
            prop_assert!(lots.0 <= left);
            let now = lots.0.min(cut);
            let before = ladder.rungs[rung].left_ppm;
            ladder.note(rung, Lots(left), Lots(now));
            prop_assert!(ladder.rungs[rung].left_ppm < before);
            (left, traded) = (left - now, traded + now);
            executions += 1;
        }
        prop_assert!(u128::from(traded) <= allowed + executions, "{traded} of {allowed}");
    }

    /// No bytes make it panic, and a rung that is noted as done is done.
    #[test]
    fn no_ladder_panics(words in any::<[u64; 5]>(), rung in 0..=RUNGS, lots in any::<u64>(), ratio in any::<i64>()) {
        let mut ladder: Ladder = bytemuck::cast(words);
        ladder.rearm(ratio);
        let wanted = ladder.lots(rung, Lots(lots));
        ladder.note(rung, Lots(lots), wanted);
        prop_assert_eq!(ladder.lots(rung, Lots(lots)), Lots(0));
    }
}
