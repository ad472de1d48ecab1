//! Damage to a slab's bytes.

use ballast_book::{BLOCK, HEADER};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
pub enum Damage {
    /// A byte anywhere.
    Byte(usize, u8),
    /// A link: any aligned 32 bits become a small number, perhaps marked as a leaf.
    Link(usize, u32, bool),
    /// A block becomes a copy of another.
    Copy(usize, usize),
}

/// Damage within the header and the first `blocks` blocks, behind the word that says what the slab is.
pub fn damage(blocks: usize) -> impl Strategy<Value = Damage> {
    let used = HEADER + blocks * BLOCK;
    let ids = u32::try_from(blocks).unwrap() + 6;
    prop_oneof![
        (8..used, any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (2..used / 4, 0..ids, any::<bool>()).prop_map(|(at, id, leaf)| Damage::Link(at * 4, id, leaf)),
        (0..blocks + 2, 0..blocks + 2).prop_map(|(from, to)| Damage::Copy(from, to)),
    ]
}

pub fn inflict(bytes: &mut [u8], damage: Damage) {
    match damage {
        Damage::Byte(at, byte) => bytes[at] = byte,
        Damage::Link(at, id, leaf) => {
            bytes[at..at + 4].copy_from_slice(&(id | if leaf { 1 << 31 } else { 0 }).to_le_bytes());
        }
        Damage::Copy(from, to) => bytes.copy_within(BLOCK * from + 8..BLOCK * (from + 1), BLOCK * to + 8),
    }
}
