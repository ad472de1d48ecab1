//! Random damage to a slab with triggers: whatever is called must come back, with a result or an error.

mod common;

use ballast_book::{BLOCK, BookView, Execution, Fires, HEADER, NewTrigger, Terms, TriggerId, TriggerPrice};
use ballast_units::{Lots, Price, Side};
use common::{Slab, key, order};
use proptest::prelude::*;

const SEATS: u32 = 4;
const BLOCKS: u32 = 120;
/// How many bytes the book below uses.
const USED: usize = HEADER + 40 * BLOCK;

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
    NewTrigger { seat, side, fires, terms: Terms { price, lots, execution, expires_at: 0 }, client_id: n }
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

#[derive(Clone, Copy, Debug)]
enum Damage {
    /// A byte anywhere.
    Byte(usize, u8),
    /// A link: any aligned 32 bits become a small number, perhaps marked as a leaf.
    Link(usize, u32, bool),
    /// A block becomes a copy of another.
    Copy(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (8..USED, any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (2..USED / 4, 0u32..40, any::<bool>()).prop_map(|(at, id, leaf)| Damage::Link(at * 4, id, leaf)),
        (2usize..40, 2usize..40).prop_map(|(from, to)| Damage::Copy(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn inv_11_damaged_triggers_neither_panic_nor_run_without_end(
        damages in prop::collection::vec(damage(), 0..8),
        price in 60u64..140,
    ) {
        let (mut slab, ids) = sound();
        for damage in damages {
            let bytes = slab.bytes();
            match damage {
                Damage::Byte(at, byte) => bytes[at] = byte,
                Damage::Link(at, id, leaf) => {
                    bytes[at..at + 4].copy_from_slice(&(id | if leaf { 1 << 31 } else { 0 }).to_le_bytes());
                }
                Damage::Copy(from, to) => bytes.copy_within(BLOCK * from..BLOCK * (from + 1), BLOCK * to),
            }
        }
        if BookView::load(slab.bytes()).is_ok() {
            call_everything(&mut slab, &ids, price);
        }
    }
}
