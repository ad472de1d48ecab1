//! Why a transaction was not sent, or failed.

use solana_message::CompileError;
use solana_rpc_client_api::client_error::Error as ClientError;
use solana_signature::Signature;
use solana_signer::SignerError;
use solana_transaction_error::TransactionError;

use crate::error::ProgramError;

/// Why there is no confirmed transaction.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A transaction needs at least its payer's signature.
    #[error("no signer")]
    NoSigner,
    /// The instructions name too many accounts, or the like.
    #[error("the instructions do not make a message: {0}")]
    Compile(#[from] CompileError),
    /// The transaction is larger than a packet.
    #[error("the transaction has {size} bytes; at most {max} can be sent: use a lookup table")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The most.
        max: usize,
    },
    /// It needs more compute than the caller allows.
    #[error("the transaction needs a limit of {units} compute units; {max} are allowed")]
    TooManyUnits {
        /// The limit it needs.
        units: u32,
        /// The most.
        max: u32,
    },
    /// A signer is missing, superfluous or refuses.
    #[error("signing: {0}")]
    Sign(#[from] SignerError),
    /// The node did not answer, or refused.
    #[error(transparent)]
    Rpc(Box<ClientError>),
    /// The transaction failed, in simulation or on chain.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// It did not land while its blockhash was valid, and cannot land any more.
    #[error("transaction {signature} did not land before its blockhash expired")]
    Expired {
        /// Its signature.
        signature: Signature,
    },
}

/// A transaction that failed.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The error.
    pub error: TransactionError,
    /// The program's error, if it was one.
    pub program: Option<ProgramError>,
    /// Signature and slot, when it was on chain and its fee is spent; `None` in simulation.
    pub landed: Option<(Signature, u64)>,
    /// The fee that it cost on chain, in lamports: as the node told, or else as it was bid. `None` in simulation.
    pub fee: Option<u64>,
    /// The logs, as far as they are known.
    pub logs: Vec<String>,
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.landed {
            Some((signature, slot)) => write!(f, "transaction {signature} failed in slot {slot}: ")?,
            None => write!(f, "the simulation failed: ")?,
        }
        match &self.program {
            Some(error) => error.fmt(f),
            None => self.error.fmt(f),
        }
    }
}

impl core::error::Error for Refusal {}

impl From<ClientError> for SendError {
    fn from(error: ClientError) -> Self {
        SendError::Rpc(Box::new(error))
    }
}

impl SendError {
    /// Of a simulation.
    pub(super) fn simulated(error: TransactionError, logs: Vec<String>) -> Self {
        let program = ProgramError::of(&error, &logs);
        SendError::Refused(Box::new(Refusal { error, program, landed: None, fee: None, logs }))
    }

    /// Of a transaction on chain.
    pub(super) fn landed(
        error: TransactionError,
        signature: Signature,
        slot: u64,
        fee: u64,
        logs: Vec<String>,
    ) -> Self {
        let (program, landed) = (ProgramError::of(&error, &logs), Some((signature, slot)));
        SendError::Refused(Box::new(Refusal { error, program, landed, fee: Some(fee), logs }))
    }

    /// The program's error, if that was the reason.
    pub fn program(&self) -> Option<&ProgramError> {
        match self {
            SendError::Refused(refusal) => refusal.program.as_ref(),
            SendError::NoSigner
            | SendError::Compile(_)
            | SendError::TooLarge { .. }
            | SendError::TooManyUnits { .. }
            | SendError::Sign(_)
            | SendError::Rpc(_)
            | SendError::Expired { .. } => None,
        }
    }

    /// Whether the program refused with this error.
    pub fn is(&self, error: ballast::error::BallastError) -> bool {
        self.program().is_some_and(|program| program.is(error))
    }
}

#[cfg(test)]
mod tests {
    use ballast::error::BallastError;
    use solana_instruction::error::InstructionError;

    use super::*;

    #[test]
    fn a_refusal_says_what_the_program_said() {
        let code = u32::from(BallastError::Cooldown);
        let error = TransactionError::InstructionError(1, InstructionError::Custom(code));
        let refused = SendError::simulated(error, Vec::new());
        assert!(refused.is(BallastError::Cooldown));
        assert!(!refused.is(BallastError::NotEligible));
        let text = refused.to_string();
        assert!(text.contains("simulation") && text.contains("Cooldown"), "{text}");
    }

    #[test]
    fn a_refusal_of_the_runtime_has_no_program_error() {
        let refused = SendError::simulated(TransactionError::AccountNotFound, Vec::new());
        assert!(refused.program().is_none());
    }
}
