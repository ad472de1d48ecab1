//! A crit-bit tree over 64-bit keys whose inner nodes live inside the blocks of its leaves.
//!
//! A leaf is a level: all blocks of one key in a ring, in the order of their arrival, of which the first (the head) is in
//! the tree. An inner node stands for the highest bit in which the keys below it differ, bits fall on the way down, and
//! every block has room for one inner node beside its leaf. A tree of n leaves needs n − 1 of them, so a leaf brings its
//! own: a block is one allocation, and removal is a handful of writes without rebalancing or search. (The idea is Willy
//! Tarreau's elastic binary tree.) The depth is bounded by the bits in which keys can differ: 40 for prices, whoever
//! places the orders.
//!
//! Three rules hold it together: a block's leaf is always below the same block's inner node; the node that a removed
//! leaf's parent leaves unused takes over the removed block's own node; a level whose head goes hands its place to the
//! next in the ring.
//!
//! The functions know roots and blocks only, nothing of bids or asks: the smallest key is the best.

use bytemuck::{Pod, Zeroable};

use crate::BookError;
use crate::slab::{Block, index};

/// Marks a link that leads to a leaf instead of an inner node.
pub(crate) const LEAF: u32 = 1 << 31;

/// One tree.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Root {
    /// Link to the topmost node, or to the only leaf; 0 if the tree is empty.
    pub top: u32,
    /// Head of the level with the smallest key; 0 if the tree is empty.
    pub first: u32,
    /// Blocks in the tree, all levels together.
    pub count: u32,
    /// Levels.
    pub levels: u32,
}

/// What the tree keeps in each block.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Node {
    /// What the block holds: see [`crate::slab`].
    pub kind: u8,
    /// Of the inner node: the bit that it decides.
    pub bit: u8,
    /// 1 if the block is the head of its level.
    pub head: u8,
    /// Free for the block's owner.
    pub flags: u8,
    /// The seat that the block belongs to; not used by the tree.
    pub seat: u32,
    /// Sorts, ascending.
    pub key: u64,
    /// Of the leaf, if head: the inner node above, 0 at the top.
    pub leaf_parent: u32,
    /// Of the inner node: the inner node above, 0 at the top.
    pub node_parent: u32,
    /// Of the inner node: links by the value of the bit. Both 0 if this block's inner node is not in the tree.
    pub child: [u32; 2],
    /// The next in the ring; the head after the last.
    pub next: u32,
    /// The previous in the ring; the last before the head.
    pub prev: u32,
}

const _: () = assert!(size_of::<Root>() == 16 && size_of::<Node>() == 40);

impl Node {
    /// Whether this block is first of its level.
    #[inline(always)]
    pub fn is_head(&self) -> bool {
        self.head != 0
    }

    #[inline(always)]
    fn side_of(&self, key: u64) -> usize {
        bit_of(key, self.bit)
    }
}

#[inline(always)]
pub(crate) fn bit_of(key: u64, bit: u8) -> usize {
    if key.wrapping_shr(u32::from(bit)) & 1 == 0 { 0 } else { 1 }
}

/// The node part of block `id`.
#[inline(always)]
pub(crate) fn node(blocks: &[Block], id: u32) -> Result<&Node, BookError> {
    match blocks.get(index(id)) {
        Some(block) => Ok(&block.node),
        None => Err(BookError::Corrupt),
    }
}

/// As [`node`], to write.
#[inline(always)]
pub(crate) fn node_mut(blocks: &mut [Block], id: u32) -> Result<&mut Node, BookError> {
    match blocks.get_mut(index(id)) {
        Some(block) => Ok(&mut block.node),
        None => Err(BookError::Corrupt),
    }
}

/// Follows the bits of `key` from the link `at` to a leaf.
#[inline]
pub(crate) fn descend(blocks: &[Block], mut at: u32, key: u64) -> Result<u32, BookError> {
    let mut above = 64;
    while at & LEAF == 0 {
        let node = node(blocks, at)?;
        if node.bit >= above {
            return Err(BookError::Corrupt);
        }
        above = node.bit;
        at = node.child[node.side_of(key)];
    }
    Ok(at ^ LEAF)
}

/// The outermost leaf below the link `at`: smallest for `side` 0, largest for 1.
#[inline]
pub(crate) fn outermost(blocks: &[Block], at: u32, side: usize) -> Result<u32, BookError> {
    descend(blocks, at, if side == 0 { 0 } else { u64::MAX })
}

/// The link and parent of the largest subtree that holds leaf `id` and whose bits are all below `bit`.
#[inline]
pub(crate) fn climb(blocks: &[Block], id: u32, bit: u8) -> Result<(u32, u32), BookError> {
    let mut below = id | LEAF;
    let mut parent = node(blocks, id)?.leaf_parent;
    let mut last = None;
    while parent != 0 {
        let node = node(blocks, parent)?;
        if node.bit > bit {
            break;
        }
        if last.is_some_and(|last| last >= node.bit) || node.bit == bit {
            return Err(BookError::Corrupt);
        }
        last = Some(node.bit);
        below = parent;
        parent = node.node_parent;
    }
    Ok((below, parent))
}

/// Adds block `id`, whose key is set: as the last of its level, or as a new level.
pub(crate) fn insert(blocks: &mut [Block], root: &mut Root, id: u32) -> Result<(), BookError> {
    let key = node(blocks, id)?.key;
    root.count = root.count.checked_add(1).ok_or(BookError::Corrupt)?;
    if root.top == 0 {
        root.top = id | LEAF;
        root.first = id;
        root.levels = 1;
        let own = node_mut(blocks, id)?;
        (own.head, own.leaf_parent, own.child) = (1, 0, [0, 0]);
        (own.next, own.prev) = (id, id);
        return Ok(());
    }
    let near = descend(blocks, root.top, key)?;
    let difference = node(blocks, near)?.key ^ key;
    if difference == 0 {
        return append(blocks, near, id);
    }
    let bit = highest_bit(difference);
    let (below, parent) = climb(blocks, near, bit)?;
    let side = bit_of(key, bit);
    let own = node_mut(blocks, id)?;
    (own.head, own.bit) = (1, bit);
    (own.leaf_parent, own.node_parent) = (id, parent);
    own.child[side] = id | LEAF;
    own.child[1 - side] = below;
    (own.next, own.prev) = (id, id);
    set_parent(blocks, below, id)?;
    if parent == 0 {
        root.top = id;
    } else {
        let above = node_mut(blocks, parent)?;
        above.child[above.side_of(key)] = id;
    }
    root.levels = root.levels.checked_add(1).ok_or(BookError::Corrupt)?;
    if key < node(blocks, root.first)?.key {
        root.first = id;
    }
    Ok(())
}

/// Adds block `id` at the end of the ring of `head`.
fn append(blocks: &mut [Block], head: u32, id: u32) -> Result<(), BookError> {
    let last = node(blocks, head)?.prev;
    node_mut(blocks, head)?.prev = id;
    node_mut(blocks, last)?.next = id;
    let own = node_mut(blocks, id)?;
    (own.head, own.leaf_parent, own.child) = (0, 0, [0, 0]);
    (own.next, own.prev) = (head, last);
    Ok(())
}

/// Takes block `id` out. Its key and payload stay as they are.
pub(crate) fn remove(blocks: &mut [Block], root: &mut Root, id: u32) -> Result<(), BookError> {
    let own = *node(blocks, id)?;
    root.count = root.count.checked_sub(1).ok_or(BookError::Corrupt)?;
    if own.next == id {
        return remove_level(blocks, root, id);
    }
    node_mut(blocks, own.prev)?.next = own.next;
    node_mut(blocks, own.next)?.prev = own.prev;
    if own.is_head() { hand_over(blocks, root, id, own.next) } else { Ok(()) }
}

/// Gives the place of level head `from` in the tree to `to`, the next of its ring.
fn hand_over(blocks: &mut [Block], root: &mut Root, from: u32, to: u32) -> Result<(), BookError> {
    move_inner(blocks, root, from, to)?;
    let parent = node(blocks, from)?.leaf_parent;
    replace_link(blocks, root, parent, from | LEAF, to | LEAF)?;
    let heir = node_mut(blocks, to)?;
    (heir.head, heir.leaf_parent) = (1, parent);
    if root.first == from {
        root.first = to;
    }
    Ok(())
}

/// Takes the level of which `id` is the only block out of the tree.
fn remove_level(blocks: &mut [Block], root: &mut Root, id: u32) -> Result<(), BookError> {
    root.levels = root.levels.checked_sub(1).ok_or(BookError::Corrupt)?;
    let parent = node(blocks, id)?.leaf_parent;
    if parent == 0 {
        if root.top != id | LEAF {
            return Err(BookError::Corrupt);
        }
        (root.top, root.first) = (0, 0);
        return Ok(());
    }
    let above = *node(blocks, parent)?;
    let side = if above.child[0] == id | LEAF { 0 } else { 1 };
    if above.child[side] != id | LEAF {
        return Err(BookError::Corrupt);
    }
    let sibling = above.child[1 - side];
    if root.first == id {
        root.first = outermost(blocks, sibling, 0)?;
    }
    replace_link(blocks, root, above.node_parent, parent, sibling)?;
    set_parent(blocks, sibling, above.node_parent)?;
    node_mut(blocks, parent)?.child = [0, 0];
    if parent == id { Ok(()) } else { move_inner(blocks, root, id, parent) }
}

/// Moves the inner node of block `from`, if it is in the tree, to block `to`, whose own is not.
fn move_inner(blocks: &mut [Block], root: &mut Root, from: u32, to: u32) -> Result<(), BookError> {
    let old = *node(blocks, from)?;
    let new = node_mut(blocks, to)?;
    (new.bit, new.child, new.node_parent) = (old.bit, old.child, old.node_parent);
    if old.child[0] == 0 {
        return Ok(());
    }
    set_parent(blocks, old.child[0], to)?;
    set_parent(blocks, old.child[1], to)?;
    replace_link(blocks, root, old.node_parent, from, to)
}

fn set_parent(blocks: &mut [Block], link: u32, parent: u32) -> Result<(), BookError> {
    if link & LEAF == 0 {
        node_mut(blocks, link)?.node_parent = parent;
    } else {
        node_mut(blocks, link ^ LEAF)?.leaf_parent = parent;
    }
    Ok(())
}

fn replace_link(blocks: &mut [Block], root: &mut Root, parent: u32, old: u32, new: u32) -> Result<(), BookError> {
    let link = if parent == 0 {
        &mut root.top
    } else {
        let node = node_mut(blocks, parent)?;
        if node.child[0] == old { &mut node.child[0] } else { &mut node.child[1] }
    };
    if *link != old {
        return Err(BookError::Corrupt);
    }
    *link = new;
    Ok(())
}

#[inline]
pub(crate) fn highest_bit(x: u64) -> u8 {
    // `x` is not zero and a bit number below 64 fits.
    (63 - (x | 1).leading_zeros()) as u8
}
