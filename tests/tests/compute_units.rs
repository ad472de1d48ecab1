//! No instruction costs grossly more than when its limit was set. `cargo xtask bench` prints the figures beside the budgets;
//! this only fails where something went wrong.

use ballast_tests::costs::{Extent, PARTS, Unit, table};

/// Half more than was measured on 21 November 2026, rounded up to 500 compute units. On 29 November 2,000 more, but no more than
/// the budget, for those that exceeded it: every instruction records its events since then, which costs 1,300 to 2,000.
const LIMITS: [(&str, u64); 65] = [
    ("post-only, 1,000 orders a side: median", 8_000),
    ("post-only, 1,000 orders a side: 95th percentile", 8_500),
    ("post-only, an account's first order, with a position", 8_500),
    ("post-only, an account's first order, without one", 8_500),
    ("cancel, 1,000 orders a side: median", 4_000),
    ("cancel, 1,000 orders a side: 95th percentile", 5_000),
    ("cancel all of 10 orders", 8_500),
    ("replace, another price", 9_000),
    ("replace, fewer lots in its place", 5_000),
    ("batch of 8 post-only orders", 24_000),
    ("batch of 8 post-only orders in the place of 8", 28_000),
    ("post-only, pegged", 7_000),
    ("take, 1 pegged maker", 10_500),
    ("post-only, 20000 orders resting: median", 7_500),
    ("cancel, 20000 orders resting: median", 5_000),
    ("take, 1 maker, 20000 orders resting: median", 10_500),
    ("take, 1 maker", 9_500),
    ("take, 1 maker, the account's first trade", 10_500),
    ("take, 10 makers", 17_500),
    ("take, 50 makers", 52_500),
    ("each further maker, (50 makers - 1 maker) / 49", 1_000),
    ("post-only, position in 1 market", 8_000),
    ("post-only, position in 4 markets", 12_500),
    ("post-only, position in 16 markets", 37_000),
    ("each further market with position, (16 - 1) / 15", 2_500),
    ("post-only, position and order in 1 market", 8_500),
    ("post-only, position and order in 4 markets", 13_000),
    ("post-only, position and order in 16 markets", 39_500),
    ("each further market with position and order, (16 - 1) / 15", 2_500),
    ("partial liquidation, 1 fill", 13_500),
    ("partial liquidation, 1 fill, 10 orders cancelled", 18_000),
    ("takeover", 25_000),
    ("place trigger, the account's first", 5_000),
    ("place trigger", 6_500),
    ("place a pair of triggers", 6_000),
    ("cancel trigger", 5_500),
    ("ratchet trailing stop", 5_500),
    ("execute trigger, 1 maker", 13_000),
    ("execute trigger of a pair, 1 maker", 13_500),
    ("ladder, 1 maker", 13_500),
    ("position joins the index of 20,000: median", 500),
    ("position joins the index of 20,000: 95th percentile", 500),
    ("position leaves the index: median", 500),
    ("position leaves the index: 95th percentile", 500),
    ("position leaves after deleveraging took it whole: median", 1_000),
    ("position leaves after deleveraging took it whole: 95th percentile", 1_500),
    ("position leaves after deleveraging took a part: median", 1_500),
    ("position leaves after deleveraging took a part: 95th percentile", 1_500),
    ("deleverage 5 % of 1,000 shorts after a fall of 15 %", 48_500),
    ("deleverage 5 % of 20,000 shorts after a fall of 15 %", 77_000),
    ("deleverage 5 % of 1,000 shorts after a fall of 1 %", 40_500),
    ("deleverage 5 % of 20,000 shorts after a fall of 1 %", 90_000),
    ("deleverage 5 % of 1,000 longs after a rise of 15 %", 44_500),
    ("deleverage 5 % of 20,000 longs after a rise of 15 %", 120_000),
    ("refresh market, PriceUpdateV2, 100 orders a side", 7_500),
    ("refresh market, legacy Pyth account, 100 orders a side", 7_000),
    ("settle seat, one fill, no position before", 9_000),
    ("settle seat, one fill, a position before", 8_000),
    ("settle seat, nothing waiting", 6_500),
    ("rerank", 7_000),
    ("open account: median", 18_000),
    ("deposit", 11_500),
    ("withdraw, no position", 12_500),
    ("withdraw, position in 1 market", 14_500),
    ("close account", 4_000),
];

#[test]
fn no_instruction_costs_grossly_more_than_it_did() {
    let costs: Vec<_> = PARTS.iter().flat_map(|(_, measure)| measure(Extent::Brief)).collect();
    println!("{}", table(&costs));
    for (name, limit) in LIMITS {
        let cost = costs.iter().find(|cost| cost.name == name && cost.unit == Unit::ComputeUnits);
        let measured = cost.unwrap_or_else(|| panic!("{name} was not measured")).measured;
        assert!(measured <= limit, "{name}: {measured} compute units, more than {limit}");
    }
}
