//! What became of a task, and what that means for the next try.

use core::fmt;
use std::time::Duration;

use ballast_client::{
    ballast::error::BallastError,
    error::{ProgramError, by_code},
    send::SendError,
};
use solana_signature::Signature;

use crate::{board::Next, effect::Effect, task::Task};

/// What became of a task.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It landed.
    Confirmed {
        /// Its signature.
        signature: Signature,
        /// The slot in which it landed.
        slot: u64,
        /// Fee in lamports: as the node told, or else as it was bid.
        fee: u64,
        /// Lamports by which the keeper is poorer, fee and rent; `None` when the node did not tell.
        spent: Option<u64>,
        /// What the simulation said that it would do.
        expected: Effect,
        /// What it did; `None` when the node did not tell.
        actual: Option<Effect>,
    },
    /// A dry run: it would have done this.
    DryRun(Effect),
    /// The simulation would have done nothing: somebody else was first.
    Nothing,
    /// The program refused, in simulation.
    Refused(Refused),
    /// It failed on chain, and cost its fee.
    Failed {
        /// Why.
        refused: Refused,
        /// Its signature.
        signature: Signature,
        /// The slot in which it landed.
        slot: u64,
        /// Its fee in lamports: as the node told, or else as it was bid.
        fee: u64,
    },
    /// Its blockhash expired first.
    Expired(Signature),
    /// The node did not answer, or the transaction cannot be made.
    Trouble(String),
    /// It was sent, and the keeper stopped waiting. It may have cost this fee, in lamports.
    Unknown(u64),
    /// It was not sent: what the simulation brings is not worth what it costs.
    LeftOut {
        /// What the simulation did.
        expected: Effect,
        /// What it would have cost, in atoms.
        cost: u64,
    },
}

/// Why the program refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The error's name; `Runtime` when it was none of a program's.
    pub name: String,
    /// What it says.
    pub message: String,
    /// What that means to a keeper.
    pub sense: Sense,
}

/// What a refusal means to a keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// Somebody else was first, or the account recovered: normal.
    AlreadyDone,
    /// The market's price does not allow it now.
    Price,
    /// Seats have to be settled first.
    SeatsFirst,
    /// The keeper's own account cannot.
    OwnAccount,
    /// Not expected: a mistake in the keeper, its configuration or its view.
    Mistake,
}

/// What an error of the program means to a keeper.
pub fn sense(error: BallastError) -> Sense {
    use BallastError::*;
    match error {
        NotEligible | NothingHere | Cooldown | NotMostRelief | InsuranceCovers | InsuranceExhausted | ZeroAmount
        | OracleNotNewer | NotReducing | TriggerNotFound | TriggerNotDue | NothingToProtect | NothingToRatchet
        | NothingToMatch => Sense::AlreadyDone,
        OracleUnverified | OraclePrice | OracleFuture | OracleStale | OracleWide | OracleDeviates
        | OracleSingleTick | MarketState | Paused => Sense::Price,
        SettleSeatsFirst => Sense::SeatsFirst,
        InsufficientMargin | AccountBankrupt | NoFreeSlot | TooLarge | TooSmall | SelfLiquidation => Sense::OwnAccount,
        // The view was between two states of the market's accounts.
        BadSeat | RankRefused | MissingMarket => Sense::AlreadyDone,
        Overflow | ParameterOutOfBounds | Unauthorized | WrongAccount | DuplicateAccount | BadSlab | CorruptSlab
        | BadPrice | OutsideBand | WouldMatch | NotFilled | OrderNotFound | Expired | BookFull
        | InsufficientSettled | WrongOracle | BadOracleData | NotEmpty | InvalidTrigger | TooManyTriggers
        | TriggerAlreadyDue | InvalidLadder | AccountOutdated | SelfReferral => Sense::Mistake,
    }
}

impl Refused {
    /// From the program's error, or the runtime's words.
    pub fn new(program: Option<&ProgramError>, otherwise: impl fmt::Display) -> Refused {
        match program {
            Some(error) => Refused {
                name: error.name.clone(),
                message: error.message.clone(),
                sense: error.ballast().and_then(|_| by_code(error.code)).map_or(Sense::Mistake, sense),
            },
            None => Refused { name: "Runtime".to_string(), message: otherwise.to_string(), sense: Sense::Mistake },
        }
    }
}

impl From<SendError> for Outcome {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused(refusal) => {
                let refused = Refused::new(refusal.program.as_ref(), &refusal.error);
                match (refusal.landed, refusal.fee) {
                    (Some((signature, slot)), fee) => {
                        Outcome::Failed { refused, signature, slot, fee: fee.unwrap_or_default() }
                    }
                    (None, _) => Outcome::Refused(refused),
                }
            }
            SendError::Expired { signature } => Outcome::Expired(signature),
            other => Outcome::Trouble(other.to_string()),
        }
    }
}

impl Outcome {
    /// One word for it: the `result` of the action log.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Confirmed { .. } => "confirmed",
            Outcome::DryRun(_) => "dry_run",
            Outcome::Nothing => "already_done",
            Outcome::Refused(refused) if refused.sense == Sense::AlreadyDone => "already_done",
            Outcome::Refused(_) => "refused",
            Outcome::Failed { .. } => "failed",
            Outcome::Expired(_) => "expired",
            Outcome::Trouble(_) => "trouble",
            Outcome::Unknown(_) => "unknown",
            Outcome::LeftOut { .. } => "left_out",
        }
    }

    /// The program's error or the like: the `error` of the action log, and the `reason` of the metrics.
    pub fn error(&self) -> Option<&str> {
        match self {
            Outcome::Refused(refused) | Outcome::Failed { refused, .. } => Some(&refused.name),
            Outcome::Confirmed { .. } | Outcome::DryRun(_) | Outcome::Nothing => None,
            Outcome::Expired(_) => Some("Expired"),
            Outcome::Trouble(_) => Some("Rpc"),
            Outcome::Unknown(_) => Some("Unknown"),
            Outcome::LeftOut { .. } => Some("Unprofitable"),
        }
    }

    /// More about the error.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Outcome::Refused(refused) | Outcome::Failed { refused, .. } => Some(&refused.message),
            Outcome::Trouble(text) => Some(text),
            _ => None,
        }
    }

    /// The slot in which it landed.
    pub fn slot(&self) -> Option<u64> {
        match self {
            Outcome::Confirmed { slot, .. } | Outcome::Failed { slot, .. } => Some(*slot),
            _ => None,
        }
    }

    /// The fee in lamports that was paid, or may have been.
    pub fn fee(&self) -> Option<u64> {
        match self {
            Outcome::Confirmed { fee, .. } | Outcome::Failed { fee, .. } | Outcome::Unknown(fee) => Some(*fee),
            _ => None,
        }
    }

    /// What it cost in all, in lamports, with the rent that was expected of it where the node did not tell.
    pub fn spent(&self, rent: u64) -> u64 {
        match self {
            Outcome::Confirmed { spent: Some(spent), .. } => *spent,
            Outcome::Confirmed { fee, .. } | Outcome::Unknown(fee) => fee.saturating_add(rent),
            _ => self.fee().unwrap_or(0),
        }
    }

    /// Its signature, if it was sent.
    pub fn signature(&self) -> Option<&Signature> {
        match self {
            Outcome::Confirmed { signature, .. } | Outcome::Failed { signature, .. } => Some(signature),
            Outcome::Expired(signature) => Some(signature),
            _ => None,
        }
    }

    /// When the account may be tried again.
    pub fn next(&self, task: &Task) -> Next {
        let seconds = Duration::from_secs;
        match self {
            Outcome::Confirmed { .. } | Outcome::Unknown(_) => Next::WhenSeen(seconds(2)),
            Outcome::DryRun(_) => Next::After(seconds(10)),
            Outcome::Nothing => Next::After(seconds(1)),
            Outcome::Refused(refused) | Outcome::Failed { refused, .. } => match refused.sense {
                Sense::AlreadyDone => Next::After(Duration::from_millis(500)),
                Sense::Price | Sense::SeatsFirst => Next::After(seconds(1)),
                // With less, or after a deposit; and meanwhile the others' turn.
                Sense::OwnAccount => Next::After(seconds(5)),
                Sense::Mistake => Next::BackOff(seconds(if task.kind.trades() { 5 } else { 1 })),
            },
            // What was left out has a pause of its own, which keeps nothing else of the account waiting.
            Outcome::Expired(_) | Outcome::LeftOut { .. } => Next::After(Duration::ZERO),
            Outcome::Trouble(_) => Next::BackOff(seconds(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_client::{error::FIRST, send::Refusal};
    use solana_transaction_error::TransactionError;

    use super::*;

    fn refused(error: BallastError) -> Refused {
        let code = u32::from(error);
        let program = ProgramError { instruction: 0, code, name: error.name(), message: error.to_string() };
        Refused::new(Some(&program), "")
    }

    #[test]
    fn coming_second_is_normal() {
        use BallastError::*;
        for error in [NotEligible, NothingHere, Cooldown, NotMostRelief, InsuranceCovers] {
            let outcome = Outcome::Refused(refused(error));
            assert_eq!(outcome.name(), "already_done");
        }
        let outcome = Outcome::Refused(refused(Unauthorized));
        assert_eq!((outcome.name(), outcome.error()), ("refused", Some("Unauthorized")));
    }

    #[test]
    fn a_failure_costs_what_the_transaction_cost_with_its_priority_fee() {
        let refusal = |landed, fee| {
            let (error, logs) = (TransactionError::AccountNotFound, Vec::new());
            Outcome::from(SendError::Refused(Box::new(Refusal { error, program: None, landed, fee, logs })))
        };
        let failed = refusal(Some((Signature::default(), 7)), Some(1_005_000));
        assert_eq!((failed.fee(), failed.spent(9)), (Some(1_005_000), 1_005_000), "and no rent");
        let refused = refusal(None, None);
        assert_eq!((refused.fee(), refused.spent(9)), (None, 0));
        // What may have landed is counted as if it had.
        assert_eq!(Outcome::Unknown(5_000).spent(9), 5_009);
    }

    #[test]
    fn another_programs_error_of_the_same_number_is_not_taken_for_ours() {
        let program = ProgramError {
            instruction: 0,
            code: FIRST + 26,
            name: "SomethingElse".to_string(),
            message: String::new(),
        };
        assert_eq!(Refused::new(Some(&program), "").sense, Sense::Mistake);
    }
}
