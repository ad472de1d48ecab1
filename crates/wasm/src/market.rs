//! Markets and their order books, as the page shows them.

use ballast::{
    error::BallastError,
    state::{Market, MarketStatus},
};
use ballast_client::addresses::MarketKeys;
use ballast_risk::oracle::Action;
use ballast_units::{BPS, Price, Side};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use crate::{
    desk::{Desk, open},
    error::Problem,
};

/// One margin tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct TierInfo {
    /// Notional in atoms from which the rates apply.
    pub lower: u64,
    /// Maintenance margin rate.
    pub maintenance_bps: u32,
    /// Initial margin rate.
    pub initial_bps: u32,
}

/// A market. Prices are atoms per lot, money is atoms, sizes are lots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct MarketInfo {
    /// Its index in the exchange.
    pub index: u16,
    /// Its address.
    pub address: String,
    /// Its book's address.
    pub book: String,
    /// Its ranking index's address.
    pub ranks: String,
    /// Its name.
    pub symbol: String,
    /// `active`, `reduceOnly` or `paused`.
    pub status: String,
    /// A lot is 10^−this of the base asset.
    pub lot_exponent: u8,
    /// Smallest step of an order's price.
    pub tick: u64,
    /// Smallest order.
    pub min_lots: u64,
    /// Largest position.
    pub max_position_lots: u64,
    /// Largest open interest a side.
    pub max_open_interest_lots: u64,
    /// Taker fee in millionths.
    pub taker_fee_ppm: i32,
    /// Maker fee in millionths.
    pub maker_fee_ppm: i32,
    /// Margin tiers in use.
    pub tiers: Vec<TierInfo>,
    /// Equity over maintenance that partial liquidation restores.
    pub liquidation_target_bps: u32,
    /// Liquidation fee.
    pub liquidation_fee_bps: u32,
    /// The mark; zero before the first price.
    pub mark: u64,
    /// The last oracle price: the index price.
    pub oracle: u64,
    /// When it was published.
    pub oracle_time: i64,
    /// Its confidence interval over itself.
    pub confidence_bps: u32,
    /// Its distance from its slow average.
    pub deviation_bps: u32,
    /// Lowest price at which anything matches.
    pub band_low: u64,
    /// Highest price at which anything matches.
    pub band_high: u64,
    /// Hourly funding rate in billionths; positive when longs pay.
    pub funding_rate_ppb: i64,
    /// The last premium sampled, as such a rate.
    pub premium_ppb: i64,
    /// The largest rate either way.
    pub funding_clamp_ppb: u32,
    /// When funding last accrued.
    pub funding_time: i64,
    /// Longs' lots in the ranking index; `None` until it is here.
    pub open_interest: Option<u64>,
    /// Fills that wait in seats, in lots, longs less shorts; `None` until the book is here.
    pub waiting: Option<i64>,
    /// The PnL pool.
    pub pool: u64,
    /// Insurance this market may draw now.
    pub insurance_available: u64,
    /// Insurance it may draw in a day.
    pub insurance_limit: u64,
    /// Insurance it has drawn so far.
    pub insurance_drawn: u64,
    /// Deleveraging instructions so far.
    pub deleverages: u64,
    /// Lots deleveraged so far.
    pub deleveraged_lots: u64,
    /// Value liquidated so far.
    pub liquidated_quote: u64,
    /// Why nothing that opens is possible now, if so.
    pub open_refusal: Option<Problem>,
    /// Why not even reducing is possible now, if so.
    pub reduce_refusal: Option<Problem>,
    /// Why nobody can be liquidated now, if so.
    pub liquidate_refusal: Option<Problem>,
}

/// All orders at one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
pub struct Level {
    /// The price.
    pub price: u64,
    /// Their lots.
    pub lots: u64,
    /// How many.
    pub orders: u32,
}

/// The top of an order book, best first, pegged orders where they stand now. Orders that cannot trade are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
pub struct Levels {
    /// Bids.
    pub bids: Vec<Level>,
    /// Asks.
    pub asks: Vec<Level>,
}

impl Desk {
    pub(crate) fn markets(&self) -> Result<Vec<MarketInfo>, Problem> {
        self.listed.values().map(|(keys, market)| self.describe(keys, market)).collect()
    }

    fn describe(&self, keys: &MarketKeys, market: &Market) -> Result<MarketInfo, Problem> {
        let params = &market.params;
        let view = self.view()?;
        let opened = view.market(keys.index).ok();
        let name = market.symbol.split(|byte| *byte == 0).next().unwrap_or_default();
        let band = market.band()?;
        let (reading, funding) = (market.reading(), market.funding());
        let tiers = params.tiers.iter().filter(|tier| tier.maintenance_bps != 0).map(|tier| TierInfo {
            lower: tier.lower,
            maintenance_bps: tier.maintenance_bps,
            initial_bps: tier.initial_bps,
        });
        Ok(MarketInfo {
            index: keys.index,
            address: keys.market.to_string(),
            book: keys.book.to_string(),
            ranks: keys.ranks.to_string(),
            symbol: String::from_utf8_lossy(name).into_owned(),
            status: status(market)?.to_owned(),
            lot_exponent: market.lot_exponent,
            tick: params.tick,
            min_lots: params.min_lots,
            max_position_lots: params.max_position_lots,
            max_open_interest_lots: params.max_open_interest_lots,
            taker_fee_ppm: i32::try_from(params.taker_fee_ppm).unwrap_or(i32::MAX),
            maker_fee_ppm: i32::try_from(params.maker_fee_ppm).unwrap_or(i32::MAX),
            tiers: tiers.collect(),
            liquidation_target_bps: params.liquidation_target_bps,
            liquidation_fee_bps: params.liquidation_fee_bps,
            mark: market.mark().0,
            oracle: reading.price.0,
            oracle_time: reading.publish_time,
            confidence_bps: reading.confidence_bps,
            deviation_bps: reading.deviation_bps,
            band_low: band.0.0,
            band_high: band.1.0,
            funding_rate_ppb: funding.rate(),
            premium_ppb: funding.sample,
            funding_clamp_ppb: params.funding_clamp_ppb,
            funding_time: funding.updated_at,
            open_interest: opened.map(|open| open.ranks.open_interest(Side::Long).0),
            waiting: opened.map(|open| open.book.pending_base_total()),
            pool: market.pool,
            insurance_available: market.budget().available(self.now),
            insurance_limit: market.budget().limit_per_window,
            insurance_drawn: market.insurance_drawn,
            deleverages: market.deleverages,
            deleveraged_lots: market.deleveraged_lots,
            liquidated_quote: market.liquidated_quote,
            open_refusal: self.price_refusal(market, Action::Open),
            reduce_refusal: self.price_refusal(market, Action::Reduce),
            liquidate_refusal: self.price_refusal(market, Action::Liquidate),
        })
    }

    /// Why the market's price is not good enough for an action.
    pub(crate) fn price_refusal(&self, market: &Market, action: Action) -> Option<Problem> {
        market.require_price(action, self.now).err().map(Problem::from)
    }

    pub(crate) fn levels(&self, market: u16, depth: u32, group: u64) -> Result<Levels, Problem> {
        let view = self.view()?;
        let open = open(&view, market)?;
        let (terms, group) = (open.market.terms(self.now)?, group.max(1));
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        let side = |side: Side| {
            let mut levels: Vec<Level> = Vec::new();
            for standing in open.book.standing(side, terms) {
                let (lots, price) = (standing.order.lots.0, standing.price.0);
                let price = match side {
                    Side::Long => price / group * group,
                    Side::Short => price.div_ceil(group) * group,
                };
                if let Some(last) = levels.last_mut().filter(|last| last.price == price) {
                    last.lots = last.lots.saturating_add(lots);
                    last.orders += 1;
                } else if levels.len() < depth {
                    levels.push(Level { price, lots, orders: 1 });
                } else {
                    break;
                }
            }
            levels
        };
        Ok(Levels { bids: side(Side::Long), asks: side(Side::Short) })
    }
}

fn status(market: &Market) -> Result<&'static str, BallastError> {
    match market.status() {
        Ok(MarketStatus::Active) => Ok("active"),
        Ok(MarketStatus::ReduceOnly) => Ok("reduceOnly"),
        Ok(MarketStatus::Paused) => Ok("paused"),
        Err(_) => Err(BallastError::MarketState),
    }
}

/// A part of a whole in basis points, rounded down; the whole of nothing is nothing.
pub(crate) fn share_bps(part: u128, whole: u128) -> u32 {
    u32::try_from(part.saturating_mul(u128::from(BPS)) / whole.max(1)).unwrap_or(u32::MAX)
}

/// Where a pegged order of a side stands: its distance from the mark, rounded to the tick down for bids and up for asks.
pub(crate) fn stands_at(side: Side, references: (Price, Price), offset: i64) -> u64 {
    let reference = match side {
        Side::Long => references.0,
        Side::Short => references.1,
    };
    reference.0.saturating_add_signed(offset)
}
