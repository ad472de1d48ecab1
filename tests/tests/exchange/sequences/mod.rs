//! Long random histories of honest and hostile callers over three markets, cross and isolated, with prices that jump. After
//! every instruction the exchange is audited; an instruction that fails must have changed nothing. At the end everybody
//! closes and leaves, and the vaults must hold exactly what is owed.

mod dice;
mod end;
mod honest;
mod hostile;
mod protect;
mod reached;

use ballast_book::{OrderId, TriggerId};
use ballast_client::ballast::state::FeeTier;
use ballast_tests::harness::fresh_keypair;
use ballast_tests::harness::{DOLLAR, Expect, MarketSpec, Outcome, Trader, Usage, World};
use dice::Dice;
use reached::Reached;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

const MARKETS: u16 = 3;
/// Runs, and steps of each. `BALLAST_RUNS` and `BALLAST_STEPS` ask for more, `BALLAST_SEED` for others.
const RUNS: u64 = 6;
const STEPS: u64 = 4_000;

/// One history.
struct Run {
    world: World,
    dice: Dice,
    orders: Vec<(Trader, u16, OrderId)>,
    triggers: Vec<(Trader, u16, TriggerId)>,
    gone: Vec<Trader>,
    /// Where prices began.
    homes: Vec<u64>,
    /// Where fees go.
    treasury: Pubkey,
    reached: Reached,
}

impl Run {
    fn new(seed: u64) -> Run {
        let spec = |spec: MarketSpec| {
            spec.with(|params| {
                params.deleverage_delay_s = 10;
                params.insurance_limit_per_day = 500 * DOLLAR;
                params.funding_impact_quote = 100 * DOLLAR;
                params.liquidation_cooldown_s = 10;
                params.max_deviation_open_bps = 4_000;
                params.max_position_lots = 10_000;
                params.fee_tiers[0] = FeeTier { maker_ppm: 50, taker_ppm: 300 };
                params.fee_tiers[1] = FeeTier { maker_ppm: -60, taker_ppm: 200 };
            })
        };
        let specs = [MarketSpec::btc(), MarketSpec::eth(), MarketSpec::sol()].map(spec);
        let mut world = World::new(&specs);
        // Another exchange, whose accounts are put in the place of right ones.
        let home = world.found_another();
        world.create_market(&MarketSpec::btc());
        world.trader(1_000 * DOLLAR);
        world.realm = home;
        world.audit_from_now();
        let mut dice = Dice::new(seed);
        for _ in 0..8 {
            let deposit = dice.between(200, 3_000) * DOLLAR;
            let trader = world.trader(deposit);
            if dice.chance(40) {
                world.another_account(trader, dice.between(100, 1_000) * DOLLAR);
            }
        }
        world.trader(200_000 * DOLLAR);
        world.set_fee_schedule([5_000 * DOLLAR, 50_000 * DOLLAR, 0, 0], 2_000).succeeds();
        world.fund_insurance(300 * DOLLAR);
        let treasury = world.create_tokens(&fresh_keypair().pubkey(), 0);
        world.watch(treasury);
        let homes = specs.iter().map(|spec| spec.price).collect();
        Run {
            world,
            dice,
            orders: Vec::new(),
            triggers: Vec::new(),
            gone: Vec::new(),
            homes,
            treasury,
            reached: Reached::default(),
        }
    }

    /// Anybody whose account is open.
    fn trader(&mut self) -> Trader {
        let everybody: Vec<_> = self.everybody().collect();
        self.dice.pick(&everybody)
    }

    fn everybody(&self) -> impl Iterator<Item = Trader> + use<> {
        let gone = self.gone.clone();
        self.world.traders().filter(move |trader| !gone.contains(trader))
    }

    fn market(&mut self) -> u16 {
        u16::try_from(self.dice.below(u64::from(MARKETS))).expect("a few markets")
    }

    fn step(&mut self) -> Outcome {
        match self.dice.below(116) {
            0..=18 => self.trade(),
            19..=21 => self.batch(),
            22..=24 => self.replace(),
            25..=32 => self.gamble(),
            33..=37 => self.close(),
            38..=42 => self.cancel(),
            43..=46 => self.move_money(),
            47..=52 => self.tend(),
            53..=57 => self.settle_a_seat(),
            58..=75 => self.keep(),
            76..=83 => self.tick(),
            84..=86 => self.jump(),
            87 => self.silence(),
            88..=90 => self.govern(),
            91 => self.leave(),
            92..=97 => self.forge(),
            98 => self.replay(),
            99 => self.collude(),
            115 => self.outdate(),
            100..=105 => self.protect(),
            _ => self.execute(),
        }
    }
}

fn asked(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().expect("a number"))
}

fn play(seed: u64) -> (Reached, Usage) {
    let mut run = Run::new(seed);
    for _ in 0..asked("BALLAST_STEPS", STEPS) {
        let outcome = run.step();
        run.reached.note(&outcome);
    }
    run.wind_down();
    (run.reached, run.world.usage)
}

#[test]
fn the_exchange_stays_sound_whatever_anybody_does() {
    let first = asked("BALLAST_SEED", 1);
    let seeds: Vec<_> = (first..first + asked("BALLAST_RUNS", RUNS)).collect();
    let (mut reached, mut usage) = (Reached::default(), Usage::default());
    for pair in seeds.chunks(2) {
        let runs: Vec<_> = pair.iter().map(|&seed| (seed, std::thread::spawn(move || play(seed)))).collect();
        for (seed, run) in runs {
            let (one, units) = run.join().unwrap_or_else(|_| panic!("seed {seed}"));
            reached.extend(one);
            usage.extend(units);
        }
    }
    println!("{usage}\n{reached}");
    assert_eq!(reached.missing(), Vec::<&str>::new(), "the runs reach what they claim to test");
}
