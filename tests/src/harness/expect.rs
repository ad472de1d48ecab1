//! Saying what should become of an instruction.

use ballast_client::ballast::error::BallastError;

use super::chain::{Outcome, Receipt};

/// Expectations of an [`Outcome`].
pub trait Expect {
    /// It succeeded.
    fn succeeds(self) -> Receipt;
    /// The program refused it for this reason.
    fn fails_with(self, expected: BallastError);
    /// It failed with an error of this name: of the framework, of a called program, or of the runtime.
    fn fails_as(self, name: &str);
    /// It failed, whatever the reason.
    fn fails(self) -> String;
}

impl Expect for Outcome {
    #[track_caller]
    fn succeeds(self) -> Receipt {
        match self {
            Ok(receipt) => receipt,
            Err(refusal) => panic!("should succeed, but: {}\n{}", refusal.name(), refusal.logs.join("\n")),
        }
    }

    #[track_caller]
    fn fails_with(self, expected: BallastError) {
        let name = expected.name();
        match self {
            Ok(receipt) => panic!("should fail with {name}, but succeeds\n{}", receipt.logs.join("\n")),
            Err(refusal) if refusal.is(expected) => {}
            Err(refusal) => {
                panic!("should fail with {name}, but fails with {}\n{}", refusal.name(), refusal.logs.join("\n"))
            }
        }
    }

    #[track_caller]
    fn fails_as(self, name: &str) {
        let found = self.fails();
        assert_eq!(found, name, "the error's name");
    }

    #[track_caller]
    fn fails(self) -> String {
        match self {
            Ok(receipt) => panic!("should fail, but succeeds\n{}", receipt.logs.join("\n")),
            Err(refusal) => refusal.name(),
        }
    }
}
