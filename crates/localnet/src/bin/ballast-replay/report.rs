//! What happened, in figures: as text, and as JSON with the same content.

use std::{collections::BTreeMap, fmt, time::Duration};

use ballast_client::{
    audit::AuditReport,
    events::{Event, cells},
};
use ballast_localnet::keepers::Action;
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{options::Options, protection::ProtectionReport, record::Sample};

/// Upper ends of the rank bands, in parts of the reduced side's open interest that were ahead.
const BANDS: [(f64, &str); 5] =
    [(0.01, "first 1 %"), (0.05, "1-5 %"), (0.20, "5-20 %"), (0.50, "20-50 %"), (f64::INFINITY, "50 % and on")];
/// The stages of liquidation, by the number in the event.
const STAGES: [&str; 5] = ["healthy", "restricted", "partial", "takeover", "bankrupt"];

/// What the play hands over.
pub struct Outcome<'a> {
    pub options: &'a Options,
    pub markets: Vec<String>,
    pub samples: Vec<Vec<Sample>>,
    pub events: Vec<Event>,
    pub truncated: u64,
    pub actions: Vec<Action>,
    pub maker: Vec<Pubkey>,
    pub refused: Vec<String>,
    pub protection: Vec<ProtectionReport>,
    pub traders: usize,
    pub positions: usize,
    pub audit: AuditReport,
    pub resolved: bool,
    pub took: Duration,
}

/// The report.
#[derive(Serialize)]
pub struct Report {
    pub traders: usize,
    pub positions: usize,
    pub seed: u64,
    pub speed: f64,
    pub keepers_of_each_role: u32,
    pub keepers_were_killed: bool,
    pub seconds: f64,
    pub entries_refused: BTreeMap<String, u64>,
    pub logs_truncated: u64,
    pub resolved: bool,
    pub audit: AuditReport,
    pub reactions: BTreeMap<String, Reaction>,
    pub protection: Vec<ProtectionReport>,
    pub markets: Vec<MarketReport>,
}

/// One market.
#[derive(Default, Serialize)]
pub struct MarketReport {
    pub symbol: String,
    pub lowest_usd: f64,
    pub trades: u64,
    pub traded_quote: u64,
    pub stages: BTreeMap<String, StageReport>,
    pub orders_cancelled: u64,
    pub insurance_drawn: u64,
    pub insurance_fees: u64,
    pub bad_debt_covered: u64,
    pub bad_debt_left: u64,
    pub deleveragings: u64,
    pub deleveraged_lots: u64,
    pub deleveraged_quote: u64,
    pub deleveraged_cells: u64,
    pub deleveraged_beyond_profit: u64,
    pub members_settled: u64,
    pub makers_share_of_settled_lots: f64,
    pub haircuts: Vec<BandReport>,
    pub samples: Vec<Sample>,
}

/// Liquidations of one stage, on the book and by takeover.
#[derive(Default, Serialize)]
pub struct StageReport {
    pub calls: u64,
    pub reductions: u64,
    pub lots: u64,
    pub quote: u64,
    pub reward: u64,
}

/// Deleveraged positions of one rank band.
#[derive(Default, Serialize)]
pub struct BandReport {
    pub band: String,
    pub lots: u64,
    pub value_at_mark: u64,
    pub haircut: u64,
}

/// How fast keepers were.
#[derive(Default, Serialize)]
pub struct Reaction {
    pub actions: usize,
    pub median_slots: u64,
    pub p95_slots: u64,
    pub max_slots: u64,
}

impl Report {
    pub fn new(outcome: Outcome) -> Self {
        let mut markets: Vec<_> = outcome
            .markets
            .iter()
            .zip(outcome.samples)
            .map(|(symbol, samples)| MarketReport {
                symbol: symbol.clone(),
                lowest_usd: samples.iter().map(|sample| sample.price_usd).fold(f64::INFINITY, f64::min),
                haircuts: BANDS.map(|(_, band)| BandReport { band: band.to_owned(), ..BandReport::default() }).into(),
                samples,
                ..MarketReport::default()
            })
            .collect();
        let mut makers = vec![(0u64, 0u64); markets.len()];
        for event in &outcome.events {
            tell(event, &mut markets, &outcome.maker, &mut makers);
        }
        for (market, (makers, all)) in markets.iter_mut().zip(makers) {
            market.makers_share_of_settled_lots = makers as f64 / all.max(1) as f64;
        }
        let mut entries_refused = BTreeMap::new();
        for reason in outcome.refused {
            *entries_refused.entry(reason).or_default() += 1;
        }
        Report {
            traders: outcome.traders,
            positions: outcome.positions,
            seed: outcome.options.seed,
            speed: outcome.options.speed,
            keepers_of_each_role: outcome.options.keepers,
            keepers_were_killed: outcome.options.kill_keepers,
            seconds: outcome.took.as_secs_f64(),
            entries_refused,
            logs_truncated: outcome.truncated,
            resolved: outcome.resolved,
            audit: outcome.audit,
            reactions: reactions(&outcome.actions),
            protection: outcome.protection,
            markets,
        }
    }

    /// Whether no money was created or lost and every account was resolved.
    pub fn passed(&self) -> bool {
        self.audit.is_clean() && self.resolved
    }
}

/// Enters one event into the figures.
fn tell(event: &Event, markets: &mut [MarketReport], maker: &[Pubkey], makers: &mut [(u64, u64)]) {
    match event {
        Event::Traded(trade) => {
            let market = &mut markets[usize::from(trade.market)];
            market.trades += u64::from(!trade.fills.is_empty());
            market.traded_quote += trade.fills.iter().map(|fill| fill.price * fill.lots).sum::<u64>();
        }
        Event::Liquidated(done) => {
            let market = &mut markets[usize::from(done.market)];
            market.orders_cancelled += u64::from(done.orders_cancelled);
            market.insurance_drawn += done.insurance_drawn;
            market.insurance_fees += done.to_insurance;
            let name = STAGES.get(usize::from(done.stage)).unwrap_or(&"unknown");
            let stage = market.stages.entry((*name).to_owned()).or_default();
            stage.calls += 1;
            stage.reductions += u64::from(done.lots > 0);
            stage.lots += done.lots;
            stage.quote += done.quote;
            stage.reward += done.reward;
        }
        Event::Deleveraged(done) => {
            let market = &mut markets[usize::from(done.market)];
            market.deleveragings += 1;
            market.insurance_drawn += done.insurance_drawn;
            market.deleveraged_lots += done.lots;
            market.deleveraged_quote += done.lots * done.price;
            market.deleveraged_beyond_profit += u64::from(done.in_profit_exhausted);
            let mut ahead = 0u64;
            for cell in cells(done) {
                market.deleveraged_cells += 1;
                let share = ahead as f64 / done.open_interest.max(1) as f64;
                let band = BANDS.iter().position(|(end, _)| share < *end).unwrap_or(BANDS.len() - 1);
                let band = &mut market.haircuts[band];
                band.lots += cell.lots;
                band.value_at_mark += cell.lots * done.mark;
                band.haircut += cell.lots * done.mark.abs_diff(done.price);
                ahead += cell.lots;
            }
        }
        Event::PositionChanged(change) if change.cause == ballast::events::Cause::Deleveraged => {
            let index = usize::from(change.market);
            markets[index].members_settled += 1;
            makers[index].1 += change.base.unsigned_abs();
            if maker.contains(&change.account) {
                makers[index].0 += change.base.unsigned_abs();
            }
        }
        Event::BadDebtCovered(done) => {
            let market = &mut markets[usize::from(done.market)];
            market.bad_debt_covered += done.paid;
            market.bad_debt_left += done.left;
        }
        _ => {}
    }
}

fn reactions(actions: &[Action]) -> BTreeMap<String, Reaction> {
    let mut slots: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for action in actions {
        slots.entry(action.kind.clone()).or_default().push(action.slots);
    }
    let summary = |(kind, mut slots): (String, Vec<u64>)| {
        slots.sort_unstable();
        let at = |percent: usize| slots[(slots.len() - 1) * percent / 100];
        let reaction = Reaction { actions: slots.len(), median_slots: at(50), p95_slots: at(95), max_slots: at(100) };
        (kind, reaction)
    };
    slots.into_iter().map(summary).collect()
}

/// Atoms as dollars.
fn usd(atoms: u64) -> String {
    let dollars = (atoms / 1_000_000).to_string();
    let mut text = String::new();
    for (at, digit) in dollars.char_indices() {
        if at > 0 && (dollars.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("${text}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        writeln!(
            f,
            "{} traders, {} positions, seed {}, speed {}, {} keepers of each role{}, {:.0} s",
            self.traders,
            self.positions,
            self.seed,
            self.speed,
            self.keepers_of_each_role,
            if self.keepers_were_killed { " (all killed in the middle)" } else { "" },
            self.seconds,
        )?;
        for (reason, count) in &self.entries_refused {
            writeln!(f, "  {count} entries refused: {reason}")?;
        }
        for market in &self.markets {
            write!(f, "{market}")?;
        }
        writeln!(f, "\nkeepers: slots of 400 ms from the update that made an action due to the block it landed in")?;
        for (kind, reaction) in &self.reactions {
            writeln!(
                f,
                "  {kind:<16} {:>6} actions   median {:>3}   95 % {:>3}   most {:>4}",
                reaction.actions, reaction.median_slots, reaction.p95_slots, reaction.max_slots
            )?;
        }
        if !self.protection.is_empty() {
            writeln!(f, "\nprotection: traders beside twins who do the same without it")?;
        }
        for kind in &self.protection {
            write!(f, "{kind}")?;
        }
        writeln!(f, "\n{}", self.audit)?;
        let resolved = if self.resolved { "every account was resolved" } else { "some accounts are NOT resolved" };
        let audit = if self.audit.is_clean() { "the audit is clean" } else { "the audit found VIOLATIONS" };
        writeln!(f, "{resolved}; {audit}")
    }
}

impl fmt::Display for ProtectionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = |equity: u64| 100.0 * equity as f64 / self.deposits.max(1) as f64;
        writeln!(
            f,
            "  {:<9} {:>3} pairs, {:>3} executed   liquidated {:>3}, their twins {:>3}   left {:>5.1} % of {}, their twins {:>5.1} %",
            format!("{:?}", self.kind).to_lowercase(),
            self.pairs,
            self.executed,
            self.protected_liquidated,
            self.unprotected_liquidated,
            left(self.protected_equity),
            usd(self.deposits),
            left(self.unprotected_equity),
        )
    }
}

impl fmt::Display for MarketReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}: lowest ${:.2}", self.symbol, self.lowest_usd)?;
        writeln!(f, "  trades               {:>8}  worth {}", self.trades, usd(self.traded_quote))?;
        for (stage, done) in &self.stages {
            writeln!(
                f,
                "  stage {stage:<10}     {:>8}  of {} calls, {} lots worth {}, callers earned {}",
                done.reductions,
                done.calls,
                done.lots,
                usd(done.quote),
                usd(done.reward)
            )?;
        }
        writeln!(f, "  orders cancelled     {:>8}", self.orders_cancelled)?;
        writeln!(
            f,
            "  insurance            drawn {}, bad debt covered {}, fees received {}",
            usd(self.insurance_drawn),
            usd(self.bad_debt_covered),
            usd(self.insurance_fees)
        )?;
        writeln!(
            f,
            "  deleveraged          {:>8}  times, {} lots worth {}, from {} cells; {} times beyond those in profit",
            self.deleveragings,
            self.deleveraged_lots,
            usd(self.deleveraged_quote),
            self.deleveraged_cells,
            self.deleveraged_beyond_profit
        )?;
        if self.deleveragings == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "  members settled      {:>8}  so far, {:.0} % of their lots the market maker's",
            self.members_settled,
            100.0 * self.makers_share_of_settled_lots
        )?;
        writeln!(f, "  haircut by rank (share of the side's open interest ahead):")?;
        for band in self.haircuts.iter().filter(|band| band.lots > 0) {
            let bps = u128::from(band.haircut) * 10_000 / u128::from(band.value_at_mark.max(1));
            writeln!(
                f,
                "    {:<12} {:>12} lots worth {:>14}, haircut {:>12} ({bps} bps)",
                band.band,
                band.lots,
                usd(band.value_at_mark),
                usd(band.haircut)
            )?;
        }
        Ok(())
    }
}
