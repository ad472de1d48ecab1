//! Founding and governing an exchange, its insurance and its fees.

use ballast::{accounts, instruction};
use ballast_risk::fees::TierVolumes;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::build;
use crate::addresses::{self, ExchangeKeys, MarketKeys, PROGRAM_ID};

/// Founds the exchange of `creator`, who becomes its admin and pays.
pub fn initialize_exchange(creator: &Pubkey, quote_mint: &Pubkey, guardian: &Pubkey) -> Instruction {
    let keys = ExchangeKeys::new(addresses::exchange(creator));
    build(
        &accounts::InitializeExchange {
            creator: *creator,
            exchange: keys.exchange,
            quote_mint: *quote_mint,
            vault: keys.vault,
            insurance: keys.insurance,
            token_program: spl_token_interface::ID,
            system_program: solana_system_interface::program::ID,
            program: PROGRAM_ID,
        },
        &instruction::InitializeExchange { guardian: *guardian },
        &[],
    )
}

/// The admin offers the role to `next`; the default key withdraws the offer.
pub fn propose_admin(admin: &Pubkey, exchange: &Pubkey, next: &Pubkey) -> Instruction {
    build(
        &accounts::GovernExchange { authority: *admin, exchange: *exchange, program: PROGRAM_ID },
        &instruction::ProposeAdmin { next: *next },
        &[],
    )
}

/// The pending admin accepts the role.
pub fn accept_admin(pending_admin: &Pubkey, exchange: &Pubkey) -> Instruction {
    build(
        &accounts::GovernExchange { authority: *pending_admin, exchange: *exchange, program: PROGRAM_ID },
        &instruction::AcceptAdmin {},
        &[],
    )
}

/// Stops or resumes deposits and withdrawals. The guardian can only stop.
pub fn set_pause(authority: &Pubkey, exchange: &Pubkey, deposits: bool, withdrawals: bool) -> Instruction {
    build(
        &accounts::GovernExchange { authority: *authority, exchange: *exchange, program: PROGRAM_ID },
        &instruction::SetPause { deposits, withdrawals },
        &[],
    )
}

/// Sets the 30-day volumes from which fee tiers apply (ascending, unused ones zero), and the referrers' share.
pub fn set_fee_schedule(
    admin: &Pubkey,
    exchange: &Pubkey,
    volumes: TierVolumes,
    referral_share_bps: u16,
) -> Instruction {
    build(
        &accounts::GovernExchange { authority: *admin, exchange: *exchange, program: PROGRAM_ID },
        &instruction::SetFeeSchedule { volumes, referral_share_bps },
        &[],
    )
}

/// Gives `amount` atoms from `source`, the funder's token account, to insurance.
pub fn fund_insurance(funder: &Pubkey, keys: &ExchangeKeys, source: &Pubkey, amount: u64) -> Instruction {
    build(
        &accounts::FundInsurance {
            funder: *funder,
            exchange: keys.exchange,
            source: *source,
            insurance: keys.insurance,
            token_program: spl_token_interface::ID,
            program: PROGRAM_ID,
        },
        &instruction::FundInsurance { amount },
        &[],
    )
}

/// Settles what rounding left in the ranking index and moves a market's insurance fees into the insurance vault. Anyone
/// may.
pub fn sweep_insurance_fees(keys: &ExchangeKeys, market: &MarketKeys) -> Instruction {
    build(
        &accounts::SweepInsuranceFees {
            exchange: keys.exchange,
            market: market.market,
            ranks: market.ranks,
            vault: keys.vault,
            insurance: keys.insurance,
            token_program: spl_token_interface::ID,
            program: PROGRAM_ID,
        },
        &instruction::SweepInsuranceFees {},
        &[],
    )
}

/// Pays a market's trading fees out to `target`, a token account.
pub fn withdraw_fees(admin: &Pubkey, keys: &ExchangeKeys, market: &Pubkey, target: &Pubkey) -> Instruction {
    build(
        &accounts::WithdrawFees {
            admin: *admin,
            exchange: keys.exchange,
            market: *market,
            vault: keys.vault,
            target: *target,
            token_program: spl_token_interface::ID,
            program: PROGRAM_ID,
        },
        &instruction::WithdrawFees {},
        &[],
    )
}
