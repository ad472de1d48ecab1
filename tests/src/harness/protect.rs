//! Triggers and ladders.

use ballast_book::{Trigger, TriggerId};
use ballast_client::{
    ballast::{BracketEntry, OrderRef, TriggerArgs, TriggerTerms, events::TriggerExecuted},
    events::Event,
    instructions,
};
use solana_signer::Signer;

use super::{
    chain::{Chain, Outcome, Receipt},
    expect::Expect,
    traders::Trader,
    world::World,
};

impl<C: Chain> World<C> {
    /// Places a trigger or a pair.
    pub fn place_triggers(
        &mut self,
        trader: Trader,
        market: u16,
        first: TriggerArgs,
        second: Option<TriggerArgs>,
    ) -> Outcome {
        let owner = self.owner(trader);
        let (margin, keys) = (self.margin(trader), self.market_keys(market));
        let place = instructions::place_triggers(&owner.pubkey(), &margin, &keys, first, second);
        self.send(&[place], &[&owner])
    }

    /// Places a trigger or a pair for what the order `entry` opens from nothing.
    pub fn place_bracket(
        &mut self,
        trader: Trader,
        market: u16,
        entry: OrderRef,
        both: (TriggerArgs, Option<TriggerArgs>),
    ) -> Outcome {
        self.place_bracket_beyond(trader, market, BracketEntry { order: entry, held: 0 }, both)
    }

    /// Places a trigger or a pair for what an order opens beyond what was held before.
    pub fn place_bracket_beyond(
        &mut self,
        trader: Trader,
        market: u16,
        entry: BracketEntry,
        both: (TriggerArgs, Option<TriggerArgs>),
    ) -> Outcome {
        let owner = self.owner(trader);
        let (margin, keys) = (self.margin(trader), self.market_keys(market));
        let place = instructions::place_bracket(&owner.pubkey(), &margin, &keys, entry, both);
        self.send(&[place], &[&owner])
    }

    /// Places a trigger and gives its id.
    pub fn protect(&mut self, trader: Trader, market: u16, trigger: TriggerArgs) -> TriggerId {
        trigger_ids(&self.place_triggers(trader, market, trigger, None).succeeds())[0]
    }

    /// Places a pair of which one cancels the other and gives their ids.
    pub fn protect_both(
        &mut self,
        trader: Trader,
        market: u16,
        first: TriggerArgs,
        second: TriggerArgs,
    ) -> (TriggerId, TriggerId) {
        let ids = trigger_ids(&self.place_triggers(trader, market, first, Some(second)).succeeds());
        (ids[0], ids[1])
    }

    /// Changes a trigger.
    pub fn edit_trigger(&mut self, trader: Trader, market: u16, trigger: TriggerId, terms: TriggerTerms) -> Outcome {
        let owner = self.owner(trader);
        let (margin, keys) = (self.margin(trader), self.market_keys(market));
        let edit = instructions::edit_trigger(&owner.pubkey(), &margin, &keys, trigger, terms);
        self.send(&[edit], &[&owner])
    }

    /// Cancels a trigger.
    pub fn cancel_trigger(&mut self, trader: Trader, market: u16, trigger: TriggerId) -> Outcome {
        let owner = self.owner(trader);
        let (margin, keys) = (self.margin(trader), self.market_keys(market));
        let cancel = instructions::cancel_trigger(&owner.pubkey(), &margin, &keys, trigger);
        self.send(&[cancel], &[&owner])
    }

    /// Cancels all triggers of a trader in a market.
    pub fn cancel_all_triggers(&mut self, trader: Trader, market: u16) -> Outcome {
        let owner = self.owner(trader);
        let (margin, keys) = (self.margin(trader), self.market_keys(market));
        let cancel = instructions::cancel_all_triggers(&owner.pubkey(), &margin, &keys);
        self.send(&[cancel], &[&owner])
    }

    /// Executes `trader`'s trigger; `reward` is paid for it.
    pub fn execute_trigger(&mut self, reward: Trader, trader: Trader, market: u16, trigger: TriggerId) -> Outcome {
        let execute = instructions::execute_trigger(&self.tend(reward, trader, market), trigger);
        self.send(&[execute], &[])
    }

    /// Lets a trailing stop follow the mark.
    pub fn ratchet(&mut self, market: u16, trigger: TriggerId) -> Outcome {
        let ratchet = instructions::ratchet_trigger(&self.market_keys(market), trigger);
        self.send(&[ratchet], &[])
    }

    /// A trader's triggers in a market, newest first.
    pub fn triggers(&mut self, trader: Trader, market: u16) -> Vec<Trigger> {
        let key = self.margin(trader);
        let snapshot = self.snapshot();
        let view = snapshot.view().expect("the slabs are sound");
        view.triggers(&key, market).expect("the account is known")
    }

    /// Sets a trader's ladder.
    pub fn set_ladder(&mut self, trader: Trader, rules: &[(u16, u16)], slippage_bps: u16) -> Outcome {
        let owner = self.owner(trader);
        let set = instructions::set_ladder(&owner.pubkey(), &self.margin(trader), rules, slippage_bps);
        self.send(&[set], &[&owner])
    }

    /// Executes what is due of `trader`'s ladder; `reward` is paid for it.
    pub fn execute_ladder(&mut self, reward: Trader, trader: Trader, market: u16) -> Outcome {
        let execute = instructions::execute_ladder(&self.tend(reward, trader, market));
        self.send(&[execute], &[])
    }
}

/// The triggers that were placed, in order.
pub fn trigger_ids(receipt: &Receipt) -> Vec<TriggerId> {
    let id = |event: &Event| match event {
        Event::TriggerSet(set) => Some(TriggerId(set.trigger)),
        _ => None,
    };
    receipt.events().iter().filter_map(id).collect()
}

/// The execution that a transaction reports.
pub fn trigger_execution(receipt: &Receipt) -> Option<TriggerExecuted> {
    receipt.events().into_iter().find_map(|event| match event {
        Event::TriggerExecuted(done) => Some(done),
        _ => None,
    })
}
