//! A margin account as it is now: with what deleveraging, funding and fills did to it since it was last touched.

use std::mem::offset_of;

use anchor_lang::Discriminator;
use ballast::{
    error::BallastError,
    logic::{Assessment, Marks, require_initial_margin},
    state::MarginAccount,
};
use ballast_client::view::{OpenMarket, View};
use ballast_risk::{health::Stage, oracle::Action};
use ballast_units::Position;
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;
use tsify::Tsify;

use crate::{
    desk::{Desk, open},
    error::Problem,
    market::{share_bps, stands_at},
    protection::LadderInfo,
};

/// Where in a margin account's data is what a node can be asked to filter by, in bytes from its beginning.
#[derive(Clone, Debug, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct MarginOffsets {
    /// The number under the owner: 2 bytes, little endian.
    pub number: u32,
    /// The exchange.
    pub exchange: u32,
    /// The owner.
    pub owner: u32,
    /// The delegate.
    pub delegate: u32,
}

impl MarginOffsets {
    /// Of the layout that this page knows.
    pub(crate) fn current() -> Result<MarginOffsets, Problem> {
        let at = |offset: usize| {
            let all = MarginAccount::DISCRIMINATOR.len() + offset;
            u32::try_from(all).map_err(|_| Problem::of(BallastError::Overflow))
        };
        Ok(MarginOffsets {
            number: at(offset_of!(MarginAccount, number))?,
            exchange: at(offset_of!(MarginAccount, exchange))?,
            owner: at(offset_of!(MarginAccount, owner))?,
            delegate: at(offset_of!(MarginAccount, delegate))?,
        })
    }
}

/// A margin account. Money in atoms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct AccountInfo {
    /// Its address.
    pub address: String,
    /// Its owner.
    pub owner: String,
    /// Who may trade for it, if anybody.
    pub delegate: Option<String>,
    /// Its number under its owner.
    pub number: u16,
    /// Settled money.
    pub settled: u64,
    /// Realised profit that is not money yet, or loss not paid yet, funding included.
    pub unsettled: i64,
    /// Unrealised profit at the marks.
    pub profit: i64,
    /// What is left if everything closes at the marks.
    pub equity: i64,
    /// Equity as it counts for opening and withdrawing.
    pub initial_equity: i64,
    /// Initial margin of positions and orders.
    pub initial: u64,
    /// Maintenance margin.
    pub maintenance: u64,
    /// Equity over maintenance margin; `None` without positions.
    pub margin_ratio_bps: Option<i64>,
    /// Σ value of its positions at their marks.
    pub notional: u64,
    /// What may be withdrawn now.
    pub withdrawable: u64,
    /// `healthy`, `restricted`, `partial`, `takeover` or `bankrupt`.
    pub stage: String,
    /// When deleveraging or insurance had to come in, if so: nothing else can be done until it is resolved.
    pub bankrupt_since: Option<i64>,
    /// Its own rules of deleveraging.
    pub ladder: LadderInfo,
    /// What it has in each market.
    pub positions: Vec<PositionInfo>,
}

/// What an account has in one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct PositionInfo {
    /// The market's index.
    pub market: u16,
    /// Lots, positive long, waiting fills included.
    pub lots: i64,
    /// What they cost: paid for a long (positive), received for a short (negative).
    pub basis: i64,
    /// Lots of it that are fills waiting in the seat.
    pub waiting: i64,
    /// Lots that a deleveraging took and that wait to be booked: they are not among its lots any more.
    pub deleveraged: u64,
    /// The cash for them: received for a long (positive), paid for a short (negative).
    pub deleveraged_cash: i64,
    /// Value at the mark.
    pub notional: u64,
    /// Unrealised profit.
    pub profit: i64,
    /// Funding since the last settlement: positive received.
    pub funding: i64,
    /// Realised and not settled, funding apart.
    pub unsettled: i64,
    /// Its maintenance margin.
    pub maintenance: u64,
    /// Its initial margin, orders included.
    pub initial: u64,
    /// The mark at which the account is still above liquidation; an atom beyond it is not.
    pub liquidation_price: Option<u64>,
    /// The price at which it would close with its share of the account's equity spent; may be negative.
    pub bankruptcy_price: Option<i64>,
    /// Lots of its bids.
    pub bids: u64,
    /// Lots of its asks.
    pub asks: u64,
    /// Resting orders.
    pub orders: u32,
    /// Its place in the order of deleveraging; `None` while it is not in the index.
    pub rank: Option<Rank>,
}

/// A place in the order of deleveraging.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct Rank {
    /// Lights, 0 to 5: 5 are the first fifth to be deleveraged, 0 is not in profit.
    pub lights: u8,
    /// Score of its cell, in units of 2^-20; 0 when not in profit.
    pub score: u64,
    /// Lots that are deleveraged before.
    pub lots_ahead: u64,
    /// Lots of the same cell, its own included: they shrink together.
    pub lots_same_cell: u64,
    /// Lots of the side in profit.
    pub in_profit: u64,
    /// Lots of the side.
    pub total: u64,
    /// Lots ahead over lots of the side, rounded down.
    pub ahead_bps: u32,
}

/// A resting order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct OpenOrder {
    /// Its id.
    pub id: u128,
    /// The market's index.
    pub market: u16,
    /// Whether it is a bid.
    pub buys: bool,
    /// Its limit.
    pub price: u64,
    /// Where a pegged order stands from the mark.
    pub peg: Option<i64>,
    /// The price at which it would match now: its own, or where the peg stands, which may be beyond its limit.
    pub standing: u64,
    /// What is left of it.
    pub lots: u64,
    /// Its owner's number for it.
    pub client_id: u64,
    /// When it expires; 0 for never.
    pub expires_at: i64,
    /// Whether it only reduces the position: what a trigger with a limit left on the book.
    pub reduce_only: bool,
}

impl Desk {
    pub(crate) fn account(&self, key: &Pubkey) -> Result<AccountInfo, Problem> {
        let view = self.view()?;
        let margin = self.margin(key)?;
        let assessment = view.assess(key, Marks::Current, None)?;
        let account = &assessment.account;
        let mut info = AccountInfo {
            address: key.to_string(),
            owner: margin.owner.to_string(),
            delegate: Some(margin.delegate).filter(|key| *key != Pubkey::default()).map(|key| key.to_string()),
            number: margin.number,
            settled: margin.collateral,
            unsettled: 0,
            profit: 0,
            equity: account.equity.0,
            initial_equity: account.initial_equity.0,
            initial: account.initial,
            maintenance: account.maintenance,
            margin_ratio_bps: Some(account.margin_ratio_bps()).filter(|_| account.maintenance != 0),
            notional: 0,
            withdrawable: self.withdrawable(&view, key, margin)?,
            stage: stage_name(account.stage()).to_owned(),
            bankrupt_since: Some(margin.progress().bankrupt_since).filter(|since| *since != 0),
            ladder: margin.ladder().into(),
            positions: Vec::new(),
        };
        for slot in &margin.slots {
            let Some(market) = slot.market() else { continue };
            let position = self.position(&view, key, margin, market)?;
            info.unsettled = info.unsettled.saturating_add(position.unsettled).saturating_add(position.funding);
            info.profit = info.profit.saturating_add(position.profit);
            info.notional = info.notional.saturating_add(position.notional);
            info.positions.push(position);
        }
        Ok(info)
    }

    pub(crate) fn markets_of(&self, key: &Pubkey) -> Result<Vec<u16>, Problem> {
        Ok(self.margin(key)?.slots.iter().filter_map(ballast::state::Slot::market).collect())
    }

    pub(crate) fn margin(&self, key: &Pubkey) -> Result<&MarginAccount, Problem> {
        self.snapshot.account(key).ok_or_else(|| Problem::local("Missing", format!("no margin account {key}")))
    }

    fn position(
        &self,
        view: &View,
        key: &Pubkey,
        margin: &MarginAccount,
        market: u16,
    ) -> Result<PositionInfo, Problem> {
        let state = view.position(key, market)?.unwrap_or_default();
        let health = view.assess(key, Marks::Current, Some(market))?.primary;
        let slot = margin.slot_index(market).map(|at| margin.slots[at]);
        let seat_id = slot.map_or(0, |slot| slot.seat);
        let OpenMarket { market: entry, book, ranks, .. } = open(view, market)?;
        let seat = if seat_id == 0 { None } else { book.seat(seat_id, &key.to_bytes()).ok() };
        let rank = view.rank(key, market)?;
        let member = slot.and_then(|slot| Some((slot, slot.position().side().filter(|_| slot.is_member())?)));
        let held = member.map(|(slot, side)| ranks.peek(side, slot.membership(), entry.funding_index(), entry.mark()));
        let held = held.transpose().map_err(|error| Problem::local("Ranks", error.to_string()))?;
        let booked = member.map_or(0, |(slot, _)| slot.size().0);
        Ok(PositionInfo {
            market,
            lots: state.position.0,
            basis: state.basis.0,
            waiting: seat.map_or(0, |seat| seat.pending_base),
            deleveraged: held.map_or(0, |held| booked.saturating_sub(held.lots.0)),
            deleveraged_cash: held.map_or(0, |held| held.proceeds.0),
            notional: health.notional,
            profit: health.profit.0,
            funding: state.funding.0,
            unsettled: state.unsettled.0,
            maintenance: health.maintenance,
            initial: health.initial,
            liquidation_price: view.liquidation_price(key, margin, market)?.map(|price| price.0),
            bankruptcy_price: if state.position == Position::FLAT {
                None
            } else {
                view.bankruptcy_price(key, market, Marks::Current).ok().flatten()
            },
            bids: state.bids.0,
            asks: state.asks.0,
            orders: seat.map_or(0, |seat| u32::from(seat.orders)),
            rank: rank.map(|ahead| Rank {
                lights: ahead.lights(),
                score: ahead.score,
                lots_ahead: ahead.lots_ahead.0,
                lots_same_cell: ahead.lots_same_cell.0,
                in_profit: ahead.total_in_profit.0,
                total: ahead.total.0,
                ahead_bps: share_bps(ahead.lots_ahead.0.into(), ahead.total.0.into()),
            }),
        })
    }

    /// The most that `withdraw` would pay out now: the largest amount after which its own checks still pass.
    pub(crate) fn withdrawable(&self, view: &View, key: &Pubkey, margin: &MarginAccount) -> Result<u64, Problem> {
        for slot in margin.slots.iter().filter(|slot| slot.lots != 0 || slot.seat != 0) {
            let Some(market) = slot.market() else { continue };
            if self.price_refusal(&open(view, market)?.market, Action::Withdraw).is_some() {
                return Ok(0);
            }
        }
        let now = view.assess_account(key, margin, Marks::Cautious, None)?;
        let least = now.losses_owed;
        let allowed = |left: u64| -> Result<bool, Problem> {
            let left_behind = MarginAccount { collateral: left, ..*margin };
            let after: Assessment = view.assess_account(key, &left_behind, Marks::Cautious, None)?;
            Ok(left >= least && require_initial_margin(&after.account).is_ok())
        };
        // The account's worth falls with what is taken out, atom by atom: so one step finds the answer.
        let free = now.account.free_collateral().min(margin.collateral.saturating_sub(least));
        Ok(if allowed(margin.collateral - free)? { free } else { 0 })
    }

    pub(crate) fn orders(&self, key: &Pubkey, market: u16) -> Result<Vec<OpenOrder>, Problem> {
        let view = self.view()?;
        let margin = self.margin(key)?;
        let seat = margin.slot_index(market).map_or(0, |at| margin.slots[at].seat);
        if seat == 0 {
            return Ok(Vec::new());
        }
        let open = open(&view, market)?;
        let (book, references) = (&open.book, open.market.terms(self.now)?.references);
        let failed = |error: ballast_book::BookError| Problem::local("Decode", error.to_string());
        book.seat(seat, &key.to_bytes()).map_err(failed)?;
        let orders = book.seat_orders(seat).map_err(failed)?;
        let listed = orders.map(|order| OpenOrder {
            id: order.id.0,
            market,
            buys: order.side == ballast_units::Side::Long,
            price: order.price.0,
            peg: order.peg,
            standing: order.peg.map_or(order.price.0, |offset| stands_at(order.side, references, offset)),
            lots: order.lots.0,
            client_id: order.client_id,
            expires_at: order.expires_at,
            reduce_only: order.reduce_only,
        });
        Ok(listed.collect())
    }
}

pub(crate) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Healthy => "healthy",
        Stage::Restricted => "restricted",
        Stage::Partial => "partial",
        Stage::Takeover => "takeover",
        Stage::Bankrupt => "bankrupt",
    }
}
