//! What can be wrong: with a computation ([`RiskError`]), with parameters ([`ParamError`], [`TierError`]).

use ballast_units::ArithmeticError;
use core::fmt;

/// The result of a computation of this crate.
pub type Result<T> = core::result::Result<T, RiskError>;

/// Why a computation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RiskError {
    /// An amount exceeds its type or documented range.
    Overflow,
    /// Division by zero.
    DivisionByZero,
    /// There is no position where one is needed.
    NoPosition,
    /// The account has no maintenance margin over which a deficit could be shared.
    NoMaintenance,
    /// A price is zero or above `MAX_PRICE`.
    PriceOutOfRange,
    /// Stored parameters or state are not what their validation admits.
    Corrupt,
    /// Insurance has shares but nothing left behind them.
    WipedOut,
    /// A stake is worth less than one share.
    StakeTooSmall,
}

impl From<ArithmeticError> for RiskError {
    fn from(error: ArithmeticError) -> Self {
        match error {
            ArithmeticError::Overflow => RiskError::Overflow,
            ArithmeticError::DivisionByZero => RiskError::DivisionByZero,
        }
    }
}

impl fmt::Display for RiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RiskError::Overflow => "an amount exceeds its range",
            RiskError::DivisionByZero => "division by zero",
            RiskError::NoPosition => "there is no position",
            RiskError::NoMaintenance => "there is no maintenance margin to share a deficit by",
            RiskError::PriceOutOfRange => "a price is zero or too large",
            RiskError::Corrupt => "stored parameters or state are invalid",
            RiskError::WipedOut => "insurance has shares but no assets",
            RiskError::StakeTooSmall => "the stake is worth less than one share",
        })
    }
}

impl core::error::Error for RiskError {}

/// Why margin tiers are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierError {
    /// The first tier is unused or does not start at zero.
    FirstTier,
    /// A tier follows an unused one, or an unused one is not all zero.
    Gap,
    /// A tier does not start above the one before, or starts above `MAX_TIER_LOWER`.
    Lower,
    /// A rate is below the one before: larger positions must not need less.
    NotMonotonic,
    /// Maintenance margin below `MIN_MAINTENANCE_BPS`.
    MaintenanceTooLow,
    /// Initial margin below `MIN_INITIAL_BPS`, that is, too much leverage.
    LeverageTooHigh,
    /// Initial margin not above maintenance margin, or above 100 %.
    InitialNotAboveMaintenance,
}

impl fmt::Display for TierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TierError::FirstTier => "the first tier must be used and start at zero",
            TierError::Gap => "a tier follows an unused one, or an unused one is not zero",
            TierError::Lower => "tiers must start at increasing notionals within bounds",
            TierError::NotMonotonic => "margin rates must not fall with size",
            TierError::MaintenanceTooLow => "maintenance margin is below the least allowed",
            TierError::LeverageTooHigh => "leverage is above the most allowed",
            TierError::InitialNotAboveMaintenance => "initial margin must be above maintenance and at most 100 %",
        })
    }
}

impl core::error::Error for TierError {}

/// Why parameters are refused. The text says which and what they must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamError {
    /// Margin tiers.
    Tiers(TierError),
    /// A reserved field is not zero.
    Reserved,
    /// Oracle: an age limit outside its bounds.
    OracleAge,
    /// Oracle: limits not in the order opening ≤ liquidating ≤ reducing.
    OracleOrder,
    /// Oracle: the allowed future time.
    OracleFuture,
    /// Oracle: a confidence limit.
    OracleConfidence,
    /// Oracle: a deviation limit.
    OracleDeviation,
    /// Oracle: the lot exponent.
    LotExponent,
    /// Mark: the cap per second.
    MarkCap,
    /// Mark: the longest time the cap counts between two ticks.
    MarkElapsed,
    /// Mark: the band about the slow average.
    MarkBand,
    /// Mark: the time constant of the slow average.
    MarkAverage,
    /// Mark: the weight of the book, or how far it counts.
    MarkBook,
    /// Liquidation: the target ratio.
    TargetRatio,
    /// Liquidation: the largest share of a position taken at once.
    LiquidationFraction,
    /// Liquidation: the notional below which positions close whole.
    WholeBelow,
    /// Liquidation: the cooldown.
    Cooldown,
    /// Liquidation: the fee.
    LiquidationFee,
    /// Liquidation: the liquidator's share of the fee, or the cap on its reward.
    LiquidatorReward,
    /// Liquidation: the takeover discount's start, ramp or maximum.
    TakeoverDiscount,
    /// Liquidation: the ratio below which insurance takes over.
    BackstopRatio,
    /// Liquidation: the delay before deleveraging.
    DeleverageDelay,
    /// Insurance: the limit per window.
    InsuranceLimit,
    /// Insurance: the cooldown of unstaking.
    InsuranceCooldown,
    /// Funding: the clamp of the hourly rate.
    FundingClamp,
    /// Funding: the time constant of the premium.
    FundingAverage,
    /// Funding: the impact notional.
    FundingImpact,
    /// Funding: the longest time charged at once.
    FundingElapsed,
    /// Fees: the taker's or maker's fee.
    Fee,
    /// Fees: the shares of insurance and bounty exceed the whole.
    FeeShares,
    /// Fees: a tier's rates rise with volume, or its rebate is too large.
    FeeTiers,
    /// Health: the haircut on unrealised profit.
    ProfitHaircut,
    /// Health: the margin multiplier.
    MarginMultiplier,
    /// The fee for executing protection is above its bound, or the ladder's is not below the liquidation fee.
    ProtectionFee,
    /// The cap of the reward for executing protection is above its bound.
    ProtectionReward,
    /// A ladder's rungs are too many, out of bounds, or do not descend.
    Ladder,
}

impl From<TierError> for ParamError {
    fn from(error: TierError) -> Self {
        ParamError::Tiers(error)
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParamError::Tiers(error) => return error.fmt(f),
            ParamError::Reserved => "a reserved field must be zero",
            ParamError::OracleAge => "an oracle age limit is out of bounds",
            ParamError::OracleOrder => "oracle limits must be opening <= liquidating <= reducing",
            ParamError::OracleFuture => "the oracle's allowed future time is out of bounds",
            ParamError::OracleConfidence => "an oracle confidence limit is out of bounds",
            ParamError::OracleDeviation => "an oracle deviation limit is out of bounds",
            ParamError::LotExponent => "the lot exponent is out of bounds",
            ParamError::MarkCap => "the mark's cap per second is out of bounds",
            ParamError::MarkElapsed => "the time that the mark's cap counts is out of bounds",
            ParamError::MarkBand => "the mark's band is out of bounds",
            ParamError::MarkAverage => "the slow average's time constant is out of bounds",
            ParamError::MarkBook => "the book's weight in the mark, or its clamp, is out of bounds",
            ParamError::TargetRatio => "the liquidation target ratio is out of bounds",
            ParamError::LiquidationFraction => "the share of a position liquidated at once is out of bounds",
            ParamError::WholeBelow => "the notional that is liquidated whole is out of bounds",
            ParamError::Cooldown => "the liquidation cooldown is out of bounds",
            ParamError::LiquidationFee => "the liquidation fee is out of bounds",
            ParamError::LiquidatorReward => "the liquidator's reward is out of bounds",
            ParamError::TakeoverDiscount => "the takeover discount is out of bounds",
            ParamError::BackstopRatio => "the backstop ratio is out of bounds",
            ParamError::DeleverageDelay => "the delay before deleveraging is out of bounds",
            ParamError::InsuranceLimit => "the insurance limit is out of bounds",
            ParamError::InsuranceCooldown => "the unstaking cooldown is out of bounds",
            ParamError::FundingClamp => "the funding clamp is out of bounds",
            ParamError::FundingAverage => "the premium's time constant is out of bounds",
            ParamError::FundingImpact => "the impact notional is out of bounds",
            ParamError::FundingElapsed => "the longest time funding is charged for is out of bounds",
            ParamError::Fee => "a trading fee is out of bounds",
            ParamError::FeeShares => "the shares of a fee exceed the whole",
            ParamError::FeeTiers => {
                "a fee tier's rates rise with volume, or its rebate is more than half the taker's fee"
            }
            ParamError::ProfitHaircut => "the haircut on unrealised profit is out of bounds",
            ParamError::MarginMultiplier => "the margin multiplier is out of bounds",
            ParamError::ProtectionFee => "the fee for executing protection is out of bounds",
            ParamError::ProtectionReward => "the cap of the reward for executing protection is out of bounds",
            ParamError::Ladder => "the ladder's rungs are out of bounds or do not descend",
        })
    }
}

impl core::error::Error for ParamError {}
