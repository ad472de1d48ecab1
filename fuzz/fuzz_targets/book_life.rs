//! Lives of an order book beside sorted lists (crates/book/tests/common): fixed and pegged orders, every way to leave.
#![no_main]

#[path = "../../crates/book/tests/common/mod.rs"]
mod common;

use ballast_book::{MatchTerms, NewOrder, SelfTrade, Taker};
use ballast_units::{Lots, Price, Side};
use common::{
    key,
    ops::{Op, Pick},
    run::run,
};
use libfuzzer_sys::{
    arbitrary::{Arbitrary, Result, Unstructured},
    fuzz_target,
};

/// A life that the fuzzer wrote.
#[derive(Debug)]
struct Life {
    blocks: u32,
    ops: Vec<Op>,
}

impl<'a> Arbitrary<'a> for Life {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let blocks = bytes.int_in_range(4..=60)?;
        let mut ops = Vec::new();
        while !bytes.is_empty() && ops.len() < 150 {
            ops.push(op(bytes)?);
        }
        Ok(Life { blocks, ops })
    }
}

fn side(bytes: &mut Unstructured) -> Result<Side> {
    Ok(if bytes.arbitrary()? { Side::Long } else { Side::Short })
}

/// Mostly within a few ticks, so that orders meet.
fn price(bytes: &mut Unstructured) -> Result<Price> {
    Ok(Price(match bytes.int_in_range(0u8..=7)? {
        0..=5 => bytes.int_in_range(95..=105)?,
        6 => bytes.int_in_range(1..=2_000)?,
        _ => (1 << bytes.int_in_range(0..=19)?) + bytes.int_in_range(0..=2)?,
    }))
}

fn terms(bytes: &mut Unstructured) -> Result<MatchTerms> {
    let band = match bytes.int_in_range(0u8..=2)? {
        0 => (Price(0), Price(u64::MAX)),
        1 => {
            let low = bytes.int_in_range(90u64..=110)?;
            (Price(low), Price(low + bytes.int_in_range(0..=19)?))
        }
        _ => (price(bytes)?, price(bytes)?),
    };
    let low = if bytes.ratio(6, 7)? { bytes.int_in_range(95..=105)? } else { bytes.int_in_range(0u64..=2_010)? };
    let references = (Price(low), Price(low + bytes.int_in_range(0..=2)?));
    let (low, high) = band;
    let less = bytes.int_in_range(0u64..=7)?.min(high.0.saturating_sub(low.0));
    let (bids, asks) = ((low, Price(high.0 - less)), (Price(low.0 + less), high));
    Ok(MatchTerms { bids, asks, references, now: bytes.int_in_range(0..=19)? })
}

fn order(bytes: &mut Unstructured) -> Result<NewOrder> {
    let peg = match bytes.int_in_range(0u8..=8)? {
        0..=4 => None,
        5..=7 => Some(bytes.int_in_range(-6..=6)?),
        _ => Some(bytes.int_in_range(-2_000..=2_000)?),
    };
    Ok(NewOrder {
        side: side(bytes)?,
        price: price(bytes)?,
        peg,
        lots: Lots(bytes.int_in_range(1..=12)?),
        seat: 0,
        client_id: bytes.int_in_range(0..=5)?,
        expires_at: if bytes.ratio(1, 3)? { bytes.int_in_range(1..=19)? } else { 0 },
        reduce_only: bytes.arbitrary()?,
    })
}

fn taker(bytes: &mut Unstructured) -> Result<Taker> {
    let modes = [SelfTrade::CancelResting, SelfTrade::CancelTaking, SelfTrade::DecrementBoth];
    Ok(Taker {
        side: side(bytes)?,
        lots: Lots(bytes.int_in_range(1..=59)?),
        limit: price(bytes)?,
        terms: terms(bytes)?,
        owner: key(bytes.int_in_range(0..=2)?),
        self_trade: *bytes.choose(&modes)?,
        max_makers: if bytes.ratio(1, 3)? { bytes.int_in_range(0..=3)? } else { 64 },
        funding_index: bytes.arbitrary::<i32>()?.into(),
        taker_fee_ppm: bytes.int_in_range(0..=1_000_000)?,
        rebate_budget: if bytes.arbitrary()? { u64::MAX } else { bytes.int_in_range(0..=49)? },
    })
}

fn op(bytes: &mut Unstructured) -> Result<Op> {
    let pick = |bytes: &mut Unstructured| -> Result<Pick> { Ok(Pick(bytes.arbitrary()?)) };
    Ok(match bytes.int_in_range(0u8..=24)? {
        0 => Op::OpenSeat { account: bytes.arbitrary()?, owner: bytes.int_in_range(0..=2)? },
        1 => Op::CloseSeat(pick(bytes)?),
        2..=9 => Op::Rest { seat: pick(bytes)?, order: order(bytes)? },
        10..=12 => Op::Match { taker: taker(bytes)? },
        13 => Op::Cancel { order: pick(bytes)?, seat: if bytes.ratio(1, 5)? { Some(pick(bytes)?) } else { None } },
        14 => Op::CancelByClientId { seat: pick(bytes)?, client_id: bytes.int_in_range(0..=5)? },
        15 => Op::CancelAll {
            seat: pick(bytes)?,
            side: if bytes.arbitrary()? { Some(side(bytes)?) } else { None },
            limit: bytes.int_in_range(0..=9)?,
        },
        16 => Op::CancelExpired { order: pick(bytes)?, now: bytes.int_in_range(0..=19)? },
        17 => Op::Clean { side: side(bytes)?, terms: terms(bytes)?, limit: bytes.int_in_range(0..=5)? },
        18 => Op::Reduce { order: pick(bytes)?, lots: Lots(bytes.int_in_range(1..=12)?) },
        19 => Op::EvictWorst(side(bytes)?, terms(bytes)?),
        20 => Op::SetMakerFee(pick(bytes)?, bytes.arbitrary()?),
        21 | 22 => Op::TakePending(pick(bytes)?),
        23 => Op::CutReduceOnly {
            seat: pick(bytes)?,
            side: side(bytes)?,
            keep: Lots(bytes.int_in_range(0..=39)?),
        },
        _ => Op::Grow(bytes.int_in_range(0..=2)?),
    })
}

fuzz_target!(|life: Life| {
    run(life.blocks, &life.ops);
});
