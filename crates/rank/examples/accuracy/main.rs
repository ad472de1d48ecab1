//! Measures how near the grid's ranking is to the exact one: `cargo run --release --package ballast-rank --example accuracy`.
//!
//! For each distribution, side and mark: positions that are bankrupt at the mark are gone; the rest joined the index. The
//! positions in profit are put in the order of the grid, and in the order of their exact scores. At the same share of
//! open interest, how far apart are the exact scores of the two orders (median and 95th percentile, weighted by lots), and
//! which share of the lots that a deleveraging of 5 % of the open interest takes would the exact order have spared?

mod population;

use ballast_rank::{CellReceipt, Index, Membership, space};
use ballast_units::{FUNDING_ONE, Lots, Price, Side};
use population::{AROUND, Distribution, Position};
use std::collections::HashMap;

const POSITIONS: usize = 25_000;
const CELLS: u32 = 16_384;
const MARKS: [i64; 6] = [-30, -15, -5, 5, 15, 30];

/// One line of the table.
struct Line {
    live: usize,
    in_profit: usize,
    taken: u32,
    median: f64,
    high: f64,
    wrong: f64,
}

fn main() {
    println!(
        "| distribution | side | mark | funding | live cells | positions in profit | score error, median | 95th percentile | cells for 5 % | wrongly deleveraged of these |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for distribution in Distribution::ALL {
        for side in Side::BOTH {
            let positions = distribution.positions(side, POSITIONS, 7);
            for (percent, funding_percent) in MARKS.map(|mark| (mark, 0)).into_iter().chain([(-15, 10), (15, 10)]) {
                let mark = AROUND as i64 * (100 + percent) / 100;
                let funding = AROUND as i64 * funding_percent / 100;
                let Some(line) = measure(&positions, side, mark, funding) else { continue };
                println!(
                    "| {} | {} | {percent:+} % | {funding_percent} % | {} | {} | {:.2} % | {:.2} % | {} | {:.1} % |",
                    distribution.name(),
                    if side == Side::Long { "long" } else { "short" },
                    line.live,
                    line.in_profit,
                    line.median * 100.0,
                    line.high * 100.0,
                    line.taken,
                    line.wrong * 100.0,
                );
            }
        }
    }
}

/// The exact score, or `None` without profit.
fn exact_score(side: Side, position: &Position, mark: f64, funding: f64) -> Option<f64> {
    let (entry, bankruptcy) = (position.entry as f64, position.bankruptcy as f64 + funding);
    let (profit, room) = match side {
        Side::Long => (mark - entry, mark - bankruptcy),
        Side::Short => (entry - mark, bankruptcy - mark),
    };
    (profit > 0.0).then(|| profit / entry * mark / room)
}

/// A member, with its exact score and what deleveraging needs to know of it.
struct Ranked {
    lots: u64,
    exact: f64,
    cell: u32,
}

/// `None` when nobody is in profit. `funding` is in atoms per lot; half of the positions joined before it was paid.
fn measure(positions: &[Position], side: Side, mark: i64, funding: i64) -> Option<Line> {
    let mut slab = vec![0u64; space(CELLS) / 8 + 1];
    let mut index = Index::init(bytemuck::cast_slice_mut(&mut slab)).expect("a zeroed slab");
    let alive = positions.iter().filter(|position| match side {
        Side::Long => position.bankruptcy + funding < mark,
        Side::Short => position.bankruptcy + funding > mark,
    });
    let now = funding * FUNDING_ONE;
    let members: Vec<(Position, Membership)> = alive
        .enumerate()
        .map(|(number, position)| {
            let joined_at = if number % 2 == 0 { 0 } else { now };
            let joined = index.join(side, Price(position.entry), position.bankruptcy, Lots(position.lots), joined_at);
            (*position, joined.expect("room"))
        })
        .collect();
    let live = index.view().cells(side, now).count();
    let open_interest = index.open_interest(side).0;

    // The grid's order: deleverage everything in profit, and note the order of cells.
    let mut rank_of_cell: HashMap<u32, usize> = HashMap::new();
    let mut copy = slab.clone();
    let mut index = Index::load(bytemuck::cast_slice_mut(&mut slab)).expect("the slab");
    let mut all = Index::load(bytemuck::cast_slice_mut(&mut copy)).expect("a copy");
    let mark_price = Price(mark as u64);
    let note = |receipt: &CellReceipt| {
        if receipt.score != 0 {
            let next = rank_of_cell.len();
            rank_of_cell.insert(receipt.cell, next);
        }
    };
    all.deleverage(side, Lots(open_interest), mark_price, mark_price, now, u32::MAX, note).expect("deleveraging");
    let taken = index
        .deleverage(side, Lots(open_interest / 20), mark_price, mark_price, now, u32::MAX, |_| ())
        .expect("deleveraging");

    let mut ranked: Vec<Ranked> = members
        .iter()
        .filter_map(|(position, member)| {
            let exact = exact_score(side, position, mark as f64, funding as f64)?;
            Some(Ranked { lots: position.lots, exact, cell: member.cell })
        })
        .collect();
    if ranked.is_empty() || taken.in_profit_exhausted {
        return None;
    }
    let in_profit = ranked.len();
    ranked.sort_by(|a, b| b.exact.total_cmp(&a.exact));
    let exact_order: Vec<(u64, f64)> = ranked.iter().map(|one| (one.lots, one.exact)).collect();
    let spared_below = score_at(&exact_order, open_interest / 20);
    ranked.retain(|one| rank_of_cell.contains_key(&one.cell));
    ranked.sort_by_key(|one| rank_of_cell[&one.cell]);

    let wrong = wrongly_deleveraged(&ranked, open_interest / 20, spared_below);
    let (median, high) = score_errors(&ranked, &exact_order);
    Some(Line { live, in_profit, taken: taken.cells, median, high, wrong })
}

/// The score at which the first `lots` of an order end.
fn score_at(order: &[(u64, f64)], lots: u64) -> f64 {
    let mut passed = 0;
    for (size, score) in order {
        passed += size;
        if passed >= lots {
            return *score;
        }
    }
    0.0
}

/// Share of the first `lots` in the grid's order whose exact score is below that at which the exact order ends.
fn wrongly_deleveraged(ranked: &[Ranked], lots: u64, spared_below: f64) -> f64 {
    let (mut passed, mut wrong) = (0, 0);
    for one in ranked {
        let counted = one.lots.min(lots - passed);
        passed += counted;
        if one.exact < spared_below {
            wrong += counted;
        }
        if passed == lots {
            break;
        }
    }
    wrong as f64 / lots.max(1) as f64
}

/// Relative difference of exact scores between the two orders at the same share of lots: median and 95th percentile.
fn score_errors(ranked: &[Ranked], exact_order: &[(u64, f64)]) -> (f64, f64) {
    let mut errors: Vec<(f64, u64)> = Vec::new();
    let (mut place, mut end) = (0, exact_order[0].0);
    let mut passed = 0;
    for one in ranked {
        // The middle of the position's lots.
        let rank = passed + one.lots / 2;
        while rank >= end && place + 1 < exact_order.len() {
            place += 1;
            end += exact_order[place].0;
        }
        errors.push(((one.exact / exact_order[place].1 - 1.0).abs(), one.lots));
        passed += one.lots;
    }
    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |share: f64| {
        let mut rest = (passed as f64 * share) as u64;
        for (error, lots) in &errors {
            if rest <= *lots {
                return *error;
            }
            rest -= lots;
        }
        0.0
    };
    (at(0.5), at(0.95))
}
