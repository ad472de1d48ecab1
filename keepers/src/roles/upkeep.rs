//! The settler's work on books and tiers: unfunded and expired orders, room in books, volume of owners.

use core::cmp::Reverse;
use std::collections::HashMap;

use ballast_book::OrderId;
use ballast_client::{
    ballast::{
        logic::Marks,
        state::{MAX_BOOK_BLOCKS, MarginAccount, Slot, Trader},
    },
    instructions,
    view::{OpenMarket, ViewError},
};
use ballast_risk::{fees::day_of, health::Stage, oracle::Action};
use ballast_units::{Lots, Side};
use solana_pubkey::Pubkey;

use super::Context;
use crate::{
    decide::upkeep::{self, ExpiredOrders, Gathered, Orders, Purse, RollReason},
    task::{Class, Kind, Plan, Task, Urgency},
};

/// Most expired orders that one transaction removes: their ids fill half a packet.
const MAX_EXPIRED: usize = 32;
/// Most margin accounts that one roll names: as many as fit a packet without a lookup table.
const MAX_ROLLED: usize = 24;

fn task(kind: Kind, key: &Pubkey, market: u16, reason: &'static str, value: u64) -> Task {
    let stage = if kind == Kind::CancelUnfunded { Stage::Restricted } else { Stage::Healthy };
    Task { kind, market, account: *key, stage, reason, urgency: Urgency::Owed(Reverse(value)) }
}

/// A market in which an account below initial margin has orders that it cannot fund, if there is one.
///
/// # Errors
/// When the view cannot be read, or a price does not allow it.
pub fn find_unfunded(context: &Context, key: &Pubkey) -> Result<Option<Task>, ViewError> {
    let account = context.account(key)?;
    let stage = context.view.assess(key, Marks::Confirmed, None)?.account.stage();
    for slot in &account.slots {
        let Some(index) = slot.market().filter(|_| slot.seat != 0) else { continue };
        let open = context.view.market(index)?;
        let Ok(seat) = open.book.seat(slot.seat, &key.to_bytes()) else { continue };
        let position = context.view.position(key, index)?.unwrap_or_default().position;
        let orders = Orders { bids: Lots(seat.bid_lots), asks: Lots(seat.ask_lots) };
        if upkeep::decide_unfunded(stage, position, orders) {
            // As the program: every market of the account needs a price.
            for other in account.slots.iter().filter_map(Slot::market) {
                context.view.market(other)?.market.require_price(Action::Liquidate, context.now)?;
            }
            return Ok(Some(task(Kind::CancelUnfunded, key, index, "below_initial_margin", 1)));
        }
    }
    Ok(None)
}

/// Books that have expired orders worth removing, or need room.
pub fn find_in_books(context: &Context) -> Vec<Task> {
    let markets = context.view.snapshot().markets().filter_map(|entry| context.view.market(entry.keys.index).ok());
    let tasks = markets.filter_map(|open| {
        let (book, index) = (&open.entry.keys.book, open.entry.keys.index);
        if worth_clearing(context, open) {
            return Some(task(Kind::PruneExpired, book, index, "expired_orders", 0));
        }
        worth_growing(context, open).map(|_| task(Kind::GrowBook, book, index, "book_nearly_full", 0))
    });
    tasks.collect()
}

/// Expired orders of a book, the longest expired first.
fn expired(context: &Context, open: &OpenMarket) -> Vec<(i64, OrderId)> {
    let orders = Side::BOTH.into_iter().flat_map(|side| open.book.orders(side).chain(open.book.pegs(side)));
    let gone = orders.filter(|order| order.expired(context.now));
    let mut expired: Vec<_> = gone.map(|order| (order.expires_at, order.id)).collect();
    expired.sort_unstable_by_key(|(at, id)| (*at, id.0));
    expired.dedup();
    expired
}

fn worth_clearing(context: &Context, open: &OpenMarket) -> bool {
    let expired = expired(context, open);
    let oldest_s = expired.first().map_or(0, |(at, _)| context.now.saturating_sub(*at));
    let facts = ExpiredOrders { count: expired.len(), oldest_s };
    upkeep::decide_expired(&facts, open.book.free_blocks(), open.book.capacity())
}

/// What growing a book costs in rent, where it is worth it.
fn worth_growing(context: &Context, open: &OpenMarket) -> Option<u64> {
    let (free, capacity) = (open.book.free_blocks(), open.book.capacity());
    // With what the transaction itself may cost.
    let lamports = context.budget.get().of(Class::Routine).saturating_sub(context.config.fees.most());
    let purse = Purse { growths: context.may_grow.get(), lamports };
    upkeep::decide_grow(free, capacity, MAX_BOOK_BLOCKS, purse)
}

/// Owners whose volume is to be rolled.
pub fn find_rolls(context: &Context) -> Vec<Task> {
    let snapshot = context.view.snapshot();
    let mut owners: HashMap<Pubkey, (&Pubkey, &Trader, Vec<&MarginAccount>)> =
        snapshot.traders().map(|(key, trader)| (trader.owner, (key, trader, Vec::new()))).collect();
    if owners.is_empty() {
        return Vec::new();
    }
    for (_, account) in snapshot.accounts() {
        if let Some((_, _, accounts)) = owners.get_mut(&account.owner) {
            accounts.push(account);
        }
    }
    let tasks = owners.into_values().filter_map(|(key, trader, accounts)| {
        let reason = worth_rolling(context, trader, &accounts)?;
        let owed = accounts.iter().fold(0u64, |sum, account| sum.saturating_add(account.referral_owed));
        Some(task(Kind::RollVolume, key, 0, reason.name(), owed))
    });
    tasks.collect()
}

fn worth_rolling(context: &Context, trader: &Trader, accounts: &[&MarginAccount]) -> Option<RollReason> {
    let exchange = &context.view.snapshot().exchange;
    let gathered = |account: &&MarginAccount| Gathered {
        volume: account.volume,
        day: account.volume_day,
        owed: account.referral_owed,
        tier: account.fee_tier,
        tier_until: account.fee_tier_until,
        share_bps: account.referral_share_bps,
    };
    let gathered: Vec<_> = accounts.iter().map(gathered).collect();
    let share = if trader.is_referred() { exchange.referral_share_bps } else { 0 };
    let (today, tiers) = (day_of(context.now), &exchange.fee_tier_volumes);
    upkeep::decide_roll(trader.volumes(), &gathered, today, tiers, share, context.config.settle.min_loss)
}

/// Decides again, and builds the instructions.
///
/// # Errors
/// When the view cannot be read, or a price does not allow it.
pub fn build(context: &Context, wanted: &Task) -> Result<Option<Plan>, ViewError> {
    match wanted.kind {
        Kind::CancelUnfunded => {
            let Some(task) = find_unfunded(context, &wanted.account)? else { return Ok(None) };
            let instruction = instructions::cancel_unfunded(&context.tend(&task.account, task.market)?);
            Ok(Some(context.forced(task, instruction)?.paid_if(true)))
        }
        Kind::PruneExpired => {
            let open = context.view.market(wanted.market)?;
            if !worth_clearing(context, open) {
                return Ok(None);
            }
            let orders: Vec<_> = expired(context, open).into_iter().take(MAX_EXPIRED).map(|(_, id)| id).collect();
            Ok(Some(Plan::new(*wanted, instructions::prune_expired(&open.entry.keys, &orders))))
        }
        Kind::GrowBook => {
            let open = context.view.market(wanted.market)?;
            let Some(rent) = worth_growing(context, open) else { return Ok(None) };
            let grow = instructions::grow_book(&context.own.signer, &open.entry.keys);
            Ok(Some(Plan { rent, ..Plan::new(*wanted, grow) }))
        }
        _ => Ok(build_roll(context, wanted)),
    }
}

fn build_roll(context: &Context, wanted: &Task) -> Option<Plan> {
    let snapshot = context.view.snapshot();
    let trader = snapshot.trader(&wanted.account)?;
    let own = snapshot.accounts().filter(|(_, account)| account.owner == trader.owner);
    let (mut keys, accounts): (Vec<Pubkey>, Vec<_>) = own.map(|(key, account)| (*key, account)).unzip();
    worth_rolling(context, trader, &accounts)?;
    // Those with something to change first, for the rest have to wait until the next time.
    let share = if trader.is_referred() { snapshot.exchange.referral_share_bps } else { 0 };
    keys.sort_by_cached_key(|key| {
        let account = snapshot.account(key)?;
        Some((account.referral_share_bps == share, Reverse(account.volume), account.fee_tier_until))
    });
    keys.truncate(MAX_ROLLED);
    Some(Plan::new(*wanted, instructions::roll_volume(&snapshot.keys.exchange, &wanted.account, trader, &keys)))
}
