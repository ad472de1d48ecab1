//! Where the program's accounts are. Every address but those of books and rank indexes follows from seeds.

use ballast::state::{
    EXCHANGE_SEED, Exchange, INSURANCE_SEED, MARGIN_SEED, MARKET_SEED, Market, TRADER_SEED, VAULT_SEED,
};
use solana_pubkey::Pubkey;

/// The program.
pub const PROGRAM_ID: Pubkey = ballast::ID_CONST;

/// The exchange that `creator` founded.
pub fn exchange(creator: &Pubkey) -> Pubkey {
    derive(&[EXCHANGE_SEED, creator.as_ref()])
}

/// The exchange's collateral vault.
pub fn vault(exchange: &Pubkey) -> Pubkey {
    derive(&[VAULT_SEED, exchange.as_ref()])
}

/// The exchange's insurance vault.
pub fn insurance(exchange: &Pubkey) -> Pubkey {
    derive(&[INSURANCE_SEED, exchange.as_ref()])
}

/// The exchange's market with this index.
pub fn market(exchange: &Pubkey, index: u16) -> Pubkey {
    derive(&[MARKET_SEED, exchange.as_ref(), &index.to_le_bytes()])
}

/// The owner's margin account with this number.
pub fn margin_account(exchange: &Pubkey, owner: &Pubkey, number: u16) -> Pubkey {
    derive(&[MARGIN_SEED, exchange.as_ref(), owner.as_ref(), &number.to_le_bytes()])
}

/// The owner's trader account: volume and referrals over all margin accounts.
pub fn trader(exchange: &Pubkey, owner: &Pubkey) -> Pubkey {
    derive(&[TRADER_SEED, exchange.as_ref(), owner.as_ref()])
}

fn derive(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &PROGRAM_ID).0
}

/// An exchange with its vaults: what instructions that move tokens need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExchangeKeys {
    /// The exchange.
    pub exchange: Pubkey,
    /// Its collateral vault.
    pub vault: Pubkey,
    /// Its insurance vault.
    pub insurance: Pubkey,
}

impl ExchangeKeys {
    /// Derives the vaults of an exchange. Costs two searches for an address; keep the result.
    pub fn new(exchange: Pubkey) -> Self {
        ExchangeKeys { exchange, vault: vault(&exchange), insurance: insurance(&exchange) }
    }

    /// As [`new`](Self::new), with the bumps that the account has stored.
    pub fn of(key: Pubkey, exchange: &Exchange) -> Option<Self> {
        let at =
            |seed: &[u8], bump: u8| Pubkey::create_program_address(&[seed, key.as_ref(), &[bump]], &PROGRAM_ID).ok();
        Some(ExchangeKeys {
            exchange: key,
            vault: at(VAULT_SEED, exchange.vault_bump)?,
            insurance: at(INSURANCE_SEED, exchange.insurance_bump)?,
        })
    }
}

/// A market with its slabs: what nearly every instruction needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarketKeys {
    /// The market's index in its exchange.
    pub index: u16,
    /// The market.
    pub market: Pubkey,
    /// Its order book.
    pub book: Pubkey,
    /// Its ranking index.
    pub ranks: Pubkey,
}

impl MarketKeys {
    /// From the market's account.
    pub fn of(key: Pubkey, market: &Market) -> Self {
        MarketKeys { index: market.index, market: key, book: market.book, ranks: market.ranks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_differ_by_every_seed() {
        let (a, b) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let all = [
            exchange(&a),
            exchange(&b),
            vault(&a),
            insurance(&a),
            market(&a, 0),
            market(&a, 1),
            market(&b, 0),
            margin_account(&a, &b, 0),
            margin_account(&a, &b, 256),
            margin_account(&b, &a, 0),
        ];
        for (at, key) in all.iter().enumerate() {
            assert!(!all[..at].contains(key));
        }
    }

    #[test]
    fn stored_bumps_lead_to_the_derived_vaults() {
        let key = Pubkey::new_from_array([7; 32]);
        let bump = |seed: &[u8]| Pubkey::find_program_address(&[seed, key.as_ref()], &PROGRAM_ID).1;
        let exchange = Exchange {
            version: 1,
            bump: 0,
            vault_bump: bump(VAULT_SEED),
            insurance_bump: bump(INSURANCE_SEED),
            creator: key,
            admin: key,
            pending_admin: key,
            guardian: key,
            quote_mint: key,
            market_count: 0,
            deposits_paused: false,
            withdrawals_paused: false,
            fee_tier_volumes: [0; 4],
            referral_share_bps: 0,
            reserved: [0; 218],
        };
        assert_eq!(ExchangeKeys::of(key, &exchange), Some(ExchangeKeys::new(key)));
    }
}
