//! The ranking index against the positions: who is a member, and whether cells cover their members.

use std::collections::HashMap;

use ballast_rank::{IndexView, SCALE_START};
use ballast_units::{FUNDING_ONE, Price, Side};

use super::{AuditReport, Held, Invariant};
use crate::snapshot::MarketEntry;

/// What the positions claim of one cell.
#[derive(Clone, Copy, Default)]
struct Claimed {
    members: u32,
    lots: u128,
    /// Proceeds and funding, in atoms.
    cash: i128,
}

/// Invariants 4 and 5.
pub(super) fn check(entry: &MarketEntry, held: &[Held], ranks: &IndexView, report: &mut AuditReport) {
    let claims = memberships(entry, held, ranks, report);
    cells(entry, &claims, ranks, report);
}

/// Invariant 4; sums up what members claim, by cell.
fn memberships(
    entry: &MarketEntry,
    held: &[Held],
    ranks: &IndexView,
    report: &mut AuditReport,
) -> HashMap<u32, Claimed> {
    let market = &entry.market;
    let (funding, dust_price) = (market.funding_index(), Price(market.mark().0.max(1)));
    let mut claims: HashMap<u32, Claimed> = HashMap::new();
    let mut lots = [0i128; 2];
    let (mut positions, mut wrong) = (0i128, 0i128);
    for Held { account, slot, .. } in held {
        let member = slot.membership();
        let mut fail = |what: &str| {
            wrong += 1;
            report.violated(Invariant::Membership, Some(market.index), format!("account {account}: {what}"));
        };
        let Some(side) = slot.position().side() else {
            if slot.is_member() {
                fail("a member of the index without a position");
            }
            continue;
        };
        positions += 1;
        if !slot.is_member() {
            fail("a position that is not in the index");
            continue;
        }
        if member.lots != slot.size().0 {
            fail("joined the index with other lots than it has");
            continue;
        }
        match ranks.peek(side, member, funding, dust_price) {
            Ok(holding) => {
                lots[side.index()] += i128::from(holding.lots.0);
                let claimed = claims.entry(member.cell).or_default();
                claimed.members += 1;
                claimed.lots += u128::from(holding.lots.0);
                claimed.cash += i128::from(holding.deleveraged().0) + i128::from(holding.funding.0);
            }
            Err(error) => fail(&format!("cell {} of the index: {error}", member.cell)),
        }
    }
    report.check(
        Invariant::Membership,
        Some(market.index),
        wrong == 0,
        &[("positions", positions), ("lots of longs", lots[0]), ("lots of shorts", lots[1]), ("wrong", wrong)],
    );
    claims
}

/// Invariant 5. What a cell has beyond its members' claims is the dust owner's. Once the cell was deleveraged it can be
/// negative: the fractions of lots that departed members left in it pay funding too, and a short's price when they are
/// deleveraged in turn. That all cash together is right to the atom is the money identity's to say.
fn cells(entry: &MarketEntry, claims: &HashMap<u32, Claimed>, ranks: &IndexView, report: &mut AuditReport) {
    let market = &entry.market;
    let (mut cells, mut wrong) = (0i128, 0i128);
    let (mut left_lots, mut left_cash) = (0i128, 0i128);
    for side in Side::BOTH {
        for cell in ranks.cells(side, market.funding_index()) {
            cells += 1;
            let claimed = claims.get(&cell.id).copied().unwrap_or_default();
            let lots = i128::from(cell.total.0) - i128::try_from(claimed.lots).unwrap_or(i128::MAX);
            let cash = cell.cash - claimed.cash * i128::from(FUNDING_ONE);
            left_lots += lots;
            left_cash += cash;
            let covered = cash >= 0 || cell.a != SCALE_START;
            if cell.members == claimed.members && lots >= 0 && covered {
                continue;
            }
            wrong += 1;
            report.violated(
                Invariant::Cells,
                Some(market.index),
                format!(
                    "cell {} of the {}: {} members, claimed by {}; {} lots, {} claimed; {} × 2^-24 atoms left",
                    cell.id,
                    if side == Side::Long { "longs" } else { "shorts" },
                    cell.members,
                    claimed.members,
                    cell.total.0,
                    claimed.lots,
                    cash,
                ),
            );
        }
    }
    report.check(
        Invariant::Cells,
        Some(market.index),
        wrong == 0,
        &[("cells", cells), ("lots left", left_lots), ("cash × 2^24 left", left_cash), ("wrong", wrong)],
    );
}
