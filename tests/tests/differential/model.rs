//! The exchange as slow as it is plain: lists and 128-bit integers, written from docs/risk-model.md and
//! docs/architecture.md and sharing no line with the program or its crates. Only what its test sends is modelled: money in
//! and out, orders, settling. Prices come from outside.

use std::collections::BTreeMap;

use crate::margin::{self, Health};

/// Why something was refused, by the program's name for it.
pub type Refused = &'static str;

/// What never changes about a market.
#[derive(Clone, Debug)]
pub struct Rules {
    pub tick: i128,
    pub min_lots: i128,
    pub max_orders: usize,
    pub band_bps: i128,
    pub maker_ppm: i128,
    pub taker_ppm: i128,
    pub insurance_bps: i128,
    pub haircut_bps: i128,
    /// Where each tier starts, its maintenance and its initial rate.
    pub tiers: Vec<(i128, i128, i128)>,
}

#[derive(Clone, Debug)]
pub struct Resting {
    pub id: u128,
    pub account: usize,
    pub buys: bool,
    pub price: i128,
    pub lots: i128,
    pub expires_at: i64,
    pub reduce_only: bool,
}

#[derive(Clone, Debug)]
pub struct Market {
    pub rules: Rules,
    pub mark: i128,
    /// The oracle's last price.
    pub last: i128,
    /// Oldest first.
    pub orders: Vec<Resting>,
    pub pool: i128,
    pub fees: i128,
    pub insurance_fees: i128,
    pub fee_claims: i128,
}

/// A position and what it has realised; and the fills of its resting orders that have not been folded in yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    pub lots: i128,
    pub basis: i128,
    pub unsettled: i128,
    pub waiting_lots: i128,
    pub waiting_cash: i128,
    pub waiting_fees: i128,
    pub earned: i128,
}

#[derive(Clone, Debug, Default)]
pub struct Account {
    pub owner: usize,
    pub collateral: i128,
    pub slots: BTreeMap<usize, Slot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Limit,
    PostOnly,
    ImmediateOrCancel,
    FillOrKill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnOrders {
    CancelResting,
    CancelTaking,
    Decrement,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub buys: bool,
    pub kind: Kind,
    pub price: i128,
    pub lots: i128,
    pub reduce_only: bool,
    pub expires_at: i64,
    pub own_orders: OwnOrders,
    pub max_makers: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub now: i64,
    pub markets: Vec<Market>,
    pub accounts: Vec<Account>,
}

impl Slot {
    /// Buys (positive) or sells `lots` for `cash` (negative paid).
    fn trade(&mut self, lots: i128, cash: i128) {
        if lots == 0 {
            self.unsettled += cash;
        } else if self.lots == 0 || self.lots.signum() == lots.signum() {
            self.basis -= cash;
            self.lots += lots;
        } else {
            let closed = lots.abs().min(self.lots.abs());
            // Shares are cut towards zero, and what is left stays with the part that remains.
            let cash_closed = cash * closed / lots.abs();
            let basis_closed = self.basis * closed / self.lots.abs();
            self.unsettled += cash_closed - basis_closed;
            self.basis += -basis_closed - (cash - cash_closed);
            self.lots += lots;
        }
    }

    /// With the waiting fills folded in.
    pub fn now(&self) -> Slot {
        let mut slot = Slot { waiting_lots: 0, waiting_cash: 0, waiting_fees: 0, earned: 0, ..self.clone() };
        if self.waiting_lots != 0 || self.waiting_cash != 0 {
            slot.trade(self.waiting_lots, self.waiting_cash);
        }
        slot.unsettled -= self.waiting_fees;
        slot
    }
}

fn up(a: i128, b: i128) -> i128 {
    (a + b - 1).div_euclid(b)
}

impl Market {
    pub fn new(rules: Rules) -> Market {
        let (mark, last, orders) = (0, 0, Vec::new());
        Market { rules, mark, last, orders, pool: 0, fees: 0, insurance_fees: 0, fee_claims: 0 }
    }

    /// Where resting bids or asks may match: their makers may gain the band against the mark, and lose the smaller of the band
    /// and the initial margin.
    pub fn range(&self, bids: bool) -> (i128, i128) {
        let share = |bps: i128| self.mark * bps / 10_000;
        let (gain, loss) = (share(self.rules.band_bps), share(self.rules.band_bps.min(self.rules.tiers[0].2)));
        if bids { ((self.mark - gain).max(1), self.mark + loss) } else { ((self.mark - loss).max(1), self.mark + gain) }
    }

    /// Orders that a taker may meet, in the order in which it meets them.
    fn eligible(&self, buys: bool, limit: i128) -> Vec<Resting> {
        let (low, high) = self.range(!buys);
        let fits = |order: &&Resting| {
            let within = if buys { order.price <= limit } else { order.price >= limit };
            order.buys != buys && within && order.price >= low && order.price <= high
        };
        let mut orders: Vec<_> = self.orders.iter().filter(fits).cloned().collect();
        // Stable: of equals, the oldest first.
        orders.sort_by_key(|order| if buys { order.price } else { -order.price });
        orders
    }

    fn remove(&mut self, id: u128) {
        self.orders.retain(|order| order.id != id);
    }
}

impl Model {
    fn slot(&mut self, account: usize, market: usize) -> &mut Slot {
        self.accounts[account].slots.entry(market).or_default()
    }

    /// Realised loss goes from collateral into the pool, realised profit from the pool into collateral.
    fn settle(&mut self, account: usize, market: usize) {
        let pool = self.markets[market].pool;
        let account = &mut self.accounts[account];
        let slot = account.slots.entry(market).or_default();
        let moved =
            if slot.unsettled < 0 { -(-slot.unsettled).min(account.collateral) } else { slot.unsettled.min(pool) };
        slot.unsettled -= moved;
        account.collateral += moved;
        self.markets[market].pool -= moved;
    }

    /// A fee from collateral, and what that lacks from a realised profit that is not money yet; the rest is waived.
    fn charge(&mut self, account: usize, market: usize, fee: i128) {
        let settled = fee.min(self.accounts[account].collateral);
        self.accounts[account].collateral -= settled;
        let insured = settled * self.markets[market].rules.insurance_bps / 10_000;
        let slot = self.slot(account, market);
        let claim = (fee - settled).min(slot.unsettled.max(0));
        slot.unsettled -= claim;
        let market = &mut self.markets[market];
        market.insurance_fees += insured;
        market.fees += settled - insured;
        market.fee_claims += claim;
    }

    /// Folds waiting fills, then settles.
    fn touch(&mut self, account: usize, market: usize) -> i128 {
        let slot = self.slot(account, market);
        let (lots, cash) = (slot.waiting_lots, slot.waiting_cash);
        let (fees, earned) = (slot.waiting_fees, slot.earned);
        (slot.waiting_lots, slot.waiting_cash, slot.waiting_fees, slot.earned) = (0, 0, 0, 0);
        if lots != 0 || cash != 0 || fees != 0 {
            slot.trade(lots, cash);
            self.charge(account, market, fees);
        }
        self.settle(account, market);
        earned
    }

    pub fn deposit(&mut self, account: usize, amount: i128) {
        self.accounts[account].collateral += amount;
    }

    pub fn withdraw(&mut self, account: usize, amount: i128) -> Result<(), Refused> {
        if amount > self.accounts[account].collateral {
            return Err("InsufficientSettled");
        }
        self.accounts[account].collateral -= amount;
        let health = self.health(account);
        if !health.covers_initial() {
            return Err("InsufficientMargin");
        }
        let owed: i128 = self.accounts[account].slots.values().map(|slot| (-slot.now().unsettled).max(0)).sum();
        if self.accounts[account].collateral < owed { Err("InsufficientSettled") } else { Ok(()) }
    }

    /// Anyone settles an account; `reward` gets the bounty.
    pub fn settle_for(&mut self, account: usize, market: usize, reward: usize, most: i128) -> Result<(), Refused> {
        if !self.accounts[account].slots.contains_key(&market) {
            return Err("NothingHere");
        }
        let pool = self.markets[market].pool;
        let earned = self.touch(account, market);
        let lost = (self.markets[market].pool - pool).max(0);
        let bounty = (earned / 10 + lost / 10_000).min(most).min(self.markets[market].fees);
        self.markets[market].fees -= bounty;
        self.accounts[reward].collateral += bounty;
        self.cut(account, market);
        self.tidy(account, market);
        Ok(())
    }

    pub fn cancel(&mut self, market: usize, account: usize, id: u128) -> Result<(), Refused> {
        if !self.markets[market].orders.iter().any(|order| order.id == id && order.account == account) {
            return Err("OrderNotFound");
        }
        self.markets[market].remove(id);
        self.tidy(account, market);
        Ok(())
    }

    /// Newest first, at most `limit`.
    pub fn cancel_all(&mut self, market: usize, account: usize, side: Option<bool>, limit: usize) {
        let orders = &self.markets[market].orders;
        let wanted = |order: &&Resting| order.account == account && side.is_none_or(|buys| buys == order.buys);
        let ids: Vec<_> = orders.iter().rev().filter(wanted).take(limit).map(|order| order.id).collect();
        ids.into_iter().for_each(|id| self.markets[market].remove(id));
        self.tidy(account, market);
    }

    /// Places an order; `id` is what the program named what came to rest of it.
    pub fn place(&mut self, account: usize, market: usize, order: &Order, id: u128) -> Result<(), Refused> {
        self.check(market, order)?;
        if order.kind == Kind::PostOnly {
            let now = self.now;
            let mut lots = order.lots;
            if order.reduce_only {
                self.touch(account, market);
                lots = lots.min(self.room(account, market, order.buys));
                if lots < self.markets[market].rules.min_lots {
                    return Err("NotReducing");
                }
            }
            self.require_inside(market, order)?;
            let would = self.markets[market].eligible(order.buys, order.price);
            if would.iter().any(|other| other.expires_at == 0 || other.expires_at > now) {
                return Err("WouldMatch");
            }
            self.rest(account, market, order, lots, id)?;
            let covered = self.health(account).covers_initial();
            return if covered { Ok(()) } else { Err("InsufficientMargin") };
        }
        if order.kind == Kind::Limit {
            self.require_inside(market, order)?;
        }
        let before = self.health(account);
        self.touch(account, market);
        let held = self.slot(account, market).lots;
        let mut wanted = order.lots;
        if order.reduce_only {
            if held == 0 || order.buys == (held > 0) {
                return Err("NotReducing");
            }
            wanted = wanted.min(held.abs());
        }
        let (traded, left, complete) = self.take(account, market, order, wanted);
        if order.kind == Kind::FillOrKill && traded != wanted {
            return Err("NotFilled");
        }
        self.settle(account, market);
        let rests = if order.reduce_only { left.min(self.room(account, market, order.buys)) } else { left };
        let rests = if order.kind == Kind::Limit && complete && rests >= self.markets[market].rules.min_lots {
            rests
        } else {
            0
        };
        if rests > 0 {
            self.rest(account, market, order, rests, id)?;
        }
        let after = self.health(account);
        let held_on = order.reduce_only && rests == 0 && after.equity >= 0 && after.excess() >= before.excess();
        if !after.covers_initial() && !held_on {
            return Err("InsufficientMargin");
        }
        self.cut(account, market);
        self.tidy(account, market);
        Ok(())
    }

    fn check(&self, market: usize, order: &Order) -> Result<(), Refused> {
        let market = &self.markets[market];
        if order.lots == 0 {
            return Err("ZeroAmount");
        }
        if !order.reduce_only && order.lots < market.rules.min_lots {
            return Err("TooSmall");
        }
        if order.price <= 0 || order.price % market.rules.tick != 0 {
            return Err("BadPrice");
        }
        if order.expires_at != 0 && order.expires_at <= self.now {
            return Err("Expired");
        }
        Ok(())
    }

    fn require_inside(&self, market: usize, order: &Order) -> Result<(), Refused> {
        let (low, high) = self.markets[market].range(order.buys);
        if order.price < low || order.price > high { Err("OutsideBand") } else { Ok(()) }
    }

    /// Trades with what the order meets. Gives the lots traded, what is left, and whether nothing more is there for it.
    fn take(&mut self, account: usize, market: usize, order: &Order, wanted: i128) -> (i128, i128, bool) {
        let owner = self.accounts[account].owner;
        let (mut left, mut cash, mut lots, mut met) = (wanted, 0, 0, 0);
        let mut complete = true;
        for other in self.markets[market].eligible(order.buys, order.price) {
            if left == 0 {
                break;
            }
            let own = self.accounts[other.account].owner == owner;
            let expired = other.expires_at != 0 && other.expires_at <= self.now;
            if met == order.max_makers || (own && !expired && order.own_orders == OwnOrders::CancelTaking) {
                complete = false;
                break;
            }
            met += 1;
            if expired || (own && order.own_orders == OwnOrders::CancelResting) {
                self.markets[market].remove(other.id);
                continue;
            }
            let size = left.min(other.lots);
            left -= size;
            self.shrink(market, other.id, size);
            if !own {
                lots += size;
                cash += size * other.price;
                self.fill(market, &other, size);
            }
        }
        if met > 0 {
            let (base, cash) = if order.buys { (lots, -cash) } else { (-lots, cash) };
            let fee = up(cash.abs() * self.markets[market].rules.taker_ppm, 1_000_000);
            self.slot(account, market).trade(base, cash);
            self.charge(account, market, fee);
        }
        (lots, left, complete && left != 0)
    }

    fn shrink(&mut self, market: usize, id: u128, by: i128) {
        let orders = &mut self.markets[market].orders;
        let order = orders.iter_mut().find(|order| order.id == id).expect("it was met");
        order.lots -= by;
        orders.retain(|order| order.lots != 0);
    }

    /// The maker's part of a trade waits in its seat.
    fn fill(&mut self, market: usize, maker: &Resting, lots: i128) {
        let value = lots * maker.price;
        let (maker_ppm, taker_ppm) = (self.markets[market].rules.maker_ppm, self.markets[market].rules.taker_ppm);
        let slot = self.slot(maker.account, market);
        slot.waiting_lots += if maker.buys { lots } else { -lots };
        slot.waiting_cash += if maker.buys { -value } else { value };
        slot.waiting_fees += up(value * maker_ppm, 1_000_000);
        slot.earned += up(value * maker_ppm, 1_000_000) + value * taker_ppm / 1_000_000;
    }

    fn rest(&mut self, account: usize, market: usize, order: &Order, lots: i128, id: u128) -> Result<(), Refused> {
        self.slot(account, market);
        let at = market;
        let market = &mut self.markets[market];
        if market.orders.iter().filter(|other| other.account == account).count() >= market.rules.max_orders {
            return Err("TooLarge");
        }
        let (buys, price, expires_at) = (order.buys, order.price, order.expires_at);
        let reduce_only = order.reduce_only;
        market.orders.push(Resting { id, account, buys, price, lots, expires_at, reduce_only });
        self.cut(account, at);
        Ok(())
    }

    /// What an account's orders of a side leave of its position to reduce.
    fn room(&self, account: usize, market: usize, buys: bool) -> i128 {
        let held = self.accounts[account].slots.get(&market).map_or(0, |slot| slot.now().lots);
        let orders = self.markets[market].orders.iter().filter(|order| order.account == account && order.buys == buys);
        let there = if buys { -held } else { held }.max(0);
        (there - orders.map(|order| order.lots).sum::<i128>()).max(0)
    }

    /// Cuts orders that only reduce, newest first, until what rests of their side is no more than there is to reduce.
    fn cut(&mut self, account: usize, market: usize) {
        let held = self.accounts[account].slots.get(&market).map_or(0, |slot| slot.now().lots);
        for buys in [true, false] {
            let there = if buys { -held } else { held }.max(0);
            let orders = &mut self.markets[market].orders;
            let own = |order: &Resting| order.account == account && order.buys == buys;
            let mut beyond = orders.iter().filter(|order| own(order)).map(|order| order.lots).sum::<i128>() - there;
            for order in orders.iter_mut().rev().filter(|order| own(order) && order.reduce_only) {
                let less = beyond.clamp(0, order.lots);
                order.lots -= less;
                beyond -= less;
            }
            orders.retain(|order| order.lots > 0);
        }
    }

    /// A slot in which nothing is left is free again.
    fn tidy(&mut self, account: usize, market: usize) {
        let rests = self.markets[market].orders.iter().any(|order| order.account == account);
        if !rests && self.accounts[account].slots.get(&market) == Some(&Slot::default()) {
            self.accounts[account].slots.remove(&market);
        }
    }

    /// The account over all its markets, each position at the worse for it of mark and last oracle price.
    pub fn health(&self, account: usize) -> Health {
        let mut health = Health { equity: self.accounts[account].collateral, ..Health::default() };
        health.initial_equity = health.equity;
        for (&at, slot) in &self.accounts[account].slots {
            let market = &self.markets[at];
            let resting: Vec<_> = market.orders.iter().filter(|order| order.account == account).collect();
            health.add(&margin::of_position(&slot.now(), market, &resting));
        }
        health
    }
}
