//! One trader's collateral and positions.

use anchor_lang::prelude::*;
use ballast_rank::Membership;
use ballast_risk::{ladder::Ladder, liquidation::Progress};
use ballast_units::{Lots, Position, Quote};

use super::FeeTerms;
use crate::error::BallastError;

/// Seed of a margin account's address, followed by the exchange, the owner and the account's number (two bytes, little
/// endian).
pub const MARGIN_SEED: &[u8] = b"margin";
/// Most markets that one account can be in.
pub const MAX_SLOTS: usize = 16;
/// Words of a [`Ladder`].
pub const LADDER_WORDS: usize = 5;

/// Collateral and positions of one trader. An owner has as many as he likes: one position alone in an account is
/// isolated margin, several share their collateral.
#[account(zero_copy)]
pub struct MarginAccount {
    /// Layout version.
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// The account's number under its owner.
    pub number: u16,
    /// Explicit padding.
    pub padding: [u8; 4],
    /// The exchange it belongs to.
    pub exchange: Pubkey,
    /// Who may do everything with it.
    pub owner: Pubkey,
    /// Who may trade but not withdraw, or the default key.
    pub delegate: Pubkey,
    /// Settled collateral in atoms: the only money that can be withdrawn.
    pub collateral: u64,
    /// How far the account's liquidation has come ([`Progress`] as words).
    pub progress: [u64; PROGRESS_WORDS],
    /// The owner's deleveraging ladder ([`Ladder`] as words).
    pub ladder: [u64; LADDER_WORDS],
    /// Value traded, in atoms, that has not been rolled into the owner's [`super::Trader`] yet.
    pub volume: u64,
    /// The day on which that began.
    pub volume_day: u32,
    /// The first day on which `fee_tier` is no longer earned.
    pub fee_tier_until: u32,
    /// What the fees paid since the last roll owe the owner's referrer, in settled atoms.
    pub referral_owed: u64,
    /// The fee tier that the owner's volume earned at the last roll.
    pub fee_tier: u8,
    /// Explicit padding.
    pub padding_2: u8,
    /// The referrer's share in what the exchange keeps of a fee, in basis points; zero without a referrer.
    pub referral_share_bps: u16,
    /// Explicit padding.
    pub padding_3: [u8; 4],
    /// Room to grow.
    pub reserved: [u64; 6],
    /// One slot per market in which the account has anything.
    pub slots: [Slot; MAX_SLOTS],
}

/// What an account has in one market, as of its last touch. Between touches a deleveraging may have taken part of it:
/// the ranking index then holds what is left and what was received, and `membership` is the claim on it.
#[zero_copy]
pub struct Slot {
    /// The market's index plus one; 0 marks a free slot.
    pub market_plus_one: u16,
    /// Explicit padding.
    pub padding: [u8; 2],
    /// Seat in the market's book, or 0.
    pub seat: u32,
    /// Position in lots, positive long.
    pub lots: i64,
    /// What the position cost, in atoms: paid for a long (positive), received for a short (negative).
    pub basis: i64,
    /// Realised profit and loss in atoms that has not gone through the market's PnL pool yet.
    pub unsettled: i64,
    /// The claim on the ranking index ([`ballast_rank::Membership`] as words).
    pub membership: [u64; 7],
    /// Unix time of the last `rerank` that paid a bounty, or 0.
    pub reranked_at: i64,
    /// Room to grow.
    pub reserved: [u64; 6],
}

const _: () = assert!(core::mem::size_of::<Membership>() == 56);
const _: () = assert!(core::mem::size_of::<Slot>() == 8 + 3 * 8 + 56 + 8 + 48);
const _: () = assert!(core::mem::size_of::<MarginAccount>() == 8 + 96 + 8 + 40 + 32 + 88 + MAX_SLOTS * 144);
/// Words of a [`Progress`].
pub const PROGRESS_WORDS: usize = 5;
const _: () = assert!(core::mem::size_of::<Progress>() == 8 * PROGRESS_WORDS);
const _: () = assert!(core::mem::size_of::<Ladder>() == 8 * LADDER_WORDS);

impl Slot {
    /// The market's index; `None` for a free slot.
    pub fn market(&self) -> Option<u16> {
        self.market_plus_one.checked_sub(1)
    }

    /// Position as of the last touch.
    pub fn position(&self) -> Position {
        Position(self.lots)
    }

    /// Size of the position as of the last touch.
    pub fn size(&self) -> Lots {
        self.position().lots()
    }

    /// The claim on the ranking index.
    pub fn membership(&self) -> &Membership {
        bytemuck::cast_ref(&self.membership)
    }

    /// Replaces the claim on the ranking index.
    pub fn set_membership(&mut self, membership: Membership) {
        self.membership = bytemuck::cast(membership);
    }

    /// Whether the slot holds a claim on the ranking index.
    pub fn is_member(&self) -> bool {
        self.membership().is_member()
    }

    /// Whether nothing is left in the market.
    pub fn is_empty(&self) -> bool {
        self.lots == 0 && self.unsettled == 0 && self.seat == 0 && !self.is_member()
    }

    /// Trades `base` lots (positive bought) for `cash` atoms (negative paid). The part that reduces the position
    /// realises its share of the basis; what goes beyond opens a position of the other side. `unsettled − basis`
    /// changes by exactly `cash`, however the shares round.
    pub fn trade(&mut self, base: Position, cash: Quote) -> Result<()> {
        if base.0 == 0 {
            // Bought and sold the same size: only the difference of the prices is left.
            self.unsettled = checked_add(self.unsettled, cash.0)?;
            return Ok(());
        }
        let before = self.position();
        let after = before.add(base).map_err(BallastError::from)?;
        let same_direction = before.0 == 0 || (before.0 > 0) == (base.0 > 0);
        if same_direction {
            self.basis = checked_sub(self.basis, cash.0)?;
        } else {
            let closed = before.lots().min(base.lots());
            let cash_closed = share(cash.0, closed, base.lots())?;
            let basis_closed = share(self.basis, closed, before.lots())?;
            self.unsettled = checked_add(self.unsettled, checked_sub(cash_closed, basis_closed)?)?;
            self.basis = checked_sub(checked_sub(self.basis, basis_closed)?, checked_sub(cash.0, cash_closed)?)?;
        }
        self.lots = after.0;
        Ok(())
    }

    /// Applies a change of size that the ranking index has already made: `left` lots remain and `proceeds` atoms were
    /// received (negative: paid) for the rest.
    pub fn deleveraged_to(&mut self, left: Lots, proceeds: Quote) -> Result<()> {
        let taken = self.size().sub(left).map_err(BallastError::from)?;
        let taken = match self.position().side() {
            Some(side) => taken.on(side.opposite()).map_err(BallastError::from)?,
            None => Position::FLAT,
        };
        self.trade(taken, proceeds)
    }
}

/// `amount × part ÷ whole`, towards zero.
fn share(amount: i64, part: Lots, whole: Lots) -> Result<i64> {
    if part == whole {
        return Ok(amount);
    }
    let magnitude = u128::from(amount.unsigned_abs()) * u128::from(part.0) / u128::from(whole.0.max(1));
    let magnitude = i64::try_from(magnitude).map_err(|_| BallastError::Overflow)?;
    Ok(if amount < 0 { -magnitude } else { magnitude })
}

fn checked_add(a: i64, b: i64) -> Result<i64> {
    a.checked_add(b).ok_or_else(|| BallastError::Overflow.into())
}

fn checked_sub(a: i64, b: i64) -> Result<i64> {
    a.checked_sub(b).ok_or_else(|| BallastError::Overflow.into())
}

impl MarginAccount {
    /// The slot of `market`, if the account has anything there.
    pub fn slot_index(&self, market: u16) -> Option<usize> {
        let wanted = market + 1;
        self.slots.iter().position(|slot| slot.market_plus_one == wanted)
    }

    /// The slot of `market`, taking a free one when there is none.
    pub fn slot_index_or_new(&mut self, market: u16) -> Result<usize> {
        if let Some(index) = self.slot_index(market) {
            return Ok(index);
        }
        let index = self.slots.iter().position(|slot| slot.market_plus_one == 0).ok_or(BallastError::NoFreeSlot)?;
        self.slots[index] = bytemuck::Zeroable::zeroed();
        self.slots[index].market_plus_one = market + 1;
        Ok(index)
    }

    /// Frees the slot when nothing is left in it.
    pub fn release_if_empty(&mut self, index: usize) {
        if self.slots[index].is_empty() {
            self.slots[index] = bytemuck::Zeroable::zeroed();
        }
    }

    /// Takes over what its owner has earned and owes.
    pub fn take_terms(&mut self, terms: &FeeTerms) {
        (self.fee_tier, self.fee_tier_until) = (terms.tier, terms.until);
        self.referral_share_bps = terms.referral_share_bps;
    }

    /// Fails unless `key` may trade for the account.
    pub fn require_trader(&self, key: &Pubkey) -> Result<()> {
        let allowed = *key == self.owner || (self.delegate != Pubkey::default() && *key == self.delegate);
        require!(allowed, BallastError::Unauthorized);
        Ok(())
    }

    /// How far the account's liquidation has come.
    pub fn progress_mut(&mut self) -> &mut Progress {
        bytemuck::cast_mut(&mut self.progress)
    }

    /// How far the account's liquidation has come.
    pub fn progress(&self) -> &Progress {
        bytemuck::cast_ref(&self.progress)
    }

    /// The deleveraging ladder.
    pub fn ladder_mut(&mut self) -> &mut Ladder {
        bytemuck::cast_mut(&mut self.ladder)
    }

    /// The deleveraging ladder.
    pub fn ladder(&self) -> &Ladder {
        bytemuck::cast_ref(&self.ladder)
    }

    /// Fails when the account was seen bankrupt and has not been resolved.
    pub fn require_not_bankrupt(&self) -> Result<()> {
        require!(self.progress().bankrupt_since == 0, BallastError::AccountBankrupt);
        Ok(())
    }

    /// The fee tier on a day: the base once the volume that earned a better one is too old.
    pub fn fee_tier_on(&self, day: u32) -> u8 {
        if day < self.fee_tier_until { self.fee_tier } else { 0 }
    }

    /// Gathers traded value until it is rolled. It counts for the day on which gathering began.
    pub fn gather_volume(&mut self, quote: u64, day: u32) {
        if self.volume == 0 {
            self.volume_day = day;
        }
        self.volume = self.volume.saturating_add(quote);
    }

    /// Adds settled collateral.
    pub fn credit(&mut self, amount: u64) -> Result<()> {
        self.collateral = self.collateral.checked_add(amount).ok_or(BallastError::Overflow)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    fn slot(lots: i64, basis: i64) -> Slot {
        Slot { lots, basis, ..Slot::zeroed() }
    }

    #[test]
    fn a_reduced_long_realises_its_share_of_the_basis() {
        let mut slot = slot(10, 1_000);
        slot.trade(Position(-4), Quote(480)).unwrap();
        assert_eq!((slot.lots, slot.basis, slot.unsettled), (6, 600, 80));
    }

    #[test]
    fn a_flip_closes_one_side_and_opens_the_other() {
        let mut slot = slot(10, 1_000);
        slot.trade(Position(-15), Quote(1_500)).unwrap();
        assert_eq!((slot.lots, slot.basis, slot.unsettled), (-5, -500, 0));
    }

    #[test]
    fn money_is_conserved_whatever_the_rounding() {
        let mut slot = slot(-7, -1_001);
        let before = slot.unsettled - slot.basis;
        slot.trade(Position(3), Quote(-502)).unwrap();
        assert_eq!(slot.unsettled - slot.basis, before - 502);
        slot.trade(Position(11), Quote(-1_703)).unwrap();
        assert_eq!(slot.unsettled - slot.basis, before - 502 - 1_703);
    }
}
