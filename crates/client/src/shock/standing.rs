//! What stands before any shock: at which prices positions would be liquidated, how far the nearest of them is, and how
//! much of a market few accounts hold.

use ballast::logic::Marks;
use ballast_risk::health::Stage;
use ballast_units::{Lots, Price, Side};
use solana_pubkey::Pubkey;

use super::{ONE_PPM, run::moved};
use crate::view::{View, ViewError};

/// Positions that become due for liquidation while the mark moves through a range of prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Lowest price.
    pub low: Price,
    /// Highest price, exclusive.
    pub high: Price,
    /// Lots of longs.
    pub longs: Lots,
    /// Lots of shorts.
    pub shorts: Lots,
    /// Accounts.
    pub accounts: u32,
}

/// A market's positions by their liquidation prices, with the other markets as they are: `buckets` ranges of `width_ppm`
/// millionths of the mark each, half of them below it. Prices farther away are in none.
///
/// # Errors
/// See [`ViewError`].
pub fn liquidations_by_price(view: &View, market: u16, width_ppm: u32, buckets: u32) -> Result<Vec<Bucket>, ViewError> {
    let mark = view.market(market)?.market.mark();
    let half = i64::from(buckets / 2);
    let edge = |number: i64| moved(mark, (number - half).saturating_mul(i64::from(width_ppm)));
    let mut found: Vec<Bucket> = (0..i64::from(buckets))
        .map(|number| Bucket { low: edge(number), high: edge(number + 1), ..Bucket::default() })
        .collect();
    for (key, account) in view.snapshot().accounts() {
        let Some(price) = view.liquidation_price(key, account, market)? else { continue };
        let Some(state) = view.position_of(key, account, market)? else { continue };
        // The last safe price: a long is due just below it.
        let reached = match state.position.side() {
            Some(Side::Long) => Price(price.0.saturating_sub(1)),
            Some(Side::Short) => Price(price.0.saturating_add(1)),
            None => continue,
        };
        let at = found.partition_point(|bucket| bucket.high <= reached);
        let Some(bucket) = found.get_mut(at).filter(|bucket| bucket.low <= reached) else { continue };
        match state.position.side() {
            Some(Side::Long) => bucket.longs.0 += state.position.lots().0,
            _ => bucket.shorts.0 += state.position.lots().0,
        }
        bucket.accounts += 1;
    }
    Ok(found)
}

/// One account's part of a side of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The account.
    pub account: Pubkey,
    /// Its side.
    pub side: Side,
    /// Its lots.
    pub lots: Lots,
    /// Their value at the mark, in atoms.
    pub notional: u64,
    /// Of all lots of its side held by accounts, in basis points, rounded down.
    pub share_bps: u32,
}

/// The largest positions of a market, at most `most`, largest first.
///
/// # Errors
/// See [`ViewError`].
pub fn concentration(view: &View, market: u16, most: usize) -> Result<Vec<Share>, ViewError> {
    let mark = view.market(market)?.market.mark();
    let (mut found, mut totals) = (Vec::new(), [0u128; 2]);
    for (key, account) in view.snapshot().accounts() {
        let Some(state) = view.position_of(key, account, market)? else { continue };
        let Some(side) = state.position.side() else { continue };
        let lots = state.position.lots();
        let notional = lots.value(mark).map_err(ballast_risk::RiskError::from)?.positive_part();
        totals[side.index()] += u128::from(lots.0);
        found.push(Share { account: *key, side, lots, notional, share_bps: 0 });
    }
    found.sort_by_key(|share| (core::cmp::Reverse(share.lots.0), share.account));
    found.truncate(most);
    for share in &mut found {
        let part = u128::from(share.lots.0) * u128::from(ballast_units::BPS) / totals[share.side.index()].max(1);
        share.share_bps = u32::try_from(part).unwrap_or(u32::MAX);
    }
    Ok(found)
}

/// The least moves of a market's mark at which any account with a position there reaches a stage, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nearest {
    /// Downwards, negative; `None` when no fall does.
    pub fall: Option<i64>,
    /// Upwards; `None` when none up to a doubling does.
    pub rise: Option<i64>,
}

/// How far the mark of a market has to move, alone, until the first account reaches `stage` or worse; zero when one has. To
/// a thousandth of the mark, and at most to its double.
///
/// # Errors
/// See [`ViewError`].
pub fn nearest(view: &View, market: u16, stage: Stage) -> Result<Nearest, ViewError> {
    let holders: Vec<Pubkey> = {
        let held = |account: &ballast::state::MarginAccount| account.slot_index(market).is_some();
        view.snapshot().accounts().filter(|(_, account)| held(account)).map(|(key, _)| *key).collect()
    };
    let before = *view.market(market)?.market;
    let mut tried = view.clone();
    let mut any_at = |ppm: i64| -> Result<bool, ViewError> {
        let mut market = before;
        let mark = moved(before.mark(), ppm);
        market.set_mark_state(ballast_risk::mark::MarkState { mark, ..*before.mark_state() });
        tried.set_market(market)?;
        for key in &holders {
            if tried.assess(key, Marks::Current, None)?.account.stage() >= stage {
                return Ok(true);
            }
        }
        Ok(false)
    };
    const STEP: i64 = 1_000;
    let mut first = |sign: i64| -> Result<Option<i64>, ViewError> {
        // Steps of a thousandth, by halving: who is due stays due while the mark goes on the same way.
        let (mut low, mut high) = (0, ONE_PPM / STEP);
        if any_at(0)? {
            return Ok(Some(0));
        }
        if !any_at(sign * high * STEP)? {
            return Ok(None);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if any_at(sign * middle * STEP)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(Some(sign * high * STEP))
    };
    Ok(Nearest { fall: first(-1)?, rise: first(1)? })
}
