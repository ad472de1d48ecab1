//! Funding: its history by the hour, and that it is paid exactly, also by what is left of deleveraged positions and by
//! fills that wait.

use ballast_client::{ballast::events, events::Event, units::FUNDING_ONE};
use ballast_tests::harness::{BTC, DOLLAR, Expect, Receipt, Trader, World};

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

fn hours(receipt: &Receipt) -> Vec<events::FundingHour> {
    let hour = |event| if let Event::FundingHour(hour) = event { Some(hour) } else { None };
    receipt.events().into_iter().filter_map(hour).collect()
}

/// One refresh after `seconds`, and the hours that it reports.
fn refresh(world: &mut World, seconds: i64) -> Vec<events::FundingHour> {
    world.wait(seconds);
    let observation = world.observe(BTC, PRICE);
    hours(&world.publish(BTC, &observation).succeeds())
}

/// A book that stands a per cent above the oracle's price.
fn premium(world: &mut World) -> Trader {
    let maker = world.trader(1_000_000 * DOLLAR);
    world.bid(maker, BTC, 1_000, PRICE + 9 * CENT);
    world.ask(maker, BTC, 1_000, PRICE + 11 * CENT);
    maker
}

#[test]
fn the_history_says_what_a_lot_paid_in_each_hour() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(5_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    premium(&mut world);
    let mut history = Vec::new();
    for _ in 0..60 {
        history.extend(refresh(&mut world, 300));
    }
    assert_eq!(history.len(), 5);
    assert!(history.windows(2).all(|pair| pair[1].end == pair[0].end + 3_600 && pair[1].index > pair[0].index));
    assert!(history.iter().all(|hour| (hour.hours, hour.longs, hour.shorts) == (1, 1_000, 1_000)));
    assert!(history.windows(2).all(|pair| pair[1].rate_ppb > pair[0].rate_ppb), "the average follows the premium");
    assert!(history.iter().all(|hour| hour.premium_ppb == 5_000_000), "clamped");
    // From the first hour's end to the last one's, and what has accrued since.
    let (paid, state) = (world.holding(ann, BTC).funding.0, *world.market(BTC).funding());
    let last = history.last().expect("five");
    assert!(last.index < state.index && last.end <= world.now && last.end > world.now - 3_600);
    let at_rate = i128::from(last.mark) * i128::from(last.rate_ppb) / 1_000_000_000;
    let hour = i128::from(last.index - history[3].index) / i128::from(FUNDING_ONE);
    assert!(hour <= at_rate && hour > at_rate / 2, "{hour} an hour at a rate that rose to {at_rate}");
    assert_eq!(
        -i128::from(paid),
        (1_000 * i128::from(state.index) + i128::from(FUNDING_ONE) - 1) / i128::from(FUNDING_ONE)
    );
}

#[test]
fn gaps_lose_no_hour() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(5_000 * DOLLAR), world.trader(5_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    let start = world.now;
    let mut reported = 0;
    for gap in [1, 3_599, 3_600, 7_200, 60, 90_000, 1, 86_400, 200_000] {
        let history = refresh(&mut world, gap);
        assert!(history.len() <= 24);
        reported += history.iter().map(|hour| i64::from(hour.hours)).sum::<i64>();
        assert!(history.iter().all(|hour| hour.end <= world.now && hour.end > world.now - gap));
    }
    assert_eq!(reported, world.now / 3_600 - start / 3_600);
}

#[test]
fn what_is_left_of_deleveraged_positions_pays_and_receives_exactly() {
    let mut world = World::btc();
    let (cal, kit) = (world.trader(5_500 * DOLLAR), world.trader(1_000 * DOLLAR));
    let shorts: Vec<_> = [(3_333, 3_340), (3_333, 3_340), (3_334, 40_000)]
        .into_iter()
        .map(|(lots, deposit)| {
            let short = world.trader(deposit * DOLLAR);
            world.trade(BTC, cal, short, lots, PRICE);
            short
        })
        .collect();
    // Some of the bankrupt position finds a buyer, so that cells are taken in part and lots become fractions.
    world.move_price(BTC, 9 * DOLLAR + 20 * CENT);
    let ann = world.trader(1_000_000 * DOLLAR);
    let price = world.bankruptcy_price(cal, BTC).unsigned_abs().next_multiple_of(100);
    world.bid(ann, BTC, 6_001, price);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    world.settle(kit, ann, BTC).succeeds();
    assert_eq!(world.position(cal, BTC), 0);
    world.move_price(BTC, PRICE);
    // A fill waits while funding runs.
    let maker = premium(&mut world);
    let eve = world.trader(100_000 * DOLLAR);
    world.sell(eve, BTC, 100, PRICE + 9 * CENT).succeeds();
    let before: Vec<_> = shorts.iter().map(|short| world.holding(*short, BTC).funding.0).collect();
    for _ in 0..60 {
        refresh(&mut world, 60);
    }
    let everybody: Vec<_> = shorts.iter().copied().chain([ann, maker, eve]).collect();
    let paid: Vec<_> = everybody.iter().map(|trader| world.holding(*trader, BTC).funding.0).collect();
    let lots: Vec<_> = everybody.iter().map(|trader| world.position(*trader, BTC)).collect();
    assert!(shorts.iter().enumerate().all(|(at, _)| lots[at] == 0 || paid[at] > before[at]), "{lots:?} {paid:?}");
    // The audit after each of these checks the identity to 2^-24 atoms; here that nobody got what nobody paid, but for
    // an atom of rounding each, and what a few lots of dust got.
    let dust = lots.iter().sum::<i64>().abs();
    assert!(dust <= 3, "{lots:?}");
    let rise = world.market(BTC).funding_index() / FUNDING_ONE + 1;
    let total: i64 = paid.iter().sum();
    let tolerance = 6 + (dust + 3) * rise;
    assert!(total.abs() <= tolerance, "{total} of {paid:?}, at {rise} a lot");
    for trader in everybody {
        world.settle(kit, trader, BTC).succeeds();
    }
}
