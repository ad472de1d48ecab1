//! The solvency invariants, checked from account data alone, exact to the atom.
//!
//! [`audit`] takes a [`Snapshot`] and the vaults' balances, from wherever they come, and reports every invariant with its
//! figures. Nothing is assumed of the program but its account layouts: sums are added up here again from the single
//! positions, seats and cells, and compared with what the program keeps.
//!
//! 1. The collateral vault holds at least Σ collateral + Σ owed to and earned by referrers + Σ pools + Σ fees + Σ fees owed
//!    to insurance + Σ rebates set aside. More than that are
//!    tokens that somebody sent to the vault.
//! 2. Per market: Σ (unsettled − basis) of positions + Σ cash and funding waiting in seats + cash of cells and dust + the
//!    exchange's fee claims = the pool. Exact, in units of 2^-24 atoms. Maker fees that wait in seats are in no sum: a fee
//!    is charged, and then counted, when its seat is folded. Rebates that wait are set aside, to the atom.
//! 3. Per market: lots of longs = lots of shorts, where each side is the ranking index with its dust, and the fills that
//!    wait in seats are on whichever side they were made.
//! 4. Every position with lots is a member of a live cell on its side, of that cell's present life, with the lots that it
//!    joined with; and no other slot is.
//! 5. Every cell has as many members as positions claim it, and at least their lots. Until it is deleveraged, its cash is at
//!    least what they can claim; then it also has lots of the dust owner, who may owe funding or their price on them.
//! 6. Book and ranking index are sound in themselves; seats and slots name each other.
//! 7. No account is in a market twice or in one that does not exist; nothing that cannot be negative is.

mod market;
mod members;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ballast::state::Slot;
use serde::Serialize;
use solana_pubkey::Pubkey;

pub use report::{AuditReport, Check, Invariant};

use crate::snapshot::Snapshot;

/// The balances of an exchange's vaults, in atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Vaults {
    /// The collateral vault.
    pub collateral: u64,
    /// The insurance vault.
    pub insurance: u64,
}

/// A slot with its owner, as the checks of a market see it.
struct Held<'a> {
    account: &'a Pubkey,
    owner: &'a Pubkey,
    slot: &'a Slot,
}

/// Checks every invariant.
pub fn audit(snapshot: &Snapshot, vaults: &Vaults) -> AuditReport {
    let mut report = AuditReport::new(snapshot);
    vault_covers(snapshot, vaults, &mut report);
    let by_market = slots(snapshot, &mut report);
    let none = Vec::new();
    for entry in snapshot.markets() {
        let held = by_market.get(&entry.keys.index).unwrap_or(&none);
        market::check(entry, held, &mut report);
    }
    let counted = i128::from(snapshot.exchange.market_count);
    let found = i128::try_from(snapshot.markets().count()).unwrap_or(i128::MAX);
    report.check(Invariant::Bounds, None, counted == found, &[("markets counted", counted), ("found", found)]);
    report
}

/// Invariant 1.
fn vault_covers(snapshot: &Snapshot, vaults: &Vaults, report: &mut AuditReport) {
    let collateral: i128 = snapshot.accounts().map(|(_, account)| i128::from(account.collateral)).sum();
    let (mut pools, mut fees, mut insurance_fees, mut rebates) = (0i128, 0i128, 0i128, 0i128);
    for entry in snapshot.markets() {
        pools += i128::from(entry.market.pool);
        fees += i128::from(entry.market.fees);
        insurance_fees += i128::from(entry.market.insurance_fees);
        rebates += i128::from(entry.market.rebates);
    }
    let owed: i128 = snapshot.accounts().map(|(_, account)| i128::from(account.referral_owed)).sum();
    let referrals = owed + snapshot.traders().map(|(_, trader)| i128::from(trader.earned)).sum::<i128>();
    let balance = i128::from(vaults.collateral);
    let surplus = balance - collateral - referrals - pools - fees - insurance_fees - rebates;
    report.surplus = surplus;
    report.check(
        Invariant::VaultCovers,
        None,
        surplus >= 0,
        &[
            ("vault", balance),
            ("collateral", collateral),
            ("referrals", referrals),
            ("pools", pools),
            ("fees", fees),
            ("insurance fees", insurance_fees),
            ("rebates", rebates),
            ("surplus", surplus),
            ("insurance vault", i128::from(vaults.insurance)),
        ],
    );
}

/// Sorts the slots of all accounts by market; invariant 7 on the way.
fn slots<'a>(snapshot: &'a Snapshot, report: &mut AuditReport) -> BTreeMap<u16, Vec<Held<'a>>> {
    let mut by_market: BTreeMap<u16, Vec<Held>> = BTreeMap::new();
    let mut negative = 0;
    for (key, account) in snapshot.accounts() {
        negative += i128::from(i64::try_from(account.collateral).is_err());
        for (at, slot) in account.slots.iter().enumerate() {
            let Some(index) = slot.market() else {
                if !slot.is_empty() {
                    report.violated(Invariant::Bounds, None, format!("account {key}: free slot {at} is not empty"));
                }
                continue;
            };
            if account.slots[..at].iter().any(|other| other.market_plus_one == slot.market_plus_one) {
                let what = format!("account {key} is in the market twice");
                report.violated(Invariant::Bounds, Some(index), what);
            }
            if snapshot.market(index).is_none() {
                let what = format!("account {key} is in a market that does not exist");
                report.violated(Invariant::Bounds, Some(index), what);
            }
            by_market.entry(index).or_default().push(Held { account: key, owner: &account.owner, slot });
        }
    }
    report.check(
        Invariant::Bounds,
        None,
        negative == 0,
        &[
            ("accounts", i128::try_from(snapshot.account_count()).unwrap_or(i128::MAX)),
            ("collateral out of range", negative),
        ],
    );
    by_market
}
