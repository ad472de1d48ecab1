//! The second forced stage: a liquidator's account takes lots over at a discount that grows with time. Once the account
//! is bankrupt, insurance pays what the discount takes it below zero, as far as its budget reaches.

use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use ballast_risk::{
    liquidation::{self, LiquidationParams, Step},
    oracle::Action,
};
use ballast_units::{Lots, Price, Quote, Side};

use super::accounts::{require_distinct, require_same_exchange};
use crate::{
    error::{BallastError, OrFail},
    events::{Cause, Liquidated, PositionChanged},
    logic::{
        Assessment, InsurancePath, Marks, Others, Venue, assess, cancel_for_force, close_idle_seat, draw_insurance,
        insurance_available, loss_per_lot, move_insurance, rejoin, require_initial_margin, require_most_relief,
        settle_slot, slab, stage_code, touch,
    },
    record::tell,
    state::{Current as _, Exchange, INSURANCE_SEED, MarginAccount, Market, Slot, VAULT_SEED},
};

/// Accounts of `takeover`; then a triple (market, book, ranks) for each other market in which either account has
/// anything.
#[derive(Accounts)]
pub struct Takeover<'info> {
    /// Owner or delegate of the taking account.
    pub liquidator: Signer<'info>,
    /// The account that takes over.
    #[account(mut)]
    pub taker: AccountLoader<'info, MarginAccount>,
    /// The account that is reduced.
    #[account(mut)]
    pub margin: AccountLoader<'info, MarginAccount>,
    /// The market.
    #[account(mut, has_one = exchange @ BallastError::WrongAccount, has_one = book @ BallastError::WrongAccount,
        has_one = ranks @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's ranking index.
    #[account(mut)]
    pub ranks: UncheckedAccount<'info>,
    /// The exchange.
    pub exchange: Account<'info, Exchange>,
    /// The collateral vault.
    #[account(mut, seeds = [VAULT_SEED, exchange.key().as_ref()], bump = exchange.vault_bump)]
    pub vault: Account<'info, TokenAccount>,
    /// The insurance vault.
    #[account(mut, seeds = [INSURANCE_SEED, exchange.key().as_ref()], bump = exchange.insurance_bump)]
    pub insurance: Account<'info, TokenAccount>,
    /// The token program.
    pub token_program: Program<'info, Token>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Hands up to `max_lots` of the position with the most relief to the taker's account.
pub fn takeover<'info>(ctx: Context<'info, Takeover<'info>>, max_lots: u64) -> Result<()> {
    let accounts = ctx.accounts;
    let drawn = hand_over(accounts, ctx.remaining_accounts, max_lots)?;
    move_insurance(
        &InsurancePath {
            exchange: &accounts.exchange,
            vault: &accounts.vault,
            insurance: &accounts.insurance,
            token_program: &accounts.token_program,
        },
        drawn,
    )
}

/// Everything but the movement of tokens; returns what insurance owes the collateral vault.
fn hand_over<'info>(accounts: &Takeover<'info>, remaining: &'info [AccountInfo<'info>], max_lots: u64) -> Result<u64> {
    require!(max_lots > 0, BallastError::ZeroAmount);
    let now = Clock::get()?.unix_timestamp;
    let (key, taker_key) = (accounts.margin.key(), accounts.taker.key());
    require_distinct(&key, &taker_key)?;
    let margin = &mut *accounts.margin.current_mut()?;
    let taker = &mut *accounts.taker.current_mut()?;
    let market = &mut *accounts.market.current_mut()?;
    require_same_exchange(margin, market)?;
    require_same_exchange(taker, market)?;
    taker.require_trader(accounts.liquidator.key)?;
    require!(taker.owner != margin.owner, BallastError::SelfLiquidation);
    taker.require_not_bankrupt()?;
    market.require_price(Action::Liquidate, now)?;
    let others = Others::new(remaining, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index(venue.market.index).ok_or(BallastError::NothingHere)?;

    touch(venue, margin, slot, &key)?;
    let assess_now = |margin: &MarginAccount, venue: &Venue| {
        assess(margin, &key, Some((venue, slot)), &others, Marks::Confirmed, Some(Action::Liquidate), now)
    };
    let before = assess_now(margin, venue)?;
    let seconds = seconds_due(margin.progress_mut().step(&before.account, now, &venue.market.params.liquidation()))?;
    require_most_relief(&before, venue.market.index)?;
    let orders_cancelled = cancel_for_force(venue, margin, slot, &key)?;
    let (held, collateral) = (margin.slots[slot], margin.collateral);

    let terms = terms(venue, &margin.slots[slot], &before, seconds, max_lots)?;
    require!(!terms.lots.is_zero(), BallastError::NotEligible);
    let lots = affordable(venue.market, &terms, accounts.insurance.amount, now);
    require!(!lots.is_zero(), BallastError::InsuranceExhausted);
    let owed = lots.0.checked_mul(terms.shortfall).ok_or(BallastError::Overflow)?;
    let drawn = draw_insurance(venue.market, margin, slot, owed, accounts.insurance.amount, now)?;
    require!(drawn == owed, BallastError::InsuranceExhausted);

    let taker_slot = taker.slot_index_or_new(venue.market.index)?;
    touch(venue, taker, taker_slot, &taker_key)?;
    let quote = exchange_lots(venue, (margin, slot, &key), (taker, taker_slot, &taker_key), &terms, lots)?;
    settle_slot(venue.market, margin, slot, &key)?;
    settle_slot(venue.market, taker, taker_slot, &taker_key)?;

    let after = assess_now(margin, venue)?;
    close_idle_seat(venue, margin, slot, &key)?;
    rejoin(venue, margin, slot, &key, &after)?;
    require!(taker.slots[taker_slot].size().0 <= venue.market.params.max_position_lots, BallastError::TooLarge);
    let taker_after =
        assess(taker, &taker_key, Some((venue, taker_slot)), &others, Marks::Current, Some(Action::Liquidate), now)?;
    require_initial_margin(&taker_after.account)?;
    close_idle_seat(venue, taker, taker_slot, &taker_key)?;
    rejoin(venue, taker, taker_slot, &taker_key, &taker_after)?;
    tell(&Liquidated {
        market: venue.market.index,
        account: key,
        credited: taker_key,
        stage: stage_code(before.account.stage()),
        orders_cancelled,
        lots: lots.0,
        quote,
        reward: loss_per_lot(terms.side, before.primary_mark, terms.price).saturating_mul(lots.0),
        to_insurance: 0,
        insurance_drawn: drawn,
        mark: before.primary_mark.0,
        bankruptcy_price: terms.bankruptcy_price,
        equity: before.account.equity.0,
        maintenance: before.account.maintenance,
        position: held.lots,
        basis: held.basis,
        unsettled: held.unsettled,
        collateral,
        position_maintenance: before.primary.maintenance,
        seconds,
    });
    Ok(drawn)
}

/// For how long takeovers have been allowed; fails when they are not.
fn seconds_due(step: Step) -> Result<u64> {
    match step {
        Step::Takeover { seconds } | Step::Backstop { seconds } | Step::Bankrupt { seconds, .. } => Ok(seconds),
        Step::Wait { .. } => err!(BallastError::Cooldown),
        Step::None | Step::Partial => err!(BallastError::NotEligible),
    }
}

/// On what terms lots change hands.
struct Terms {
    side: Side,
    lots: Lots,
    price: Price,
    bankruptcy_price: i64,
    /// What insurance adds per lot so that the account does not fall below zero.
    shortfall: u64,
}

/// The price at which lots are offered now, and as many of them as restore the account.
fn terms(venue: &Venue, slot: &Slot, before: &Assessment, seconds: u64, max_lots: u64) -> Result<Terms> {
    let position = slot.position();
    let side = position.side().ok_or(BallastError::NothingHere)?;
    let bankruptcy_price = before.bankruptcy_price(position)?;
    let params = &venue.market.params;
    let mark = before.primary_mark;
    // A takeover takes what restores the account, without the book's cap, and costs the discount instead of the fee.
    let limits = LiquidationParams { max_fraction_bps: 10_000, fee_bps: 0, ..params.liquidation() };
    let offer = liquidation::takeover_price(side, mark, bankruptcy_price, seconds, &limits.takeover).or_fail()?;
    let restoring =
        liquidation::partial_lots(position, mark, offer.price, params.tiers(), &before.account, &limits).or_fail()?;
    let lots = restoring.min(Lots(max_lots));
    Ok(Terms { side, lots, price: offer.price, bankruptcy_price, shortfall: offer.shortfall })
}

/// As many lots as insurance can pay the shortfall of.
fn affordable(market: &Market, terms: &Terms, vault_balance: u64, now: i64) -> Lots {
    if terms.shortfall == 0 {
        return terms.lots;
    }
    let available = insurance_available(market, vault_balance, now);
    terms.lots.min(Lots(available / terms.shortfall))
}

/// Moves the lots at the terms' price; returns their value.
fn exchange_lots(
    venue: &mut Venue,
    (margin, slot, key): (&mut MarginAccount, usize, &Pubkey),
    (taker, taker_slot, taker_key): (&mut MarginAccount, usize, &Pubkey),
    terms: &Terms,
    lots: Lots,
) -> Result<u64> {
    let value = lots.value(terms.price).or_fail()?;
    let received = match terms.side {
        Side::Long => value,
        Side::Short => value.neg().or_fail()?,
    };
    let given = lots.on(terms.side.opposite()).or_fail()?;
    let taken = lots.on(terms.side).or_fail()?;
    let paid = received.neg().or_fail()?;
    margin.slots[slot].trade(given, received)?;
    taker.slots[taker_slot].trade(taken, paid)?;
    let quote = value.positive_part();
    venue.market.liquidated_quote = venue.market.liquidated_quote.saturating_add(quote);
    let report = |account: &Pubkey, cause, base: i64, cash: Quote, slot: &Slot| {
        tell(&PositionChanged {
            market: venue.market.index,
            account: *account,
            cause,
            base,
            cash: cash.0,
            fee: 0,
            lots: slot.lots,
            basis: slot.basis,
        });
    };
    report(key, Cause::Takeover, given.0, received, &margin.slots[slot]);
    report(taker_key, Cause::TakeoverReceived, taken.0, paid, &taker.slots[taker_slot]);
    Ok(quote)
}
