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
use crate::harness::{BTC, Chain, Expect, MarketSpec, Trader, World};

/// Part of the open interest that is deleveraged: one in this many lots.
const SHARE: u64 = 20;
/// Cells of the index, for both sides.
const CELLS: u32 = 16_384;
/// Most cells of one instruction: the program's own limit.
const MAX_CELLS: u32 = 512;
const BUDGET: u64 = 150_000;

/// Takes 5 % of the open interest from 1,000, 20,000 and 1,000,000 members after a fall of 15 %; and from 1,000,000 after
/// one of 1 %, when the best scores are spread over the most cells of all falls that were tried.
pub(super) fn deleveraging(extent: Extent) -> Vec<Cost> {
    let all = [(1_000, "1,000", 15), (20_000, "20,000", 15), (1_000_000, "1,000,000", 15), (1_000_000, "1,000,000", 1)];
    let measured = match extent {
        Extent::Full => &all[..],
        Extent::Brief => &all[..2],
    };
    let mut costs = Vec::new();
    for (members, written, fall) in measured {
        let done = Crash::among(*members, *fall).deleverage();
        let name = format!("deleverage 5 % of the open interest of {written} after a fall of {fall} %");
        costs.extend([
            Cost::units(&name, done.units).at_most(BUDGET),
            Cost::new(format!("{name}: cells"), done.cells, Unit::Cells),
            Cost::new(format!("{name}: instructions"), done.instructions, Unit::Instructions).at_most(1),
        ]);
    }
    costs
}

/// A market after a crash in which a long with 5 % of the open interest is bankrupt.
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
    /// Shorts profit from a fall by `fall` percent.
    fn among(members: usize, fall: u64) -> Crash {
        let mark = MARK - MARK * fall / 100;
        let shorts = solvent(Side::Short, Price(MARK), Price(mark), members, 21);
        let open_interest: u64 = shorts.iter().map(|position| position.lots).sum();
        let share = open_interest / SHARE;

        let spec = MarketSpec { cells: CELLS, ..MarketSpec::btc() }.with(|params| {
            params.max_position_lots = MAX_LOTS;
            params.max_open_interest_lots = MAX_LOTS;
            // Leverage up to 125 for any size.
            (params.tiers[0].maintenance_bps, params.tiers[0].initial_bps) = (40, 80);
            params.band_bps = 160;
            params.tiers[1] = MarginTier::zeroed();
        });
        let mut world = quiet(&[spec]);
        let value = share * MARK;
        // The bankrupt account has nine tenths of what it will lose.
        let (bankrupt, seller) = (world.trader(value / 1_000 * 9 * fall), world.trader(value));
        let caller = world.trader(RICH);
        world.trade(BTC, bankrupt, seller, share, MARK);
        world.move_price(BTC, mark);

        let seller_left = forget_position(&mut world, seller);
        let funding = world.market(BTC).funding_index();
        with_ranks(&mut world, |index| {
            index.leave(Side::Short, &seller_left, funding, Price(mark)).expect("the seller is a member");
            let mut join = |side, entry, bankruptcy: i64, lots| {
                let beta = bankruptcy - funding.div_euclid(FUNDING_ONE);
                index.join(side, Price(entry), beta, Lots(lots), funding).expect("room");
            };
            for position in &shorts {
                join(Side::Short, position.entry, position.bankruptcy, position.lots);
            }
            // The other longs, who are not concerned.
            join(Side::Long, MARK, 0, open_interest - share);
            index.view().check().expect("the index is sound");
            let [longs, shorts] = Side::BOTH.map(|side| index.open_interest(side));
            assert_eq!(longs, shorts);
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
fn with_ranks(world: &mut World, change: impl FnOnce(&mut Index)) {
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
