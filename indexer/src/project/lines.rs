//! What each event says in which lists.

use ballast_client::{
    ballast::events::{
        Cause, Deleveraged, LadderExecuted, Liquidated, OrderPlaced, OrderRemoved, OrderRemovedFor, OrdersCancelled,
        OrdersCancelledFor, PositionChanged, Settled, Traded, TriggerChange, TriggerExecuted, TriggerSet,
        TriggersRemoved, TriggersRemovedFor,
    },
    events::{Event, cells},
};
use solana_pubkey::Pubkey;

use super::Pen;
use crate::{
    db::DbError,
    items::{
        AccountChange, AccountKind, Cell, Deleveraging, DeleveragingKind, Fill, FillKind, FundingHour, FundingKind,
        FundingPayment, Insurance, InsuranceKind, Liquidation, LiquidationKind, Money, MoneyKind, Order, OrderKind,
        OrderReason, Position, PositionKind, Receipt, ReceiptKind, Side, Stress, StressKind, Trade, Transfer,
        TransferKind, Trigger, TriggerKind, Why,
    },
};

fn why(cause: Cause) -> Why {
    match cause {
        Cause::Taker => Why::Taker,
        Cause::Maker => Why::Maker,
        Cause::Liquidation => Why::Liquidation,
        Cause::Takeover => Why::Takeover,
        Cause::TakeoverReceived => Why::TakeoverReceived,
        Cause::Bankruptcy => Why::Bankruptcy,
        Cause::Deleveraged => Why::Deleveraged,
        Cause::Trigger => Why::Trigger,
        Cause::Ladder => Why::Ladder,
    }
}

fn cancelled_for(reason: OrdersCancelledFor) -> OrderReason {
    match reason {
        OrdersCancelledFor::Request => OrderReason::Request,
        OrdersCancelledFor::Liquidation => OrderReason::Liquidation,
        OrdersCancelledFor::Unfunded => OrderReason::Unfunded,
        OrdersCancelledFor::Pair => OrderReason::Pair,
        OrdersCancelledFor::NothingToReduce => OrderReason::NothingToReduce,
    }
}

fn removed_for(reason: OrderRemovedFor) -> OrderReason {
    match reason {
        OrderRemovedFor::Expired => OrderReason::Expired,
        OrderRemovedFor::SelfTrade => OrderReason::SelfTrade,
        OrderRemovedFor::OutOfBand => OrderReason::OutOfBand,
        OrderRemovedFor::BeyondLimit => OrderReason::BeyondLimit,
    }
}

/// A market's status in words.
fn status(code: u8) -> String {
    match code {
        1 => "active".to_string(),
        2 => "reduce_only".to_string(),
        3 => "paused".to_string(),
        other => other.to_string(),
    }
}

/// An address, unless it is the one that stands for nobody.
fn somebody(key: &Pubkey) -> Option<String> {
    (*key != Pubkey::default()).then(|| key.to_string())
}

impl Order {
    fn new(kind: OrderKind, market: String, order_id: u128) -> Order {
        Order {
            kind,
            market,
            order_id: order_id.to_string(),
            reason: None,
            side: None,
            price: None,
            peg: None,
            lots: None,
            reduce_only: None,
            expires_at: None,
            client_id: None,
        }
    }
}

impl Pen<'_> {
    /// Writes the lines of an event.
    pub(super) fn write(&mut self, event: &Event) -> Result<(), DbError> {
        match event {
            Event::AccountOpened(e) => self.change(&e.account, AccountKind::Opened, somebody(&e.owner)),
            Event::AccountClosed(e) => self.change(&e.account, AccountKind::Closed, somebody(&e.receiver)),
            Event::DelegateSet(e) => self.change(&e.account, AccountKind::Delegated, somebody(&e.delegate)),
            Event::AccountMigrated(e) => self.change(&e.account, AccountKind::Migrated, None),
            Event::LadderSet(e) => self.change(&e.account, AccountKind::LadderSet, None),
            Event::LadderExecuted(e) => self.ladder(e),
            Event::Deposited(e) => {
                self.transfer(&e.account, TransferKind::Deposit, e.amount.into(), None, e.collateral);
            }
            Event::Withdrawn(e) => {
                self.transfer(&e.account, TransferKind::Withdrawal, -i128::from(e.amount), None, e.collateral);
            }
            Event::CollateralTransferred(e) => {
                let (kind, amount) = (TransferKind::Transfer, i128::from(e.amount));
                self.transfer(&e.from, kind, -amount, Some(&e.to), e.from_collateral);
                self.transfer(&e.to, kind, amount, Some(&e.from), e.to_collateral);
            }
            Event::ReferralClaimed(e) => {
                self.transfer(&e.account, TransferKind::Referral, e.amount.into(), Some(&e.trader), e.collateral);
            }
            Event::OrderPlaced(e) => return self.placed(e),
            Event::OrderReduced(e) => {
                let mut order = Order::new(OrderKind::Reduced, self.market(e.market), e.order_id);
                (order.lots, order.reason) = (Some(e.lots.to_string()), Some(cancelled_for(e.reason)));
                self.set_resting(e.market, e.order_id, e.lots);
                self.account(&e.account.to_string(), "orders", &order);
            }
            Event::OrdersCancelled(e) => self.cancelled(e),
            Event::OrderEvicted(e) => {
                let mut order = Order::new(OrderKind::Evicted, self.market(e.market), e.order_id);
                order.lots = Some(e.lots.to_string());
                if let Some(account) = self.seat(e.market, e.seat)? {
                    self.account(&account, "orders", &order);
                }
            }
            Event::OrdersPruned(e) => return self.removed(e.market, &e.removed),
            Event::TriggerSet(e) => self.trigger_set(e),
            Event::TriggersRemoved(e) => self.triggers_removed(e),
            Event::TriggerExecuted(e) => self.trigger_executed(e),
            Event::Traded(e) => return self.traded(e),
            Event::PositionChanged(e) => return self.position(e),
            Event::Settled(e) => self.settled(e),
            Event::BountyPaid(e) => {
                self.money(&e.account, MoneyKind::Bounty, e.market, e.amount.into());
                if let Some(charged) = &e.charged {
                    self.money(charged, MoneyKind::Bounty, e.market, -i128::from(e.amount));
                }
            }
            Event::Liquidated(e) => return self.liquidated(e),
            Event::Deleveraged(e) => return self.deleveraged(e),
            Event::BadDebtCovered(e) => {
                self.draw(InsuranceKind::BadDebt, e.market, &e.account, e.paid)?;
                self.stress(e.market, StressKind::BadDebt, Some(e.paid.into()), Some(e.left));
            }
            Event::InsuranceFunded(e) => return self.insurance_funded(&e.source, e.amount),
            Event::FundingHour(e) => {
                let hour = FundingHour {
                    end: e.end,
                    hours: e.hours,
                    index: e.index.to_string(),
                    rate_ppb: e.rate_ppb.to_string(),
                    premium_ppb: e.premium_ppb.to_string(),
                    mark: e.mark.to_string(),
                    longs: e.longs.to_string(),
                    shorts: e.shorts.to_string(),
                };
                let market = self.market(e.market);
                self.entry(&market, "funding", &hour);
            }
            Event::MarketStatusChanged(e) => {
                let (before, after) = (Some(status(e.before)), Some(status(e.after)));
                let line = Stress { kind: StressKind::Status, before, after, amount: None, left: None };
                self.entry(&e.market.to_string(), "stress", &line);
            }
            // These stay in the table of events only: no list tells of them.
            Event::ExchangeCreated(_)
            | Event::MarketCreated(_)
            | Event::MarkUpdated(_)
            | Event::BookGrown(_)
            | Event::DustSwept(_)
            | Event::Reranked(_)
            | Event::FeesWithdrawn(_)
            | Event::MarketParamsSet(_)
            | Event::PauseSet(_)
            | Event::AdminProposed(_)
            | Event::AdminAccepted(_)
            | Event::FeeScheduleSet(_)
            | Event::TraderOpened(_)
            | Event::VolumeRolled(_) => {}
        }
        Ok(())
    }

    fn change(&mut self, account: &Pubkey, kind: AccountKind, other: Option<String>) {
        let change = AccountChange { kind, other, market: None, lots: None, quote: None };
        self.account(&account.to_string(), "account", &change);
    }

    fn ladder(&mut self, e: &LadderExecuted) {
        // Without a rung, rungs were only armed again.
        if e.rung.is_some() {
            let change = AccountChange {
                kind: AccountKind::LadderExecuted,
                other: Some(e.caller.to_string()),
                market: Some(self.market(e.market)),
                lots: Some(e.lots.to_string()),
                quote: Some(e.quote.to_string()),
            };
            self.account(&e.account.to_string(), "account", &change);
        }
    }

    fn transfer(
        &mut self,
        account: &Pubkey,
        kind: TransferKind,
        amount: i128,
        other: Option<&Pubkey>,
        collateral: u64,
    ) {
        let (other, collateral) = (other.map(Pubkey::to_string), collateral.to_string());
        self.account(
            &account.to_string(),
            "transfers",
            &Transfer { kind, amount: amount.to_string(), other, collateral },
        );
    }

    fn placed(&mut self, e: &OrderPlaced) -> Result<(), DbError> {
        let account = e.account.to_string();
        self.sit(e.market, e.seat, &account)?;
        self.set_resting(e.market, e.order_id, e.lots);
        let order = Order {
            side: Some(Side::buying(e.buys)),
            price: Some(e.price.to_string()),
            peg: e.peg.map(|peg| peg.to_string()),
            lots: Some(e.lots.to_string()),
            reduce_only: Some(e.reduce_only),
            expires_at: (e.expires_at != 0).then_some(e.expires_at),
            client_id: Some(e.client_id.to_string()),
            ..Order::new(OrderKind::Placed, self.market(e.market), e.order_id)
        };
        self.account(&account, "orders", &order);
        Ok(())
    }

    fn cancelled(&mut self, e: &OrdersCancelled) {
        for order_id in &e.order_ids {
            let mut order = Order::new(OrderKind::Cancelled, self.market(e.market), *order_id);
            order.reason = Some(cancelled_for(e.reason));
            // The event has the lots of all of them together.
            order.lots = (e.order_ids.len() == 1).then(|| e.lots.to_string());
            self.account(&e.account.to_string(), "orders", &order);
        }
    }

    fn removed(&mut self, market: u16, removed: &[OrderRemoved]) -> Result<(), DbError> {
        for e in removed {
            let mut order = Order::new(OrderKind::Removed, self.market(market), e.order_id);
            (order.lots, order.reason) = (Some(e.lots.to_string()), Some(removed_for(e.reason)));
            self.take_off(market, e.order_id, e.lots)?;
            if let Some(account) = self.seat(market, e.seat)? {
                self.account(&account, "orders", &order);
            }
        }
        Ok(())
    }

    fn trigger(&self, kind: TriggerKind, market: u16, trigger: u64) -> Trigger {
        Trigger {
            kind,
            market: self.market(market),
            trigger: trigger.to_string(),
            side: None,
            stop: None,
            price: None,
            lots: None,
            trail_ppm: None,
            quote: None,
        }
    }

    fn trigger_set(&mut self, e: &TriggerSet) {
        let kind = match e.cause {
            TriggerChange::Placed => TriggerKind::TriggerPlaced,
            TriggerChange::Edited => TriggerKind::TriggerEdited,
            TriggerChange::Ratcheted => TriggerKind::TriggerRatcheted,
        };
        let trigger = Trigger {
            side: Some(Side::buying(e.buys)),
            stop: Some(e.stop),
            price: Some(e.price.to_string()),
            lots: Some(e.lots.to_string()),
            trail_ppm: Some(e.trail_ppm),
            ..self.trigger(kind, e.market, e.trigger)
        };
        self.account(&e.account.to_string(), "orders", &trigger);
    }

    fn triggers_removed(&mut self, e: &TriggersRemoved) {
        let kind = match e.reason {
            TriggersRemovedFor::Cancelled => TriggerKind::TriggerCancelled,
            TriggersRemovedFor::Expired => TriggerKind::TriggerExpired,
            TriggersRemovedFor::NothingToProtect => TriggerKind::TriggerVoid,
        };
        for trigger in &e.triggers {
            let trigger = self.trigger(kind, e.market, *trigger);
            self.account(&e.account.to_string(), "orders", &trigger);
        }
    }

    fn trigger_executed(&mut self, e: &TriggerExecuted) {
        let trigger = Trigger {
            price: Some(e.price.to_string()),
            lots: Some(e.lots.to_string()),
            quote: Some(e.quote.to_string()),
            ..self.trigger(TriggerKind::TriggerExecuted, e.market, e.trigger)
        };
        self.account(&e.account.to_string(), "orders", &trigger);
    }

    fn traded(&mut self, e: &Traded) -> Result<(), DbError> {
        let (taker, cause) = (e.taker.to_string(), why(e.cause));
        let forced = e.cause == Cause::Liquidation;
        for fill in &e.fills {
            let maker = self.seat(e.market, fill.seat)?;
            let trade = Trade {
                price: fill.price.to_string(),
                lots: fill.lots.to_string(),
                taker_side: Side::buying(e.bought),
                maker: maker.clone(),
                taker: taker.clone(),
                forced,
            };
            self.trade(e.market, fill.price, fill.lots, &trade)?;
            let of_taker = Fill {
                kind: FillKind::Fill,
                market: self.market(e.market),
                side: Side::buying(e.bought),
                maker: false,
                price: trade.price,
                lots: trade.lots,
                order_id: fill.order_id.to_string(),
                cause,
                other: maker.clone(),
            };
            self.account(&taker, "fills", &of_taker);
            let left = self.take_off(e.market, fill.order_id, fill.lots)?;
            if let Some(maker) = maker {
                let other = Some(taker.clone());
                let of_maker = Fill { side: Side::buying(!e.bought), maker: true, other, ..of_taker };
                self.account(&maker, "fills", &of_maker);
                if left == Some(0) {
                    let filled = Order::new(OrderKind::Filled, self.market(e.market), fill.order_id);
                    self.account(&maker, "orders", &filled);
                }
            }
        }
        self.removed(e.market, &e.removed)
    }

    fn position(&mut self, e: &PositionChanged) -> Result<(), DbError> {
        let account = e.account.to_string();
        if e.cause == Cause::Deleveraged {
            // Longs are reduced by selling.
            let reduced = Side::buying(e.base < 0);
            let receipt = Receipt {
                kind: ReceiptKind::Deleveraged,
                market: self.market(e.market),
                account: account.clone(),
                reduced,
                lots: e.base.unsigned_abs().to_string(),
                cash: e.cash.to_string(),
                position: e.lots.to_string(),
                deleveragings: self.deleveragings(&account, e.market, reduced)?,
            };
            self.account(&account, "deleveragings", &receipt);
        }
        // Whoever had no position had paid nothing for it, whatever was known of an earlier one.
        let before = if e.lots == e.base { Some(0) } else { self.basis(&account, e.market)? };
        let realised = before.map(|before| i128::from(e.cash) + i128::from(e.basis) - i128::from(before));
        self.set_basis(&account, e.market, e.basis);
        let position = Position {
            kind: PositionKind::Position,
            market: self.market(e.market),
            cause: why(e.cause),
            base: e.base.to_string(),
            cash: e.cash.to_string(),
            fee: e.fee.to_string(),
            realised: realised.map(|realised| realised.to_string()),
            lots: e.lots.to_string(),
            basis: e.basis.to_string(),
        };
        self.account(&account, "positions", &position);
        Ok(())
    }

    fn money(&mut self, account: &Pubkey, kind: MoneyKind, market: u16, amount: i128) {
        let money = Money { kind, market: self.market(market), amount: amount.to_string() };
        self.account(&account.to_string(), "money", &money);
    }

    fn settled(&mut self, e: &Settled) {
        if e.funding != 0 {
            let (kind, market) = (FundingKind::Funding, self.market(e.market));
            let payment = FundingPayment { kind, market, amount: e.funding.to_string() };
            self.account(&e.account.to_string(), "funding", &payment);
        }
        if e.moved != 0 {
            self.money(&e.account, MoneyKind::Settled, e.market, e.moved.into());
        }
    }

    fn stress(&mut self, market: u16, kind: StressKind, amount: Option<u128>, left: Option<u64>) {
        let (amount, left) = (amount.map(|amount| amount.to_string()), left.map(|left| left.to_string()));
        let market = self.market(market);
        self.entry(&market, "stress", &Stress { kind, before: None, after: None, amount, left });
    }

    /// Insurance paid for an account's loss.
    fn draw(&mut self, kind: InsuranceKind, market: u16, account: &Pubkey, amount: u64) -> Result<(), DbError> {
        if amount == 0 {
            return Ok(());
        }
        self.money(account, MoneyKind::Insured, market, amount.into());
        let market = Some(self.market(market));
        let amount = -i128::from(amount);
        self.insurance(kind, amount, market, Some(account.to_string()))
    }

    fn insurance_funded(&mut self, source: &Pubkey, amount: u64) -> Result<(), DbError> {
        let source = source.to_string();
        match self.projector.markets.index(&source) {
            Some(_) => self.insurance(InsuranceKind::Swept, amount.into(), Some(source), None),
            None => self.insurance(InsuranceKind::Funded, amount.into(), None, Some(source)),
        }
    }

    fn insurance(
        &mut self,
        kind: InsuranceKind,
        amount: i128,
        market: Option<String>,
        account: Option<String>,
    ) -> Result<(), DbError> {
        let balance = self.insure(amount)?.to_string();
        let exchange = self.projector.exchange.clone();
        self.entry(&exchange, "insurance", &Insurance { kind, amount: amount.to_string(), market, account, balance });
        Ok(())
    }

    fn liquidated(&mut self, e: &Liquidated) -> Result<(), DbError> {
        let liquidation = Liquidation {
            kind: LiquidationKind::Liquidation,
            market: self.market(e.market),
            account: e.account.to_string(),
            credited: e.credited.to_string(),
            stage: e.stage,
            side: (e.position != 0).then_some(Side::buying(e.position > 0)),
            orders_cancelled: e.orders_cancelled,
            lots: e.lots.to_string(),
            quote: e.quote.to_string(),
            reward: e.reward.to_string(),
            to_insurance: e.to_insurance.to_string(),
            insurance_drawn: e.insurance_drawn.to_string(),
            mark: e.mark.to_string(),
            bankruptcy_price: e.bankruptcy_price.to_string(),
            equity: e.equity.to_string(),
            maintenance: e.maintenance.to_string(),
        };
        self.entry(&liquidation.market, "liquidations", &liquidation);
        self.account(&liquidation.account, "liquidations", &liquidation);
        if e.credited != e.account {
            self.account(&liquidation.credited, "liquidations", &liquidation);
        }
        self.draw(InsuranceKind::Liquidation, e.market, &e.account, e.insurance_drawn)
    }

    fn deleveraged(&mut self, e: &Deleveraged) -> Result<(), DbError> {
        let cell = |cell: ballast_client::events::ReducedCell| Cell {
            row: cell.row,
            column: cell.column,
            lots: cell.lots.to_string(),
        };
        let deleveraging = Deleveraging {
            kind: DeleveragingKind::Deleveraging,
            market: self.market(e.market),
            account: e.account.to_string(),
            reduced: Side::buying(e.longs_reduced),
            lots: e.lots.to_string(),
            price: e.price.to_string(),
            mark: e.mark.to_string(),
            funding_index: e.funding_index.to_string(),
            sequence: e.sequence.to_string(),
            in_profit_exhausted: e.in_profit_exhausted,
            insurance_drawn: e.insurance_drawn.to_string(),
            open_interest: e.open_interest.to_string(),
            last_cell_before: e.last_cell_before.to_string(),
            cells: cells(e).map(cell).collect(),
        };
        // First, so that its id is the event's own.
        self.entry(&deleveraging.market, "deleveragings", &deleveraging);
        self.account(&deleveraging.account, "deleveragings", &deleveraging);
        if e.lots > 0 {
            let value = u128::from(e.lots) * u128::from(e.price);
            self.stress(e.market, StressKind::Deleveraging, Some(value), None);
        }
        self.draw(InsuranceKind::Deleveraging, e.market, &e.account, e.insurance_drawn)
    }
}
