//! The last forced stage: what book and insurance could not close of a bankrupt position is closed against the other
//! side of the market, best-ranked positions first, for exactly the lots that are left. No counterparty's account is in
//! the transaction: the ranking index changes, and each member finds out when next touched.

use anchor_lang::prelude::*;
use anchor_spl::token::{Token, TokenAccount};
use ballast_book::{SelfTrade, Stopped};
use ballast_rank::{CellReceipt, Deleveraged as Outcome, IndexView, grid::BUCKETS};
use ballast_risk::{health::Stage, liquidation::Step, oracle::Action};
use ballast_units::{Lots, Price, Quote, Side};

use super::accounts::{require_distinct, require_same_exchange};
use crate::{
    error::{BallastError, OrFail},
    events::{Cause, Deleveraged, PositionChanged},
    logic::{
        Assessment, InsurancePath, Marks, Others, Take, Venue, as_limit, assess, cancel_for_force, close_idle_seat,
        deleverage_price, draw_insurance, insurance_available, loss_per_lot, move_insurance, pay_bounty, rejoin,
        require_most_relief, settle_slot, slab, take, touch,
    },
    record::tell,
    state::{Current as _, Exchange, INSURANCE_SEED, MarginAccount, Market, VAULT_SEED},
};

/// Most cells that one instruction reduces: with them its event fits the memory of an instruction twice, as a list and in the
/// record, beside all else that a deleveraging needs.
pub const MAX_CELLS: u32 = 400;
/// Bytes of a cell in the event.
const CELL_BYTES: usize = 8;
/// Most rows of which the event says how far funding has moved.
const MAX_ROWS: usize = 64;
/// Most makers that the attempt on the book meets.
const MAX_BOOK_MAKERS: u32 = 16;

/// Accounts of `deleverage` and `cover_bad_debt`; then a triple (market, book, ranks) for each other market in which
/// the account has anything.
#[derive(Accounts)]
pub struct ResolveBankruptcy<'info> {
    /// Credited with the bounty: any other margin account of the exchange.
    #[account(mut)]
    pub reward: AccountLoader<'info, MarginAccount>,
    /// The bankrupt account.
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

impl<'info> ResolveBankruptcy<'info> {
    /// Moves what was drawn from insurance.
    pub fn pay(&self, drawn: u64) -> Result<()> {
        move_insurance(
            &InsurancePath {
                exchange: &self.exchange,
                vault: &self.vault,
                insurance: &self.insurance,
                token_program: &self.token_program,
            },
            drawn,
        )
    }
}

/// Deleverages a bankrupt account's position in the market: first what the book takes no worse than the bankruptcy
/// price, then insurance within its budget moves that price towards the mark, then up to `max_cells` cells of the other
/// side are reduced at it. While insurance can pay a taker, the position waits `deleverage_delay_s` for one.
pub fn deleverage<'info>(ctx: Context<'info, ResolveBankruptcy<'info>>, max_cells: u32) -> Result<()> {
    require!(max_cells > 0, BallastError::ZeroAmount);
    let accounts = ctx.accounts;
    let drawn = close_position(accounts, ctx.remaining_accounts, max_cells.min(MAX_CELLS))?;
    accounts.pay(drawn)
}

/// Everything but the movement of tokens; returns what insurance owes the collateral vault.
fn close_position<'info>(
    accounts: &ResolveBankruptcy<'info>,
    remaining: &'info [AccountInfo<'info>],
    max_cells: u32,
) -> Result<u64> {
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.margin.key();
    require_distinct(&key, &accounts.reward.key())?;
    let margin = &mut *accounts.margin.current_mut()?;
    let reward = &mut *accounts.reward.current_mut()?;
    let market = &mut *accounts.market.current_mut()?;
    require_same_exchange(margin, market)?;
    require_same_exchange(reward, market)?;
    market.require_price(Action::Liquidate, now)?;
    let others = Others::new(remaining, market.exchange)?;
    let (mut book_data, mut ranks_data) = (slab(&accounts.book)?, slab(&accounts.ranks)?);
    let venue = &mut Venue::open(market, &mut book_data, &mut ranks_data)?;
    let slot = margin.slot_index(venue.market.index).ok_or(BallastError::NothingHere)?;

    touch(venue, margin, slot, &key)?;
    let assess_now = |margin: &MarginAccount, venue: &Venue| {
        assess(margin, &key, Some((venue, slot)), &others, Marks::Confirmed, Some(Action::Liquidate), now)
    };
    let mut state = assess_now(margin, venue)?;
    let known_since = margin.progress().bankrupt_since;
    let step = margin.progress_mut().step(&state.account, now, &venue.market.params.liquidation());
    let Step::Bankrupt { deleverage_from, .. } = step else { return err!(BallastError::NotEligible) };
    let newly_bankrupt = margin.progress().bankrupt_since != known_since;
    require_most_relief(&state, venue.market.index)?;
    let cancelled = cancel_for_force(venue, margin, slot, &key)?;

    let (on_book, book_has_more) = close_on_book(venue, margin, slot, &key, &state, now)?;
    if !on_book.is_zero() {
        settle_slot(venue.market, margin, slot, &key)?;
        state = assess_now(margin, venue)?;
    }
    let mut drawn = 0;
    let open = margin.slots[slot].size();
    if !open.is_zero() && !book_has_more && state.account.stage() == Stage::Bankrupt {
        let shortfall = shortfall(margin, slot, &state)?;
        let available = insurance_available(venue.market, accounts.insurance.amount, now);
        let due = available < shortfall || now >= deleverage_from;
        if due {
            // Per lot, and only for lots that close: the rest stays bankrupt for the next call.
            let paid_per_lot = available.min(shortfall) / open.0;
            let closed = close_against_ranks(venue, margin, slot, &key, &state, paid_per_lot, max_cells)?;
            let owed = closed.0.checked_mul(paid_per_lot).ok_or(BallastError::Overflow)?;
            drawn = draw_insurance(venue.market, margin, slot, owed, accounts.insurance.amount, now)?;
            require!(drawn == owed, BallastError::InsuranceExhausted);
            settle_slot(venue.market, margin, slot, &key)?;
            // For the last piece only: cutting the work up must not pay.
            if margin.slots[slot].size().is_zero() {
                pay_bounty(venue.market, reward, &accounts.reward.key(), u64::MAX)?;
            }
        } else {
            let progress = newly_bankrupt || cancelled > 0 || !on_book.is_zero();
            require!(progress, BallastError::InsuranceCovers);
        }
    }
    let after = assess_now(margin, venue)?;
    close_idle_seat(venue, margin, slot, &key)?;
    rejoin(venue, margin, slot, &key, &after)?;
    Ok(drawn)
}

/// What the account lacks at the mark for this position's share of its deficit.
fn shortfall(margin: &MarginAccount, slot: usize, state: &Assessment) -> Result<u64> {
    let position = margin.slots[slot].position();
    let Some(side) = position.side() else { return Ok(0) };
    let price = as_limit(state.bankruptcy_price(position)?);
    let per_lot = loss_per_lot(side, price, state.primary_mark);
    per_lot.checked_mul(position.lots().0).ok_or_else(|| BallastError::Overflow.into())
}

/// Closes on the book what it takes no worse than the bankruptcy price. Returns the lots, and whether there was more to
/// meet than one instruction can.
fn close_on_book(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    slot: usize,
    key: &Pubkey,
    state: &Assessment,
    now: i64,
) -> Result<(Lots, bool)> {
    let position = margin.slots[slot].position();
    let Some(side) = position.side() else { return Ok((Lots::ZERO, false)) };
    let matched = take(
        venue,
        margin,
        slot,
        key,
        &Take {
            side: side.opposite(),
            lots: position.lots(),
            limit: as_limit(state.bankruptcy_price(position)?),
            self_trade: SelfTrade::CancelResting,
            max_makers: MAX_BOOK_MAKERS,
            cause: Cause::Bankruptcy,
            client_id: 0,
        },
        now,
    )?;
    Ok((matched.lots, matched.stopped == Stopped::MakerLimit))
}

/// Reduces both sides by the same lots, at the bankruptcy price less what insurance pays per lot. Returns the lots.
fn close_against_ranks(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    slot: usize,
    key: &Pubkey,
    state: &Assessment,
    paid_per_lot: u64,
    max_cells: u32,
) -> Result<Lots> {
    let position = margin.slots[slot].position();
    let side = position.side().ok_or(BallastError::NothingHere)?;
    let bankruptcy_price = state.bankruptcy_price(position)?;
    let price = deleverage_price(side, as_limit(bankruptcy_price), paid_per_lot);
    let mark = venue.market.mark();
    let funding = venue.market.funding_index();
    let open_interest = venue.ranks.open_interest(side.opposite()).0;
    // In one piece: growing step by step would copy it, and the heap gives nothing back.
    let mut cells = Vec::with_capacity(CELL_BYTES * usize::try_from(max_cells).unwrap_or(0));
    let mut last_cell_before = 0;
    let outcome = venue
        .ranks
        .deleverage(side.opposite(), position.lots(), price, mark, funding, max_cells, |cell| {
            last_cell_before = cell.before.0;
            record(&mut cells, cell);
        })
        .or_fail()?;
    require!(!outcome.lots.is_zero(), BallastError::SettleSeatsFirst);
    let funding_since = funding_since(&venue.ranks.view(), side.opposite(), funding, &cells);
    apply(venue.market, margin, slot, key, side, price, &outcome)?;
    let market = &mut *venue.market;
    market.deleverages += 1;
    market.deleveraged_lots = market.deleveraged_lots.saturating_add(outcome.lots.0);
    tell(&Deleveraged {
        market: market.index,
        account: *key,
        longs_reduced: side == Side::Short,
        lots: outcome.lots.0,
        price: price.0,
        mark: mark.0,
        funding_index: funding,
        sequence: market.deleverages,
        in_profit_exhausted: outcome.in_profit_exhausted,
        insurance_drawn: outcome.lots.0.saturating_mul(paid_per_lot),
        open_interest,
        last_cell_before,
        cells,
        funding_since,
        last_score: outcome.last_score,
        position: position.0,
        bankruptcy_price,
        assessed_mark: state.primary_mark.0,
        equity: state.account.equity.0,
        maintenance: state.account.maintenance,
        position_maintenance: state.primary.maintenance,
    });
    Ok(outcome.lots)
}

/// The bankrupt account's side of the deleveraging.
fn apply(
    market: &Market,
    margin: &mut MarginAccount,
    slot: usize,
    key: &Pubkey,
    side: Side,
    price: Price,
    outcome: &Outcome,
) -> Result<()> {
    let value = outcome.lots.value(price).or_fail()?;
    let cash: Quote = match side {
        Side::Long => value,
        Side::Short => value.neg().or_fail()?,
    };
    let base = outcome.lots.on(side.opposite()).or_fail()?;
    let slot = &mut margin.slots[slot];
    slot.trade(base, cash)?;
    tell(&PositionChanged {
        market: market.index,
        account: *key,
        cause: Cause::Bankruptcy,
        base: base.0,
        cash: cash.0,
        fee: 0,
        lots: slot.lots,
        basis: slot.basis,
    });
    Ok(())
}

/// How far funding has moved in each row of the recorded cells since the row got its first cell, in the order in which the
/// rows appear; those of the first [`MAX_ROWS`] only, so that the event still fits.
fn funding_since(ranks: &IndexView, side: Side, funding: i64, cells: &[u8]) -> Vec<u8> {
    let mut seen = [0u64; BUCKETS as usize / 64 + 1];
    let mut since = Vec::new();
    for &[low, high, ..] in cells.as_chunks::<8>().0 {
        let row = u16::from_le_bytes([low, high]);
        let Some(word) = seen.get_mut(usize::from(row) / 64) else { continue };
        let bit = 1u64 << (row % 64);
        if *word & bit == 0 && since.len() < 4 * MAX_ROWS {
            *word |= bit;
            let moved = ranks.funding_since(side, row, funding);
            since.extend_from_slice(
                &i32::try_from(moved).unwrap_or(if moved < 0 { i32::MIN } else { i32::MAX }).to_le_bytes(),
            );
        }
    }
    since
}

/// One cell of the event: row (2 bytes), column (1), lots taken (5; `MAX_LOTS` fits), little endian. In one write, because
/// there are hundreds.
fn record(cells: &mut Vec<u8>, cell: &CellReceipt) {
    let word = u64::from(cell.row) | u64::from(cell.column & 0xff) << 16 | cell.lots.0 << 24;
    cells.extend_from_slice(&word.to_le_bytes());
}
