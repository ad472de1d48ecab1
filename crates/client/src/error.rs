//! The program's errors by number, so that a failed transaction says what was refused and why.

use ballast::error::BallastError;
use solana_instruction::error::InstructionError;
use solana_transaction_error::TransactionError;

/// First number of the program's own errors; below are the framework's.
pub const FIRST: u32 = anchor_lang::error::ERROR_CODE_OFFSET;

/// Declares the table of all errors; the match keeps it complete.
macro_rules! errors {
    ($($name:ident,)*) => {
        /// All errors of the program, in the order of their numbers.
        pub const ALL: &[BallastError] = &[$(BallastError::$name,)*];

        /// Does not compile when the program has an error that the table lacks.
        const _: fn(BallastError) = |error| match error {
            $(BallastError::$name => (),)*
        };
    };
}

errors! {
    Overflow,
    ParameterOutOfBounds,
    Unauthorized,
    Paused,
    MarketState,
    WrongAccount,
    DuplicateAccount,
    MissingMarket,
    BadSlab,
    CorruptSlab,
    ZeroAmount,
    TooSmall,
    TooLarge,
    BadPrice,
    OutsideBand,
    WouldMatch,
    NotFilled,
    NotReducing,
    OrderNotFound,
    Expired,
    BookFull,
    NoFreeSlot,
    NothingHere,
    InsufficientMargin,
    InsufficientSettled,
    AccountBankrupt,
    NotEligible,
    NotMostRelief,
    Cooldown,
    InsuranceCovers,
    InsuranceExhausted,
    SettleSeatsFirst,
    WrongOracle,
    BadOracleData,
    OracleUnverified,
    OraclePrice,
    OracleFuture,
    OracleNotNewer,
    OracleStale,
    OracleWide,
    OracleDeviates,
    OracleSingleTick,
    RankRefused,
    BadSeat,
    NotEmpty,
    SelfLiquidation,
    InvalidTrigger,
    TriggerNotFound,
    TooManyTriggers,
    NothingToProtect,
    TriggerNotDue,
    TriggerAlreadyDue,
    NothingToRatchet,
    NothingToMatch,
    InvalidLadder,
    SelfReferral,
    AccountOutdated,
}

/// The program's error with this number.
pub fn by_code(code: u32) -> Option<BallastError> {
    let at = usize::try_from(code.checked_sub(FIRST)?).ok()?;
    ALL.get(at).copied()
}

/// Why an instruction failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("instruction {instruction}: {name} ({code}): {message}")]
pub struct ProgramError {
    /// Index of the instruction in its transaction.
    pub instruction: u8,
    /// The error's number.
    pub code: u32,
    /// Its name: of [`BallastError`], or of the framework or the called program as far as the logs tell.
    pub name: String,
    /// What it means.
    pub message: String,
}

impl ProgramError {
    /// From a transaction's error and logs; `None` when it was not a program's custom error.
    pub fn of<S: AsRef<str>>(error: &TransactionError, logs: &[S]) -> Option<ProgramError> {
        let TransactionError::InstructionError(instruction, InstructionError::Custom(code)) = error else {
            return None;
        };
        let from_logs = logs.iter().rev().find_map(|line| anchor_line(line.as_ref(), *code));
        let (name, message) = match (from_logs, by_code(*code)) {
            // Another program's error can have a number of this one's: the log knows whose it was.
            (Some(found), _) => found,
            (None, Some(own)) => (own.name(), own.to_string()),
            (None, None) => ("Custom".to_string(), "an error of a called program or of the framework".to_string()),
        };
        Some(ProgramError { instruction: *instruction, code: *code, name, message })
    }

    /// The program's own error, if it is one.
    pub fn ballast(&self) -> Option<BallastError> {
        by_code(self.code).filter(|error| error.name() == self.name)
    }

    /// Whether it is this error of the program.
    pub fn is(&self, error: BallastError) -> bool {
        self.code == u32::from(error)
    }
}

/// `… Error Code: Name. Error Number: 6000. Error Message: Text.`, as the framework logs it.
fn anchor_line(line: &str, code: u32) -> Option<(String, String)> {
    let (name, rest) = line.split_once("Error Code: ")?.1.split_once(". Error Number: ")?;
    let (number, message) = rest.split_once(". Error Message: ")?;
    (number.parse() == Ok(code)).then(|| (name.to_string(), message.trim_end_matches('.').to_string()))
}

#[cfg(test)]
mod tests {
    use solana_instruction::error::InstructionError;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_numbers() {
        for (at, error) in ALL.iter().enumerate() {
            assert_eq!(u32::from(*error), FIRST + u32::try_from(at).unwrap());
        }
        assert_eq!(by_code(FIRST - 1).map(u32::from), None);
    }

    #[test]
    fn a_number_alone_is_enough() {
        let code = u32::from(BallastError::NotEligible);
        let error = TransactionError::InstructionError(2, InstructionError::Custom(code));
        let decoded = ProgramError::of::<&str>(&error, &[]).unwrap();
        assert_eq!((decoded.instruction, decoded.name.as_str()), (2, "NotEligible"));
        assert!(decoded.is(BallastError::NotEligible) && decoded.ballast().is_some());
        assert!(decoded.message.contains("not eligible"));
    }

    #[test]
    fn the_frameworks_errors_are_named_by_the_log() {
        let error = TransactionError::InstructionError(0, InstructionError::Custom(2006));
        let logs =
            ["Program log: AnchorError caused by account: vault. Error Code: ConstraintSeeds. Error Number: 2006. \
                     Error Message: A seeds constraint was violated."];
        let decoded = ProgramError::of(&error, &logs).unwrap();
        assert_eq!(
            (decoded.name.as_str(), decoded.message.as_str()),
            ("ConstraintSeeds", "A seeds constraint was violated")
        );
        assert!(decoded.ballast().is_none());
    }

    #[test]
    fn what_no_program_refused_is_not_decoded() {
        assert_eq!(ProgramError::of::<&str>(&TransactionError::BlockhashNotFound, &[]), None);
    }
}
