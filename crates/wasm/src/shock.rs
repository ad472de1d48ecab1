//! What a shock would do, and what stands before one: on a desk that holds all accounts of the exchange.

use ballast_client::{
    shock::{self, MarketOutcome, ROUNDS, Shock},
    units::Side,
};
use ballast_risk::health::Stage;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use crate::{account::stage_name, desk::Desk, error::Problem};

/// A relative move of a market's mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct MoveInput {
    /// The market's index.
    pub market: u16,
    /// In millionths of the mark; negative down.
    pub ppm: i64,
}

/// A shock to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct ShockInput {
    /// The moves; other markets stay.
    pub moves: Vec<MoveInput>,
    /// Atoms in the insurance vault.
    pub vault: u64,
}

/// What a shock would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct ShockInfo {
    /// Rounds in which anybody was due.
    pub rounds: Vec<RoundInfo>,
    /// Whether nobody was due any more at the end.
    pub settled: bool,
    /// Each market.
    pub markets: Vec<MarketShock>,
    /// Accounts that fell below maintenance margin, in their order.
    pub accounts: Vec<FallenInfo>,
    /// Atoms left in the insurance vault.
    pub vault_left: u64,
    /// Debt without positions at the end, in atoms.
    pub debt_left: u64,
}

/// One round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct RoundInfo {
    /// Accounts below maintenance margin.
    pub due: u32,
    /// Of these, below zero.
    pub bankrupt: u32,
}

/// What a shock does in one market. Money in atoms, sizes in lots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct MarketShock {
    /// The market's index.
    pub market: u16,
    /// The mark before.
    pub mark: u64,
    /// The mark of the shock itself.
    pub shocked: u64,
    /// The mark at the end.
    pub end: u64,
    /// Lots of longs that the book took.
    pub longs_on_book: u64,
    /// Lots of shorts that the book took.
    pub shorts_on_book: u64,
    /// Value of both.
    pub book_quote: u64,
    /// Lots of longs taken over.
    pub longs_taken_over: u64,
    /// Lots of shorts taken over.
    pub shorts_taken_over: u64,
    /// Value of both.
    pub takeover_quote: u64,
    /// What bankrupt positions lacked.
    pub bad_debt: u64,
    /// What insurance paid.
    pub insured: u64,
    /// What insurance could have paid.
    pub budget: u64,
    /// Lots of longs deleveraged.
    pub longs_deleveraged: u64,
    /// Lots of shorts deleveraged.
    pub shorts_deleveraged: u64,
    /// What the deleveraged gave up against the marks.
    pub forgone: u64,
    /// Open interest of the longs before.
    pub longs: u64,
    /// Open interest of the shorts before.
    pub shorts: u64,
}

/// An account that fell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct FallenInfo {
    /// Its address.
    pub account: String,
    /// The round, from 0.
    pub round: u32,
    /// Its stage then.
    pub stage: String,
    /// Its equity then.
    pub equity: i64,
    /// Its maintenance margin then.
    pub maintenance: u64,
    /// Value of what was closed.
    pub closed: u64,
    /// What it lacked.
    pub bad_debt: u64,
}

/// Positions that become due while the mark moves through a range of prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct BucketInfo {
    /// Lowest price.
    pub low: u64,
    /// Highest price, exclusive.
    pub high: u64,
    /// Lots of longs.
    pub longs: u64,
    /// Lots of shorts.
    pub shorts: u64,
    /// Accounts.
    pub accounts: u32,
}

/// One account's part of a side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct ShareInfo {
    /// Its address.
    pub account: String,
    /// Whether it is long.
    pub long: bool,
    /// Its lots.
    pub lots: u64,
    /// Their value.
    pub notional: u64,
    /// Of its side, in basis points.
    pub share_bps: u32,
}

/// How far the mark is from the first account of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct DistanceInfo {
    /// `partial`, `takeover` or `bankrupt`.
    pub stage: String,
    /// Millionths downwards, negative.
    pub fall: Option<i64>,
    /// Millionths upwards.
    pub rise: Option<i64>,
}

impl Desk {
    pub(crate) fn shock(&self, input: &ShockInput) -> Result<ShockInfo, Problem> {
        let moves = input.moves.iter().map(|of| (of.market, of.ppm)).collect();
        let shock = Shock { moves, vault: input.vault, now: self.now, rounds: ROUNDS };
        let outcome = shock::shock(&self.view()?, &shock)?;
        let rounds = outcome.rounds.iter().map(|round| RoundInfo { due: round.due, bankrupt: round.bankrupt });
        let fallen = outcome.accounts.iter().map(|fallen| FallenInfo {
            account: fallen.account.to_string(),
            round: fallen.round,
            stage: stage_name(fallen.stage).to_owned(),
            equity: fallen.equity,
            maintenance: fallen.maintenance,
            closed: fallen.closed,
            bad_debt: fallen.bad_debt,
        });
        Ok(ShockInfo {
            rounds: rounds.collect(),
            settled: outcome.settled,
            markets: outcome.markets.iter().map(market_shock).collect(),
            accounts: fallen.collect(),
            vault_left: outcome.vault_left,
            debt_left: outcome.debt_left,
        })
    }

    pub(crate) fn liquidations(&self, market: u16, width_ppm: u32, buckets: u32) -> Result<Vec<BucketInfo>, Problem> {
        let found = shock::liquidations_by_price(&self.view()?, market, width_ppm, buckets)?;
        let info = found.into_iter().map(|bucket| BucketInfo {
            low: bucket.low.0,
            high: bucket.high.0,
            longs: bucket.longs.0,
            shorts: bucket.shorts.0,
            accounts: bucket.accounts,
        });
        Ok(info.collect())
    }

    pub(crate) fn concentration(&self, market: u16, most: u32) -> Result<Vec<ShareInfo>, Problem> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let info = shock::concentration(&self.view()?, market, most)?.into_iter().map(|share| ShareInfo {
            account: share.account.to_string(),
            long: share.side == Side::Long,
            lots: share.lots.0,
            notional: share.notional,
            share_bps: share.share_bps,
        });
        Ok(info.collect())
    }

    pub(crate) fn distances(&self, market: u16) -> Result<Vec<DistanceInfo>, Problem> {
        let view = self.view()?;
        let stages = [Stage::Partial, Stage::Takeover, Stage::Bankrupt];
        let of = |stage| {
            let near = shock::nearest(&view, market, stage)?;
            Ok(DistanceInfo { stage: stage_name(stage).to_owned(), fall: near.fall, rise: near.rise })
        };
        stages.into_iter().map(of).collect()
    }
}

fn market_shock(market: &MarketOutcome) -> MarketShock {
    MarketShock {
        market: market.market,
        mark: market.mark.0,
        shocked: market.shocked.0,
        end: market.end.0,
        longs_on_book: market.longs_on_book.0,
        shorts_on_book: market.shorts_on_book.0,
        book_quote: market.book_quote,
        longs_taken_over: market.longs_taken_over.0,
        shorts_taken_over: market.shorts_taken_over.0,
        takeover_quote: market.takeover_quote,
        bad_debt: market.bad_debt,
        insured: market.insured,
        budget: market.budget,
        longs_deleveraged: market.longs_deleveraged.0,
        shorts_deleveraged: market.shorts_deleveraged.0,
        forgone: market.forgone,
        longs: market.longs.0,
        shorts: market.shorts.0,
    }
}
