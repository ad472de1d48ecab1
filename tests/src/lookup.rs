//! Transactions with more accounts than their packet could name one by one: version 0, with an address lookup table.

use std::borrow::Cow;

use ballast_client::send::{Signers, Units, compile, sign, size};
use solana_account::Account;
use solana_address_lookup_table_interface::state::{AddressLookupTable, LookupTableMeta};
use solana_instruction::Instruction;
use solana_message::{AddressLookupTableAccount, VersionedMessage};
use solana_pubkey::Pubkey;
use solana_sdk_ids::address_lookup_table;
use solana_signer::Signer;

use crate::harness::{Chain, Receipt, World, fresh_keypair, invocations};

/// Most bytes of a transaction, which its sender checks too.
pub const PACKET: u64 = 1_232;
/// Most accounts that a transaction locks on mainnet.
pub const LOCKS: u64 = 64;

/// What a transaction took.
pub struct Sent {
    /// Compute units of the program.
    pub units: u64,
    /// Accounts that it locks.
    pub accounts: u64,
    /// Bytes on the wire.
    pub bytes: u64,
}

/// All keys of a message: its own, then those of the table that may be written, then the others.
fn keys(message: &VersionedMessage, table: &AddressLookupTableAccount) -> Vec<Pubkey> {
    let lookups = message.address_table_lookups().unwrap_or_default();
    let writable = lookups.iter().flat_map(|lookup| &lookup.writable_indexes);
    let readonly = lookups.iter().flat_map(|lookup| &lookup.readonly_indexes);
    let looked_up = writable.chain(readonly).map(|&at| table.addresses[usize::from(at)]);
    message.static_account_keys().iter().copied().chain(looked_up).collect()
}

/// Writes a table with these addresses.
pub fn table(world: &mut World, addresses: Vec<Pubkey>) -> AddressLookupTableAccount {
    let content = AddressLookupTable { meta: LookupTableMeta::default(), addresses: Cow::Borrowed(&addresses) };
    let data = content.serialize_for_tests().expect("a table");
    let lamports = world.chain.rent(data.len());
    let account = Account { lamports, data, owner: address_lookup_table::ID, executable: false, rent_epoch: u64::MAX };
    let key = fresh_keypair().pubkey();
    world.chain.put_account(key, account);
    AddressLookupTableAccount { key, addresses }
}

/// Sends one instruction through a table; the first signer pays.
///
/// # Panics
/// If it does not fit a packet, or fails.
pub fn send(
    world: &mut World,
    instruction: Instruction,
    table: &AddressLookupTableAccount,
    signers: Signers<'_>,
) -> Sent {
    let payer = signers.first().expect("somebody pays").pubkey();
    let vm = world.chain.vm();
    let units = Units { limit: 1_400_000, price: 0 };
    let tables = std::slice::from_ref(table);
    let message = compile(&payer, &[instruction], units, tables, vm.latest_blockhash()).expect("a message");
    let looked_up = message.address_table_lookups().unwrap_or_default().iter();
    let looked_up: usize = looked_up.map(|table| table.writable_indexes.len() + table.readonly_indexes.len()).sum();
    let accounts = message.static_account_keys().len() + looked_up;
    let transaction = sign(message.clone(), signers).expect("it fits a packet");
    let bytes = size(&transaction);
    let done = vm.send_transaction(transaction);
    let done = done.unwrap_or_else(|failed| panic!("{}\n{}", failed.err, failed.meta.logs.join("\n")));
    let keys = keys(&message, table);
    let receipt = Receipt { invocations: invocations(&message, &keys, &done.inner_instructions), logs: done.logs };
    world.enter(&receipt);
    Sent { units: receipt.units(), accounts: accounts as u64, bytes: bytes as u64 }
}
