//! Real keepers, as processes, on a local network: what they do to accounts in trouble, and that they do it once.

mod doctor;
mod keeper;
mod recovery;
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

fn is_ready(world: &World, keeper: &Keeper) {
    world.until(10_000, "the keeper is ready", || keeper.asks("/ready").starts_with("HTTP/1.1 200").then_some(()));
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
    // Where the mark reaches a keeper before the bids do, on a busy machine, it means to start the clock of the takeover, alone or
    // with what it then finds to close.
    let liquidated = until(&world, &keepers, 9_595, "the long is liquidated", |action| {
        did(action, "liquidate", &long.margin.to_string()) && lots(action) > 0
    });
    assert_eq!(liquidated["stage"], "partial");
    assert!(liquidated["reason"] == "reduce" || liquidated["reason"] == "start_clock", "{liquidated}");
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
    let (thin, tiny) = (world.trader(300), world.trader(100));
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 70_100);
    world.take(&long, Side::Long, 10_000, 10_000);
    world.take(&thin, Side::Long, 10_000, 60_000);
    world.take(&tiny, Side::Long, 10_000, 100);
    world.stop(&tiny, 9_900, 100);
    world.stop(&long, 9_900, 4_000);
    world.trail(&long, 20_000, 1_000);
    world.ladder(&thin, &[(30_000, 2_000)]);
    world.rest(&maker, Side::Long, 9_700, 100_000);
    // A signature costs half a cent; three basis points of ten dollars are less, of a hundred they are more.
    let keeper = Keeper::start(&world, &["--roles", "triggers", "--sol-price", "1000"]);
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
    let left_out = until(&world, &[&keeper], 9_880, "the small stop is left out", |action| {
        action["account"] == tiny.margin.to_string() && action["result"] == "left_out"
    });
    assert_eq!((&left_out["error"], &left_out["would_cost"]), (&"Unprofitable".into(), &5_000.into()));
    assert!(left_out["expected"].as_str().unwrap().starts_with("lots:100,"), "{left_out}");
    assert_eq!(world.position(&tiny), 100);
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
    assert!(metrics.contains("ballast_keeper_triggers{market=\"0\"} 1"), "the small one waits: {metrics}");
    let count = metrics
        .lines()
        .find_map(|line| line.strip_prefix("ballast_keeper_unprofitable_total{kind=\"execute_trigger\"} "));
    assert!(count.is_some_and(|count| count.parse::<u32>().unwrap() >= 1), "{metrics}");
    assert!(metrics.contains("ballast_keeper_sol_price_atoms 1000000000"), "{metrics}");
    keeper.stop();
    world.audit();
}

#[test]
fn forced_reductions_are_left_out_only_where_the_operator_wants_to_gain_by_them() {
    let world = World::found();
    let long = world.exposed_long(9_520);
    let wishes = ["--roles", "liquidator", "--takeover", "--deposit", "20000", "--min-profit-forced", "1000000"];
    let keeper = Keeper::start(&world, &wishes);
    let key = long.margin.to_string();
    // At a discount that is not enough it takes nothing over, and looks at what the book pays.
    let left_out = until(&world, &[&keeper], 9_530, "the liquidation is left out", |action| {
        action["account"] == key && action["result"] == "left_out" && action["stage"] == "takeover"
    });
    assert_eq!((&left_out["kind"], &left_out["reason"]), (&"liquidate".into(), &"reduce".into()));
    assert_eq!(world.position(&long), 60_000);
    assert!(keeper.actions().iter().all(|action| action["kind"] != "takeover"));
    keeper.stop();
    // By default it is done.
    let keeper = Keeper::start(&world, &["--roles", "liquidator"]);
    until(&world, &[&keeper], 9_530, "the long is liquidated", |action| did(action, "liquidate", &key));
    keeper.stop();
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let world = World::found();
    let long = world.exposed_long(9_590);
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
    let long = world.exposed_long(9_590);
    let link = world.link();
    let keeper = Keeper::start_at(&world, world.rpc_url(), &link.url(), &["--roles", "liquidator"]);
    is_ready(&world, &keeper);
    link.cut();
    world.until(10_000, "the keeper complains", || keeper.asks("/health").contains("not in place").then_some(()));
    link.mend();
    until(&world, &[&keeper], 9_595, "the long is liquidated", |action| {
        did(action, "liquidate", &long.margin.to_string())
    });
    assert!(keeper.metrics().contains("ballast_keeper_disconnections_total 1"));
    keeper.stop();
}

/// The socket stays open and says nothing more; over HTTP the node answers as before.
#[test]
fn a_keeper_whose_subscriptions_fall_silent_says_so_and_makes_new_ones() {
    let world = World::found();
    let long = world.exposed_long(9_590);
    let link = world.link();
    let wishes = ["--roles", "liquidator", "--silence-s", "3"];
    let keeper = Keeper::start_at(&world, world.rpc_url(), &link.url(), &wishes);
    is_ready(&world, &keeper);
    let silence = || {
        let metrics = keeper.metrics();
        let line = metrics.lines().find_map(|line| line.strip_prefix("ballast_keeper_subscription_silence_seconds "));
        line.and_then(|seconds| seconds.parse::<f64>().ok()).unwrap_or(0.0)
    };
    assert!(silence() < 3.0);
    // New connections are silent, too: it has nobody to turn to.
    link.hold(true);
    world.until(10_000, "the silence is measured", || (silence() > 1.0).then_some(()));
    world.until(10_000, "the keeper complains", || {
        let health = keeper.asks("/health");
        assert!(!health.contains("nothing is heard"), "the node answers over HTTP: {health}");
        (health.contains("silent") || health.contains("not in place")).then_some(())
    });
    link.hold(false);
    world
        .until(10_000, "the keeper is well again", || keeper.asks("/health").starts_with("HTTP/1.1 200").then_some(()));
    // Only the old connections are silent: it makes new ones, and acts on what those tell.
    link.mute();
    until(&world, &[&keeper], 9_595, "the long is liquidated", |action| {
        did(action, "liquidate", &long.margin.to_string())
    });
    assert!(keeper.log().contains("slots passed"), "it noticed the silence by itself");
    keeper.stop();
}

#[test]
fn a_keeper_brings_a_legacy_price_itself_and_uses_a_lookup_table() {
    let world = World::found_as("legacy.toml");
    let long = world.exposed_long(9_590);
    let (oracle, table) = (world.oracle(), world.lookup_table());
    let keeper = Keeper::start(&world, &["--roles", "liquidator", "--oracle", &oracle, "--lookup-table", &table]);
    // Nobody but the keeper refreshes the market now.
    let liquidated = world.wait("the long is liquidated on the keeper's own refresh", || {
        world.publish(9_595);
        keeper.actions().into_iter().find(|action| did(action, "liquidate", &long.margin.to_string()))
    });
    assert_eq!(liquidated["as_expected"], true);
    keeper.stop();
    world.audit();
}

#[test]
fn a_poster_keeps_the_market_at_its_oracle_and_pays_for_no_more_than_that() {
    let world = World::found();
    world.price(10_000);
    let keeper = Keeper::start(&world, &["--roles", "poster", "--oracle", &world.oracle(), "--post-age-s", "8"]);
    let refreshes = || {
        let actions = keeper.actions().into_iter();
        let refreshed = actions.filter(|action| action["kind"] == "refresh_market" && action["result"] == "confirmed");
        refreshed.map(|action| action["reason"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let arrives = |cents, what| {
        world.wait(what, || {
            world.publish(cents);
            world.stands_at(cents).then_some(())
        });
    };
    arrives(9_700, "the market follows its oracle down");
    arrives(10_100, "the market follows its oracle up");
    assert!(refreshes().contains(&"price_moved".to_owned()));

    // A price that stays is brought only before it is too old: about every four seconds here, not five times a second.
    let began = std::time::Instant::now();
    let old = || refreshes().iter().filter(|reason| *reason == "price_grows_old").count();
    let before = old();
    world.wait("the price is kept fresh", || {
        world.publish(10_100);
        (old() >= before + 2).then_some(())
    });
    assert!(began.elapsed().as_secs() >= 4, "{:?}", began.elapsed());
    let all = refreshes();
    assert!(all.iter().rev().take(2).all(|reason| reason == "price_grows_old"), "{all:?}");
    for action in keeper.actions() {
        assert!(["confirmed", "already_done"].contains(&action["result"].as_str().unwrap()), "{action}");
    }
    keeper.stop();
}

#[test]
fn a_settler_clears_books_gives_them_room_and_rolls_volume() {
    let world = World::found();
    let (maker, filler) = (world.trader(1_000_000), world.trader(1_000_000));
    let (taker, thin) = (world.trader(50_000), world.trader(330));
    world.fee_tier_from(5_000);
    world.open_trader(&taker);
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 200_000);
    world.take(&taker, Side::Long, 10_000, 60_000);
    world.take(&thin, Side::Long, 10_000, 60_000);
    world.rest(&thin, Side::Long, 9_700, 3_000);
    // Rent is routine's, too: of these 0.16 SOL half.
    let keeper = Keeper::start(&world, &["--roles", "settler", "--grow-books", "1", "--max-spend-per-hour", "0.16"]);

    // Six thousand dollars traded: the first tier.
    let rolled = until(&world, &[&keeper], 10_000, "the volume is rolled", |action| {
        did(action, "roll_volume", &world.trader_account(&taker).to_string())
    });
    assert_eq!(rolled["reason"], "terms_change");
    assert_eq!(world.margin(&taker).fee_tier, 1);

    // Below initial margin, above maintenance: the bid would make the long larger.
    until(&world, &[&keeper], 9_650, "the order that is not funded is cancelled", |action| {
        did(action, "cancel_unfunded", &thin.margin.to_string())
    });
    assert_eq!(world.position(&thin), 60_000, "the position is left alone");

    // A book with little room is cleared of expired orders, however deep, and then given more.
    world.rest_for(&filler, Side::Long, 9_500, 10, 4);
    while world.room().0 > 6 {
        world.rest(&filler, Side::Long, 9_600, 10);
    }
    let pruned = until(&world, &[&keeper], 9_650, "the expired order is removed", |action| {
        action["kind"] == "prune_expired" && action["result"] == "confirmed"
    });
    assert!(pruned["actual"].as_str().unwrap().contains("orders:1,"), "{pruned}");
    let (_, before) = world.room();
    while world.room().0 > 6 {
        world.rest(&filler, Side::Long, 9_600, 10);
    }
    until(&world, &[&keeper], 9_650, "the book grows", |action| {
        action["kind"] == "grow_book" && action["result"] == "confirmed"
    });
    assert_eq!(world.room().1, before + 64);
    // The rent counts as spent: 64 blocks of 160 bytes.
    let metrics = keeper.asks("/metrics");
    let spent = metrics.lines().find_map(|line| line.strip_prefix("ballast_keeper_lamports_spent_total "));
    let rent = 64 * 160 * 6_960;
    let range = rent + 5_000..80_000_000;
    assert!(spent.is_some_and(|spent| range.contains(&spent.parse::<u64>().unwrap())), "{spent:?}");
    for action in keeper.actions() {
        assert!(["confirmed", "already_done"].contains(&action["result"].as_str().unwrap()), "{action}");
    }
    keeper.stop();
    world.audit();
}

#[test]
fn a_dry_run_of_triggers_says_what_it_would_execute_and_leaves_it() {
    let world = World::found();
    let (maker, long) = (world.trader(1_000_000), world.trader(5_000));
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 70_000);
    world.take(&long, Side::Long, 10_000, 10_000);
    world.stop(&long, 9_900, 4_000);
    world.trail(&long, 20_000, 1_000);
    world.rest(&maker, Side::Long, 9_700, 100_000);
    let keeper = Keeper::start(&world, &["--roles", "triggers", "--dry-run"]);
    let of_long = |action: &Value, kind: &str| {
        action["kind"] == kind && action["account"] == long.margin.to_string() && action["result"] == "dry_run"
    };
    until(&world, &[&keeper], 10_200, "the trailing stop would follow", |action| of_long(action, "ratchet_trigger"));
    let would = until(&world, &[&keeper], 9_880, "the stop would fire", |action| of_long(action, "execute_trigger"));
    assert!(would["expected"].as_str().unwrap().starts_with("lots:4000,"), "{would}");
    assert_eq!(would["landed_slot"], Value::Null);
    assert_eq!(world.position(&long), 10_000);
    assert!(keeper.metrics().contains("ballast_keeper_triggers{market=\"0\"} 2"), "both wait as before");
    keeper.stop();
}

#[test]
fn a_monitor_tells_what_shocks_would_do() {
    let world = World::found();
    let (maker, long) = (world.trader(1_000_000), world.trader(300));
    world.price(10_000);
    world.rest(&maker, Side::Short, 10_000, 60_000);
    world.take(&long, Side::Long, 10_000, 60_000);
    world.rest(&maker, Side::Long, 9_990, 100_000);
    let keeper = Keeper::start(&world, &["--roles", "monitor", "--risk-interval-s", "1"]);
    let risk = world.until(10_000, "the monitor has computed", || {
        let answer = keeper.asks("/risk");
        let body = answer.split("\r\n\r\n").nth(1).filter(|_| answer.starts_with("HTTP/1.1 200"))?;
        let risk: Value = serde_json::from_str(body).unwrap();
        (risk["markets"][0]["longs"] != "0").then_some(risk)
    });
    let market = &risk["markets"][0];
    assert_eq!(
        (&market["symbol"], &market["status"], &market["mark"]),
        (&"SOL".into(), &"active".into(), &"100000".into())
    );
    // Sixty units at $100 with $297 behind them: liquidated at about four per cent down, bankrupt at about five.
    let stage = |name: &str| market["nearest"].as_array().unwrap().iter().find(|found| found["stage"] == name).unwrap();
    let fall = |name: &str| stage(name)["fall_ppm"].as_i64().unwrap();
    assert!(
        (-45_000..-35_000).contains(&fall("partial")) && (-52_000..-46_000).contains(&fall("bankrupt")),
        "{market}"
    );
    assert!(fall("restricted") > fall("partial") && fall("partial") > fall("takeover"), "{market}");
    let largest = &market["largest"][0];
    assert_eq!((&largest["share_bps"], &largest["value"]), (&10_000.into(), &"6000000000".into()));

    let shock =
        |percent: i64| risk["shocks"].as_array().unwrap().iter().find(|shock| shock["percent"] == percent).unwrap();
    for calm in [-2, -1, 1, 2, 5, 10] {
        assert_eq!(shock(calm)["accounts"], 0, "{calm} %");
    }
    assert_eq!((&shock(-10)["accounts"], &shock(-10)["settled"]), (&1.into(), &true.into()), "{risk}");
    let amount =
        |percent: i64, what: &str| shock(percent)["markets"][0][what].as_str().unwrap().parse::<u64>().unwrap();
    assert!(amount(-10, "on_book") > 1_000_000_000 || amount(-10, "deleveraged") > 0, "{risk}");
    assert!(amount(-20, "bad_debt") > amount(-10, "bad_debt"), "{risk}");

    let metrics = keeper.metrics();
    for line in [
        "ballast_keeper_shock_closed_atoms{market=\"0\",percent=\"1\"} 0",
        "ballast_keeper_largest_position_bps{market=\"0\",side=\"long\"} 10000",
        "ballast_keeper_nearest_ppm{direction=\"fall\",market=\"0\",stage=\"partial\"}",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    keeper.stop();
}
