//! The other markets of an account: a triple (market, book, ranks) for each slot but the instruction's own.

use ballast::state::MarginAccount;
use solana_instruction::AccountMeta;

use crate::addresses::MarketKeys;

/// Finds a market's accounts by its index. Implemented by [`crate::snapshot::Snapshot`] and by slices of keys.
pub trait Lookup {
    /// The market with this index, if it is known.
    fn market_keys(&self, index: u16) -> Option<MarketKeys>;
}

impl Lookup for [MarketKeys] {
    fn market_keys(&self, index: u16) -> Option<MarketKeys> {
        self.iter().find(|keys| keys.index == index).copied()
    }
}

impl Lookup for Vec<MarketKeys> {
    fn market_keys(&self, index: u16) -> Option<MarketKeys> {
        self.as_slice().market_keys(index)
    }
}

impl<L: Lookup + ?Sized> Lookup for &L {
    fn market_keys(&self, index: u16) -> Option<MarketKeys> {
        (**self).market_keys(index)
    }
}

/// An account has something in a market that the caller does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("market {0} of the account is not known; take a new snapshot")]
pub struct UnknownMarket(pub u16);

/// The accounts of all markets in which `margin` has anything, but `except`: read-only triples (market, book, ranks) in
/// the order of the slots.
///
/// # Errors
/// When one of them is not in `markets`.
pub fn others(
    margin: &MarginAccount,
    except: Option<u16>,
    markets: &(impl Lookup + ?Sized),
) -> Result<Vec<AccountMeta>, UnknownMarket> {
    union(&[margin], except, markets)
}

/// As [`others`], of two accounts together, each market once: what a takeover needs.
///
/// # Errors
/// As [`others`].
pub fn others_of_both(
    margin: &MarginAccount,
    taker: &MarginAccount,
    except: Option<u16>,
    markets: &(impl Lookup + ?Sized),
) -> Result<Vec<AccountMeta>, UnknownMarket> {
    union(&[margin, taker], except, markets)
}

fn union(
    accounts: &[&MarginAccount],
    except: Option<u16>,
    markets: &(impl Lookup + ?Sized),
) -> Result<Vec<AccountMeta>, UnknownMarket> {
    let mut seen = Vec::new();
    let mut metas = Vec::new();
    for index in accounts.iter().flat_map(|account| account.slots.iter()).filter_map(|slot| slot.market()) {
        if Some(index) == except || seen.contains(&index) {
            continue;
        }
        seen.push(index);
        let keys = markets.market_keys(index).ok_or(UnknownMarket(index))?;
        metas.extend([keys.market, keys.book, keys.ranks].map(|key| AccountMeta::new_readonly(key, false)));
    }
    Ok(metas)
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use solana_pubkey::Pubkey;

    use super::*;

    fn keys(index: u16) -> MarketKeys {
        let key = |kind: u8| {
            let [low, high] = index.to_le_bytes();
            let mut bytes = [kind; 32];
            (bytes[0], bytes[1]) = (low, high);
            Pubkey::new_from_array(bytes)
        };
        MarketKeys { index, market: key(1), book: key(2), ranks: key(3) }
    }

    fn account(markets: &[u16]) -> MarginAccount {
        let mut account = MarginAccount::zeroed();
        for (slot, market) in account.slots.iter_mut().zip(markets) {
            slot.market_plus_one = market + 1;
        }
        account
    }

    #[test]
    fn triples_come_in_the_order_of_slots_without_the_primary() {
        let markets: Vec<_> = (0..8).map(keys).collect();
        let metas = others(&account(&[5, 0, 3]), Some(0), &markets).unwrap();
        let expected: Vec<_> = [5, 3]
            .map(keys)
            .iter()
            .flat_map(|keys| [keys.market, keys.book, keys.ranks])
            .map(|key| AccountMeta::new_readonly(key, false))
            .collect();
        assert_eq!(metas, expected);
    }

    #[test]
    fn free_slots_between_are_passed_over() {
        let mut margin = account(&[4, 9, 2]);
        margin.slots[1] = Zeroable::zeroed();
        let metas = others(&margin, None, &(0..8).map(keys).collect::<Vec<_>>()).unwrap();
        assert_eq!(
            metas.iter().step_by(3).map(|meta| meta.pubkey).collect::<Vec<_>>(),
            [keys(4).market, keys(2).market]
        );
    }

    #[test]
    fn both_accounts_markets_are_named_once() {
        let markets: Vec<_> = (0..8).map(keys).collect();
        let metas = others_of_both(&account(&[1, 2]), &account(&[2, 7, 1, 3]), Some(1), &markets).unwrap();
        let named: Vec<_> = metas.iter().step_by(3).map(|meta| meta.pubkey).collect();
        assert_eq!(named, [2, 7, 3].map(|index| keys(index).market));
    }

    #[test]
    fn an_unknown_market_is_an_error() {
        assert_eq!(others(&account(&[1, 6]), Some(1), &vec![keys(1)]), Err(UnknownMarket(6)));
    }
}
