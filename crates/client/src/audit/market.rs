//! The checks of one market: its money, its lots, its slabs and seats.

use ballast::state::{Market, MarketStatus, OracleKind};
use ballast_book::BookView;
use ballast_rank::IndexView;
use ballast_units::{FUNDING_ONE, Side};

use super::{AuditReport, Held, Invariant, members};
use crate::snapshot::MarketEntry;

/// Checks everything about one market. `held`: all slots in it.
pub(super) fn check(entry: &MarketEntry, held: &[Held], report: &mut AuditReport) {
    let market = entry.keys.index;
    bounds(entry, report);
    let (book, ranks) = match (entry.book.book(), entry.ranks.ranks()) {
        (Ok(book), Ok(ranks)) => (book, ranks),
        (Err(error), _) => return report.violated(Invariant::Book, Some(market), error.to_string()),
        (_, Err(error)) => return report.violated(Invariant::Ranks, Some(market), error.to_string()),
    };
    structure(market, &book, &ranks, report);
    money(entry, held, &book, &ranks, report);
    rebates(&entry.market, &book, report);
    open_interest(market, &book, &ranks, report);
    members::check(entry, held, &ranks, report);
    seats(market, held, &book, report);
}

/// Invariant 7.
fn bounds(entry: &MarketEntry, report: &mut AuditReport) {
    let market = &entry.market;
    let known = MarketStatus::from_code(market.status).is_ok() && OracleKind::from_code(market.oracle_kind).is_ok();
    let claims = i128::from(market.fee_claims);
    report.check(
        Invariant::Bounds,
        Some(market.index),
        known && claims >= 0,
        &[
            ("status", i128::from(market.status)),
            ("oracle kind", i128::from(market.oracle_kind)),
            ("fee claims", claims),
        ],
    );
}

/// Invariant 6: each slab in itself.
fn structure(market: u16, book: &BookView, ranks: &IndexView, report: &mut AuditReport) {
    match book.check() {
        Ok(()) => report.check(
            Invariant::Book,
            Some(market),
            true,
            &[
                ("bids", i128::from(book.order_count(Side::Long))),
                ("asks", i128::from(book.order_count(Side::Short))),
                ("seats", i128::from(book.seat_count())),
            ],
        ),
        Err(broken) => report.violated(Invariant::Book, Some(market), broken.to_string()),
    }
    match ranks.check() {
        Ok(()) => {
            let (used, all) = ranks.pool();
            let figures = [("cells", i128::from(used)), ("of", i128::from(all))];
            report.check(Invariant::Ranks, Some(market), true, &figures);
        }
        Err(error) => report.violated(Invariant::Ranks, Some(market), error.to_string()),
    }
}

/// Invariant 2. The index keeps its cash in units of 2^-24 atoms; everything else is shifted to that.
fn money(entry: &MarketEntry, held: &[Held], book: &BookView, ranks: &IndexView, report: &mut AuditReport) {
    let market = &entry.market;
    let funding = market.funding_index();
    let claims: i128 = held.iter().map(|held| i128::from(held.slot.unsettled) - i128::from(held.slot.basis)).sum();
    let waiting: i128 = book.seats().map(|(_, seat)| i128::from(seat.pending_cash)).sum();
    let waits: Result<i128, _> = book.seats().map(|(_, seat)| seat.pending().funding_at(funding)).sum();
    let Ok(waiting_funding) = waits else {
        let what = "the funding of fills that wait in seats is out of range".to_string();
        return report.violated(Invariant::Money, Some(market.index), what);
    };
    let mut index_cash = 0i128;
    for side in Side::BOTH {
        let cells: i128 = ranks.cells(side, funding).map(|cell| cell.cash).sum();
        index_cash += cells + ranks.dust(side, funding).cash;
    }
    let atoms = claims + waiting + i128::from(market.fee_claims) - i128::from(market.pool);
    let difference = atoms * i128::from(FUNDING_ONE) + index_cash + waiting_funding;
    report.check(
        Invariant::Money,
        Some(market.index),
        difference == 0,
        &[
            ("unsettled less basis", claims),
            ("waiting in seats", waiting),
            ("fee claims", i128::from(market.fee_claims)),
            ("pool", i128::from(market.pool)),
            ("index cash × 2^24", index_cash),
            ("funding waiting in seats × 2^24", waiting_funding),
            ("difference × 2^24", difference),
        ],
    );
}

/// Invariant 2: what was set aside for makers' rebates is what their seats are owed.
fn rebates(market: &Market, book: &BookView, report: &mut AuditReport) {
    let owed: i128 = book.seats().map(|(_, seat)| i128::from(seat.pending().rebate())).sum();
    let aside = i128::from(market.rebates);
    report.check(
        Invariant::Money,
        Some(market.index),
        owed == aside,
        &[("rebates set aside", aside), ("rebates waiting in seats", owed)],
    );
}

/// Invariant 3.
fn open_interest(market: u16, book: &BookView, ranks: &IndexView, report: &mut AuditReport) {
    let [longs, shorts] = Side::BOTH.map(|side| i128::from(ranks.open_interest(side).0));
    let waiting = i128::from(book.pending_base_total());
    let dust = Side::BOTH.map(|side| i128::from(ranks.dust(side, 0).lots.0));
    report.check(
        Invariant::OpenInterest,
        Some(market),
        longs + waiting == shorts,
        &[
            ("longs", longs),
            ("bought and waiting in seats", waiting),
            ("shorts", shorts),
            ("of the longs dust", dust[0]),
            ("of the shorts dust", dust[1]),
        ],
    );
}

/// Invariant 6: every seat is that of a slot, and every slot's seat is its own.
fn seats(market: u16, held: &[Held], book: &BookView, report: &mut AuditReport) {
    let mut named = 0i128;
    for held in held.iter().filter(|held| held.slot.seat != 0) {
        let id = held.slot.seat;
        match book.seat(id, &held.account.to_bytes()) {
            Ok(seat) if seat.owner == held.owner.to_bytes() => named += 1,
            Ok(_) => {
                let what = format!("seat {id} of account {} has another owner", held.account);
                report.violated(Invariant::Seats, Some(market), what);
            }
            Err(_) => {
                let what = format!("account {} names seat {id}, which is not its own", held.account);
                report.violated(Invariant::Seats, Some(market), what);
            }
        }
    }
    // Each slot names its account's seat, no account has two slots in a market: equal numbers mean the same seats.
    let seats = i128::try_from(book.seats().count()).unwrap_or(i128::MAX);
    report.check(Invariant::Seats, Some(market), seats == named, &[("seats", seats), ("named by slots", named)]);
}
