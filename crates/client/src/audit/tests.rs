//! The exchange of [`crate::testing`] is sound; each test makes one thing wrong and names the check that finds it.

use ballast::state::{MarginAccount, Market, SLAB_PREFIX};
use ballast_book::{BLOCK, HEADER};
use ballast_units::{Lots, Price, Side};
use bytemuck::Zeroable;
use solana_pubkey::Pubkey;

use super::{Invariant, audit};
use crate::testing::{BOOK, EXCHANGE, LONG, MAKER, MARKET, PRICE, RANKS, SHORT, World};

/// The invariants that do not hold, each once.
fn violated(world: &World) -> Vec<Invariant> {
    let report = audit(&world.snapshot().unwrap(), &world.vaults);
    let mut found: Vec<_> = report.violations().map(|check| check.invariant).collect();
    found.sort();
    found.dedup();
    found
}

fn after(change: impl FnOnce(&mut World)) -> Vec<Invariant> {
    let mut world = World::new();
    change(&mut world);
    violated(&world)
}

/// Adds one to the only word of the data that has this value.
fn bump(data: &mut [u8], value: u64) {
    let matches: Vec<_> = (0..data.len() / 8).filter(|at| data[at * 8..at * 8 + 8] == value.to_le_bytes()).collect();
    let [at] = matches[..] else { panic!("{} words have the value {value}", matches.len()) };
    data[at * 8..at * 8 + 8].copy_from_slice(&(value + 1).to_le_bytes());
}

#[test]
fn a_sound_exchange_is_clean_to_the_atom() {
    let world = World::new();
    audit(&world.snapshot().unwrap(), &world.vaults).assert_exact();
}

#[test]
fn a_vault_that_lacks_an_atom_is_found() {
    assert_eq!(after(|world| world.vaults.collateral -= 1), [Invariant::VaultCovers]);
}

#[test]
fn donated_tokens_are_no_violation_but_are_told() {
    let mut world = World::new();
    world.vaults.collateral += 3;
    let report = audit(&world.snapshot().unwrap(), &world.vaults);
    assert!(report.is_clean());
    assert_eq!(report.surplus, 3);
}

#[test]
fn collateral_out_of_nothing_is_found() {
    let found = after(|world| world.change(LONG, |account: &mut MarginAccount| account.collateral += 1));
    assert_eq!(found, [Invariant::VaultCovers]);
}

#[test]
fn an_atom_of_profit_out_of_nothing_is_found() {
    for key in [LONG, SHORT, MAKER] {
        let found = after(|world| world.change(key, |account: &mut MarginAccount| account.slots[0].unsettled += 1));
        assert_eq!(found, [Invariant::Money]);
    }
}

#[test]
fn a_basis_that_drifted_is_found() {
    let found = after(|world| world.change(SHORT, |account: &mut MarginAccount| account.slots[0].basis -= 1));
    assert_eq!(found, [Invariant::Money]);
}

#[test]
fn every_pocket_of_a_market_is_counted() {
    type Change = fn(&mut Market);
    let pool: Change = |market| market.pool += 1;
    let claims: Change = |market| market.fee_claims += 1;
    assert_eq!(after(|world| world.change(MARKET, claims)), [Invariant::Money]);
    let rebates: Change = |market| market.rebates += 1;
    for change in [pool, rebates] {
        assert_eq!(after(|world| world.change(MARKET, change)), [Invariant::VaultCovers, Invariant::Money]);
    }
    let fees: Change = |market| market.fees += 1;
    let insurance: Change = |market| market.insurance_fees += 1;
    for change in [fees, insurance] {
        assert_eq!(after(|world| world.change(MARKET, change)), [Invariant::VaultCovers]);
    }
}

#[test]
fn a_funding_index_is_everybodys_to_the_last_fraction() {
    // Cells and seats hold their cash relative to the index: wherever it is, what some pay the others receive.
    let mut world = World::new();
    for move_by in [1, 12_345, 1 << 30] {
        world.change(MARKET, |market: &mut Market| market.funding[0] += move_by);
        audit(&world.snapshot().unwrap(), &world.vaults).assert_exact();
    }
}

#[test]
fn funding_of_a_waiting_fill_out_of_nothing_is_found() {
    // The sum of the header and that of the only seat, the last of its block.
    let found = after(|world| {
        let data = &mut world.data(BOOK)[SLAB_PREFIX..];
        data[24] ^= 1;
        data[HEADER + BLOCK - 16] ^= 1;
    });
    assert_eq!(found, [Invariant::Money]);
}

#[test]
fn cash_in_a_seat_out_of_nothing_is_found() {
    // The maker sold 1,500 lots for 1,500,000 atoms.
    let found = after(|world| bump(world.data(BOOK), 1_500 * PRICE));
    assert_eq!(found, [Invariant::Money]);
}

#[test]
fn orders_that_disagree_with_their_seat_are_found() {
    // 500 lots at 1,000 rest.
    assert_eq!(after(|world| bump(world.data(BOOK), 500 * PRICE)), [Invariant::Book]);
}

#[test]
fn a_position_of_other_lots_than_it_joined_with_is_found() {
    let found = after(|world| world.change(LONG, |account: &mut MarginAccount| account.slots[0].lots += 1));
    assert_eq!(found, [Invariant::Membership, Invariant::Cells]);
}

#[test]
fn a_position_that_forgot_its_membership_is_found() {
    let forget = |account: &mut MarginAccount| account.slots[0].membership = Zeroable::zeroed();
    assert_eq!(after(|world| world.change(LONG, forget)), [Invariant::Membership, Invariant::Cells]);
}

#[test]
fn a_membership_of_another_life_of_the_cell_is_found() {
    let age = |account: &mut MarginAccount| {
        let mut member = *account.slots[0].membership();
        member.generation += 1;
        account.slots[0].set_membership(member);
    };
    assert_eq!(after(|world| world.change(SHORT, age)), [Invariant::Membership, Invariant::Cells]);
}

#[test]
fn a_membership_without_a_position_is_found() {
    let found = after(|world| {
        let data = world.accounts[&LONG].data.clone();
        let long: MarginAccount = bytemuck::pod_read_unaligned(&data[8..]);
        world.change(MAKER, |account: &mut MarginAccount| {
            account.slots[0].set_membership(*long.slots[0].membership());
        });
    });
    assert_eq!(found, [Invariant::Membership]);
}

#[test]
fn a_member_of_the_index_that_no_account_knows_is_found() {
    let world = World::with(|ranks| {
        ranks.join(Side::Long, Price(PRICE), 900, Lots(3), 0).unwrap();
    });
    assert_eq!(violated(&world), [Invariant::Money, Invariant::OpenInterest, Invariant::Cells]);
}

#[test]
fn a_deleveraging_that_only_one_side_saw_is_found() {
    let world = World::with(|ranks| {
        let (price, mark) = (Price(1_050), Price(1_080));
        let done = ranks.deleverage(Side::Long, Lots(100), price, mark, 0, 8, |_| {}).unwrap();
        assert_eq!(done.lots, Lots(100));
    });
    assert_eq!(violated(&world), [Invariant::Money, Invariant::OpenInterest]);
}

#[test]
fn an_open_interest_that_disagrees_with_its_cells_is_found() {
    // The same number is in the cell, in the side's counter, and only there.
    let found = after(|world| {
        let data = world.data(RANKS);
        let word = 7_000u64.to_le_bytes();
        let at = data.windows(8).position(|bytes| bytes == word).unwrap();
        data[at] += 1;
    });
    assert_eq!(found, [Invariant::OpenInterest, Invariant::Ranks]);
}

#[test]
fn a_slot_with_somebody_elses_seat_is_found() {
    let found = after(|world| world.change(LONG, |account: &mut MarginAccount| account.slots[0].seat = 1));
    assert_eq!(found, [Invariant::Seats]);
}

#[test]
fn a_seat_that_no_slot_names_is_found() {
    let found = after(|world| world.change(MAKER, |account: &mut MarginAccount| account.slots[0].seat = 0));
    assert_eq!(found, [Invariant::Seats]);
}

#[test]
fn a_seat_of_another_owner_is_found() {
    let found = after(|world| world.change(MAKER, |account: &mut MarginAccount| account.owner = EXCHANGE));
    assert_eq!(found, [Invariant::Seats]);
}

#[test]
fn a_lost_account_is_found() {
    let found = after(|world| drop(world.accounts.remove(&SHORT)));
    assert_eq!(found, [Invariant::Money, Invariant::Cells]);
}

#[test]
fn an_account_twice_in_a_market_or_in_none_is_found() {
    let twice = |account: &mut MarginAccount| account.slots[1].market_plus_one = 1;
    assert_eq!(after(|world| world.change(LONG, twice)), [Invariant::Bounds]);
    let nowhere = |account: &mut MarginAccount| account.slots[1].market_plus_one = 9;
    assert_eq!(after(|world| world.change(LONG, nowhere)), [Invariant::Bounds]);
    let left_over = |account: &mut MarginAccount| account.slots[1].unsettled = 1;
    assert_eq!(after(|world| world.change(LONG, left_over)), [Invariant::Bounds]);
}

#[test]
fn negative_claims_and_unknown_states_are_found() {
    let negative = |market: &mut Market| (market.fee_claims, market.pool) = (-1, market.pool - 41);
    assert_eq!(
        after(|world| {
            world.change(MARKET, negative);
            world.vaults.collateral -= 41;
        }),
        [Invariant::Bounds]
    );
    assert_eq!(after(|world| world.change(MARKET, |market: &mut Market| market.status = 77)), [Invariant::Bounds]);
}

#[test]
fn accounts_of_other_programs_and_exchanges_do_not_count() {
    let mut world = World::new();
    let mut foreign = world.accounts[&LONG].clone();
    foreign.owner = EXCHANGE;
    world.accounts.insert(Pubkey::new_from_array([77; 32]), foreign);
    let mut other = world.accounts[&LONG].clone();
    other.data[16..48].copy_from_slice(&[9; 32]);
    world.accounts.insert(Pubkey::new_from_array([78; 32]), other);
    audit(&world.snapshot().unwrap(), &world.vaults).assert_exact();
}

#[test]
fn the_report_is_readable_by_people_and_machines() {
    let mut world = World::new();
    world.vaults.collateral -= 1;
    let report = audit(&world.snapshot().unwrap(), &world.vaults);
    let text = report.to_string();
    assert!(text.contains("VIOLATED  vault covers") && text.contains("surplus -1"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(json["surplus"], "-1");
    assert_eq!(json["checks"][0]["figures"]["vault"], (1_600_589).to_string());
}

#[test]
fn funding_on_a_fraction_that_a_departed_member_left_is_the_dust_owners() {
    let mut world = World::with(|ranks| {
        // Beside the other short; reduced together; leaves a fraction of a lot in the cell.
        let departing = ranks.join(Side::Short, Price(PRICE), 1_100, Lots(1_000), 0).unwrap();
        ranks.deleverage(Side::Short, Lots(333), Price(950), Price(940), 0, 8, |_| {}).unwrap();
        ranks.leave(Side::Short, &departing, 0, Price(940)).unwrap();
    });
    world.change(MARKET, |market: &mut Market| market.funding[0] = (-100i64 << 24).cast_unsigned());
    let report = audit(&world.snapshot().unwrap(), &world.vaults);
    let cells: Vec<_> = report.checks.iter().filter(|check| check.invariant == Invariant::Cells).collect();
    let [check] = cells[..] else { panic!("{report}") };
    let left = check.figures.iter().find(|(name, _)| *name == "cash × 2^24 left").unwrap().1;
    assert!(check.holds && left < 0, "{report}");
}

#[test]
fn a_claim_beyond_what_a_cell_has_is_found() {
    let claim = |account: &mut MarginAccount| {
        let mut member = *account.slots[0].membership();
        // As if it had joined when the funding index of its cell was far lower.
        member.g = [(-1i64 << 40).cast_unsigned(), (-1i64 << 48).cast_unsigned()];
        account.slots[0].set_membership(member);
    };
    assert_eq!(after(|world| world.change(LONG, claim)), [Invariant::Cells]);
}
