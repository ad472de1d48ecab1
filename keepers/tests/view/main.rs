//! The view in memory is what a fresh snapshot would be, whatever became of the updates: lost, told twice, told late.

mod population;
mod spending;

use std::{collections::BTreeSet, time::Instant};

use ballast_client::{addresses::PROGRAM_ID, snapshot::Snapshot};
use ballast_keeper::{
    config::{Config, Role},
    engine::mind::{Decided, Mind},
    metrics::Metrics,
    roles::Own,
    settings::Settings,
    view::{Changes, Heard, LiveView},
};
use population::{BOOK, MARKET, PRICE, Population, RANKS, Random, data_of, holder, margin};
use proptest::prelude::*;
use solana_account::Account;
use solana_pubkey::Pubkey;

/// Positions at the beginning.
const HOLDERS: usize = 24;

/// Something that happens on chain.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Somebody's collateral becomes so many per mille of what it was.
    Collateral(usize, u64),
    /// Somebody closes their account.
    Closed(usize),
    /// Somebody opens one.
    Opened(usize),
    /// The price moves, in hundredths of a per cent off the beginning's.
    Price(i64),
}

/// What becomes of the update that tells it.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Told,
    Lost,
    Twice,
    /// Told after so many others.
    Late(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..HOLDERS, 0u64..1_500).prop_map(|(who, per_mille)| Happening::Collateral(who, per_mille)),
        1 => (0..HOLDERS).prop_map(Happening::Closed),
        1 => (HOLDERS..2 * HOLDERS).prop_map(Happening::Opened),
        3 => (-1_500i64..1_500).prop_map(Happening::Price),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => Just(Fate::Told), 2 => Just(Fate::Lost), 1 => Just(Fate::Twice), 2 => (1usize..6).prop_map(Fate::Late)]
}

fn happen(chain: &mut Population, what: Happening) -> Pubkey {
    match what {
        Happening::Collateral(who, per_mille) => {
            let key = holder(who);
            if let Some(account) = chain.accounts.get_mut(&key) {
                let at = account.data.len() - bytemuck::bytes_of(&margin(&key, 0)).len();
                let mut state: ballast_client::ballast::state::MarginAccount =
                    bytemuck::pod_read_unaligned(&account.data[at..]);
                state.collateral = state.collateral * per_mille / 1_000;
                account.data[at..].copy_from_slice(bytemuck::bytes_of(&state));
            }
            key
        }
        Happening::Closed(who) => {
            chain.accounts.remove(&holder(who));
            holder(who)
        }
        Happening::Opened(who) => {
            let key = holder(who);
            let data = data_of(&margin(&key, 77));
            let account = Account { lamports: 1, data, owner: PROGRAM_ID, executable: false, rent_epoch: u64::MAX };
            chain.accounts.insert(key, account);
            key
        }
        Happening::Price(moved) => {
            chain.set_price(PRICE.checked_add_signed(moved * i64::try_from(PRICE).unwrap() / 10_000).unwrap());
            MARKET
        }
    }
}

/// A keeper's view and decisions, without a network.
struct Keeper {
    live: LiveView,
    mind: Mind,
    config: Config,
    metrics: Metrics,
}

impl Keeper {
    fn new(live: LiveView) -> Keeper {
        let roles = Some(vec![Role::Liquidator, Role::Deleverager]);
        Keeper::with(live, Settings { roles, sweep_rate: Some(1), ..Settings::default() })
    }

    fn with(live: LiveView, said: Settings) -> Keeper {
        let config = Config::new(Settings { keypair: Some("none".into()), ..said }).unwrap();
        let mind = Mind::new(&config, &live, Instant::now()).unwrap();
        Keeper { live, mind, config, metrics: Metrics::new().unwrap() }
    }

    fn hears(&mut self, news: Vec<Heard>) {
        let now = Instant::now();
        let changes = self.live.apply(news, now);
        self.decides_on(&changes, 0, now);
    }

    /// What is begun at a moment without news, at most so much.
    fn decides(&mut self, free: usize, at: Instant) -> Decided {
        self.decides_on(&Changes::default(), free, at)
    }

    fn decides_on(&mut self, changes: &Changes, free: usize, at: Instant) -> Decided {
        let own = Own { signer: Pubkey::default(), margin: Pubkey::default() };
        self.mind.decide(&self.live, changes, (&self.config, own, &self.metrics), free, at).unwrap()
    }

    fn hot(&self) -> BTreeSet<Pubkey> {
        self.mind.watch.hot().into_iter().collect()
    }
}

fn same(view: &Snapshot, fresh: &Snapshot) -> Result<(), TestCaseError> {
    let accounts = |snapshot: &Snapshot| {
        let mut all: Vec<_> =
            snapshot.accounts().map(|(key, account)| (*key, bytemuck::bytes_of(account).to_vec())).collect();
        all.sort();
        all
    };
    prop_assert_eq!(accounts(view), accounts(fresh));
    let markets = |snapshot: &Snapshot| {
        let of = |entry: &ballast_client::snapshot::MarketEntry| {
            (bytemuck::bytes_of(&entry.market).to_vec(), entry.book.data().to_vec(), entry.ranks.data().to_vec())
        };
        snapshot.markets().map(of).collect::<Vec<_>>()
    };
    prop_assert!(markets(view) == markets(fresh));
    Ok(())
}

/// Updates on their way, each with how many others come before it.
#[derive(Default)]
struct Wire {
    late: Vec<(usize, Heard)>,
}

impl Wire {
    fn send(&mut self, chain: &Population, key: &Pubkey, fate: Fate) -> Vec<Heard> {
        let mut out = match fate {
            Fate::Told => vec![chain.told(key)],
            Fate::Lost => vec![],
            Fate::Twice => vec![chain.told(key), chain.told(key)],
            Fate::Late(others) => {
                self.late.push((others, chain.told(key)));
                vec![]
            }
        };
        for (others, _) in &mut self.late {
            *others = others.saturating_sub(1);
        }
        let due = self.late.extract_if(.., |(others, _)| *others == 0);
        out.extend(due.map(|(_, heard)| heard));
        out
    }

    fn rest(&mut self) -> Vec<Heard> {
        self.late.drain(..).map(|(_, heard)| heard).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// After any mess of updates, a snapshot asked for makes the view what the chain is: also with what happens while it is
    /// on its way, which is told in order then. And the accounts below maintenance margin are those that a keeper would
    /// find that began with that state.
    #[test]
    fn a_repaired_view_is_a_fresh_snapshot_whatever_became_of_the_updates(
        mess in prop::collection::vec((happening(), fate()), 0..40),
        meanwhile in prop::collection::vec(happening(), 0..8),
        taken in 0usize..9,
        seed in any::<u64>(),
    ) {
        let mut chain = Population::new(HOLDERS, seed);
        let mut keeper = Keeper::new(chain.live(Instant::now()));
        let mut wire = Wire::default();
        for (what, fate) in mess {
            let key = happen(&mut chain, what);
            keeper.hears(wire.send(&chain, &key, fate));
        }
        keeper.hears(wire.rest());

        keeper.hears(vec![Heard::RepairBegins]);
        let mut snapshot = (taken == 0).then(|| chain.snapshot());
        for (number, what) in (1..).zip(meanwhile) {
            let key = happen(&mut chain, what);
            keeper.hears(vec![chain.told(&key)]);
            if number == taken {
                snapshot = Some(chain.snapshot());
            }
        }
        let snapshot = snapshot.unwrap_or_else(|| chain.snapshot());
        keeper.hears(vec![Heard::Repaired(Box::new(snapshot))]);

        same(&keeper.live.snapshot, &chain.snapshot())?;
        let fresh = Keeper::new(chain.live(Instant::now()));
        prop_assert_eq!(keeper.hot(), fresh.hot());
    }

    /// Nothing lost and nothing late: no snapshot is needed at all.
    #[test]
    fn a_view_that_heard_everything_is_a_fresh_snapshot(
        history in prop::collection::vec((happening(), any::<bool>()), 0..40),
        seed in any::<u64>(),
    ) {
        let mut chain = Population::new(HOLDERS, seed);
        let mut keeper = Keeper::new(chain.live(Instant::now()));
        let mut batch = Vec::new();
        for (what, more) in history {
            let key = happen(&mut chain, what);
            batch.push(chain.told(&key));
            if !more {
                keeper.hears(core::mem::take(&mut batch));
            }
        }
        keeper.hears(batch);
        same(&keeper.live.snapshot, &chain.snapshot())?;
        let fresh = Keeper::new(chain.live(Instant::now()));
        prop_assert_eq!(keeper.hot(), fresh.hot());
    }
}

/// The test above would prove nothing if nobody were ever in trouble in it, or all were.
#[test]
fn the_population_of_these_tests_has_accounts_on_both_sides_of_the_edge() {
    let mut chain = Population::new(HOLDERS, 1);
    assert!(Keeper::new(chain.live(Instant::now())).hot().is_empty());
    let mut random = Random(5);
    for moved in [-1_000 - i64::try_from(random.below(100)).unwrap(), 1_000] {
        happen(&mut chain, Happening::Price(moved));
        let hot = Keeper::new(chain.live(Instant::now())).hot().len();
        assert!((1..HOLDERS / 2 + 1).contains(&hot), "{hot} of {HOLDERS}");
    }
    assert!([BOOK, RANKS].iter().all(|key| chain.accounts.contains_key(key)));
}
