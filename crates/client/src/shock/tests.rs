//! Against a model that knows nothing of accounts' bytes, ranking indices or levels: positions as plain numbers, a book of
//! single lots, one account after another. Sizes and prices of single steps are the pure crates' (which have their own
//! models).

use ballast::state::Market;
use ballast_risk::{
    health::Account,
    liquidation::{self, LiquidationParams},
};
use ballast_units::{Position as Signed, Quote, Side};

use super::*;
use crate::{
    snapshot::Snapshot,
    testing::{MARKET, Position, World},
};

const MARK: u64 = 100_000;
const NOW: i64 = 1_001;

fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([100 + number; 32])
}

fn long(number: u8, lots: u64, collateral: u64) -> Position {
    Position { key: key(number), side: Side::Long, lots, entry: MARK, collateral }
}

fn short(number: u8, lots: u64, collateral: u64) -> Position {
    Position { side: Side::Short, ..long(number, lots, collateral) }
}

/// A market with a liquidation fee, a target, a discount and an insurance budget.
fn exchange(traders: &[Position], bids: &[(u64, u64)], asks: &[(u64, u64)], budget: u64) -> Snapshot {
    let mut world = World::of(traders, bids, asks);
    world.change(MARKET, |market: &mut Market| {
        market.params.liquidation_target_bps = 12_000;
        market.params.liquidation_max_fraction_bps = 2_000;
        market.params.liquidation_fee_bps = 50;
        market.params.liquidator_share_bps = 5_000;
        market.params.liquidation_max_reward = 1_000_000_000;
        market.params.takeover_start_bps = 100;
        market.params.takeover_ppm_per_second = 100;
        market.params.takeover_max_bps = 1_000;
        market.budget_mut().limit_per_window = budget;
    });
    world.snapshot().unwrap()
}

fn run(snapshot: &Snapshot, ppm: i64, vault: u64) -> Outcome {
    let view = snapshot.view().unwrap();
    shock(&view, &Shock::of_all(&view, ppm, vault, NOW)).unwrap()
}

#[test]
fn nothing_happens_to_accounts_with_margin_enough() {
    let snapshot = exchange(&[long(1, 100, 1_000_000), short(2, 100, 1_000_000)], &[(99_900, 500)], &[], 0);
    let outcome = run(&snapshot, -50_000, 0);
    assert!(outcome.settled && outcome.rounds.is_empty() && outcome.accounts.is_empty());
    let market = outcome.markets[0];
    assert_eq!((market.mark, market.shocked, market.end), (Price(MARK), Price(95_000), Price(95_000)));
    assert_eq!((market.longs, market.shorts), (Lots(100), Lots(100)));
}

#[test]
fn a_liquidation_moves_the_mark_and_the_next_account_falls() {
    // At 95,000 the first is short of margin, the second just not.
    let traders = [long(1, 1_000, 6_500_000), long(2, 1_000, 7_450_000), short(3, 2_000, 100_000_000)];
    let snapshot = exchange(&traders, &[(99_000, 100), (97_000, 5_000)], &[], 0);
    let outcome = run(&snapshot, -50_000, 0);
    let rounds: Vec<_> = outcome.accounts.iter().map(|fallen| (fallen.account, fallen.round)).collect();
    assert_eq!(rounds, [(key(1), 0), (key(2), 1)]);
    assert_eq!(outcome.accounts[0].stage, Stage::Takeover);
    assert_eq!((outcome.accounts[0].equity, outcome.accounts[0].maintenance), (1_500_000, 2_375_000));
    let market = outcome.markets[0];
    assert_eq!(market.end, Price(97_000 * 95 / 100), "the worst price that was reached, moved with the shock");
    assert!(market.longs_on_book > Lots(100) && market.shorts_on_book.is_zero());
    assert_eq!((market.bad_debt, market.shorts_deleveraged), (0, Lots::ZERO));
}

#[test]
fn what_the_book_does_not_take_is_taken_over() {
    let traders = [long(1, 1_000, 7_000_000), short(3, 1_000, 100_000_000)];
    let outcome = run(&exchange(&traders, &[], &[], 0), -50_000, 0);
    let market = outcome.markets[0];
    assert!(outcome.settled && market.longs_taken_over > Lots::ZERO);
    assert_eq!(market.takeover_quote, market.longs_taken_over.0 * 94_050, "one per cent below the mark");
    assert_eq!(market.end, market.shocked);
}

#[test]
fn bad_debt_is_insured_as_far_as_the_budget_reaches_and_the_rest_is_deleveraged() {
    // Ten per cent down: equity 3,000,000 below zero, which is 3,000 a lot; with the discount 3,900.
    let traders = [long(1, 1_000, 7_000_000), short(3, 1_000, 100_000_000)];
    let full = run(&exchange(&traders, &[], &[], 10_000_000), -100_000, 10_000_000);
    let market = full.markets[0];
    assert_eq!((market.longs_taken_over, market.shorts_deleveraged), (Lots(1_000), Lots::ZERO));
    assert_eq!((market.bad_debt, market.insured, full.vault_left), (3_000_000, 3_900_000, 6_100_000));
    for (budget, vault) in [(1_000_000, 10_000_000), (10_000_000, 1_000_000)] {
        let part = run(&exchange(&traders, &[], &[], budget), -100_000, vault);
        let market = part.markets[0];
        assert_eq!(market.budget, 1_000_000);
        assert_eq!(market.longs_taken_over, Lots(1_000_000 / 3_900));
        assert_eq!(market.longs_taken_over.0 + market.shorts_deleveraged.0, 1_000);
        assert!(market.insured <= 1_000_000 && market.bad_debt.abs_diff(3_000_000) < 1_000);
        let insured_discount = market.longs_taken_over.0 * 900;
        let lacking = market.bad_debt - (market.insured - insured_discount);
        assert!(market.forgone.abs_diff(lacking) < 1_000, "the winners give up what nobody paid: {market:?}");
    }
    let none = run(&exchange(&traders, &[], &[], 0), -100_000, 0);
    assert_eq!((none.markets[0].shorts_deleveraged, none.markets[0].forgone), (Lots(1_000), 3_000_000));
    assert_eq!((none.accounts[0].stage, none.accounts[0].bad_debt), (Stage::Bankrupt, 3_000_000));
    assert_eq!(none.debt_left, 0);
}

#[test]
fn a_rise_does_the_same_to_shorts() {
    let traders = [short(1, 1_000, 7_000_000), long(3, 1_000, 100_000_000)];
    let outcome = run(&exchange(&traders, &[], &[(101_000, 400)], 0), 100_000, 0);
    let market = outcome.markets[0];
    assert_eq!((market.shocked, market.longs_deleveraged), (Price(110_000), Lots(1_000)));
    assert_eq!(market.shorts_on_book, Lots::ZERO, "asks are beyond the bankruptcy price");
}

#[test]
fn the_limit_of_rounds_is_kept_and_said() {
    let traders = [long(1, 1_000, 6_500_000), long(2, 1_000, 7_450_000), short(3, 2_000, 100_000_000)];
    let snapshot = exchange(&traders, &[(99_000, 100), (97_000, 5_000)], &[], 0);
    let view = snapshot.view().unwrap();
    let once = Shock { rounds: 1, ..Shock::of_all(&view, -50_000, 0, NOW) };
    let outcome = shock(&view, &once).unwrap();
    assert_eq!((outcome.rounds.len(), outcome.accounts.len(), outcome.settled), (1, 1, false));
}

#[test]
fn positions_are_found_at_the_prices_that_liquidate_them() {
    let traders = [long(1, 1_000, 7_000_000), long(2, 500, 10_000_000), short(3, 1_500, 15_000_000)];
    let snapshot = exchange(&traders, &[], &[], 0);
    let view = snapshot.view().unwrap();
    let buckets = liquidations_by_price(&view, 0, 10_000, 100).unwrap();
    assert_eq!((buckets.len(), buckets[0].low, buckets[99].high), (100, Price(MARK / 2), Price(MARK * 3 / 2)));
    let at = |price: u64| buckets.iter().find(|bucket| (bucket.low..bucket.high).contains(&Price(price))).unwrap();
    for (trader, key) in traders.iter().zip([1, 2, 3].map(key)) {
        let account = snapshot.account(&key).unwrap();
        let price = view.liquidation_price(&key, account, 0).unwrap().unwrap();
        let bucket = at(price.0 - u64::from(trader.side == Side::Long));
        let found = if trader.side == Side::Long { bucket.longs } else { bucket.shorts };
        assert_eq!((found, bucket.accounts), (Lots(trader.lots), 1));
    }
    assert_eq!(buckets.iter().map(|bucket| bucket.accounts).sum::<u32>(), 3);
}

#[test]
fn the_nearest_account_decides_the_distance_to_a_stage() {
    let traders = [long(1, 1_000, 7_000_000), long(2, 500, 10_000_000), short(3, 1_500, 15_000_000)];
    let snapshot = exchange(&traders, &[], &[], 0);
    let view = snapshot.view().unwrap();
    let steps: Vec<_> =
        [Stage::Partial, Stage::Takeover, Stage::Bankrupt].map(|stage| nearest(&view, 0, stage).unwrap()).to_vec();
    // 7,000,000 − 1,000 × fall < 2.5 % of what is left; two thirds of that; nothing.
    let falls: Vec<_> = steps.iter().map(|step| step.fall.unwrap()).collect();
    assert_eq!(falls, [-47_000, -55_000, -71_000]);
    let rises: Vec<_> = steps.iter().map(|step| step.rise.unwrap()).collect();
    assert_eq!(rises, [74_000, 82_000, 101_000]);
}

#[test]
fn the_largest_come_first_with_their_part_of_their_side() {
    let traders = [long(1, 1_000, 7_000_000), long(2, 500, 10_000_000), short(3, 1_500, 15_000_000)];
    let snapshot = exchange(&traders, &[], &[], 0);
    let shares = concentration(&snapshot.view().unwrap(), 0, 2).unwrap();
    let found: Vec<_> = shares.iter().map(|share| (share.account, share.lots.0, share.share_bps)).collect();
    assert_eq!(found, [(key(3), 1_500, 10_000), (key(1), 1_000, 6_666)]);
    assert_eq!(shares[1].notional, 1_000 * MARK);
}

/// The model.
struct Model {
    mark: u64,
    shocked: u64,
    /// Single lots, best first.
    bids: Vec<u64>,
    asks: Vec<u64>,
    accounts: Vec<Plain>,
    insurance: u64,
    tiers: [ballast_risk::margin::Tier; ballast_risk::margin::TIERS],
    params: LiquidationParams,
    worst: [Option<u64>; 2],
    found: MarketOutcome,
    fallen: Vec<(Pubkey, u32)>,
    rounds: u32,
}

#[derive(Clone, Copy)]
struct Plain {
    key: Pubkey,
    /// Positive long.
    lots: i64,
    /// Everything but the position's value, paid for it included.
    cash: i64,
    /// Cost of the position, positive for a long: what realised profit is measured by.
    cost: i64,
    /// Of the cash, what is settled: a fee is paid of it.
    settled: i64,
    winner: bool,
}

impl Model {
    fn account(&self, at: usize) -> Account {
        let Plain { lots, cash, .. } = self.accounts[at];
        let notional = lots.unsigned_abs() * self.mark;
        Account {
            equity: Quote(cash + lots * i64::try_from(self.mark).unwrap()),
            maintenance: (notional * 250).div_ceil(10_000),
            ..Account::default()
        }
    }

    fn run(&mut self) {
        while self.rounds < ROUNDS {
            let mut due: Vec<_> = (0..self.accounts.len())
                .filter(|at| self.accounts[*at].lots != 0 && self.account(*at).stage() >= Stage::Partial)
                .map(|at| (self.account(at).margin_ratio_bps(), self.accounts[at].key, at))
                .collect();
            due.sort();
            if due.is_empty() {
                break;
            }
            for (_, key, at) in due {
                if self.fallen.iter().all(|(fallen, _)| *fallen != key) {
                    self.fallen.push((key, self.rounds));
                }
                for _ in 0..4 {
                    self.step(at);
                }
            }
            self.rounds += 1;
            let down = self.worst[0].map_or(0, |worst| self.shocked.saturating_sub(worst));
            let up = self.worst[1].map_or(0, |worst| worst.saturating_sub(self.shocked));
            self.mark = self.shocked - down + up;
        }
    }

    fn bankruptcy(&self, at: usize) -> i64 {
        let account = self.account(at);
        let position = Signed(self.accounts[at].lots);
        liquidation::bankruptcy_price(position, Price(self.mark), account.maintenance, &account).unwrap()
    }

    fn restoring(&self, at: usize, price: u64, fee_bps: u32) -> u64 {
        let params = LiquidationParams { max_fraction_bps: 10_000, fee_bps, ..self.params };
        let (mark, price) = (Price(self.mark), Price(price));
        let position = Signed(self.accounts[at].lots);
        liquidation::partial_lots(position, mark, price, &self.tiers, &self.account(at), &params).unwrap().0
    }

    /// Sells (buys back) single lots.
    fn on_book(&mut self, at: usize, lots: u64, limit: i64) -> (u64, i64) {
        let is_long = self.accounts[at].lots > 0;
        let (mut done, mut quote) = (0, 0);
        let book = if is_long { &mut self.bids } else { &mut self.asks };
        let ok = |price: u64| {
            let price = i64::try_from(price).unwrap();
            if is_long { price >= limit.max(1) } else { price <= limit }
        };
        while done < lots && book.first().is_some_and(|price| ok(*price)) {
            let price = book.remove(0);
            self.worst[usize::from(!is_long)] = Some(price);
            quote += i64::try_from(price).unwrap();
            done += 1;
        }
        self.close(at, done, quote);
        let counted = if is_long { &mut self.found.longs_on_book } else { &mut self.found.shorts_on_book };
        counted.0 += done;
        (done, quote)
    }

    fn close(&mut self, at: usize, lots: u64, quote: i64) {
        let account = &mut self.accounts[at];
        let (signed, side) = (i64::try_from(lots).unwrap(), account.lots.signum());
        let part = if signed == account.lots.abs() { account.cost } else { account.cost * signed / account.lots.abs() };
        account.cost -= part;
        account.settled = (account.settled + side * quote - part).max(0);
        account.lots -= side * signed;
        account.cash += side * quote;
    }

    fn step(&mut self, at: usize) {
        let before = self.account(at);
        let held = self.accounts[at].lots;
        if held == 0 || before.stage() < Stage::Partial {
            return;
        }
        let side = Signed(held).side().unwrap();
        let limit = self.bankruptcy(at);
        if before.stage() == Stage::Bankrupt {
            self.on_book(at, held.unsigned_abs(), limit);
            self.insure(at, side);
            self.deleverage(at, side);
            return;
        }
        let wanted = self.restoring(at, self.mark, self.params.fee_bps);
        let (done, quote) = self.on_book(at, wanted, limit);
        let fee = (quote * i64::from(self.params.fee_bps) + 9_999) / 10_000;
        let fee = fee.min(self.account(at).equity.0.min(self.accounts[at].settled).max(0));
        self.accounts[at].cash -= fee;
        self.accounts[at].settled -= fee;
        let now = self.account(at).stage();
        if done < wanted && matches!(now, Stage::Partial | Stage::Takeover) {
            let offer = self.offer(at, side);
            let lots = self.restoring(at, offer.price.0, 0);
            if offer.shortfall == 0 {
                self.hand_over(at, side, lots, offer.price.0);
            }
        }
    }

    fn offer(&self, at: usize, side: Side) -> liquidation::Takeover {
        liquidation::takeover_price(side, Price(self.mark), self.bankruptcy(at), 0, &self.params.takeover).unwrap()
    }

    fn hand_over(&mut self, at: usize, side: Side, lots: u64, price: u64) {
        self.close(at, lots, i64::try_from(lots * price).unwrap());
        let counted =
            if side == Side::Long { &mut self.found.longs_taken_over } else { &mut self.found.shorts_taken_over };
        counted.0 += lots;
    }

    fn insure(&mut self, at: usize, side: Side) {
        let held = self.accounts[at].lots.unsigned_abs();
        if held == 0 || self.account(at).stage() != Stage::Bankrupt {
            return;
        }
        let (offer, lacking) = (self.offer(at, side), self.bankruptcy(at).abs_diff(i64::try_from(self.mark).unwrap()));
        let lots = self.restoring(at, offer.price.0, 0).min(self.insurance / offer.shortfall.max(1));
        let paid = lots * offer.shortfall;
        self.insurance -= paid;
        self.found.insured += paid;
        self.found.bad_debt += lacking * lots;
        self.accounts[at].cash += i64::try_from(paid).unwrap();
        self.hand_over(at, side, lots, offer.price.0);
    }

    fn deleverage(&mut self, at: usize, side: Side) {
        let held = self.accounts[at].lots.unsigned_abs();
        if held == 0 || self.account(at).stage() != Stage::Bankrupt {
            return;
        }
        let bankruptcy = u64::try_from(self.bankruptcy(at)).unwrap();
        let lacking = bankruptcy.abs_diff(self.mark);
        let paid = self.insurance.min(lacking * held) / held;
        let price = if side == Side::Long { bankruptcy - paid } else { bankruptcy + paid };
        self.insurance -= paid * held;
        self.found.insured += paid * held;
        self.found.bad_debt += lacking * held;
        self.found.forgone += (lacking - paid) * held;
        self.accounts[at].cash += i64::try_from(paid * held).unwrap();
        self.close(at, held, i64::try_from(held * price).unwrap());
        let counted =
            if side == Side::Long { &mut self.found.shorts_deleveraged } else { &mut self.found.longs_deleveraged };
        counted.0 += held;
        assert!(self.accounts.iter().any(|account| account.winner));
    }
}

/// A small generator, so that every run sees the same worlds.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (self.0 >> 33) % (high - low + 1)
    }
}

#[test]
fn random_exchanges_go_the_way_of_the_model() {
    let (mut with_rounds, mut with_debt, mut with_takeovers, mut with_insurance) = (0, 0, 0, 0);
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let side = if dice.roll(0, 1) == 0 { Side::Long } else { Side::Short };
        let count = u8::try_from(dice.roll(1, 12)).unwrap();
        let mut traders = Vec::new();
        for number in 1..=count {
            let lots = dice.roll(1, 60);
            let collateral = lots * dice.roll(2_600, 14_000);
            traders.push(Position { side, ..long(number, lots, collateral) });
        }
        let all = traders.iter().map(|trader| trader.lots).sum();
        traders.push(Position { side: side.opposite(), ..long(50, all, all * MARK) });
        let mut levels = |sign: i64| -> Vec<(u64, u64)> {
            let mut away = 0;
            (0..dice.roll(0, 6))
                .map(|_| {
                    away += dice.roll(20, 1_200);
                    (MARK.saturating_add_signed(sign * i64::try_from(away).unwrap()), dice.roll(1, 60))
                })
                .collect()
        };
        let (bids, asks) = (levels(-1), levels(1));
        let insurance = dice.roll(0, 3) / 2 * dice.roll(0, 300_000);
        let size = i64::try_from(dice.roll(10_000, 160_000)).unwrap();
        let ppm = if side == Side::Long { -size } else { size };
        let snapshot = exchange(&traders, &bids, &asks, insurance);
        let outcome = run(&snapshot, ppm, insurance);

        let market = &snapshot.market(0).unwrap().market;
        let shocked = u64::try_from(100_000 * (ONE_PPM + ppm) / ONE_PPM).unwrap();
        let single = |levels: &[(u64, u64)], up: bool| -> Vec<u64> {
            let moved = |price: u64| if up { (price * shocked).div_ceil(MARK) } else { price * shocked / MARK };
            levels.iter().flat_map(|(price, lots)| vec![moved(*price); usize::try_from(*lots).unwrap()]).collect()
        };
        let plain = |trader: &Position| {
            let lots = i64::try_from(trader.lots).unwrap() * trader.side.sign();
            let cost = lots * i64::try_from(trader.entry).unwrap();
            let settled = i64::try_from(trader.collateral).unwrap();
            Plain { key: trader.key, lots, cash: settled - cost, cost, settled, winner: trader.side != side }
        };
        let mut model = Model {
            mark: shocked,
            shocked,
            bids: single(&bids, false),
            asks: single(&asks, true),
            accounts: traders.iter().map(plain).collect(),
            insurance,
            tiers: *market.params.tiers(),
            params: market.params.liquidation(),
            worst: [None, None],
            found: MarketOutcome::default(),
            fallen: Vec::new(),
            rounds: 0,
        };
        model.run();
        let found = outcome.markets[0];
        let fallen: Vec<_> = outcome.accounts.iter().map(|fallen| (fallen.account, fallen.round)).collect();
        let rounds = u32::try_from(outcome.rounds.len()).unwrap();
        assert_eq!((fallen, rounds), (model.fallen.clone(), model.rounds), "seed {seed}");
        assert_eq!((found.shocked.0, found.end.0), (model.shocked, model.mark), "seed {seed}");
        let numbers = |of: &MarketOutcome| {
            [
                of.longs_on_book.0,
                of.shorts_on_book.0,
                of.longs_taken_over.0,
                of.shorts_taken_over.0,
                of.longs_deleveraged.0,
                of.shorts_deleveraged.0,
                of.bad_debt,
                of.insured,
                of.forgone,
            ]
        };
        assert_eq!(numbers(&found), numbers(&model.found), "seed {seed}");
        assert_eq!(outcome.vault_left, model.insurance, "seed {seed}");
        with_rounds += u32::from(rounds > 1);
        with_debt += u32::from(found.forgone > 0);
        with_takeovers += u32::from(found.longs_taken_over.0 + found.shorts_taken_over.0 > 0);
        with_insurance += u32::from(found.insured > 0);
    }
    let reached = [with_rounds, with_debt, with_takeovers, with_insurance];
    assert!(reached.iter().all(|count| *count > 20), "the worlds reach what they are for: {reached:?}");
}
