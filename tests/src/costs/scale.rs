//! The same instructions on books of growing size: what they cost may grow with the depth of the trees, not with the number
//! of orders.

use ballast_book::{Book, NewOrder};
use ballast_client::{
    ballast::state::{MAX_BOOK_BLOCKS, SLAB_PREFIX},
    units::{Lots, Price, Side},
};
use solana_account::Account;

use super::{
    Cost, Extent,
    crowd::{MARK, RICH, TICK, quiet, random_price, rest},
    population::Random,
    samples::Samples,
};
use crate::harness::{BTC, Chain, Expect, MarketSpec, World};

/// Orders a side.
const SIZES: [u32; 3] = [100, 1_000, 10_000];
/// Orders of a seat.
const PER_SEAT: u32 = 100;
/// Lots of an order.
const LOTS: u64 = 10;

/// A market in whose book `per_side` orders of strangers rest on each side, at random prices: written there with the
/// book's own functions, not by as many transactions.
fn crowded(per_side: u32, random: &mut Random) -> World {
    let spec = MarketSpec { blocks: MAX_BOOK_BLOCKS, ..MarketSpec::btc() };
    let mut world = quiet(&[spec.with(|params| params.max_orders_per_account = 512)]);
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
    SIZES.into_iter().flat_map(|per_side| of_size(per_side, extent)).collect()
}

fn of_size(per_side: u32, extent: Extent) -> Vec<Cost> {
    let mut random = Random(7);
    let mut world = crowded(per_side, &mut random);
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
        let name = format!("{what}, {} orders resting: median", 2 * per_side);
        Cost::units(name, Samples::from_iter(figures).median())
    };
    vec![row("post-only", placed), row("cancel", cancelled), row("take, 1 maker", taken)]
}
