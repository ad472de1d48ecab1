//! A naive model of the index: every member stored, every amount an exact rational, every order found by sorting.
//!
//! [`World`] drives the index and the model side by side and compares them after every step.
#![allow(dead_code)] // Each test file uses a part.

mod books;
mod ledger;
pub mod life;
mod ranking;
mod world;

pub use ledger::Ledger;
pub use world::World;

use ballast_rank::{Holding, Membership};
use ballast_units::{Price, Side};
use num_bigint::BigInt;
use num_rational::BigRational;

/// A rational from an integer.
pub fn exact(value: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(value.into())
}

/// One funding unit, 2^-24 atoms.
pub fn funding_unit() -> BigRational {
    BigRational::new(1.into(), (1i64 << 24).into())
}

/// A slab of zeros aligned to eight bytes.
pub struct Slab(Vec<u64>);

impl Slab {
    pub fn new(cells: u32) -> Self {
        Self(vec![0; ballast_rank::space(cells).div_ceil(8)])
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// One member as exact arithmetic sees it.
#[derive(Clone, Debug)]
pub struct Member {
    pub side: Side,
    pub membership: Membership,
    pub entry: u64,
    pub beta: i64,
    /// Lots now.
    pub lots: BigRational,
    /// Cash of deleveraging, in atoms: positive received.
    pub proceeds: BigRational,
    /// Cash of funding, in atoms.
    pub funding: BigRational,
    /// How often its cell was reduced since it joined.
    pub reductions: u64,
    /// Highest price at which that happened.
    pub highest_price: u64,
    /// Sum of all moves of the funding index since it joined.
    pub funding_path: BigInt,
}

impl Member {
    /// Lots that rounding of the scale may have cost: lots ÷ scale at joining, per reduction.
    pub fn lots_bound(&self) -> BigRational {
        BigRational::new(BigInt::from(self.membership.lots) * self.reductions, self.membership.a.into())
    }

    /// Atoms that rounding may have cost in proceeds, before the last rounding to an atom.
    pub fn proceeds_bound(&self) -> BigRational {
        self.lots_bound() * exact(self.highest_price + 1)
    }

    /// Atoms by which funding may be off, before the last rounding to an atom.
    pub fn funding_bound(&self) -> BigRational {
        self.lots_bound() * exact(self.funding_path.clone()) * funding_unit()
    }

    /// What the index gave it is what exact arithmetic gives it, rounded against it, within the stated bounds.
    pub fn compare(&self, holding: &Holding, dust_price: Price) {
        let one = || exact(1);
        let lots = exact(holding.lots.0);
        assert!(lots <= self.lots, "no member has more lots than it should");
        assert!(&self.lots - &lots < one() + self.lots_bound(), "lots are lost beyond the bound");
        assert_eq!(holding.taken.0, self.membership.lots - holding.lots.0);

        let proceeds = exact(holding.deleveraged().0);
        // A short pays for what rounding takes from it at once, which may turn out cheaper than later.
        let early = if self.side == Side::Short { self.proceeds_bound() } else { exact(0) };
        assert!(proceeds <= &self.proceeds + early, "no member receives more, or pays less, than it should");
        assert!(&self.proceeds - &proceeds < one() + self.proceeds_bound(), "proceeds are lost beyond the bound");

        let funding = exact(holding.funding.0);
        assert!(funding <= &self.funding + self.funding_bound(), "funding favours the member");
        assert!(&self.funding - &funding < one() + self.funding_bound(), "funding is lost beyond the bound");

        // The fraction of a lot that the dust owner bought.
        let price = exact(i128::from(self.side.sign()) * i128::from(dust_price.0));
        let value = (&self.lots - &lots) * &price;
        let buyout = exact(holding.buyout.0);
        let slack = self.lots_bound() * exact(dust_price.0);
        assert!(buyout <= &value + &slack, "the fraction is sold too dearly");
        assert!(&value - &buyout < one() + slack, "the fraction is sold too cheaply");
    }
}

/// Which states a run has reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coverage {
    pub shared_cells: u64,
    pub cells_in_grid: u64,
    pub whole_cells: u64,
    pub partial_cells: u64,
    pub second_cells: u64,
    pub merged: u64,
    pub full: u64,
    pub exhausted: u64,
    pub pro_rata: u64,
    pub interrupted: u64,
    pub dust_lots: u64,
    pub dust_taken: u64,
    pub dust_cancelled: u64,
    pub settled_from_taken: u64,
    pub fractions: u64,
    pub recentred: u64,
}

impl Coverage {
    /// Adds another run's.
    pub fn add(&mut self, other: &Coverage) {
        self.shared_cells += other.shared_cells;
        self.cells_in_grid = self.cells_in_grid.max(other.cells_in_grid);
        self.whole_cells += other.whole_cells;
        self.partial_cells += other.partial_cells;
        self.second_cells += other.second_cells;
        self.merged += other.merged;
        self.full += other.full;
        self.exhausted += other.exhausted;
        self.pro_rata += other.pro_rata;
        self.interrupted += other.interrupted;
        self.dust_lots += other.dust_lots;
        self.dust_taken += other.dust_taken;
        self.dust_cancelled += other.dust_cancelled;
        self.settled_from_taken += other.settled_from_taken;
        self.fractions += other.fractions;
        self.recentred += other.recentred;
    }
}
