//! Where on the chain something is: slot, place among the program's transactions of that slot, event, part.
//!
//! Positions come from the chain alone, not from when somebody looked: two indexers, or one that starts again from
//! nothing, give everything the same ids.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Bits of a transaction's place in its slot.
const RANK_BITS: u32 = 16;
/// Most transactions of the program in one slot that can be told apart; a block has room for far fewer.
pub const MAX_RANK: usize = (1 << RANK_BITS) - 1;

/// A transaction's place: its slot, and which of the slot's transactions of the program it is. One integer in the
/// database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tx(pub i64);

impl Tx {
    /// The place `rank` in `slot`. Slots beyond 2^46 (half a million years) are the largest that fits.
    pub fn new(slot: u64, rank: usize) -> Tx {
        let slot = i64::try_from(slot).unwrap_or(i64::MAX).min((1 << 46) - 1);
        let rank = i64::try_from(rank.min(MAX_RANK)).unwrap_or_default();
        Tx((slot << RANK_BITS) | rank)
    }

    /// The first place in `slot`.
    pub fn first_of(slot: u64) -> Tx {
        Tx::new(slot, 0)
    }

    /// Its slot.
    pub fn slot(self) -> u64 {
        u64::try_from(self.0 >> RANK_BITS).unwrap_or_default()
    }

    fn rank(self) -> i64 {
        self.0 & ((1 << RANK_BITS) - 1)
    }
}

/// Where one line of a list comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The transaction.
    pub tx: Tx,
    /// The event in its logs, from 0.
    pub event: i64,
    /// The line among those that the event gave, from 0.
    pub part: i64,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.tx.slot(), self.tx.rank(), self.event)?;
        if self.part > 0 {
            write!(f, "-{}", self.part)?;
        }
        Ok(())
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Id, String> {
        let malformed = || format!("{text:?} is no id: expected slot-transaction-event or slot-transaction-event-part");
        let numbers: Result<Vec<u64>, _> = text.split('-').map(str::parse).collect();
        let numbers = numbers.map_err(|_| malformed())?;
        let (slot, rank, event, part) = match numbers[..] {
            [slot, rank, event] => (slot, rank, event, 0),
            [slot, rank, event, part] => (slot, rank, event, part),
            _ => return Err(malformed()),
        };
        let rank = usize::try_from(rank).ok().filter(|rank| *rank <= MAX_RANK).ok_or_else(malformed)?;
        let small = |value: u64| i64::from(u32::try_from(value).unwrap_or(u32::MAX));
        Ok(Id { tx: Tx::new(slot, rank), event: small(event), part: small(part) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_ordered_like_the_chain() {
        let ids = ["7-0-0", "7-0-1", "7-0-1-2", "7-2-0", "8-0-0", "371024511-65535-4-1"];
        let read: Vec<Id> = ids.iter().map(|id| id.parse().unwrap()).collect();
        assert!(read.is_sorted());
        assert_eq!(read.iter().map(Id::to_string).collect::<Vec<_>>(), ids);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "7", "7-0", "7-0-0-0-0", "7-0-x", "-1-0-0", "7-65536-0"] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }
}
