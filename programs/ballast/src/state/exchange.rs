//! The exchange: roles, quote mint, pause flags.

use anchor_lang::prelude::*;
use ballast_risk::fees::FEE_TIERS;

/// Seed of the exchange's address, followed by its creator's key. Anyone may found an exchange; nobody can found
/// another's, so there is no race for a single well-known address after deployment.
pub const EXCHANGE_SEED: &[u8] = b"exchange";
/// Seed of the collateral vault, followed by the exchange's key.
pub const VAULT_SEED: &[u8] = b"vault";
/// Seed of the insurance vault, followed by the exchange's key.
pub const INSURANCE_SEED: &[u8] = b"insurance";

/// One exchange. Its address is also the authority over both token vaults.
#[account]
#[derive(InitSpace)]
pub struct Exchange {
    /// Layout version.
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// Bump of the collateral vault's address.
    pub vault_bump: u8,
    /// Bump of the insurance vault's address.
    pub insurance_bump: u8,
    /// Who founded the exchange; part of its address.
    pub creator: Pubkey,
    /// Who may create markets and change parameters.
    pub admin: Pubkey,
    /// Who takes the admin role over as soon as they accept, or the default key.
    pub pending_admin: Pubkey,
    /// Who may pause, and nothing else.
    pub guardian: Pubkey,
    /// The mint of the collateral (USDC).
    pub quote_mint: Pubkey,
    /// Number of markets created so far; the next one's index.
    pub market_count: u16,
    /// Whether deposits are stopped.
    pub deposits_paused: bool,
    /// Whether withdrawals are stopped.
    pub withdrawals_paused: bool,
    /// 30-day volumes, in atoms, from which fee tiers apply, ascending; unused ones are zero.
    pub fee_tier_volumes: [u64; FEE_TIERS],
    /// A referrer's share in what the exchange keeps of a fee, in basis points.
    pub referral_share_bps: u16,
    /// Room to grow.
    pub reserved: [u8; 218],
}

impl Exchange {
    /// The seeds with which the exchange signs for its vaults.
    pub fn signer_seeds<'a>(creator: &'a Pubkey, bump: &'a [u8; 1]) -> [&'a [u8]; 3] {
        [EXCHANGE_SEED, creator.as_ref(), bump]
    }
}
