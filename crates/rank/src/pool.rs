//! The pool of cells: a free list over those used before, and a high-water mark before those never used.

use crate::{
    Error,
    cell::{Cell, state},
    layout::Fixed,
};

/// Cells kept back so that an empty row can have its first one when others can only be merged: an eighth of the pool, at
/// most this many.
const MOST_RESERVED: u32 = 1_024;

/// The cell with number `id`. Number 0 is none: a cell that is always free.
#[inline(always)]
pub(crate) fn get(cells: &[Cell], id: u32) -> Result<&Cell, Error> {
    cells.get(id as usize).ok_or(Error::Corrupt)
}

/// The cell with number `id`, to be changed.
#[inline(always)]
pub(crate) fn get_mut(cells: &mut [Cell], id: u32) -> Result<&mut Cell, Error> {
    cells.get_mut(id as usize).ok_or(Error::Corrupt)
}

/// Cells that can be used: all but number 0.
#[inline(always)]
pub(crate) fn capacity(cells: &[Cell]) -> u32 {
    (cells.len() as u32).saturating_sub(1)
}

/// Takes a free cell, or `None` when there is none. Only the first cell of an empty row may use up the reserve.
///
/// The cell is zero except for its generation, which is a new one.
pub(crate) fn take(fixed: &mut Fixed, cells: &mut [Cell], first_of_row: bool) -> Result<Option<u32>, Error> {
    let capacity = capacity(cells);
    let reserve = if first_of_row { 0 } else { (capacity / 8).min(MOST_RESERVED) };
    if fixed.taken >= capacity.saturating_sub(reserve) {
        return Ok(None);
    }
    let id = if fixed.free != 0 {
        let id = fixed.free;
        fixed.free = u32::from(get(cells, id)?.next);
        id
    } else {
        if fixed.used >= capacity {
            return Err(Error::Corrupt);
        }
        fixed.used = fixed.used.wrapping_add(1);
        fixed.used
    };
    let cell = get_mut(cells, id)?;
    if cell.state != state::FREE {
        return Err(Error::Corrupt);
    }
    // Generation 0 is never given out, so that a zeroed membership matches nothing.
    let generation = cell.generation.wrapping_add(1).max(1);
    *cell = Cell { generation, ..Cell::default() };
    fixed.taken = fixed.taken.wrapping_add(1);
    Ok(Some(id))
}

/// Gives a cell back. It must be out of the grid.
pub(crate) fn give_back(fixed: &mut Fixed, cells: &mut [Cell], id: u32) -> Result<(), Error> {
    let next = u16::try_from(fixed.free).map_err(|_| Error::Corrupt)?;
    let cell = get_mut(cells, id)?;
    *cell = Cell { generation: cell.generation, next, ..Cell::default() };
    fixed.free = id;
    fixed.taken = fixed.taken.checked_sub(1).ok_or(Error::Corrupt)?;
    Ok(())
}
