//! What a compute unit is worth: a percentile of what others paid lately for the same accounts, within caps.

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

use super::{SendError, Units, shared::Shared};

/// Most accounts that a node is asked about at once.
const MAX_ACCOUNTS: usize = 128;
/// Millionths of a lamport in one.
const MICRO: u64 = 1_000_000;

/// Fee of a signature, in lamports, on every cluster.
pub const SIGNATURE_FEE: u64 = 5_000;

/// What a transaction is going to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// Its compute budget.
    pub units: Units,
    /// Its fee in lamports, for signatures and priority. It is paid once the transaction lands, also when it fails.
    pub lamports: u64,
}

impl Bid {
    /// For a transaction with so many signatures.
    pub(super) fn new(signatures: usize, units: Units) -> Bid {
        let signatures = u64::try_from(signatures).unwrap_or(u64::MAX);
        // As the runtime counts: the whole limit is paid for, rounded up to a lamport.
        let priority = (u128::from(units.price) * u128::from(units.limit)).div_ceil(MICRO.into());
        let priority = u64::try_from(priority).unwrap_or(u64::MAX);
        Bid { units, lamports: signatures.saturating_mul(SIGNATURE_FEE).saturating_add(priority) }
    }
}

/// How the price of a compute unit is found, in millionths of a lamport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Always this.
    Fixed(u64),
    /// What this share of the recent slots paid at most, for the accounts that the transaction writes.
    Recent {
        /// The share, in percent.
        percentile: u8,
        /// At least this price.
        min: u64,
        /// At most this price.
        max: u64,
        /// At most this much for the whole transaction, in lamports.
        max_lamports: u64,
    },
}

impl Default for Priority {
    /// Three quarters of recent slots, at most 0.001 SOL for a transaction.
    fn default() -> Self {
        Priority::Recent { percentile: 75, min: 0, max: 5_000_000, max_lamports: 1_000_000 }
    }
}

impl Priority {
    /// The price for a transaction that writes these accounts, with this compute limit.
    pub(super) async fn price(
        &self,
        shared: &Shared,
        rpc: &RpcClient,
        written: Vec<Pubkey>,
        limit: u32,
    ) -> Result<u64, SendError> {
        match *self {
            Priority::Fixed(price) => Ok(price),
            Priority::Recent { percentile: share, min, max, max_lamports } => {
                let mut paid = shared.recent_fees(rpc, written).await?;
                let price = percentile(&mut paid, share).clamp(min, max.max(min));
                Ok(price.min(affordable(max_lamports, limit)))
            }
        }
    }
}

/// The largest price at which `limit` units cost no more than `lamports`.
fn affordable(lamports: u64, limit: u32) -> u64 {
    lamports.saturating_mul(MICRO) / u64::from(limit.max(1))
}

/// The accounts that are written, without the payer, for which there is no competition.
pub(super) fn written(payer: &Pubkey, instructions: &[Instruction]) -> Vec<Pubkey> {
    let mut keys: Vec<Pubkey> = instructions
        .iter()
        .flat_map(|instruction| &instruction.accounts)
        .filter(|meta| meta.is_writable && meta.pubkey != *payer)
        .map(|meta| meta.pubkey)
        .collect();
    keys.sort();
    keys.dedup();
    keys.truncate(MAX_ACCOUNTS);
    keys
}

/// The smallest value that `share` percent of the values do not exceed; zero of none. Sorts the values.
pub fn percentile(values: &mut [u64], share: u8) -> u64 {
    values.sort_unstable();
    let rank = (values.len() * usize::from(share.min(100))).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use solana_instruction::AccountMeta;

    use super::*;

    #[test]
    fn percentiles_are_values_that_were_paid() {
        let mut paid = [5, 1, 9, 3];
        assert_eq!([0, 25, 50, 75, 76, 100].map(|share| percentile(&mut paid, share)), [1, 1, 3, 5, 9, 9]);
        assert_eq!(percentile(&mut [], 75), 0);
    }

    #[test]
    fn a_transaction_never_costs_more_than_its_cap() {
        let price = affordable(1_000_000, 1_400_000);
        assert!(price * 1_400_000 / MICRO <= 1_000_000);
        assert!((price + 1) * 1_400_000 / MICRO >= 1_000_000);
        assert_eq!(affordable(u64::MAX, 0), u64::MAX);
    }

    #[test]
    fn a_bid_is_for_signatures_and_the_whole_limit() {
        assert_eq!(Bid::new(1, Units { limit: 200_000, price: 0 }).lamports, 5_000);
        assert_eq!(Bid::new(2, Units { limit: 200_000, price: 12 }).lamports, 10_003);
    }

    #[test]
    fn only_contended_accounts_are_asked_about() {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let instruction = Instruction {
            program_id: key(0),
            accounts: vec![
                AccountMeta::new(key(1), true),
                AccountMeta::new(key(3), false),
                AccountMeta::new_readonly(key(2), false),
                AccountMeta::new(key(3), false),
            ],
            data: Vec::new(),
        };
        assert_eq!(written(&key(1), &[instruction]), [key(3)]);
    }
}
