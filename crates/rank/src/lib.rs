//! The position-ranking index with lazy deleveraging.
#![cfg_attr(not(test), no_std)]

mod ahead;
mod arithmetic;
mod audit;
mod bits;
mod cell;
mod chain;
pub mod deleverage;
mod dust;
mod error;
pub mod grid;
mod index;
mod layout;
mod membership;
mod place;
mod pool;
mod recentre;
pub mod score;

pub use ahead::Ahead;
pub use arithmetic::Wide;
pub use audit::{CellView, RowView};
pub use cell::{MAX_SIDE_LOTS, SCALE_OPEN, SCALE_START};
pub use deleverage::{CellReceipt, Deleveraged};
pub use dust::Dust;
pub use error::Error;
pub use index::{Index, IndexView};
pub use layout::{MAX_CELLS, space};
pub use membership::{Holding, Membership};

/// No cell: cells are numbered from 1.
pub const NONE: u32 = 0;
