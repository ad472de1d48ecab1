//! The life of every order as events alone tell it, to be compared with what rests.

use std::collections::BTreeMap;

use ballast_client::{
    ballast::events::{MakerFill, OrderRemoved},
    events::Event,
    snapshot::Snapshot,
};

/// Lots that rest in every order, by market and id. Of one exchange: events name a market by its index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lives(BTreeMap<(u16, u128), u64>);

impl Lives {
    /// What rests now.
    pub fn resting(snapshot: &Snapshot) -> Lives {
        let view = snapshot.view().expect("sound slabs");
        let mut lives = Lives::default();
        for entry in snapshot.markets() {
            let market = entry.keys.index;
            let book = &view.market(market).expect("the market").book;
            for (seat, _) in book.seats() {
                let orders = book.seat_orders(seat).expect("a seat");
                lives.0.extend(orders.map(|order| ((market, order.id.0), order.lots.0)));
            }
        }
        lives
    }

    /// Follows what a transaction reports.
    ///
    /// # Panics
    /// If an event tells of an order that does not rest, or of more lots than it has.
    pub fn enter(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::OrderPlaced(placed) => {
                    let before = self.0.insert((placed.market, placed.order_id), placed.lots);
                    assert_eq!(before, None, "an id never names two orders");
                }
                Event::Traded(trade) => {
                    let fills = trade.fills.iter().map(|MakerFill { order_id, lots, .. }| (*order_id, *lots));
                    self.take_all(trade.market, fills.chain(removals(&trade.removed)));
                }
                Event::OrdersPruned(pruned) => self.take_all(pruned.market, removals(&pruned.removed)),
                Event::OrderEvicted(gone) => self.take_all(gone.market, [(gone.order_id, gone.lots)]),
                Event::OrderReduced(order) => {
                    let lots = self.0.get_mut(&(order.market, order.order_id)).expect("it rests");
                    assert!(order.lots > 0 && order.lots <= *lots, "it shrinks, or keeps its lots");
                    *lots = order.lots;
                }
                Event::OrdersCancelled(gone) => {
                    let lots = |id: &u128| self.0.remove(&(gone.market, *id)).expect("it rests");
                    assert_eq!(gone.order_ids.iter().map(lots).sum::<u64>(), gone.lots);
                }
                _ => {}
            }
        }
    }

    fn take_all(&mut self, market: u16, what: impl IntoIterator<Item = (u128, u64)>) {
        for (order, lots) in what {
            let left = self.0.get_mut(&(market, order)).expect("it rests");
            *left = left.checked_sub(lots).expect("it has as many");
            if *left == 0 {
                self.0.remove(&(market, order));
            }
        }
    }
}

fn removals(removed: &[OrderRemoved]) -> impl Iterator<Item = (u128, u64)> {
    removed.iter().map(|removed| (removed.order_id, removed.lots))
}
