//! Real keepers, as processes, on a local network: what they do to accounts in trouble, and that they do it once.

mod keeper;
mod world;

use ballast_units::Side;
use keeper::Keeper;
use serde_json::Value;
use world::World;

/// Waits, while prices stay, until a keeper's action fits.
fn until(world: &World, keepers: &[&Keeper], price: u64, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    world.until(price, what, || keepers.iter().flat_map(|keeper| keeper.actions()).find(|action| fits(action)))
}

fn did(action: &Value, kind: &str, account: &str) -> bool {
    action["kind"] == kind && action["account"] == account && action["result"] == "confirmed"
}

/// Lots that an action's transaction closed.
fn lots(action: &Value) -> u64 {
    let actual = action["actual"].as_str().unwrap_or_default();
    actual.strip_prefix("lots:").and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn two_keepers_settle_liquidate_take_over_and_deleverage() {
    let world = World::found();
    let maker = world.trader(1_000_000);
    let short = world.trader(5_000);
    let long = world.trader(300);
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 120_000);
    world.rest(&maker, Side::Long, 9_990, 60_000);
    world.take(&long, Side::Long, 10_000, 60_000);
    world.take(&short, Side::Short, 9_990, 30_000);

    let all = ["--roles", "liquidator,deleverager,settler", "--min-sweep", "0.01", "--seat-age-ms", "500"];
    let first = Keeper::start(&world, &[&all[..], &["--takeover", "--deposit", "20000"]].concat());
    let second = Keeper::start(&world, &all);
    let keepers = [&first, &second];

    // Fills wait in the maker's seat.
    let settled = until(&world, &keepers, 10_000, "the maker is settled", |action| {
        did(action, "settle_seat", &maker.margin.to_string())
    });
    assert_eq!((&settled["reason"], lots(&settled)), (&"pending_fills".into(), 30_000));

    // A little below maintenance margin: reduced on the book, by what restores it.
    world.cancel(&maker);
    world.rest(&maker, Side::Long, 9_590, 60_000);
    let liquidated = until(&world, &keepers, 9_595, "the long is liquidated", |action| {
        did(action, "liquidate", &long.margin.to_string())
    });
    assert_eq!((&liquidated["stage"], &liquidated["reason"]), (&"partial".into(), &"reduce".into()));
    assert!((1..60_000).contains(&lots(&liquidated)), "{liquidated}");
    assert_eq!(liquidated["as_expected"], true);

    // Far below it: a keeper takes over.
    world.cancel(&maker);
    until(&world, &[&first], 9_530, "the long is taken over", |action| {
        did(action, "takeover", &long.margin.to_string()) && lots(action) > 0
    });

    // Bankrupt at once, without insurance: closed against the shorts.
    world.price(10_000);
    let broke = world.trader(300);
    world.rest(&maker, Side::Short, 10_000, 60_000);
    world.take(&broke, Side::Long, 10_000, 60_000);
    until(&world, &keepers, 10_000, "the maker is settled again", |action| {
        did(action, "settle_seat", &maker.margin.to_string()) && action != &settled
    });
    world.cancel(&maker);
    let closed = until(&world, &keepers, 9_400, "the bankrupt long is deleveraged", |action| {
        did(action, "deleverage", &broke.margin.to_string()) && lots(action) > 0
    });
    assert_eq!(closed["stage"], "bankrupt");
    until(&world, &keepers, 9_400, "the deleveraged short is settled", |action| {
        did(action, "settle_seat", &short.margin.to_string()) && action["reason"] == "deleveraged"
    });
    until(&world, &keepers, 9_400, "fees are swept to insurance", |action| {
        action["kind"] == "sweep_insurance_fees" && action["result"] == "confirmed"
    });

    // Side by side they did everything once, and nothing that they did not expect.
    let actions: Vec<_> = keepers.iter().flat_map(|keeper| keeper.actions()).collect();
    let of_broke = |action: &&Value| action["account"] == broke.margin.to_string() && action["result"] == "confirmed";
    let deleveraged = actions.iter().filter(of_broke).filter(|action| action["kind"] == "deleverage");
    assert_eq!(deleveraged.filter(|action| lots(action) > 0).count(), 1);
    // What insurance had from fees paid for a part, the shorts for the rest.
    assert_eq!(actions.iter().filter(of_broke).map(lots).sum::<u64>(), 60_000);
    for action in &actions {
        assert!(!["refused", "unknown", "trouble"].contains(&action["result"].as_str().unwrap()), "{action}");
    }
    let metrics = first.metrics();
    assert!(!metrics.contains("ballast_keeper_transactions_confirmed_total{kind=\"takeover\"} 0"), "{metrics}");
    assert!(metrics.contains("ballast_keeper_connected 1"), "{metrics}");
    first.stop();
    second.stop();
    world.audit();
}

#[test]
fn a_keeper_executes_triggers_follows_with_trailing_stops_and_carries_out_ladders() {
    let world = World::found();
    let (maker, long) = (world.trader(1_000_000), world.trader(5_000));
    let thin = world.trader(300);
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 70_000);
    world.take(&long, Side::Long, 10_000, 10_000);
    world.take(&thin, Side::Long, 10_000, 60_000);
    world.stop(&long, 9_900, 4_000);
    world.trail(&long, 20_000, 1_000);
    world.ladder(&thin, &[(30_000, 2_000)]);
    world.rest(&maker, Side::Long, 9_700, 100_000);
    let keeper = Keeper::start(&world, &["--roles", "triggers"]);
    let (long, thin) = (&long.margin.to_string(), &thin.margin.to_string());

    until(&world, &[&keeper], 10_200, "the trailing stop follows", |action| did(action, "ratchet_trigger", long));
    // It now stands at 99.96.
    let trailing = until(&world, &[&keeper], 9_950, "the trailing stop fires", |action| {
        did(action, "execute_trigger", long) && lots(action) == 1_000
    });
    assert_eq!((&trailing["reason"], &trailing["as_expected"]), (&"fires".into(), &true.into()));
    assert!(trailing["reward"].as_u64() > Some(0), "{trailing}");
    until(&world, &[&keeper], 9_880, "the stop fires", |action| {
        did(action, "execute_trigger", long) && lots(action) == 4_000
    });
    let rung =
        until(&world, &[&keeper], 9_750, "the rung is carried out", |action| did(action, "execute_ladder", thin));
    assert_eq!((&rung["reason"], lots(&rung)), (&"rung".into(), 12_000));

    let actions = keeper.actions();
    let executions = actions.iter().filter(|action| action["kind"] == "execute_trigger");
    assert_eq!(executions.filter(|action| action["result"] == "confirmed").count(), 2, "each once");
    for action in &actions {
        assert!(!["refused", "unknown", "trouble"].contains(&action["result"].as_str().unwrap()), "{action}");
    }
    let metrics = keeper.metrics();
    assert!(metrics.contains("ballast_keeper_triggers{market=\"0\"} 0"), "{metrics}");
    keeper.stop();
    world.audit();
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let world = World::found();
    let (maker, long) = (world.trader(1_000_000), world.trader(300));
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 60_000);
    world.take(&long, Side::Long, 10_000, 60_000);
    world.rest(&maker, Side::Long, 9_590, 60_000);
    let keeper = Keeper::start(&world, &["--roles", "liquidator", "--dry-run", "--subscribe", "accounts"]);
    let would = until(&world, &[&keeper], 9_595, "the long would be liquidated", |action| {
        action["kind"] == "liquidate" && action["account"] == long.margin.to_string()
    });
    assert_eq!((&would["result"], &would["landed_slot"]), (&"dry_run".into(), &Value::Null));
    assert!(would["expected"].as_str().unwrap().starts_with("lots:12000,"), "{would}");
    assert_eq!(world.position(&long), 60_000);
    keeper.stop();
}

#[test]
fn a_keeper_that_lost_its_node_comes_back() {
    let world = World::found();
    let (maker, long) = (world.trader(1_000_000), world.trader(300));
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 60_000);
    world.take(&long, Side::Long, 10_000, 60_000);
    world.rest(&maker, Side::Long, 9_590, 60_000);
    let link = world.link();
    let keeper = Keeper::start_at(&world, &world.rpc_url(), &link.url(), &["--roles", "liquidator"]);
    world.until(10_000, "the keeper is ready", || keeper.asks("/ready").starts_with("HTTP/1.1 200").then_some(()));
    link.cut();
    world.until(10_000, "the keeper complains", || keeper.asks("/health").contains("not in place").then_some(()));
    link.mend();
    until(&world, &[&keeper], 9_595, "the long is liquidated", |action| {
        did(action, "liquidate", &long.margin.to_string())
    });
    assert!(keeper.metrics().contains("ballast_keeper_disconnections_total 1"));
    keeper.stop();
}
