//! What can be refused, and why. Numbers are append-only: wallets, keepers and dashboards match on them.

use anchor_lang::prelude::*;
use ballast_book::BookError;
use ballast_risk::{
    ParamError, RiskError, TierError,
    oracle::{Condition, Rejection},
};
use ballast_units::ArithmeticError;

/// Errors of the program, from 6000 on.
#[error_code]
pub enum BallastError {
    /// A sum, product or conversion left its range.
    #[msg("Arithmetic overflow: an amount, size or price left its permitted range")]
    Overflow,
    /// A parameter of a market or of the exchange is outside the bounds that no key can exceed.
    #[msg("Parameter outside its bounds")]
    ParameterOutOfBounds,
    /// The signer is neither the owner nor the delegate, or lacks the role.
    #[msg("The signer may not do this")]
    Unauthorized,
    /// The exchange or the market is paused for this action.
    #[msg("Paused")]
    Paused,
    /// The market does not take this action in its present state.
    #[msg("The market's state does not allow this")]
    MarketState,
    /// An account belongs to another exchange, market or owner.
    #[msg("An account does not belong to this exchange, market or owner")]
    WrongAccount,
    /// The same account was passed for two different roles.
    #[msg("The same account was passed twice")]
    DuplicateAccount,
    /// A market in which the account has a position was not passed.
    #[msg("A market, book or ranks account of one of the account's positions is missing")]
    MissingMarket,
    /// A book or ranks account is not fresh, too small, or not ours.
    #[msg("The slab account is not a fresh, zeroed account of the program of sufficient size")]
    BadSlab,
    /// A slab's contents contradict each other.
    #[msg("A slab's contents are corrupt")]
    CorruptSlab,
    /// The amount or size is zero.
    #[msg("The amount is zero")]
    ZeroAmount,
    /// The size is below the market's smallest order.
    #[msg("Smaller than the market's smallest order")]
    TooSmall,
    /// The size or the account's open orders are above the market's limit.
    #[msg("Larger than the market permits")]
    TooLarge,
    /// The price is zero, not a multiple of the tick, or out of range.
    #[msg("The price is zero, out of range or not a multiple of the tick")]
    BadPrice,
    /// The price is outside the band around the mark.
    #[msg("The price is outside the band around the mark")]
    OutsideBand,
    /// A post-only order would have matched.
    #[msg("A post-only order would match")]
    WouldMatch,
    /// A fill-or-kill order could not be filled completely.
    #[msg("A fill-or-kill order could not be filled completely")]
    NotFilled,
    /// A reduce-only order would open or increase a position.
    #[msg("A reduce-only order must reduce a position")]
    NotReducing,
    /// No such order, or not this account's.
    #[msg("No such order of this account")]
    OrderNotFound,
    /// The order's expiry lies in the past.
    #[msg("The order has expired")]
    Expired,
    /// The book has no room.
    #[msg("The order book is full")]
    BookFull,
    /// The account has positions or orders in as many markets as it can.
    #[msg("The account is in as many markets as it can hold")]
    NoFreeSlot,
    /// The account has nothing in this market.
    #[msg("The account has nothing in this market")]
    NothingHere,
    /// Equity does not cover the initial margin.
    #[msg("Not enough margin: equity would be below the initial margin")]
    InsufficientMargin,
    /// Less settled collateral than asked for.
    #[msg("Not enough settled collateral; profit becomes settled through the market's PnL pool")]
    InsufficientSettled,
    /// The account is bankrupt and must be resolved first.
    #[msg("The account is bankrupt and must be resolved before anything else")]
    AccountBankrupt,
    /// The account's equity is not below the threshold for this action.
    #[msg("The account is not eligible: its margin does not allow this forced reduction")]
    NotEligible,
    /// The program reduces another market's position first.
    #[msg("Another position of the account gives more relief and comes first")]
    NotMostRelief,
    /// Too soon after the last forced reduction.
    #[msg("The account is in its cooldown after a forced reduction")]
    Cooldown,
    /// Insurance can still cover this, so nobody is deleveraged yet.
    #[msg("Insurance covers this; deleveraging is not due yet")]
    InsuranceCovers,
    /// The insurance budget of this market is spent, or the vault is empty.
    #[msg("The market's insurance budget is spent or the insurance vault is empty")]
    InsuranceExhausted,
    /// The opposing side waits in seats: settle them first.
    #[msg("Opposing fills wait in seats; settle those seats first")]
    SettleSeatsFirst,
    /// The oracle account is not the market's.
    #[msg("The oracle account is not the one of this market")]
    WrongOracle,
    /// The oracle account cannot be read as its format.
    #[msg("The oracle account does not have the expected layout")]
    BadOracleData,
    /// The price is not fully verified.
    #[msg("The price update is not fully verified")]
    OracleUnverified,
    /// The price is zero, negative or not representable.
    #[msg("The oracle price is not positive or not representable")]
    OraclePrice,
    /// The publish time lies in the future.
    #[msg("The oracle price is from the future")]
    OracleFuture,
    /// The price is older than one already seen.
    #[msg("The oracle price is not newer than the one already used")]
    OracleNotNewer,
    /// The price is too old for this action.
    #[msg("The market's price is too old for this action")]
    OracleStale,
    /// The confidence interval is too wide for this action.
    #[msg("The oracle's confidence interval is too wide for this action")]
    OracleWide,
    /// The price is too far from its slow average for this action.
    #[msg("The oracle price is too far from its slow average for this action")]
    OracleDeviates,
    /// Only one price update supports this price so far.
    #[msg("Only one price update supports this price; wait for the next")]
    OracleSingleTick,
    /// The ranking index refused.
    #[msg("The ranking index cannot take or release this position")]
    RankRefused,
    /// The seat is still in use, or is another account's.
    #[msg("The seat does not belong to this account or is still in use")]
    BadSeat,
    /// The account still holds collateral, positions or orders.
    #[msg("The account is not empty")]
    NotEmpty,
    /// The liquidator and the liquidated account are the same, or have the same owner.
    #[msg("An account cannot liquidate itself")]
    SelfLiquidation,
    /// A trigger's price, lots, execution, trailing distance or pair is out of range.
    #[msg("The trigger's terms are out of range, or its pair does not fit")]
    InvalidTrigger,
    /// No such trigger, or not this account's.
    #[msg("No such trigger of this account")]
    TriggerNotFound,
    /// The account has as many triggers in this market as it can, or the book has no room for more.
    #[msg("Too many triggers of this account, or in this market")]
    TooManyTriggers,
    /// A trigger protects a position: the account has none of that side, and no resting order that opens one.
    #[msg("Nothing to protect: no position of that side and no resting order that opens one")]
    NothingToProtect,
    /// The mark has not crossed the trigger's price, as far as two price updates support.
    #[msg("The trigger is not due: the mark has not crossed its price")]
    TriggerNotDue,
    /// The trigger would fire at once.
    #[msg("The trigger would fire at once")]
    TriggerAlreadyDue,
    /// The trigger does not trail, or the mark has not gone further than it has followed.
    #[msg("The trigger does not trail, or has followed the mark already")]
    NothingToRatchet,
    /// Nothing on the book is within the worst price, so nothing was reduced.
    #[msg("Nothing on the book is within the worst price")]
    NothingToMatch,
    /// The ladder's rungs are out of bounds or do not descend.
    #[msg("The ladder's rungs are out of bounds or do not descend")]
    InvalidLadder,
    /// An owner named himself as his referrer.
    #[msg("Nobody refers himself")]
    SelfReferral,
    /// An account has the layout of another version of the program.
    #[msg("An account has an older layout; it has to be migrated first")]
    AccountOutdated,
}

impl From<ArithmeticError> for BallastError {
    fn from(_: ArithmeticError) -> Self {
        BallastError::Overflow
    }
}

/// Turns the pure crates' errors into the program's. (The crates know nothing of Anchor, and neither side's type is
/// local to the other's trait, so `?` alone cannot.)
pub trait OrFail<T> {
    /// The value, or the program's error.
    fn or_fail(self) -> Result<T>;
}

impl<T, E: Into<Failure>> OrFail<T> for core::result::Result<T, E> {
    fn or_fail(self) -> Result<T> {
        self.map_err(|error| error.into().0.into())
    }
}

/// An error on its way from a pure crate into the program.
pub struct Failure(BallastError);

impl From<ArithmeticError> for Failure {
    fn from(error: ArithmeticError) -> Self {
        Failure(error.into())
    }
}

impl From<BallastError> for Failure {
    fn from(error: BallastError) -> Self {
        Failure(error)
    }
}

impl From<RiskError> for Failure {
    fn from(error: RiskError) -> Self {
        Failure(match error {
            RiskError::Overflow | RiskError::DivisionByZero => BallastError::Overflow,
            RiskError::NoPosition | RiskError::NoMaintenance => BallastError::NothingHere,
            RiskError::PriceOutOfRange => BallastError::OraclePrice,
            RiskError::Corrupt | RiskError::WipedOut | RiskError::StakeTooSmall => BallastError::ParameterOutOfBounds,
        })
    }
}

impl From<ParamError> for Failure {
    fn from(error: ParamError) -> Self {
        msg!("parameter: {}", error);
        Failure(BallastError::ParameterOutOfBounds)
    }
}

impl From<TierError> for Failure {
    fn from(error: TierError) -> Self {
        ParamError::from(error).into()
    }
}

impl From<Rejection> for Failure {
    fn from(error: Rejection) -> Self {
        Failure(match error {
            Rejection::Unverified => BallastError::OracleUnverified,
            Rejection::NotPositive | Rejection::Exponent | Rejection::PriceOutOfRange => BallastError::OraclePrice,
            Rejection::Future => BallastError::OracleFuture,
            Rejection::NotNewer => BallastError::OracleNotNewer,
            Rejection::TooOld => BallastError::OracleStale,
        })
    }
}

impl From<Condition> for Failure {
    fn from(condition: Condition) -> Self {
        Failure(match condition {
            Condition::Missing | Condition::Aged | Condition::Stale | Condition::Expired => BallastError::OracleStale,
            Condition::Uncertain | Condition::Wide | Condition::Meaningless => BallastError::OracleWide,
            Condition::Moving | Condition::FarFromAverage | Condition::Implausible => BallastError::OracleDeviates,
            Condition::SingleTick => BallastError::OracleSingleTick,
        })
    }
}

impl From<BookError> for Failure {
    fn from(error: BookError) -> Self {
        Failure(match error {
            BookError::Corrupt | BookError::AlreadyInitialised => BallastError::CorruptSlab,
            BookError::Full => BallastError::BookFull,
            BookError::InvalidOrder => BallastError::BadPrice,
            BookError::OrderNotFound => BallastError::OrderNotFound,
            BookError::NotExpired => BallastError::NotEligible,
            BookError::SeatNotFound | BookError::SeatInUse => BallastError::BadSeat,
            BookError::InvalidTrigger => BallastError::InvalidTrigger,
            BookError::TriggerNotFound => BallastError::TriggerNotFound,
            BookError::TooManyTriggers | BookError::TriggersFull => BallastError::TooManyTriggers,
            BookError::Overflow => BallastError::Overflow,
        })
    }
}

impl From<ballast_rank::Error> for Failure {
    fn from(error: ballast_rank::Error) -> Self {
        use ballast_rank::Error;
        Failure(match error {
            Error::Size | Error::Uninitialised | Error::AlreadyInitialised | Error::Corrupt => {
                BallastError::CorruptSlab
            }
            Error::Argument | Error::Overflow => BallastError::Overflow,
            Error::NotAMember | Error::Full | Error::PriceSpan => BallastError::RankRefused,
        })
    }
}
