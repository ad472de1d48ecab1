//! Upkeep of books and fee tiers: orders that nobody can fill or fund, room for more, volume that earns a tier.

use ballast_risk::fees::{Earned, TierVolumes, Volumes};
use ballast_risk::health::Stage;
use ballast_units::{Lots, Position, Side};

/// An account's orders in a market.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orders {
    /// Σ lots of its bids.
    pub bids: Lots,
    /// Σ lots of its asks.
    pub asks: Lots,
}

/// Whether to cancel an account's orders in a market because it cannot fund them: it is below initial margin, and some of
/// them would make its position larger. Below maintenance margin it is the liquidator's, who cancels them all.
pub fn decide_unfunded(stage: Stage, position: Position, orders: Orders) -> bool {
    // What reduces the position stays.
    let keep = |side: Side| if position.side() == Some(side.opposite()) { position.lots() } else { Lots::ZERO };
    let increasing = orders.bids > keep(Side::Long) || orders.asks > keep(Side::Short);
    stage == Stage::Restricted && increasing
}

/// Expired orders that make removing them worth a transaction by themselves.
const MANY_EXPIRED: usize = 16;
/// For how long a single expired order may reserve its owner's margin, in seconds.
const EXPIRED_FOR_S: i64 = 60;
/// A book with less than one in so many blocks free is cleared of any.
const SCARCE_SHARE: u32 = 8;

/// Expired orders anywhere in a book.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExpiredOrders {
    /// How many.
    pub count: usize,
    /// For how long the first of them has been expired, in seconds.
    pub oldest_s: i64,
}

/// Whether to remove expired orders from a book. Nobody pays for it, and takers pass over them; but they hold their owners'
/// margin and the book's room.
pub fn decide_expired(expired: &ExpiredOrders, free_blocks: u32, capacity: u32) -> bool {
    let ripe = expired.count >= MANY_EXPIRED || expired.oldest_s >= EXPIRED_FOR_S;
    expired.count > 0 && (ripe || free_blocks < capacity / SCARCE_SHARE)
}

/// A book with less than one in so many blocks free is given more. Below that share orders are evicted soon.
const GROW_SHARE: u32 = 10;

/// Blocks that one instruction adds to a book, unless it is as large as it gets.
const GROWTH: u32 = 64;
/// Rent of a byte, in lamports, as every cluster has had it. What was really paid is what counts in the end.
const RENT_OF_BYTE: u64 = 6_960;

/// What an operator pays for books.
#[derive(Clone, Copy, Debug)]
pub struct Purse {
    /// How often a book may still grow.
    pub growths: u32,
    /// Lamports that may still be spent in this hour.
    pub lamports: u64,
}

/// Rent that growing a book costs, in lamports, where it is worth it and the operator pays, after what could be cleared from
/// the book is. `most` blocks are as many as it gets.
pub fn decide_grow(free_blocks: u32, capacity: u32, most: u32, purse: Purse) -> Option<u64> {
    let added = GROWTH.min(most.saturating_sub(capacity));
    let bytes = u64::from(added) * u64::try_from(ballast_book::BLOCK).unwrap_or(u64::MAX);
    let rent = bytes.saturating_mul(RENT_OF_BYTE);
    let scarce = free_blocks < capacity.div_ceil(GROW_SHARE);
    (scarce && added > 0 && purse.growths > 0 && rent <= purse.lamports).then_some(rent)
}

/// What one margin account has gathered for its owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gathered {
    /// Value traded and not rolled yet, in atoms.
    pub volume: u64,
    /// The day that it counts for.
    pub day: u32,
    /// Owed to the referrer, in atoms.
    pub owed: u64,
    /// The tier that it has.
    pub tier: u8,
    /// The first day on which it no longer has it.
    pub tier_until: u32,
    /// The referrer's share that it was told, in basis points.
    pub share_bps: u16,
}

/// Why to roll an owner's volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollReason {
    /// An account would trade at another tier, or pay its referrer another share.
    Terms,
    /// A referrer has earned enough.
    Referral,
    /// Volume of an earlier day: what is traded from now on would count for that day, and be forgotten with it.
    Day,
}

impl RollReason {
    /// As it is logged.
    pub fn name(self) -> &'static str {
        match self {
            RollReason::Terms => "terms_change",
            RollReason::Referral => "referral_earned",
            RollReason::Day => "day_ended",
        }
    }
}

/// Volume below one in so many of the first tier's is not worth a transaction of its own when its day ends.
const DAY_SHARE: u64 = 100;

/// Whether to roll the volume of an owner's accounts into their tier. `min_owed`: smallest referral worth a transaction, in
/// atoms.
pub fn decide_roll(
    volumes: &Volumes,
    accounts: &[Gathered],
    today: u32,
    tiers: &TierVolumes,
    share_bps: u16,
    min_owed: u64,
) -> Option<RollReason> {
    let mut after = *volumes;
    for account in accounts {
        after.add(today, account.day, account.volume);
    }
    let Earned { tier, until } = after.earned(today, tiers);
    let has = |account: &Gathered| if today < account.tier_until { account.tier } else { 0 };
    let lasts = |account: &Gathered| tier == 0 || account.tier_until > today + 1 || account.tier_until >= until;
    if accounts.iter().any(|account| has(account) < tier || !lasts(account) || account.share_bps != share_bps) {
        return Some(RollReason::Terms);
    }
    let owed = accounts.iter().fold(0u64, |sum, account| sum.saturating_add(account.owed));
    if owed >= min_owed.max(1) {
        return Some(RollReason::Referral);
    }
    let least = (tiers[0] / DAY_SHARE).max(1);
    let ended = |account: &Gathered| account.volume >= least && account.day < today;
    (tiers[0] != 0 && accounts.iter().any(ended)).then_some(RollReason::Day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_restricted_accounts_increasing_orders_are_unfunded() {
        let bids = Orders { bids: Lots(5), asks: Lots::ZERO };
        let (long, short) = (Position(3), Position(-5));
        assert!(decide_unfunded(Stage::Restricted, long, bids));
        assert!(decide_unfunded(Stage::Restricted, Position::FLAT, bids));
        assert!(!decide_unfunded(Stage::Healthy, long, bids) && !decide_unfunded(Stage::Partial, long, bids));
        // Bids that close a short stay, and no more of them.
        assert!(!decide_unfunded(Stage::Restricted, short, bids));
        assert!(decide_unfunded(Stage::Restricted, Position(-4), bids));
        assert!(!decide_unfunded(Stage::Restricted, long, Orders { bids: Lots::ZERO, asks: Lots(3) }));
        assert!(decide_unfunded(Stage::Restricted, long, Orders { bids: Lots::ZERO, asks: Lots(4) }));
    }

    #[test]
    fn expired_orders_go_when_they_are_many_or_old_or_room_is_scarce() {
        let few = ExpiredOrders { count: 1, oldest_s: 59 };
        assert!(!decide_expired(&few, 100, 100) && decide_expired(&few, 11, 96));
        assert!(decide_expired(&ExpiredOrders { oldest_s: 60, ..few }, 100, 100));
        assert!(decide_expired(&ExpiredOrders { count: 16, oldest_s: 0 }, 100, 100));
        assert!(!decide_expired(&ExpiredOrders::default(), 0, 100));
    }

    #[test]
    fn a_book_grows_before_it_is_full_as_often_as_the_operator_pays() {
        const RENT: u64 = 64 * 160 * 6_960;
        let grow = |free, capacity, growths, lamports| decide_grow(free, capacity, 1_000, Purse { growths, lamports });
        assert_eq!((grow(6, 64, 1, RENT), grow(7, 64, 1, RENT)), (Some(RENT), None));
        assert_eq!(grow(0, 64, 0, RENT), None, "nobody pays");
        assert_eq!(grow(0, 64, 1, RENT - 1), None, "the hour's cap does not reach");
        assert_eq!(grow(0, 990, 1, RENT), Some(10 * 160 * 6_960), "the last of it");
        assert_eq!(grow(0, 1_000, 9, RENT), None, "it is as large as it gets");
    }

    const TIERS: TierVolumes = [1_000, 5_000, 0, 0];

    fn roll(accounts: &[Gathered], rolled: &[(u32, u64)]) -> Option<RollReason> {
        let mut volumes = Volumes::default();
        for (day, atoms) in rolled {
            volumes.add(100, *day, *atoms);
        }
        decide_roll(&volumes, accounts, 100, &TIERS, 0, 50)
    }

    #[test]
    fn volume_is_rolled_when_it_earns_a_better_tier() {
        let account = Gathered { volume: 999, day: 100, ..Gathered::default() };
        assert_eq!(roll(&[account], &[]), None);
        assert_eq!(roll(&[account], &[(99, 1)]), Some(RollReason::Terms));
        // Two accounts of one owner earn together.
        assert_eq!(roll(&[account, Gathered { volume: 1, ..account }], &[]), Some(RollReason::Terms));
        let has = Gathered { tier: 1, tier_until: 130, ..account };
        assert_eq!(roll(&[has], &[(99, 1)]), None);
    }

    #[test]
    fn a_tier_that_is_still_earned_is_renewed_before_it_is_lost() {
        // Earned until day 129, but the account was told 101.
        let told = Gathered { tier: 1, tier_until: 101, ..Gathered::default() };
        assert_eq!(roll(&[told], &[(100, 1_000)]), Some(RollReason::Terms));
        // Lost tomorrow in any case: the volume is of the first of the thirty days.
        assert_eq!(roll(&[told], &[(71, 1_000)]), None);
        // A tier that is no longer earned ends by itself.
        assert_eq!(roll(&[Gathered { tier: 2, tier_until: 100, ..Gathered::default() }], &[]), None);
    }

    #[test]
    fn referrals_and_days_are_booked() {
        let owes = Gathered { owed: 50, ..Gathered::default() };
        assert_eq!(roll(&[owes], &[]), Some(RollReason::Referral));
        assert_eq!(roll(&[Gathered { owed: 49, ..owes }], &[]), None);
        let yesterday = Gathered { volume: 10, day: 99, ..Gathered::default() };
        assert_eq!(roll(&[yesterday], &[]), Some(RollReason::Day));
        assert_eq!(roll(&[Gathered { day: 100, ..yesterday }], &[]), None);
        assert_eq!(roll(&[Gathered { volume: 9, ..yesterday }], &[]), None, "dust");
        // An account opened or an owner referred after the last roll.
        let volumes = Volumes::default();
        let account = Gathered::default();
        assert_eq!(decide_roll(&volumes, &[account], 100, &TIERS, 1_000, 50), Some(RollReason::Terms));
    }
}
