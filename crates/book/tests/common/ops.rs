//! Random operations.

use ballast_book::{MatchTerms, NewOrder, SelfTrade, Taker};
use ballast_units::{Lots, Price, Side};
use proptest::prelude::*;

use super::key;

/// One of those that there are: a part of their number, in 2^-16.
#[derive(Clone, Copy, Debug)]
pub struct Pick(pub u16);

impl Pick {
    /// A place below `length`.
    pub fn place(self, length: usize) -> usize {
        (usize::from(self.0) * length) >> 16
    }

    /// The element there.
    pub fn of<T>(self, from: &[T]) -> &T {
        &from[self.place(from.len())]
    }
}

#[derive(Clone, Debug)]
pub enum Op {
    OpenSeat { account: u8, owner: u8 },
    CloseSeat(Pick),
    Rest { seat: Pick, order: NewOrder },
    Match { taker: Taker },
    Cancel { order: Pick, seat: Option<Pick> },
    CancelByClientId { seat: Pick, client_id: u64 },
    CancelAll { seat: Pick, side: Option<Side>, limit: u32 },
    CancelExpired { order: Pick, now: i64 },
    Clean { side: Side, terms: MatchTerms, limit: u32 },
    Reduce { order: Pick, lots: Lots },
    CutReduceOnly { seat: Pick, side: Side, keep: Lots },
    EvictWorst(Side, MatchTerms),
    SetMakerFee(Pick, i16),
    TakePending(Pick),
    Grow(u32),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

fn price() -> impl Strategy<Value = Price> {
    prop_oneof![
        6 => (95u64..=105).prop_map(Price),
        2 => (1u64..=2000).prop_map(Price),
        1 => (0u32..20, 0u64..3).prop_map(|(bit, more)| Price((1 << bit) + more)),
    ]
}

fn lots() -> impl Strategy<Value = Lots> {
    (1u64..=12).prop_map(Lots)
}

fn band() -> impl Strategy<Value = (Price, Price)> {
    prop_oneof![
        3 => Just((Price(0), Price(u64::MAX))),
        3 => (90u64..=110, 0u64..20).prop_map(|(low, width)| (Price(low), Price(low + width))),
        1 => (price(), price()),
    ]
}

fn terms() -> impl Strategy<Value = MatchTerms> {
    let reference = prop_oneof![6 => 95u64..=105, 1 => 0u64..20, 1 => 1_990u64..2_010];
    // Bids and asks have a range of their own: mostly the same but for where a maker would lose.
    let ranges = prop_oneof![
        (band(), 0u64..8).prop_map(|((low, high), less)| {
            let less = less.min(high.0.saturating_sub(low.0));
            ((low, Price(high.0 - less)), (Price(low.0 + less), high))
        }),
        (band(), band()),
    ];
    (ranges, reference, 0u64..3, 0i64..20).prop_map(|((bids, asks), low, more, now)| MatchTerms {
        bids,
        asks,
        references: (Price(low), Price(low + more)),
        now,
    })
}

fn peg() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![5 => Just(None), 3 => (-6i64..=6).prop_map(Some), 1 => (-2_000i64..=2_000).prop_map(Some)]
}

fn self_trade() -> impl Strategy<Value = SelfTrade> {
    prop_oneof![Just(SelfTrade::CancelResting), Just(SelfTrade::CancelTaking), Just(SelfTrade::DecrementBoth)]
}

fn order() -> impl Strategy<Value = NewOrder> {
    let expiry = prop_oneof![2 => Just(0i64), 1 => 1i64..20];
    (side(), price(), peg(), lots(), 0u64..6, expiry, any::<bool>()).prop_map(
        |(side, price, peg, lots, client_id, expires_at, reduce_only)| NewOrder {
            side,
            price,
            peg,
            lots,
            seat: 0,
            client_id,
            expires_at,
            reduce_only,
        },
    )
}

fn taker() -> impl Strategy<Value = Taker> {
    let limits = (price(), terms(), prop_oneof![2 => Just(64u32), 1 => 0u32..4]);
    let fees = (any::<i32>().prop_map(i64::from), 0u32..=1_000_000, prop_oneof![Just(u64::MAX), 0u64..50]);
    (side(), 1u64..60, limits, 0u8..3, self_trade(), fees).prop_map(
        |(side, lots, (limit, terms, max_makers), owner, self_trade, (funding_index, taker_fee_ppm, rebate_budget))| {
            Taker {
                side,
                lots: Lots(lots),
                limit,
                terms,
                owner: key(owner),
                self_trade,
                max_makers,
                funding_index,
                taker_fee_ppm,
                rebate_budget,
            }
        },
    )
}

pub fn op() -> impl Strategy<Value = Op> {
    let index = || any::<u16>().prop_map(Pick);
    prop_oneof![
        3 => (any::<u8>(), 0u8..3).prop_map(|(account, owner)| Op::OpenSeat { account, owner }),
        1 => index().prop_map(Op::CloseSeat),
        40 => (index(), order()).prop_map(|(seat, order)| Op::Rest { seat, order }),
        8 => taker().prop_map(|taker| Op::Match { taker }),
        12 => (index(), prop_oneof![4 => Just(None), 1 => index().prop_map(Some)])
            .prop_map(|(order, seat)| Op::Cancel { order, seat }),
        3 => (index(), 0u64..6).prop_map(|(seat, client_id)| Op::CancelByClientId { seat, client_id }),
        2 => (index(), prop_oneof![Just(None), side().prop_map(Some)], 0u32..10)
            .prop_map(|(seat, side, limit)| Op::CancelAll { seat, side, limit }),
        2 => (index(), 0i64..20).prop_map(|(order, now)| Op::CancelExpired { order, now }),
        2 => (side(), terms(), 0u32..6).prop_map(|(side, terms, limit)| Op::Clean { side, terms, limit }),
        2 => (index(), lots()).prop_map(|(order, lots)| Op::Reduce { order, lots }),
        2 => (index(), side(), 0u64..40).prop_map(|(seat, side, keep)| Op::CutReduceOnly { seat, side, keep: Lots(keep) }),
        2 => (side(), terms()).prop_map(|(side, terms)| Op::EvictWorst(side, terms)),
        3 => (index(), any::<i16>()).prop_map(|(seat, ppm)| Op::SetMakerFee(seat, ppm)),
        3 => index().prop_map(Op::TakePending),
        1 => (0u32..3).prop_map(Op::Grow),
    ]
}
