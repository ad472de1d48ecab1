//! What concerns an owner as a whole, over all margin accounts: traded volume, and who referred them.

use anchor_lang::prelude::*;
use ballast_risk::fees::Volumes;

use super::Exchange;

/// Seed of a trader's address, followed by the exchange and the owner.
pub const TRADER_SEED: &[u8] = b"trader";

/// One owner. Nobody needs one to trade: without it, fees are those of the base tier.
///
/// Trading itself does not touch it. Margin accounts gather volume and what a referrer is due, and `roll_volume`, which
/// anyone may call, brings both here and the tier back.
#[account(zero_copy)]
pub struct Trader {
    /// Layout version.
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// Explicit padding.
    pub padding: [u8; 6],
    /// The exchange.
    pub exchange: Pubkey,
    /// The owner.
    pub owner: Pubkey,
    /// The trader account of whoever referred this one, or the default key. Set when the account is opened, for good.
    pub referrer: Pubkey,
    /// Volume by day ([`Volumes`] as words).
    pub volumes: [u64; VOLUME_WORDS],
    /// What fees of those whom this trader referred have earned and have not been claimed, in settled atoms.
    pub earned: u64,
    /// The same, claimed or not, since the beginning.
    pub earned_in_all: u64,
    /// Room to grow.
    pub reserved: [u64; 8],
}

/// What an owner's margin accounts have of him: his fee tier, and what his referrer gets.
pub struct FeeTerms {
    /// The tier that his volume of thirty days earns.
    pub tier: u8,
    /// The first day on which it is no longer earned.
    pub until: u32,
    /// The referrer's share in what the exchange keeps of a fee, in basis points; zero without a referrer.
    pub referral_share_bps: u16,
}

impl FeeTerms {
    /// On this day.
    pub fn of(exchange: &Exchange, trader: &Trader, today: u32) -> FeeTerms {
        let earned = trader.volumes().earned(today, &exchange.fee_tier_volumes);
        let referral_share_bps = if trader.is_referred() { exchange.referral_share_bps } else { 0 };
        FeeTerms { tier: earned.tier, until: earned.until, referral_share_bps }
    }
}

/// Words of [`Volumes`].
pub const VOLUME_WORDS: usize = 31;
const _: () = assert!(core::mem::size_of::<Volumes>() == 8 * VOLUME_WORDS);
const _: () = assert!(core::mem::size_of::<Trader>() == 8 + 96 + 8 * VOLUME_WORDS + 16 + 64);

impl Trader {
    /// Volume by day.
    pub fn volumes(&self) -> &Volumes {
        bytemuck::cast_ref(&self.volumes)
    }

    /// Volume by day.
    pub fn volumes_mut(&mut self) -> &mut Volumes {
        bytemuck::cast_mut(&mut self.volumes)
    }

    /// Whether somebody referred this trader.
    pub fn is_referred(&self) -> bool {
        self.referrer != Pubkey::default()
    }
}
