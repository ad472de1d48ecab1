//! What an exchange holds, read through the client and written as JSON: the same before and after its accounts have been
//! migrated. Only what a person would call the content, not how the accounts lay it out.

use ballast_book::{BookView, RestingOrder};
use ballast_client::{
    audit::{Vaults, audit},
    ballast::{logic::Marks, state::Slot},
    snapshot::{MarketEntry, Snapshot},
    units::Side,
    view::View,
};
use serde_json::{Map, Value, json};
use solana_pubkey::Pubkey;

use super::{chain::Chain, world::World};

/// Describes the exchange of a world.
///
/// # Panics
/// When an account cannot be read.
pub fn describe<C: Chain>(world: &mut World<C>) -> Value {
    let vaults = Vaults { collateral: world.vault_tokens(), insurance: world.insurance_tokens() };
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("the slabs are sound");
    let accounts = snapshot.accounts().map(|(key, _)| (key.to_string(), account(&view, key)));
    json!({
        "exchange": exchange(&snapshot),
        "vaults": { "collateral": vaults.collateral, "insurance": vaults.insurance },
        "markets": snapshot.markets().map(|entry| market(&snapshot, entry)).collect::<Vec<_>>(),
        "accounts": accounts.collect::<Map<_, _>>(),
        "audit": serde_json::to_value(audit(&snapshot, &vaults).checks).expect("plain values"),
    })
}

/// Whether `actual` has everything that `expected` has: a newer version may know more. Returns where they differ.
///
/// # Errors
/// The path of the first difference, with both values.
pub fn contains(actual: &Value, expected: &Value) -> Result<(), String> {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, wanted) in expected {
                let found = actual.get(key).ok_or_else(|| format!(".{key} is missing"))?;
                contains(found, wanted).map_err(|path| format!(".{key}{path}"))?;
            }
            Ok(())
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            let mut pairs = actual.iter().zip(expected).enumerate();
            pairs.try_for_each(|(at, (found, wanted))| contains(found, wanted).map_err(|path| format!("[{at}]{path}")))
        }
        _ if actual == expected => Ok(()),
        _ => Err(format!(" is {actual}, not {expected}")),
    }
}

fn exchange(snapshot: &Snapshot) -> Value {
    let exchange = &snapshot.exchange;
    json!({
        "creator": exchange.creator.to_string(),
        "admin": exchange.admin.to_string(),
        "pending_admin": exchange.pending_admin.to_string(),
        "guardian": exchange.guardian.to_string(),
        "quote_mint": exchange.quote_mint.to_string(),
        "market_count": exchange.market_count,
        "deposits_paused": exchange.deposits_paused,
        "withdrawals_paused": exchange.withdrawals_paused,
    })
}

fn market(snapshot: &Snapshot, entry: &MarketEntry) -> Value {
    let market = &entry.market;
    let (mark, reading, funding, budget) = (market.mark_state(), market.reading(), market.funding(), market.budget());
    let book = entry.book.book().expect("a book");
    json!({
        "index": market.index,
        "symbol": String::from_utf8_lossy(&market.symbol),
        "status": market.status,
        "oracle_kind": market.oracle_kind,
        "oracle_program": market.oracle_program.to_string(),
        "oracle_feed": Pubkey::from(market.oracle_feed).to_string(),
        "lot_exponent": market.lot_exponent,
        "params": serde_json::to_value(market.params).expect("plain values"),
        "mark": mark.mark.0,
        "supported": mark.supported.0,
        "ticks": [mark.tick.0, mark.previous_tick.0],
        "slow_average": mark.slow_average().0,
        "reading": { "price": reading.price.0, "publish_time": reading.publish_time },
        "funding": { "index": funding.index, "average": funding.average, "updated_at": funding.updated_at },
        "pool": market.pool,
        "fees": market.fees,
        "insurance_fees": market.insurance_fees,
        "fee_claims": market.fee_claims,
        "insurance_drawn": market.insurance_drawn,
        "budget": { "spent": budget.spent, "limit": budget.limit_per_window },
        "deleverages": market.deleverages,
        "deleveraged_lots": market.deleveraged_lots,
        "liquidated_quote": market.liquidated_quote,
        "bids": orders(&book, Side::Long),
        "asks": orders(&book, Side::Short),
        "seats": seats(snapshot, market.index, &book),
    })
}

fn orders(book: &BookView, side: Side) -> Vec<Value> {
    book.orders(side).map(|order| self::order(&order)).collect()
}

fn order(order: &RestingOrder) -> Value {
    json!({
        "id": order.id.0.to_string(),
        "price": order.price.0,
        "lots": order.lots.0,
        "seat": order.seat,
        "client_id": order.client_id,
        "expires_at": order.expires_at,
        "reduce_only": order.reduce_only,
    })
}

fn seats(snapshot: &Snapshot, market: u16, book: &BookView) -> Vec<Value> {
    let described = book.seats().map(|(id, seat)| {
        let orders = book.seat_orders(id).expect("a seat");
        let pending = seat.pending();
        json!({
            "id": id,
            "account": snapshot.seat_account(market, id).expect("a seat").to_string(),
            "owner": Pubkey::from(seat.owner).to_string(),
            "orders": orders.map(|order| order.id.0.to_string()).collect::<Vec<_>>(),
            "bid_lots": seat.bid_lots,
            "bid_quote": seat.bid_quote,
            "ask_lots": seat.ask_lots,
            "ask_quote": seat.ask_quote,
            "pending_base": pending.base,
            "pending_cash": pending.cash,
            "pending_fees": pending.fees,
        })
    });
    described.collect()
}

fn account(view: &View, key: &Pubkey) -> Value {
    let account = view.snapshot().account(key).expect("an account of the snapshot");
    let assessment = view.assess(key, Marks::Current, None).expect("it can be assessed");
    let progress = account.progress();
    let slots = account.slots.iter().filter_map(|slot| Some((slot.market()?, slot)));
    json!({
        "owner": account.owner.to_string(),
        "number": account.number,
        "delegate": account.delegate.to_string(),
        "collateral": account.collateral,
        "progress": [progress.takeover_since, progress.bankrupt_since, progress.partial_at],
        "equity": assessment.account.equity.0,
        "slots": slots.map(|(market, slot)| self::slot(view, key, market, slot)).collect::<Vec<_>>(),
    })
}

fn slot(view: &View, key: &Pubkey, market: u16, slot: &Slot) -> Value {
    let now = view.position(key, market).expect("it can be read").expect("the account is in the market");
    let ahead = view.rank(key, market).expect("it can be ranked");
    json!({
        "market": market,
        "seat": slot.seat,
        "lots": slot.lots,
        "basis": slot.basis,
        "unsettled": slot.unsettled,
        "membership": slot.membership.iter().map(u64::to_string).collect::<Vec<_>>(),
        "reranked_at": slot.reranked_at,
        "now": {
            "lots": now.position.0,
            "basis": now.basis.0,
            "unsettled": now.unsettled.0,
            "funding": now.funding.0,
        },
        "ahead": ahead.map(|ahead| json!([ahead.lots_ahead.0, ahead.total.0])),
    })
}
