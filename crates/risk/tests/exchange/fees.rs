//! Trading fees.

use ballast_risk::ParamError;
use ballast_risk::fees::{
    Earned, FEE_TIERS, FeeParams, FeeSplit, Rates, Volumes, are_ordered, charge, referral, split,
};
use proptest::prelude::*;

#[test]
fn a_fee_rounds_up_and_its_shares_down() {
    let params = FeeParams { maker_ppm: 0, taker_ppm: 350, insurance_share_bps: 3_000, bounty_share_bps: 500 };
    assert_eq!(params.validate(), Ok(()));
    let fee = charge(1_000_001, params.taker_ppm).unwrap();
    assert_eq!(fee, 351);
    assert_eq!(split(fee, &params), Ok(FeeSplit { to_insurance: 105, to_bounty: 17, to_protocol: 229 }));
    assert_eq!(charge(1_000_000, params.maker_ppm), Ok(0));
}

proptest! {
    #[test]
    fn the_parts_of_a_fee_make_up_the_whole(
        fee in 0..=i64::MAX.unsigned_abs(),
        insurance_share_bps in 0..=10_000u32,
        rest in 0..=10_000u32,
    ) {
        let bounty_share_bps = rest.min(10_000 - insurance_share_bps);
        let params = FeeParams { insurance_share_bps, bounty_share_bps, ..FeeParams::default() };
        let parts = split(fee, &params).unwrap();
        prop_assert_eq!(parts.to_insurance + parts.to_bounty + parts.to_protocol, fee);
    }
}

const BASE: FeeParams = FeeParams { maker_ppm: 100, taker_ppm: 350, insurance_share_bps: 2_000, bounty_share_bps: 0 };

fn tiers(rows: [(i32, u32); FEE_TIERS]) -> [Rates; FEE_TIERS] {
    rows.map(|(maker_ppm, taker_ppm)| Rates { maker_ppm, taker_ppm })
}

#[test]
fn a_tier_without_rates_has_those_below_it() {
    let tiers = tiers([(80, 300), (0, 0), (-20, 200), (0, 0)]);
    assert_eq!(BASE.validate_tiers(&tiers), Ok(()));
    let rates = |tier| {
        let Rates { maker_ppm, taker_ppm } = BASE.rates(&tiers, tier);
        (maker_ppm, taker_ppm)
    };
    assert_eq!([0, 1, 2, 3, 4].map(rates), [(100, 350), (80, 300), (80, 300), (-20, 200), (-20, 200)]);
    assert_eq!(rates(255), (-20, 200), "beyond the last");
}

#[test]
fn tiers_are_refused_that_would_pay_for_trading_with_oneself() {
    let check = |rows| BASE.validate_tiers(&tiers(rows));
    assert_eq!(check([(0, 0); 4]), Ok(()));
    assert_eq!(check([(-100, 200), (0, 0), (0, 0), (0, 0)]), Ok(()), "half of the fee");
    assert_eq!(check([(-101, 200), (0, 0), (0, 0), (0, 0)]), Err(ParamError::FeeTiers));
    assert_eq!(check([(-100, 200), (-100, 199), (0, 0), (0, 0)]), Err(ParamError::FeeTiers));
    assert_eq!(check([(100, 351), (0, 0), (0, 0), (0, 0)]), Err(ParamError::FeeTiers), "dearer than the base");
    assert_eq!(check([(50, 300), (60, 300), (0, 0), (0, 0)]), Err(ParamError::FeeTiers), "dearer with volume");
    assert_eq!(check([(100, 99), (0, 0), (0, 0), (0, 0)]), Err(ParamError::FeeTiers), "the maker pays more");
    assert_eq!(check([(i32::MIN, 350), (0, 0), (0, 0), (0, 0)]), Err(ParamError::FeeTiers));
}

#[test]
fn volumes_of_tiers_rise() {
    for (volumes, ordered) in [
        ([0; 4], true),
        ([5, 6, 0, 0], true),
        ([5, 6, 7, 8], true),
        ([5, 5, 0, 0], false),
        ([6, 5, 0, 0], false),
        ([0, 5, 0, 0], false),
    ] {
        assert_eq!(are_ordered(&volumes), ordered, "{volumes:?}");
    }
}

const TIERS: [u64; FEE_TIERS] = [100, 1_000, 10_000, 0];

#[test]
fn a_tier_lasts_until_the_volume_that_earned_it_is_thirty_days_old() {
    let mut volumes = Volumes::default();
    volumes.add(20_000, 20_000, 99);
    assert_eq!(volumes.earned(20_000, &TIERS), Earned::default());
    volumes.add(20_010, 20_010, 1);
    assert_eq!(volumes.earned(20_010, &TIERS), Earned { tier: 1, until: 20_030 });
    assert_eq!((volumes.total(20_029), volumes.total(20_030), volumes.total(20_040)), (100, 1, 0));
    volumes.add(20_029, 20_029, 2_000);
    assert_eq!(volumes.earned(20_029, &TIERS), Earned { tier: 2, until: 20_059 });
    assert_eq!(volumes.earned(20_058, &TIERS).tier, 2);
    assert_eq!(volumes.earned(20_059, &TIERS).tier, 0);
}

#[test]
fn volume_counts_for_the_day_on_which_it_began_and_not_after_thirty() {
    let mut volumes = Volumes::default();
    volumes.add(20_000, 19_971, 500);
    assert_eq!(volumes.earned(20_000, &TIERS), Earned { tier: 1, until: 20_001 });
    let mut late = Volumes::default();
    late.add(20_000, 19_970, 500);
    assert_eq!(late.total(20_000), 0, "thirty days ago");
    late.add(20_000, 20_001, 500);
    assert_eq!(late.total(20_000), 0, "tomorrow");
}

proptest! {
    #[test]
    fn the_ring_agrees_with_a_list_of_days(
        trades in prop::collection::vec((0..12u32, 0..40u32, 0..5_000u64), 1..60),
    ) {
        let (mut volumes, mut list, mut today) = (Volumes::default(), Vec::new(), 20_000u32);
        for (passed, ago, atoms) in trades {
            today += passed;
            volumes.add(today, today - ago, atoms);
            list.push((today - ago, atoms));
            let sum = |at: u32| list.iter().filter(|(day, _)| at - day < 30).map(|(_, atoms)| atoms).sum::<u64>();
            prop_assert_eq!(volumes.total(today), sum(today));
            let tier = |at: u32| TIERS.iter().filter(|volume| **volume != 0 && **volume <= sum(at)).count();
            let earned = volumes.earned(today, &TIERS);
            prop_assert_eq!(usize::from(earned.tier), tier(today));
            if earned.tier > 0 {
                prop_assert!((today..earned.until).all(|day| tier(day) >= usize::from(earned.tier)));
                prop_assert!(tier(earned.until) < usize::from(earned.tier));
            }
        }
    }

    #[test]
    fn a_referrers_share_leaves_the_exchange_the_larger_part(kept: u64, share: u32) {
        let part = referral(kept, share).unwrap();
        prop_assert!(u128::from(part) * 10_000 <= u128::from(kept) * 4_000);
    }
}
