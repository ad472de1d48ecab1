//! The deleveraging ladder: set by the owner, executed by anyone.

use anchor_lang::prelude::*;
use ballast_book::{SelfTrade, Stopped, worst_price};
use ballast_risk::{ladder::Ladder, oracle::Action};

use super::{OwnMarginAccount, TendPosition, Tended, tend};
use crate::{
    error::BallastError,
    events::{Cause, LadderExecuted, LadderRung, LadderSet},
    logic::{
        Assessment, Marks, Others, Take, Venue, assess, close_idle_seat, pay_protection, position_state, rejoin,
        rung_would_trade, settle_slot, slot_health, take, touch,
    },
    record::tell,
    state::{Current as _, MarginAccount, MarketStatus},
};

/// Most makers that one rung meets.
const MAX_LADDER_MAKERS: u32 = 32;

/// Sets the account's ladder, all rungs armed; without rungs it has none. By the owner only: a ladder outlives the delegate
/// who would have set it.
pub fn set_ladder(ctx: Context<OwnMarginAccount>, rungs: Vec<LadderRung>, slippage_bps: u16) -> Result<()> {
    let rules: Vec<_> = rungs.iter().map(|rung| (rung.ratio_bps, rung.reduce_bps)).collect();
    let ladder = Ladder::new(&rules, slippage_bps).map_err(|_| BallastError::InvalidLadder)?;
    *ctx.accounts.margin.current_mut()?.ladder_mut() = ladder;
    tell(&LadderSet { account: ctx.accounts.margin.key(), rungs, slippage_bps });
    Ok(())
}

/// Carries out the first rung that is due at the account's margin ratio, as liquidation would judge it: reduces the position
/// with the most relief, of those whose book has anything for it, by the rung's part, no worse than the ladder's slippage from
/// the mark. Rungs above which the ratio has recovered are armed again.
pub fn execute_ladder<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
    tend(ctx, Some(Action::Liquidate), |position| {
        let Tended { venue, margin, key, reward, reward_key: to, slot, others, now } = position;
        require!(venue.market.status()? != MarketStatus::Paused, BallastError::MarketState);
        margin.require_not_bankrupt()?;

        touch(venue, margin, slot, key)?;
        let assess_at = |marks: Marks, margin: &MarginAccount, venue: &Venue| {
            assess(margin, key, Some((venue, slot)), &others, marks, Some(Action::Liquidate), now)
        };
        let judged = assess_at(Marks::Confirmed, margin, venue)?;
        let ratio_bps = judged.account.margin_ratio_bps();
        let armed = margin.ladder_mut().rearm(ratio_bps);
        let (market, caller) = (venue.market.index, *to);
        let Some(rung) = margin.ladder().due(ratio_bps) else {
            require!(armed, BallastError::NotEligible);
            close_idle_seat(venue, margin, slot, key)?;
            let (lots, quote, left_ppm) = (0, 0, 0);
            tell(&LadderExecuted { market, account: *key, caller, ratio_bps, rung: None, lots, quote, left_ppm });
            return rejoin(venue, margin, slot, key, &judged);
        };
        if judged.most_relief != Some(market) {
            require_turn(margin, (key, slot), &judged, &others, now)?;
        }

        let before = assess_at(Marks::Cautious, margin, venue)?;
        let position = margin.slots[slot].position();
        let side = position.side().ok_or(BallastError::NothingHere)?.opposite();
        let lots = margin.ladder().lots(rung, position.lots());
        let limit = worst_price(side, venue.market.mark(), u32::from(margin.ladder().slippage_bps));
        let (self_trade, max_makers) = (SelfTrade::CancelResting, MAX_LADDER_MAKERS);
        let order = Take { side, lots, limit, self_trade, max_makers, cause: Cause::Ladder, client_id: 0 };
        let matched = take(venue, margin, slot, key, &order, now)?;
        // Orders that cannot trade and were in the way are gone: that is something, too, or they would be there the next time.
        let cleared = matched.stopped == Stopped::MakerLimit;
        require!(matched.lots.0 > 0 || cleared, BallastError::NothingToMatch);
        if matched.lots.0 > 0 {
            margin.ladder_mut().note(rung, position.lots(), matched.lots);
        }
        settle_slot(venue.market, margin, slot, key)?;
        let mut after = assess_at(Marks::Cautious, margin, venue)?;
        let fee_bps = venue.market.params.ladder_fee_bps;
        pay_protection(venue.market, (margin, key), (reward, to), (&before, &mut after), matched.quote, fee_bps)?;
        tell(&LadderExecuted {
            market,
            account: *key,
            caller,
            ratio_bps,
            rung: u8::try_from(rung).ok(),
            lots: matched.lots.0,
            quote: matched.quote,
            left_ppm: margin.ladder().rungs[rung].left_ppm,
        });
        close_idle_seat(venue, margin, slot, key)?;
        rejoin(venue, margin, slot, key, &after)
    })
}

/// Fails if another position with more relief than that in `slot`, or as much and an earlier slot, could be reduced.
fn require_turn(
    margin: &MarginAccount,
    (key, slot): (&Pubkey, usize),
    judged: &Assessment,
    others: &Others,
    now: i64,
) -> Result<()> {
    let slippage_bps = margin.ladder().slippage_bps;
    let held = margin.slots.iter().enumerate().filter(|(at, _)| *at != slot);
    let held = held.filter_map(|(at, other)| Some((at, other, other.market()?)));
    for (hint, (at, other, market)) in held.enumerate() {
        others.read(market, hint, |market, book, ranks| {
            let health = slot_health(other, key, market, book, ranks, Marks::Confirmed)?.health;
            let first = health.maintenance > judged.primary.maintenance
                || (health.maintenance == judged.primary.maintenance && at < slot);
            if health.notional == 0 || !first {
                return Ok(());
            }
            let position = position_state(other, key, market, book, ranks)?.position;
            require!(!rung_would_trade(position, market, book, slippage_bps, now)?, BallastError::NotMostRelief);
            Ok(())
        })?;
    }
    Ok(())
}
