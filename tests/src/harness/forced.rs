//! What anyone may do to anyone's account.

use ballast_client::{
    instructions::{self, TakeoverOf, Tend},
    units::Lots,
};
use solana_signer::Signer;

use super::{
    chain::{Chain, Outcome},
    traders::Trader,
    world::World,
};

impl<C: Chain> World<C> {
    /// The accounts of an instruction that `reward` is paid for and `trader` is tended by.
    pub fn tend(&mut self, reward: Trader, trader: Trader, market: u16) -> Tend {
        Tend {
            reward: self.margin(reward),
            margin: self.margin(trader),
            market: self.market_keys(market),
            others: self.others(trader, Some(market)),
        }
    }

    /// Settles `trader`'s seat and position; `reward` gets the bounty.
    pub fn settle(&mut self, reward: Trader, trader: Trader, market: u16) -> Outcome {
        let settle = instructions::settle_seat(&self.tend(reward, trader, market));
        self.send(&[settle], &[])
    }

    /// Reranks `trader`'s position; `reward` gets the bounty.
    pub fn rerank(&mut self, reward: Trader, trader: Trader, market: u16) -> Outcome {
        let rerank = instructions::rerank(&self.tend(reward, trader, market));
        self.send(&[rerank], &[])
    }

    /// Liquidates `trader` on the book; `reward` gets its part of the fee.
    pub fn liquidate(&mut self, reward: Trader, trader: Trader, market: u16) -> Outcome {
        let liquidate = instructions::liquidate(&self.tend(reward, trader, market));
        self.send(&[liquidate], &[])
    }

    /// `taker` takes up to `max_lots` of `trader`'s position over.
    pub fn take_over(&mut self, taker: Trader, trader: Trader, market: u16, max_lots: u64) -> Outcome {
        let owner = self.owner(taker);
        let terms = self.takeover_of(taker, trader, market);
        let takeover = instructions::takeover(&self.keys, &terms, Lots(max_lots));
        self.send(&[takeover], &[&owner])
    }

    /// The accounts of a takeover.
    pub fn takeover_of(&mut self, taker: Trader, trader: Trader, market: u16) -> TakeoverOf {
        let (given, taken) = (self.margin_account(trader), self.margin_account(taker));
        let others = instructions::others_of_both(&given, &taken, Some(market), &self.markets);
        TakeoverOf {
            liquidator: self.owner(taker).pubkey(),
            taker: self.margin(taker),
            margin: self.margin(trader),
            market: self.market_keys(market),
            others: others.expect("all markets are known"),
        }
    }

    /// Deleverages `trader`'s position against up to `max_cells` cells of the other side.
    pub fn deleverage(&mut self, reward: Trader, trader: Trader, market: u16, max_cells: u32) -> Outcome {
        let tend = self.tend(reward, trader, market);
        let deleverage = instructions::deleverage(&self.keys, &tend, max_cells);
        self.send(&[deleverage], &[])
    }

    /// Lets insurance pay what `trader` owes the market's pool.
    pub fn cover_bad_debt(&mut self, reward: Trader, trader: Trader, market: u16) -> Outcome {
        let tend = self.tend(reward, trader, market);
        let cover = instructions::cover_bad_debt(&self.keys, &tend);
        self.send(&[cover], &[])
    }

    /// Moves the market's insurance fees into the insurance vault.
    pub fn sweep_insurance_fees(&mut self, market: u16) -> Outcome {
        let sweep = instructions::sweep_insurance_fees(&self.keys, &self.market_keys(market));
        self.send(&[sweep], &[])
    }
}
