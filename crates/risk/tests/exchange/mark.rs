//! The mark, the slow average and the price of liquidation.

use ballast_risk::RiskError;
use ballast_risk::mark::{self, MarkParams, MarkState, liquidation_price};
use ballast_units::{MAX_PRICE, Price, Side};
use proptest::prelude::*;

/// Half a percent a second, ten seconds at most; 20 % about an average of ten minutes.
const PARAMS: MarkParams = MarkParams {
    cap_ppm_per_second: 5_000,
    max_elapsed_s: 10,
    band_bps: 2_000,
    average_s: 600,
    book_weight_bps: 0,
    book_clamp_bps: 0,
};

/// A tick without a book.
fn advance(state: &MarkState, oracle: Price, at: i64, params: &MarkParams) -> ballast_risk::Result<MarkState> {
    mark::advance(state, oracle, None, at, params)
}

/// A market that has been at 1,000,000 for a long time, with its last tick at zero.
fn calm() -> MarkState {
    let first = MarkState::first(Price(1_000_000), -60).unwrap();
    advance(&first, Price(1_000_000), 0, &PARAMS).unwrap()
}

fn after(state: &MarkState, ticks: &[(i64, u64)]) -> MarkState {
    ticks.iter().fold(*state, |state, (at, price)| advance(&state, Price(*price), *at, &PARAMS).unwrap())
}

fn for_longs(state: &MarkState) -> u64 {
    liquidation_price(Side::Long, state).unwrap().0
}

fn for_shorts(state: &MarkState) -> u64 {
    liquidation_price(Side::Short, state).unwrap().0
}

#[test]
fn the_mark_follows_the_oracle_within_the_cap() {
    assert_eq!(after(&calm(), &[(1, 1_003_000)]).mark, Price(1_003_000));
    assert_eq!(after(&calm(), &[(1, 1_020_000)]).mark, Price(1_005_000));
    assert_eq!(after(&calm(), &[(1, 980_000)]).mark, Price(995_000));
    assert_eq!(after(&calm(), &[(4, 1_030_000)]).mark, Price(1_020_000));
}

#[test]
fn a_silence_counts_for_the_cap_only_so_long() {
    assert_eq!(after(&calm(), &[(3_600, 1_100_000)]).mark, Price(1_050_000));
}

#[test]
fn the_mark_stays_within_the_band_about_the_slow_average() {
    let crash: Vec<_> = (1..=60).map(|second| (second, 500_000)).collect();
    let state = after(&calm(), &crash);
    let average = state.slow_average().0;
    assert!((950_000..960_000).contains(&average), "{average}");
    assert_eq!(state.mark, Price(average - average / 5));
}

#[test]
fn nothing_is_liquidated_on_the_first_tick() {
    let first = MarkState::first(Price(1_000_000), 0).unwrap();
    assert_eq!(liquidation_price(Side::Long, &first), None);
    assert_eq!(liquidation_price(Side::Long, &MarkState::default()), None);
}

#[test]
fn the_same_tick_twice_is_one_tick() {
    let bad = after(&calm(), &[(30, 500_000)]);
    assert_eq!(after(&bad, &[(30, 500_000), (30, 400_000), (29, 400_000)]), bad);
    assert_eq!(for_longs(&bad), 1_000_000);
}

#[test]
fn a_bad_tick_between_good_ones_liquidates_nobody() {
    for bad in [1, 500_000, 900_000, 1_100_000, 2_000_000, MAX_PRICE] {
        let during = after(&calm(), &[(30, bad)]);
        let afterwards = after(&during, &[(31, 1_000_000)]);
        for state in [during, afterwards] {
            assert!(for_longs(&state) >= 1_000_000 && for_shorts(&state) <= 1_000_000, "tick of {bad}");
            assert_eq!(state.slow_average(), Price(1_000_000));
        }
    }
}

#[test]
fn two_bad_ticks_within_a_second_move_liquidation_by_one_second_of_the_cap() {
    // However long it was silent before.
    for silence in [1, 10, 3_600] {
        let down = after(&calm(), &[(silence, 500_000), (silence + 1, 500_000)]);
        assert_eq!(for_longs(&down), 995_000);
        let up = after(&calm(), &[(silence, 2_000_000), (silence + 1, 2_000_000)]);
        assert_eq!(for_shorts(&up), 1_005_000);
    }
}

#[test]
fn a_real_crash_is_followed_at_the_cap() {
    let crash: Vec<_> = (1..=20).map(|second| (second, 900_000)).collect();
    let state = after(&calm(), &crash);
    let expected = 1_000_000f64 * 0.995f64.powi(19);
    assert!((for_longs(&state) as f64 - expected).abs() < 20.0, "{}", for_longs(&state));
    assert_eq!(for_longs(&after(&state, &[(40, 900_000), (60, 900_000)])), 900_000);
}

#[test]
fn a_price_out_of_range_is_refused() {
    assert_eq!(advance(&calm(), Price(0), 1, &PARAMS), Err(RiskError::PriceOutOfRange));
    assert_eq!(advance(&calm(), Price(MAX_PRICE + 1), 1, &PARAMS), Err(RiskError::PriceOutOfRange));
}

/// Half of the book's distance, which counts up to one per cent.
const BLENDED: MarkParams = MarkParams { book_weight_bps: 5_000, book_clamp_bps: 100, ..PARAMS };

/// Ticks at 1,000,000, a second apart, with these mids.
fn with_book(mids: &[Option<u64>]) -> MarkState {
    mids.iter()
        .zip(1..)
        .fold(calm(), |state, (mid, at)| mark::advance(&state, Price(1_000_000), mid.map(Price), at, &BLENDED).unwrap())
}

#[test]
fn the_middle_of_impact_prices_needs_both() {
    assert_eq!(mark::mid(Some(Price(99)), Some(Price(102))), Some(Price(100)));
    assert_eq!(mark::mid(Some(Price(u64::MAX)), Some(Price(u64::MAX))), Some(Price(u64::MAX)));
    assert_eq!(mark::mid(Some(Price(99)), None), None);
    assert_eq!(mark::mid(None, Some(Price(99))), None);
}

#[test]
fn a_deep_book_takes_the_mark_along_by_its_weight() {
    assert_eq!(with_book(&[Some(1_004_000); 2]).mark, Price(1_002_000));
    assert_eq!(with_book(&[Some(996_000); 2]).mark, Price(998_000));
    // Back at the oracle, or too thin, and the mark is the oracle's.
    let [up, there] = [Some(1_004_000), Some(1_000_000)];
    assert_eq!(with_book(&[up, up, there]).mark, Price(1_000_000));
    assert_eq!(with_book(&[up, up, None]).mark, Price(1_000_000));
}

#[test]
fn a_book_counts_only_so_far_from_the_oracle() {
    for mid in [1_010_000, 1_500_000, MAX_PRICE, u64::MAX] {
        assert_eq!(with_book(&[Some(mid); 3]).mark, Price(1_005_000));
    }
    for mid in [990_000, 1, 0] {
        assert_eq!(with_book(&[Some(mid); 3]).mark, Price(995_000));
    }
}

#[test]
fn a_book_pushed_for_a_moment_does_not_move_the_mark() {
    let quiet = Some(1_000_000);
    for pushed in [Some(2_000_000), Some(1), None] {
        for mids in [[quiet, pushed, quiet, quiet], [None, pushed, None, quiet]] {
            for seen in 1..=mids.len() {
                assert_eq!(with_book(&mids[..seen]).mark, Price(1_000_000), "{mids:?}");
            }
        }
    }
    // Nor when it is pushed to one side and then to the other, and pushing it further counts as the weaker push.
    assert_eq!(with_book(&[Some(1_010_000), Some(990_000), Some(1_010_000)]).mark, Price(1_000_000));
    assert_eq!(with_book(&[Some(1_001_000), Some(1_010_000)]).mark, Price(1_000_500));
}

#[test]
fn ticks_that_alternate_between_good_and_bad_do_not_poison_the_average() {
    for bad in [1, 900_000, 1_100_000, MAX_PRICE] {
        let mut state = calm();
        for at in 1..2_000 {
            let price = if at % 2 == 0 { 1_000_000 } else { bad };
            state = advance(&state, Price(price), at, &PARAMS).unwrap();
            assert_eq!((state.slow_average(), state.supported), (Price(1_000_000), Price(1_000_000)));
        }
    }
}

#[test]
fn a_market_from_before_the_book_had_a_say_goes_on_as_it_was() {
    let now = calm();
    let before = MarkState { held: Price(0), ..now };
    assert_eq!((for_longs(&before), for_shorts(&before)), (for_longs(&now), for_shorts(&now)));
    let next = |state: &MarkState| advance(state, Price(1_003_000), 1, &PARAMS).unwrap();
    assert_eq!(next(&before), next(&now));
}

fn params() -> impl Strategy<Value = MarkParams> {
    (100..=100_000u32, 1..=60u32, 100..=5_000u32, 60..=86_400u32).prop_map(|(cap, elapsed, band, average)| {
        let params = MarkParams {
            cap_ppm_per_second: cap,
            max_elapsed_s: elapsed,
            band_bps: band,
            average_s: average,
            ..PARAMS
        };
        assert_eq!(params.validate(), Ok(()));
        params
    })
}

/// Ticks that each move by up to 3 %, 1 to 100 seconds apart.
fn walk() -> impl Strategy<Value = Vec<(i64, u64)>> {
    let step = (1..100i64, -300..300i64);
    (100_000..1_000_000_000u64, prop::collection::vec(step, 3..60)).prop_map(|(start, steps)| {
        let mut now = 0;
        let mut price = start;
        let walk = steps.into_iter().map(|(wait, bps)| {
            now += wait;
            price = price.saturating_add_signed(price as i64 / 10_000 * bps).max(1_000);
            (now, price)
        });
        walk.collect()
    })
}

proptest! {
    #[test]
    fn one_bad_tick_anywhere_never_makes_liquidation_worse_than_the_last_good_price(
        walk in walk(),
        params in params(),
        at: prop::sample::Index,
        bad in prop_oneof![1..=MAX_PRICE, 1..1_000_000_000u64, 1..100_000u64],
    ) {
        let at = at.index(walk.len() - 1) + 1;
        let mut state = MarkState::default();
        let mut good = 0;
        for (turn, (time, price)) in walk.into_iter().enumerate() {
            let tick = if turn == at { bad } else { price };
            state = advance(&state, Price(tick), time, &params).unwrap();
            // A market that moved by half within a few ticks is not what this is about.
            prop_assume!(turn == at || state.tick == Price(price));
            if turn != at {
                good = price;
            }
            if turn > 0 {
                prop_assert!(for_longs(&state) >= good && for_shorts(&state) <= good);
            }
        }
    }

    #[test]
    fn bad_ticks_move_the_price_of_liquidation_by_the_cap_for_the_time_between_them(
        params in params(),
        silence in 1..10_000i64,
        gaps in prop::collection::vec(1..5i64, 1..10),
        bad in 1..1_000_000u64,
    ) {
        let mut state = MarkState::first(Price(1_000_000), -1_000).unwrap();
        state = advance(&state, Price(1_000_000), 0, &params).unwrap();
        let mut now = silence;
        state = advance(&state, Price(bad), now, &params).unwrap();
        let mut bound = 1_000_000f64;
        for gap in gaps {
            prop_assert!(for_longs(&state) as f64 >= bound.floor());
            now += gap;
            state = advance(&state, Price(bad), now, &params).unwrap();
            let counted = gap.min(params.max_elapsed_s.into()) as f64;
            bound *= 1.0 - f64::from(params.cap_ppm_per_second) / 1e6 * counted;
        }
        prop_assert!(for_longs(&state) as f64 >= bound.floor());
    }

    #[test]
    fn whatever_the_book_does_nobody_is_liquidated_or_saved_by_it(
        walk in walk(),
        params in params(),
        mids in prop::collection::vec(prop::option::of(prop_oneof![any::<u64>(), 1..2_000_000_000u64]), 60),
        weight in 0..=5_000u32,
        clamp in 0..=100u32,
    ) {
        let blended = MarkParams { book_weight_bps: weight, book_clamp_bps: clamp, ..params };
        let (mut with, mut without) = (MarkState::default(), MarkState::default());
        for ((time, price), mid) in walk.into_iter().zip(mids) {
            let before = with.mark.0;
            with = mark::advance(&with, Price(price), mid.map(Price), time, &blended).unwrap();
            without = advance(&without, Price(price), time, &params).unwrap();
            for side in Side::BOTH {
                prop_assert_eq!(liquidation_price(side, &with), liquidation_price(side, &without));
            }
            prop_assert_eq!((with.held, with.average, with.supported), (without.mark, without.average, without.supported));
            // And the mark keeps its cap.
            let most = before * u64::from(params.cap_ppm_per_second) * u64::from(params.max_elapsed_s) / 1_000_000;
            prop_assert!(before == 0 || with.mark.0.abs_diff(before) <= most.max(1));
        }
    }

    #[test]
    fn the_book_moves_the_mark_of_a_calm_market_by_half_a_per_cent_at_most(
        mids in prop::collection::vec(prop::option::of(any::<u64>()), 1..30),
        weight in 0..=5_000u32,
        clamp in 0..=100u32,
    ) {
        let params = MarkParams { book_weight_bps: weight, book_clamp_bps: clamp, ..PARAMS };
        let mut state = calm();
        for (mid, at) in mids.into_iter().zip(1..) {
            state = mark::advance(&state, Price(1_000_000), mid.map(Price), at, &params).unwrap();
            prop_assert!(state.mark.0.abs_diff(1_000_000) <= u64::from(weight) * u64::from(clamp) / 100);
        }
    }

    #[test]
    fn the_mark_moves_within_its_cap_and_towards_the_band(walk in walk(), params in params()) {
        let mut state = MarkState::default();
        for (time, price) in walk {
            let before = state;
            state = advance(&state, Price(price), time, &params).unwrap();
            if before.mark.0 == 0 {
                continue;
            }
            let elapsed = (time - before.updated_at).min(params.max_elapsed_s.into()) as u64;
            let step = before.mark.0 * u64::from(params.cap_ppm_per_second) * elapsed / 1_000_000;
            prop_assert!(state.mark.0.abs_diff(before.mark.0) <= step.max(1));
            let average = state.slow_average().0;
            let band = average * u64::from(params.band_bps) / 10_000;
            let outside = |mark: u64| mark.abs_diff(mark.clamp(average - band, average + band));
            prop_assert!(outside(state.mark.0) <= outside(before.mark.0));
        }
    }

    #[test]
    fn the_slow_average_does_not_depend_on_how_often_it_is_told(
        target in 600_000..1_900_000u64,
        cuts in prop::collection::btree_set(1..3_000i64, 0..40),
        average_s in 60..=86_400u32,
    ) {
        let params = MarkParams { average_s, ..PARAMS };
        let run = |times: &mut dyn Iterator<Item = i64>| {
            let start = advance(&calm(), Price(target), 0, &params).unwrap();
            let start = advance(&start, Price(target), 1, &params).unwrap();
            times.fold(start, |state, at| advance(&state, Price(target), 1 + at, &params).unwrap())
        };
        let often = run(&mut cuts.iter().copied().chain([3_000]));
        let once = run(&mut [3_000].into_iter());
        // In units of 2^-20 atoms: one of rounding for each tick.
        prop_assert!(often.average.abs_diff(once.average) <= 1 + cuts.len() as u64);
    }

    #[test]
    fn the_slow_average_is_exponential(
        target in 600_000..1_900_000u64,
        seconds in 1..20_000i64,
        average_s in 60..=86_400u32,
    ) {
        let params = MarkParams { average_s, ..PARAMS };
        let start = advance(&calm(), Price(target), 1, &params).unwrap();
        let end = advance(&start, Price(target), 1 + seconds, &params).unwrap();
        let kept = (-(seconds as f64) / f64::from(average_s)).exp();
        let expected = target as f64 + (1_000_000.0 - target as f64) * kept;
        let error = (end.average as f64 / f64::from(1 << 20) - expected).abs();
        // The stated error of the time constant, 1/(12τ) of it, at its worst shifts by a 30th of 1/τ² of the distance.
        let bound = (target as f64 - 1_000_000.0).abs() / (30.0 * f64::from(average_s).powi(2)) + 1e-3;
        prop_assert!(error <= bound, "{} > {}", error, bound);
    }
}
