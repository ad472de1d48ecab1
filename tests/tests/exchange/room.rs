//! Books that grow, books that are full, and who clears what out of them.

use ballast_book::{Book, NewOrder, OrderId};
use ballast_client::{
    ballast::{
        OrderArgs,
        error::BallastError,
        state::{MAX_BOOK_BLOCKS, MAX_ORDERS_PER_SIDE, SLAB_PREFIX},
    },
    events::Event,
    instructions::post_only_order,
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, Chain, DOLLAR, Expect, MarketSpec, Receipt, Trader, World, resting};
use solana_account::{Account, ReadableAccount};

const PRICE: u64 = 10 * DOLLAR;
const TICK: u64 = 100;

fn bid(price: u64) -> OrderArgs {
    post_only_order(Side::Long, Price(price), Lots(1))
}

/// A book of the largest size in which all blocks but `left` are taken: by Ann's bids, and by seats of nobody.
fn full(left: u32) -> (World, Trader, Trader) {
    let mut world = World::new(&[MarketSpec { blocks: 64, ..MarketSpec::btc() }]);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    for step in 1..=20 {
        world.bid(ann, BTC, 1, PRICE - step * TICK);
    }
    let key = world.market_keys(BTC).book;
    let mut account = Account::from(world.chain.account(&key).expect("the book"));
    account.data.resize(SLAB_PREFIX + ballast_book::space(MAX_BOOK_BLOCKS), 0);
    let mut book = Book::load(&mut account.data[SLAB_PREFIX..]).expect("a book");
    while book.free_blocks() > left {
        book.open_seat([1; 32], [1; 32]).expect("room");
    }
    account.lamports = world.chain.rent(account.data.len());
    world.chain.put_account(key, account);
    world.audited = false;
    (world, ann, bob)
}

#[test]
fn a_book_grows_when_somebody_pays_for_it() {
    let small = MarketSpec { blocks: 64, ..MarketSpec::btc() };
    let mut world = World::new(&[small.with(|params| params.max_orders_per_account = 512)]);
    let ann = world.trader(1_000 * DOLLAR);
    for step in 1..=63 {
        world.bid(ann, BTC, 1, PRICE - step * TICK);
    }
    world.place(ann, BTC, bid(PRICE)).fails_with(BallastError::BookFull);
    world.grow_book(BTC).succeeds();
    let key = world.market_keys(BTC).book;
    let account = world.chain.account(&key).expect("the book");
    assert_eq!(account.data().len(), SLAB_PREFIX + ballast_book::space(128));
    assert!(account.lamports() >= world.chain.rent(account.data().len()));
    for step in 64..=127 {
        world.bid(ann, BTC, 1, PRICE - step * TICK);
    }
    world.place(ann, BTC, bid(PRICE)).fails_with(BallastError::BookFull);
    // Several times in one transaction.
    let grow =
        ballast_client::instructions::grow_book(&solana_signer::Signer::pubkey(&world.payer), &world.market_keys(BTC));
    world.send(&[grow.clone(), grow.clone(), grow], &[]).succeeds();
    assert_eq!(world.chain.account(&key).expect("the book").data().len(), SLAB_PREFIX + ballast_book::space(320));
}

#[test]
fn a_book_of_the_largest_size_grows_no_more() {
    let (mut world, ..) = full(0);
    world.grow_book(BTC).fails_with(BallastError::BookFull);
}

#[test]
fn a_better_order_takes_the_place_of_the_worst_in_a_full_book() {
    let (mut world, ann, _) = full(0);
    let worst = PRICE - 20 * TICK;
    let reserved = world.holding(ann, BTC).bid_quote;
    world.place(ann, BTC, bid(worst)).fails_with(BallastError::BookFull);
    world.place(ann, BTC, bid(worst - TICK)).fails_with(BallastError::BookFull);
    world.place(ann, BTC, bid(PRICE)).succeeds();
    let bids = resting(&mut world, BTC, Side::Long);
    assert_eq!((bids[0], bids[19], bids.len()), ((PRICE, 1), (PRICE - 19 * TICK, 1), 20));
    assert_eq!(world.holding(ann, BTC).bid_quote, reserved + PRICE - worst, "its margin is released");
    // Only orders of the same side make room.
    let ask = post_only_order(Side::Short, Price(PRICE + TICK), Lots(1));
    world.place(ann, BTC, ask).fails_with(BallastError::BookFull);
}

#[test]
fn a_newcomer_to_a_full_book_takes_the_places_of_two() {
    let (mut world, _, bob) = full(0);
    world.place(bob, BTC, bid(PRICE - 19 * TICK)).fails_with(BallastError::BookFull);
    assert_eq!(resting(&mut world, BTC, Side::Long).len(), 20, "nothing was changed");
    world.place(bob, BTC, bid(PRICE - 18 * TICK)).succeeds();
    let bids = resting(&mut world, BTC, Side::Long);
    assert_eq!((bids.len(), bids[18]), (19, (PRICE - 18 * TICK, 1)));
}

#[test]
fn an_evicted_order_can_neither_be_cancelled_nor_filled() {
    let (mut world, ann, bob) = full(0);
    let worst: OrderId = world.oldest_of(ann, BTC, PRICE - 20 * TICK);
    world.place(ann, BTC, bid(PRICE)).succeeds();
    world.cancel(ann, BTC, worst).fails_with(BallastError::OrderNotFound);
    world.sell(bob, BTC, 100, 9 * DOLLAR).succeeds();
    assert_eq!(world.position(bob, BTC), -20);
}

#[test]
fn an_expired_order_is_removed_by_anyone_wherever_it_is() {
    let mut world = World::btc();
    let ann = world.trader(1_000 * DOLLAR);
    let expires_at = world.now + 10;
    let best = world.bid(ann, BTC, 1, PRICE);
    let expiring = |step| OrderArgs { expires_at, ..bid(PRICE - step * TICK) };
    let orders = ballast_client::ballast::BatchArgs { orders: vec![expiring(1), expiring(2)], ..Default::default() };
    let ids = ballast_tests::harness::order_ids(&world.batch(ann, BTC, orders).succeeds());
    let all = [ids[1], best, ids[0]];
    world.prune_expired(BTC, &all).fails_with(BallastError::NothingHere);
    world.wait(10);
    world.prune(BTC, Side::Long, 9).fails_with(BallastError::NothingHere);
    world.prune_expired(BTC, &all).succeeds();
    world.prune_expired(BTC, &all).fails_with(BallastError::NothingHere);
    assert_eq!(resting(&mut world, BTC, Side::Long), [(PRICE, 1)]);
    assert_eq!(world.holding(ann, BTC).bids.0, 1);
}

#[test]
fn orders_that_their_account_cannot_fund_are_cancelled_by_anyone_and_those_that_reduce_stay() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(600 * DOLLAR), world.trader(10_000 * DOLLAR), world.trader(0));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.bid(ann, BTC, 100, PRICE - 50 * TICK);
    world.ask(ann, BTC, 900, PRICE + 50 * TICK);
    world.ask(ann, BTC, 200, PRICE + 60 * TICK);
    world.cancel_unfunded(kit, ann, BTC).fails_with(BallastError::NotEligible);
    // Below initial margin, far above maintenance.
    world.move_price(BTC, PRICE - DOLLAR / 5);
    assert_eq!(world.stage(ann), ballast_risk::health::Stage::Restricted);
    world.cancel_unfunded(ann, ann, BTC).fails_with(BallastError::DuplicateAccount);
    let before = world.collateral(ann);
    world.cancel_unfunded(kit, ann, BTC).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), []);
    assert_eq!(
        resting(&mut world, BTC, Side::Short),
        [(PRICE + 50 * TICK, 900)],
        "what would turn it goes, newest first"
    );
    let bounty = world.collateral(kit);
    assert!(bounty > 0 && world.collateral(ann) == before - bounty, "her orders, her bounty");
    world.cancel_unfunded(kit, ann, BTC).fails_with(BallastError::NothingHere);
}

#[test]
fn an_account_without_a_position_is_cleared_of_orders_that_it_cannot_fund() {
    let mut world = World::btc();
    let (ann, kit) = (world.trader(200 * DOLLAR), world.trader(0));
    world.bid(ann, BTC, 390, PRICE - TICK);
    world.move_price(BTC, PRICE - DOLLAR / 2);
    // Bids half a dollar above the mark: filled, they would lose $195 of her $200 at once.
    world.cancel_unfunded(kit, ann, BTC).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), []);
}

#[test]
fn a_side_with_all_the_orders_that_it_may_have_gives_up_its_worst_be_it_pegged() {
    let mut world = World::new(&[MarketSpec { blocks: 64, ..MarketSpec::btc() }]);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    let key = world.market_keys(BTC).book;
    let mut account = Account::from(world.chain.account(&key).expect("the book"));
    account.data.resize(SLAB_PREFIX + ballast_book::space(MAX_BOOK_BLOCKS), 0);
    let mut book = Book::load(&mut account.data[SLAB_PREFIX..]).expect("a book");
    let new = |seat, price, peg| NewOrder {
        side: Side::Long,
        price: Price(price),
        peg,
        lots: Lots(1),
        seat,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
    };
    let mut seat = 0;
    for at in 0..u64::from(MAX_ORDERS_PER_SIDE) - 1 {
        if at % 256 == 0 {
            seat = book.open_seat([1; 32], [1; 32]).expect("room");
        }
        book.rest(new(seat, PRICE - (10 + at % 5_000) * TICK, None)).expect("room");
    }
    // 9 % below the mark: the worst.
    let pegged = book.rest(new(seat, PRICE, Some(-900_000))).expect("room");
    account.lamports = world.chain.rent(account.data.len());
    world.chain.put_account(key, account);
    world.audit_no_more();

    world.place(bob, BTC, bid(PRICE - 9_500 * TICK)).fails_with(BallastError::BookFull);
    let evicted = |receipt: &Receipt| {
        receipt.events().into_iter().find_map(|event| match event {
            Event::OrderEvicted(gone) => Some(OrderId(gone.order_id)),
            _ => None,
        })
    };
    assert_eq!(evicted(&world.place(bob, BTC, bid(PRICE - 5 * TICK)).succeeds()), Some(pegged));
    // The worst now has a price of its own, and an equal one is refused.
    world.place(bob, BTC, bid(PRICE - 5_009 * TICK)).fails_with(BallastError::BookFull);
    assert!(evicted(&world.place(bob, BTC, bid(PRICE - 6 * TICK)).succeeds()).is_some());
    // The other side has room: nobody of this one has to go for it.
    let ask = post_only_order(Side::Short, Price(PRICE + TICK), Lots(1));
    assert_eq!(evicted(&world.place(ann, BTC, ask).succeeds()), None);
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("sound slabs");
    assert_eq!(view.market(BTC).expect("the market").book.order_count(Side::Long), MAX_ORDERS_PER_SIDE);
}
