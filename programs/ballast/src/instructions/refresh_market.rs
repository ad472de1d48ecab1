//! Reading the oracle into the market, by anyone.

use anchor_lang::prelude::*;
use ballast_book::BookView;
use ballast_rank::IndexView;
use ballast_risk::{
    funding::{self, FundingParams, FundingState},
    mark, oracle,
};
use ballast_units::{Price, Side};

use crate::{
    error::{BallastError, OrFail},
    events::{FundingHour, MarkUpdated},
    oracle::read_sample,
    record::tell,
    state::{BOOK_MAGIC, Current as _, Market, RANKS_MAGIC, slab_bytes},
};

/// Accounts of `refresh_market`.
#[derive(Accounts)]
pub struct RefreshMarket<'info> {
    /// The market.
    #[account(mut, has_one = book @ BallastError::WrongAccount, has_one = ranks @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book, for the impact prices that funding and mark follow.
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's ranking index, for the open interest in funding's history.
    pub ranks: UncheckedAccount<'info>,
    /// CHECK: checked by the market's oracle adapter: owner, feed, layout.
    pub oracle: UncheckedAccount<'info>,
    /// This program, which records its events by calling itself.
    pub program: Program<'info, crate::program::Ballast>,
}

/// Takes a newer oracle price into the market: accrues funding at the old rate, moves the mark within its bounds, and
/// sets the funding rate from the book's impact prices. Each hour that has ended since is reported. What the price is good for is decided where it is used.
pub fn refresh_market(ctx: Context<RefreshMarket>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let market = &mut *ctx.accounts.market.current_mut()?;
    let sample = read_sample(market, &ctx.accounts.oracle)?;
    let state = *market.mark_state();
    let limits = market.params.oracle(market.lot_exponent());
    let last = market.reading().publish_time;
    let reading = oracle::check(&sample, now, last, state.slow_average(), &limits).or_fail()?;

    let book_data = ctx.accounts.book.try_borrow_data()?;
    let book = BookView::load(slab_bytes(&book_data, BOOK_MAGIC)?).or_fail()?;
    // At a market's first price nothing has traded: the mark is the oracle's, and only funding's clock is set.
    let is_first = state.mark.0 == 0;
    let mid = if is_first { None } else { mid(market, &book, now)? };
    let mark_params = market.params.mark();
    let next = mark::advance(&state, reading.price, mid, reading.publish_time, &mark_params).or_fail()?;
    let params = market.params.funding();
    let funding = if is_first {
        funding::update(market.funding(), 0, next.mark, now, &params).or_fail()?
    } else {
        report_hours(market, &ctx.accounts.ranks, state.mark, now, &params)?;
        let sample = premium(market, &book, reading.price, now, &params)?;
        funding::update(market.funding(), sample, state.mark, now, &params).or_fail()?
    };
    market.set_funding(funding);
    market.set_mark_state(next);
    market.set_reading(reading);
    tell(&MarkUpdated {
        market: market.index,
        oracle: reading.price.0,
        mark: next.mark.0,
        publish_time: reading.publish_time,
        funding_index: market.funding_index(),
    });
    Ok(())
}

/// The middle of the book, where it has a say in the mark and the depth for it.
fn mid(market: &Market, book: &BookView, now: i64) -> Result<Option<Price>> {
    if market.params.mark_book_weight_bps == 0 {
        return Ok(None);
    }
    let (terms, quote) = (market.terms(now)?, market.params.mark_book_quote);
    let bid = book.depth_price(Side::Short, quote, &terms);
    let ask = book.depth_price(Side::Long, quote, &terms);
    Ok(mark::mid(bid, ask))
}

/// How far the book's impact prices are above the oracle's: a sample of the funding rate.
fn premium(market: &Market, book: &BookView, oracle: Price, now: i64, params: &FundingParams) -> Result<i64> {
    let terms = market.terms(now)?;
    let bid = book.impact_price(Side::Short, params.impact_quote, &terms);
    let ask = book.impact_price(Side::Long, params.impact_quote, &terms);
    funding::rate(bid, ask, oracle, params.clamp_ppb).or_fail()
}

/// Reports the hours of funding that have ended since the last update.
fn report_hours(market: &Market, ranks: &AccountInfo, mark: Price, now: i64, params: &FundingParams) -> Result<()> {
    let state: &FundingState = market.funding();
    let mut hours = funding::hours(state, mark, now, params).peekable();
    if hours.peek().is_none() {
        return Ok(());
    }
    let data = ranks.try_borrow_data()?;
    let index = IndexView::load(slab_bytes(&data, RANKS_MAGIC)?).or_fail()?;
    for hour in hours {
        let hour = hour.or_fail()?;
        tell(&FundingHour {
            market: market.index,
            end: hour.end,
            hours: hour.hours,
            index: hour.index,
            rate_ppb: state.rate(),
            premium_ppb: state.sample,
            mark: mark.0,
            longs: index.open_interest(Side::Long).0,
            shorts: index.open_interest(Side::Short).0,
        });
    }
    Ok(())
}
