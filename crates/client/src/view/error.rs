//! Why something cannot be said of an account.

use ballast::error::BallastError;
use solana_pubkey::Pubkey;

use crate::{accounts::DecodeError, error};

/// Why something cannot be said of an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The snapshot has no such margin account.
    #[error("no margin account {0}")]
    NoAccount(Pubkey),
    /// The account has something in a market that the snapshot lacks.
    #[error("market {0} is not in the snapshot")]
    NoMarket(u16),
    /// A slab cannot be opened.
    #[error("market {0}: {1}")]
    Slab(u16, DecodeError),
    /// The program's own formula refuses: the number is the program's error (see [`crate::error`]).
    #[error("{name} ({code}): {message}")]
    Refused {
        /// The error's number.
        code: u32,
        /// Its name.
        name: String,
        /// What it means.
        message: String,
    },
}

impl ViewError {
    /// The program's error, if it was its formula that refused.
    pub fn ballast(&self) -> Option<BallastError> {
        match self {
            ViewError::Refused { code, .. } => error::by_code(*code),
            ViewError::NoAccount(_) | ViewError::NoMarket(_) | ViewError::Slab(..) => None,
        }
    }
}

impl From<anchor_lang::error::Error> for ViewError {
    fn from(error: anchor_lang::error::Error) -> Self {
        match error {
            anchor_lang::error::Error::AnchorError(error) => ViewError::Refused {
                code: error.error_code_number,
                name: error.error_name.clone(),
                message: error.error_msg.clone(),
            },
            anchor_lang::error::Error::ProgramError(error) => ViewError::Refused {
                code: 0,
                name: "ProgramError".to_string(),
                message: error.program_error.to_string(),
            },
        }
    }
}

impl From<ballast_risk::RiskError> for ViewError {
    fn from(error: ballast_risk::RiskError) -> Self {
        ViewError::Refused { code: 0, name: "RiskError".to_string(), message: error.to_string() }
    }
}
