//! That a keeper is back at work after a kill and after a lost node, and that two of them waste little. How soon and how little, over
//! minutes, the ignored ones print for docs/measurements.md:
//! `cargo test --workspace --test localnet -- --ignored recovery --nocapture`.

use std::{
    thread,
    time::{Duration, Instant},
};

use ballast_units::Side;

use crate::{
    did, is_ready,
    keeper::Keeper,
    world::{Trader, World},
};

/// A market with a long that is due below $95.95, and bids for it.
fn scene() -> (World, Trader) {
    let world = World::found();
    let long = world.exposed_long(9_590);
    (world, long)
}

/// Seconds from now to the liquidation.
fn until_liquidated(world: &World, keeper: &Keeper, long: &Trader) -> f64 {
    let began = Instant::now();
    let key = long.margin.to_string();
    world.until(9_595, "the long is liquidated", || {
        keeper.actions().into_iter().find(|action| did(action, "liquidate", &key))
    });
    began.elapsed().as_secs_f64()
}

/// Keeps the price for so long.
fn meanwhile(world: &World, cents: u64, seconds: u64) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(seconds) {
        world.until(cents, "a price is posted", || Some(()));
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_keeper_that_was_killed_goes_on_from_what_is_on_chain() {
    let (world, long) = scene();
    let keeper = Keeper::start(&world, &["--roles", "liquidator"]);
    is_ready(&world, &keeper);
    keeper.kill();
    meanwhile(&world, 9_595, 2);
    keeper.restart();
    until_liquidated(&world, &keeper, &long);
    keeper.stop();
    world.audit();
}

#[test]
fn a_keeper_outlives_a_node_that_is_gone_for_seconds() {
    let (world, long) = scene();
    let (rpc, ws) = (world.rpc_link(), world.link());
    let keeper = Keeper::start_at(&world, &rpc.http_url(), &ws.url(), &["--roles", "liquidator"]);
    is_ready(&world, &keeper);
    // First over HTTP only: what is told over the WebSocket makes it try, and fail, and try again.
    rpc.cut();
    meanwhile(&world, 9_595, 3);
    assert!(keeper.actions().iter().all(|action| action["result"] != "confirmed"), "there was nobody to ask");
    ws.cut();
    meanwhile(&world, 9_595, 2);
    rpc.mend();
    ws.mend();
    until_liquidated(&world, &keeper, &long);
    keeper.stop();
    world.audit();
}

#[test]
fn two_keepers_do_each_work_once_and_waste_less_than_they_do() {
    let world = World::found();
    let maker = world.trader(1_000_000);
    let longs: Vec<_> = (0..6).map(|_| world.trader(300)).collect();
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 360_000);
    for long in &longs {
        world.take(long, Side::Long, 10_000, 60_000);
    }
    let keepers = [(); 2].map(|()| Keeper::start(&world, &["--roles", "liquidator"]));
    keepers.iter().for_each(|keeper| is_ready(&world, keeper));
    world.rest(&maker, Side::Long, 9_590, 360_000);
    let actions = || keepers.iter().flat_map(Keeper::actions).collect::<Vec<_>>();
    world.until(9_595, "all are liquidated", || {
        let all = actions();
        let done = |long: &Trader| all.iter().any(|action| did(action, "liquidate", &long.margin.to_string()));
        longs.iter().all(done).then_some(())
    });
    meanwhile(&world, 9_595, 2);
    let all = actions();
    let with = |result: &str| all.iter().filter(|action| action["result"] == result).count();
    assert!(with("failed") <= with("confirmed"), "{} failed, {} confirmed", with("failed"), with("confirmed"));
    // Each failure was paid for, and is counted as what it cost.
    for failed in all.iter().filter(|action| action["result"] == "failed") {
        assert!(failed["fee_lamports"].as_u64().is_some_and(|fee| fee >= 5_000), "{failed}");
    }
    keepers.iter().for_each(Keeper::stop);
    world.audit();
}

#[test]
#[ignore = "measures for two minutes"]
fn recovery() {
    let (world, long) = scene();
    let keeper = Keeper::start(&world, &["--roles", "liquidator"]);
    is_ready(&world, &keeper);
    let usual = until_liquidated(&world, &keeper, &long);
    println!("nothing wrong: liquidated {usual:.1} s after the price began to fall");
    keeper.stop();

    let (world, long) = scene();
    let keeper = Keeper::start(&world, &["--roles", "liquidator"]);
    is_ready(&world, &keeper);
    keeper.kill();
    meanwhile(&world, 9_595, 5);
    keeper.restart();
    println!("killed, started again: {:.1} s from the start", until_liquidated(&world, &keeper, &long));
    keeper.stop();

    let (world, long) = scene();
    let (rpc, ws) = (world.rpc_link(), world.link());
    let keeper = Keeper::start_at(&world, &rpc.http_url(), &ws.url(), &["--roles", "liquidator"]);
    is_ready(&world, &keeper);
    rpc.cut();
    ws.cut();
    meanwhile(&world, 9_595, 10);
    rpc.mend();
    ws.mend();
    println!("RPC and WebSocket lost for 10 s: {:.1} s from their return", until_liquidated(&world, &keeper, &long));
    keeper.stop();

    let (world, long) = scene();
    let (rpc, ws) = (world.rpc_link(), world.link());
    let keeper = Keeper::start_at(&world, &rpc.http_url(), &ws.url(), &["--roles", "liquidator"]);
    is_ready(&world, &keeper);
    rpc.hold(true);
    ws.hold(true);
    meanwhile(&world, 9_595, 60);
    assert!(keeper.asks("/health").contains("nothing is heard"), "a keeper says that it hears nothing");
    rpc.hold(false);
    ws.hold(false);
    println!("a minute's silence: {:.1} s from its end", until_liquidated(&world, &keeper, &long));
    keeper.stop();
}

/// Transactions of two crashes, each of twenty accounts, by several keepers of one role: what one would have sent, and what was
/// sent beside that. In the second one the keepers have met.
#[test]
#[ignore = "measures for minutes"]
fn waste() {
    for count in [1usize, 2, 4] {
        let world = World::found();
        let maker = world.trader(1_000_000);
        let crowd = |dollars| (0..20).map(|_| world.trader(dollars)).collect::<Vec<_>>();
        let crashes = [(crowd(300), 9_595), (crowd(420), 9_395)];
        world.price(10_000);
        world.rest(&maker, Side::Short, 10_000, 2_400_000);
        for long in crashes.iter().flat_map(|(longs, _)| longs) {
            world.take(long, Side::Long, 10_000, 60_000);
        }
        let start = || Keeper::start(&world, &["--roles", "liquidator"]);
        let keepers: Vec<_> = (0..count).map(|_| start()).collect();
        for keeper in &keepers {
            is_ready(&world, keeper);
        }
        let actions = || keepers.iter().flat_map(Keeper::actions).collect::<Vec<_>>();
        let mut before: Vec<usize> = vec![0; 3];
        for (number, (longs, cents)) in crashes.iter().enumerate() {
            world.cancel(&maker);
            world.rest(&maker, Side::Long, cents - 5, 1_200_000);
            let began = Instant::now();
            world.until(*cents, "all are liquidated", || {
                let all = actions();
                let done = |long: &Trader| all.iter().any(|action| did(action, "liquidate", &long.margin.to_string()));
                longs.iter().all(done).then_some(())
            });
            let seconds = began.elapsed().as_secs_f64();
            // What comes second is told a little later.
            meanwhile(&world, *cents, 4);
            let all = actions();
            let with = |result: &&str| all.iter().filter(|action| action["result"] == *result).count();
            let now: Vec<usize> = ["confirmed", "failed", "already_done"].iter().map(with).collect();
            let news: Vec<usize> = now.iter().zip(&before).map(|(now, before)| now - before).collect();
            println!(
                "{count} keepers, crash {}: {} confirmed, {} failed on chain, {} noticed before sending, {seconds:.1} s",
                number + 1,
                news[0],
                news[1],
                news[2],
            );
            before = now;
        }
        for keeper in &keepers {
            keeper.stop();
        }
        world.audit();
    }
}
