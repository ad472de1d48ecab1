//! The exchange: its roles, pauses, fee schedule, and insurance.

use anchor_lang::prelude::*;

/// An exchange was founded.
#[event]
#[derive(Clone, Debug)]
pub struct ExchangeCreated {
    /// The exchange.
    pub exchange: Pubkey,
    /// Its admin.
    pub admin: Pubkey,
    /// Its collateral mint.
    pub quote_mint: Pubkey,
}

/// Deposits or withdrawals were stopped or resumed.
#[event]
#[derive(Clone, Debug)]
pub struct PauseSet {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who did it.
    pub authority: Pubkey,
    /// Whether deposits are stopped from here on.
    pub deposits: bool,
    /// Whether withdrawals are.
    pub withdrawals: bool,
}

/// The admin role was offered, or the offer withdrawn.
#[event]
#[derive(Clone, Debug)]
pub struct AdminProposed {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who has the role.
    pub admin: Pubkey,
    /// To whom; the default key withdraws the offer.
    pub next: Pubkey,
}

/// The admin role was taken over.
#[event]
#[derive(Clone, Debug)]
pub struct AdminAccepted {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who had it.
    pub before: Pubkey,
    /// Who has it now.
    pub admin: Pubkey,
}

/// Which volumes earn fee tiers, and what referrers get, was set.
#[event]
#[derive(Clone, Debug)]
pub struct FeeScheduleSet {
    /// The exchange.
    pub exchange: Pubkey,
    /// 30-day volumes of the tiers, in atoms; unused ones zero.
    pub volumes: [u64; 4],
    /// The referrers' share in what the exchange keeps of a fee, in basis points.
    pub referral_share_bps: u16,
}

/// Insurance grew.
#[event]
#[derive(Clone, Debug)]
pub struct InsuranceFunded {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who paid, or the market whose fees were swept.
    pub source: Pubkey,
    /// Atoms.
    pub amount: u64,
}

/// An account got the layout of this version.
#[event]
#[derive(Clone, Debug)]
pub struct AccountMigrated {
    /// The account.
    pub account: Pubkey,
    /// The version that it has now.
    pub version: u8,
}
