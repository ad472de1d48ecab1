//! What people who mean well do: traders, keepers, the admin, and the price.

use ballast_book::OrderId;
use ballast_client::{
    ballast::{BatchArgs, OrderArgs, OrderKind, OrderRef, SelfTradeMode, state::MarketStatus},
    events::Event,
    instructions::{self, limit_order},
    units::{Lots, Price, Side},
};
use ballast_risk::{health::Stage, liquidation::Step};
use ballast_tests::harness::{Chain, DOLLAR, Outcome, Trader};
use solana_signer::Signer;

use super::{MARKETS, Run};

impl Run {
    /// A price on the tick, mostly near the mark.
    pub fn price(&mut self, market: u16) -> u64 {
        let mark = self.world.market(market).mark().0;
        let width = match self.dice.below(10) {
            0 => 1_200,
            1..=3 => 200,
            _ => 30,
        };
        let low = mark - mark * width / 10_000;
        let price = low + self.dice.below(2 * mark * width / 10_000 + 1);
        price / 100 * 100
    }

    /// A size, mostly within what people can pay for.
    pub fn lots(&mut self) -> u64 {
        match self.dice.below(20) {
            0 => 0,
            1 => self.dice.between(10_000, 1_000_000),
            2..=8 => self.dice.between(200, 3_000),
            _ => self.dice.between(1, 200),
        }
    }

    /// An order of any kind.
    pub fn order(&mut self, market: u16) -> OrderArgs {
        let side = self.dice.pick(&Side::BOTH);
        let (price, lots) = (self.price(market), self.lots());
        let kinds = [
            OrderKind::Limit,
            OrderKind::Limit,
            OrderKind::PostOnly,
            OrderKind::PostOnlySlide,
            OrderKind::ImmediateOrCancel,
            OrderKind::FillOrKill,
        ];
        let modes = [SelfTradeMode::CancelResting, SelfTradeMode::CancelTaking, SelfTradeMode::Decrement];
        OrderArgs {
            kind: self.dice.pick(&kinds),
            reduce_only: self.dice.chance(10),
            expires_at: if self.dice.chance(20) { self.world.now + self.dice.between(1, 100).cast_signed() } else { 0 },
            self_trade: self.dice.pick(&modes),
            max_makers: if self.dice.chance(10) { 2 } else { 64 },
            client_id: self.dice.below(4),
            peg: if self.dice.chance(20) { Some(self.offset(market, side)) } else { None },
            ..limit_order(side, Price(price), Lots(lots))
        }
    }

    /// A distance from the mark, on the tick, mostly away from the touch.
    fn offset(&mut self, market: u16, side: Side) -> i64 {
        let width = self.world.market(market).mark().0 / 100;
        let away = self.dice.below(width + width / 4).cast_signed() - (width / 4).cast_signed();
        -side.sign() * away / 100 * 100
    }

    /// Cancels some orders and places others at once.
    pub fn batch(&mut self) -> Outcome {
        let (trader, market) = (self.trader(), self.market());
        let count = self.dice.below(6);
        let orders = (0..count).map(|_| self.order(market)).collect();
        let gone = self.orders.iter().filter(|(owner, at, _)| (*owner, *at) == (trader, market));
        let cancel = gone.take(3).map(|(.., id)| OrderRef::Id(id.0)).chain([OrderRef::Client(1)]).collect();
        let batch = BatchArgs {
            cancel_side: self.dice.pick(&[None, None, Some(0), Some(1), Some(2)]),
            cancel: if self.dice.chance(50) { cancel } else { Vec::new() },
            skip_gone: self.dice.chance(80),
            orders,
            skip_crossing: self.dice.chance(80),
        };
        let outcome = self.world.batch(trader, market, batch);
        self.remember(trader, market, &outcome);
        outcome
    }

    /// Puts an order in the place of another: sometimes the same but smaller.
    pub fn replace(&mut self) -> Outcome {
        let Some((trader, market, id)) = self.some_order() else { return self.trade() };
        let resting = self.world.snapshot().view().ok().and_then(|view| view.market(market).ok()?.book.order(id).ok());
        let order = match resting {
            Some(resting) if self.dice.chance(50) => OrderArgs {
                lots: 1 + self.dice.below(resting.lots.0),
                peg: resting.peg,
                client_id: resting.client_id,
                expires_at: resting.expires_at,
                ..limit_order(resting.side, resting.price, resting.lots)
            },
            _ => self.order(market),
        };
        let target = if self.dice.chance(70) { OrderRef::Id(id.0) } else { OrderRef::Client(self.dice.below(4)) };
        let even_if_gone = self.dice.chance(50);
        let outcome = self.world.replace(trader, market, target, order, even_if_gone);
        self.remember(trader, market, &outcome);
        outcome
    }

    fn some_order(&mut self) -> Option<(Trader, u16, OrderId)> {
        match self.orders.len() {
            0 => None,
            length => Some(self.orders[self.dice.index(length)]),
        }
    }

    pub fn trade(&mut self) -> Outcome {
        let (trader, market) = (self.trader(), self.market());
        let order = self.order(market);
        let outcome = self.world.place(trader, market, order);
        self.remember(trader, market, &outcome);
        outcome
    }

    /// Opens as much as the margin allows: such positions go bankrupt first.
    pub fn gamble(&mut self) -> Outcome {
        let (trader, market) = (self.trader(), self.market());
        let mark = self.world.market(market).mark().0;
        let free = self.world.assess(trader).account.free_collateral();
        let lots = (free * 19 / mark.max(1)).clamp(1, 20_000);
        let side = self.dice.pick(&Side::BOTH);
        let price = match side {
            Side::Long => mark + mark / 500,
            Side::Short => mark - mark / 500,
        };
        let outcome = self.world.place(trader, market, limit_order(side, Price(price / 100 * 100), Lots(lots)));
        self.remember(trader, market, &outcome);
        outcome
    }

    /// Closes a position at the mark or near it.
    pub fn close(&mut self) -> Outcome {
        let (trader, market) = (self.trader(), self.market());
        let lots = self.world.position(trader, market);
        let mark = self.world.market(market).mark().0;
        let (side, price) = if lots > 0 { (Side::Short, mark - mark / 200) } else { (Side::Long, mark + mark / 200) };
        self.world.reduce(trader, market, side, lots.unsigned_abs().max(1), price / 100 * 100)
    }

    fn remember(&mut self, trader: Trader, market: u16, outcome: &Outcome) {
        let Ok(receipt) = outcome else { return };
        for event in receipt.events() {
            if let Event::OrderPlaced(placed) = event {
                self.orders.push((trader, market, OrderId(placed.order_id)));
            }
        }
    }

    pub fn cancel(&mut self) -> Outcome {
        if self.orders.is_empty() || self.dice.chance(30) {
            let (trader, market) = (self.trader(), self.market());
            let side = self.dice.pick(&[None, Some(Side::Long), Some(Side::Short)]);
            let limit = self.dice.between(1, 20);
            return self.world.cancel_all(trader, market, side, u32::try_from(limit).expect("small"));
        }
        let at = self.dice.index(self.orders.len());
        let (trader, market, order) = self.orders.swap_remove(at);
        self.world.cancel(trader, market, order)
    }

    pub fn move_money(&mut self) -> Outcome {
        let trader = self.trader();
        if self.dice.chance(40) {
            let amount = self.dice.between(1, 500 * DOLLAR);
            return self.world.deposit(trader, amount);
        }
        let collateral = self.world.collateral(trader);
        if self.dice.chance(30) {
            // To another account of the same owner, or of somebody else, which is refused.
            let owner = self.world.owner(trader).pubkey();
            let own = |other: &Trader| *other != trader && self.world.owner(*other).pubkey() == owner;
            let own: Vec<_> = self.everybody().filter(own).collect();
            let to = if own.is_empty() || self.dice.chance(50) { self.trader() } else { self.dice.pick(&own) };
            return self.world.transfer(trader, to, self.dice.between(1, collateral.max(1)));
        }
        let amount = match self.dice.below(3) {
            0 => collateral,
            1 => collateral / 2,
            _ => self.dice.between(1, 100 * DOLLAR),
        };
        self.world.withdraw(trader, amount)
    }

    pub fn tend(&mut self) -> Outcome {
        let (kit, trader, market) = (self.trader(), self.trader(), self.market());
        match self.dice.below(16) {
            0..=5 => self.world.settle(kit, trader, market),
            6..=8 => self.world.rerank(kit, trader, market),
            9..=10 => self.world.cancel_unfunded(kit, trader, market),
            11 => {
                let here = self.orders.iter().filter(|(_, at, _)| *at == market);
                let ids: Vec<_> = here.rev().take(20).map(|(.., id)| *id).collect();
                self.world.prune_expired(market, &ids)
            }
            12..=14 => self.roll(trader),
            _ => {
                let side = self.dice.pick(&Side::BOTH);
                self.world.prune(market, side, 10)
            }
        }
    }

    /// An owner's volume is rolled, what he earned as a referrer claimed, or his trader account opened.
    pub fn roll(&mut self, trader: Trader) -> Outcome {
        let Some(owner) = self.world.owner_account(trader) else {
            let friend = self.trader();
            let referrer = self.world.owner_account(friend).map(|_| self.world.owner_key(friend));
            return self.world.open_trader(trader, referrer);
        };
        if owner.earned > 0 && self.dice.chance(30) {
            return self.world.claim_referral(trader);
        }
        let accounts = self.accounts_of_the_owner_of(trader);
        self.world.roll_volume(&accounts)
    }

    /// All open accounts of an account's owner.
    pub fn accounts_of_the_owner_of(&self, trader: Trader) -> Vec<Trader> {
        let owner = self.world.owner(trader).pubkey();
        self.everybody().filter(|other| self.world.owner(*other).pubkey() == owner).collect()
    }

    /// Settles the account that sits in some seat.
    pub fn settle_a_seat(&mut self) -> Outcome {
        let (kit, market) = (self.trader(), self.market());
        let waiting: Vec<_> = self.everybody().filter(|trader| self.world.slot(*trader, market).seat != 0).collect();
        match waiting.len() {
            0 => self.tend(),
            _ => {
                let trader = self.dice.pick(&waiting);
                self.world.settle(kit, trader, market)
            }
        }
    }

    /// A keeper does what is due, or something near it.
    pub fn keep(&mut self) -> Outcome {
        let due = self.due();
        let (trader, market, step) = match due.len() {
            0 => (self.trader(), self.market(), None),
            _ => {
                let (trader, market, step) = self.dice.pick(&due);
                (trader, market, Some(step))
            }
        };
        let kit = self.richest();
        let lots = self.dice.between(1, 5_000);
        match (step, self.dice.below(10)) {
            (Some(Step::Bankrupt { .. }), 0..=4) => {
                let cells = self.dice.between(1, 8);
                self.world.deleverage(kit, trader, market, u32::try_from(cells).expect("small"))
            }
            (Some(Step::Bankrupt { .. } | Step::Takeover { .. } | Step::Backstop { .. }), 5..=6) => {
                self.world.take_over(kit, trader, market, lots)
            }
            (Some(Step::None), _) => self.world.cover_bad_debt(kit, trader, market),
            (_, 7) => self.world.take_over(kit, trader, market, lots),
            (_, 8) => self.world.deleverage(kit, trader, market, 1),
            (_, 9) => self.world.cover_bad_debt(kit, trader, market),
            (_, _) => self.world.liquidate(kit, trader, market),
        }
    }

    /// Accounts to which something may be done, where, and what. Debtors without a position come as [`Step::None`].
    pub fn due(&mut self) -> Vec<(Trader, u16, Step)> {
        let everybody: Vec<_> = self.everybody().collect();
        let (snapshot, now) = (self.world.snapshot(), self.world.now);
        let view = snapshot.view().expect("sound slabs");
        let mut found = Vec::new();
        for trader in everybody {
            let Ok(due) = view.due(&self.world.margin(trader), now) else { continue };
            match (due.market, due.stage) {
                (Some(market), Stage::Partial | Stage::Takeover | Stage::Bankrupt) => {
                    found.push((trader, market, due.step));
                }
                (None, Stage::Bankrupt) => {
                    let slots = snapshot.account(&self.world.margin(trader)).map(|account| account.slots);
                    let owed = slots.iter().flatten().find(|slot| slot.unsettled < 0).and_then(|slot| slot.market());
                    found.extend(owed.map(|market| (trader, market, Step::None)));
                }
                _ => {}
            }
        }
        found
    }

    /// Whoever can afford to take positions over.
    fn richest(&mut self) -> Trader {
        if self.dice.chance(20) {
            return self.trader();
        }
        let everybody: Vec<_> = self.everybody().collect();
        everybody.into_iter().max_by_key(|trader| self.world.collateral(*trader)).expect("somebody")
    }

    /// A tick: all markets move a little, sometimes one a lot.
    pub fn tick(&mut self) -> Outcome {
        let mut last = None;
        let seconds = self.dice.between(1, 30).cast_signed();
        self.world.wait(seconds);
        for market in 0..MARKETS {
            let price = self.world.oracle_price(market);
            let width = price / 200;
            let next = price - width + self.dice.below(2 * width + 1);
            last = Some(self.publish(market, next));
        }
        last.expect("there are markets")
    }

    /// A crash or a squeeze: one market jumps by three to fifteen per cent and stays there for some ticks.
    pub fn jump(&mut self) -> Outcome {
        let market = self.market();
        let (price, home) = (self.world.oracle_price(market), self.homes[usize::from(market)]);
        let size = price * self.dice.between(300, 1_500) / 10_000;
        // Back towards where it began, so that no run ends at zero.
        let up = if price > home { self.dice.chance(30) } else { self.dice.chance(70) };
        let next = if up { price + size } else { price - size };
        for _ in 0..self.dice.between(3, 5) {
            self.world.wait(10);
            for other in 0..MARKETS {
                let price = if other == market { next } else { self.world.oracle_price(other) };
                let outcome = self.publish(other, price);
                self.reached.note(&outcome);
            }
        }
        self.tick()
    }

    fn publish(&mut self, market: u16, price: u64) -> Outcome {
        self.world.set_oracle_price(market, price);
        let observation = self.world.observe(market, price);
        self.world.publish(market, &observation)
    }

    /// Time passes and no oracle says anything.
    pub fn silence(&mut self) -> Outcome {
        let seconds = self.dice.pick(&[61, 130, 4_000]);
        self.world.wait(seconds);
        self.trade()
    }

    /// The admin, the guardian and insurance do their work.
    pub fn govern(&mut self) -> Outcome {
        let market = self.market();
        let keys = self.world.keys;
        let (admin, key) = (self.world.admin.insecure_clone(), self.world.market_keys(market).market);
        match self.dice.below(7) {
            0 => self.world.sweep_insurance_fees(market),
            1 => {
                let target = self.treasury;
                let collect = instructions::withdraw_fees(&admin.pubkey(), &keys, &key, &target);
                self.world.send(&[collect], &[&admin])
            }
            2 => {
                let status = if self.dice.chance(20) { MarketStatus::ReduceOnly } else { MarketStatus::Active };
                let set = instructions::set_market_status(&admin.pubkey(), &keys.exchange, &key, status);
                self.world.send(&[set], &[&admin])
            }
            3 => {
                let pause = self.dice.chance(30);
                let set = instructions::set_pause(&admin.pubkey(), &keys.exchange, pause, pause);
                self.world.send(&[set], &[&admin])
            }
            4 => {
                let (maker, delay) = (self.dice.below(300), self.dice.below(30));
                self.world.update_market(market, |params| {
                    params.maker_fee_ppm = u32::try_from(maker).expect("small");
                    params.deleverage_delay_s = u32::try_from(delay).expect("small");
                })
            }
            5 => {
                let (trader, other) = (self.trader(), self.trader());
                let delegate = self.world.owner(other).pubkey();
                self.world.set_delegate(trader, &delegate)
            }
            _ => {
                let trader = self.trader();
                let (owner, wallet) = (self.world.owner(trader), self.world.wallet(trader));
                let amount = self.dice.between(1, 50 * DOLLAR);
                let fund = instructions::fund_insurance(&owner.pubkey(), &keys, &wallet, amount);
                self.world.send(&[fund], &[&owner])
            }
        }
    }

    /// Rent for whoever leaves: an account is closed if it is empty.
    pub fn leave(&mut self) -> Outcome {
        let trader = self.trader();
        let outcome = self.world.close_account(trader);
        if outcome.is_ok() {
            assert!(self.world.chain.account(&self.world.margin(trader)).is_none_or(|account| {
                use solana_account::ReadableAccount;
                account.data().is_empty()
            }));
            self.gone.push(trader);
            self.orders.retain(|(owner, ..)| *owner != trader);
            self.triggers.retain(|(owner, ..)| *owner != trader);
        }
        outcome
    }
}
