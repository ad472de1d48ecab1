//! How long an indexer takes that starts late. Prints figures for docs/measurements.md:
//! `cargo test --workspace --test localnet -- --ignored --nocapture from_nothing`.

use std::time::Instant;

use ballast_client::instructions::{self, limit_order, market_order};
use ballast_localnet::{bulk::Job, testing::atoms_per_lot};
use ballast_units::{Lots, Side};
use solana_commitment_config::CommitmentConfig;
use solana_signer::Signer;

use crate::{
    indexer::{Indexer, rebuild, tables},
    world::{Trader, World},
};

/// Rounds in which each trader sends one transaction.
const ROUNDS: usize = 300;
/// Traders on each side.
const PAIRS: usize = 10;

/// One order by each.
fn orders(world: &World, traders: &[Trader], order: &ballast_client::ballast::OrderArgs) {
    let market = &world.deployment.markets[0].keys;
    let jobs = traders.iter().map(|trader| Job {
        what: "an order".to_string(),
        instructions: vec![instructions::place_order(&trader.key.pubkey(), &trader.margin, market, order.clone(), &[])],
        signers: vec![&trader.key],
    });
    world.bulk.run_all(&jobs.collect::<Vec<_>>()).unwrap();
}

#[test]
#[ignore = "measures for minutes"]
fn from_nothing() {
    let world = World::found();
    let crowd = || (0..PAIRS).map(|_| world.trader(5_000)).collect::<Vec<_>>();
    let (some, others) = (crowd(), crowd());
    for round in 0..ROUNDS {
        // Prices grow too old for orders otherwise.
        if round.is_multiple_of(5) {
            world.price(10_000);
        }
        let (makers, takers) = if round.is_multiple_of(2) { (&some, &others) } else { (&others, &some) };
        orders(&world, makers, &limit_order(Side::Short, atoms_per_lot(10_000), Lots(1_000)));
        orders(&world, takers, &market_order(Side::Long, atoms_per_lot(10_000), Lots(1_000)));
    }
    let end = world.slot();
    let finalized = || world.localnet.rpc().get_slot_with_commitment(CommitmentConfig::finalized()).unwrap();
    world.wait("all is final", || (finalized() > end).then_some(()));

    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("late.db").display());
    let began = Instant::now();
    let indexer = Indexer::start(&world, &database, &folder.path().join("log"));
    indexer.until_final(end);
    let seconds = began.elapsed().as_secs_f64();
    indexer.stop();
    let all = tables(&database);
    let (transactions, events) = (all["transactions"].len(), all["events"].len());
    println!("from nothing: {transactions} transactions, {events} events in {seconds:.1} s");
    let began = Instant::now();
    rebuild(&database);
    println!("the command `rebuild`: {:.1} s", began.elapsed().as_secs_f64());
}
