//! The same instructions on books of growing size, and in a market with a million positions besides: what they cost may grow with the
//! depth of the trees, not with the number of orders or positions.

use ballast_book::{Book, NewOrder};
use ballast_client::{
    ballast::state::{MAX_BOOK_BLOCKS, SLAB_PREFIX},
    units::{FUNDING_ONE, Lots, MAX_LOTS, Price, Side},
};
use solana_account::Account;

use super::{
    Cost, Extent,
    crowd::{MARK, RICH, TICK, quiet, random_price, rest},
    deleveraging::with_ranks,
    population::{Random, solvent},
    samples::Samples,
};
use crate::harness::{BTC, Chain, Expect, MarketSpec, World};

/// Orders a side.
const SIZES: [u32; 3] = [100, 1_000, 10_000];
/// Orders of a seat.
const PER_SEAT: u32 = 100;
/// Positions of the market that has both.
const POSITIONS: usize = 1_000_000;
/// Lots of an order.
const LOTS: u64 = 10;

/// A market in whose book `per_side` orders of strangers rest on each side, at random prices: written there with the
/// book's own functions, not by as many transactions.
fn crowded(per_side: u32, random: &mut Random) -> World {
    let spec = MarketSpec { blocks: MAX_BOOK_BLOCKS, cells: 16_384, ..MarketSpec::btc() };
    let mut world = quiet(&[spec.with(|params| {
        params.max_orders_per_account = 512;
        params.max_open_interest_lots = MAX_LOTS;
    })]);
    let key = world.market_keys(BTC).book;
    let mut account = Account::from(world.chain.account(&key).expect("the book"));
    let mut book = Book::load(&mut account.data[SLAB_PREFIX..]).expect("a book");
    let mut seat = 0;
    for at in 0..2 * per_side {
        if at % PER_SEAT == 0 {
            let stranger = [at.to_le_bytes(); 8].concat().try_into().expect("32 bytes");
            seat = book.open_seat(stranger, stranger).expect("room");
        }
        let side = Side::BOTH[at as usize % 2];
        let price = Price(random_price(MARK, side, random));
        let (lots, peg) = (Lots(LOTS), None);
        let order = NewOrder { side, price, peg, lots, seat, client_id: 0, expires_at: 0, reduce_only: false };
        book.rest(order).expect("room");
    }
    world.chain.put_account(key, account);
    world
}

/// Placing, cancelling and taking in books of growing size.
pub(super) fn scale(extent: Extent) -> Vec<Cost> {
    let mut costs: Vec<Cost> = SIZES.into_iter().flat_map(|per_side| of_size(per_side, 0, extent)).collect();
    if extent == Extent::Full {
        costs.extend(of_size(SIZES[2], POSITIONS, extent));
    }
    costs
}

/// Puts positions into the ranking index, half of them a side, with its own functions. Somebody holds what one side has more.
fn populate(world: &mut World, positions: usize) {
    let funding = world.market(BTC).funding_index();
    with_ranks(world, |index| {
        let mut open_interest = [0; 2];
        let mut join = |side: Side, entry, bankruptcy: i64, lots| {
            let beta = bankruptcy - funding.div_euclid(FUNDING_ONE);
            index.join(side, Price(entry), beta, Lots(lots), funding).expect("room");
            open_interest[side.index()] += lots;
            open_interest
        };
        let mut held = [0; 2];
        for side in Side::BOTH {
            for position in solvent(side, Price(MARK), Price(MARK), positions / 2, 21) {
                held = join(side, position.entry, position.bankruptcy, position.lots);
            }
        }
        let lesser = Side::BOTH[usize::from(held[0] > held[1])];
        if held[0] != held[1] {
            join(lesser, MARK, 0, held[0].abs_diff(held[1]));
        }
    });
}

fn of_size(per_side: u32, positions: usize, extent: Extent) -> Vec<Cost> {
    let mut random = Random(7);
    let mut world = crowded(per_side, &mut random);
    if positions > 0 {
        populate(&mut world, positions);
    }
    let (trader, maker) = (world.trader(RICH), world.trader(RICH));
    world.trade(BTC, trader, maker, 100, MARK);
    let (mut placed, mut cancelled, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..extent.samples() / 4 {
        let side = Side::BOTH[random.below(2) as usize];
        let (id, units) = rest(&mut world, trader, BTC, side, LOTS, random_price(MARK, side, &mut random));
        placed.push(units);
        cancelled.push(world.cancel(trader, BTC, id).succeeds().units());
        rest(&mut world, maker, BTC, Side::Short, LOTS, MARK + TICK);
        taken.push(world.buy(trader, BTC, LOTS, MARK + TICK).succeeds().units());
    }
    let row = |what: &str, figures| {
        let besides = if positions > 0 { format!(" and {positions} positions") } else { String::new() };
        let name = format!("{what}, {} orders resting{besides}: median", 2 * per_side);
        Cost::units(name, Samples::from_iter(figures).median())
    };
    vec![row("post-only", placed), row("cancel", cancelled), row("take, 1 maker", taken)]
}
