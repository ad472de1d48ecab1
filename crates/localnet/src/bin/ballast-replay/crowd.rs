//! The traders: a seeded distribution of leverage, size, side and entry, isolated and cross.
//!
//! | quantity | distribution |
//! |---|---|
//! | notional | log-normal, median $8,000, σ 1.3, between $200 and $400,000 |
//! | leverage | log-normal, median 8, σ 0.8, between 1.5 and 35 |
//! | side | long with probability 0.58 |
//! | market | the first markets of the configuration equally, the last one twice as often |
//! | cross | one in four has two to four positions in one account; the others one: isolated |
//! | protected | see [`crate::protection`]: twins of some of those with one position |
//! | entry | one of [`ENTRY_STEPS`] prices before the recording, a random walk that ends at its first price |

use anyhow::{Context, Result};
use ballast::state::MarketParams;
use ballast_client::{addresses, instructions};
use ballast_localnet::{
    Faucet,
    bulk::{Bulk, Job},
    exchange::{DeployedMarket, Deployment},
    stage::open_account,
};
use ballast_units::{Lots, Price, Side};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, LogNormal};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::protection::{Twin, add_twins};

/// Prices at which the traders enter before the recording begins.
pub const ENTRY_STEPS: usize = 24;
/// SOL of each trader, in lamports.
const LAMPORTS: u64 = 1_000_000_000;
/// How far an entry order reaches beyond the mark, in basis points.
const REACH_BPS: u64 = 300;

/// One position that a trader will open.
#[derive(Clone)]
pub struct Plan {
    /// Market index.
    pub market: usize,
    /// Side.
    pub side: Side,
    /// Value in atoms.
    pub notional: u64,
    /// The step at which it is opened.
    pub step: usize,
}

/// One trader with one margin account.
pub struct Trader {
    /// The owner.
    pub key: Keypair,
    /// The margin account.
    pub margin: Pubkey,
    /// Deposited, in atoms.
    pub deposit: u64,
    /// What it opens.
    pub plans: Vec<Plan>,
    /// Markets in which it has been, in slot order.
    pub entered: Vec<usize>,
}

impl Trader {
    /// Another trader who does the same.
    pub fn twin(&self, key: Keypair, deployment: &Deployment) -> Trader {
        let margin = addresses::margin_account(&deployment.keys.exchange, &key.pubkey(), 0);
        Trader { key, margin, deposit: self.deposit, plans: self.plans.clone(), entered: Vec::new() }
    }
}

/// Draws the traders, and protected twins of `protected` of them.
pub fn draw(count: u32, protected: u32, seed: u64, deployment: &Deployment) -> Result<(Vec<Trader>, Vec<Twin>)> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let notional = LogNormal::new(8_000f64.ln(), 1.3).context("the distribution of sizes")?;
    let leverage = LogNormal::new(8f64.ln(), 0.8).context("the distribution of leverage")?;
    let markets = deployment.markets.len();
    let traders = (0..count).map(|number| {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        let key = Keypair::new_from_array(secret);
        let margin = addresses::margin_account(&deployment.keys.exchange, &key.pubkey(), 0);
        let mut order: Vec<usize> = (0..markets).collect();
        let cross = number % 4 == 3 && markets > 1;
        let positions = if cross { random.random_range(2..=markets.min(4)) } else { 1 };
        let mut plans = Vec::new();
        for _ in 0..positions {
            let pick = random.random_range(0..=order.len()).min(order.len() - 1);
            plans.push(Plan {
                market: order.remove(pick),
                side: if random.random_bool(0.58) { Side::Long } else { Side::Short },
                notional: (notional.sample(&mut random).clamp(200.0, 400_000.0) * 1e6) as u64,
                step: random.random_range(0..ENTRY_STEPS),
            });
        }
        let total: u64 = plans.iter().map(|plan| plan.notional).sum();
        let leverage = leverage.sample(&mut random).clamp(1.5, 35.0);
        // A percent more, for fees and for the way from the mark to the fill.
        let deposit = (total as f64 / leverage) as u64 + total / 100;
        Trader { key, margin, deposit, plans, entered: Vec::new() }
    });
    let mut traders: Vec<_> = traders.collect();
    let twins = add_twins(&mut traders, usize::try_from(protected)?, deployment, &mut random);
    Ok((traders, twins))
}

/// A random walk of [`ENTRY_STEPS`] prices that ends at `last`: steps of up to 1.2 % either way.
pub fn entry_path(last: i64, seed: u64) -> Vec<i64> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut price = last as f64;
    let mut path = vec![last];
    while path.len() < ENTRY_STEPS {
        price *= 1.0 + random.random_range(-0.012..0.012);
        path.push(price as i64);
    }
    path.reverse();
    path
}

/// Opens and funds every trader's account with real transactions.
pub fn open_accounts(traders: &[Trader], deployment: &Deployment, faucet: &Faucet, bulk: &Bulk) -> Result<()> {
    for chunk in traders.chunks(100) {
        let mut jobs = Vec::new();
        for trader in chunk {
            jobs.push(open_account(deployment, faucet, &trader.key, 0, LAMPORTS, trader.deposit)?.1);
        }
        bulk.run_all(&jobs)?;
    }
    Ok(())
}

/// What a trader's entry is made of: the position's order, with the account's other markets.
pub fn entry<'a>(
    trader: &'a Trader,
    plan: &Plan,
    deployment: &Deployment,
    params: &MarketParams,
    price: i64,
) -> Option<Job<'a>> {
    let market = &deployment.markets[plan.market];
    let order = order(plan, market, params, price)?;
    let others: Vec<_> = trader
        .entered
        .iter()
        .filter(|index| **index != plan.market)
        .map(|index| deployment.markets[*index].keys)
        .flat_map(|keys| [keys.market, keys.book, keys.ranks])
        .map(|key| solana_instruction::AccountMeta::new_readonly(key, false))
        .collect();
    Some(Job {
        what: format!("enter {}", market.symbol),
        instructions: vec![instructions::place_order(
            &trader.key.pubkey(),
            &trader.margin,
            &market.keys,
            order,
            &others,
        )],
        signers: vec![&trader.key],
    })
}

fn order(plan: &Plan, market: &DeployedMarket, params: &MarketParams, price: i64) -> Option<ballast::OrderArgs> {
    let mark = market.price_per_lot(price);
    let lots = plan.notional / mark.max(1);
    let reach = mark * REACH_BPS / 10_000;
    let worst = match plan.side {
        Side::Long => mark + reach,
        Side::Short => mark - reach,
    };
    let worst = worst - worst % params.tick;
    let order = instructions::market_order(plan.side, Price(worst), Lots(lots));
    (lots >= params.min_lots).then_some(order)
}
