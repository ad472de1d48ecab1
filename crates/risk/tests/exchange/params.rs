//! The bounds of parameters, which no key can exceed.

use ballast_risk::ParamError::{self, *};
use ballast_risk::fees::FeeParams;
use ballast_risk::funding::FundingParams;
use ballast_risk::insurance::InsuranceParams;
use ballast_risk::liquidation::{LiquidationParams, TakeoverParams};
use ballast_risk::mark::MarkParams;
use ballast_risk::oracle::OracleParams;

/// A change that makes parameters bad, and the error that it deserves.
type Change<P> = (fn(&mut P), ParamError);

/// Applies each change to good parameters and expects its error.
fn refuses<P: Copy>(good: P, validate: fn(&P) -> Result<(), ParamError>, changes: &[Change<P>]) {
    assert_eq!(validate(&good), Ok(()));
    for (row, (change, error)) in changes.iter().enumerate() {
        let mut bad = good;
        change(&mut bad);
        assert_eq!(validate(&bad), Err(*error), "change {row}");
    }
}

#[test]
fn oracle_parameters_have_bounds() {
    let good = OracleParams {
        max_age_open_s: 10,
        max_age_liquidate_s: 30,
        max_age_reduce_s: 600,
        max_future_s: 5,
        max_confidence_bps_open: 50,
        max_confidence_bps_liquidate: 100,
        max_confidence_bps_reduce: 500,
        max_deviation_bps_open: 1_000,
        max_deviation_bps_liquidate: 3_000,
        max_deviation_bps_reduce: 8_000,
        lot_exponent: -5,
        reserved: 0,
    };
    refuses(
        good,
        OracleParams::validate,
        &[
            (|p| p.max_age_open_s = 0, OracleAge),
            (|p| p.max_age_open_s = 301, OracleAge),
            (|p| p.max_age_liquidate_s = 601, OracleAge),
            (|p| p.max_age_reduce_s = 86_401, OracleAge),
            (|p| p.max_age_open_s = 31, OracleOrder),
            (|p| p.max_age_reduce_s = 29, OracleOrder),
            (|p| p.max_future_s = 31, OracleFuture),
            (|p| p.max_confidence_bps_open = 0, OracleConfidence),
            (|p| p.max_confidence_bps_reduce = 5_001, OracleConfidence),
            (|p| p.max_confidence_bps_liquidate = 49, OracleOrder),
            (|p| p.max_deviation_bps_open = 5_001, OracleDeviation),
            (|p| p.max_deviation_bps_reduce = 2_999, OracleOrder),
            (|p| p.lot_exponent = -13, LotExponent),
            (|p| p.lot_exponent = 10, LotExponent),
            (|p| p.reserved = 1, Reserved),
        ],
    );
}

#[test]
fn mark_parameters_have_bounds() {
    let good = MarkParams {
        cap_ppm_per_second: 5_000,
        max_elapsed_s: 10,
        band_bps: 2_000,
        average_s: 600,
        book_weight_bps: 5_000,
        book_clamp_bps: 100,
    };
    refuses(
        good,
        MarkParams::validate,
        &[
            (|p| p.cap_ppm_per_second = 99, MarkCap),
            (|p| p.cap_ppm_per_second = 100_001, MarkCap),
            (|p| p.max_elapsed_s = 0, MarkElapsed),
            (|p| p.max_elapsed_s = 61, MarkElapsed),
            (|p| p.band_bps = 99, MarkBand),
            (|p| p.band_bps = 5_001, MarkBand),
            (|p| p.average_s = 59, MarkAverage),
            (|p| p.average_s = 86_401, MarkAverage),
            (|p| p.book_weight_bps = 5_001, MarkBook),
            (|p| p.book_clamp_bps = 101, MarkBook),
        ],
    );
}

#[test]
fn liquidation_parameters_have_bounds() {
    refuses(
        crate::support::liquidation(),
        LiquidationParams::validate,
        &[
            (|p| p.target_ratio_bps = 10_000, TargetRatio),
            (|p| p.target_ratio_bps = 20_001, TargetRatio),
            (|p| p.max_fraction_bps = 499, LiquidationFraction),
            (|p| p.max_fraction_bps = 5_001, LiquidationFraction),
            (|p| p.whole_below = 100_000_000_001, WholeBelow),
            (|p| p.cooldown_s = 0, Cooldown),
            (|p| p.cooldown_s = 601, Cooldown),
            (|p| p.fee_bps = 201, LiquidationFee),
            (|p| p.liquidator_share_bps = 10_001, LiquidatorReward),
            (|p| p.max_reward = 1_000_000_001, LiquidatorReward),
            (|p| p.backstop_ratio_bps = 5_001, BackstopRatio),
            (|p| p.deleverage_delay_s = 3_601, DeleverageDelay),
            (|p| p.takeover.start_bps = 501, TakeoverDiscount),
            (|p| p.takeover.max_bps = 2_001, TakeoverDiscount),
            (|p| p.takeover.per_second_ppm = 0, TakeoverDiscount),
            (|p| p.takeover.per_second_ppm = 10_001, TakeoverDiscount),
            (
                |p| p.takeover = TakeoverParams { start_bps: 51, per_second_ppm: 1, max_bps: 50, reserved: 0 },
                TakeoverDiscount,
            ),
            (|p| p.reserved = 1, Reserved),
            (|p| p.takeover.reserved = 1, Reserved),
        ],
    );
}

#[test]
fn insurance_parameters_have_bounds() {
    let good = InsuranceParams { limit_per_window: 1_000_000, unstake_cooldown_s: 7 * 86_400, reserved: 0 };
    refuses(
        good,
        InsuranceParams::validate,
        &[
            (|p| p.limit_per_window = 100_000_000_000_001, InsuranceLimit),
            (|p| p.unstake_cooldown_s = 86_399, InsuranceCooldown),
            (|p| p.unstake_cooldown_s = 61 * 86_400, InsuranceCooldown),
            (|p| p.reserved = 1, Reserved),
        ],
    );
}

#[test]
fn funding_parameters_have_bounds() {
    let good = FundingParams {
        impact_quote: 10_000_000_000,
        clamp_ppb: 5_000_000,
        average_s: 3_600,
        max_elapsed_s: 3_600,
        reserved: 0,
    };
    refuses(
        good,
        FundingParams::validate,
        &[
            (|p| p.impact_quote = 99_999_999, FundingImpact),
            (|p| p.impact_quote = 10_000_000_000_001, FundingImpact),
            (|p| p.clamp_ppb = 0, FundingClamp),
            (|p| p.clamp_ppb = 40_000_001, FundingClamp),
            (|p| p.average_s = 59, FundingAverage),
            (|p| p.average_s = 28_801, FundingAverage),
            (|p| p.max_elapsed_s = 0, FundingElapsed),
            (|p| p.max_elapsed_s = 86_401, FundingElapsed),
            (|p| p.reserved = 1, Reserved),
        ],
    );
}

#[test]
fn fee_parameters_have_bounds() {
    let good = FeeParams { maker_ppm: 100, taker_ppm: 350, insurance_share_bps: 2_000, bounty_share_bps: 500 };
    refuses(
        good,
        FeeParams::validate,
        &[
            (|p| p.taker_ppm = 5_001, Fee),
            (|p| p.maker_ppm = 351, Fee),
            (|p| p.insurance_share_bps = 9_501, FeeShares),
            (|p| p.bounty_share_bps = u32::MAX, FeeShares),
        ],
    );
}
