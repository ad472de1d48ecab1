//! What can go wrong with a book.

use core::fmt;

/// Why an operation on the book was refused. After an error the slab may be half changed: a caller on chain lets its
/// instruction fail, any other discards the slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookError {
    /// The bytes are not a book, or its links or sums contradict each other.
    Corrupt,
    /// The slab is already initialised.
    AlreadyInitialised,
    /// The slab has no free block left, or more than [`MAX_BLOCKS`](crate::MAX_BLOCKS).
    Full,
    /// Lots or price are zero or above their maximum, the product exceeds `i64`, or an expiry is negative.
    InvalidOrder,
    /// There is no such order, or it is another seat's.
    OrderNotFound,
    /// The order has not expired.
    NotExpired,
    /// There is no such seat, or it belongs to another account.
    SeatNotFound,
    /// The seat still has orders or fills that were not taken.
    SeatInUse,
    /// A trigger's price, lots, execution, trailing distance or expiry is out of range, or it does not fit its pair.
    InvalidTrigger,
    /// There is no such trigger, or it is another seat's.
    TriggerNotFound,
    /// The seat has as many triggers as it can.
    TooManyTriggers,
    /// Triggers have as many blocks as this slab gives them. A larger one has more.
    TriggersFull,
    /// A sum (a seat's orders or pending fills, or a taker's total) would leave its type's range.
    Overflow,
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BookError::Corrupt => "the order book's bytes are corrupt",
            BookError::AlreadyInitialised => "the order book is already initialised",
            BookError::Full => "the order book has no free block",
            BookError::InvalidOrder => "the order's lots, price or expiry are out of range",
            BookError::OrderNotFound => "no such order at this seat",
            BookError::NotExpired => "the order has not expired",
            BookError::SeatNotFound => "no such seat of this account",
            BookError::SeatInUse => "the seat still has orders or pending fills",
            BookError::InvalidTrigger => "the trigger's terms are out of range",
            BookError::TriggerNotFound => "no such trigger at this seat",
            BookError::TooManyTriggers => "the seat has as many triggers as it can",
            BookError::TriggersFull => "the order book has no room for more triggers",
            BookError::Overflow => "a sum of the order book would overflow",
        })
    }
}

impl core::error::Error for BookError {}
