//! How long a keeper takes from a price to signed transactions, and how much memory it has, by the number of accounts:
//! `cargo run --release -p ballast-keeper --example reaction -- 1000 10000 100000`.
//!
//! The view is made of real account bytes. Each price arrives as a node tells it (compressed, base64), and makes some accounts
//! due; time is taken from there to the first signed liquidation, and to all that may be under way at once. Not in
//! it: the random delay before an account is tried, and the node's answer to the simulation.

#[path = "../tests/view/population.rs"]
mod population;

use std::{
    env, fs,
    process::Command,
    time::{Duration, Instant},
};

use ballast_client::send::{Units, compile, sign};
use ballast_keeper::{
    config::{Config, Role},
    engine::mind::Mind,
    metrics::Metrics,
    outcome::Outcome,
    roles::Own,
    settings::Settings,
    task::Kind,
    view::LiveView,
};
use population::{MARKET, PRICE, Population, Random};
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

/// Prices that are measured.
const PRICES: usize = 200;
/// Transactions under way at once.
const IN_FLIGHT: usize = 16;

fn main() {
    let sizes: Vec<String> = env::args().skip(1).collect();
    match sizes.as_slice() {
        [one] => measure(one.parse().expect("a number of accounts")),
        several => {
            println!(
                "accounts    due   first signed (median, 95 %, worst)   all signed (median, 95 %, worst)    memory"
            );
            for size in several {
                // Each in a process of its own, so that its memory is its own.
                let done = Command::new(env::current_exe().expect("a path")).arg(size).status().expect("it starts");
                assert!(done.success());
            }
        }
    }
}

/// Resident memory in MB.
fn memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
}

fn measure(count: usize) {
    let key = Keypair::new();
    let own = Own { signer: key.pubkey(), margin: key.pubkey() };
    let config = Config::new(Settings {
        roles: Some(vec![Role::Liquidator, Role::Deleverager, Role::Settler, Role::Triggers]),
        keypair: Some("none".into()),
        max_in_flight: Some(IN_FLIGHT),
        jitter_ms: Some(0),
        ..Settings::default()
    })
    .expect("a configuration");
    let metrics = Metrics::new().expect("metrics");
    let mut chain = Population::new(count, 7);
    let began = Instant::now();
    let mut live: LiveView = chain.live(began);
    let mut mind = Mind::new(&config, &live, began).expect("a view");
    let whole = began.elapsed();
    // Only what a keeper has: the node's side of this is no part of its memory.
    chain.accounts.clear();
    let (mut random, mut price) = (Random(11), PRICE);
    let (mut firsts, mut alls, mut due) = (Vec::new(), Vec::new(), 0);
    for _ in 0..PRICES {
        // A fall of up to a fifth of a per cent, and back up when it has gone far: accounts become due on the way.
        price = if price < PRICE * 93 / 100 { PRICE } else { price - price * random.below(20) / 10_000 };
        chain.set_price(price);
        let heard = chain.told(&MARKET);
        let began = Instant::now();
        let changes = live.apply(vec![heard], began);
        let decided = mind.decide(&live, &changes, (&config, own, &metrics), IN_FLIGHT, began).expect("a decision");
        let mut first = None;
        for (plan, _) in &decided.plans {
            let units = Units { limit: 300_000, price: 1_000 };
            let message = compile(&own.signer, &plan.instructions, units, &[], Hash::default()).expect("a message");
            sign(message, &[&key]).expect("a transaction");
            first.get_or_insert_with(|| began.elapsed());
        }
        let all = began.elapsed();
        let liquidations = decided.plans.iter().filter(|(plan, _)| plan.task.kind == Kind::Liquidate).count();
        if let Some(first) = first.filter(|_| liquidations > 0) {
            firsts.push(first);
            alls.push(all);
            due = due.max(mind.watch.hot().len());
        }
        for (plan, _) in decided.plans {
            mind.end(&plan, &Outcome::Expired(Signature::default()), Instant::now());
        }
    }
    let memory = memory();
    println!("{count:>8} {due:>6}   {:<36}   {:<34} {memory:>6.0} MB", spread(&mut firsts), spread(&mut alls));
    println!(
        "         ({} prices with a liquidation; the first look at every account took {:.0} ms)",
        alls.len(),
        whole.as_secs_f64() * 1e3
    );
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at =
        |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).copied().unwrap_or_default();
    let [median, most, worst] = [50, 95, 100].map(|percent| at(percent).as_secs_f64() * 1e3);
    format!("{median:.2} ms, {most:.2} ms, {worst:.2} ms")
}
