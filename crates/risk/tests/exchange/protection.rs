//! Protective reductions: when they are allowed, and what they pay.

use crate::support::DOLLAR;
use ballast_risk::ParamError;
use ballast_risk::health::Account;
use ballast_risk::protection::{MAX_FEE_BPS, MAX_REWARD, ProtectionParams, leeway, reward};
use ballast_units::Quote;
use proptest::prelude::*;

fn account(equity: i64, maintenance: u64, initial: u64) -> Account {
    Account { collateral: 0, equity: Quote(equity), initial_equity: Quote(equity), maintenance, initial }
}

#[test]
fn a_reduction_that_leaves_initial_margin_may_take_what_is_above_it() {
    assert_eq!(leeway(&account(1_000, 500, 900), &account(700, 200, 400)), Some(300));
}

#[test]
fn a_reduction_below_initial_margin_may_take_what_it_improved() {
    assert_eq!(leeway(&account(600, 500, 1_000), &account(580, 400, 800)), Some(80));
    assert_eq!(leeway(&account(600, 500, 1_000), &account(500, 400, 800)), Some(0));
    assert_eq!(leeway(&account(600, 500, 1_000), &account(499, 400, 800)), None);
}

#[test]
fn nothing_may_leave_an_account_insolvent() {
    assert_eq!(leeway(&account(-100, 500, 1_000), &account(-1, 0, 0)), None);
    assert_eq!(leeway(&account(-100, 500, 1_000), &account(5, 0, 0)), Some(5));
}

#[test]
fn the_reward_is_capped_by_each_of_its_limits() {
    assert_eq!(reward(1_000 * DOLLAR, 5, DOLLAR, DOLLAR, DOLLAR), Ok(DOLLAR / 2));
    assert_eq!(reward(1_000_000 * DOLLAR, 5, DOLLAR, 9 * DOLLAR, 9 * DOLLAR), Ok(DOLLAR));
    assert_eq!(reward(1_000_000 * DOLLAR, 5, DOLLAR, 7, 9), Ok(7));
    assert_eq!(reward(1_000_000 * DOLLAR, 5, DOLLAR, 9, 3), Ok(3));
    assert_eq!(reward(1_999, 5, DOLLAR, DOLLAR, DOLLAR), Ok(0));
}

#[test]
fn a_ladder_costs_less_than_a_liquidation() {
    let params =
        |trigger_fee_bps, ladder_fee_bps, max_reward| ProtectionParams { trigger_fee_bps, ladder_fee_bps, max_reward };
    assert_eq!(params(MAX_FEE_BPS, 49, MAX_REWARD).validate(50), Ok(()));
    assert_eq!(params(0, 0, 0).validate(0), Ok(()));
    assert_eq!(params(0, 50, 0).validate(50), Err(ParamError::ProtectionFee));
    assert_eq!(params(0, 51, 0).validate(100), Err(ParamError::ProtectionFee));
    assert_eq!(params(51, 0, 0).validate(100), Err(ParamError::ProtectionFee));
    assert_eq!(params(0, 0, MAX_REWARD + 1).validate(100), Err(ParamError::ProtectionReward));
}

proptest! {
    /// Paying the whole leeway leaves the account where the reduction was allowed to leave it.
    #[test]
    fn the_leeway_can_be_paid(
        before in (-1_000i64..5_000, 0u64..3_000, 0u64..3_000),
        after in (-1_000i64..5_000, 0u64..3_000, 0u64..3_000),
        paid in 0u64..6_000,
    ) {
        let (before, after) = (account(before.0, before.1, before.2), account(after.0, after.1, after.2));
        if let Some(leeway) = leeway(&before, &after) {
            let paid = i64::try_from(paid.min(leeway)).unwrap();
            let left = Quote(after.equity.0 - paid);
            let poorer = Account { equity: left, initial_equity: left, ..after };
            prop_assert!(ballast_risk::protection::leeway(&before, &poorer).is_some());
        }
    }
}
