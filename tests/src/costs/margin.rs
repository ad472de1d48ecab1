//! What an account pays for being in many markets: every instruction that checks its margin reads all of them.

use ballast_client::{
    instructions,
    units::{Lots, Price, Side},
};
use solana_signer::Signer;

use super::{
    Cost, Extent, Unit,
    crowd::{MARK, RICH, TICK, quiet, rest},
};
use crate::{
    harness::{MarketSpec, Trader, World},
    lookup::{self, LOCKS, PACKET, Sent},
};

/// Markets that an account can be in.
const MARKETS: u16 = 16;
/// Lots of a position.
const LOTS: u64 = 100;

/// Post-only orders by accounts with a position in 1, 4 and 16 markets, without and with an order resting in each. The
/// other markets' accounts come from a lookup table.
pub(super) fn margin(_: Extent) -> Vec<Cost> {
    let spec = MarketSpec { blocks: 64, cells: 64, ..MarketSpec::btc() };
    let mut world = quiet(&vec![spec; usize::from(MARKETS)]);
    let traders = [1, 4, MARKETS].map(|markets| (markets, world.trader(RICH)));
    for market in 0..MARKETS {
        let other_side = world.trader(RICH);
        for (_, trader) in traders.iter().filter(|(markets, _)| market < *markets) {
            world.trade(market, *trader, other_side, LOTS, MARK);
        }
    }
    let mut costs = Vec::new();
    let positions = traders.map(|(markets, trader)| (markets, post_only(&mut world.fork(), trader)));
    report(&mut costs, "position", &positions);

    for (markets, trader) in &traders {
        for market in 0..*markets {
            rest(&mut world, *trader, market, Side::Long, 1, MARK - 10 * TICK);
        }
    }
    let with_orders = traders.map(|(markets, trader)| (markets, post_only(&mut world, trader)));
    report(&mut costs, "position and order", &with_orders);

    let [.., (_, widest)] = with_orders;
    costs.push(Cost::new("accounts of that transaction", widest.accounts, Unit::Accounts).at_most(LOCKS));
    costs.push(Cost::new("bytes of that transaction", widest.bytes, Unit::Bytes).at_most(PACKET));
    costs
}

/// Places an order in the first market through a lookup table.
fn post_only(world: &mut World, trader: Trader) -> Sent {
    let table: Vec<_> = world.markets.iter().flat_map(|keys| [keys.market, keys.book, keys.ranks]).collect();
    let table = lookup::table(world, table);
    let (payer, owner, margin) = (world.payer.insecure_clone(), world.owner(trader), world.margin(trader));
    let others = world.others(trader, Some(0));
    let order = instructions::post_only_order(Side::Long, Price(MARK - 20 * TICK), Lots(1));
    let place = instructions::place_order(&owner.pubkey(), &margin, &world.market_keys(0), order, &others);
    lookup::send(world, place, &table, &[&payer, &owner])
}

fn report(costs: &mut Vec<Cost>, what: &str, measured: &[(u16, Sent); 3]) {
    for (markets, sent) in measured {
        let plural = if *markets == 1 { "" } else { "s" };
        costs.push(Cost::units(format!("post-only, {what} in {markets} market{plural}"), sent.units));
    }
    let [(fewest, cheapest), _, (most, dearest)] = measured;
    let further = (dearest.units - cheapest.units) / u64::from(most - fewest);
    costs.push(Cost::units(format!("each further market with {what}, (16 - 1) / 15"), further).at_most(2_500));
}
