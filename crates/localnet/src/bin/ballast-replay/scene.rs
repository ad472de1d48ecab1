//! The play: stage, entries, the recording second by second, the end, the audit.

use std::{
    path::PathBuf,
    sync::LazyLock,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use ballast_client::{audit::audit, rpc};
use ballast_localnet::{
    Pacer,
    exchange::post_prices,
    keepers::Keepers,
    maker::Maker,
    market_config::ExchangeConfig,
    prices::{PricePath, PriceTape},
    stage::{Stage, StageOptions},
};
use ballast_risk::liquidation::Step;
use solana_commitment_config::CommitmentConfig;

use crate::{
    crowd::{self, ENTRY_STEPS, Trader},
    options::Options,
    plot, protection,
    protection::Twin,
    record,
    record::{Record, Sample},
    report::{Outcome, Report},
};

/// 10 October 2025, 20:55 and 21:35 UTC.
const STANDARD_WINDOW: (i64, i64) = (1_760_129_700, 1_760_132_100);
/// Recorded seconds between two entry prices.
const ENTRY_SECONDS: i64 = 60;
/// Confidence of the posted prices, in basis points: the recordings have none, and Pyth's is a few.
const CONFIDENCE_BPS: u64 = 5;
/// Seconds between the maker's quotes.
const QUOTE_EVERY: i64 = 4;
/// Seconds between samples.
const SAMPLE_EVERY: i64 = 5;
/// Depth that the maker quotes on each side of a calm market, in atoms.
const DEPTH: u64 = 400_000_000_000;
/// How much deeper it quotes while traders enter.
const ENTRY_DEPTH: u64 = 10;
/// Chain seconds after the last price in which the keepers may finish.
const LAST_SECONDS: i64 = 400;
/// For how long there is no keeper when all are killed, in recorded seconds.
const BLACKOUT: i64 = 120;

/// Plays it all. Returns whether the audit is clean and every account resolved.
pub fn play(options: &Options) -> Result<bool> {
    let started = Instant::now();
    let (stage, recording) = set_stage(options)?;
    let mut play = Play::new(stage, recording, options)?;
    play.enter(options.seed)?;
    play.protect()?;
    play.replay(options)?;
    let resolved = play.wait_for_keepers()?;
    play.keepers.stop()?;
    play.stage.localnet.clock().produce_block()?;
    let report = play.report(options, resolved, started.elapsed())?;
    print!("{report}");
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("write {}", path.display()))?;
        println!("report: {}", path.display());
    }
    plot::draw(&options.plot, &report)?;
    println!("plot: {}", options.plot.display());
    Ok(report.passed())
}

/// Node and exchange, and what will be played.
fn set_stage(options: &Options) -> Result<(Stage, Recording)> {
    let mut config = ExchangeConfig::load(&options.config)?;
    let recordings = recordings(options, &mut config)?;
    let tape = PriceTape::new(recordings.iter().map(PricePath::load).collect::<Result<_, _>>()?)?;
    let standard = options.prices.is_empty();
    let window = if standard { STANDARD_WINDOW } else { (tape.start(), tape.end()) };
    let (from, to) = (options.from.unwrap_or(window.0), options.to.unwrap_or(window.1));
    ensure!(
        from >= tape.start() && to <= tape.end() && from < to,
        "the recordings reach from {} to {}; cannot play {from} to {to}",
        tape.start(),
        tape.end()
    );
    step(&format!("starting the node and founding an exchange with {} markets", config.markets.len()));
    let genesis = from - i64::try_from(ENTRY_STEPS)? * ENTRY_SECONDS - 60;
    let node = StageOptions {
        program: options.program.clone(),
        rpc_port: options.rpc_port,
        ws_port: options.ws_port,
        genesis_time: Some(genesis),
    };
    Ok((Stage::set(config, node)?, Recording { tape, from, to }))
}

/// The recorded prices, and which seconds of them are played.
struct Recording {
    tape: PriceTape,
    from: i64,
    to: i64,
}

impl Recording {
    fn at(&self, unix_s: i64) -> Result<Vec<i64>> {
        self.tape.at(unix_s).with_context(|| format!("no price at {unix_s}"))
    }
}

/// The recording of each market; a configuration's market without one is left out.
fn recordings(options: &Options, config: &mut ExchangeConfig) -> Result<Vec<PathBuf>> {
    if options.prices.is_empty() {
        return Ok(config.markets.iter().map(|market| options.data.join(format!("{}.csv", market.symbol))).collect());
    }
    for (name, _) in &options.prices {
        let known: Vec<_> = config.markets.iter().map(|market| market.symbol.as_str()).collect();
        ensure!(known.contains(&name.as_str()), "no market {name} in the configuration, only {}", known.join(", "));
    }
    let file = |symbol: &str| options.prices.iter().find(|(name, _)| name == symbol).map(|(_, file)| file.clone());
    config.markets.retain(|market| file(&market.symbol).is_some());
    Ok(config.markets.iter().filter_map(|market| file(&market.symbol)).collect())
}

/// Everything on the stage.
struct Play {
    stage: Stage,
    recording: Recording,
    traders: Vec<Trader>,
    twins: Vec<Twin>,
    maker: Maker,
    keepers: Keepers,
    record: Record,
    samples: Vec<Vec<Sample>>,
    /// Entries that the program refused, with its reason.
    refused: Vec<String>,
}

impl Play {
    fn new(stage: Stage, recording: Recording, options: &Options) -> Result<Self> {
        step(&format!("opening accounts for {} traders and a market maker", options.traders));
        let (traders, twins) = crowd::draw(options.traders, options.protected, options.seed, &stage.deployment)?;
        crowd::open_accounts(&traders, &stage.deployment, &stage.faucet, &stage.bulk)?;
        let maker = Maker::open(&stage.deployment, &stage.faucet, &stage.bulk, DEPTH)?;
        let binary = match &options.keeper {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("ballast-keeper"),
        };
        let exchange = stage.deployment.keys.exchange;
        let keepers = Keepers::new(&binary, &options.logs, &stage.localnet, exchange)?;
        let record = Record::start(stage.localnet.ws_url())?;
        let samples = vec![Vec::new(); stage.deployment.markets.len()];
        let mut play = Play { stage, recording, traders, twins, maker, keepers, record, samples, refused: Vec::new() };
        for _ in 0..options.keepers {
            play.keepers.start_set(&play.stage.faucet)?;
        }
        Ok(play)
    }

    /// Lets the traders enter at the steps of a random walk that ends at the recording's first price.
    fn enter(&mut self, seed: u64) -> Result<()> {
        let last = self.recording.at(self.recording.from)?;
        let paths: Vec<_> =
            (0u64..).zip(&last).map(|(market, price)| crowd::entry_path(*price, seed ^ (market + 1))).collect();
        let begin = self.recording.from - i64::try_from(ENTRY_STEPS)? * ENTRY_SECONDS;
        for (number, at) in (0..ENTRY_STEPS).zip((begin..).step_by(usize::try_from(ENTRY_SECONDS)?)) {
            let prices: Vec<_> = paths.iter().map(|path| path[number]).collect();
            self.walk_to(at, &prices)?;
            self.quote_for_entries(&prices, number == 0)?;
            let entered = self.enter_at(number, &prices)?;
            step(&format!("entries {:>2}/{ENTRY_STEPS}: {entered} positions opened", number + 1));
        }
        self.maker.forget();
        Ok(())
    }

    /// Moves the mark to the prices in a few ticks, as far as its cap allows.
    fn walk_to(&self, at: i64, prices: &[i64]) -> Result<()> {
        for second in 0..4 {
            self.stage.localnet.clock().jump_to(at + second * 10)?;
            self.post(prices)?;
            self.stage.localnet.clock().produce_block()?;
        }
        Ok(())
    }

    fn post(&self, prices: &[i64]) -> Result<()> {
        let stage = &self.stage;
        let payer = self.maker.key();
        post_prices(&stage.localnet, &stage.bulk, &stage.deployment, payer, prices, CONFIDENCE_BPS)?;
        Ok(())
    }

    fn quote_for_entries(&self, prices: &[i64], first: bool) -> Result<()> {
        let stage = &self.stage;
        let mut jobs = Vec::new();
        for (market, price) in prices.iter().enumerate() {
            let params = &stage.config.markets[market].params;
            let mark = stage.deployment.markets[market].price_per_lot(*price);
            if first {
                stage.bulk.run_all(&[self.maker.first_quote(&stage.deployment, market, params, mark)])?;
            }
            jobs.push(self.maker.requote(&stage.deployment, market, params, mark, ENTRY_DEPTH));
        }
        stage.bulk.run_all(&jobs)?;
        Ok(())
    }

    fn enter_at(&mut self, number: usize, prices: &[i64]) -> Result<usize> {
        let mut entered = 0;
        // A trader's second position in the same step waits for the next round: the first is then among its others.
        for round in 0..4 {
            let mut jobs = Vec::new();
            let mut who = Vec::new();
            for (index, trader) in self.traders.iter().enumerate() {
                let due = trader.plans.iter().filter(|plan| plan.step == number).nth(round);
                let Some(plan) = due else { continue };
                let params = &self.stage.config.markets[plan.market].params;
                let price = prices[plan.market];
                if let Some(job) = crowd::entry(trader, plan, &self.stage.deployment, params, price) {
                    who.push((index, plan.market));
                    jobs.push(job);
                }
            }
            let failures = self.stage.bulk.run(&jobs)?;
            drop(jobs);
            for (number, (trader, market)) in who.into_iter().enumerate() {
                match failures.iter().find(|failure| failure.number == number) {
                    Some(failure) => self.refused.push(failure.why.clone()),
                    None => {
                        self.traders[trader].entered.push(market);
                        entered += 1;
                    }
                }
            }
        }
        Ok(entered)
    }

    /// Lets those protect themselves who want to.
    fn protect(&mut self) -> Result<()> {
        let (snapshot, _) = self.state()?;
        let jobs = protection::protect(&self.twins, &self.traders, &self.stage.deployment, &snapshot)?;
        let failures = self.stage.bulk.run(&jobs)?;
        step(&format!("{} traders protect their positions", jobs.len() - failures.len()));
        self.refused.extend(failures.into_iter().map(|failure| format!("protection: {}", failure.why)));
        Ok(())
    }

    /// The recording, second by second.
    fn replay(&mut self, options: &Options) -> Result<()> {
        let (from, to) = (self.recording.from, self.recording.to);
        let middle = from + (to - from) / 2;
        let mut pacer = Pacer::new(self.stage.localnet.clock().clone(), options.speed)?;
        for now in from..=to {
            pacer.run_until(now)?;
            let prices = self.recording.at(now)?;
            self.second(now, &prices)?;
            if options.kill_keepers && now == middle {
                self.keepers.kill()?;
                step("killed every keeper");
            }
            if options.kill_keepers && now == middle + BLACKOUT {
                self.keepers.start_set(&self.stage.faucet)?;
                step("started one keeper of each role");
            }
            if (now - from) % 120 == 0 {
                self.keepers.check()?;
                self.progress(now, &prices)?;
            }
        }
        Ok(())
    }

    /// One second: prices, quotes, samples.
    fn second(&mut self, now: i64, prices: &[i64]) -> Result<()> {
        self.maker.observe(prices);
        self.post(prices)?;
        let stage = &self.stage;
        for (market, price) in prices.iter().enumerate() {
            let turn = i64::try_from(market)? % QUOTE_EVERY;
            if now % QUOTE_EVERY == turn {
                let params = &stage.config.markets[market].params;
                let mark = stage.deployment.markets[market].price_per_lot(*price);
                stage.bulk.send(&self.maker.requote(&stage.deployment, market, params, mark, 1))?;
            }
            if now % SAMPLE_EVERY == 0 {
                let sample = record::sample(&stage.localnet, &stage.deployment, market, now, *price)?;
                self.samples[market].push(sample);
            }
        }
        Ok(())
    }

    fn progress(&self, now: i64, prices: &[i64]) -> Result<()> {
        let stage = &self.stage;
        let mut line = format!("{} of {} s", now - self.recording.from, self.recording.to - self.recording.from);
        for (market, price) in stage.deployment.markets.iter().zip(prices) {
            line += &format!("  {} {:.2}", market.symbol, *price as f64 / 1e8);
        }
        let deleveraged: u64 = self.samples.iter().flat_map(|of| of.last()).map(|last| last.deleveraged_lots).sum();
        line += &format!("  events {}  lots deleveraged {deleveraged}", self.record.count());
        step(&line);
        Ok(())
    }

    /// Goes on with the last prices until nothing is due any more. Returns whether that happened.
    fn wait_for_keepers(&mut self) -> Result<bool> {
        step("the recording has ended; the keepers finish");
        let last = self.recording.at(self.recording.to)?;
        let mut pacer = Pacer::new(self.stage.localnet.clock().clone(), 10.0)?;
        let begin = self.recording.to + 1;
        for now in begin..begin + LAST_SECONDS {
            pacer.run_until(now)?;
            self.second(now, &last)?;
            if now % 20 == 0 && self.nothing_due()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether no account is below maintenance margin or bankrupt, and no fill of a trader waits.
    fn nothing_due(&self) -> Result<bool> {
        let (snapshot, _) = self.state()?;
        let view = snapshot.view()?;
        let mut due = 0;
        for (key, _) in snapshot.accounts() {
            if view.due(key, snapshot.moment.unix_time)?.step != Step::None {
                due += 1;
            }
        }
        if due > 0 {
            step(&format!("{due} accounts are still to be resolved"));
        }
        Ok(due == 0)
    }

    fn state(&self) -> Result<(ballast_client::snapshot::Snapshot, ballast_client::audit::Vaults)> {
        let rpc = solana_rpc_client::nonblocking::rpc_client::RpcClient::new(self.stage.localnet.rpc_url().to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exchange = self.stage.deployment.keys.exchange;
        Ok(runtime.block_on(rpc::state(&rpc, &exchange, CommitmentConfig::processed()))?)
    }

    fn report(self, options: &Options, resolved: bool, took: Duration) -> Result<Report> {
        step("auditing the chain");
        let (snapshot, vaults) = self.state()?;
        let audit = audit(&snapshot, &vaults);
        let actions = self.keepers.actions()?;
        let maker: Vec<_> = self.maker.accounts().to_vec();
        let (events, truncated) = self.record.finish();
        let markets = self.stage.deployment.markets.iter().map(|market| market.symbol.clone()).collect();
        let protection = protection::compare(&self.twins, &self.traders, &snapshot, &events)?;
        let report = Report::new(Outcome {
            options,
            markets,
            samples: self.samples,
            events,
            truncated,
            actions,
            maker,
            refused: self.refused,
            protection,
            traders: self.traders.len(),
            positions: self.traders.iter().map(|trader| trader.entered.len()).sum(),
            audit,
            resolved,
            took,
        });
        self.stage.localnet.stop()?;
        Ok(report)
    }
}

/// When the first line of progress was written.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A line of progress.
fn step(text: &str) {
    eprintln!("replay [{:>5.1} s] {text}", BEGUN.elapsed().as_secs_f64());
}
