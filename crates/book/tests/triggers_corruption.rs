//! Random damage to a slab with triggers: whatever is called must come back, with a result or an error.

mod common;

use ballast_book::{BookView, Execution, Fires, NewTrigger, Terms, TriggerId, TriggerPrice};
use ballast_units::{Lots, Price, Side};
use common::damage::{damage, inflict};
use common::{Slab, key, order};
use proptest::prelude::*;

const SEATS: u32 = 4;
const BLOCKS: u32 = 120;
/// How many blocks the book below uses.
const USED: usize = 40;

fn new(n: u64, seat: u32) -> NewTrigger {
    let side = if n.is_multiple_of(2) { Side::Long } else { Side::Short };
    let price = if n.is_multiple_of(3) {
        TriggerPrice::Trailing { ppm: 10_000, best: Price(90 + n) }
    } else {
        TriggerPrice::Fixed(Price(80 + n * 7 % 30))
    };
    let fires = if n.is_multiple_of(3) { Fires::stop(side) } else { Fires::BOTH[(n / 2 % 2) as usize] };
    let execution = Execution::Market { slippage_bps: 100 };
    let lots = if n.is_multiple_of(5) { None } else { Some(Lots(n % 4 + 1)) };
    NewTrigger {
        seat,
        side,
        fires,
        terms: Terms { price, lots, execution, expires_at: 0 },
        client_id: n,
        entry: 0,
        filled: Lots(0),
    }
}

/// A book with four seats, some orders, and thirty triggers, half of them in pairs, one paired with an order.
fn sound() -> (Slab, Vec<TriggerId>) {
    let mut slab = Slab::new(BLOCKS);
    for n in 1..=SEATS {
        slab.book().open_seat(key(n as u8), key(n as u8)).unwrap();
    }
    let mut ids = Vec::new();
    for n in 0..28u64 {
        ids.push(slab.book().place_trigger(new(n, 1 + (n as u32 % SEATS))).unwrap());
    }
    for n in (0..16).step_by(8) {
        for seat in 0..4 {
            slab.book().pair_triggers(ids[n + seat], ids[n + seat + 4]).unwrap_or(());
        }
    }
    let placed = slab.book().rest(order(Side::Short, 120, 3, 1)).unwrap();
    slab.book().trigger_became_order(ids[0], placed).unwrap();
    slab.book().remove_trigger(ids[9], 2).unwrap();
    slab.view().check().unwrap();
    (slab, ids)
}

/// Calls everything; results do not matter.
fn call_everything(slab: &mut Slab, ids: &[TriggerId], price: u64) {
    let view = slab.view();
    let _ = (view.check(), view.trigger_count());
    for fires in Fires::BOTH {
        let _ = (view.triggers(fires).count(), view.due_triggers(fires, Price(price)).count());
    }
    for seat in 0..SEATS + 2 {
        let _ = view.seat_triggers(seat).map(|list| assert!(list.count() <= 16));
    }
    let mut book = slab.book();
    for (n, id) in ids.iter().enumerate() {
        let seat = 1 + n as u32 % SEATS;
        let _ = (book.view().trigger(*id), book.view().sibling(*id));
        let _ = match n % 6 {
            0 => book.ratchet_trigger(*id, Price(price)).map(|_| ()),
            1 => book.edit_trigger(*id, seat, new(price, seat).terms),
            2 => book.execute_trigger(*id, Lots(2), price.is_multiple_of(2)).map(|_| ()),
            3 => book.remove_trigger(*id, seat).map(|_| ()),
            4 => book.place_trigger(new(price + n as u64, seat)).map(|_| ()),
            _ => book.pair_triggers(*id, ids[n - 1]),
        };
    }
    for seat in 0..SEATS + 2 {
        let _ = book.remove_triggers(seat, |trigger| trigger.client_id.is_multiple_of(2));
        let _ = book.remove_triggers(seat, |_| true);
        let _ = book.cancel_all(seat, None, u32::MAX, |_| ());
        let _ = book.close_seat(seat, &key(seat as u8));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn inv_11_damaged_triggers_neither_panic_nor_run_without_end(
        damages in prop::collection::vec(damage(USED), 0..8),
        price in 60u64..140,
    ) {
        let (mut slab, ids) = sound();
        for damage in damages {
            inflict(slab.bytes(), damage);
        }
        if BookView::load(slab.bytes()).is_ok() {
            call_everything(&mut slab, &ids, price);
        }
    }
}
