//! Why somebody was reduced by force, as the page shows it.

use ballast::logic::{as_limit, deleverage_price, loss_per_lot};
use ballast_client::{
    events::Event,
    record::Whole,
    why::{self, Explained},
};
use ballast_units::{Price, Side};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use crate::{desk::Desk, error::Problem, events::Told};

/// A forced reduction, computed anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct WhyInfo {
    /// `liquidation` on the book, `takeover` by another account, or `deleveraging`.
    pub kind: String,
    /// The market's index.
    pub market: u16,
    /// The account that was short of margin.
    pub account: String,
    /// Who was credited with the reward or took over; nobody for a deleveraging.
    pub credited: Option<String>,
    /// Lots of its position before, positive long.
    pub position: i64,
    /// Lots closed.
    pub lots: u64,
    /// Their value, in atoms.
    pub quote: u64,
    /// The mark at which it was assessed.
    pub mark: u64,
    /// Its equity, in atoms.
    pub equity: i64,
    /// Its maintenance margin, in atoms.
    pub maintenance: u64,
    /// Its bankruptcy price in the market; may be negative.
    pub bankruptcy_price: i64,
    /// Its settled money, in atoms; not said of a deleveraging.
    pub collateral: Option<u64>,
    /// Realised profit in the market that was not money yet; not said of a deleveraging.
    pub unsettled: Option<i64>,
    /// What its position had cost; not said of a deleveraging.
    pub basis: Option<i64>,
    /// Orders that were cancelled.
    pub orders_cancelled: u32,
    /// For how many seconds takeovers had been allowed.
    pub seconds: u64,
    /// Fee or discount to whoever was credited, in atoms.
    pub reward: u64,
    /// Fee to insurance, in atoms.
    pub to_insurance: u64,
    /// Paid by insurance, in atoms.
    pub insurance_drawn: u64,
    /// The ratio of equity to maintenance margin that a liquidation restores, in basis points: the market's now.
    pub target_ratio_bps: u32,
    /// The most of a position that one liquidation on the book takes, in basis points: the market's now.
    pub max_fraction_bps: u32,
    /// The fee on what is closed on the book, in basis points: the market's now.
    pub fee_bps: u32,
    /// Each number, logged and computed.
    pub lines: Vec<LineInfo>,
    /// Of a deleveraging: the other side.
    pub ranking: Option<RankingInfo>,
}

/// The other side of a deleveraging.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct RankingInfo {
    /// Whether longs were reduced.
    pub longs: bool,
    /// The price at which they were.
    pub price: u64,
    /// The mark at which they were ranked.
    pub mark: u64,
    /// What they gave up per lot against that mark, in atoms; negative when the price was better than the mark.
    pub haircut: i64,
    /// What insurance paid per lot, in atoms.
    pub insured_per_lot: u64,
    /// Lots of the side before.
    pub open_interest: u64,
    /// Lots that belonged to nobody and went first.
    pub dust: u64,
    /// Whether cells in profit were not enough, and the rest was spread over all.
    pub exhausted: bool,
    /// The number of the deleveraging in its market.
    pub sequence: u64,
    /// The cells, in the order in which they were reduced.
    pub cells: Vec<ReducedInfo>,
}

/// A cell that was reduced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct ReducedInfo {
    /// Its row.
    pub row: u16,
    /// Its column.
    pub column: u8,
    /// Lowest entry price of the row.
    pub entry_low: u64,
    /// Highest entry price of the row.
    pub entry_high: u64,
    /// Its score in units of 2^-20; 0 when it was taken pro rata, nothing when the event does not say enough.
    pub score: Option<u64>,
    /// Lots taken before it.
    pub ahead: u64,
    /// Lots taken from it.
    pub lots: u64,
    /// What part of it was taken, in millionths.
    pub taken_ppm: Option<u32>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct LineInfo {
    /// Which, as `ballast_client::why::What` names it: `equity`, `positionMaintenance`, …
    pub what: String,
    /// As logged.
    pub logged: i64,
    /// As computed anew.
    pub computed: Option<i64>,
    /// `same`, `within`, `differs` or `unknown`.
    pub verdict: String,
}

/// A forced reduction among what the program recorded in a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct ForcedInfo {
    /// Its number among all that the program recorded in the transaction.
    pub index: u32,
    /// `liquidation`, `takeover` or `deleveraging`.
    pub kind: String,
    /// The market's index.
    pub market: u16,
    /// The account that was short of margin.
    pub account: String,
    /// Whether its position was long.
    pub long: bool,
    /// Lots closed.
    pub lots: u64,
    /// Their value, in atoms.
    pub quote: u64,
    /// Paid by insurance, in atoms.
    pub insurance_drawn: u64,
}

impl Desk {
    /// Explains the event number `index` of what the program recorded in a transaction; `alone` says that the transaction names
    /// no other market.
    pub(crate) fn why(&self, whole: &Whole, index: usize, alone: bool) -> Result<WhyInfo, Problem> {
        let missing = || Problem::local("Missing", "the transaction has no such forced reduction of this exchange");
        let told = self.told(whole)?;
        let told = told.iter().find(|told| told.numbers().contains(&index)).ok_or_else(missing)?;
        let index = index - told.first;
        let market = match told.events.get(index) {
            Some(Event::Liquidated(event)) => event.market,
            Some(Event::Deleveraged(event)) => event.market,
            _ => return Err(missing()),
        };
        let (_, market) = self.listed.get(&market).ok_or_else(missing)?;
        let explained = why::explain(&told.events, index, market, alone)?.ok_or_else(missing)?;
        let params = market.params.liquidation();
        Ok(WhyInfo {
            target_ratio_bps: params.target_ratio_bps,
            max_fraction_bps: params.max_fraction_bps,
            fee_bps: params.fee_bps,
            ..info(explained)
        })
    }

    /// The forced reductions of this exchange that the program recorded in a transaction.
    pub(crate) fn forced_in(&self, whole: &Whole) -> Result<Vec<ForcedInfo>, Problem> {
        Ok(self.told(whole)?.iter().flat_map(forced).collect())
    }
}

fn forced(told: &Told) -> impl Iterator<Item = ForcedInfo> + '_ {
    told.events.iter().enumerate().filter_map(|(at, event)| {
        let index = u32::try_from(told.first + at).ok()?;
        match event {
            // A call that only cancelled orders reduced nothing.
            Event::Liquidated(event) if event.lots > 0 => Some(ForcedInfo {
                index,
                kind: if why::is_takeover(&told.events, at) { "takeover" } else { "liquidation" }.to_owned(),
                market: event.market,
                account: event.account.to_string(),
                long: event.position > 0,
                lots: event.lots,
                quote: event.quote,
                insurance_drawn: event.insurance_drawn,
            }),
            Event::Deleveraged(event) => Some(ForcedInfo {
                index,
                kind: "deleveraging".to_owned(),
                market: event.market,
                account: event.account.to_string(),
                long: !event.longs_reduced,
                lots: event.lots,
                quote: event.price.saturating_mul(event.lots),
                insurance_drawn: event.insurance_drawn,
            }),
            _ => None,
        }
    })
}

fn info(explained: Explained) -> WhyInfo {
    match explained {
        Explained::Liquidated { event, taken_over, lines } => WhyInfo {
            kind: if taken_over { "takeover" } else { "liquidation" }.to_owned(),
            market: event.market,
            account: event.account.to_string(),
            credited: Some(event.credited.to_string()),
            position: event.position,
            lots: event.lots,
            quote: event.quote,
            mark: event.mark,
            equity: event.equity,
            maintenance: event.maintenance,
            bankruptcy_price: event.bankruptcy_price,
            collateral: Some(event.collateral),
            unsettled: Some(event.unsettled),
            basis: Some(event.basis),
            orders_cancelled: event.orders_cancelled,
            seconds: event.seconds,
            reward: event.reward,
            to_insurance: event.to_insurance,
            insurance_drawn: event.insurance_drawn,
            lines: lines.iter().map(line).collect(),
            ..WhyInfo::default()
        },
        Explained::Deleveraged { event, lines, cells } => {
            let taken: u64 = cells.iter().map(|cell| cell.lots).sum();
            let bankrupt = if event.longs_reduced { Side::Short } else { Side::Long };
            let insured_per_lot = event.insurance_drawn / event.lots.max(1);
            let price = deleverage_price(bankrupt, as_limit(event.bankruptcy_price), insured_per_lot);
            let lost = loss_per_lot(bankrupt, price, Price(event.mark));
            let gained = loss_per_lot(bankrupt, Price(event.mark), price);
            let cells = cells.into_iter().map(|cell| ReducedInfo {
                row: cell.row,
                column: cell.column,
                entry_low: cell.entry_low,
                entry_high: cell.entry_high,
                score: cell.score,
                ahead: cell.ahead,
                lots: cell.lots,
                taken_ppm: cell.taken_ppm,
            });
            WhyInfo {
                kind: "deleveraging".to_owned(),
                market: event.market,
                account: event.account.to_string(),
                position: event.position,
                lots: event.lots,
                quote: event.price.saturating_mul(event.lots),
                mark: event.assessed_mark,
                equity: event.equity,
                maintenance: event.maintenance,
                bankruptcy_price: event.bankruptcy_price,
                insurance_drawn: event.insurance_drawn,
                lines: lines.iter().map(line).collect(),
                ranking: Some(RankingInfo {
                    longs: event.longs_reduced,
                    price: event.price,
                    mark: event.mark,
                    haircut: i64::try_from(lost).unwrap_or(i64::MAX) - i64::try_from(gained).unwrap_or(i64::MAX),
                    insured_per_lot,
                    open_interest: event.open_interest,
                    dust: event.lots.saturating_sub(taken),
                    exhausted: event.in_profit_exhausted,
                    sequence: event.sequence,
                    cells: cells.collect(),
                }),
                ..WhyInfo::default()
            }
        }
    }
}

fn line(line: &why::Line) -> LineInfo {
    let name = |name: String| {
        let mut letters = name.chars();
        letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
    };
    LineInfo {
        what: name(format!("{:?}", line.what)),
        logged: line.logged,
        computed: line.computed,
        verdict: name(format!("{:?}", line.verdict)),
    }
}
