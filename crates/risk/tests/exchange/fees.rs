//! Trading fees.

use ballast_risk::fees::{FeeParams, FeeSplit, charge, split};
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
