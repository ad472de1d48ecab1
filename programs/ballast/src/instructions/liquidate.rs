//! The first forced stage: orders cancelled, then the position with the most relief reduced on the book, by the
//! smallest amount that restores the account.

use anchor_lang::prelude::*;
use ballast_book::{SelfTrade, Stopped};
use ballast_risk::{
    liquidation::{self, Step},
    oracle::Action,
};
use ballast_units::{Lots, Quote};

use super::{TendPosition, Tended, tend};
use crate::{
    error::{BallastError, OrFail},
    events::{Cause, Liquidated},
    logic::{
        Assessment, Marks, Take, Venue, as_limit, assess, cancel_for_force, close_idle_seat, rejoin,
        require_most_relief, settle_slot, stage_code, take, touch,
    },
    record::tell,
    state::{MarginAccount, Market},
};

/// Most makers that one liquidation meets.
const MAX_LIQUIDATION_MAKERS: u32 = 32;

/// Cancels the orders of an account below maintenance margin and reduces its position on the book, no worse than its
/// bankruptcy price. Does what it can: an empty book is no error, it starts the clock of the next stage.
pub fn liquidate<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    tend(ctx, Some(Action::Liquidate), |position| {
        let Tended { venue, margin, key, reward, reward_key, slot, others, now } = position;
        touch(venue, margin, slot, key)?;
        let assess_now = |margin: &MarginAccount, venue: &Venue| {
            assess(margin, key, Some((venue, slot)), &others, Marks::Confirmed, Some(Action::Liquidate), now)
        };
        let before = assess_now(margin, venue)?;
        let params = venue.market.params.liquidation();
        let step = margin.progress_mut().step(&before.account, now, &params);
        require!(step != Step::None, BallastError::NotEligible);
        let cooling = matches!(step, Step::Wait { .. });
        let turn = before.most_relief == Some(venue.market.index);
        let (held, collateral) = (margin.slots[slot], margin.collateral);

        let orders_cancelled = cancel_for_force(venue, margin, slot, key)?;
        if orders_cancelled == 0 {
            require!(!cooling, BallastError::Cooldown);
            require_most_relief(&before, venue.market.index)?;
        }
        let mut done = Reduced::default();
        if turn && !cooling {
            done = reduce(venue, margin, slot, key, &before, now)?;
            // A book that had more than one instruction can meet has not failed: no cooldown, and no takeover for it.
            if !done.cut_short {
                margin.progress_mut().note_partial(now, done.lots);
            }
            settle_slot(venue.market, margin, slot, key)?;
        }
        let mut after = assess_now(margin, venue)?;
        if !done.lots.is_zero() {
            charge_liquidation_fee(venue.market, margin, reward, &mut after, &mut done)?;
        }
        close_idle_seat(venue, margin, slot, key)?;
        tell(&Liquidated {
            market: venue.market.index,
            account: *key,
            credited: *reward_key,
            stage: stage_code(before.account.stage()),
            orders_cancelled,
            lots: done.lots.0,
            quote: done.quote,
            reward: done.reward,
            to_insurance: done.to_insurance,
            insurance_drawn: 0,
            mark: before.primary_mark.0,
            bankruptcy_price: done.bankruptcy_price,
            equity: before.account.equity.0,
            maintenance: before.account.maintenance,
            position: held.lots,
            basis: held.basis,
            unsettled: held.unsettled,
            collateral,
            position_maintenance: before.primary.maintenance,
            seconds: 0,
        });
        rejoin(venue, margin, slot, key, &after)
    })
}

/// What a reduction on the book did.
#[derive(Default)]
struct Reduced {
    lots: Lots,
    quote: u64,
    bankruptcy_price: i64,
    reward: u64,
    to_insurance: u64,
    /// The book had more orders to meet than one instruction can.
    cut_short: bool,
}

/// Sells or buys back on the book the smallest size that restores the target margin ratio.
fn reduce(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    slot: usize,
    key: &Pubkey,
    before: &Assessment,
    now: i64,
) -> Result<Reduced> {
    let position = margin.slots[slot].position();
    let Some(side) = position.side() else { return Ok(Reduced::default()) };
    let bankruptcy_price = before.bankruptcy_price(position)?;
    let params = &venue.market.params;
    let mark = before.primary_mark;
    let lots = liquidation::partial_lots(position, mark, mark, params.tiers(), &before.account, &params.liquidation())
        .or_fail()?;
    let matched = take(
        venue,
        margin,
        slot,
        key,
        &Take {
            side: side.opposite(),
            lots,
            limit: as_limit(bankruptcy_price),
            self_trade: SelfTrade::CancelResting,
            max_makers: MAX_LIQUIDATION_MAKERS,
            cause: Cause::Liquidation,
            client_id: 0,
        },
        now,
    )?;
    let market = &mut *venue.market;
    market.liquidated_quote = market.liquidated_quote.saturating_add(matched.quote);
    let cut_short = matched.stopped == Stopped::MakerLimit;
    Ok(Reduced { lots: matched.lots, quote: matched.quote, bankruptcy_price, cut_short, ..Reduced::default() })
}

/// Charges the liquidation fee, never more than the account has left, and splits it between the caller and insurance.
fn charge_liquidation_fee(
    market: &mut Market,
    margin: &mut MarginAccount,
    reward: &mut MarginAccount,
    after: &mut Assessment,
    done: &mut Reduced,
) -> Result<()> {
    let settled = i64::try_from(margin.collateral).map_err(|_| BallastError::Overflow)?;
    let left = after.account.equity.min(Quote(settled));
    let fee = liquidation::fee(done.quote, left, &market.params.liquidation()).or_fail()?;
    let total = fee.to_liquidator.checked_add(fee.to_insurance).ok_or(BallastError::Overflow)?;
    margin.collateral = margin.collateral.checked_sub(total).ok_or(BallastError::Overflow)?;
    reward.credit(fee.to_liquidator)?;
    market.insurance_fees = market.insurance_fees.checked_add(fee.to_insurance).ok_or(BallastError::Overflow)?;
    let cost = i64::try_from(total).map_err(|_| BallastError::Overflow)?;
    after.account.equity = after.account.equity.sub(Quote(cost)).or_fail()?;
    after.account.collateral = margin.collateral;
    (done.reward, done.to_insurance) = (fee.to_liquidator, fee.to_insurance);
    Ok(())
}
