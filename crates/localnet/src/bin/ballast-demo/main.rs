//! A network to look at and to try the app on: the embedded node with an exchange, prices that move, a market maker and traders;
//! if wanted with keepers, an indexer and the page. Runs at the wall's pace until it is interrupted.

mod gamblers;
mod life;
mod options;
mod prices;
mod services;
mod shocks;
mod tally;

use std::{
    io::{Write, stdout},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;
use ballast_localnet::{
    Pacer,
    market_config::ExchangeConfig,
    stage::{Stage, StageOptions},
};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use life::Life;
use options::{Options, Source};
use prices::Prices;
use services::Services;
use tally::Tally;

/// Seconds between two lines about what is going on.
const TELL_EVERY: i64 = 10;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ballast-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let interrupted = on_interrupt()?;
    let config = ExchangeConfig::load(&options.config)?;
    let node = StageOptions {
        program: options.program.clone(),
        rpc_port: options.rpc_port,
        ws_port: options.ws_port,
        genesis_time: None,
    };
    let stage = Stage::set(config, node)?;
    let symbols: Vec<_> = stage.deployment.markets.iter().map(|market| market.symbol.clone()).collect();
    let names: Vec<_> = symbols.iter().map(String::as_str).collect();
    let prices = match options.prices {
        Source::Calm => Prices::calm(&names, options.seed)?,
        Source::Crash => Prices::crash(&names, &options.data)?,
    };
    let tally = Tally::start(&stage.localnet)?;
    let mut life = Life::begin(&stage, prices, options.prices == Source::Crash, options.seed)?;
    let mut services = Services::start(&stage, options)?;
    tell_facts(&stage, &services)?;

    let shocks = shocks::listen(symbols);
    let mut pacer = Pacer::new(stage.localnet.clock().clone(), 1.0)?;
    while !interrupted.load(Ordering::Relaxed) {
        let second = stage.localnet.clock().now().unix_s() + 1;
        pacer.run_until(second)?;
        for shock in shocks.try_iter() {
            life.prices_mut().shock(shock.market, shock.percent);
        }
        life.second()?;
        if second % TELL_EVERY == 0 {
            eprintln!("{}", tally.line(&stage.deployment, &life.prices_mut().posted()));
            services.check()?;
        }
    }
    eprintln!("ballast-demo: stopping");
    services.stop()?;
    drop((life, tally));
    Ok(stage.localnet.stop()?)
}

/// One line of JSON on standard output, for programs; and a sentence for people.
fn tell_facts(stage: &Stage, services: &Services) -> Result<()> {
    let (rpc, ws) = (stage.localnet.rpc_url(), stage.localnet.ws_url());
    let served = services.served();
    let indexer = served.indexer.as_ref().map(|url| format!("&indexer={url}")).unwrap_or_default();
    let page = served.page.as_ref().map(|page| format!("{page}?rpc={rpc}&ws={ws}{indexer}"));
    let facts = serde_json::json!({
        "rpc": rpc,
        "ws": ws,
        "exchange": stage.deployment.keys.exchange.to_string(),
        "mint": stage.faucet.mint().to_string(),
        "keepers": served.keepers,
        "indexer": served.indexer,
        "page": page,
    });
    println!("{facts}");
    stdout().flush()?;
    match page {
        Some(page) => eprintln!("\nThe exchange is up. Open {page}\n"),
        None => eprintln!("The network is up. Open the app with ?rpc={rpc}&ws={ws}{indexer}"),
    }
    Ok(())
}

/// Becomes true when the process is asked to end, by a person or by whatever started it.
fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut terminate = {
        let _inside = runtime.enter();
        signal(SignalKind::terminate())?
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            seen.store(true, Ordering::Relaxed);
        });
    })?;
    Ok(flag)
}
