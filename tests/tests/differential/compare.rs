//! Everything that both say, side by side.

use ballast_client::units::Side;
use ballast_tests::harness::World;

use crate::model::{Model, Slot};

/// Both are equal to the atom: accounts as of their last touch, fills that wait, resting orders in the order in which they
/// are met, pools and fees.
pub fn assert_equal(world: &mut World, model: &Model, after: &str) {
    for (at, expected) in model.markets.iter().enumerate() {
        let market = world.market(u16::try_from(at).expect("a few markets"));
        let money = [market.pool, market.fees, market.insurance_fees].map(i128::from);
        let found = (money, i128::from(market.fee_claims));
        let wanted = ([expected.pool, expected.fees, expected.insurance_fees], expected.fee_claims);
        assert_eq!(found, wanted, "pool, fees, insurance's fees, fee claims of market {at} after {after}");
    }
    let traders: Vec<_> = world.traders().collect();
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("the slabs are sound");
    let mut seats = Vec::new();
    for (number, trader) in traders.iter().enumerate() {
        let key = world.margin(*trader);
        let account = world.margin_account(*trader);
        let expected = &model.accounts[number];
        assert_eq!(i128::from(account.collateral), expected.collateral, "collateral of {number} after {after}");
        for market in 0..model.markets.len() {
            let index = u16::try_from(market).expect("a few markets");
            let mut found = Slot::default();
            if let Some(at) = account.slot_index(index) {
                let slot = &account.slots[at];
                (found.lots, found.basis) = (slot.lots.into(), slot.basis.into());
                found.unsettled = slot.unsettled.into();
                if slot.seat != 0 {
                    let seat =
                        view.market(index).expect("it exists").book.seat(slot.seat, &key.to_bytes()).expect("its seat");
                    let pending = seat.pending();
                    (found.waiting_lots, found.waiting_cash) = (pending.base.into(), pending.cash.into());
                    (found.waiting_fees, found.earned) = (pending.fees.into(), pending.bounty_base.into());
                    seats.push((index, slot.seat, number));
                }
            }
            let wanted = expected.slots.get(&market).cloned().unwrap_or_default();
            assert_eq!(found, wanted, "account {number} in market {market} after {after}");
        }
    }
    for (market, expected) in model.markets.iter().enumerate() {
        let index = u16::try_from(market).expect("a few markets");
        let book = &view.market(index).expect("it exists").book;
        for (side, buys) in [(Side::Long, true), (Side::Short, false)] {
            let whose = |seat: u32| seats.iter().find(|(of, id, _)| *of == index && *id == seat).map(|found| found.2);
            let found: Vec<_> = book
                .orders(side)
                .map(|order| (order.id.0, whose(order.seat), i128::from(order.price.0), i128::from(order.lots.0)))
                .collect();
            let mut wanted: Vec<_> = expected.orders.iter().filter(|order| order.buys == buys).collect();
            wanted.sort_by_key(|order| if buys { -order.price } else { order.price });
            let wanted: Vec<_> =
                wanted.iter().map(|order| (order.id, Some(order.account), order.price, order.lots)).collect();
            assert_eq!(found, wanted, "orders of market {market} after {after}");
        }
    }
}
