//! What can go wrong.

use core::fmt;

/// Why an operation on the index was refused.
///
/// After an error from a method that changes the index, the slab may be half changed: discard it, as a failing
/// transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The slab is too small or not aligned to 8 bytes.
    Size,
    /// The slab was never initialised, or by another version of the layout.
    Uninitialised,
    /// The slab is initialised already.
    AlreadyInitialised,
    /// A price outside 1..=`MAX_PRICE`, lots outside 1..=`MAX_LOTS`, or a funding index beyond `MAX_FUNDING`.
    Argument,
    /// The membership is not a member (any more): its cell was freed, or it never joined.
    NotAMember,
    /// The slab or the membership contradicts itself. Never caused by arguments alone.
    Corrupt,
    /// An amount does not fit its type.
    Overflow,
    /// No cell is left that could take the position, even by merging: every cell of the side is retired or worn out and
    /// waits for its members to settle. Settle some and try again.
    Full,
    /// The entry price is so far (a factor of 2^16) from that of another open position that both need the same row.
    PriceSpan,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Size => "the ranking slab is too small or not aligned",
            Error::Uninitialised => "the ranking slab is not initialised",
            Error::AlreadyInitialised => "the ranking slab is initialised already",
            Error::Argument => "a price, a size or a funding index is out of range",
            Error::NotAMember => "the position is not in the ranking index",
            Error::Corrupt => "the ranking slab or the membership contradicts itself",
            Error::Overflow => "an amount in the ranking index overflows",
            Error::Full => "every ranking cell waits for its members to settle",
            Error::PriceSpan => "the entry price is too far from the other open positions'",
        })
    }
}

impl core::error::Error for Error {}

impl From<ballast_units::ArithmeticError> for Error {
    fn from(_: ballast_units::ArithmeticError) -> Self {
        Error::Overflow
    }
}
