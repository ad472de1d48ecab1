//! Triggers and ladders: set by honest traders, executed by anybody, due or not.

use ballast_book::TriggerId;
use ballast_client::{
    ballast::{OrderRef, TriggerArgs, TriggerExecution, TriggerKind, TriggerTerms},
    units::Side,
};
use ballast_tests::harness::{Outcome, Trader, trigger_ids};

use super::{MARKETS, Run};

impl Run {
    /// A trigger of any kind, mostly near the mark and mostly for the position that there is.
    fn trigger(&mut self, trader: Trader, market: u16) -> TriggerArgs {
        let held = self.world.position(trader, market);
        let position = match held {
            1.. => Side::Long,
            0 => self.dice.pick(&Side::BOTH),
            _ => Side::Short,
        };
        let position = if self.dice.chance(10) { position.opposite() } else { position };
        let kinds = [TriggerKind::StopLoss, TriggerKind::StopLoss, TriggerKind::TakeProfit];
        let trails = self.dice.chance(25);
        let execution = if self.dice.chance(30) {
            TriggerExecution::Limit { price: self.price(market) }
        } else {
            TriggerExecution::Market { slippage_bps: u16::try_from(self.dice.below(1_000)).expect("small") }
        };
        TriggerArgs {
            buys: position == Side::Short,
            kind: if trails { TriggerKind::StopLoss } else { self.dice.pick(&kinds) },
            terms: TriggerTerms {
                price: if trails { 0 } else { self.price(market) },
                lots: if self.dice.chance(30) { 0 } else { self.lots() },
                execution,
                trail_ppm: if trails { u32::try_from(self.dice.between(50, 60_000)).expect("small") } else { 0 },
                expires_at: if self.dice.chance(10) { self.world.now + 60 } else { 0 },
            },
            client_id: self.dice.next(),
        }
    }

    /// Places triggers, changes or cancels them, or sets a ladder.
    pub fn protect(&mut self) -> Outcome {
        let (trader, market) = (self.trader(), self.market());
        match self.dice.below(10) {
            0..=5 => {
                let first = self.trigger(trader, market);
                let mut second = self.dice.chance(40).then(|| self.trigger(trader, market));
                if let Some(second) = &mut second {
                    (second.buys, second.terms.lots) = (first.buys, first.terms.lots);
                }
                let entry = self
                    .world
                    .orders_of(trader, market)
                    .into_iter()
                    .find(|order| order.side.index() == usize::from(first.buys));
                let outcome = match entry.filter(|_| self.dice.chance(70)) {
                    Some(entry) => self.world.place_bracket(trader, market, OrderRef::Id(entry.id.0), (first, second)),
                    None => self.world.place_triggers(trader, market, first, second),
                };
                if let Ok(receipt) = &outcome {
                    let placed = trigger_ids(receipt).into_iter().map(|id| (trader, market, id));
                    self.triggers.extend(placed);
                }
                outcome
            }
            6 => {
                let (trader, market, id) = self.some_trigger();
                let terms = self.trigger(trader, market).terms;
                self.world.edit_trigger(trader, market, id, terms)
            }
            7 => {
                let (owner, market, id) = self.some_trigger();
                let trader = if self.dice.chance(30) { trader } else { owner };
                self.world.cancel_trigger(trader, market, id)
            }
            8 if self.dice.chance(20) => self.world.cancel_all_triggers(trader, market),
            _ => {
                let top = u16::try_from(self.dice.between(10_500, 40_000)).expect("small");
                let rules = [(top, 2_500), (top / 4 * 3, 5_000)];
                let rungs = if self.dice.chance(20) { 0 } else { 2 };
                self.world.set_ladder(trader, &rules[..rungs], if rungs == 0 { 0 } else { 300 })
            }
        }
    }

    /// Somebody executes or ratchets a trigger, mostly one that is due, or a ladder.
    pub fn execute(&mut self) -> Outcome {
        let kit = self.trader();
        match self.dice.below(10) {
            0..=4 => {
                let (trader, market, id) = self.due_trigger().unwrap_or_else(|| self.some_trigger());
                let outcome = self.world.execute_trigger(kit, trader, market, id);
                if outcome.is_ok() && self.dice.chance(20) {
                    // Once more: there must be something left of it, or it is refused.
                    self.reached.note(&outcome);
                    return self.world.execute_trigger(kit, trader, market, id);
                }
                outcome
            }
            5..=6 => {
                let (trader, market, id) = self.some_trigger();
                let whose = if self.dice.chance(30) { self.trader() } else { trader };
                self.world.execute_trigger(kit, whose, market, id)
            }
            7 => {
                let (_, market, id) = self.some_trigger();
                self.world.ratchet(market, id)
            }
            _ => {
                let due = self.due_ladder();
                let (trader, market) = due.unwrap_or_else(|| (self.trader(), self.market()));
                self.world.execute_ladder(kit, trader, market)
            }
        }
    }

    fn due_trigger(&mut self) -> Option<(Trader, u16, TriggerId)> {
        let everybody: Vec<_> = self.everybody().collect();
        let (snapshot, now) = (self.world.snapshot(), self.world.now);
        let view = snapshot.view().expect("sound slabs");
        let mut due = Vec::new();
        for market in 0..MARKETS {
            for found in view.due_triggers(market, now).unwrap_or_default() {
                let owner = everybody.iter().find(|trader| self.world.margin(**trader) == found.account);
                due.extend(owner.map(|trader| (*trader, market, found.trigger.id)));
            }
        }
        if due.is_empty() { None } else { Some(self.dice.pick(&due)) }
    }

    fn due_ladder(&mut self) -> Option<(Trader, u16)> {
        let everybody: Vec<_> = self.everybody().collect();
        let (snapshot, now) = (self.world.snapshot(), self.world.now);
        let view = snapshot.view().expect("sound slabs");
        let due = |trader: &Trader| Some((*trader, view.due_ladder(&self.world.margin(*trader), now).ok()??));
        let found: Vec<_> = everybody.iter().filter_map(due).collect();
        if found.is_empty() { None } else { Some(self.dice.pick(&found)) }
    }

    /// A trigger that was placed at some time, or one that never was.
    fn some_trigger(&mut self) -> (Trader, u16, TriggerId) {
        if self.triggers.is_empty() || self.dice.chance(5) {
            return (self.trader(), self.market(), TriggerId(self.dice.next()));
        }
        // Mostly a recent one: older ones are gone.
        let from = if self.dice.chance(70) { self.triggers.len().saturating_sub(12) } else { 0 };
        let at = from + self.dice.index(self.triggers.len() - from);
        self.triggers[at]
    }
}
