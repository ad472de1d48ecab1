//! A network to try the app on: the embedded node with an exchange, prices that move, a market maker, and traders who come
//! and go. Runs at the wall's pace until it is interrupted.

mod life;
mod options;

use std::process::ExitCode;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use ballast_client::addresses::PROGRAM_ID;
use ballast_localnet::{
    Blocks, Faucet, Localnet, LocalnetConfig, Pacer, ProgramFile, bulk::Bulk, exchange::found,
    market_config::ExchangeConfig,
};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use life::Life;
use options::Options;

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
    let config = ExchangeConfig::load(&options.config)?;
    let localnet = Localnet::start(LocalnetConfig {
        rpc_port: options.rpc_port,
        ws_port: options.ws_port,
        blocks: Blocks::Manual,
        programs: vec![ProgramFile { id: PROGRAM_ID, path: options.program.clone(), upgrade_authority: None }],
        ..LocalnetConfig::default()
    })?;
    let faucet = Faucet::connect(localnet.rpc_url())?;
    let bulk = Bulk::new(localnet.rpc_url(), localnet.clock().clone());
    let deployment = found(&localnet, &faucet, &bulk, &config)?;
    let mut life = Life::begin(&localnet, &faucet, &bulk, &deployment, &config, options.seed)?;

    let facts = serde_json::json!({
        "rpc": localnet.rpc_url(),
        "ws": localnet.ws_url(),
        "exchange": deployment.keys.exchange.to_string(),
        "mint": faucet.mint().to_string(),
    });
    // One line that programs read; people read the rest.
    println!("{facts}");
    eprintln!("The network is up. Open the app with ?rpc={}&ws={}", localnet.rpc_url(), localnet.ws_url());

    let interrupted = on_interrupt()?;
    let mut pacer = Pacer::new(localnet.clock().clone(), 1.0)?;
    while !interrupted.load(Ordering::Relaxed) {
        let second = localnet.clock().now().unix_s() + 1;
        pacer.run_until(second)?;
        life.second()?;
    }
    eprintln!("ballast-demo: stopping");
    Ok(localnet.stop()?)
}

/// Becomes true when the process is asked to end, by a person or by whatever started it.
fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            seen.store(true, Ordering::Relaxed);
        });
    })?;
    Ok(flag)
}
