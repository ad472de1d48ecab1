//! Finding one's way in a tree without changing it: from level to level, and to the first level at or after a key.

use crate::BookError;
use crate::slab::Block;
use crate::tree::{LEAF, Root, bit_of, climb, descend, highest_bit, node, outermost};

/// Head of the level after that of head `id`, 0 if it is the last.
pub(crate) fn next_level(blocks: &[Block], id: u32) -> Result<u32, BookError> {
    let parent = node(blocks, id)?.leaf_parent;
    after(blocks, id | LEAF, parent)
}

/// The block after `id` in order of key, then arrival; 0 if it is the last.
#[inline]
pub(crate) fn next(blocks: &[Block], id: u32) -> Result<u32, BookError> {
    let following = node(blocks, id)?.next;
    if node(blocks, following)?.is_head() { next_level(blocks, following) } else { Ok(following) }
}

/// Head of the first level whose key is at least `key`, 0 if there is none.
pub(crate) fn seek(blocks: &[Block], root: &Root, key: u64) -> Result<u32, BookError> {
    if root.top == 0 {
        return Ok(0);
    }
    let near = descend(blocks, root.top, key)?;
    let difference = node(blocks, near)?.key ^ key;
    if difference == 0 {
        return Ok(near);
    }
    // Everything below `below` agrees with `key` above the bit and differs in it.
    let bit = highest_bit(difference);
    let (below, parent) = climb(blocks, near, bit)?;
    if bit_of(key, bit) == 0 { outermost(blocks, below, 0) } else { after(blocks, below, parent) }
}

/// Head of the last level, 0 if the tree is empty.
pub(crate) fn last_level(blocks: &[Block], root: &Root) -> Result<u32, BookError> {
    if root.top == 0 { Ok(0) } else { outermost(blocks, root.top, 1) }
}

/// The smallest leaf of all that are greater than those below the link, whose parent is given; 0 if there is none.
fn after(blocks: &[Block], mut link: u32, mut parent: u32) -> Result<u32, BookError> {
    let mut last = None;
    while parent != 0 {
        let above = node(blocks, parent)?;
        if last.is_some_and(|last| last >= above.bit) {
            return Err(BookError::Corrupt);
        }
        if above.child[0] == link {
            return outermost(blocks, above.child[1], 0);
        }
        last = Some(above.bit);
        link = parent;
        parent = above.node_parent;
    }
    Ok(0)
}
