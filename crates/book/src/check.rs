//! The structural check: everything that must hold of a slab's bytes between operations. For audits, tests and fuzzers
//! off chain; it looks at every block and takes time in proportion to blocks × depth.

use core::fmt;

use ballast_units::{MAX_LOTS, MAX_PRICE};

use crate::order::{MAX_ARRIVALS, Order, key_of, order};
use crate::seat::Seat;
use crate::slab::{FREE, Free, ORDER, ROOTS, SEAT, TRIGGER, index};
use crate::tree::{LEAF, Node, Root, descend, highest_bit, node};
use crate::trigger_check::is_trigger_tree;
use crate::{BookView, MAX_BLOCKS, walk};

/// What a check found broken first, and the block or side where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The high-water mark or the number of arrivals is beyond its limit, or block 0 is not zeros.
    Header,
    /// A block below the high-water mark holds none of the known kinds.
    Kind(u32),
    /// The free list leads to a block that is not free, or does not hold all that are.
    FreeList(u32),
    /// A tree's links, bits or order of keys are wrong at this block.
    Tree(u32),
    /// A level's ring is wrong at this block.
    Ring(u32),
    /// An order's price, lots, side, sequence or expiry is impossible, or it arrived before the one in front of it.
    Order(u32),
    /// A root's count of orders or levels, or its first, is wrong.
    Count(u8),
    /// A seat's list of orders is wrong.
    SeatList(u32),
    /// A seat's sums or count differ from its orders.
    SeatSums(u32),
    /// A trigger's price, terms, sequence or partner is impossible.
    Trigger(u32),
    /// A seat's list of triggers is wrong.
    SeatTriggers(u32),
    /// The numbers of seats or of listed orders, or the totals of pending base and funding, differ from the header's.
    Totals,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Header => f.write_str("the header contradicts the slab"),
            Broken::Kind(block) => write!(f, "block {block} is of no known kind"),
            Broken::FreeList(block) => write!(f, "the free list is broken at block {block}"),
            Broken::Tree(block) => write!(f, "the tree is broken at block {block}"),
            Broken::Ring(block) => write!(f, "the ring of a price is broken at block {block}"),
            Broken::Order(block) => write!(f, "the order in block {block} is impossible"),
            Broken::Count(root) => write!(f, "the counts of tree {root} are wrong"),
            Broken::SeatList(seat) => write!(f, "the list of orders of seat {seat} is broken"),
            Broken::SeatSums(seat) => write!(f, "the sums of seat {seat} differ from its orders"),
            Broken::Trigger(block) => write!(f, "the trigger in block {block} is impossible"),
            Broken::SeatTriggers(seat) => write!(f, "the list of triggers of seat {seat} is broken"),
            Broken::Totals => f.write_str("the header's totals differ from the seats'"),
        }
    }
}

impl core::error::Error for Broken {}

impl BookView<'_> {
    /// Checks every invariant of the crate's documentation that can be seen in the bytes.
    ///
    /// That each block is accounted for exactly once follows by counting: a tree's leaf, a member of a ring and an entry
    /// of a seat's list each point back to where they were reached from, so none is reached twice; and as many are
    /// reached as there are blocks of that kind.
    ///
    /// # Errors
    /// The first thing found broken.
    pub fn check(&self) -> Result<(), Broken> {
        let kinds = self.check_blocks()?;
        self.check_free_list(kinds[usize::from(FREE)])?;
        let (mut orders, mut triggers) = (0, 0);
        for (number, root) in (0u8..).zip(&self.header.roots) {
            let count = self.check_tree(number, root)?;
            if is_trigger_tree(number) { triggers += count } else { orders += count }
        }
        let right = orders == kinds[usize::from(ORDER)] && triggers == kinds[usize::from(TRIGGER)];
        if !right || ROOTS > usize::from(u8::MAX) {
            return Err(Broken::Totals);
        }
        self.check_seats(orders, triggers, kinds[usize::from(SEAT)])
    }

    /// Counts the blocks of each kind.
    fn check_blocks(&self) -> Result<[u32; 4], Broken> {
        let used = self.header.used;
        let zeros = bytemuck::bytes_of(&self.blocks[0]).iter().all(|byte| *byte == 0);
        let beyond = used > MAX_BLOCKS || index(used) >= self.blocks.len() || self.header.arrivals > MAX_ARRIVALS;
        if !zeros || beyond {
            return Err(Broken::Header);
        }
        let mut kinds = [0; 4];
        for (id, block) in (1..=used).zip(&self.blocks[1..]) {
            *kinds.get_mut(usize::from(block.node.kind)).ok_or(Broken::Kind(id))? += 1;
        }
        Ok(kinds)
    }

    fn check_free_list(&self, free: u32) -> Result<(), Broken> {
        let mut at = self.header.free;
        for _ in 0..free {
            let block = self.blocks.get(index(at)).ok_or(Broken::FreeList(at))?;
            let block: &Free = bytemuck::cast_ref(block);
            if at == 0 || at > self.header.used || block.kind != FREE {
                return Err(Broken::FreeList(at));
            }
            at = block.next;
        }
        // A list that ends after as many steps as there are free blocks has met each of them once.
        if at == 0 && self.header.free_count == free { Ok(()) } else { Err(Broken::FreeList(at)) }
    }

    /// Follows a tree level by level; gives the number of its blocks.
    fn check_tree(&self, number: u8, root: &Root) -> Result<u32, Broken> {
        let used = self.header.used;
        let (mut levels, mut orders) = (0, 0);
        let mut at = if root.top == 0 { 0 } else { descend(self.blocks, root.top, 0).map_err(|_| Broken::Tree(0))? };
        if at != root.first {
            return Err(Broken::Count(number));
        }
        let mut previous: Option<u64> = None;
        while at != 0 {
            let head = node(self.blocks, at).map_err(|_| Broken::Tree(at))?;
            if levels >= used || !head.is_head() || descend(self.blocks, root.top, head.key) != Ok(at) {
                return Err(Broken::Tree(at));
            }
            self.check_inner(root, at, head)?;
            if let Some(previous) = previous {
                // The bit in which neighbours differ is that of the node where the walk from one to the other turns.
                let turn = self.turn_before(root, head.key).ok_or(Broken::Tree(at))?;
                if head.key <= previous || highest_bit(head.key ^ previous) != turn {
                    return Err(Broken::Tree(at));
                }
            }
            previous = Some(head.key);
            levels += 1;
            orders += self.check_ring(number, at)?;
            at = walk::next_level(self.blocks, at).map_err(|_| Broken::Tree(at))?;
        }
        if levels != root.levels || orders != root.count {
            return Err(Broken::Count(number));
        }
        Ok(orders)
    }

    /// The links between a head's leaf and inner node and those above them.
    fn check_inner(&self, root: &Root, at: u32, head: &Node) -> Result<(), Broken> {
        let linked = |parent: u32, link: u32| match parent {
            0 => root.top == link,
            _ => node(self.blocks, parent).is_ok_and(|above| above.child.contains(&link)),
        };
        let alone = head.leaf_parent == 0;
        if !linked(head.leaf_parent, at | LEAF) || (alone && head.child != [0, 0]) {
            return Err(Broken::Tree(at));
        }
        if head.child == [0, 0] {
            return Ok(());
        }
        // Its own leaf is below it: the way up from there passes it.
        let mut up = head.leaf_parent;
        for _ in 0..64 {
            if up == at {
                break;
            }
            up = node(self.blocks, up).map_err(|_| Broken::Tree(at))?.node_parent;
        }
        if up == at && linked(head.node_parent, at) { Ok(()) } else { Err(Broken::Tree(at)) }
    }

    /// The bit of the lowest node on the way to `key` at which the way goes to the greater side.
    fn turn_before(&self, root: &Root, key: u64) -> Option<u8> {
        let (mut at, mut turn) = (root.top, None);
        for _ in 0..64 {
            if at & LEAF != 0 {
                break;
            }
            let node = node(self.blocks, at).ok()?;
            let side = crate::tree::bit_of(key, node.bit);
            if side == 1 {
                turn = Some(node.bit);
            }
            at = node.child[side];
        }
        turn
    }

    /// Follows one level's ring; gives the number of its blocks.
    fn check_ring(&self, number: u8, head: u32) -> Result<u32, Broken> {
        let first = node(self.blocks, head).map_err(|_| Broken::Ring(head))?;
        let (mut at, mut members, mut last_sequence) = (head, 0u32, None);
        loop {
            let own = node(self.blocks, at).map_err(|_| Broken::Ring(at))?;
            let next = node(self.blocks, own.next).map_err(|_| Broken::Ring(at))?;
            let unlinked = own.is_head() || (own.child == [0, 0] && own.leaf_parent == 0);
            if own.key != first.key || next.prev != at || own.is_head() != (at == head) || !unlinked {
                return Err(Broken::Ring(at));
            }
            if is_trigger_tree(number) {
                // Their prices move, so they do not stand in the order of their arrival.
                self.check_trigger(number, at)?;
            } else {
                let order = order(self.blocks, at).map_err(|_| Broken::Ring(at))?;
                self.check_order(number, at, order)?;
                if last_sequence.is_some_and(|last| last >= order.sequence) {
                    return Err(Broken::Order(at));
                }
                last_sequence = Some(order.sequence);
            }
            members += 1;
            at = own.next;
            if at == head {
                return Ok(members);
            }
            if members >= self.header.used {
                return Err(Broken::Ring(at));
            }
        }
    }

    fn check_order(&self, root: u8, at: u32, order: &Order) -> Result<(), Broken> {
        let price = order.limit;
        let value = u128::from(price) * u128::from(order.lots);
        let sorted_by = key_of(order.side(), order.node.key);
        let sorted = match order.peg() {
            None => sorted_by == price,
            Some(offset) => offset.unsigned_abs() <= MAX_PRICE,
        };
        let sane = order.side <= 1
            && order.pegged <= 1
            && order.tree() == usize::from(root)
            && sorted
            && (1..=MAX_PRICE).contains(&price)
            && (1..=MAX_LOTS).contains(&order.lots)
            && i64::try_from(value).is_ok()
            && order.expires_at >= 0
            && order.id().block() == at
            && order.sequence >> 20 < self.header.arrivals;
        if sane { Ok(()) } else { Err(Broken::Order(at)) }
    }

    fn check_seats(&self, orders: u32, triggers: u32, seats: u32) -> Result<(), Broken> {
        let (mut listed, mut pending, mut count) = (0u32, [0i128; 2], 0u32);
        let (mut waiting, mut bought) = (0u32, 0u64);
        for (id, seat) in self.seats() {
            self.check_seat(id, seat)?;
            waiting = waiting.saturating_add(self.check_seat_triggers(id, seat)?);
            listed = listed.checked_add(seat.orders.into()).ok_or(Broken::Totals)?;
            pending[0] += i128::from(seat.pending_base);
            bought = bought.saturating_add(u64::try_from(seat.pending_base).unwrap_or(0));
            pending[1] = pending[1].wrapping_add(seat.pending_funding.get());
            count += 1;
        }
        let right = count == seats
            && seats == self.header.seats
            && listed == orders
            && waiting == triggers
            && self.header.pending_bought <= bought
            && pending == [i128::from(self.header.pending_base), self.header.pending_funding.get()];
        if right { Ok(()) } else { Err(Broken::Totals) }
    }

    fn check_seat(&self, id: u32, seat: &Seat) -> Result<(), Broken> {
        let mut sums = [[0u128; 2]; 2];
        let mut reduce_only = 0u16;
        let (mut at, mut newer) = (seat.newest, 0);
        for _ in 0..seat.orders {
            let order = order(self.blocks, at).map_err(|_| Broken::SeatList(id))?;
            if order.node.seat != id || order.newer != newer {
                return Err(Broken::SeatList(id));
            }
            let sum = &mut sums[order.side().index()];
            sum[0] += u128::from(order.lots);
            sum[1] += u128::from(order.lots) * u128::from(order.limit);
            reduce_only = reduce_only.saturating_add(order.is_reduce_only().into());
            newer = at;
            at = order.older;
        }
        if at != 0 || reduce_only != seat.reduce_only {
            return Err(Broken::SeatList(id));
        }
        let kept = [[seat.bid_lots, seat.bid_quote], [seat.ask_lots, seat.ask_quote]];
        if kept.map(|side| side.map(u128::from)) == sums { Ok(()) } else { Err(Broken::SeatSums(id)) }
    }
}
