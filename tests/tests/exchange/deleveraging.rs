//! Deleveraging: who is reduced, in which order, by how much, at what price, and that members find out exactly.

use ballast_client::{
    ballast::error::BallastError,
    events::{Event, cells},
    instructions,
    units::Side,
};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, Chain, DOLLAR, Expect, Receipt, Trader, World};

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;
/// Where the market crashes to.
const LOW: u64 = 9 * DOLLAR + 20 * CENT;

/// What a deleveraging reports.
struct Report {
    lots: u64,
    price: u64,
    cells: usize,
    exhausted: bool,
    drawn: u64,
}

fn report(receipt: &Receipt) -> Report {
    let found = receipt.events().into_iter().find_map(|event| match event {
        Event::Deleveraged(event) => Some(Report {
            lots: event.lots,
            price: event.price,
            cells: cells(&event).count(),
            exhausted: event.in_profit_exhausted,
            drawn: event.insurance_drawn,
        }),
        _ => None,
    });
    found.expect("the instruction deleverages")
}

/// A market without insurance in which Cal went bankrupt with a long of 10,000 lots at $10; `shorts` are the other
/// side: lots and deposit of each.
fn crashed(shorts: &[(u64, u64)]) -> (World, Trader, Vec<Trader>, Trader) {
    let mut world = World::btc();
    let cal = world.trader(5_500 * DOLLAR);
    let kit = world.trader(1_000 * DOLLAR);
    let shorts: Vec<_> = shorts
        .iter()
        .map(|(lots, deposit)| {
            let trader = world.trader(*deposit);
            world.trade(BTC, cal, trader, *lots, PRICE);
            trader
        })
        .collect();
    world.move_price(BTC, LOW);
    assert_eq!(world.stage(cal), Stage::Bankrupt);
    (world, cal, shorts, kit)
}

#[test]
fn exactly_the_bankrupt_lots_are_taken_from_the_highest_leverage_down() {
    let (mut world, cal, shorts, kit) =
        crashed(&[(4_000, 40_000 * DOLLAR), (4_000, 2_200 * DOLLAR), (2_000, 8_000 * DOLLAR)]);
    // A fourth short, against another long, so that not everybody is needed.
    let (ann, eve) = (world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, eve, 3_000, LOW);
    let receipt = world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!((report(&receipt).lots, report(&receipt).cells), (10_000, 3));
    assert_eq!(world.position(cal, BTC), 0);
    assert!(shorts.iter().all(|short| world.position(*short, BTC) == 0), "all three were in profit");
    assert_eq!(world.position(eve, BTC), -3_000, "Eve was not");
}

#[test]
fn the_best_ranked_lose_first_and_the_last_only_what_is_missing() {
    let (mut world, cal, shorts, kit) = crashed(&[(4_000, 40_000 * DOLLAR), (6_000, 3_300 * DOLLAR)]);
    let (ann, eve) = (world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    // Eve is short from $10 as well, with little leverage.
    world.move_price(BTC, PRICE);
    world.trade(BTC, ann, eve, 5_000, PRICE);
    world.move_price(BTC, 9 * DOLLAR);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    let left: Vec<_> = shorts.iter().chain([&eve]).map(|short| world.position(*short, BTC)).collect();
    assert_eq!(left[1], 0, "the highest leverage goes first");
    assert_eq!(left.iter().sum::<i64>(), -5_000);
    assert!(left[0] == 0 || left[2] == -5_000, "the third only after the second: {left:?}");
}

#[test]
fn a_deleveraged_short_keeps_its_profit_up_to_the_bankruptcy_price() {
    let (mut world, cal, shorts, kit) = crashed(&[(4_000, 40_000 * DOLLAR), (6_000, 3_500 * DOLLAR)]);
    let before: Vec<_> = shorts.iter().map(|short| world.collateral(*short)).collect();
    let bankruptcy = world.bankruptcy_price(cal, BTC).unsigned_abs();
    let receipt = world.deleverage(kit, cal, BTC, 100).succeeds();
    let price = report(&receipt).price;
    assert_eq!(price, bankruptcy);
    assert!(price > 9 * DOLLAR + 45 * CENT && price < PRICE);
    for ((short, lots), before) in shorts.iter().zip([4_000, 6_000]).zip(before) {
        world.settle(kit, *short, BTC).succeeds();
        assert_eq!(world.collateral(*short), before + lots * (PRICE - price), "paid in full, in settled money");
    }
    assert_eq!(world.equity(cal) / 10_000, 0, "the bankrupt account comes out at zero");
    assert!(world.equity(cal) >= 0);
}

#[test]
fn members_are_not_in_the_transaction_and_nothing_is_written_to_their_accounts() {
    let (mut world, cal, shorts, kit) = crashed(&[(5_000, 40_000 * DOLLAR), (5_000, 3_500 * DOLLAR)]);
    let tend = world.tend(kit, cal, BTC);
    let deleverage = instructions::deleverage(&world.keys, &tend, 100);
    let accounts: Vec<_> = shorts.iter().map(|short| world.margin(*short)).collect();
    assert!(deleverage.accounts.iter().all(|meta| !accounts.contains(&meta.pubkey)));
    let before: Vec<_> = accounts.iter().map(|key| world.chain.account(key)).collect();
    world.send(&[deleverage], &[]).succeeds();
    let after: Vec<_> = accounts.iter().map(|key| world.chain.account(key)).collect();
    assert!(before == after);
    assert_eq!(world.slot(shorts[0], BTC).lots, -5_000, "as of the last touch");
    assert_eq!(world.position(shorts[0], BTC), 0, "as of now");
}

#[test]
fn splitting_a_position_over_accounts_gains_nothing() {
    let (mut world, cal, shorts, kit) =
        crashed(&[(4_000, 4_000 * DOLLAR), (1_000, 1_000 * DOLLAR), (2_000, 2_000 * DOLLAR), (3_000, 3_000 * DOLLAR)]);
    // Half of the bankrupt position finds a buyer.
    let ann = world.trader(1_000_000 * DOLLAR);
    let price = world.bankruptcy_price(cal, BTC).unsigned_abs().next_multiple_of(100);
    world.bid(ann, BTC, 5_000, price);
    let receipt = world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!((report(&receipt).lots, report(&receipt).cells), (5_000, 1), "all four are in one cell");
    let left: Vec<_> = shorts.iter().map(|short| world.position(*short, BTC)).collect();
    assert_eq!(left, [-2_000, -500, -1_000, -1_500], "everybody loses the same part");
    for short in &shorts {
        world.settle(kit, *short, BTC).succeeds();
    }
    assert_eq!(shorts.iter().map(|short| world.slot(*short, BTC).lots).sum::<i64>(), -5_000);
}

#[test]
fn fractions_of_lots_are_bought_and_every_atom_is_accounted_for() {
    let (mut world, cal, shorts, kit) =
        crashed(&[(3_333, 3_340 * DOLLAR), (3_333, 3_340 * DOLLAR), (3_334, 3_340 * DOLLAR)]);
    let ann = world.trader(1_000_000 * DOLLAR);
    let price = world.bankruptcy_price(cal, BTC).unsigned_abs().next_multiple_of(100);
    world.bid(ann, BTC, 2_999, price);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    let held: i64 = shorts.iter().map(|short| world.position(*short, BTC)).sum();
    assert!((-2_999..=-2_996).contains(&held), "whole lots: {held}");
    for short in &shorts {
        world.settle(kit, *short, BTC).succeeds();
    }
    let after: i64 = shorts.iter().map(|short| world.slot(*short, BTC).lots).sum();
    assert_eq!(after, held);
}

#[test]
fn deleveraging_goes_on_over_several_instructions() {
    let deposits = [30_000, 3_000, 2_000, 1_500, 1_200];
    let shorts = deposits.map(|deposit| (2_000, deposit * DOLLAR));
    let (mut world, cal, members, kit) = crashed(&shorts);
    let mut taken = 0;
    for round in 0..5 {
        let receipt = world.deleverage(kit, cal, BTC, 1).succeeds();
        assert_eq!(report(&receipt).cells, 1);
        taken += report(&receipt).lots;
        assert_eq!(world.position(cal, BTC), 10_000 - i64::try_from(taken).expect("few lots"), "round {round}");
    }
    assert_eq!(taken, 10_000);
    assert!(members.iter().all(|short| world.position(*short, BTC) == 0));
    world.deleverage(kit, cal, BTC, 1).fails();
}

#[test]
fn the_book_comes_before_anybody_is_deleveraged() {
    let (mut world, cal, shorts, kit) = crashed(&[(10_000, 40_000 * DOLLAR)]);
    let ann = world.trader(1_000_000 * DOLLAR);
    let price = world.bankruptcy_price(cal, BTC).unsigned_abs().next_multiple_of(100);
    world.bid(ann, BTC, 10_000, price);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!((world.position(cal, BTC), world.position(ann, BTC)), (0, 10_000));
    assert_eq!(world.position(shorts[0], BTC), -10_000);
    assert_eq!(world.market(BTC).deleverages, 0);
}

#[test]
fn insurance_pays_before_members_do_and_moves_the_price_towards_the_mark() {
    let (mut world, cal, shorts, kit) = crashed(&[(10_000, 40_000 * DOLLAR)]);
    world.fund_insurance(1_000 * DOLLAR);
    let without = world.bankruptcy_price(cal, BTC).unsigned_abs();
    let receipt = world.deleverage(kit, cal, BTC, 100).succeeds();
    let report = report(&receipt);
    assert_eq!((report.drawn, world.insurance_tokens()), (1_000 * DOLLAR, 0));
    assert_eq!(without - report.price, DOLLAR / 10, "a thousand dollars over ten thousand lots");
    assert_eq!(world.holding(shorts[0], BTC).unsettled.0.unsigned_abs(), 10_000 * (PRICE - report.price));
}

#[test]
fn while_insurance_covers_the_loss_the_position_waits_for_a_taker() {
    let (mut world, cal, shorts, kit) = crashed(&[(10_000, 40_000 * DOLLAR)]);
    world.fund_insurance(100_000 * DOLLAR);
    // The first call notes the bankruptcy; then the delay runs.
    world.deleverage(kit, cal, BTC, 100).succeeds();
    world.deleverage(kit, cal, BTC, 100).fails_with(BallastError::InsuranceCovers);
    world.advance(19);
    world.deleverage(kit, cal, BTC, 100).fails_with(BallastError::InsuranceCovers);
    assert_eq!(world.position(shorts[0], BTC), -10_000);
    world.advance(1);
    let receipt = world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!(report(&receipt).price, LOW, "at the mark: insurance bears all of it");
    assert_eq!(world.position(shorts[0], BTC), 0);
}

#[test]
fn fills_that_wait_in_seats_are_settled_first() {
    let mut world = World::btc();
    let (cal, eve, kit) = (world.trader(5_500 * DOLLAR), world.trader(50_000 * DOLLAR), world.trader(0));
    world.ask(eve, BTC, 10_000, PRICE);
    world.buy(cal, BTC, 10_000, PRICE).succeeds();
    world.move_price(BTC, 9 * DOLLAR);
    world.deleverage(kit, cal, BTC, 100).fails_with(BallastError::SettleSeatsFirst);
    world.settle(kit, eve, BTC).succeeds();
    world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!((world.position(cal, BTC), world.position(eve, BTC)), (0, 0));
}

#[test]
fn longs_are_deleveraged_when_a_short_goes_bankrupt() {
    let mut world = World::btc();
    let (cal, kit) = (world.trader(5_500 * DOLLAR), world.trader(0));
    let (ann, bob) = (world.trader(3_500 * DOLLAR), world.trader(50_000 * DOLLAR));
    world.trade(BTC, ann, cal, 6_000, PRICE);
    world.trade(BTC, bob, cal, 4_000, PRICE);
    world.move_price(BTC, 11 * DOLLAR);
    let receipt = world.deleverage(kit, cal, BTC, 100).succeeds();
    let price = report(&receipt).price;
    assert!(price < 11 * DOLLAR && price > PRICE);
    for (long, lots) in [(ann, 6_000), (bob, 4_000)] {
        let before = world.collateral(long);
        world.settle(kit, long, BTC).succeeds();
        assert_eq!(world.collateral(long), before + lots * (price - PRICE));
    }
}

#[test]
fn a_member_trades_on_with_what_is_left() {
    let (mut world, cal, shorts, kit) = crashed(&[(10_000, 40_000 * DOLLAR)]);
    let ann = world.trader(1_000_000 * DOLLAR);
    let price = world.bankruptcy_price(cal, BTC).unsigned_abs().next_multiple_of(100);
    world.bid(ann, BTC, 2_500, price);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!(world.position(shorts[0], BTC), -2_500);
    world.ask(ann, BTC, 3_000, LOW);
    world.buy(shorts[0], BTC, 3_000, LOW).succeeds();
    assert_eq!((world.position(shorts[0], BTC), world.slot(shorts[0], BTC).lots), (500, 500));
}

#[test]
fn when_no_profit_is_left_the_rest_goes_to_everybody_pro_rata_and_insurance_covers_what_that_breaks() {
    let mut world = World::btc();
    let (cal, eve, kit) = (world.trader(5_500 * DOLLAR), world.trader(500_000 * DOLLAR), world.trader(0));
    world.trade(BTC, cal, eve, 10_000, PRICE);
    let low = 8 * DOLLAR + 60 * CENT;
    world.move_price(BTC, low);
    // Eve leaves with her profit; Dee sells to her at the bottom, with little margin.
    let dee = world.trader(4_600 * DOLLAR);
    world.ask(dee, BTC, 10_000, low);
    world.reduce(eve, BTC, Side::Long, 10_000, low).succeeds();
    world.settle(kit, dee, BTC).succeeds();
    let receipt = world.deleverage(kit, cal, BTC, 100).succeeds();
    assert!(report(&receipt).exhausted);
    assert_eq!((world.position(cal, BTC), world.position(dee, BTC)), (0, 0));
    assert!(world.equity(dee) < 0, "closed far above the price at which it was sold");
    world.cover_bad_debt(kit, dee, BTC).fails_with(BallastError::InsuranceExhausted);
    world.fund_insurance(100_000 * DOLLAR);
    world.cover_bad_debt(kit, dee, BTC).succeeds();
    assert_eq!(world.equity(dee), 0);
    world.cover_bad_debt(kit, dee, BTC).fails();
    // And so Eve's profit is paid in full.
    world.settle(kit, eve, BTC).succeeds();
    assert_eq!((world.holding(eve, BTC).unsettled.0, world.market(BTC).pool), (0, 0));
}

#[test]
fn a_solvent_account_is_not_deleveraged_and_a_bankrupt_one_only_where_it_is_due() {
    let (mut world, cal, shorts, kit) = crashed(&[(10_000, 40_000 * DOLLAR)]);
    world.deleverage(kit, shorts[0], BTC, 100).fails_with(BallastError::NotEligible);
    world.deleverage(kit, cal, BTC, 0).fails_with(BallastError::ZeroAmount);
    world.cover_bad_debt(kit, cal, BTC).fails_with(BallastError::NotEligible);
    world.deposit(cal, 100_000 * DOLLAR).succeeds();
    world.deleverage(kit, cal, BTC, 100).fails_with(BallastError::NotEligible);
}
