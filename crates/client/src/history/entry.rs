//! One line of an account's history.

use ballast::events::Cause;
use solana_pubkey::Pubkey;

use crate::snapshot::Moment;

/// What happened to an account, with its settled collateral afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When: as the caller said for the transaction.
    pub moment: Moment,
    /// What.
    pub what: What,
    /// Settled collateral afterwards, in atoms.
    pub collateral: i128,
}

/// What happened. Amounts are atoms, received if positive; sizes lots, bought if positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The account was opened by its owner, under this number.
    Opened {
        /// The owner.
        owner: Pubkey,
        /// The number.
        number: u16,
    },
    /// The account was closed.
    Closed,
    /// Who may trade for it was changed.
    Delegated {
        /// Who may; the default key is nobody.
        delegate: Pubkey,
    },
    /// Collateral came from, or went to, a wallet.
    Paid {
        /// Negative: withdrawn.
        amount: i128,
    },
    /// Collateral came from, or went to, another account of the same owner.
    Transferred {
        /// The other account.
        other: Pubkey,
        /// Negative: to it.
        amount: i128,
    },
    /// One fill. What it did to the position is told when the account is touched, at once for a taker.
    Filled {
        /// The market.
        market: u16,
        /// Whether the account's order rested.
        maker: bool,
        /// Whether the account bought.
        bought: bool,
        /// Price.
        price: u64,
        /// Lots.
        lots: u64,
        /// The resting order.
        order_id: u128,
    },
    /// The position changed: by own trades, by force, or because it was on the other side of a deleveraging.
    Position {
        /// The market.
        market: u16,
        /// Why.
        cause: Cause,
        /// Lots.
        base: i64,
        /// Cash, without the fee.
        cash: i64,
        /// Fee paid; negative: a rebate received.
        fee: i64,
        /// Position afterwards.
        lots: i64,
    },
    /// Funding was received (negative: paid).
    Funding {
        /// The market.
        market: u16,
        /// Atoms.
        amount: i64,
    },
    /// Realised profit became money (negative: a realised loss was paid).
    Settled {
        /// The market.
        market: u16,
        /// Atoms.
        amount: i64,
    },
    /// A stage of liquidation.
    Liquidated {
        /// The market.
        market: u16,
        /// The stage (see [`ballast::logic::stage_code`]).
        stage: u8,
        /// Lots closed or handed over.
        lots: u64,
        /// Fee paid. What a takeover cost is in its price.
        fee: i128,
    },
    /// Insurance paid towards what the account owed.
    Insured {
        /// The market.
        market: u16,
        /// Atoms.
        amount: u64,
    },
    /// Earned by, or charged for, work that keeps the exchange in order: a liquidation's reward, a bounty.
    Worked {
        /// The market.
        market: u16,
        /// Negative: charged.
        amount: i128,
    },
    /// A referrer's earnings.
    Referral {
        /// Atoms.
        amount: u64,
    },
}
