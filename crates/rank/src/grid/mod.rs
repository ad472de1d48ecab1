//! Where a position stands in the grid: a row for its entry price, a column for its distance to bankruptcy.
//!
//! Both depend on the position alone, not on the mark, so nothing moves when prices do.

mod column;
mod coordinates;
mod row;

pub use column::{COLUMNS, column, column_bounds, column_middle};
pub(crate) use coordinates::distance_at;
pub use coordinates::{Coordinates, coordinates, distance, funding_shift};
pub use row::{BUCKETS, ROWS, RowBounds, bucket, row_bounds, slot};

/// Fixed-point bits of ratios to the entry price: distances, profits and scores are in units of 2^-20.
pub const RATIO_BITS: u32 = 20;
/// One, as such a ratio.
pub const RATIO_ONE: i64 = 1 << RATIO_BITS;
