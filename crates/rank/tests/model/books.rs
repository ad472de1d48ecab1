//! What must hold between any two steps: the numbered invariants of the crate's documentation.

use super::{World, exact};
use ballast_units::Side;
use num_rational::BigRational;

impl World {
    /// Invariants 1 to 4, 6 and 11 of the crate.
    pub fn invariants_hold(&mut self) {
        let (funding, mark) = (self.funding, self.mark);
        let index = ballast_rank::Index::load(self.slab.bytes()).expect("an initialised slab");
        let view = index.view();
        // Bitmaps, table, cells, counters and the free list agree.
        view.check().expect("a consistent slab");
        for side in Side::BOTH {
            // The index counts what the model counts.
            assert_eq!(view.open_interest(side).0, self.ledger.open_interest(side));
            let dust = view.dust(side, funding);
            assert_eq!(dust.lots.0, self.ledger.dust[side.index()]);
            let mut cash = dust.cash;
            let mut cells = 0;
            for cell in view.cells(side, funding) {
                cells += 1;
                cash += cell.cash;
                let (_, model) = &self.ledger.cells[&cell.id];
                assert_eq!((cell.total.0, cell.members as usize), (model.total, model.members.len()));
                assert_eq!(cell.retired, model.taken);
                let (mut lots, mut claims, mut slack) = (exact(0), 0i128, exact(0));
                let mut rest = BigRational::new(cell.cash.into(), (1 << 24).into());
                for number in &model.members {
                    let member = self.ledger.members[*number].as_ref().expect("a member");
                    let joined = &member.membership;
                    lots += BigRational::new((u128::from(joined.lots) * u128::from(cell.a)).into(), joined.a.into());
                    let holding = view.peek(side, joined, funding, mark).expect("a member");
                    claims += i128::from(holding.deleveraged().0) + i128::from(holding.funding.0);
                    rest -= &member.proceeds + &member.funding;
                    slack += member.funding_bound();
                    if side == Side::Short {
                        slack += member.proceeds_bound();
                    }
                }
                // The members' lots never exceed the total.
                assert!(lots <= exact(model.total));
                // The cash covers the members' claims and what departed members' fractions earned.
                let left = BigRational::new(cell.cash.into(), (1 << 24).into()) - exact(claims);
                assert!(left >= rest - slack);
            }
            assert_eq!(cells, self.ledger.cells.values().filter(|(of, _)| *of == side).count());
            // Every atom that came in is in a cell, in the dust, or was paid out.
            let paid = self.ledger.paid[side.index()] << 24;
            assert_eq!(cash + paid, self.ledger.received[side.index()], "cash is conserved exactly");
        }
        assert!(self.ledger.dust[0] == 0 || self.ledger.dust[1] == 0, "dust annihilates");
    }
}
