//! How much a partial liquidation takes.

use crate::support::{DOLLAR, liquidation, table, tiers};
use ballast_risk::health::Account;
use ballast_risk::liquidation::{LiquidationParams, partial_lots};
use ballast_risk::margin::{self, TIERS, Tier};
use ballast_units::{Lots, Position, Price, Quote};
use proptest::prelude::*;

const BPS: i128 = 10_000;

/// One way to close part of a position.
#[derive(Clone, Copy, Debug)]
struct Case {
    position: Position,
    mark: Price,
    price: Price,
    tiers: [Tier; TIERS],
    account: Account,
    params: LiquidationParams,
}

impl Case {
    fn lots(&self) -> u64 {
        partial_lots(self.position, self.mark, self.price, &self.tiers, &self.account, &self.params).unwrap().0
    }

    fn own_maintenance(&self, lots: u64) -> i128 {
        let notional = Lots(lots).value(self.mark).unwrap().positive_part();
        margin::maintenance(notional, &self.tiers).unwrap().into()
    }

    /// Whether the account is at its target after closing `lots` at the price, with all the rounding of the real thing.
    fn restores(&self, lots: u64) -> bool {
        let (closed, all) = (i128::from(lots), self.position.lots().0);
        let price = i128::from(self.price.0);
        let fee = (closed * price * i128::from(self.params.fee_bps) + BPS - 1).div_euclid(BPS);
        let gain = i128::from(self.position.0.signum()) * closed * (price - i128::from(self.mark.0));
        let equity = i128::from(self.account.equity.0) + gain - fee;
        let relief = self.own_maintenance(all) - self.own_maintenance(all - lots);
        BPS * equity >= i128::from(self.params.target_ratio_bps) * (i128::from(self.account.maintenance) - relief)
    }

    fn most(&self) -> u64 {
        (self.position.lots().0 * u64::from(self.params.max_fraction_bps)).div_ceil(10_000)
    }

    fn closes_whole(&self) -> bool {
        self.position.lots().value(self.mark).unwrap().positive_part() <= self.params.whole_below
    }

    /// How many lots more than the least the formula may take: those that free what rounding of margin and fee may be,
    /// twice over, at what the last lot frees.
    fn slack(&self, lots: u64) -> u64 {
        let left = (self.position.lots().0 - lots) * self.mark.0;
        let tier = self.tiers.iter().rfind(|tier| tier.maintenance_bps != 0 && tier.lower <= left).unwrap();
        let target = i128::from(self.params.target_ratio_bps);
        let (mark, price) = (i128::from(self.mark.0), i128::from(self.price.0));
        let off = i128::from(self.position.0.signum()) * (mark - price);
        let cost = BPS * (BPS * off + i128::from(self.params.fee_bps) * price);
        let gain = target * i128::from(tier.maintenance_bps) * mark - cost;
        let rounding = 2 * BPS * (target + BPS);
        if gain > 0 { u64::try_from((rounding + gain - 1) / gain).unwrap() } else { u64::MAX / 2 }
    }
}

fn case(position: impl Strategy<Value = i64>) -> impl Strategy<Value = Case> {
    let whole_below = prop_oneof![Just(0), 0..1_000 * DOLLAR];
    let params = (10_001..=20_000u32, 500..=5_000u32, 0..=200u32, whole_below);
    // At the small ones a lot frees a few atoms, so that rounding decides.
    let mark = prop_oneof![50..2_000u64, 1_000..10_000_000u64];
    let off = prop_oneof![Just(0i64), -300..300i64];
    (position, mark, off, tiers(), 0..30_000i64, 0..1_000_000_000u64, params).prop_map(
        |(position, mark, off, tiers, ratio, others, (target, fraction, fee, whole_below))| {
            let notional = position.unsigned_abs() * mark;
            let maintenance = margin::maintenance(notional, &tiers).unwrap() + others;
            let equity = i128::from(maintenance) * i128::from(ratio) / BPS;
            Case {
                position: Position(position),
                mark: Price(mark),
                price: Price(mark.saturating_add_signed(mark as i64 * off / 10_000)),
                tiers,
                account: Account { equity: Quote(equity as i64), maintenance, ..Account::default() },
                params: LiquidationParams {
                    target_ratio_bps: target,
                    max_fraction_bps: fraction,
                    fee_bps: fee,
                    whole_below,
                    ..liquidation()
                },
            }
        },
    )
}

fn many_lots() -> impl Strategy<Value = i64> {
    prop_oneof![1..100_000_000i64, -100_000_000..-1i64]
}

fn few_lots() -> impl Strategy<Value = i64> {
    prop_oneof![1..400i64, -400..-1i64]
}

/// A lot costs a dollar, 5 % maintenance, no fee: the account has $45 for 1,000 lots.
fn textbook() -> Case {
    Case {
        position: Position(1_000),
        mark: Price(DOLLAR),
        price: Price(DOLLAR),
        tiers: table(&[(0, 500, 1_000)]),
        account: Account { equity: Quote(45_000_000), maintenance: 50_000_000, ..Account::default() },
        params: LiquidationParams { fee_bps: 0, target_ratio_bps: 10_500, ..liquidation() },
    }
}

#[test]
fn the_textbook_position_shrinks_to_what_its_equity_supports() {
    // 45 = 1.05 × 5 % × (1,000 − x), so x = 142.86; one atom of rounding does not reach the next lot.
    assert_eq!(textbook().lots(), 143);
}

#[test]
fn a_worse_price_needs_more_lots_and_a_short_mirrors_a_long() {
    let worse = Case { price: Price(DOLLAR - 10_000), ..textbook() };
    // 45 − x / 100 = 0.0525 × (1,000 − x): x = 7.5 ÷ 0.0425 = 176.5.
    assert_eq!(worse.lots(), 177);
    let short = Case { position: Position(-1_000), price: Price(DOLLAR + 10_000), ..textbook() };
    assert_eq!(short.lots(), 177);
}

#[test]
fn no_more_than_a_fifth_goes_at_once() {
    let poor = Case { account: Account { equity: Quote(30_000_000), ..textbook().account }, ..textbook() };
    assert_eq!(poor.lots(), 200);
}

#[test]
fn a_price_at_which_selling_never_helps_takes_the_most_allowed() {
    let hopeless = Case { price: Price(DOLLAR * 9 / 10), ..textbook() };
    assert_eq!(hopeless.lots(), 200);
    // Each lot costs exactly the margin that it frees.
    let useless = Case { price: Price(DOLLAR - 52_500), ..textbook() };
    assert_eq!(useless.lots(), 200);
}

#[test]
fn a_small_position_closes_whole() {
    let account = Account { equity: Quote(4_000_000), maintenance: 5_000_000, ..Account::default() };
    assert_eq!(Case { position: Position(100), account, ..textbook() }.lots(), 100);
}

#[test]
fn an_account_at_its_target_loses_nothing() {
    let account = Account { equity: Quote(52_500_000), ..textbook().account };
    assert_eq!(Case { account, ..textbook() }.lots(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_is_taken_restores_the_target_unless_a_cap_stops_it(case in case(many_lots())) {
        let lots = case.lots();
        if case.restores(0) {
            prop_assert_eq!(lots, 0);
        } else if case.closes_whole() {
            prop_assert_eq!(Lots(lots), case.position.lots());
        } else {
            prop_assert!(lots >= 1 && lots <= case.most());
            prop_assert!(lots == case.most() || case.restores(lots));
        }
    }

    #[test]
    fn fewer_lots_would_not_have_been_enough(case in case(many_lots())) {
        let lots = case.lots();
        let fewer = lots.checked_sub(1 + case.slack(lots));
        if let (false, false, Some(fewer)) = (case.restores(0), case.closes_whole(), fewer) {
            prop_assert!(!case.restores(fewer), "{} of {}", fewer, lots);
        }
    }

    #[test]
    fn of_all_numbers_of_lots_the_least_is_found(case in case(few_lots())) {
        let lots = case.lots();
        if !case.restores(0) && !case.closes_whole() {
            match (0..=case.most()).find(|lots| case.restores(*lots)) {
                Some(least) => {
                    prop_assert!(lots <= least.saturating_add(case.slack(lots)), "{} against {}", lots, least);
                    prop_assert!(lots >= least);
                }
                None => prop_assert_eq!(lots, case.most()),
            }
        }
    }
}
