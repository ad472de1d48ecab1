//! One typed builder per instruction, from plain values and keys. The accounts and their order come from the program's
//! own generated structs, so that they cannot drift apart.
//!
//! Instructions that assess a whole account take the accounts of its other markets after their own:
//! [`others`] puts them together, in the order of the account's slots, which is the order that costs least.

mod account;
mod exchange;
mod forced;
mod market;
mod migrate;
mod orders;
mod others;
mod protection;
mod tend;
mod trade;
mod trader;

pub use account::*;
pub use exchange::*;
pub use forced::*;
pub use market::*;
pub use migrate::*;
pub use orders::*;
pub use others::*;
pub use protection::*;
pub use tend::*;
use trade::cancel_accounts;
pub use trade::*;
pub use trader::*;

use anchor_lang::{InstructionData, ToAccountMetas};
use solana_instruction::{AccountMeta, Instruction};

use crate::addresses::PROGRAM_ID;

/// Puts an instruction of the program together.
fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData, others: &[AccountMeta]) -> Instruction {
    let mut metas = accounts.to_account_metas(None);
    metas.extend_from_slice(others);
    Instruction { program_id: PROGRAM_ID, accounts: metas, data: data.data() }
}

#[cfg(test)]
mod tests {
    use anchor_lang::{AnchorDeserialize, Discriminator};
    use ballast::{OrderArgs, OrderKind, instruction};
    use ballast_book::{Fires, TriggerId};
    use ballast_units::{Lots, Price, Side};
    use solana_pubkey::Pubkey;

    use super::*;
    use crate::addresses::{ExchangeKeys, MarketKeys};

    fn key(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    fn market() -> MarketKeys {
        MarketKeys { index: 0, market: key(1), book: key(2), ranks: key(3) }
    }

    #[test]
    fn an_order_is_signed_by_its_trader_and_changes_its_own_market_only() {
        let order = post_only_order(Side::Short, Price(77), Lots(5));
        let others = [AccountMeta::new_readonly(key(9), false)];
        let built = place_order(&key(7), &key(8), &market(), order, &others);
        assert_eq!(built.program_id, PROGRAM_ID);
        let expected = [
            AccountMeta::new_readonly(key(7), true),
            AccountMeta::new(key(8), false),
            AccountMeta::new(key(1), false),
            AccountMeta::new(key(2), false),
            AccountMeta::new(key(3), false),
            AccountMeta::new_readonly(PROGRAM_ID, false),
            others[0].clone(),
        ];
        assert_eq!(built.accounts, expected);
        let fields = built.data.strip_prefix(instruction::PlaceOrder::DISCRIMINATOR).unwrap();
        let order = OrderArgs::try_from_slice(fields).unwrap();
        assert_eq!((order.buys, order.kind, order.price, order.lots), (false, OrderKind::PostOnly, 77, 5));
    }

    #[test]
    fn tending_needs_no_signature_but_the_payers() {
        let tend = Tend { reward: key(7), margin: key(8), market: market(), others: Vec::new() };
        let keys = ExchangeKeys { exchange: key(4), vault: key(5), insurance: key(6) };
        let all = [
            settle_seat(&tend),
            rerank(&tend),
            liquidate(&tend),
            deleverage(&keys, &tend, 8),
            cover_bad_debt(&keys, &tend),
            execute_trigger(&tend, TriggerId(5)),
            execute_ladder(&tend),
        ];
        for built in &all {
            assert!(built.accounts.iter().all(|meta| !meta.is_signer));
            assert_eq!(built.accounts[..2].iter().map(|meta| meta.pubkey).collect::<Vec<_>>(), [key(7), key(8)]);
        }
        let discriminators: Vec<_> = all.iter().map(|built| built.data[..8].to_vec()).collect();
        assert!((1..all.len()).all(|at| !discriminators[..at].contains(&discriminators[at])));
    }

    #[test]
    fn a_trigger_is_a_stop_or_a_target_of_the_position_that_it_protects() {
        let stop = stop_loss(Side::Long, Price(90), Some(Lots(3)));
        assert_eq!((stop.buys, stop.side(), stop.fires()), (false, Side::Short, Fires::AtOrBelow));
        let target = take_profit(Side::Short, Price(90), None);
        assert_eq!((target.buys, target.fires(), target.terms.lots), (true, Fires::AtOrBelow, 0));
        let built = place_triggers(&key(7), &key(8), &market(), stop, Some(stop));
        assert!(built.accounts.iter().all(|meta| !meta.is_signer || meta.pubkey == key(7)));
        assert!(!built.accounts[2].is_writable, "the market is only read");
        assert!(ratchet_trigger(&market(), TriggerId(1)).accounts.iter().all(|meta| !meta.is_signer));
    }

    #[test]
    fn slabs_are_created_large_enough_and_owned_by_the_program() {
        let built = create_ranks(&key(7), &key(3), 64, 1_000);
        assert_eq!(built.program_id, solana_system_interface::program::ID);
        // Instruction number (4), lamports (8), space (8), owner.
        let space = u64::try_from(ranks_space(64)).unwrap();
        assert_eq!(built.data[12..20], space.to_le_bytes());
        assert_eq!(built.data[20..52], PROGRAM_ID.to_bytes());
        assert!(book_space(64) > ballast_book::space(64));
    }
}
