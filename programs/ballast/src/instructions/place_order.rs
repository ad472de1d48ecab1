//! Placing an order: it matches what it can, and what is left of a limit order rests.

use anchor_lang::prelude::*;
use ballast_book::{NewOrder, SelfTrade, Stopped};
use ballast_risk::oracle::Action;
use ballast_units::{Lots, MAX_LOTS, MAX_PRICE, Price, Side};

use super::accounts::require_same_exchange;
use crate::{
    error::{BallastError, OrFail},
    events::{Cause, OrderPlaced},
    logic::{
        Assessment, Marks, Others, Take, Venue, assess, close_idle_seat, maker_rate, rejoin, require_initial_margin,
        settle_slot, slab, take, touch,
    },
    state::{MarginAccount, Market, MarketStatus, Slot},
};

/// Most makers that one order meets, so that it fits a transaction.
pub const MAX_MAKERS: u8 = 64;

/// How long an order lives.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Matches, then rests.
    Limit,
    /// Rests, or is refused if it would match.
    PostOnly,
    /// Matches; what is left is dropped.
    ImmediateOrCancel,
    /// Matches completely or not at all.
    FillOrKill,
}

/// What happens when an order meets one of the same owner.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTradeMode {
    /// The resting order is cancelled.
    CancelResting,
    /// The rest of the new order is cancelled.
    CancelTaking,
    /// Both shrink by the smaller size.
    Decrement,
}

/// An order.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct OrderArgs {
    /// Whether it buys.
    pub buys: bool,
    /// How long it lives.
    pub kind: OrderKind,
    /// Worst price, in atoms per lot.
    pub price: u64,
    /// Lots.
    pub lots: u64,
    /// Whether it may only reduce the position. Only for orders that do not rest.
    pub reduce_only: bool,
    /// The client's own id.
    pub client_id: u64,
    /// Unix time at which a resting order expires; 0 for never.
    pub expires_at: i64,
    /// What happens on meeting an order of the same owner.
    pub self_trade: SelfTradeMode,
    /// Makers at most, up to [`MAX_MAKERS`].
    pub max_makers: u8,
}

/// Accounts of `place_order`; then a triple (market, book, ranks) for each other market in which the account has
/// anything.
#[derive(Accounts)]
pub struct PlaceOrder<'info> {
    /// Owner or delegate.
    pub trader: Signer<'info>,
    /// The account that trades.
    #[account(mut)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The market.
    #[account(mut, has_one = book @ BallastError::WrongAccount, has_one = ranks @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's ranking index.
    #[account(mut)]
    pub ranks: UncheckedAccount<'info>,
}

/// Places an order.
pub fn place_order<'info>(ctx: Context<'info, PlaceOrder<'info>>, order: OrderArgs) -> Result<()> {
    let accounts = ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.margin.key();
    let margin = &mut *accounts.margin.load_mut()?;
    let market = &mut *accounts.market.load_mut()?;
    margin.require_trader(accounts.trader.key)?;
    require_same_exchange(margin, market)?;
    margin.require_not_bankrupt()?;
    require_order(market, &order, now)?;
    let others = Others::new(ctx.remaining_accounts, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index_or_new(venue.market.index)?;

    if order.kind == OrderKind::PostOnly {
        let band = venue.market.band()?;
        let side = side_of(&order);
        require!(!venue.book.would_match(side, Price(order.price), band, now), BallastError::WouldMatch);
        rest(venue, margin, slot, &key, &order, order.lots)?;
        let after = assess(margin, &key, Some((venue, slot)), &others, Marks::Cautious, Some(Action::Open), now)?;
        return require_initial_margin(&after.account);
    }

    let action = action_of(&order);
    let before = if order.reduce_only {
        Some(assess(margin, &key, Some((venue, slot)), &others, Marks::Cautious, Some(action), now)?)
    } else {
        None
    };
    touch(venue, margin, slot, &key)?;
    let size = margin.slots[slot].size();
    let lots = lots_to_take(&order, margin.slots[slot].lots)?;
    let matched = take(
        venue,
        margin,
        slot,
        &key,
        &Take {
            side: side_of(&order),
            lots,
            limit: Price(order.price),
            self_trade: self_trade(order.self_trade),
            max_makers: u32::from(order.max_makers),
            cause: Cause::Taker,
        },
        now,
    )?;
    if order.kind == OrderKind::FillOrKill {
        require!(matched.lots == lots, BallastError::NotFilled);
    }
    settle_slot(venue.market, margin, slot, &key)?;
    let left = lots.sub(matched.lots).or_fail()?.sub(matched.decremented).or_fail()?.0;
    // Not where matching was cut short: the rest would stand across orders that it should have met.
    let complete = matches!(matched.stopped, Stopped::Price | Stopped::Empty | Stopped::Band);
    if order.kind == OrderKind::Limit && complete && left >= venue.market.params.min_lots {
        rest(venue, margin, slot, &key, &order, left)?;
    }
    let grew = margin.slots[slot].size() > size;
    require_limits(venue, margin, slot, grew)?;
    close_idle_seat(venue, margin, slot, &key)?;
    let after = assess(margin, &key, Some((venue, slot)), &others, Marks::Cautious, Some(action), now)?;
    require_margin(&before, &after)?;
    rejoin(venue, margin, slot, &key, &after)
}

fn side_of(order: &OrderArgs) -> Side {
    if order.buys { Side::Long } else { Side::Short }
}

fn action_of(order: &OrderArgs) -> Action {
    if order.reduce_only { Action::Reduce } else { Action::Open }
}

fn self_trade(mode: SelfTradeMode) -> SelfTrade {
    match mode {
        SelfTradeMode::CancelResting => SelfTrade::CancelResting,
        SelfTradeMode::CancelTaking => SelfTrade::CancelTaking,
        SelfTradeMode::Decrement => SelfTrade::DecrementBoth,
    }
}

/// Checks what can be checked about an order before anything is touched.
fn require_order(market: &Market, order: &OrderArgs, now: i64) -> Result<()> {
    let rests = matches!(order.kind, OrderKind::Limit | OrderKind::PostOnly);
    match market.status()? {
        MarketStatus::Active => {}
        MarketStatus::ReduceOnly => require!(order.reduce_only, BallastError::MarketState),
        MarketStatus::Paused => return err!(BallastError::MarketState),
    }
    require!(order.lots > 0, BallastError::ZeroAmount);
    require!(order.lots <= MAX_LOTS, BallastError::TooLarge);
    require!(order.reduce_only || order.lots >= market.params.min_lots, BallastError::TooSmall);
    require!(!(order.reduce_only && rests), BallastError::NotReducing);
    let on_tick = order.price.is_multiple_of(market.params.tick);
    require!(order.price > 0 && order.price <= MAX_PRICE && on_tick, BallastError::BadPrice);
    require!(order.max_makers <= MAX_MAKERS, BallastError::TooLarge);
    require!(order.expires_at == 0 || order.expires_at > now, BallastError::Expired);
    market.require_price(action_of(order), now)?;
    if rests {
        let (low, high) = market.band()?;
        let inside = order.price >= low.0 && order.price <= high.0;
        require!(inside, BallastError::OutsideBand);
    }
    Ok(())
}

/// How much to take: all of it, or for a reduce-only order no more than the position.
fn lots_to_take(order: &OrderArgs, position: i64) -> Result<Lots> {
    if !order.reduce_only {
        return Ok(Lots(order.lots));
    }
    let reduces = if order.buys { position < 0 } else { position > 0 };
    require!(reduces, BallastError::NotReducing);
    Ok(Lots(order.lots.min(position.unsigned_abs())))
}

/// Puts `lots` on the book in the account's seat, which it takes if it has none.
fn rest(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    slot: usize,
    key: &Pubkey,
    order: &OrderArgs,
    lots: u64,
) -> Result<()> {
    let account = key.to_bytes();
    if margin.slots[slot].seat == 0 {
        margin.slots[slot].seat = venue.book.open_seat(account, margin.owner.to_bytes()).or_fail()?;
    }
    let seat = margin.slots[slot].seat;
    let orders = venue.book.seat(seat, &account).or_fail()?.orders;
    require!(u32::from(orders) < venue.market.params.max_orders_per_account, BallastError::TooLarge);
    venue.book.set_maker_fee(seat, maker_rate(venue.market, margin)?).or_fail()?;
    let id = venue
        .book
        .rest(NewOrder {
            side: side_of(order),
            price: Price(order.price),
            lots: Lots(lots),
            seat,
            client_id: order.client_id,
            expires_at: order.expires_at,
            flags: 0,
        })
        .or_fail()?;
    require_position_within_limit(venue, &margin.slots[slot], &account, side_of(order))?;
    emit!(OrderPlaced {
        market: venue.market.index,
        account: *key,
        seat,
        order_id: id.0,
        buys: order.buys,
        price: order.price,
        lots,
        client_id: order.client_id,
    });
    Ok(())
}

/// The market's limit on one position, for what the account's resting orders of a side could make of it.
fn require_position_within_limit(venue: &Venue, slot: &Slot, account: &[u8; 32], side: Side) -> Result<()> {
    let seat = venue.book.seat(slot.seat, account).or_fail()?;
    let held = i128::from(slot.lots) + i128::from(seat.pending_base);
    let reached = match side {
        Side::Long => i128::from(seat.bid_lots) + held,
        Side::Short => i128::from(seat.ask_lots) - held,
    };
    let within = reached <= i128::from(venue.market.params.max_position_lots);
    require!(within, BallastError::TooLarge);
    Ok(())
}

/// The market's limits on one position and on open interest, for a position that grew.
fn require_limits(venue: &Venue, margin: &MarginAccount, slot: usize, grew: bool) -> Result<()> {
    if !grew {
        return Ok(());
    }
    let params = &venue.market.params;
    let size = margin.slots[slot].size();
    require!(size.0 <= params.max_position_lots, BallastError::TooLarge);
    if let Some(side) = margin.slots[slot].position().side() {
        // The position itself has left the index.
        let open_interest = venue.ranks.open_interest(side).add(size).or_fail()?;
        require!(open_interest.0 <= params.max_open_interest_lots, BallastError::TooLarge);
    }
    Ok(())
}

/// An order that can open needs initial margin afterwards. One that only reduces may also leave an account below it,
/// as long as the account is solvent and its margin above maintenance has not become less: nobody may sell far below
/// the mark to an accomplice and leave the loss to others.
fn require_margin(before: &Option<Assessment>, after: &Assessment) -> Result<()> {
    let Some(before) = before else { return require_initial_margin(&after.account) };
    if require_initial_margin(&after.account).is_ok() {
        return Ok(());
    }
    let excess =
        |assessment: &Assessment| i128::from(assessment.account.equity.0) - i128::from(assessment.account.maintenance);
    let improved = excess(after) >= excess(before) && after.account.equity.0 >= 0;
    require!(improved, BallastError::InsufficientMargin);
    Ok(())
}
