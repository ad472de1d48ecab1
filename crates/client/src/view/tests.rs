//! The exchange of [`crate::testing`], seen through the program's formulas. Its funding index stands at half an atom per
//! lot.

use ballast::{
    error::BallastError,
    logic::Marks,
    state::{MarginAccount, Market},
};
use ballast_risk::{
    health::Stage,
    liquidation::{Progress, Step},
};
use ballast_units::{Lots, Position, Price, Quote};
use solana_pubkey::Pubkey;

use super::{ViewError, share_ahead_bps};
use crate::testing::{LONG, MAKER, MARKET, PRICE, SHORT, World, set_mark};

const NOW: i64 = 1_001;

/// The exchange at another mark.
fn at(price: u64) -> World {
    let mut world = World::new();
    world.change(MARKET, |market: &mut Market| set_mark(market, price));
    world
}

#[test]
fn a_position_shows_the_fills_that_wait_and_the_funding_that_accrued() {
    let world = World::new();
    let snapshot = world.snapshot().unwrap();
    let view = snapshot.view().unwrap();
    let long = view.position(&LONG, 0).unwrap().unwrap();
    assert_eq!((long.position, long.funding, long.unsettled), (Position(7_000), Quote(-3_500), Quote(-200)));
    let short = view.position(&SHORT, 0).unwrap().unwrap();
    assert_eq!((short.position, short.funding), (Position(-5_500), Quote(2_750)));
    // Sold 1,500 at 1,000 with a maker fee of 0.01 %; 500 more are on offer.
    let maker = view.position(&MAKER, 0).unwrap().unwrap();
    assert_eq!((maker.position, maker.basis), (Position(-1_500), Quote(-1_500_000)));
    assert_eq!((maker.unsettled, maker.asks), (Quote(-150), Lots(500)));
    assert_eq!(view.position(&LONG, 1), Ok(None));
}

#[test]
fn equity_is_collateral_profit_and_funding() {
    let world = at(1_010);
    let assessment = world.snapshot().unwrap().assess(&LONG, Marks::Current).unwrap();
    assert_eq!(assessment.account.equity, Quote(1_000_000 - 200 - 3_500 + 70_000));
    assert_eq!(assessment.account.stage(), Stage::Healthy);
    assert_eq!(assessment.losses_owed, 3_700);
}

#[test]
fn at_the_bankruptcy_price_nothing_is_left() {
    let world = World::new();
    let snapshot = world.snapshot().unwrap();
    let bankruptcy = |key| snapshot.view().unwrap().bankruptcy_price(key, 0, Marks::Current).unwrap();
    // (1,000,000 − 3,700) / 7,000 below the mark, rounded up.
    assert_eq!(bankruptcy(&LONG), Some(1_000 - 142));
    assert_eq!(bankruptcy(&SHORT), Some(1_000 + 109));
    let world = at(858);
    let equity = world.snapshot().unwrap().assess(&LONG, Marks::Current).unwrap().account.equity;
    assert!((0..7_000).contains(&equity.0), "{equity:?}");
}

#[test]
fn only_positions_in_profit_are_ranked_and_the_largest_leverage_first() {
    let world = at(1_100);
    let snapshot = world.snapshot().unwrap();
    let view = snapshot.view().unwrap();
    let winner = view.rank(&LONG, 0).unwrap().unwrap();
    assert_eq!((winner.lights(), winner.lots_same_cell, winner.total), (5, Lots(7_000), Lots(7_000)));
    assert_eq!(share_ahead_bps(&winner), 0);
    assert_eq!(view.rank(&SHORT, 0).unwrap().unwrap().lights(), 0);
    assert_eq!(view.rank(&MAKER, 0), Ok(None), "its fills are not in the index yet");
}

#[test]
fn the_steps_of_liquidation_follow_the_mark() {
    let step = |price| {
        let world = at(price);
        let snapshot = world.snapshot().unwrap();
        let due = snapshot.view().unwrap().due(&LONG, NOW).unwrap();
        assert_eq!(due.market, Some(0));
        (due.stage, due.step)
    };
    assert_eq!(step(1_000), (Stage::Healthy, Step::None));
    // Equity 135,300 less than maintenance margin of 2.5 %.
    assert_eq!(step(877), (Stage::Partial, Step::Partial));
    assert!(matches!(step(865), (Stage::Takeover, Step::Takeover { seconds: 0 })));
    assert!(matches!(step(850), (Stage::Bankrupt, Step::Bankrupt { seconds: 0, .. })));
}

#[test]
fn a_takeover_is_offered_at_a_discount_that_grew() {
    let mut world = at(865);
    world.change(MARKET, |market: &mut Market| {
        market.params.takeover_start_bps = 50;
        market.params.takeover_ppm_per_second = 100;
        market.params.takeover_max_bps = 500;
    });
    let offer = |world: &World| {
        let snapshot = world.snapshot().unwrap();
        let view = snapshot.view().unwrap();
        let due = view.due(&LONG, NOW).unwrap();
        view.offer(&LONG, &due).unwrap()
    };
    let first = offer(&world).unwrap();
    assert_eq!((first.price, first.mark, first.shortfall), (Price(860), Price(865), 0));
    world.change(LONG, |account: &mut MarginAccount| {
        *account.progress_mut() = Progress { takeover_since: NOW - 100, seen_at: NOW - 10, ..Progress::default() };
    });
    // 0.5 % + 100 × 0.01 % would be 852.0; the bankruptcy price is nearer.
    let bankruptcy = Price(u64::try_from(first.bankruptcy_price).unwrap());
    assert_eq!(offer(&world).unwrap().price, bankruptcy.max(Price(852)));
    assert_eq!(offer(&at(1_000)), None);
}

#[test]
fn a_price_that_only_one_tick_supports_liquidates_nobody() {
    let mut world = at(850);
    world.change(MARKET, |market: &mut Market| {
        let mut state = *market.mark_state();
        state.previous_tick = Price(0);
        market.set_mark_state(state);
    });
    let snapshot = world.snapshot().unwrap();
    let view = snapshot.view().unwrap();
    let refused = view.due(&LONG, NOW).err().unwrap();
    assert_eq!(refused.ballast().map(u32::from), Some(u32::from(BallastError::OracleSingleTick)));
    assert!(view.assess(&LONG, Marks::Current, None).is_ok());
}

#[test]
fn another_mark_can_be_asked_about_without_changing_the_snapshot() {
    let world = World::new();
    let snapshot = world.snapshot().unwrap();
    let mut view = snapshot.view().unwrap();
    let before = view.exposure(&LONG, Marks::Current).unwrap();
    assert_eq!((before.gross, before.net), (7_000_000, 7_000_000));
    let mut market = snapshot.market(0).unwrap().market;
    set_mark(&mut market, 900);
    view.set_market(market).unwrap();
    let after = view.exposure(&LONG, Marks::Current).unwrap();
    assert_eq!(after.assessment.account.equity.0, before.assessment.account.equity.0 - 700_000);
    assert_eq!(snapshot.market(0).unwrap().market.mark(), Price(PRICE));
    let short = view.exposure(&SHORT, Marks::Current).unwrap();
    assert_eq!((short.gross, short.net), (4_950_000, -4_950_000));
}

#[test]
fn what_is_not_in_the_snapshot_is_said_to_be_missing() {
    let mut world = World::new();
    let nobody = Pubkey::new_from_array([99; 32]);
    assert_eq!(world.snapshot().unwrap().assess(&nobody, Marks::Current).err(), Some(ViewError::NoAccount(nobody)));
    world.change(LONG, |account: &mut MarginAccount| account.slots[1].market_plus_one = 9);
    assert_eq!(world.snapshot().unwrap().assess(&LONG, Marks::Current).err(), Some(ViewError::NoMarket(8)));
}
