//! Reading the whole index: cells one by one, rows, and a check that everything agrees with everything. Off chain.

use crate::{
    Error,
    cell::{Cell, state},
    grid::{COLUMNS, ROWS, slot},
    index::IndexView,
    layout::at,
    pool,
};
use ballast_units::{Lots, Side};

/// One cell, for an audit or a heat map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellView {
    /// Its number.
    pub id: u32,
    /// Its life.
    pub generation: u32,
    /// Bucket of its least favourable entries (see [`crate::grid::row_bounds`]).
    pub row: u16,
    /// Column of its distances (see [`crate::grid::column_bounds`]).
    pub column: u16,
    /// Lots of its members and of what departed members left in it; none once retired.
    pub total: Lots,
    /// Members that have not left.
    pub members: u32,
    /// What one lot at scale [`crate::SCALE_START`] has become; 0 once taken whole.
    pub a: u64,
    /// Cash at the funding index asked for, in 2^-24 atoms: claims of the members, and what is the dust owner's.
    pub cash: i128,
    /// Out of the grid: its members settle out of it.
    pub retired: bool,
}

/// One occupied row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowView {
    /// Bucket of its entries.
    pub bucket: u16,
    /// Bit per occupied column.
    pub occupied: u64,
    /// Funding shift at which its columns are centred.
    pub origin: i64,
}

impl<'a> IndexView<'a> {
    /// The cells of a side, in the grid or retired, at a funding index. Looks at every cell ever used.
    pub fn cells(&self, side: Side, funding: i64) -> impl Iterator<Item = CellView> + 'a {
        let view = *self;
        let used = view.cells.iter().zip(0u32..).skip(1).take(view.fixed.used as usize);
        used.filter_map(move |(cell, id)| {
            if cell.state == state::FREE || cell.side() != side {
                return None;
            }
            // A closed cell is shown as it will be booked.
            let mut booked = *cell;
            booked.book_close().ok()?;
            Some(CellView {
                id,
                generation: cell.generation,
                row: cell.bucket,
                column: u16::from(cell.column),
                total: Lots(booked.total),
                members: cell.members,
                a: booked.scale,
                cash: booked.cash_at(funding),
                retired: !cell.is_live(),
            })
        })
    }

    /// The occupied rows of a side.
    pub fn rows(&self, side: Side) -> impl Iterator<Item = RowView> + 'a {
        let book = &self.fixed.sides[side.index()];
        crate::bits::each(book.rows_occupied).map(move |index| {
            let row = &book.rows[index % ROWS];
            RowView { bucket: row.bucket, occupied: row.occupied, origin: row.origin }
        })
    }

    /// Checks that bitmaps, table, chains, cells, counters and the free list agree. `Corrupt` when they do not.
    pub fn check(&self) -> Result<(), Error> {
        let mut taken = 0u32;
        for side in Side::BOTH {
            taken = taken.wrapping_add(self.check_side(side)?);
        }
        let mut free = self.fixed.free;
        let mut count = 0u32;
        while free != 0 {
            let cell = pool::get(self.cells, free)?;
            ensure(cell.state == state::FREE && free <= self.fixed.used && count <= self.fixed.used)?;
            free = u32::from(cell.next);
            count += 1;
        }
        ensure(taken == self.fixed.taken && taken.wrapping_add(count) == self.fixed.used)?;
        let unused = self.cells.iter().skip((self.fixed.used as usize).saturating_add(1));
        ensure(self.cells.first() == Some(&Cell::default()) && unused.into_iter().all(|cell| *cell == Cell::default()))
    }

    /// The same for one side. Returns its cells, in the grid or retired.
    fn check_side(&self, side: Side) -> Result<u32, Error> {
        let book = &self.fixed.sides[side.index()];
        let (mut in_grid, mut lots) = (0u32, u128::from(book.dust.lots));
        for row in 0..ROWS {
            let occupied = book.rows[row].occupied;
            let row_marked = book.rows_occupied[row / 64] >> (row % 64) & 1 == 1;
            ensure(row_marked == (occupied != 0))?;
            if !row_marked {
                ensure(book.table[at(row, 0)..][..COLUMNS] == [0; COLUMNS])?;
                continue;
            }
            ensure(slot(book.rows[row].bucket) == row)?;
            for column in 0..COLUMNS {
                let marked = occupied >> column & 1 == 1;
                let mut id = u32::from(book.table[at(row, column)]);
                ensure(marked == (id != 0))?;
                while id != 0 {
                    let cell = pool::get(self.cells, id)?;
                    let here = cell.bucket == book.rows[row].bucket && usize::from(cell.column) == column;
                    ensure(cell.is_live() && cell.side() == side && here && cell.members != 0 && cell.scale != 0)?;
                    in_grid += 1;
                    ensure(in_grid <= self.fixed.used)?;
                    lots += u128::from(cell.total);
                    id = u32::from(cell.next);
                }
            }
        }
        let used = self.cells.iter().skip(1).take(self.fixed.used as usize);
        let of_side = used.filter(|cell| cell.state != state::FREE && cell.side() == side);
        let (mut live, mut all) = (0u32, 0u32);
        for cell in of_side {
            all += 1;
            live += u32::from(cell.is_live());
            ensure(cell.members != 0)?;
        }
        ensure(live == in_grid && live == book.live && lots == u128::from(book.open_interest))?;
        Ok(all)
    }
}

/// `Corrupt` unless a condition holds.
fn ensure(condition: bool) -> Result<(), Error> {
    if condition { Ok(()) } else { Err(Error::Corrupt) }
}
