//! Deleveraging against a market of up to a million positions.
//!
//! The index is filled off chain, through the same crate that the program uses; trading a million positions into it would
//! leave the same bytes. Everything else is the exchange's: the bankrupt account got its position by a trade.

use ballast_client::{
    ballast::state::{MarginAccount, MarginTier, SLAB_PREFIX, Slot},
    events::Event,
    units::{FUNDING_ONE, Lots, MAX_LOTS, Price, Side},
};
use ballast_rank::{Index, Membership};
use bytemuck::Zeroable;
use solana_account::Account;
use solana_pubkey::Pubkey;

use super::{
    Cost, Extent, Unit,
    crowd::{MARK, RICH, quiet},
    population::solvent,
};
use ballast::instructions::MAX_CELLS;

use crate::harness::{BTC, Chain, Expect, MarketSpec, Trader, World};

/// Part of the open interest that is deleveraged: one in this many lots.
const SHARE: u64 = 20;
/// Cells of the index, for both sides.
const CELLS: u32 = 16_384;
const BUDGET: u64 = 150_000;

/// Takes 5 % of the lots of 1,000, 20,000 and 1,000,000 members. Longs' scores are spread over more cells than shorts'; a
/// small fall spreads shorts' over more than a large one, while for longs all moves are alike.
pub(super) fn deleveraging(extent: Extent) -> Vec<Cost> {
    let small = [(1_000, "1,000"), (20_000, "20,000")];
    let million = [(1_000_000, "1,000,000")];
    let sizes = match extent {
        Extent::Full => [&small[..], &million[..]].concat(),
        Extent::Brief => small.to_vec(),
    };
    let mut costs = Vec::new();
    for (side, percent) in [(Side::Short, 15), (Side::Short, 1), (Side::Long, 15)] {
        for (members, written) in &sizes {
            let done = Crash::among(*members, side, percent).deleverage();
            let (whose, moved) = match side {
                Side::Long => ("longs", "rise"),
                Side::Short => ("shorts", "fall"),
            };
            let name = format!("deleverage 5 % of {written} {whose} after a {moved} of {percent} %");
            costs.extend([
                Cost::new(format!("{name}: cells"), done.cells, Unit::Cells),
                Cost::new(format!("{name}: instructions"), done.instructions, Unit::Instructions),
                Cost::units(name, done.units).at_most(BUDGET),
            ]);
        }
    }
    costs
}

/// A market after a move in which an account with 5 % of the open interest has become bankrupt.
struct Crash {
    world: World,
    bankrupt: Trader,
    caller: Trader,
}

/// What closing the bankrupt position took.
#[derive(Default)]
struct Done {
    units: u64,
    cells: u64,
    instructions: u64,
}

impl Crash {
    /// `members` of `side` profit from a move of the mark by `percent`.
    fn among(members: usize, side: Side, percent: u64) -> Crash {
        let moved = MARK * percent / 100;
        let mark = match side {
            Side::Long => MARK + moved,
            Side::Short => MARK - moved,
        };
        let members = solvent(side, Price(MARK), Price(mark), members, 21);
        let open_interest: u64 = members.iter().map(|position| position.lots).sum();
        let share = open_interest / SHARE;

        let spec = MarketSpec { cells: CELLS, ..MarketSpec::btc() }.with(|params| {
            params.max_position_lots = MAX_LOTS;
            params.max_open_interest_lots = MAX_LOTS;
            // Leverage up to 125 for any size.
            (params.tiers[0].maintenance_bps, params.tiers[0].initial_bps) = (40, 80);
            params.tiers[1] = MarginTier::zeroed();
            params.band_bps = 160;
        });
        let mut world = quiet(&[spec]);
        let value = share * MARK;
        // The bankrupt account has nine tenths of what it will lose.
        let (bankrupt, other) = (world.trader(value / 1_000 * 9 * percent), world.trader(value));
        let caller = world.trader(RICH);
        let (buyer, seller) = match side {
            Side::Long => (other, bankrupt),
            Side::Short => (bankrupt, other),
        };
        world.trade(BTC, buyer, seller, share, MARK);
        world.move_price(BTC, mark);

        let left = forget_position(&mut world, other);
        let funding = world.market(BTC).funding_index();
        with_ranks(&mut world, |index| {
            index.leave(side, &left, funding, Price(mark)).expect("the other one is a member");
            let mut join = |side, entry, bankruptcy: i64, lots| {
                let beta = bankruptcy - funding.div_euclid(FUNDING_ONE);
                index.join(side, Price(entry), beta, Lots(lots), funding).expect("room");
            };
            for position in &members {
                join(side, position.entry, position.bankruptcy, position.lots);
            }
            // The others on the bankrupt account's side, who are not concerned.
            join(side.opposite(), MARK, 0, open_interest - share);
            index.view().check().expect("the index is sound");
            assert_eq!(index.open_interest(Side::Long), index.open_interest(Side::Short));
        });
        Crash { world, bankrupt, caller }
    }

    /// Deleverages until the position is closed.
    fn deleverage(mut self) -> Done {
        let mut done = Done::default();
        while self.world.slot(self.bankrupt, BTC).lots != 0 {
            let receipt = self.world.deleverage(self.caller, self.bankrupt, BTC, MAX_CELLS).succeeds();
            done.units += receipt.units();
            done.instructions += 1;
            for event in receipt.events() {
                if let Event::Deleveraged(event) = event {
                    assert!(!event.in_profit_exhausted && event.insurance_drawn == 0, "all goes by rank");
                    done.cells += event.cells.len() as u64 / 8;
                }
            }
        }
        done
    }
}

/// Takes a trader's position out of its account, as if it had never traded; gives its place in the index.
fn forget_position(world: &mut World, trader: Trader) -> Membership {
    let mut margin = world.margin_account(trader);
    let slot = margin.slot_index(BTC).expect("the trader has a position");
    let membership = *margin.slots[slot].membership();
    margin.slots[slot] = Slot::zeroed();
    let key = world.margin(trader);
    rewrite(world, key, |data| {
        let start = data.len() - size_of::<MarginAccount>();
        data[start..].copy_from_slice(bytemuck::bytes_of(&margin));
    });
    membership
}

/// Changes the market's ranking index.
pub(super) fn with_ranks(world: &mut World, change: impl FnOnce(&mut Index)) {
    let key = world.market_keys(BTC).ranks;
    rewrite(world, key, |data| {
        // A copy whose alignment is the chain's.
        let mut words = vec![0u64; (data.len() - SLAB_PREFIX).div_ceil(8)];
        let slab = &mut bytemuck::cast_slice_mut(&mut words)[..data.len() - SLAB_PREFIX];
        slab.copy_from_slice(&data[SLAB_PREFIX..]);
        change(&mut Index::load(slab).expect("the market's index"));
        data[SLAB_PREFIX..].copy_from_slice(slab);
    });
}

/// Changes an account's data.
fn rewrite(world: &mut World, key: Pubkey, change: impl FnOnce(&mut [u8])) {
    let mut account = Account::from(world.chain.account(&key).expect("the account exists"));
    change(&mut account.data);
    world.chain.put_account(key, account);
}
