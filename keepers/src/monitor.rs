//! The risk monitor: what price shocks would do to the exchange as it is, how near the nearest accounts are to each stage, how
//! concentrated positions are, and what insurance is worth beside open interest. Computed on a copy of the view, beside the
//! engine; told on `/risk` and in the metrics.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use ballast_client::{
    ballast::{logic::insurance_available, state::MarketStatus},
    shock::{self, MarketOutcome, Shock},
    snapshot::{MarketEntry, Snapshot},
    view::{View, ViewError},
};
use ballast_risk::health::Stage;
use ballast_units::{BPS, Lots, Price, Side};
use serde::{Serialize, Serializer};

use crate::{metrics::Metrics, task::stage_name};

/// Moves of all markets together, in per cent.
pub const SHOCKS: [i64; 10] = [-20, -10, -5, -2, -1, 1, 2, 5, 10, 20];
/// Millionths in a per cent.
const PERCENT: i64 = 10_000;
/// Stages whose distance is told.
const STAGES: [Stage; 4] = [Stage::Restricted, Stage::Partial, Stage::Takeover, Stage::Bankrupt];
/// Largest positions of a market that are named.
const LARGEST: usize = 10;

/// Amounts are decimal strings: readers of JSON lose digits of large numbers.
fn text<T: ToString, S: Serializer>(amount: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&amount.to_string())
}

/// What the monitor tells. Amounts in atoms of the dollar token, sizes in lots, prices in atoms per lot.
#[derive(Clone, Debug, Serialize)]
pub struct Risk {
    /// The slot of the view.
    pub slot: u64,
    /// Its time by the cluster's clock.
    pub unix_time: i64,
    /// How long the computation took, in milliseconds.
    pub computed_ms: u64,
    /// Margin accounts.
    pub accounts: usize,
    /// Insurance vault.
    #[serde(serialize_with = "text")]
    pub insurance_vault: u64,
    /// Each market as it stands.
    pub markets: Vec<MarketRisk>,
    /// All markets moved together.
    pub shocks: Vec<ShockRisk>,
}

/// One market as it stands.
#[derive(Clone, Debug, Serialize)]
pub struct MarketRisk {
    /// Its index.
    pub market: u16,
    /// Its name.
    pub symbol: String,
    /// `active`, `reduce_only` or `paused`.
    pub status: &'static str,
    /// Its mark.
    #[serde(serialize_with = "text")]
    pub mark: u64,
    /// Age of its price, in seconds.
    pub price_age_s: i64,
    /// Value of the longs in the ranking index.
    #[serde(serialize_with = "text")]
    pub longs: u128,
    /// Value of the shorts.
    #[serde(serialize_with = "text")]
    pub shorts: u128,
    /// What insurance can pay for it now.
    #[serde(serialize_with = "text")]
    pub insurance_available: u64,
    /// That, beside the larger side, in basis points.
    pub insurance_share_bps: u64,
    /// Least moves of its mark alone at which any account reaches a stage.
    pub nearest: Vec<Distance>,
    /// Its largest positions.
    pub largest: Vec<Holder>,
    /// Most columns by which a position is out of place in the ranking index, as of the last round over all accounts.
    pub rank_drift_columns: i64,
}

/// How near the nearest account is to a stage.
#[derive(Clone, Debug, Serialize)]
pub struct Distance {
    /// The stage.
    pub stage: &'static str,
    /// A fall, in millionths of the mark, negative; absent when none reaches anybody.
    pub fall_ppm: Option<i64>,
    /// A rise.
    pub rise_ppm: Option<i64>,
}

/// A large position.
#[derive(Clone, Debug, Serialize)]
pub struct Holder {
    /// The margin account.
    pub account: String,
    /// `long` or `short`.
    pub side: &'static str,
    /// Its value at the mark.
    #[serde(serialize_with = "text")]
    pub value: u64,
    /// Of its side, in basis points.
    pub share_bps: u32,
}

/// What a shock would do.
#[derive(Clone, Debug, Serialize)]
pub struct ShockRisk {
    /// The move of all markets, in per cent.
    pub percent: i64,
    /// Accounts that fall below maintenance margin, in all rounds.
    pub accounts: usize,
    /// Rounds: in the second and later ones, what liquidations did to prices makes others due.
    pub rounds: usize,
    /// Whether it comes to rest.
    pub settled: bool,
    /// Left in the insurance vault.
    #[serde(serialize_with = "text")]
    pub vault_left: u64,
    /// Debt that nobody has paid at the end.
    #[serde(serialize_with = "text")]
    pub debt_left: u64,
    /// Each market.
    pub markets: Vec<ShockedMarket>,
}

/// What a shock would do in one market.
#[derive(Clone, Debug, Serialize)]
pub struct ShockedMarket {
    /// Its index.
    pub market: u16,
    /// Where its mark ends, liquidations included.
    #[serde(serialize_with = "text")]
    pub end: u64,
    /// Liquidated on the book.
    #[serde(serialize_with = "text")]
    pub on_book: u64,
    /// Taken over by others.
    #[serde(serialize_with = "text")]
    pub taken_over: u64,
    /// Deleveraged, both sides, at the mark.
    #[serde(serialize_with = "text")]
    pub deleveraged: u128,
    /// What bankrupt positions lack.
    #[serde(serialize_with = "text")]
    pub bad_debt: u64,
    /// What insurance pays.
    #[serde(serialize_with = "text")]
    pub insured: u64,
}

impl ShockedMarket {
    fn of(outcome: &MarketOutcome) -> ShockedMarket {
        let lots = u128::from(outcome.longs_deleveraged.0) + u128::from(outcome.shorts_deleveraged.0);
        ShockedMarket {
            market: outcome.market,
            end: outcome.end.0,
            on_book: outcome.book_quote,
            taken_over: outcome.takeover_quote,
            deleveraged: lots * u128::from(outcome.shocked.0),
            bad_debt: outcome.bad_debt,
            insured: outcome.insured,
        }
    }

    /// Everything that has to be closed, at what it fetches.
    fn closed(&self) -> u128 {
        u128::from(self.on_book) + u128::from(self.taken_over) + self.deleveraged / 2
    }
}

fn value(lots: Lots, price: Price) -> u128 {
    u128::from(lots.0) * u128::from(price.0)
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Long => "long",
        Side::Short => "short",
    }
}

/// Computes all of it on a copy of the view, with the insurance vault's balance and the cluster's time.
///
/// # Errors
/// When the view cannot be read, or an amount exceeds its type.
pub fn compute(snapshot: &Snapshot, vault: u64, now: i64, drift: impl Fn(u16) -> i64) -> Result<Risk, ViewError> {
    let began = Instant::now();
    let view = snapshot.view()?;
    let markets: Result<Vec<_>, _> =
        snapshot.markets().map(|entry| standing(&view, entry, vault, now, &drift)).collect();
    let shocks: Result<Vec<_>, _> = SHOCKS.into_iter().map(|percent| shocked(&view, percent, vault, now)).collect();
    Ok(Risk {
        slot: snapshot.moment.slot,
        unix_time: now,
        markets: markets?,
        shocks: shocks?,
        accounts: snapshot.account_count(),
        insurance_vault: vault,
        computed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

fn standing(
    view: &View,
    entry: &MarketEntry,
    vault: u64,
    now: i64,
    drift: impl Fn(u16) -> i64,
) -> Result<MarketRisk, ViewError> {
    let (index, market) = (entry.keys.index, &entry.market);
    let open = view.market(index)?;
    let mark = market.mark();
    let [longs, shorts] = [Side::Long, Side::Short].map(|side| value(open.ranks.open_interest(side), mark));
    let available = insurance_available(market, vault, now);
    let share = u128::from(available) * u128::from(BPS) / longs.max(shorts).max(1);
    let nearest = STAGES.into_iter().map(|stage| {
        let found = shock::nearest(view, index, stage)?;
        Ok(Distance { stage: stage_name(stage), fall_ppm: found.fall, rise_ppm: found.rise })
    });
    let largest = shock::concentration(view, index, LARGEST)?.into_iter().map(|share| Holder {
        account: share.account.to_string(),
        side: side_name(share.side),
        value: share.notional,
        share_bps: share.share_bps,
    });
    Ok(MarketRisk {
        market: index,
        symbol: String::from_utf8_lossy(&market.symbol).trim_end_matches('\0').to_owned(),
        status: match market.status() {
            Ok(MarketStatus::Active) => "active",
            Ok(MarketStatus::ReduceOnly) => "reduce_only",
            Ok(MarketStatus::Paused) => "paused",
            Err(_) => "unknown",
        },
        mark: mark.0,
        price_age_s: now.saturating_sub(market.reading().publish_time),
        longs,
        shorts,
        insurance_available: available,
        insurance_share_bps: u64::try_from(share).unwrap_or(u64::MAX),
        nearest: nearest.collect::<Result<_, ViewError>>()?,
        largest: largest.collect(),
        rank_drift_columns: drift(index),
    })
}

fn shocked(view: &View, percent: i64, vault: u64, now: i64) -> Result<ShockRisk, ViewError> {
    let outcome = shock::shock(view, &Shock::of_all(view, percent * PERCENT, vault, now))?;
    Ok(ShockRisk {
        percent,
        accounts: outcome.accounts.len(),
        rounds: outcome.rounds.len(),
        settled: outcome.settled,
        vault_left: outcome.vault_left,
        debt_left: outcome.debt_left,
        markets: outcome.markets.iter().map(ShockedMarket::of).collect(),
    })
}

/// Puts it into the metrics.
pub fn publish(risk: &Risk, metrics: &Metrics) {
    metrics.risk_seconds.set(risk.computed_ms as f64 / 1_000.0);
    for market in &risk.markets {
        let index = market.market.to_string();
        let share = i64::try_from(market.insurance_share_bps).unwrap_or(i64::MAX);
        metrics.insurance_share.with_label_values(&[&index]).set(share);
        for distance in &market.nearest {
            for (direction, ppm) in [("fall", distance.fall_ppm), ("rise", distance.rise_ppm)] {
                // What nothing up to there does is as far as it is looked for.
                let ppm = ppm.map_or(shock::ONE_PPM, i64::abs);
                metrics.nearest.with_label_values(&[index.as_str(), distance.stage, direction]).set(ppm);
            }
        }
        for side in ["long", "short"] {
            let largest =
                market.largest.iter().filter(|holder| holder.side == side).map(|holder| holder.share_bps).max();
            metrics.largest.with_label_values(&[index.as_str(), side]).set(largest.unwrap_or(0).into());
        }
    }
    for shock in &risk.shocks {
        let percent = shock.percent.to_string();
        for market in &shock.markets {
            let labels = [market.market.to_string(), percent.clone()];
            let labels: [&str; 2] = [&labels[0], &labels[1]];
            metrics.shock_closed.with_label_values(&labels).set(market.closed() as f64);
            metrics.shock_bad_debt.with_label_values(&labels).set(market.bad_debt as f64);
            metrics.shock_deleveraged.with_label_values(&labels).set(market.deleveraged as f64);
        }
    }
}

/// The newest result, for whoever asks.
#[derive(Clone, Default)]
pub struct Latest(Arc<RwLock<Option<Arc<Risk>>>>);

impl Latest {
    /// Replaces it.
    pub fn set(&self, risk: Risk) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Arc::new(risk));
    }

    /// It, once there is one.
    pub fn get(&self) -> Option<Arc<Risk>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// When the next computation begins: one at a time.
#[derive(Default)]
pub struct Schedule {
    began: Option<Instant>,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Schedule {
    /// Begins a computation if it is time for one and none is under way. `work` is asked for it only then.
    pub fn begin(&mut self, every: Duration, now: Instant, work: impl FnOnce() -> Box<dyn FnOnce() + Send>) {
        let due = self.began.is_none_or(|began| now.saturating_duration_since(began) >= every);
        if due && self.running.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            self.began = Some(now);
            self.running = Some(tokio::task::spawn_blocking(work()));
        }
    }
}
