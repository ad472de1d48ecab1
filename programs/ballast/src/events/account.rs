//! Accounts: opening and closing, money in and out, delegates, fee tiers and referrals.

use anchor_lang::prelude::*;

/// A margin account was opened.
#[event]
#[derive(Clone, Debug)]
pub struct AccountOpened {
    /// The account.
    pub account: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// Its number under the owner.
    pub number: u16,
}

/// An empty margin account was closed.
#[event]
#[derive(Clone, Debug)]
pub struct AccountClosed {
    /// The account.
    pub account: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// Who got its rent.
    pub receiver: Pubkey,
}

/// An account's delegate was named or dismissed.
#[event]
#[derive(Clone, Debug)]
pub struct DelegateSet {
    /// The account.
    pub account: Pubkey,
    /// Who may trade for it from here on; the default key is nobody.
    pub delegate: Pubkey,
}

/// Collateral came in.
#[event]
#[derive(Clone, Debug)]
pub struct Deposited {
    /// The account.
    pub account: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// Collateral went out.
#[event]
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// The account.
    pub account: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// Collateral moved between two accounts of one owner.
#[event]
#[derive(Clone, Debug)]
pub struct CollateralTransferred {
    /// The account that paid.
    pub from: Pubkey,
    /// The account that was paid.
    pub to: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral of the first afterwards.
    pub from_collateral: u64,
    /// Settled collateral of the second afterwards.
    pub to_collateral: u64,
}

/// An owner opened a trader account.
#[event]
#[derive(Clone, Debug)]
pub struct TraderOpened {
    /// The trader account.
    pub trader: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// The trader account of whoever referred them, or the default key.
    pub referrer: Pubkey,
}

/// Volume was rolled into an owner's fee tier, and a referrer credited.
#[event]
#[derive(Clone, Debug)]
pub struct VolumeRolled {
    /// The trader account.
    pub trader: Pubkey,
    /// Atoms that margin accounts had gathered.
    pub volume: u64,
    /// Volume that counts now.
    pub thirty_days: u64,
    /// The tier.
    pub tier: u8,
    /// The first day (since 1970) on which it is no longer earned if nothing more is traded; zero for the base.
    pub until: u32,
    /// The referrer's trader account, or the default key.
    pub referrer: Pubkey,
    /// Atoms of fees that were owed to it by the margin accounts, and are now its earnings.
    pub referral: u64,
}

/// A referrer's earnings became collateral.
#[event]
#[derive(Clone, Debug)]
pub struct ReferralClaimed {
    /// The trader account that earned them.
    pub trader: Pubkey,
    /// The margin account that was credited.
    pub account: Pubkey,
    /// Atoms.
    pub amount: u64,
    /// Settled collateral afterwards.
    pub collateral: u64,
}

/// The caller of a permissionless instruction was paid.
#[event]
#[derive(Clone, Debug)]
pub struct BountyPaid {
    /// The market's index.
    pub market: u16,
    /// The account that was credited.
    pub account: Pubkey,
    /// The account that was charged; the market's trading fees when there is none.
    pub charged: Option<Pubkey>,
    /// Atoms.
    pub amount: u64,
}
