//! Funding.

use crate::support::{DOLLAR, position, price};
use ballast_risk::funding::{
    FundingParams, FundingState, Hour, MAX_HOURS, RATE_ONE, advance, hours, payment, rate, update,
};
use ballast_units::{FUNDING_ONE, Position, Price, Quote};
use proptest::prelude::*;

fn params() -> FundingParams {
    let params = FundingParams {
        impact_quote: 10_000 * DOLLAR,
        clamp_ppb: 5_000_000,
        average_s: 3_600,
        max_elapsed_s: 3_600,
        reserved: 0,
    };
    assert_eq!(params.validate(), Ok(()));
    params
}

#[test]
fn the_premium_is_how_far_impact_prices_are_above_the_oracle() {
    let premium = |bid, ask, clamp| rate(Some(Price(bid)), Some(Price(ask)), Price(100_000), clamp).unwrap();
    assert_eq!(premium(100_050, 100_150, 5_000_000), 1_000_000);
    assert_eq!(premium(99_850, 99_950, 5_000_000), -1_000_000);
    assert_eq!(premium(99_950, 100_050, 5_000_000), 0);
    assert_eq!(premium(150_000, 150_000, 5_000_000), 5_000_000);
    assert_eq!(premium(50_000, 50_000, 5_000_000), -5_000_000);
}

#[test]
fn a_book_without_depth_says_nothing() {
    assert_eq!(rate(None, Some(Price(200_000)), Price(100_000), 5_000_000), Ok(0));
    assert_eq!(rate(Some(Price(200_000)), None, Price(100_000), 5_000_000), Ok(0));
}

#[test]
fn an_hour_at_one_basis_point_costs_a_long_one_basis_point() {
    let index = advance(0, 100_000, Price(50_000), 3_600).unwrap();
    assert_eq!(index, 5 * FUNDING_ONE);
    assert_eq!(payment(Position(7), 0, index), Ok(Quote(-35)));
    assert_eq!(payment(Position(-7), 0, index), Ok(Quote(35)));
    assert_eq!(advance(0, -100_000, Price(50_000), 3_600), Ok(-5 * FUNDING_ONE));
}

#[test]
fn a_fraction_of_an_atom_is_paid_up_and_received_down() {
    let half = FUNDING_ONE / 2;
    assert_eq!(payment(Position(1), 0, half), Ok(Quote(-1)));
    assert_eq!(payment(Position(-1), 0, half), Ok(Quote(0)));
    assert_eq!(payment(Position(-1), 0, -half), Ok(Quote(-1)));
    assert_eq!(payment(Position(1), 0, -half), Ok(Quote(0)));
}

#[test]
fn a_steady_premium_becomes_the_rate() {
    let mut state = FundingState::default();
    for minute in 0..600 {
        state = update(&state, 200_000, Price(50_000), 1_000_000 + 60 * minute, &params()).unwrap();
    }
    // Ten time constants.
    assert!((199_980..=200_000).contains(&state.rate()), "{}", state.rate());
}

#[test]
fn a_book_pushed_for_a_moment_moves_nothing() {
    let mut state = FundingState::default();
    for (second, sample) in [(0, 0), (60, 5_000_000), (120, 0), (180, 0)] {
        state = update(&state, sample, Price(50_000), 1_000_000 + second, &params()).unwrap();
    }
    assert_eq!((state.rate(), state.index), (0, 0));
}

#[test]
fn within_a_second_the_weaker_sample_stands() {
    let start = update(&FundingState::default(), 400, Price(50_000), 1_000_000, &params()).unwrap();
    let sample = |sample| update(&start, sample, Price(50_000), 1_000_000, &params()).unwrap().sample;
    assert_eq!([sample(500), sample(300), sample(-500)], [400, 300, 0]);
}

#[test]
fn a_long_silence_is_charged_for_an_hour_at_most() {
    let state = FundingState { average: 100_000 << 16, sample: 100_000, updated_at: 1_000_000, index: 0 };
    let after = update(&state, 100_000, Price(50_000), 1_000_000 + 86_400, &params()).unwrap();
    assert_eq!(after.index, 5 * FUNDING_ONE);
}

/// The hours that end from the state's update to `now`.
fn ended(state: &FundingState, now: i64, params: &FundingParams) -> Vec<Hour> {
    hours(state, Price(50_000), now, params).map(Result::unwrap).collect()
}

#[test]
fn each_hour_that_ends_is_reported_once_with_the_index_at_its_end() {
    // Five atoms an hour.
    let state = FundingState { average: 100_000 << 16, sample: 100_000, updated_at: 7_000, index: 0 };
    let params = FundingParams { max_elapsed_s: 86_400, ..params() };
    assert_eq!(ended(&state, 7_199, &params), []);
    let first = Hour { end: 7_200, index: advance(0, 100_000, Price(50_000), 200).unwrap(), hours: 1 };
    assert_eq!(ended(&state, 7_200, &params), [first]);
    let second = Hour { end: 10_800, index: advance(0, 100_000, Price(50_000), 3_800).unwrap(), hours: 1 };
    assert_eq!(ended(&state, 11_000, &params), [first, second]);
    // From the end of an hour on, that hour is over.
    assert_eq!(ended(&FundingState { updated_at: 7_200, ..state }, 7_300, &params), []);
    assert_eq!(ended(&FundingState::default(), 11_000, &params), [], "a market's first update");
    assert_eq!(ended(&FundingState { updated_at: 11_000, ..state }, 7_000, &params), [], "a clock that went back");
}

#[test]
fn a_gap_is_reported_hour_by_hour_for_a_day_and_then_at_once() {
    let state = FundingState { average: 100_000 << 16, sample: 100_000, updated_at: 1, index: 0 };
    let all = ended(&state, 24 * 3_600, &params());
    assert_eq!(all.len(), 24);
    // Charged for the first hour only, as `max_elapsed_s` says.
    assert!(all.iter().skip(1).all(|hour| hour.index == 5 * FUNDING_ONE && hour.hours == 1));
    let late = ended(&state, 25 * 3_600, &params());
    assert_eq!(late, [Hour { end: 25 * 3_600, index: 5 * FUNDING_ONE, hours: 25 }]);
    assert_eq!(MAX_HOURS, 24);
    assert!(ended(&state, i64::MAX, &params()).len() <= 1);
}

proptest! {
    #[test]
    fn hours_lie_on_the_path_of_the_index_and_leave_none_out(
        waits in prop::collection::vec(prop_oneof![1..600i64, 1..200_000i64], 1..30),
        samples in prop::collection::vec(-5_000_000..=5_000_000i64, 30),
        start in 1..1_000_000i64,
    ) {
        let mut state = update(&FundingState::default(), 0, Price(50_000), start, &params()).unwrap();
        let (mut now, mut reported) = (start, 0);
        for (wait, sample) in waits.into_iter().zip(samples) {
            now += wait;
            let next = update(&state, sample, Price(50_000), now, &params()).unwrap();
            let mut last = state.index;
            for hour in ended(&state, now, &params()) {
                prop_assert!(hour.end > state.updated_at && hour.end <= now && hour.end % 3_600 == 0);
                let between = |a: i64, x: i64, b: i64| (a.min(b)..=a.max(b)).contains(&x);
                prop_assert!(between(last, hour.index, next.index));
                last = hour.index;
                reported += i64::from(hour.hours);
            }
            state = next;
        }
        prop_assert_eq!(reported, now.div_euclid(3_600) - start.div_euclid(3_600));
    }

    #[test]
    fn the_index_moves_by_price_times_rate_times_time(
        mark in price(),
        rate in -40_000_000..=40_000_000i64,
        seconds in 0..=86_400u32,
        index in -(1i64 << 40)..1 << 40,
    ) {
        let moved = i128::from(mark.0) * i128::from(rate) * i128::from(seconds) * i128::from(FUNDING_ONE)
            / (i128::from(RATE_ONE) * 3_600);
        prop_assert_eq!(advance(index, rate, mark, seconds).ok(), i64::try_from(i128::from(index) + moved).ok());
    }

    #[test]
    fn what_longs_pay_covers_what_shorts_receive(
        sizes in prop::collection::vec(position(), 1..20),
        steps in prop::collection::vec(-(1i64 << 36)..1 << 36, 1..5),
    ) {
        // One more position makes longs and shorts equal; each is settled at its own times.
        let total: i64 = sizes.iter().map(|position| position.0).sum();
        let all = sizes.iter().copied().chain([Position(-total)]);
        let last: i64 = steps.iter().sum();
        let mut cash = 0;
        let mut payments = 0;
        for (turn, position) in all.enumerate() {
            let mut from = 0;
            let mut index = 0;
            for (step, change) in steps.iter().enumerate() {
                index += change;
                if (step + turn) % 2 == 0 || index == last {
                    cash += payment(position, from, index).unwrap().0;
                    from = index;
                    payments += 1;
                }
            }
            cash += payment(position, from, last).unwrap().0;
            payments += 1;
        }
        prop_assert!(cash <= 0 && cash > -payments);
    }

    #[test]
    fn a_payment_is_the_exact_one_rounded_down(
        lots in -(1i64 << 40)..1 << 40,
        from: i32,
        change in -(1i64 << 45)..1 << 45,
    ) {
        let to = i64::from(from) + change;
        let exact = (-i128::from(lots) * i128::from(change)).div_euclid(i128::from(FUNDING_ONE));
        match payment(Position(lots), from.into(), to) {
            Ok(cash) => prop_assert_eq!(i128::from(cash.0), exact),
            Err(_) => prop_assert!(i64::try_from(exact).is_err()),
        }
    }

    #[test]
    fn the_rate_stays_within_its_clamp(samples in prop::collection::vec((any::<i64>(), 0..10_000i64), 1..50)) {
        let mut state = FundingState::default();
        let mut now = 1_000_000;
        for (sample, wait) in samples {
            now += wait;
            state = update(&state, sample, Price(50_000), now, &params()).unwrap();
            prop_assert!(state.rate().abs() <= 5_000_000);
        }
    }
}
