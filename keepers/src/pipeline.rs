//! From a plan to its outcome: simulated, found worth its cost or not, sent, confirmed, compared with what was expected, logged.

use std::{sync::Arc, time::Duration};

use ballast_client::{
    rpc,
    send::{Priority, SendConfig, Sender, Signers},
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use tokio::time::timeout;

use crate::{
    config::{Config, ProfitConfig},
    decide::{
        deleverage, liquidate,
        profit::{Least, Worth},
    },
    effect::Effect,
    outcome::Outcome,
    task::{Class, Kind, Plan, stage_name},
};

/// How long a transaction is waited for: longer than any blockhash is valid.
const GIVE_UP_AFTER: Duration = Duration::from_secs(180);
/// How often a transaction's status is asked for.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// Largest price of a compute unit, in millionths of a lamport; the cap on the whole fee binds earlier.
const MAX_PRICE: u64 = 1_000_000_000;

/// Sends plans.
pub struct Pipeline {
    sender: Sender,
    key: Arc<Keypair>,
    /// The keeper's margin account.
    own: Pubkey,
    dry_run: bool,
    profit: ProfitConfig,
    /// In a dry run: what opens the keeper's margin account, when it has none.
    before: Vec<Instruction>,
}

impl Pipeline {
    /// With the operator's fees and lookup tables.
    ///
    /// # Errors
    /// When a lookup table cannot be read.
    pub async fn new(
        rpc: Arc<RpcClient>,
        key: Arc<Keypair>,
        own: Pubkey,
        config: &Config,
    ) -> Result<Pipeline, rpc::ReadError> {
        let mut tables = Vec::new();
        for table in &config.lookup_tables {
            tables.push(rpc::lookup_table(&rpc, table).await?);
        }
        let mut sender = Sender::new(rpc);
        sender.tables = tables;
        sender.config = SendConfig {
            priority: Priority::Recent {
                percentile: config.fees.percentile,
                min: 0,
                max: MAX_PRICE,
                max_lamports: config.fees.max_priority_lamports,
            },
            poll_every: POLL_EVERY,
            ..SendConfig::default()
        };
        let (dry_run, profit) = (config.dry_run, config.profit);
        Ok(Pipeline { sender, key, own, dry_run, profit, before: Vec::new() })
    }

    /// The key that signs and pays.
    pub fn payer(&self) -> Pubkey {
        self.key.pubkey()
    }

    /// Prepares the keeper's margin account; in a dry run, before each simulation.
    pub async fn prepare(&mut self, instruction: Instruction) -> Outcome {
        if self.dry_run {
            self.before.push(instruction);
            return Outcome::DryRun(Effect::default());
        }
        let judge = |_: &Effect, _| None;
        self.send(&[instruction], &Pubkey::default(), judge).await
    }

    /// Carries a plan out, at so many atoms a SOL.
    pub async fn run(&self, plan: &Plan, sol_price: u64) -> Outcome {
        let instructions: Vec<_> = self.before.iter().chain(&plan.instructions).cloned().collect();
        let judge = |expected: &Effect, lamports| judge(plan, self.least(plan), expected, lamports, sol_price);
        self.send(&instructions, &plan.task.account, judge).await
    }

    /// The least profit for which a plan is sent.
    fn least(&self, plan: &Plan) -> Least {
        match (plan.paid, plan.task.class()) {
            (false, _) => Least::Any,
            (true, Class::Forced) => self.profit.forced,
            (true, Class::Standing | Class::Routine) => self.profit.routine,
        }
    }

    /// Sends, unless `judge` has another outcome for what the simulation did and what sending would cost, in lamports.
    async fn send(
        &self,
        instructions: &[Instruction],
        account: &Pubkey,
        judge: impl Fn(&Effect, u64) -> Option<Outcome>,
    ) -> Outcome {
        let signers: Signers<'_> = &[&*self.key];
        let simulated = match self.sender.simulate(&self.payer(), instructions).await {
            Ok(simulated) => simulated,
            Err(error) => return error.into(),
        };
        let bid = match self.sender.bid(instructions, signers, &simulated).await {
            Ok(bid) => bid,
            Err(error) => return error.into(),
        };
        let logged = simulated.events();
        let expected = Effect::of(&logged, account, &self.own);
        if let Some(outcome) = judge(&expected, bid.lamports).filter(|_| !logged.truncated) {
            return outcome;
        }
        if self.dry_run {
            return Outcome::DryRun(expected);
        }
        let sent = self.sender.send_at(bid, instructions, signers, simulated);
        match timeout(GIVE_UP_AFTER, sent).await {
            Ok(Ok(confirmed)) => {
                let logged = confirmed.events();
                let known = !confirmed.estimated && !logged.truncated;
                Outcome::Confirmed {
                    signature: confirmed.signature,
                    slot: confirmed.slot,
                    fee: confirmed.fee.unwrap_or(bid.lamports),
                    spent: confirmed.spent,
                    expected,
                    actual: known.then(|| Effect::of(&logged, account, &self.own)),
                }
            }
            Ok(Err(error)) => error.into(),
            Err(_) => Outcome::Unknown(bid.lamports),
        }
    }
}

/// Why a plan is not sent whose simulation did this; `None` when it is sent.
fn judge(plan: &Plan, least: Least, expected: &Effect, lamports: u64, sol_price: u64) -> Option<Outcome> {
    if is_needless(plan, expected) {
        return Some(Outcome::Nothing);
    }
    let worth = Worth::new(expected.reward, lamports, sol_price, plan.afterwards);
    (!worth.suffices(least)).then_some(Outcome::LeftOut { expected: *expected, cost: worth.cost })
}

/// Whether the simulation shows that the transaction would be for nothing: somebody else was first.
fn is_needless(plan: &Plan, expected: &Effect) -> bool {
    let starts_clock = [liquidate::Reason::StartClock.name(), deleverage::Reason::StartClock.name()];
    match plan.task.kind {
        Kind::Liquidate | Kind::Deleverage => {
            !starts_clock.contains(&plan.task.reason) && expected.lots == 0 && expected.orders == 0
        }
        Kind::Takeover | Kind::Unwind => expected.lots == 0,
        Kind::SettleSeat => expected.is_nothing(),
        Kind::CoverBadDebt
        | Kind::SweepInsuranceFees
        | Kind::Rerank
        | Kind::PruneOrders
        | Kind::PruneExpired
        | Kind::GrowBook
        | Kind::CancelUnfunded
        | Kind::RollVolume
        | Kind::RefreshMarket
        | Kind::ExecuteTrigger
        | Kind::RatchetTrigger
        | Kind::ExecuteLadder => false,
    }
}

/// What the keeper earned, in atoms.
pub fn reward(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Confirmed { expected, actual, .. } => actual.unwrap_or(*expected).reward,
        _ => 0,
    }
}

/// Logs an attempt: one line, under the target `action`.
pub fn log(plan: &Plan, outcome: &Outcome, eligible_slot: u64, reward: u64) {
    let task = &plan.task;
    let (expected, actual) = match outcome {
        Outcome::Confirmed { expected, actual, .. } => (Some(*expected), *actual),
        Outcome::DryRun(expected) | Outcome::LeftOut { expected, .. } => (Some(*expected), None),
        _ => (None, None),
    };
    let would_cost = match outcome {
        Outcome::LeftOut { cost, .. } => Some(*cost),
        _ => None,
    };
    let as_expected = actual.map(|actual| Some(actual) == expected);
    tracing::info!(
        target: "action",
        kind = task.kind.name(),
        market = task.market,
        account = %task.account,
        stage = stage_name(task.stage),
        reason = task.reason,
        eligible_slot,
        landed_slot = outcome.slot(),
        result = outcome.name(),
        error = outcome.error(),
        detail = outcome.detail(),
        wanted_lots = plan.lots,
        expected = expected.map(tracing::field::display),
        actual = actual.map(tracing::field::display),
        as_expected,
        reward,
        would_cost,
        fee_lamports = outcome.fee(),
        signature = outcome.signature().map(tracing::field::display),
    );
}

#[cfg(test)]
mod tests {
    use ballast_risk::health::Stage;

    use super::*;
    use crate::task::{Task, Urgency};

    fn plan(kind: Kind, reason: &'static str) -> Plan {
        let task = Task {
            kind,
            market: 0,
            account: Pubkey::default(),
            stage: Stage::Partial,
            reason,
            urgency: Urgency::Blocking,
        };
        Plan { task, instructions: Vec::new(), lots: None, rent: 0, paid: true, afterwards: 0 }
    }

    #[test]
    fn a_transaction_that_would_do_nothing_is_not_paid_for() {
        let nothing = Effect::default();
        assert!(is_needless(&plan(Kind::Liquidate, "reduce"), &nothing));
        assert!(!is_needless(&plan(Kind::Liquidate, "start_clock"), &nothing));
        assert!(!is_needless(&plan(Kind::Liquidate, "cancel_orders"), &Effect { orders: 1, ..nothing }));
        assert!(is_needless(&plan(Kind::SettleSeat, "pending_fills"), &nothing));
        assert!(!is_needless(&plan(Kind::SettleSeat, "realised_loss"), &Effect { moved: -1, ..nothing }));
    }

    /// At $150 a SOL, 5,000 lamports are 750 atoms.
    #[test]
    fn a_transaction_that_would_lose_money_is_left_out_where_the_operator_says_so() {
        let settle = plan(Kind::SettleSeat, "pending_fills");
        let judged = |reward, least| {
            let expected = Effect { lots: 1, reward, ..Effect::default() };
            judge(&settle, least, &expected, 5_000, 150_000_000)
        };
        assert!(judged(750, Least::Atoms(0)).is_none() && judged(0, Least::Any).is_none());
        let Some(Outcome::LeftOut { expected, cost }) = judged(749, Least::Atoms(0)) else { panic!("it was sent") };
        assert_eq!((expected.reward, cost), (749, 750));
        let takeover = Plan { afterwards: 1_000, ..plan(Kind::Takeover, "discount") };
        let expected = Effect { lots: 5, reward: 1_700, ..Effect::default() };
        assert!(judge(&takeover, Least::Atoms(0), &expected, 5_000, 150_000_000).is_some(), "unwinding costs, too");
    }
}
