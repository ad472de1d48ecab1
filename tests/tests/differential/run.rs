//! A random history, sent to the program and to the model.

use ballast_book::OrderId;
use ballast_client::events::Event;
use ballast_client::instructions;
use ballast_client::{
    ballast::{OrderArgs, OrderKind, SelfTradeMode, state::MarketParams},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{DOLLAR, MarketSpec, Outcome, Trader, World};

use crate::model::{Account, Kind, Market, Model, Order, OwnOrders, Refused, Rules};

const MARKETS: u16 = 2;

pub struct Run {
    pub world: World,
    pub model: Model,
    dice: Dice,
    /// Where prices began.
    homes: Vec<u64>,
}

/// A stream of random numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("a length")
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn rules(params: &MarketParams) -> Rules {
    let used = params.tiers.iter().take_while(|tier| tier.maintenance_bps != 0);
    Rules {
        tick: params.tick.into(),
        min_lots: params.min_lots.into(),
        max_orders: params.max_orders_per_account as usize,
        band_bps: params.band_bps.into(),
        maker_ppm: params.maker_fee_ppm.into(),
        taker_ppm: params.taker_fee_ppm.into(),
        insurance_bps: params.insurance_fee_share_bps.into(),
        haircut_bps: params.profit_haircut_bps.into(),
        tiers: used.map(|tier| (tier.lower.into(), tier.maintenance_bps.into(), tier.initial_bps.into())).collect(),
    }
}

impl Run {
    pub fn new(seed: u64) -> Run {
        // The book never has the depth that funding asks for, so none accrues: it has tests of its own.
        let spec = |spec: MarketSpec| spec.with(|params| params.funding_impact_quote = 10_000_000 * DOLLAR);
        let specs = [MarketSpec::btc(), MarketSpec::eth()].map(spec);
        let mut world = World::new(&specs);
        let mut model = Model::default();
        for spec in &specs {
            model.markets.push(Market::new(rules(&spec.params)));
        }
        let mut dice = Dice(seed);
        for owner in 0..5 {
            let deposit = (100 + dice.below(2_000)) * DOLLAR;
            let trader = world.trader(deposit);
            model.accounts.push(Account { owner, collateral: deposit.into(), ..Account::default() });
            if owner < 2 {
                world.another_account(trader, deposit);
                model.accounts.push(Account { owner, collateral: deposit.into(), ..Account::default() });
            }
        }
        let homes = specs.iter().map(|spec| spec.price).collect();
        let mut run = Run { world, model, dice, homes };
        run.hear_prices();
        run
    }

    fn traders(&self) -> Vec<Trader> {
        self.world.traders().collect()
    }

    fn hear_prices(&mut self) {
        self.model.now = self.world.now;
        for market in 0..MARKETS {
            let state = *self.world.market(market).mark_state();
            let model = &mut self.model.markets[usize::from(market)];
            (model.mark, model.last) = (state.mark.0.into(), state.tick.0.into());
        }
    }

    /// One thing that somebody does, and what both say to it.
    pub fn step(&mut self) -> (&'static str, Result<(), Refused>) {
        let traders = self.traders();
        let (account, market) = (self.dice.index(traders.len()), self.dice.index(usize::from(MARKETS)));
        let number = u16::try_from(market).expect("a few markets");
        let trader = traders[account];
        let before = self.model.clone();
        let (what, expected, outcome) = match self.dice.below(100) {
            0..=59 => self.place(account, trader, market, number),
            60..=66 => self.cancel(account, trader, market, number),
            67..=70 => {
                let side = [None, Some(Side::Long), Some(Side::Short)][self.dice.index(3)];
                let limit = 1 + self.dice.below(6);
                let expected = if self.has_seat(account, market) {
                    let buys = side.map(|side| side == Side::Long);
                    self.model.cancel_all(market, account, buys, limit as usize);
                    Ok(())
                } else {
                    Err("NothingHere")
                };
                ("cancel all", expected, self.world.cancel_all(trader, number, side, limit as u32))
            }
            71..=78 => {
                let reward = (account + 1 + self.dice.index(traders.len() - 1)) % traders.len();
                let most = i128::from(self.world.market(number).params.settle_bounty);
                let expected = self.model.settle_for(account, market, reward, most);
                ("settle", expected, self.world.settle(traders[reward], trader, number))
            }
            79..=82 => {
                let amount = 1 + self.dice.below(50 * DOLLAR);
                self.model.deposit(account, amount.into());
                ("deposit", Ok(()), self.world.deposit(trader, amount))
            }
            83..=88 => {
                let collateral = u64::try_from(self.model.accounts[account].collateral).expect("an amount");
                let amount = 1 + self.dice.below(collateral + collateral / 8 + 1);
                let expected = self.model.withdraw(account, amount.into());
                ("withdraw", expected, self.world.withdraw(trader, amount))
            }
            _ => {
                self.move_prices();
                return ("prices", Ok(()));
            }
        };
        if expected.is_err() {
            self.model = before;
        }
        let said = outcome.map(|_| ()).map_err(|refusal| refusal.name());
        assert_eq!(said, expected.map_err(String::from), "{what} of account {account} in market {market}");
        (what, expected)
    }

    fn has_seat(&mut self, account: usize, market: usize) -> bool {
        let trader = self.traders()[account];
        self.world.slot(trader, u16::try_from(market).expect("a few markets")).seat != 0
    }

    fn move_prices(&mut self) {
        for market in 0..MARKETS {
            let price = self.world.oracle_price(market);
            let moved = price * (9_800 + self.dice.below(401)) / 10_000;
            // Not so far that the oracle's checks have a say: those have tests of their own.
            let home = self.homes[usize::from(market)];
            self.world.set_oracle_price(market, moved.clamp(home * 9 / 10, home * 11 / 10));
        }
        let seconds = 1 + self.dice.below(9);
        self.world.advance(i64::try_from(seconds).expect("seconds"));
        self.hear_prices();
    }

    fn cancel(
        &mut self,
        account: usize,
        trader: Trader,
        market: usize,
        number: u16,
    ) -> (&'static str, Result<(), Refused>, Outcome) {
        let orders = &self.model.markets[market].orders;
        // Mostly one's own.
        let own: Vec<_> = orders.iter().filter(|order| order.account == account).map(|order| order.id).collect();
        let any: Vec<_> = orders.iter().map(|order| order.id).collect();
        let from = if own.is_empty() || self.dice.chance(10) { any } else { own };
        let id = if from.is_empty() { 7 } else { from[self.dice.index(from.len())] };
        let expected =
            if self.has_seat(account, market) { self.model.cancel(market, account, id) } else { Err("NothingHere") };
        ("cancel", expected, self.world.cancel(trader, number, OrderId(id)))
    }

    fn place(
        &mut self,
        account: usize,
        trader: Trader,
        market: usize,
        number: u16,
    ) -> (&'static str, Result<(), Refused>, Outcome) {
        let kinds = [Kind::Limit, Kind::PostOnly, Kind::PostOnly, Kind::ImmediateOrCancel, Kind::FillOrKill];
        let kind = kinds[self.dice.index(kinds.len())];
        let model = &self.model.markets[market];
        // A few ticks about the mark; now and then far off, off the tick, or beyond the band.
        let spread = if self.dice.chance(10) { 1_200 } else { 60 };
        let offset = i128::from(self.dice.below(2 * spread + 1)) - i128::from(spread);
        let price = model.mark * (10_000 + offset) / 10_000;
        let price = if self.dice.chance(2) { price } else { price / 100 * 100 };
        let held = model_lots(&self.model, account, market);
        let equity = (self.model.health(account).equity.max(0)) / model.mark.max(1);
        let most = u64::try_from(equity * 25).expect("an amount").max(2);
        let lots = if self.dice.chance(40) { 1 + self.dice.below(20) } else { self.dice.below(most) };
        let often = if kind == Kind::ImmediateOrCancel { 50 } else { 20 };
        let reduce_only = held != 0 && self.dice.chance(often);
        let own_orders = [OwnOrders::CancelResting, OwnOrders::CancelTaking, OwnOrders::Decrement][self.dice.index(3)];
        let order = Order {
            buys: if reduce_only && self.dice.chance(90) { held < 0 } else { self.dice.chance(50) },
            kind,
            price,
            lots: lots.into(),
            reduce_only,
            expires_at: if self.dice.chance(15) { self.model.now + self.dice.index(40) as i64 } else { 0 },
            own_orders,
            max_makers: [64, 64, 64, 2][self.dice.index(4)],
        };
        let outcome = self.world.place(trader, number, arguments(&order));
        let id = outcome.as_ref().ok().and_then(|receipt| {
            receipt.events().into_iter().find_map(|event| match event {
                Event::OrderPlaced(placed) => Some(placed.order_id),
                _ => None,
            })
        });
        let expected = self.model.place(account, market, &order, id.unwrap_or(0));
        let what = match (kind, reduce_only) {
            (Kind::ImmediateOrCancel | Kind::FillOrKill, true) => "reduce",
            (Kind::Limit | Kind::PostOnly, true) => "reduce and rest",
            (Kind::Limit, _) => "limit",
            (Kind::PostOnly, _) => "post-only",
            (Kind::ImmediateOrCancel, _) => "immediate",
            (Kind::FillOrKill, _) => "fill or kill",
        };
        (what, expected, outcome)
    }
}

fn model_lots(model: &Model, account: usize, market: usize) -> i128 {
    model.accounts[account].slots.get(&market).map_or(0, |slot| slot.now().lots)
}

fn arguments(order: &Order) -> OrderArgs {
    let side = if order.buys { Side::Long } else { Side::Short };
    let number = |value: i128| u64::try_from(value).expect("a small number");
    OrderArgs {
        kind: match order.kind {
            Kind::Limit => OrderKind::Limit,
            Kind::PostOnly => OrderKind::PostOnly,
            Kind::ImmediateOrCancel => OrderKind::ImmediateOrCancel,
            Kind::FillOrKill => OrderKind::FillOrKill,
        },
        reduce_only: order.reduce_only,
        expires_at: order.expires_at,
        self_trade: match order.own_orders {
            OwnOrders::CancelResting => SelfTradeMode::CancelResting,
            OwnOrders::CancelTaking => SelfTradeMode::CancelTaking,
            OwnOrders::Decrement => SelfTradeMode::Decrement,
        },
        max_makers: u8::try_from(order.max_makers).expect("a few"),
        ..instructions::limit_order(side, Price(number(order.price)), Lots(number(order.lots)))
    }
}
