//! From the view to plain values for [`crate::decide`], and from its decisions to instructions. Each role finds tasks, and
//! builds a task's instructions after deciding again on the newest view.

pub mod deleverager;
pub mod liquidator;
pub mod own;
pub mod poster;
pub mod settler;
pub mod triggers;
pub mod upkeep;

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use ballast_client::{
    addresses::MarketKeys,
    ballast::{logic::insurance_available, state::MarginAccount},
    instructions::{self, Lookup, Tend},
    view::{Due, OpenMarket, View, ViewError},
};
use ballast_units::{Price, Side};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use crate::{
    config::{Config, Role},
    decide::{liquidate::Reason::StartClock, spending::Budget},
    task::{Kind, Plan, Task, Urgency},
    view::Ahead,
};

/// The keeper's own keys.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Signs and pays.
    pub signer: Pubkey,
    /// Its margin account, which rewards go to.
    pub margin: Pubkey,
}

/// Everything that decisions are made on.
pub struct Context<'a> {
    /// The exchange, with markets that lag behind their oracle as they would be after a refresh.
    pub view: &'a View<'a>,
    /// The operator's wishes.
    pub config: &'a Config,
    /// The keeper's own keys.
    pub own: Own,
    /// The insurance vault's balance, in atoms.
    pub insurance: u64,
    /// The cluster's time.
    pub now: i64,
    /// The keeper's own.
    pub instant: Instant,
    /// Oracle accounts' prices that their markets do not have yet.
    pub ahead: &'a BTreeMap<u16, Ahead>,
    /// Markets that lag behind such an account although there was time to refresh them, and the account.
    pub lagging: &'a HashMap<u16, Pubkey>,
    /// Whether the keeper's own position may change: by one transaction at a time.
    pub may_trade: Cell<bool>,
    /// How often the operator still pays for a larger book.
    pub may_grow: Cell<u32>,
    /// Atoms that a SOL costs.
    pub sol_price: u64,
    /// Lamports that may be spent now, within the hour's cap.
    pub budget: Cell<Budget>,
}

impl<'a> Context<'a> {
    fn account(&self, key: &Pubkey) -> Result<&'a MarginAccount, ViewError> {
        self.view.snapshot().account(key).ok_or(ViewError::NoAccount(*key))
    }

    fn keys(&self, market: u16) -> Result<MarketKeys, ViewError> {
        self.view.snapshot().market_keys(market).ok_or(ViewError::NoMarket(market))
    }

    /// Whose position, where, and who is paid for it.
    fn tend(&self, key: &Pubkey, market: u16) -> Result<Tend, ViewError> {
        let others = instructions::others(self.account(key)?, Some(market), self.view.snapshot());
        Ok(Tend {
            reward: self.own.margin,
            margin: *key,
            market: self.keys(market)?,
            others: others.map_err(|unknown| ViewError::NoMarket(unknown.0))?,
        })
    }

    /// Refreshes of the account's markets that lag behind their oracle.
    fn refreshes(&self, key: &Pubkey) -> Result<Vec<Instruction>, ViewError> {
        let mut refreshes = Vec::new();
        for index in self.account(key)?.slots.iter().filter_map(|slot| slot.market()) {
            if let Some(oracle) = self.lagging.get(&index) {
                refreshes.push(instructions::refresh_market(&self.keys(index)?, oracle));
            }
        }
        Ok(refreshes)
    }

    /// A forced reduction's plan: what it needs refreshed first, then the instruction.
    fn forced(&self, task: Task, instruction: Instruction) -> Result<Plan, ViewError> {
        let mut plan = Plan::new(task, instruction);
        plan.instructions.splice(0..0, self.refreshes(&task.account)?);
        Ok(plan)
    }

    /// What insurance can pay for a market now, in atoms.
    fn available(&self, open: &OpenMarket) -> u64 {
        insurance_available(&open.market, self.insurance, self.now)
    }

    /// Whether the book takes something of a position of `side` at `limit` or better.
    fn book_takes(&self, open: &OpenMarket, side: Side, limit: Price) -> bool {
        let Ok(terms) = open.market.terms(self.now) else { return false };
        let Some((best, _)) = open.book.best_inside(side, &terms) else { return false };
        match side {
            // A long is sold to the bids, which are the book's long side.
            Side::Long => best >= limit,
            Side::Short => best <= limit,
        }
    }

    /// Orders of the account that rest in a market.
    fn orders(&self, key: &Pubkey, market: u16) -> Result<u32, ViewError> {
        let account = self.account(key)?;
        let Some(slot) = account.slot_index(market).map(|at| &account.slots[at]) else { return Ok(0) };
        if slot.seat == 0 {
            return Ok(0);
        }
        let seat = self.view.market(market)?.book.seat(slot.seat, &key.to_bytes());
        Ok(seat.map_or(0, |seat| seat.orders.into()))
    }
}

/// Tasks that an account in trouble gives rise to.
///
/// # Errors
/// When the view cannot be read, or a price does not allow it.
pub fn find_forced(context: &Context, key: &Pubkey, due: &Due) -> Result<Vec<Task>, ViewError> {
    let has = |role| context.config.has(role);
    let liquidator = if has(Role::Liquidator) { liquidator::find(context, key, due)? } else { None };
    let deleverager = if has(Role::Deleverager) { deleverager::find(context, key, due)? } else { Vec::new() };
    // What only starts a clock is superfluous beside a deleveraging, which starts it as well.
    let starts_clock = |task: &Task| task.reason == StartClock.name();
    let liquidator = liquidator.filter(|task| deleverager.is_empty() || !starts_clock(task));
    Ok(liquidator.into_iter().chain(deleverager).collect())
}

/// Decides again, and builds the instructions if it is still to be done.
///
/// # Errors
/// When the view cannot be read, or a price does not allow it.
pub fn build(context: &Context, task: &Task) -> Result<Option<Plan>, ViewError> {
    match task.kind {
        Kind::Liquidate | Kind::Takeover => liquidator::build(context, task),
        Kind::Deleverage | Kind::CoverBadDebt => deleverager::build(context, task),
        Kind::Unwind => own::build_unwind(context, task),
        Kind::SettleSeat => settler::build_settle(context, task),
        Kind::Rerank => settler::build_rerank(context, task),
        Kind::SweepInsuranceFees => settler::build_sweep(context, task),
        Kind::PruneOrders => settler::build_prune(context, task),
        Kind::PruneExpired | Kind::GrowBook | Kind::CancelUnfunded | Kind::RollVolume => upkeep::build(context, task),
        Kind::RefreshMarket => poster::build(context, task),
        Kind::ExecuteTrigger | Kind::RatchetTrigger | Kind::ExecuteLadder => triggers::build(context, task),
    }
}

/// A forced reduction's urgency: the lower the margin ratio, the earlier.
fn forced_urgency(due: &Due) -> Urgency {
    Urgency::Forced(due.assessment.account.margin_ratio_bps())
}
