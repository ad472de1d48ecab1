//! How every history ends: whoever is due is resolved, everybody closes against a market maker, is paid and leaves. Nobody
//! is stuck, whatever went before.

use ballast_client::{
    ballast::state::MarketStatus,
    instructions::{self, post_only_order},
    units::{Lots, Price, Side},
};
use ballast_risk::liquidation::Step;
use ballast_tests::harness::{DOLLAR, Expect, Outcome, Trader};
use solana_signer::Signer;

use super::{MARKETS, Run};

/// More than all of them together have.
const MAKERS_DEPOSIT: u64 = 1_000_000_000 * DOLLAR;
/// Rounds within which everybody must be resolved.
const ROUNDS: usize = 60;
/// Claims and losses of different accounts and markets that may hang on each other.
const CHAIN: usize = 12;

impl Run {
    pub fn wind_down(&mut self) {
        self.open_everything();
        let maker = self.world.trader(MAKERS_DEPOSIT);
        self.clear_books(maker);
        self.resolve(maker);
        for market in 0..MARKETS {
            self.close_all(market, maker);
        }
        self.resolve(maker);
        self.pay_out(maker);
        self.no_trigger_outlives_its_position();
    }

    /// Every market active, nothing paused, fresh prices, insurance for everything.
    fn open_everything(&mut self) {
        let (admin, keys) = (self.world.admin.insecure_clone(), self.world.keys);
        let resume = instructions::set_pause(&admin.pubkey(), &keys.exchange, false, false);
        self.world.send(&[resume], &[&admin]).succeeds();
        for market in 0..MARKETS {
            let key = self.world.market_keys(market).market;
            let active = instructions::set_market_status(&admin.pubkey(), &keys.exchange, &key, MarketStatus::Active);
            self.world.send(&[active], &[&admin]).succeeds();
            let change = self.world.update_market(market, |params| {
                params.insurance_limit_per_day = 100_000_000 * DOLLAR;
                params.deleverage_delay_s = 0;
                params.max_position_lots = 100_000_000;
                params.max_orders_per_account = 512;
            });
            change.succeeds();
            let price = self.world.oracle_price(market);
            self.world.move_price(market, price);
        }
        self.world.fund_insurance(100_000_000 * DOLLAR);
    }

    /// No order rests and no fill waits.
    fn clear_books(&mut self, maker: Trader) {
        for trader in self.everybody().collect::<Vec<_>>() {
            for market in 0..MARKETS {
                if self.world.slot(trader, market).seat != 0 {
                    self.world.cancel_all(trader, market, None, 512).succeeds();
                }
                if trader != maker && self.world.margin_account(trader).slot_index(market).is_some() {
                    self.world.settle(maker, trader, market).succeeds();
                }
            }
        }
    }

    /// Liquidates, takes over, deleverages and covers until nothing is due any more.
    fn resolve(&mut self, maker: Trader) {
        for _ in 0..ROUNDS {
            let due = self.due();
            if due.is_empty() {
                return;
            }
            for (trader, market, step) in due {
                let outcome = self.resolve_one(maker, trader, market, step);
                self.reached.note(&outcome);
            }
            self.world.advance(20);
        }
        panic!("still due after {ROUNDS} rounds: {:?}", self.due());
    }

    fn resolve_one(&mut self, maker: Trader, trader: Trader, market: u16, step: Step) -> Outcome {
        match step {
            Step::None => self.world.cover_bad_debt(maker, trader, market),
            Step::Bankrupt { .. } => self.world.deleverage(maker, trader, market, 512),
            Step::Takeover { .. } | Step::Backstop { .. } => self.world.take_over(maker, trader, market, u64::MAX),
            Step::Wait { .. } | Step::Partial => self.world.liquidate(maker, trader, market),
        }
    }

    /// Everybody closes at the mark.
    fn close_all(&mut self, market: u16, maker: Trader) {
        for trader in self.everybody().filter(|trader| *trader != maker).collect::<Vec<_>>() {
            let lots = self.world.position(trader, market);
            if lots == 0 {
                continue;
            }
            let price = self.world.market(market).mark().0 / 100 * 100;
            let (side, maker_side) = if lots > 0 { (Side::Short, Side::Long) } else { (Side::Long, Side::Short) };
            let order = post_only_order(maker_side, Price(price), Lots(lots.unsigned_abs()));
            self.world.place(maker, market, order).succeeds();
            self.world.reduce(trader, market, side, lots.unsigned_abs(), price).succeeds();
            assert_eq!(self.world.position(trader, market), 0);
            self.world.settle(trader, maker, market).succeeds();
        }
    }

    /// Everybody has been settled by now: what deleveraging closed unseen, too.
    fn no_trigger_outlives_its_position(&mut self) {
        let snapshot = self.world.snapshot();
        let view = snapshot.view().expect("sound slabs");
        for market in 0..MARKETS {
            assert_eq!(view.market(market).expect("the market").book.trigger_count(), 0);
        }
    }

    /// Everybody gets what the pools have for them, withdraws it and leaves.
    fn pay_out(&mut self, maker: Trader) {
        let everybody: Vec<_> = self.everybody().filter(|trader| *trader != maker).collect();
        // A claim paid in one market may pay a loss in another, which may pay somebody else's claim, and so on.
        for _ in 0..CHAIN {
            for market in 0..MARKETS {
                let outcome = self.world.sweep_insurance_fees(market);
                self.reached.note(&outcome);
            }
            for trader in &everybody {
                for market in 0..MARKETS {
                    if self.world.margin_account(*trader).slot_index(market).is_some() {
                        self.world.settle(maker, *trader, market).succeeds();
                    }
                }
            }
        }
        self.settle_referrals(&everybody);
        let mut unpaid = 0;
        for trader in everybody {
            let collateral = self.world.collateral(trader);
            if collateral > 0 {
                self.world.withdraw(trader, collateral).succeeds();
            }
            let claims: i64 = (0..MARKETS).map(|market| self.world.slot(trader, market).unsettled).sum();
            if claims == 0 {
                self.world.close_account(trader).succeeds();
            }
            unpaid += claims;
        }
        // What rounding has cost is insurance's to pay, out of its fees to come.
        let owed: i64 = (0..MARKETS).map(|market| self.debt_of_dust(market)).sum();
        let tolerance = i64::try_from(DOLLAR).expect("a dollar");
        assert!((0..=owed + tolerance).contains(&unpaid), "{unpaid} atoms are unpaid, dust owes {owed}");
        self.reached.unpaid.push(unpaid);
    }

    /// Whoever referred others gets what is due.
    fn settle_referrals(&mut self, everybody: &[Trader]) {
        for trader in everybody {
            if self.world.owner_account(*trader).is_some() {
                let accounts = self.accounts_of_the_owner_of(*trader);
                self.world.roll_volume(&accounts).succeeds();
            }
        }
        for trader in everybody {
            if self.world.owner_account(*trader).is_some_and(|owner| owner.earned > 0) {
                let outcome = self.world.claim_referral(*trader);
                self.reached.note(&outcome);
            }
        }
    }

    /// What the owner of the lots that rounding left over owes, at the mark: in the dust, and in cells that still have
    /// members.
    fn debt_of_dust(&mut self, market: u16) -> i64 {
        let snapshot = self.world.snapshot();
        let view = snapshot.view().expect("sound slabs");
        let open = view.market(market).expect("the market");
        let (funding, mark) = (open.market.funding_index(), open.market.mark());
        let value = |lots: Lots, side: Side| i128::from(lots.0) * i128::from(mark.0) * i128::from(side.sign());
        let mut worth = 0i128;
        for side in Side::BOTH {
            let dust = open.ranks.dust(side, funding);
            worth += i128::from(dust.atoms().expect("in range").0) + value(dust.lots, side);
            worth +=
                open.ranks.cells(side, funding).map(|cell| (cell.cash >> 24) + value(cell.total, side)).sum::<i128>();
        }
        for (_, account) in snapshot.accounts() {
            let Some(slot) = account.slot_index(market).map(|at| account.slots[at]) else { continue };
            let Some(side) = slot.position().side() else { continue };
            let held = open.ranks.peek(side, slot.membership(), funding, mark).expect("a member");
            worth -= i128::from(held.deleveraged().0 + held.funding.0) + value(held.lots, side);
        }
        i64::try_from(-worth).expect("in range").max(0)
    }
}
