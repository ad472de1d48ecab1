//! Why something cannot be said, in the words of whoever refused.

use ballast::error::BallastError;
use ballast_client::{accounts::DecodeError, snapshot::SnapshotError, view::ViewError};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// A refusal: the program's own by number, or a local one with number 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The program's error number; 0 when it is none of the program's.
    pub code: u32,
    /// Its name.
    pub name: String,
    /// What it means.
    pub message: String,
}

impl Problem {
    /// Not the program's.
    pub(crate) fn local(name: &str, message: impl Into<String>) -> Self {
        Problem { code: 0, name: name.to_owned(), message: message.into() }
    }

    /// The program's.
    pub(crate) fn of(error: BallastError) -> Self {
        Problem { code: error.into(), name: error.name(), message: error.to_string() }
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        Problem::local("Decode", error.to_string())
    }
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Self {
        Problem::local("Decode", error.to_string())
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Refused { code, name, message } => Problem { code, name, message },
            ViewError::NoAccount(_) | ViewError::NoMarket(_) | ViewError::Slab(..) => {
                Problem::local("Missing", error.to_string())
            }
        }
    }
}

impl From<anchor_lang::error::Error> for Problem {
    fn from(error: anchor_lang::error::Error) -> Self {
        ViewError::from(error).into()
    }
}

impl From<BallastError> for Problem {
    fn from(error: BallastError) -> Self {
        Problem::of(error)
    }
}
