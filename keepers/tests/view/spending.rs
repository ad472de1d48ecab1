//! The hour's money: where a keeper stops, what it keeps for forced reductions, and when it goes on. The clock is the test's.

use std::time::{Duration, Instant};

use ballast_client::ballast::error::BallastError;
use ballast_keeper::{
    config::{ProfitConfig, Role},
    decide::profit::Least,
    outcome::{Outcome, Refused, sense},
    settings::Settings,
    task::{Class, Kind},
};
use ballast_risk::oracle::Reading;
use solana_signature::Signature;

use super::{HOLDERS, Happening, Keeper, happen};
use crate::population::{MARKET, NOW, Population, data_of, holder};

/// What a transaction may cost, in lamports: a thousandth of a SOL for priority, and the signature.
const MOST: u64 = 1_005_000;

/// A keeper in a market whose longs are in trouble, and whose shorts have each realised two cents of loss.
fn keeper(max_spend: &str, routine_share: u8) -> Keeper {
    let mut chain = Population::new(HOLDERS, 1);
    for number in (1..HOLDERS).step_by(2) {
        let account = chain.accounts.get_mut(&holder(number)).unwrap();
        let at = account.data.len() - size_of::<ballast_client::ballast::state::MarginAccount>();
        let mut state: ballast_client::ballast::state::MarginAccount =
            bytemuck::pod_read_unaligned(&account.data[at..]);
        state.slots[0].unsettled = -20_000;
        account.data = data_of(&state);
    }
    happen(&mut chain, Happening::Price(-1_000));
    let said = Settings {
        roles: Some(vec![Role::Liquidator, Role::Settler]),
        max_spend_per_hour: Some(max_spend.parse().unwrap()),
        routine_share: Some(routine_share),
        min_loss: Some("0.01".parse().unwrap()),
        jitter_ms: Some(0),
        ..Settings::default()
    };
    Keeper::with(chain.live(Instant::now()), said)
}

/// What is begun at a moment, forced and routine; all of it costs the most, for nothing.
fn begins(keeper: &mut Keeper, at: Instant) -> [usize; 2] {
    let decided = keeper.decides(100, at);
    let refused = Refused { name: String::new(), message: String::new(), sense: sense(BallastError::NotEligible) };
    let failed = Outcome::Failed { refused, signature: Signature::default(), slot: 9, fee: MOST };
    for (plan, _) in &decided.plans {
        keeper.mind.end(plan, &failed, at);
    }
    [Class::Forced, Class::Routine]
        .map(|class| decided.plans.iter().filter(|(plan, _)| plan.task.class() == class).count())
}

#[test]
fn a_keeper_stops_at_its_cap_and_goes_on_when_the_hour_has_passed() {
    let mut keeper = keeper("0.02", 50);
    let start = Instant::now() + Duration::from_secs(1);
    let after = |seconds| start + Duration::from_secs(seconds);
    // 19 transactions in all, of them 9 that are routine.
    let first = begins(&mut keeper, start);
    assert!(first[0] > 0 && first[0] < 10, "{first:?}");
    assert_eq!(first[1], 9, "the share of routine work");
    let mut forced = first[0];
    for second in 1..10 {
        let [more, routine] = begins(&mut keeper, after(second));
        assert_eq!(routine, 0, "its share is used up");
        forced += more;
    }
    assert_eq!(forced, 10, "forced reductions go on to the cap");
    let stopped = keeper.decides(100, after(3_599));
    assert!(stopped.capped && stopped.routine_capped && stopped.plans.is_empty());
    let again = begins(&mut keeper, after(3_600));
    assert!(again[0] > 0 && again[1] > 0, "{again:?}");
}

#[test]
fn routine_work_may_be_given_nothing() {
    let mut keeper = keeper("0.02", 0);
    let decided = keeper.decides(100, Instant::now() + Duration::from_secs(1));
    assert!(decided.routine_capped && !decided.capped);
    assert!(!decided.plans.is_empty() && decided.plans.iter().all(|(plan, _)| plan.task.kind == Kind::Liquidate));
}

#[test]
fn a_sol_costs_what_its_market_says_while_that_is_fresh() {
    let start = Instant::now();
    let mut chain = Population::new(2, 1);
    let profit = ProfitConfig { forced: Least::Any, routine: Least::Any, sol_price: 300_000_000, sol_market: Some(0) };
    // A lot is a thousandth of a SOL, at a tenth of a dollar.
    assert_eq!(chain.live(start).sol_price(&profit, start), 100_000_000);
    assert_eq!(chain.live(start).sol_price(&ProfitConfig { sol_market: None, ..profit }, start), 300_000_000);
    let old = Reading { publish_time: NOW - 600, ..*chain.market.reading() };
    chain.market.set_reading(old);
    let market = data_of(&chain.market);
    chain.accounts.get_mut(&MARKET).unwrap().data = market;
    assert_eq!(chain.live(start).sol_price(&profit, start), 300_000_000, "its price is old");
}

#[test]
fn what_is_not_worth_its_cost_is_not_tried_again_at_once() {
    let mut keeper = keeper("1", 50);
    let start = Instant::now() + Duration::from_secs(1);
    let settles = |keeper: &mut Keeper, at| {
        let plans = keeper.decides(100, at).plans;
        for (plan, _) in &plans {
            let outcome = match plan.task.kind {
                Kind::SettleSeat => Outcome::LeftOut { expected: Default::default(), cost: 1_500 },
                _ => Outcome::Nothing,
            };
            assert!(plan.paid || plan.task.kind != Kind::SettleSeat);
            keeper.mind.end(plan, &outcome, at);
        }
        plans.iter().filter(|(plan, _)| plan.task.kind == Kind::SettleSeat).count()
    };
    let found = settles(&mut keeper, start);
    assert!(found >= 9, "{found}");
    assert_eq!(settles(&mut keeper, start + Duration::from_secs(9)), 0);
    assert_eq!(settles(&mut keeper, start + Duration::from_secs(11)), found);
    assert_eq!(settles(&mut keeper, start + Duration::from_secs(30)), 0, "for longer now");
}
