//! When realised profit becomes money: only out of losses that have been realised.
//!
//! A loser's loss goes from its collateral into the market's pool, a winner draws its claim from the pool, each as far
//! as there is something. What remains stays `unsettled`: a claim that counts as equity and cannot be withdrawn, or a
//! loss that collateral did not cover and insurance has to.

/// What a settlement moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Atoms into the account's collateral (positive, out of the pool) or out of it (negative, into the pool).
    pub moved: i64,
}

/// Settles a realised profit or loss as far as collateral or pool reach. Exact: `unsettled + moved` and `pool + moved`
/// of before and after are the same, and collateral changes by `moved`. Never fails: amounts that would exceed their
/// type stay unsettled.
pub fn settle(unsettled: &mut i64, collateral: &mut u64, pool: &mut u64) -> Settled {
    if *unsettled < 0 {
        // At most `i64::MAX`, so that the report holds it.
        let loss = unsettled.unsigned_abs().min(i64::MAX.unsigned_abs());
        let paid = loss.min(*collateral).min(u64::MAX - *pool);
        *collateral -= paid;
        *pool += paid;
        *unsettled = unsettled.saturating_add_unsigned(paid);
        Settled { moved: 0i64.saturating_sub_unsigned(paid) }
    } else {
        let drawn = unsettled.unsigned_abs().min(*pool).min(u64::MAX - *collateral);
        *pool -= drawn;
        *collateral += drawn;
        *unsettled = unsettled.saturating_sub_unsigned(drawn);
        Settled { moved: 0i64.saturating_add_unsigned(drawn) }
    }
}
