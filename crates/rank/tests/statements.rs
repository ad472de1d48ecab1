//! Statements about the index, one at a time.

mod model;

use ballast_rank::{Error, Holding, Index, IndexView, MAX_FUNDING, Membership, SCALE_OPEN, space};
use ballast_units::{FUNDING_ONE, Lots, MAX_LOTS, MAX_PRICE, Price, Quote, Side};
use model::Slab;

const AROUND: u64 = 1_000_000;

/// The bankruptcy price of isolated margin at a leverage.
fn bankruptcy(side: Side, entry: u64, leverage: u64) -> i64 {
    (entry as i64) - side.sign() * (entry / leverage) as i64
}

fn join(index: &mut Index<'_>, side: Side, entry: u64, leverage: u64, lots: u64) -> Membership {
    index.join(side, Price(entry), bankruptcy(side, entry, leverage), Lots(lots), 0).expect("room")
}

fn peek(index: &Index<'_>, side: Side, member: &Membership, mark: u64) -> Holding {
    index.peek(side, member, 0, Price(mark)).expect("a member")
}

#[test]
fn more_profit_and_more_leverage_are_deleveraged_first() {
    for (side, mark, early) in [(Side::Long, 1_200_000, 900_000), (Side::Short, 800_000, 1_100_000)] {
        let mut slab = Slab::new(64);
        let mut index = Index::init(slab.bytes()).unwrap();
        let modest = join(&mut index, side, AROUND, 2, 10);
        let levered = join(&mut index, side, AROUND, 5, 10);
        let early = join(&mut index, side, early, 5, 10);
        let mut order = Vec::new();
        let all = Lots(30);
        index.deleverage(side, all, Price(mark), Price(mark), 0, 9, |cell| order.push(cell.cell)).unwrap();
        assert_eq!(order, [early.cell, levered.cell, modest.cell], "{side:?}");
    }
}

#[test]
fn a_deleveraged_short_keeps_its_profit_up_to_the_execution_price() {
    let mut slab = Slab::new(64);
    let mut index = Index::init(slab.bytes()).unwrap();
    let member = join(&mut index, Side::Short, AROUND, 10, 1_000);
    let done = index.deleverage(Side::Short, Lots(400), Price(850_000), Price(800_000), 0, 9, |_| ()).unwrap();
    assert_eq!((done.lots, done.cells, done.in_profit_exhausted), (Lots(400), 1, false));
    let holding = index.leave(Side::Short, &member, 0, Price(800_000)).unwrap();
    // 400 lots bought back at 850,000; a fraction that rounding takes may cost one more lot's whole.
    assert_eq!((holding.lots.0 + holding.taken.0, holding.lots.0.abs_diff(600) <= 1), (1_000, true));
    let bought_back = (600 - holding.lots.0) * 800_000 + 400 * 850_000;
    assert!(holding.proceeds.0.unsigned_abs().abs_diff(bought_back) <= 2, "{holding:?}");
}

#[test]
fn a_position_without_profit_is_spared_until_nobody_else_is_left() {
    let mut slab = Slab::new(64);
    let mut index = Index::init(slab.bytes()).unwrap();
    let loser = join(&mut index, Side::Long, AROUND, 50, 100);
    let winner = join(&mut index, Side::Long, 800_000, 2, 100);
    // In profit at the mark, but not at the price.
    let spared = join(&mut index, Side::Long, 940_000, 50, 100);
    let (price, mark) = (Price(930_000), Price(970_000));
    let done = index.deleverage(Side::Long, Lots(100), price, mark, 0, 9, |_| ()).unwrap();
    assert_eq!((done.lots.0, done.pro_rata.0, done.in_profit_exhausted), (100, 0, false));
    assert_eq!(peek(&index, Side::Long, &winner, mark.0).lots.0, 0);
    let done = index.deleverage(Side::Long, Lots(100), price, mark, 0, 9, |_| ()).unwrap();
    assert_eq!((done.lots.0, done.pro_rata.0, done.in_profit_exhausted), (100, 100, true));
    for member in [loser, spared] {
        assert!(peek(&index, Side::Long, &member, mark.0).lots.0.abs_diff(50) <= 1);
    }
}

#[test]
fn a_taken_cell_is_settled_at_the_price_and_funding_of_that_moment() {
    let mut slab = Slab::new(64);
    let mut index = Index::init(slab.bytes()).unwrap();
    let member = join(&mut index, Side::Long, AROUND, 10, 100);
    let funding = 3 * FUNDING_ONE;
    index.deleverage(Side::Long, Lots(100), Price(1_150_000), Price(1_200_000), funding, 9, |_| ()).unwrap();
    assert_eq!(index.open_interest(Side::Long), Lots::ZERO);
    let fresh = join(&mut index, Side::Long, AROUND, 10, 7);
    assert_ne!(fresh.cell, member.cell, "who joins later gets a fresh cell");
    let holding = index.leave(Side::Long, &member, 9 * FUNDING_ONE, Price(1_300_000)).unwrap();
    let expected = Holding {
        lots: Lots::ZERO,
        proceeds: Quote(115_000_000),
        funding: Quote(-300),
        taken: Lots(100),
        buyout: Quote::ZERO,
    };
    assert_eq!(holding, expected);
    assert_eq!(index.leave(Side::Long, &member, 0, Price(1)), Err(Error::NotAMember));
    assert_eq!(index.dust(Side::Long, 0).cash, 0, "nothing is left over");
}

#[test]
fn funding_is_exact_where_nothing_was_deleveraged() {
    let mut slab = Slab::new(64);
    let mut index = Index::init(slab.bytes()).unwrap();
    for (side, sign) in [(Side::Long, -1), (Side::Short, 1)] {
        let from = -7 * FUNDING_ONE / 3;
        let member = index.join(side, Price(AROUND), 0, Lots(1_000), from).unwrap();
        let now = 5 * FUNDING_ONE / 7;
        let exact = sign * 1_000 * i128::from(now - from);
        let holding = index.leave(side, &member, now, Price(1)).unwrap();
        assert_eq!(i128::from(holding.funding.0), exact.div_euclid(i128::from(FUNDING_ONE)));
        // What rounding kept is the dust owner's.
        assert_eq!(index.dust(side, now).cash, exact.rem_euclid(i128::from(FUNDING_ONE)));
    }
}

#[test]
fn a_worn_out_cell_stays_in_line_beside_its_successor() {
    let mut slab = Slab::new(64);
    let mut index = Index::init(slab.bytes()).unwrap();
    let (price, lots) = (Price(1_200_000), 1 << 20);
    let old = join(&mut index, Side::Long, AROUND, 10, lots);
    index.deleverage(Side::Long, Lots(lots - 8), price, price, 0, 9, |_| ()).unwrap();
    let young = join(&mut index, Side::Long, AROUND, 10, 5);
    assert_ne!(old.cell, young.cell);
    let worn = index.view().cells(Side::Long, 0).find(|cell| cell.id == old.cell).unwrap();
    assert!(worn.a < SCALE_OPEN && !worn.retired);
    let done = index.deleverage(Side::Long, Lots(13), price, price, 0, 9, |_| ()).unwrap();
    assert_eq!((done.lots.0, done.cells), (13, 2));
    index.view().check().unwrap();
}

#[test]
fn a_full_pool_merges_into_the_nearest_cell_of_the_row() {
    let mut slab = Slab::new(3);
    let mut index = Index::init(slab.bytes()).unwrap();
    let near = join(&mut index, Side::Long, AROUND, 50, 10);
    let far = join(&mut index, Side::Long, AROUND, 2, 10);
    join(&mut index, Side::Long, AROUND / 2, 2, 10);
    assert_eq!(index.view().pool(), (3, 3));
    assert_eq!(join(&mut index, Side::Long, AROUND, 40, 10).cell, near.cell);
    assert_eq!(join(&mut index, Side::Long, AROUND, 3, 10).cell, far.cell);
    // A row of its own is not to be had; the row of worse entries takes it.
    let between = join(&mut index, Side::Long, AROUND * 3 / 4, 50, 10);
    assert_eq!(between.cell, near.cell);
    // Nobody's entry is worse: the nearest cell moves up.
    let above = join(&mut index, Side::Long, AROUND * 2, 50, 10);
    let row = |cell| index.view().cells(Side::Long, 0).find(|view| view.id == cell).unwrap().row;
    assert_eq!((above.cell, row(above.cell)), (near.cell, ballast_rank::grid::bucket(Price(AROUND * 2))));
    assert_eq!(index.view().merged(Side::Long), 4);
    index.view().check().unwrap();
}

#[test]
fn a_pool_of_unsettled_cells_refuses_until_one_settles() {
    let mut slab = Slab::new(1);
    let mut index = Index::init(slab.bytes()).unwrap();
    let member = join(&mut index, Side::Long, AROUND, 10, 10);
    let price = Price(1_200_000);
    index.deleverage(Side::Long, Lots(10), price, price, 0, 9, |_| ()).unwrap();
    let again = |index: &mut Index<'_>| index.join(Side::Long, Price(AROUND), 0, Lots(1), 0);
    assert_eq!(again(&mut index), Err(Error::Full));
    index.leave(Side::Long, &member, 0, price).unwrap();
    let joined = again(&mut index).unwrap();
    assert_eq!((joined.cell, joined.generation), (member.cell, member.generation + 1));
}

#[test]
fn an_interrupted_pro_rata_pass_goes_on_with_those_it_has_not_visited() {
    let mut slab = Slab::new(64);
    let mut index = Index::init(slab.bytes()).unwrap();
    let entries = [AROUND, AROUND * 11 / 10, AROUND * 12 / 10, AROUND * 13 / 10];
    let members = entries.map(|entry| join(&mut index, Side::Long, entry, 5, 100));
    // Nobody is in profit at 900,000. Half is to be taken, but only two cells may be visited.
    let low = Price(900_000);
    let done = index.deleverage(Side::Long, Lots(200), low, low, 0, 2, |_| ()).unwrap();
    assert_eq!((done.lots.0, done.pro_rata.0, done.in_profit_exhausted), (100, 100, true));
    // Those not visited change meanwhile; one of those visited, too.
    index.leave(Side::Long, &members[3], 0, low).unwrap();
    let joined = join(&mut index, Side::Long, entries[2], 5, 100);
    join(&mut index, Side::Long, entries[0], 5, 70);
    let mut lost = Vec::new();
    let done =
        index.deleverage(Side::Long, Lots(100), low, low, 0, 9, |cell| lost.push((cell.cell, cell.lots.0))).unwrap();
    assert_eq!((done.lots.0, lost), (100, vec![(joined.cell, 100)]), "half of its 200 lots");
    // The next pass is a new one, over all 270 lots.
    let mut lost = Vec::new();
    index.deleverage(Side::Long, Lots(135), low, low, 0, 9, |cell| lost.push(cell.lots.0)).unwrap();
    assert_eq!(lost, [60, 25, 50]);
}

#[test]
fn recentring_keeps_the_order_and_sharpens_it() {
    let mut slab = Slab::new(64);
    let mut index = Index::init(slab.bytes()).unwrap();
    // Opened when the index was zero; after half the price was paid, two leverages stand far from the fine columns.
    let funding = AROUND as i64 / 2 * FUNDING_ONE;
    join(&mut index, Side::Long, AROUND, 1, 10);
    let bucket = ballast_rank::grid::bucket(Price(AROUND));
    let beta = |leverage| bankruptcy(Side::Long, AROUND, leverage) - AROUND as i64 / 2;
    let steep = index.join(Side::Long, Price(AROUND), beta(25), Lots(10), funding).unwrap();
    let flat = index.join(Side::Long, Price(AROUND), beta(20), Lots(10), funding).unwrap();
    assert_eq!(steep.cell, flat.cell);
    assert!(index.view().drift(Side::Long, bucket, funding).unwrap() > 500_000);
    assert_eq!(index.recentre(Side::Long, bucket, funding), Ok(2));
    assert_eq!(index.recentre(Side::Short, bucket, funding), Ok(0));
    let steep = index.join(Side::Long, Price(AROUND), beta(25), Lots(10), funding).unwrap();
    let flat = index.join(Side::Long, Price(AROUND), beta(14), Lots(10), funding).unwrap();
    assert_ne!(steep.cell, flat.cell);
    index.view().check().unwrap();
}

#[test]
fn arguments_out_of_range_are_refused() {
    let mut slab = Slab::new(8);
    let mut index = Index::init(slab.bytes()).unwrap();
    let mut join = |entry, lots, funding| index.join(Side::Long, Price(entry), 0, Lots(lots), funding);
    for (entry, lots, funding) in [
        (0, 1, 0),
        (MAX_PRICE + 1, 1, 0),
        (1, 0, 0),
        (1, MAX_LOTS + 1, 0),
        (1, 1, MAX_FUNDING + 1),
        (1, 1, -MAX_FUNDING - 1),
    ] {
        assert_eq!(join(entry, lots, funding), Err(Error::Argument));
    }
    let far = join(1 << 39, 1, MAX_FUNDING).unwrap();
    assert_eq!(
        join(1 << 20, 1, 0),
        Ok(Membership { cell: far.cell + 1, ..far }).map(|m| Membership { g: [0; 2], ..m })
    );
    assert_eq!(join(1 << 23, 1, 0), Err(Error::PriceSpan), "the row of 2^39");
    for (price, mark) in [(0, 1), (1, 0), (MAX_PRICE + 1, 1), (1, MAX_PRICE + 1)] {
        let done = index.deleverage(Side::Long, Lots(1), Price(price), Price(mark), 0, 1, |_| ());
        assert_eq!(done, Err(Error::Argument));
    }
    assert_eq!(index.leave(Side::Long, &far, 0, Price(0)), Err(Error::Argument));
    assert_eq!(index.leave(Side::Short, &far, 0, Price(1)), Err(Error::NotAMember), "the other side");
    assert_eq!(index.leave(Side::Long, &Membership::NONE, 0, Price(1)), Err(Error::NotAMember));
}

#[test]
fn a_slab_is_initialised_once_and_may_grow() {
    let mut bytes = vec![0u64; space(9) / 8];
    let small = bytemuck::cast_slice_mut::<u64, u8>(&mut bytes);
    assert_eq!(Index::load(small).err(), Some(Error::Uninitialised));
    assert_eq!(IndexView::load(small).err(), Some(Error::Uninitialised));
    let (small, _) = small.split_at_mut(space(2));
    Index::init(small).unwrap();
    assert_eq!(Index::init(small).err(), Some(Error::AlreadyInitialised));
    assert_eq!(Index::load(&mut small[..1_000]).err(), Some(Error::Size));
    assert_eq!(Index::load(&mut small[1..]).err(), Some(Error::Size));
    assert_eq!(IndexView::load(small).unwrap().pool(), (0, 2));
    assert_eq!(IndexView::load(bytemuck::cast_slice(&bytes)).unwrap().pool(), (0, 9));
}
