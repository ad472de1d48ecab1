//! What an account is worth, what it needs, and so at which stage it is.
//!
//! Per market: `profit = position × mark − basis`, `equity = unsettled + funding + profit`. Maintenance margin is that
//! of the position; initial margin is that of the worst case over its open orders. An [`Account`] is its collateral and
//! the sum over its markets.

use crate::margin::{self, TIERS, Tier};
use crate::{BPS, ParamError, Result, RiskError};
use ballast_units::{Lots, Position, Price, Quote, Side, wide};

/// Largest haircut on unrealised profit: all of it.
pub const MAX_PROFIT_HAIRCUT_BPS: u32 = BPS;
/// Largest multiplier of initial margin: five.
pub const MAX_MARGIN_MULTIPLIER_BPS: u32 = 5 * BPS;

/// What an account has in one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PositionState {
    /// The position, with fills that wait in the seat.
    pub position: Position,
    /// What the position cost: paid for a long (positive), received for a short (negative).
    pub basis: Quote,
    /// Realised profit that is not money yet, or loss not paid yet.
    pub unsettled: Quote,
    /// Funding accrued since the last settlement: positive received, negative owed.
    pub funding: Quote,
    /// Lots of the account's open bids.
    pub bids: Lots,
    /// Sum of price × lots over the open bids.
    pub bid_quote: u64,
    /// Lots of the account's open asks.
    pub asks: Lots,
    /// Sum of price × lots over the open asks.
    pub ask_quote: u64,
}

/// What a market says about all its positions.
#[derive(Clone, Copy, Debug)]
pub struct MarketState<'a> {
    /// The price positions are valued at. For liquidation: [`crate::mark::liquidation_price`] of the position's side.
    pub mark: Price,
    /// Margin tiers.
    pub tiers: &'a [Tier; TIERS],
    /// What the market's PnL pool can pay now, in atoms.
    pub pool: u64,
    /// How much of profit that nobody has paid for yet does not count for initial margin.
    pub profit_haircut_bps: u32,
    /// Multiplier of initial margin, at least 10,000 (one).
    pub margin_multiplier_bps: u32,
}

/// What one market contributes to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PositionHealth {
    /// Unrealised: position × mark − basis. Exact.
    pub profit: Quote,
    /// Unsettled + funding + profit. Exact.
    pub equity: Quote,
    /// Equity with the haircut on profit that the pool cannot pay yet, rounded down.
    pub initial_equity: Quote,
    /// Maintenance margin of the position, rounded up.
    pub maintenance: u64,
    /// Initial margin of position and open orders in their worst case, with their loss against the mark, rounded up.
    pub initial: u64,
    /// Value of the position without its side. Exact.
    pub notional: u64,
}

/// Checks a market's haircut and multiplier.
pub fn validate(profit_haircut_bps: u32, margin_multiplier_bps: u32) -> core::result::Result<(), ParamError> {
    if profit_haircut_bps > MAX_PROFIT_HAIRCUT_BPS {
        return Err(ParamError::ProfitHaircut);
    }
    if !(BPS..=MAX_MARGIN_MULTIPLIER_BPS).contains(&margin_multiplier_bps) {
        return Err(ParamError::MarginMultiplier);
    }
    Ok(())
}

/// What an account's position and orders in one market are worth and need.
///
/// Realised profit counts in full for initial margin only as far as the pool can pay it now. The rest is a promise, like
/// unrealised profit, and together with it takes the haircut: closing a position and opening it again sheds nothing.
///
/// The worst case of open orders: all on the side that leaves the larger position fill, at their own prices, and what
/// both sides' orders pay above (receive below) the mark is lost at once. Within a side a bid below the mark offsets
/// one above it, since only sums are known.
#[inline]
pub fn assess(state: &PositionState, market: &MarketState) -> Result<PositionHealth> {
    let lots = state.position.lots();
    let value = lots.value(market.mark)?;
    let notional = value.positive_part();
    let profit = if state.position.0 < 0 { value.neg()? } else { value }.sub(state.basis)?;
    let cash = state.unsettled.add(state.funding)?;
    let equity = cash.add(profit)?;
    let payable = cash.min(Quote(i64::try_from(market.pool).unwrap_or(i64::MAX)));
    let promised = equity.sub(payable)?;
    let initial_equity = payable.add(after_haircut(promised, market.profit_haircut_bps)?)?;
    let maintenance = if notional == 0 { 0 } else { margin::maintenance(notional, market.tiers)? };
    let (worst, loss) = if state.bids.is_zero() && state.asks.is_zero() {
        (notional, 0)
    } else {
        with_orders(state, lots, market.mark)?
    };
    let margin = if worst == 0 { 0 } else { margin::initial(worst, market.tiers)? };
    let margin = match market.margin_multiplier_bps {
        BPS => margin,
        multiplier => wide::scale_ceil(margin, multiplier, BPS).ok_or(RiskError::Overflow)?,
    };
    let initial = margin.checked_add(loss).ok_or(RiskError::Overflow)?;
    Ok(PositionHealth { profit, equity, initial_equity, maintenance, initial, notional })
}

/// Notional of the largest position that open orders can leave, and what they lose against the mark.
#[inline(always)]
fn with_orders(state: &PositionState, lots: Lots, mark: Price) -> Result<(u64, u64)> {
    let (same, opposite) = match state.position.side() {
        Some(Side::Long) | None => (state.bids, state.asks),
        Some(Side::Short) => (state.asks, state.bids),
    };
    // Whatever fills, the position ends between these two; opposite orders first have to close it.
    let grown = lots.add(same)?;
    let turned = Lots(opposite.0.saturating_sub(lots.0));
    let worst = Lots(grown.0.max(turned.0)).value(mark)?.positive_part();
    let bid_loss = state.bid_quote.saturating_sub(state.bids.value(mark)?.positive_part());
    let ask_loss = state.asks.value(mark)?.positive_part().saturating_sub(state.ask_quote);
    Ok((worst, bid_loss.checked_add(ask_loss).ok_or(RiskError::Overflow)?))
}

/// Profit less the haircut, rounded down; a loss as it is.
#[inline(always)]
fn after_haircut(profit: Quote, haircut_bps: u32) -> Result<Quote> {
    if profit.0 <= 0 || haircut_bps == 0 {
        return Ok(profit);
    }
    let kept = BPS.checked_sub(haircut_bps).ok_or(RiskError::Corrupt)?;
    let kept = wide::scale_floor(profit.positive_part(), kept, BPS).ok_or(RiskError::Overflow)?;
    i64::try_from(kept).map(Quote).map_err(|_| RiskError::Overflow)
}

/// An account over all its markets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Settled money.
    pub collateral: u64,
    /// Collateral and all markets' equity: what is left if everything closes at the mark.
    pub equity: Quote,
    /// Equity with haircuts on profit that no pool can pay yet: what initial margin is measured against.
    pub initial_equity: Quote,
    /// Sum of the positions' maintenance margins.
    pub maintenance: u64,
    /// Sum of the markets' initial margins.
    pub initial: u64,
}

/// What may happen to an account, by its equity. Later ones include the earlier ones' restrictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Equity covers initial margin.
    Healthy,
    /// Below initial margin: only reducing orders.
    Restricted,
    /// Below maintenance margin: partial liquidation on the book.
    Partial,
    /// Below two thirds of maintenance margin: liquidators may take over.
    Takeover,
    /// Negative: insurance, then deleveraging.
    Bankrupt,
}

impl Account {
    /// An account with collateral and no positions.
    ///
    /// Collateral above `i64::MAX`, more than there is of any currency, counts as that.
    pub fn new(collateral: u64) -> Self {
        let equity = Quote(i64::try_from(collateral).unwrap_or(i64::MAX));
        Account { collateral, equity, initial_equity: equity, maintenance: 0, initial: 0 }
    }

    /// Adds one market.
    #[inline]
    pub fn add(&mut self, health: &PositionHealth) -> Result<()> {
        self.equity = self.equity.add(health.equity)?;
        self.initial_equity = self.initial_equity.add(health.initial_equity)?;
        self.maintenance = self.maintenance.checked_add(health.maintenance).ok_or(RiskError::Overflow)?;
        self.initial = self.initial.checked_add(health.initial).ok_or(RiskError::Overflow)?;
        Ok(())
    }

    /// The account's stage.
    pub fn stage(&self) -> Stage {
        if self.equity.0 < 0 {
            return Stage::Bankrupt;
        }
        let equity = self.equity.positive_part();
        // Two thirds, rounded up: for whole numbers `3 × equity < 2 × maintenance` is the same.
        if equity < self.maintenance - self.maintenance / 3 {
            Stage::Takeover
        } else if equity < self.maintenance {
            Stage::Partial
        } else if self.initial_equity.0 < 0 || self.initial_equity.positive_part() < self.initial {
            Stage::Restricted
        } else {
            Stage::Healthy
        }
    }

    /// Equity over maintenance margin in basis points, rounded down; `i64::MAX` without maintenance margin.
    pub fn margin_ratio_bps(&self) -> i64 {
        if self.maintenance == 0 {
            return i64::MAX;
        }
        let bps = u64::from(BPS);
        let ratio = wide::signed_mul_div_floor_i64(self.equity.0, bps, self.maintenance);
        ratio.unwrap_or(if self.equity.0 < 0 { i64::MIN } else { i64::MAX })
    }

    /// How much equity exceeds initial margin by: what a withdrawal may take, if it is settled. Zero when it does not.
    pub fn free_collateral(&self) -> u64 {
        self.initial_equity.positive_part().saturating_sub(self.initial).min(self.collateral)
    }
}
