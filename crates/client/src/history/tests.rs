use ballast::events::{
    AccountOpened, CollateralTransferred, Deposited, MakerFill, OrderPlaced, PositionChanged, Settled, Traded,
    Withdrawn,
};

use super::*;

fn key(byte: u8) -> Pubkey {
    Pubkey::new_from_array([byte; 32])
}

fn at(slot: u64) -> Moment {
    Moment { slot, unix_time: 1_000 }
}

fn trade(account: Pubkey, cause: Cause, base: i64, cash: i64, fee: u32, after: (i64, i64)) -> Event {
    let (lots, basis) = after;
    Event::PositionChanged(PositionChanged { market: 0, account, cause, base, cash, fee: fee.into(), lots, basis })
}

#[test]
fn a_day_of_trading_adds_up() {
    let (ann, bob) = (key(1), key(2));
    let mut history = History::default();
    history.enter(
        at(1),
        &[
            Event::AccountOpened(AccountOpened { account: ann, owner: key(9), number: 3 }),
            Event::Deposited(Deposited { account: ann, amount: 100, collateral: 100 }),
            Event::Deposited(Deposited { account: bob, amount: 50, collateral: 50 }),
        ],
    );
    let placed = OrderPlaced {
        market: 0,
        account: bob,
        seat: 4,
        order_id: 77,
        buys: false,
        price: 10,
        peg: None,
        lots: 5,
        reduce_only: false,
        expires_at: 0,
        client_id: 0,
    };
    let fill = MakerFill { seat: 4, order_id: 77, price: 10, lots: 5 };
    history.enter(
        at(2),
        &[
            Event::OrderPlaced(placed),
            Event::Traded(Traded {
                market: 0,
                taker: ann,
                bought: true,
                cause: Cause::Taker,
                wanted: 5,
                limit: 10,
                client_id: 0,
                fee: 2,
                fills: vec![fill],
                removed: Vec::new(),
            }),
            trade(ann, Cause::Taker, 5, -50, 2, (5, 50)),
        ],
    );
    history.enter(
        at(3),
        &[
            trade(ann, Cause::Taker, -5, 65, 2, (0, 0)),
            Event::Settled(Settled { market: 0, account: ann, funding: -3, moved: 12, unsettled: 0, collateral: 108 }),
            Event::CollateralTransferred(CollateralTransferred {
                from: ann,
                to: bob,
                amount: 8,
                from_collateral: 100,
                to_collateral: 58,
            }),
            Event::Withdrawn(Withdrawn { account: bob, amount: 58, collateral: 0 }),
        ],
    );
    let statement = history.account(&ann).unwrap();
    assert_eq!((statement.collateral, statement.fees, statement.funding), (100, 4, -3));
    assert!(statement.lines.is_empty(), "closed, and paid");
    let last: Vec<_> = statement.entries.iter().map(|entry| (entry.moment.slot, entry.collateral)).collect();
    assert_eq!(last, [(1, 0), (1, 100), (2, 100), (2, 98), (3, 96), (3, 96), (3, 108), (3, 100)]);
    let filled = |entry: &&Entry| matches!(entry.what, What::Filled { maker: true, bought: false, lots: 5, .. });
    assert_eq!(history.account(&bob).unwrap().entries.iter().filter(filled).count(), 1, "a maker hears of its fills");
    assert_eq!(history.account(&bob).unwrap().collateral, 0);
}

#[test]
fn a_fee_that_collateral_does_not_cover_is_charged_to_profit() {
    let mut history = History::default();
    history.enter(at(1), &[Event::Deposited(Deposited { account: key(1), amount: 3, collateral: 3 })]);
    history.enter(at(2), &[trade(key(1), Cause::Taker, 0, 40, 5, (0, 0))]);
    let statement = history.account(&key(1)).unwrap();
    assert_eq!((statement.collateral, statement.lines[&0].unsettled), (0, 38));
}
