//! The model's books: members by cell, and exact flows of cash.

use super::{Member, exact, funding_unit};
use ballast_rank::Holding;
use ballast_units::{Price, Side};
use num_bigint::BigInt;
use num_rational::BigRational;
use std::collections::BTreeMap;

/// A cell as the model sees it.
#[derive(Clone, Debug, Default)]
pub struct ModelCell {
    /// Lots that the index must show.
    pub total: u64,
    /// Members, by number.
    pub members: Vec<usize>,
    /// Taken whole: out of the grid.
    pub taken: bool,
}

/// All members and cells of both sides.
#[derive(Default)]
pub struct Ledger {
    pub members: Vec<Option<Member>>,
    pub cells: BTreeMap<u32, (Side, ModelCell)>,
    /// Lots of both sides' dust.
    pub dust: [u64; 2],
    /// Cash that came in by deleveraging and funding, per side, in 2^-24 atoms.
    pub received: [i128; 2],
    /// Cash that went out to members and to the dust owner, per side, in atoms.
    pub paid: [i128; 2],
}

impl Ledger {
    /// Adds a member to the cell that the index gave it.
    pub fn join(&mut self, member: Member) -> usize {
        let number = self.members.len();
        let (side, cell) =
            self.cells.entry(member.membership.cell).or_insert_with(|| (member.side, ModelCell::default()));
        assert_eq!(*side, member.side, "a cell has one side");
        assert!(!cell.taken, "nobody joins a cell that was taken whole");
        cell.total += member.membership.lots;
        cell.members.push(number);
        self.members.push(Some(member));
        number
    }

    /// Removes a member with what the index paid it; returns whether its cell is gone.
    pub fn leave(&mut self, number: usize, holding: &Holding) -> bool {
        let member = self.members[number].take().expect("a member");
        let side = member.side;
        self.paid[side.index()] += i128::from(holding.proceeds.0) + i128::from(holding.funding.0);
        let id = member.membership.cell;
        let (_, cell) = self.cells.get_mut(&id).expect("its cell");
        cell.members.retain(|other| *other != number);
        cell.total -= holding.lots.0;
        if cell.members.is_empty() {
            self.dust[side.index()] += cell.total;
            self.cells.remove(&id);
            self.cancel_dust();
            return true;
        }
        false
    }

    /// Both sides' dust annihilates.
    pub fn cancel_dust(&mut self) {
        let both = self.dust[0].min(self.dust[1]);
        self.dust = self.dust.map(|lots| lots - both);
    }

    /// Takes lots from a cell: every member loses the same fraction.
    pub fn reduce(&mut self, id: u32, lots: u64, price: Price) {
        let (side, cell) = self.cells.get_mut(&id).expect("a cell");
        assert!(!cell.taken && lots <= cell.total);
        let sign = side.sign();
        self.received[side.index()] += i128::from(sign) * ((i128::from(lots) * i128::from(price.0)) << 24);
        let fraction = BigRational::new(lots.into(), cell.total.into());
        for number in &cell.members {
            let member = self.members[*number].as_mut().expect("a member");
            let taken = &member.lots * &fraction;
            member.lots -= &taken;
            member.proceeds += taken * exact(i128::from(sign) * i128::from(price.0));
            member.reductions += 1;
            member.highest_price = member.highest_price.max(price.0);
        }
        cell.total -= lots;
        cell.taken = cell.total == 0;
    }

    /// Takes lots from the dust.
    pub fn reduce_dust(&mut self, side: Side, lots: u64, price: Price) {
        self.dust[side.index()] -= lots;
        self.received[side.index()] += i128::from(side.sign()) * ((i128::from(lots) * i128::from(price.0)) << 24);
    }

    /// Moves the funding index: longs pay a rise, shorts receive it.
    pub fn fund(&mut self, rise: i64) {
        for side in Side::BOTH {
            self.received[side.index()] -=
                i128::from(side.sign()) * i128::from(self.open_interest(side)) * i128::from(rise);
        }
        for member in self.members.iter_mut().flatten() {
            let flow = &member.lots * exact(-i128::from(member.side.sign()) * i128::from(rise)) * funding_unit();
            member.funding += flow;
            member.funding_path += BigInt::from(rise.unsigned_abs());
        }
    }

    /// Lots of all cells and of the dust.
    pub fn open_interest(&self, side: Side) -> u64 {
        let cells = self.cells.values().filter(|(of, _)| *of == side).map(|(_, cell)| cell.total);
        cells.sum::<u64>() + self.dust[side.index()]
    }

    /// Numbers of all members.
    pub fn alive(&self) -> Vec<usize> {
        (0..self.members.len()).filter(|number| self.members[*number].is_some()).collect()
    }
}
