//! The index and the model side by side: every step is done to both, and their answers are compared.

use super::{Coverage, Ledger, Member, Slab, exact, ranking};
use ballast_rank::{CellReceipt, Deleveraged, Error, Holding, Index, MAX_FUNDING, SCALE_OPEN, grid};
use ballast_units::{Lots, Price, Quote, Side};
use num_rational::BigRational;

/// The two worlds.
pub struct World {
    pub(super) slab: Slab,
    pub ledger: Ledger,
    pub funding: i64,
    pub mark: Price,
    pub coverage: Coverage,
    /// Per side: a pro-rata pass was interrupted, so the next is not even by itself.
    midway: [bool; 2],
}

impl World {
    pub fn new(cells: u32, mark: u64) -> Self {
        let mut slab = Slab::new(cells);
        Index::init(slab.bytes()).expect("a fresh slab");
        let (ledger, coverage) = (Ledger::default(), Coverage::default());
        Self { slab, ledger, funding: 0, mark: Price(mark), coverage, midway: [false; 2] }
    }

    pub fn index(&mut self) -> Index<'_> {
        Index::load(self.slab.bytes()).expect("an initialised slab")
    }

    /// A position joins, unless every cell waits for its members.
    pub fn join(&mut self, side: Side, entry: u64, beta: i64, lots: u64) -> Option<usize> {
        let (funding, mark) = (self.funding, self.mark);
        let before = self.index().view().merged(side);
        let in_grid = self.index().view().cells(side, funding).filter(|cell| !cell.retired).count();
        let membership = match self.index().join(side, Price(entry), beta, Lots(lots), funding) {
            Ok(membership) => membership,
            Err(Error::Full) => {
                self.coverage.full += 1;
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let merged = self.index().view().merged(side) != before;
        self.stands_where_it_should(side, entry, beta, membership.cell, merged);
        let now = self.index().peek(side, &membership, funding, mark).expect("a member");
        assert_eq!(now, Holding { lots: Lots(lots), ..Holding::default() }, "joining changes nothing");
        let known = self.ledger.cells.contains_key(&membership.cell);
        self.coverage.merged += u64::from(merged);
        self.coverage.shared_cells += u64::from(known);
        self.coverage.cells_in_grid = self.coverage.cells_in_grid.max(in_grid as u64);
        if !known && !merged {
            let view = self.index();
            let twin = |cell: &ballast_rank::CellView| !cell.retired && cell.a < SCALE_OPEN;
            let worn = view.view().cells(side, funding).find(twin);
            let own = view.view().cells(side, funding).find(|cell| cell.id == membership.cell).expect("its cell");
            let beside = worn.is_some_and(|worn| (worn.row, worn.column) == (own.row, own.column));
            self.coverage.second_cells += u64::from(beside);
        }
        Some(self.ledger.join(Member {
            side,
            membership,
            entry,
            beta,
            lots: exact(lots),
            proceeds: exact(0),
            funding: exact(0),
            reductions: 0,
            highest_price: 0,
            funding_path: 0.into(),
        }))
    }

    /// Its cell is that of its own coordinates; merged, it is at least in a row whose corner is no better than its entry.
    fn stands_where_it_should(&mut self, side: Side, entry: u64, beta: i64, cell: u32, merged: bool) {
        let funding = self.funding;
        let index = self.index();
        let own = index.view().cells(side, funding).find(|view| view.id == cell).expect("its cell");
        let bounds = grid::row_bounds(own.row);
        match side {
            Side::Long => assert!(entry <= bounds.high),
            Side::Short => assert!(entry >= bounds.low),
        }
        if !merged {
            let row = index.view().rows(side).find(|row| row.bucket == own.row).expect("its row");
            let distance = grid::distance(side, Price(entry), beta) - side.sign() * row.origin;
            assert_eq!((own.row, own.column), (grid::bucket(Price(entry)), grid::column(distance)));
        }
    }

    /// A member leaves; what it gets is what exact arithmetic gives it, rounded against it within the stated bounds.
    pub fn leave(&mut self, number: usize) -> Holding {
        let (funding, mark) = (self.funding, self.mark);
        let member = self.ledger.members[number].clone().expect("a member");
        let side = member.side;
        let peeked = self.index().peek(side, &member.membership, funding, mark).expect("a member");
        let holding = self.index().leave(side, &member.membership, funding, mark).expect("a member");
        assert_eq!(peeked, holding, "peek is leave");
        member.compare(&holding, mark);
        let dust_before = self.ledger.dust;
        let taken = self.ledger.cells[&member.membership.cell].1.taken;
        if self.ledger.leave(number, &holding) {
            let refused = self.index().leave(side, &member.membership, funding, mark);
            assert_eq!(refused, Err(Error::NotAMember), "nobody leaves a freed cell");
        }
        self.coverage.settled_from_taken += u64::from(taken);
        self.coverage.fractions += u64::from(holding.buyout != Quote::ZERO);
        let dust = self.ledger.dust;
        self.coverage.dust_lots += u64::from(dust[side.index()] > dust_before[side.index()]);
        self.coverage.dust_cancelled += u64::from(dust[side.opposite().index()] < dust_before[side.opposite().index()]);
        holding
    }

    /// The funding index moves, within its range.
    pub fn fund(&mut self, rise: i64) {
        let next = self.funding.checked_add(rise);
        if let Some(funding) = next.filter(|funding| funding.unsigned_abs() <= MAX_FUNDING.unsigned_abs()) {
            self.funding = funding;
            self.ledger.fund(rise);
        }
    }

    /// All rows of a side are recentred.
    pub fn recentre(&mut self, side: Side) {
        let funding = self.funding;
        let buckets: Vec<u16> = self.index().view().rows(side).map(|row| row.bucket).collect();
        for bucket in buckets {
            assert!(self.index().recentre(side, bucket, funding).expect("recentring") > 0);
            assert_eq!(self.index().view().drift(side, bucket, funding), Some(0));
            self.coverage.recentred += 1;
            self.midway[side.index()] = false;
        }
    }

    /// The dust owner's cash is paid out.
    pub fn sweep(&mut self, side: Side) {
        let funding = self.funding;
        let amount = self.index().sweep_dust(side, funding).expect("sweeping");
        self.ledger.paid[side.index()] += i128::from(amount.0);
        let left = self.index().dust(side, funding).cash;
        assert!((0..1 << 24).contains(&left), "less than an atom is left");
    }

    /// Deleverages, and checks every receipt against the order that sorting gives.
    pub fn deleverage(&mut self, side: Side, lots: u64, price: u64, max_cells: u32) -> Deleveraged {
        let (mark, funding, price) = (self.mark, self.funding, Price(price));
        let expected = ranking::ranking(&self.index().view(), side, price, mark, funding);
        let mut receipts: Vec<CellReceipt> = Vec::new();
        let done = self
            .index()
            .deleverage(side, Lots(lots), price, mark, funding, max_cells, |receipt| receipts.push(*receipt))
            .expect("deleveraging");
        assert_eq!(done.cells as usize, receipts.len());

        assert_eq!(done.dust.0, lots.min(self.ledger.dust[side.index()]), "dust goes first");
        self.ledger.reduce_dust(side, done.dust.0, price);
        self.coverage.dust_taken += u64::from(done.dust.0 != 0);
        let mut missing = lots - done.dust.0;

        let ranked = receipts.iter().take_while(|receipt| receipt.score != 0).count();
        for (receipt, place) in receipts[..ranked].iter().zip(&expected) {
            assert_eq!((receipt.score, receipt.row, receipt.column), (place.score, place.row, place.column));
            assert!(place.cells.contains(&receipt.cell));
            let total = self.ledger.cells[&receipt.cell].1.total;
            assert_eq!((receipt.before.0, receipt.lots.0), (total, total.min(missing)), "whole, but for the last");
            self.no_haircut_exceeds_a_profit(receipt.cell, price);
            self.reduce(receipt, price);
            missing -= receipt.lots.0;
        }
        assert!(ranked <= expected.len() && ranked <= max_cells as usize);
        let exhausted = missing != 0 && ranked == expected.len() && max_cells != 0;
        assert_eq!(done.in_profit_exhausted, exhausted);
        self.coverage.exhausted += u64::from(exhausted);
        assert!(exhausted || ranked == receipts.len(), "pro rata only when no cell in profit is left");
        if ranked != 0 {
            self.midway[side.index()] = false;
        }

        let (for_all, counted) = (missing, self.ledger.open_interest(side));
        let even = !self.midway[side.index()] && max_cells == u32::MAX;
        for receipt in &receipts[ranked..] {
            let total = self.ledger.cells[&receipt.cell].1.total;
            assert_eq!(receipt.before.0, total);
            if even && for_all < counted {
                let share = BigRational::new((u128::from(total) * u128::from(for_all)).into(), counted.into());
                let off = share - exact(receipt.lots.0);
                assert!(off < exact(1) && off > exact(-1), "everybody loses the same fraction");
            }
            self.reduce(receipt, price);
            missing -= receipt.lots.0;
            self.coverage.pro_rata += 1;
        }
        assert_eq!((done.lots.0, done.pro_rata.0), (lots - missing, for_all - missing));
        if max_cells == u32::MAX {
            assert!(missing == 0 || self.ledger.open_interest(side) == 0, "unlimited, it takes what there is");
        }
        if exhausted {
            self.midway[side.index()] = missing != 0;
            self.coverage.interrupted += u64::from(missing != 0 && ranked != receipts.len());
        }
        self.ledger.cancel_dust();
        done
    }

    fn reduce(&mut self, receipt: &CellReceipt, price: Price) {
        self.ledger.reduce(receipt.cell, receipt.lots.0, price);
        if self.ledger.cells[&receipt.cell].1.taken {
            self.coverage.whole_cells += 1;
        } else {
            self.coverage.partial_cells += 1;
        }
    }

    /// No member of a cell that is reduced by rank entered worse than the price at which it is reduced.
    fn no_haircut_exceeds_a_profit(&self, cell: u32, price: Price) {
        for number in &self.ledger.cells[&cell].1.members {
            let member = self.ledger.members[*number].as_ref().expect("a member");
            match member.side {
                Side::Long => assert!(member.entry <= price.0 && member.entry < self.mark.0),
                Side::Short => assert!(member.entry >= price.0 && member.entry > self.mark.0),
            }
        }
    }

    /// The best cell is reduced until nobody joins it any more; then a twin of its member joins.
    pub fn wear_out(&mut self, side: Side) {
        let (mark, funding) = (self.mark, self.funding);
        for _ in 0..3 {
            let places = ranking::ranking(&self.index().view(), side, mark, mark, funding);
            let Some(first) = places.first() else { return };
            let (_, cell) = &self.ledger.cells[&first.cells[0]];
            if cell.total < 512 || first.cells.len() > 1 {
                return;
            }
            let (total, member) = (cell.total, cell.members[0]);
            self.deleverage(side, self.ledger.dust[side.index()] + total - total / 512, mark.0, 1);
            let twin = self.ledger.members[member].clone().expect("a member");
            self.join(side, twin.entry, twin.beta, total);
        }
    }

    /// The last members leave: no cell is left, and all lots and cash that are not theirs are the dust owner's.
    pub fn everyone_leaves(&mut self) {
        for number in self.ledger.alive() {
            self.leave(number);
            self.invariants_hold();
        }
        let funding = self.funding;
        let index = self.index();
        assert_eq!(index.view().pool().0, 0);
        for side in Side::BOTH {
            assert_eq!(index.open_interest(side), index.dust(side, funding).lots);
        }
        // The market closes: the dust owner settles like everybody.
        let price = self.mark;
        for side in Side::BOTH {
            let lots = self.index().close_dust(side, price, funding).expect("closing").0;
            self.ledger.reduce_dust(side, lots, price);
            self.sweep(side);
        }
        self.invariants_hold();
    }
}
