//! The position-ranking index with lazy deleveraging.
//!
//! One [`Index`] per market holds the order in which positions would be deleveraged, without holding the positions. Each side
//! is a grid: a row is a logarithmic bucket of entry prices, a column one of the distance from entry to bankruptcy.
//! For a given entry the score (profit × leverage, see [`score`]) falls with that distance at every mark and every funding
//! index, so the order within a row is the order of its columns, and price moves change nothing. A position that joins
//! adds its lots to the cell of its coordinates and keeps a [`Membership`]; deleveraging merges the rows' best cells by score
//! and reduces cell after cell; what became of a member is computed from its membership when it leaves.
//!
//! `no_std`, no allocation, no panics: the program, the keepers, the simulator and the browser run these lines over the
//! bytes of one account. Lots, prices and amounts are those of `ballast_units`.
//!
//! # Costs
//! Joining and leaving touch one cell. Deleveraging looks at every occupied row once, and at every cell that it reduces; a
//! cell that is taken whole costs no multiplication or division. In compiled bytecode (SBPFv3, compute units, opening the
//! slab included): joining 340, or 460 into a fresh cell; leaving 330, or 850 after a deleveraging; deleveraging 150 for each
//! occupied row, 140 for each cell by rank and 570 for each cell pro rata.
//!
//! # Invariants
//! Each is checked by the test that is named, most after every step of random lives against a model in exact arithmetic
//! (`tests/against_model.rs`, `World::invariants_hold` in `tests/model/books.rs`).
//!
//! 1. The lots of a cell's members, in exact fractions, never exceed the cell's total. (`invariants_hold`)
//! 2. A cell's cash covers its members' claims. What is left is the dust owner's: exactly what the lots that departed
//!    members left in the cell earned, and what rounding kept. (`invariants_hold`)
//! 3. The cells' totals and the dust are the side's open interest. (`invariants_hold`)
//! 4. A column's bit is set if and only if the table has a cell there, that cell is live and knows its place, and a row's
//!    bit if and only if one of its columns' is; every cell of the pool is live, retired or free. (`IndexView::check`)
//! 5. Cells are reduced in the order of their scores, equal ones by the higher row; each is taken whole, but for the last.
//!    (`World::deleverage`)
//! 6. Cash is conserved to the last 2^-24 of an atom: what came in by deleveraging and funding is in a cell, in the
//!    dust, or was paid out. (`invariants_hold`)
//! 7. Reading what a member has gives what leaving gives. (`World::leave`)
//! 8. No ranked reduction takes a lot at a loss: every member of a reduced cell entered at the execution price or better, and
//!    is in profit at the mark. (`World::no_haircut_exceeds_a_profit`)
//! 9. A member never has more lots, nor more cash from a long's deleveraging, than exact arithmetic gives it. Each reduction
//!    of its cell costs it at most lots ÷ scale at joining (≤ 2^-20 lots for 2^24 of them, ≤ 1/16 lot for any) beyond
//!    its share, leaving at most one atom each of proceeds and of funding, and the fraction of a lot that it sells. A short
//!    pays for the extra it loses. (`Member::compare`)
//! 10. Splitting a position over many members gains nothing. (`a_split_position_is_worth_no_more`)
//! 11. At most one side has dust lots. (`invariants_hold`)
//! 12. A membership of a freed cell is refused. (`World::leave`)
//! 13. A new member stands at its own coordinates, or, where the pool is full, in a row whose entries are no better than its
//!     own. (`World::stands_where_it_should`)
//! 14. No content of a slab and no argument causes a panic. (`tests/corruption.rs`)
//!
//! # What an attacker can do
//! - Open thousands of tiny positions with high scores, so that deleveraging visits many cells. A coordinate has one cell
//!   however many members, so there are at most 64 per occupied row, and never more than the pool: 16,384 cells cost some
//!   2.5 million compute units in all, in as many calls as the caller's `max_cells` makes of it. Each call takes those
//!   cells for good; to fill them again takes as many real trades at the prices of those rows.
//! - Fill the pool. The last eighth of it (at most 1,024 cells) is kept for rows that have none, and beyond it positions merge
//!   into the nearest cell of their row, so that nobody is refused. Only when every cell of a side waits for its members to
//!   settle is a join refused ([`Error::Full`]); anyone may settle them.
//! - Choose extreme entries or bankruptcy prices. Every ratio is cut off before it can overflow; a bankruptcy beyond the
//!   mark scores highest.
//! - Use a membership twice. Its keeper must forget it when the position leaves; the index refuses it only once the cell is
//!   freed. A membership that contradicts its cell is refused.
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
pub use index::{Index, IndexView, MAX_FUNDING};
pub use layout::{MAX_CELLS, space};
pub use membership::{Holding, Membership};

/// No cell: cells are numbered from 1.
pub const NONE: u32 = 0;
