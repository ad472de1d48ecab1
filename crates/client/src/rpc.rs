//! Reading a cluster: snapshots that are consistent in themselves and with the vaults, and lookup tables.
//!
//! One `getProgramAccounts` is answered from one bank, so the program's accounts agree with each other at the slot that
//! the answer names. The vaults belong to the token program and come in an answer of their own, which may be of another
//! slot. So they are read before and after: [`state`] accepts only an answer between two equal readings, and reads again
//! otherwise.

#[cfg(test)]
mod tests;

use base64::{Engine, prelude::BASE64_STANDARD};
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccount, UiAccountData, UiAccountEncoding};
use solana_address_lookup_table_interface::state::AddressLookupTable;
use solana_commitment_config::CommitmentConfig;
use solana_message::AddressLookupTableAccount;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::Error as ClientError,
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    request::RpcRequest,
    response::{OptionalContext, RpcKeyedAccount},
};
use solana_sdk_ids::sysvar;

use crate::{
    addresses::{ExchangeKeys, PROGRAM_ID},
    audit::Vaults,
    snapshot::{Moment, Snapshot, SnapshotError},
};

/// Readings of the vaults that may disagree before [`state`] gives up.
const MAX_ATTEMPTS: u32 = 20;

/// Why a cluster's state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The node did not answer, or refused.
    #[error(transparent)]
    Rpc(#[from] Box<ClientError>),
    /// The accounts do not make a snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// An account is missing or is not what it should be.
    #[error("account {0} is missing or not {1}")]
    Account(Pubkey, &'static str),
    /// The program has none.
    #[error("the program {} has no exchange on this cluster", PROGRAM_ID)]
    NoExchange,
    /// The program has several, and none was named.
    #[error("there are several exchanges; say which one (--exchange): {}", names(.0))]
    SeveralExchanges(Vec<Pubkey>),
    /// The vaults changed between every two readings.
    #[error("the vaults changed during each of {0} readings; try again when there is less traffic")]
    Restless(u32),
}

impl From<ClientError> for ReadError {
    fn from(error: ClientError) -> Self {
        ReadError::Rpc(Box::new(error))
    }
}

/// All accounts of the program, and the slot at which they were so.
///
/// # Errors
/// When the node does not answer, or with something else.
pub async fn program_accounts(
    rpc: &RpcClient,
    commitment: CommitmentConfig,
    min_slot: u64,
) -> Result<(u64, Vec<(Pubkey, Account)>), ReadError> {
    let config = RpcProgramAccountsConfig {
        account_config: account_config(commitment, min_slot),
        with_context: Some(true),
        ..RpcProgramAccountsConfig::default()
    };
    let params = serde_json::json!([PROGRAM_ID.to_string(), config]);
    let answer: OptionalContext<Vec<RpcKeyedAccount>> = rpc.send(RpcRequest::GetProgramAccounts, params).await?;
    let OptionalContext::Context(answer) = answer else {
        return Err(ReadError::Account(PROGRAM_ID, "answered with the slot of its accounts"));
    };
    let accounts = answer.value.iter().map(|keyed| {
        let malformed = ReadError::Account(PROGRAM_ID, "answered with readable accounts");
        match (keyed.pubkey.parse(), decode(&keyed.account)) {
            (Ok(key), Some(account)) => Ok((key, account)),
            _ => Err(malformed),
        }
    });
    Ok((answer.context.slot, accounts.collect::<Result<_, _>>()?))
}

/// How accounts are asked for: compressed, since a slab is mostly zeros; not older than `min_slot` (0 for any).
pub fn account_config(commitment: CommitmentConfig, min_slot: u64) -> RpcAccountInfoConfig {
    RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64Zstd),
        commitment: Some(commitment),
        min_context_slot: (min_slot > 0).then_some(min_slot),
        data_slice: None,
    }
}

/// An account as the node encoded it, in answers and notifications; `None` when it is malformed. Some nodes answer in plain base64 although asked for compression.
pub fn decode(account: &UiAccount) -> Option<Account> {
    if let UiAccountData::Binary(blob, UiAccountEncoding::Base64) = &account.data {
        return Some(Account {
            lamports: account.lamports,
            data: BASE64_STANDARD.decode(blob).ok()?,
            owner: account.owner.parse().ok()?,
            executable: account.executable,
            rent_epoch: account.rent_epoch,
        });
    }
    account.to_account()
}

/// The vaults' balances and the cluster's time, at one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub moment: Moment,
    /// The balances.
    pub vaults: Vaults,
}

/// Reads the vaults and the clock together.
///
/// # Errors
/// When the node does not answer, or an account is not there.
pub async fn vaults(
    rpc: &RpcClient,
    keys: &ExchangeKeys,
    commitment: CommitmentConfig,
    min_slot: u64,
) -> Result<Reading, ReadError> {
    let wanted = [keys.vault, keys.insurance, sysvar::clock::ID];
    let answer = rpc.get_multiple_ui_accounts_with_config(&wanted, account_config(commitment, min_slot)).await?;
    let account = |at: usize| answer.value.get(at).and_then(Option::as_ref).and_then(decode);
    let balance = |at: usize| {
        account(at)
            .and_then(|account| token_amount(&account))
            .ok_or(ReadError::Account(wanted[at], "the token account of a vault: is the exchange right?"))
    };
    let unix_time = account(2).and_then(|account| unix_time(&account.data));
    Ok(Reading {
        moment: Moment {
            slot: answer.context.slot,
            unix_time: unix_time.ok_or(ReadError::Account(sysvar::clock::ID, "the clock"))?,
        },
        vaults: Vaults { collateral: balance(0)?, insurance: balance(1)? },
    })
}

/// A token account's balance: eight bytes behind its mint and owner.
pub fn token_amount(account: &Account) -> Option<u64> {
    if account.owner != spl_token_interface::ID {
        return None;
    }
    account.data.get(64..72)?.try_into().ok().map(u64::from_le_bytes)
}

/// The unix time in the Clock sysvar: its last eight bytes.
fn unix_time(data: &[u8]) -> Option<i64> {
    data.get(32..40)?.try_into().ok().map(i64::from_le_bytes)
}

/// A snapshot of `exchange` and its vaults' balances, consistent with each other.
///
/// # Errors
/// When the node does not answer, the accounts cannot be read, or the vaults never hold still.
pub async fn state(
    rpc: &RpcClient,
    exchange: &Pubkey,
    commitment: CommitmentConfig,
) -> Result<(Snapshot, Vaults), ReadError> {
    let keys = ExchangeKeys::new(*exchange);
    let mut before = vaults(rpc, &keys, commitment, 0).await?;
    for _ in 0..MAX_ATTEMPTS {
        let (slot, accounts) = program_accounts(rpc, commitment, before.moment.slot).await?;
        let after = vaults(rpc, &keys, commitment, slot).await?;
        if before.vaults == after.vaults {
            let moment = Moment { slot, unix_time: after.moment.unix_time };
            return Ok((Snapshot::new(exchange, moment, accounts)?, after.vaults));
        }
        before = after;
    }
    Err(ReadError::Restless(MAX_ATTEMPTS))
}

/// A snapshot of `exchange`, for those who need no vaults.
///
/// # Errors
/// As [`state`].
pub async fn snapshot(rpc: &RpcClient, exchange: &Pubkey, commitment: CommitmentConfig) -> Result<Snapshot, ReadError> {
    let (slot, accounts) = program_accounts(rpc, commitment, 0).await?;
    let reading = vaults(rpc, &ExchangeKeys::new(*exchange), commitment, 0).await?;
    Ok(Snapshot::new(exchange, Moment { slot, unix_time: reading.moment.unix_time }, accounts)?)
}

/// The addresses of all exchanges of the program.
///
/// # Errors
/// When the node does not answer.
pub async fn exchanges(rpc: &RpcClient, commitment: CommitmentConfig) -> Result<Vec<Pubkey>, ReadError> {
    let (_, accounts) = program_accounts(rpc, commitment, 0).await?;
    Ok(Snapshot::exchanges(&accounts))
}

/// The exchange that is meant: the one that was named, or else the program's only one.
///
/// # Errors
/// When the node does not answer, or there is not exactly one.
pub async fn find_exchange(
    rpc: &RpcClient,
    named: Option<Pubkey>,
    commitment: CommitmentConfig,
) -> Result<Pubkey, ReadError> {
    match named {
        Some(exchange) => Ok(exchange),
        None => only(exchanges(rpc, commitment).await?),
    }
}

fn only(all: Vec<Pubkey>) -> Result<Pubkey, ReadError> {
    match all.as_slice() {
        [] => Err(ReadError::NoExchange),
        [exchange] => Ok(*exchange),
        _ => Err(ReadError::SeveralExchanges(all)),
    }
}

fn names(keys: &[Pubkey]) -> String {
    keys.iter().map(Pubkey::to_string).collect::<Vec<_>>().join(", ")
}

/// An address lookup table, for [`crate::send`].
///
/// # Errors
/// When the node does not answer, or there is no such table.
pub async fn lookup_table(rpc: &RpcClient, key: &Pubkey) -> Result<AddressLookupTableAccount, ReadError> {
    let data = rpc.get_account_data(key).await?;
    let table = AddressLookupTable::deserialize(&data).map_err(|_| ReadError::Account(*key, "a lookup table"))?;
    Ok(AddressLookupTableAccount { key: *key, addresses: table.addresses.to_vec() })
}
