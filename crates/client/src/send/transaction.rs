//! Messages and signed transactions, with their compute budget.

use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{AddressLookupTableAccount, CompileError, Message, VersionedMessage, v0};
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

use super::SendError;

/// Most compute units of a transaction.
pub const MAX_UNITS: u32 = 1_400_000;
/// Most bytes of a transaction.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;

/// Who signs; the first one pays. `Sync`, so that sending can happen in a task.
pub type Signers<'a> = &'a [&'a (dyn Signer + Sync)];

/// A transaction's compute budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Most units.
    pub limit: u32,
    /// Price of a unit, in millionths of a lamport.
    pub price: u64,
}

/// The message of the instructions, with their compute budget in front. Of version 0 with lookup tables, otherwise
/// legacy, which every wallet and node reads.
///
/// # Errors
/// When the instructions name too many accounts.
pub fn compile(
    payer: &Pubkey,
    instructions: &[Instruction],
    units: Units,
    tables: &[AddressLookupTableAccount],
    blockhash: Hash,
) -> Result<VersionedMessage, CompileError> {
    let mut all = vec![ComputeBudgetInstruction::set_compute_unit_limit(units.limit)];
    if units.price > 0 {
        all.push(ComputeBudgetInstruction::set_compute_unit_price(units.price));
    }
    all.extend_from_slice(instructions);
    if tables.is_empty() {
        return Ok(VersionedMessage::Legacy(Message::new_with_blockhash(&all, Some(payer), &blockhash)));
    }
    v0::Message::try_compile(payer, &all, tables, blockhash).map(VersionedMessage::V0)
}

/// Signs a message.
///
/// # Errors
/// When the signers are not those that the message needs, or the transaction is larger than a packet.
pub fn sign(message: VersionedMessage, signers: Signers<'_>) -> Result<VersionedTransaction, SendError> {
    let transaction = VersionedTransaction::try_new(message, signers)?;
    let size = size(&transaction);
    if size > MAX_TRANSACTION_BYTES {
        return Err(SendError::TooLarge { size, max: MAX_TRANSACTION_BYTES });
    }
    Ok(transaction)
}

/// With room for its signatures.
pub(super) fn unsigned(message: VersionedMessage) -> VersionedTransaction {
    let signatures = vec![Signature::default(); usize::from(message.header().num_required_signatures)];
    VersionedTransaction { signatures, message }
}

/// Bytes of a transaction on the wire: the number of signatures (one byte below 128), the signatures, the message.
pub fn size(transaction: &VersionedTransaction) -> usize {
    1 + transaction.signatures.len() * 64 + transaction.message.serialize().len()
}

#[cfg(test)]
mod tests {
    use solana_instruction::AccountMeta;
    use solana_keypair::Keypair;

    use super::*;

    fn instruction(accounts: usize) -> Instruction {
        let metas = (0..accounts).map(|_| AccountMeta::new_readonly(Pubkey::new_unique(), false)).collect();
        Instruction { program_id: Pubkey::new_from_array([9; 32]), accounts: metas, data: vec![1, 2, 3] }
    }

    fn message(accounts: usize, tables: &[AddressLookupTableAccount], payer: &Keypair) -> VersionedMessage {
        let units = Units { limit: 1_000, price: 5 };
        compile(&payer.pubkey(), &[instruction(accounts)], units, tables, Hash::default()).unwrap()
    }

    #[test]
    fn the_compute_budget_comes_first() {
        let payer = Keypair::new();
        let VersionedMessage::Legacy(message) = message(2, &[], &payer) else { panic!() };
        assert_eq!(message.instructions.len(), 3);
        assert_eq!(message.instructions[0].data, ComputeBudgetInstruction::set_compute_unit_limit(1_000).data);
        assert_eq!(message.instructions[1].data, ComputeBudgetInstruction::set_compute_unit_price(5).data);
    }

    #[test]
    fn a_signed_transaction_verifies_and_knows_its_size() {
        let payer = Keypair::new();
        let transaction = sign(message(4, &[], &payer), &[&payer]).unwrap();
        let message = transaction.message.serialize();
        assert!(transaction.signatures[0].verify(payer.pubkey().as_ref(), &message));
        assert!(size(&transaction) < MAX_TRANSACTION_BYTES);
    }

    #[test]
    fn too_many_accounts_need_a_lookup_table() {
        let payer = Keypair::new();
        let many = message(40, &[], &payer);
        assert!(matches!(sign(many, &[&payer]), Err(SendError::TooLarge { .. })));

        let instruction = instruction(40);
        let addresses = instruction.accounts.iter().map(|meta| meta.pubkey).collect();
        let table = AddressLookupTableAccount { key: Pubkey::new_unique(), addresses };
        let units = Units { limit: 1, price: 0 };
        let small = compile(&payer.pubkey(), &[instruction], units, &[table], Hash::default()).unwrap();
        assert!(sign(small, &[&payer]).is_ok());
    }

    #[test]
    fn a_missing_signer_is_reported() {
        let (payer, other) = (Keypair::new(), Keypair::new());
        assert!(matches!(sign(message(1, &[], &payer), &[&other]), Err(SendError::Sign(_))));
    }
}
