//! Reading the oracle into the market, by anyone.

use anchor_lang::prelude::*;
use ballast_book::BookView;
use ballast_risk::{funding, mark, oracle};
use ballast_units::Side;

use crate::{
    error::{BallastError, OrFail},
    events::MarkUpdated,
    oracle::read_sample,
    state::{BOOK_MAGIC, Market, slab_bytes},
};

/// Accounts of `refresh_market`.
#[derive(Accounts)]
pub struct RefreshMarket<'info> {
    /// The market.
    #[account(mut, has_one = book @ BallastError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book, for the impact price that funding follows.
    pub book: UncheckedAccount<'info>,
    /// CHECK: checked by the market's oracle adapter: owner, feed, layout.
    pub oracle: UncheckedAccount<'info>,
}

/// Takes a newer oracle price into the market: accrues funding at the old rate, moves the mark within its bounds, and
/// sets the funding rate from the book's impact prices. What the price is good for is decided where it is used.
pub fn refresh_market(ctx: Context<RefreshMarket>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let market = &mut *ctx.accounts.market.load_mut()?;
    let sample = read_sample(market, &ctx.accounts.oracle)?;
    let state = *market.mark_state();
    let limits = market.params.oracle(market.lot_exponent());
    let last = market.reading().publish_time;
    let reading = oracle::check(&sample, now, last, state.slow_average(), &limits).or_fail()?;
    let next = mark::advance(&state, reading.price, reading.publish_time, &market.params.mark()).or_fail()?;

    let book_data = ctx.accounts.book.try_borrow_data()?;
    let book = BookView::load(slab_bytes(&book_data, BOOK_MAGIC)?).or_fail()?;
    let params = market.params.funding();
    let funding = if state.mark.0 == 0 {
        // The first price: nothing has traded, only the clock is set.
        funding::update(market.funding(), 0, next.mark, now, &params).or_fail()?
    } else {
        let band = market.band()?;
        let bid = book.impact_price(Side::Short, params.impact_quote, band, now);
        let ask = book.impact_price(Side::Long, params.impact_quote, band, now);
        let sample = funding::rate(bid, ask, reading.price, params.clamp_ppb).or_fail()?;
        funding::update(market.funding(), sample, state.mark, now, &params).or_fail()?
    };
    market.set_funding(funding, book.pending_base_total())?;
    market.set_mark_state(next);
    market.set_reading(reading);
    emit!(MarkUpdated {
        market: market.index,
        oracle: reading.price.0,
        mark: next.mark.0,
        publish_time: reading.publish_time,
        funding_index: market.funding_index(),
    });
    Ok(())
}
