//! The newtypes: [`Lots`], [`Price`], [`Quote`], [`Position`] and [`Side`].

use crate::wide;
use bytemuck::{Pod, Zeroable};

/// Largest size of one position or order, in lots. With [`MAX_PRICE`] every product fits 128 bits with room to spare.
pub const MAX_LOTS: u64 = (1 << 40) - 1;
/// Largest price, in atoms per lot ($1,099,511 for one lot).
pub const MAX_PRICE: u64 = (1 << 40) - 1;

/// What went wrong in checked arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticError {
    /// The result does not fit its type or its documented range.
    Overflow,
    /// Division by zero.
    DivisionByZero,
}

/// A side of the market. A long position or a buying order; a short position or a selling order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Gains when the price rises; as an order, a bid.
    Long,
    /// Gains when the price falls; as an order, an ask.
    Short,
}

impl Side {
    /// Both, longs first.
    pub const BOTH: [Side; 2] = [Side::Long, Side::Short];

    /// The other side.
    pub const fn opposite(self) -> Side {
        match self {
            Side::Long => Side::Short,
            Side::Short => Side::Long,
        }
    }

    /// 0 for long, 1 for short: the order in which accounts store a pair.
    pub const fn index(self) -> usize {
        match self {
            Side::Long => 0,
            Side::Short => 1,
        }
    }

    /// +1 for long, −1 for short.
    pub const fn sign(self) -> i64 {
        match self {
            Side::Long => 1,
            Side::Short => -1,
        }
    }
}

/// A size in lots, not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Lots(pub u64);

/// A price in atoms of USDC per lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Price(pub u64);

/// An amount of USDC in atoms, signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Quote(pub i64);

/// A position in lots: positive long, negative short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Position(pub i64);

impl Lots {
    /// None.
    pub const ZERO: Lots = Lots(0);

    /// `self + other`, or overflow.
    pub fn add(self, other: Lots) -> Result<Lots, ArithmeticError> {
        self.0.checked_add(other.0).map(Lots).ok_or(ArithmeticError::Overflow)
    }

    /// `self − other`, or overflow when that is negative.
    pub fn sub(self, other: Lots) -> Result<Lots, ArithmeticError> {
        self.0.checked_sub(other.0).map(Lots).ok_or(ArithmeticError::Overflow)
    }

    /// The smaller of two sizes.
    pub fn min(self, other: Lots) -> Lots {
        Lots(self.0.min(other.0))
    }

    /// Whether there are none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self × price`, exact.
    pub fn value(self, price: Price) -> Result<Quote, ArithmeticError> {
        let value = wide::mul(self.0, price.0).ok_or(ArithmeticError::Overflow)?;
        i64::try_from(value).map(Quote).map_err(|_| ArithmeticError::Overflow)
    }

    /// As a position on `side`.
    pub fn on(self, side: Side) -> Result<Position, ArithmeticError> {
        let lots = i64::try_from(self.0).map_err(|_| ArithmeticError::Overflow)?;
        Ok(Position(match side {
            Side::Long => lots,
            Side::Short => -lots,
        }))
    }
}

impl Quote {
    /// Nothing.
    pub const ZERO: Quote = Quote(0);

    /// `self + other`, or overflow.
    pub fn add(self, other: Quote) -> Result<Quote, ArithmeticError> {
        self.0.checked_add(other.0).map(Quote).ok_or(ArithmeticError::Overflow)
    }

    /// `self − other`, or overflow.
    pub fn sub(self, other: Quote) -> Result<Quote, ArithmeticError> {
        self.0.checked_sub(other.0).map(Quote).ok_or(ArithmeticError::Overflow)
    }

    /// `−self`, or overflow.
    pub fn neg(self) -> Result<Quote, ArithmeticError> {
        self.0.checked_neg().map(Quote).ok_or(ArithmeticError::Overflow)
    }

    /// From a 128-bit intermediate, or overflow.
    pub fn from_wide(value: i128) -> Result<Quote, ArithmeticError> {
        i64::try_from(value).map(Quote).map_err(|_| ArithmeticError::Overflow)
    }

    /// `self` where positive, otherwise zero, as an unsigned amount.
    pub fn positive_part(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }

    /// `−self` where `self` is negative, otherwise zero, as an unsigned amount.
    pub fn negative_part(self) -> u64 {
        if self.0 < 0 { self.0.unsigned_abs() } else { 0 }
    }

    /// The smaller of two amounts.
    pub fn min(self, other: Quote) -> Quote {
        Quote(self.0.min(other.0))
    }

    /// The larger of two amounts.
    pub fn max(self, other: Quote) -> Quote {
        Quote(self.0.max(other.0))
    }
}

impl Position {
    /// No position.
    pub const FLAT: Position = Position(0);

    /// Long, short, or `None` when flat.
    pub fn side(self) -> Option<Side> {
        match self.0.cmp(&0) {
            core::cmp::Ordering::Greater => Some(Side::Long),
            core::cmp::Ordering::Less => Some(Side::Short),
            core::cmp::Ordering::Equal => None,
        }
    }

    /// Its size without its side.
    pub fn lots(self) -> Lots {
        Lots(self.0.unsigned_abs())
    }

    /// `self + other`, or overflow. Also refuses a size above [`MAX_LOTS`].
    pub fn add(self, other: Position) -> Result<Position, ArithmeticError> {
        let sum = self.0.checked_add(other.0).ok_or(ArithmeticError::Overflow)?;
        if sum.unsigned_abs() > MAX_LOTS { Err(ArithmeticError::Overflow) } else { Ok(Position(sum)) }
    }

    /// Signed value at `price`, exact: positive for a long, negative for a short.
    pub fn value(self, price: Price) -> Result<Quote, ArithmeticError> {
        let value = self.lots().value(price)?;
        if self.0 < 0 { value.neg() } else { Ok(value) }
    }
}
