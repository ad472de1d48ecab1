//! A random life of an index: steps, their distribution, and how they are performed on both worlds.

use super::{Coverage, World};
use ballast_units::{FUNDING_ONE, Side};
use proptest::prelude::*;

/// One step. Choices of members and amounts are fractions of what is there, in 2^-16.
#[derive(Clone, Debug)]
pub enum Step {
    Join { side: Side, entry: u16, leverage: u16, lots: u64 },
    Leave { which: u16 },
    Price { mark: u16 },
    Funding { rise: i32 },
    Deleverage { side: Side, share: u16, price: i16, cells: Option<u8> },
    WearOut { side: Side },
    Recentre { side: Side },
    Sweep { side: Side },
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

pub fn step() -> impl Strategy<Value = Step> {
    let lots = prop_oneof![4 => 1u64..20, 4 => 1u64..100_000, 1 => 1u64..1 << 36];
    let cells = prop_oneof![3 => Just(None), 1 => (0u8..6).prop_map(Some)];
    prop_oneof![
        18 => (side(), any::<u16>(), any::<u16>(), lots)
            .prop_map(|(side, entry, leverage, lots)| Step::Join { side, entry, leverage, lots }),
        7 => any::<u16>().prop_map(|which| Step::Leave { which }),
        3 => any::<u16>().prop_map(|mark| Step::Price { mark }),
        3 => any::<i32>().prop_map(|rise| Step::Funding { rise }),
        6 => (side(), any::<u16>(), any::<i16>(), cells)
            .prop_map(|(side, share, price, cells)| Step::Deleverage { side, share, price, cells }),
        1 => side().prop_map(|side| Step::WearOut { side }),
        1 => side().prop_map(|side| Step::Recentre { side }),
        1 => side().prop_map(|side| Step::Sweep { side }),
    ]
}

/// A price between half and twice `around`.
fn near(around: u64, fraction: u16) -> u64 {
    around / 2 + part(around + around / 2, fraction)
}

fn part(of: u64, fraction: u16) -> u64 {
    u64::try_from(u128::from(of) * u128::from(fraction) / 65_535).unwrap()
}

fn perform(world: &mut World, around: u64, narrow: bool, step: &Step) {
    match *step {
        Step::Join { side, entry, leverage, lots } => {
            // In a narrow market most positions share a few cells.
            let (entry, leverage) = if narrow { (entry & 0xc000, leverage & 0xc000) } else { (entry, leverage) };
            let entry = near(around, entry);
            let gap = (entry as i64) * (i64::from(leverage) - 8_000) / 40_000;
            let bankruptcy = entry as i64 - side.sign() * gap;
            let lots = lots.min((1u64 << 62) / around / 256).max(1);
            world.join(side, entry, bankruptcy - world.funding / FUNDING_ONE, lots);
        }
        Step::Leave { which } => {
            let alive = world.ledger.alive();
            if !alive.is_empty() {
                world.leave(alive[usize::from(which) % alive.len()]);
            }
        }
        Step::Price { mark } => world.mark = ballast_units::Price(near(around, mark)),
        Step::Funding { rise } => {
            // At most an eighth of the price.
            let rise = (i128::from(rise) * i128::from(FUNDING_ONE) * i128::from(around)) >> 34;
            world.fund(i64::try_from(rise).unwrap());
        }
        Step::Deleverage { side, share, price, cells } => {
            let lots = part(world.ledger.open_interest(side), share);
            let price = (world.mark.0 as i64 + world.mark.0 as i64 * i64::from(price) / 400_000).max(1);
            world.deleverage(side, lots, price as u64, cells.map_or(u32::MAX, u32::from));
        }
        Step::WearOut { side } => world.wear_out(side),
        Step::Recentre { side } => world.recentre(side),
        Step::Sweep { side } => world.sweep(side),
    }
}

/// A life: cells in the pool, the price that it revolves around, what happens in it.
pub fn life(pool: std::ops::Range<u32>) -> impl Strategy<Value = (u32, u64, Vec<Step>)> {
    let around = prop_oneof![Just(5u64), Just(1_000), Just(1_000_000), Just(1 << 30), Just(1 << 38)];
    (pool, around, prop::collection::vec(step(), 1..80))
}

/// Lives it, with all invariants after each step, until everyone has left. Gives what it reached.
pub fn live((pool, around, steps): (u32, u64, Vec<Step>), narrow: bool) -> Coverage {
    let mut world = World::new(pool, around);
    for step in &steps {
        perform(&mut world, around, narrow, step);
        world.invariants_hold();
    }
    world.everyone_leaves();
    world.coverage
}
