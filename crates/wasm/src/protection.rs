//! What protects an account's positions: triggers in the books, the ladder in the account.

use ballast_book::{Execution, Sibling, Trigger, TriggerPrice};
use ballast_client::view::View;
use ballast_risk::ladder::Ladder;
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;
use tsify::Tsify;

use crate::{
    desk::{Desk, open},
    error::Problem,
};

/// A take-profit, a stop-loss or a trailing stop. Prices in atoms per lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct TriggerInfo {
    /// Its id.
    pub id: u64,
    /// The market's index.
    pub market: u16,
    /// Whether its order buys, which reduces a short; otherwise it sells, which reduces a long.
    pub buys: bool,
    /// Whether it is a stop-loss; otherwise it is a take-profit.
    pub stop: bool,
    /// Where it fires now.
    pub price: u64,
    /// Lots at most; `None` for the whole position.
    pub lots: Option<u64>,
    /// The price of the order that it places, if that is a limit order.
    pub limit: Option<u64>,
    /// How far beyond the mark at execution its order trades, if that is a market order.
    pub slippage_bps: Option<u16>,
    /// The worst price of its order if it were placed at the present mark.
    pub worst: u64,
    /// How far it stays behind the best mark, in millionths, if it trails.
    pub trail_ppm: Option<u32>,
    /// The best mark so far, if it trails.
    pub best: Option<u64>,
    /// The first second at which it no longer fires; 0 for never.
    pub expires_at: i64,
    /// Its owner's number for it.
    pub client_id: u64,
    /// The other of its pair, if that is a trigger still.
    pub pair: Option<u64>,
    /// The order that the other of its pair has become, if it has.
    pub pair_order: Option<u128>,
    /// Whether it waits for a position: only a resting order would open one.
    pub waits: bool,
}

/// A rung of a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RungInfo {
    /// The margin ratio at or below which it is due.
    pub ratio_bps: u16,
    /// What part of the position it takes.
    pub reduce_bps: u16,
    /// What is left of that part, in millionths of the position as it is; 0 once it is used up.
    pub left_ppm: u32,
}

/// An account's own rules of deleveraging.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct LadderInfo {
    /// By descending ratio; none without a ladder.
    pub rungs: Vec<RungInfo>,
    /// How far beyond the mark a rung may trade.
    pub slippage_bps: u16,
}

impl From<&Ladder> for LadderInfo {
    fn from(ladder: &Ladder) -> Self {
        let used = ladder.rungs.iter().filter(|rung| rung.ratio_bps != 0).map(|rung| RungInfo {
            ratio_bps: rung.ratio_bps,
            reduce_bps: rung.reduce_bps,
            left_ppm: rung.left_ppm,
        });
        LadderInfo { rungs: used.collect(), slippage_bps: ladder.slippage_bps }
    }
}

impl Desk {
    /// The account's triggers in a market, newest first.
    pub(crate) fn triggers(&self, key: &Pubkey, market: u16) -> Result<Vec<TriggerInfo>, Problem> {
        let view = self.view()?;
        let flat = view.position(key, market)?.is_none_or(|state| state.position.0 == 0);
        let triggers = view.triggers(key, market)?;
        triggers.iter().map(|trigger| describe(&view, market, trigger, flat)).collect()
    }
}

fn describe(view: &View, market: u16, trigger: &Trigger, flat: bool) -> Result<TriggerInfo, Problem> {
    let open = open(view, market)?;
    let terms = &trigger.terms;
    let (limit, slippage_bps) = match terms.execution {
        Execution::Limit(price) => (Some(price.0), None),
        Execution::Market { slippage_bps } => (None, Some(slippage_bps)),
    };
    let (trail_ppm, best) = match terms.price {
        TriggerPrice::Fixed(_) => (None, None),
        TriggerPrice::Trailing { ppm, best } => (Some(ppm), Some(best.0)),
    };
    let failed = |error: ballast_book::BookError| Problem::local("Decode", error.to_string());
    let (pair, pair_order) = match open.book.sibling(trigger.id).map_err(failed)? {
        None => (None, None),
        Some(Sibling::Trigger(id)) => (Some(id.0), None),
        Some(Sibling::Order(id)) => (None, Some(id.0)),
    };
    Ok(TriggerInfo {
        id: trigger.id.0,
        market,
        buys: trigger.side == ballast_units::Side::Long,
        stop: trigger.is_stop(),
        price: trigger.price.0,
        lots: terms.lots.map(|lots| lots.0),
        limit,
        slippage_bps,
        worst: trigger.worst_price(open.market.mark()).0,
        trail_ppm,
        best,
        expires_at: terms.expires_at,
        client_id: trigger.client_id,
        pair,
        pair_order,
        waits: flat,
    })
}
