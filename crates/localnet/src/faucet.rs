//! Money for the local network: SOL, and a dollar token with a known mint authority, both moved by real transactions.
//!
//! It needs no more than a node's RPC address, so another process can use it on a running network. The token and its
//! authority are at the same addresses on every network, so that wallets and configurations keep working.

use std::sync::atomic::{AtomicU32, Ordering};

use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::Error as RpcError;
use solana_signer::{Signer, signers::Signers};
use solana_system_interface::instruction as system;
use solana_transaction::Transaction;
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};
use spl_token_interface::{ID as TOKEN_PROGRAM, instruction as token, state::Mint};

use crate::LocalnetError;

/// Decimals of the dollar token: one dollar is 10^6 atoms.
pub const QUOTE_DECIMALS: u8 = 6;
/// What the faucet asks of the node for itself, in lamports: 500,000 SOL, half of what the node has to give.
const RESERVE_LAMPORTS: u64 = 500_000_000_000_000;
/// Compute units that any of the faucet's transactions needs at most.
const COMPUTE_UNITS: u32 = 100_000;

/// Pays SOL and dollars to anyone.
pub struct Faucet {
    rpc: RpcClient,
    authority: Keypair,
    mint: Pubkey,
    /// Makes each transaction different, for two equal ones in the same block count as one.
    transactions: AtomicU32,
}

impl Faucet {
    /// Connects to a local network and makes sure that the dollar token is there.
    pub fn connect(rpc_url: &str) -> Result<Self, LocalnetError> {
        // These keys are public and worth nothing anywhere else.
        let authority = Keypair::new_from_array(*b"ballast-localnet: mint authority");
        let mint = Keypair::new_from_array(*b"ballast-localnet: quote mint key");
        Self::connect_with(rpc_url, authority, &mint)
    }

    /// Like [`connect`](Self::connect), with a mint authority, who also pays for everything, and a mint of your choosing.
    pub fn connect_with(rpc_url: &str, authority: Keypair, mint: &Keypair) -> Result<Self, LocalnetError> {
        // `processed`, so that it also works while no blocks are made.
        let rpc = RpcClient::new_with_commitment(rpc_url.to_owned(), CommitmentConfig::processed());
        let faucet = Self { rpc, authority, mint: mint.pubkey(), transactions: AtomicU32::new(0) };
        faucet.fill_reserve()?;
        faucet.create_mint(mint)?;
        Ok(faucet)
    }

    /// The dollar token.
    pub fn mint(&self) -> Pubkey {
        self.mint
    }

    /// Who may mint the dollar token.
    pub fn mint_authority(&self) -> &Keypair {
        &self.authority
    }

    /// Pays `lamports` (10^-9 SOL).
    pub fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<(), LocalnetError> {
        let transfer = system::transfer(&self.authority.pubkey(), to, lamports);
        self.send(&format!("pay {lamports} lamports to {to}"), &[transfer], &[&self.authority])
    }

    /// Mints `atoms` (10^-6 dollars) to the owner's associated token account, creating it where it does not exist.
    /// Returns that account's address.
    pub fn mint_to(&self, owner: &Pubkey, atoms: u64) -> Result<Pubkey, LocalnetError> {
        let authority = self.authority.pubkey();
        let account = get_associated_token_address(owner, &self.mint);
        let create = create_associated_token_account_idempotent(&authority, owner, &self.mint, &TOKEN_PROGRAM);
        let mint = token::mint_to(&TOKEN_PROGRAM, &self.mint, &account, &authority, &[], atoms)
            .expect("the token program's own address is one that it accepts");
        self.send(&format!("mint {atoms} atoms to {owner}"), &[create, mint], &[&self.authority])?;
        Ok(account)
    }

    fn fill_reserve(&self) -> Result<(), LocalnetError> {
        let payer = self.authority.pubkey();
        let action = "fill the faucet";
        let balance = self.rpc.get_balance(&payer).map_err(rpc_error(action))?;
        if balance < RESERVE_LAMPORTS / 2 {
            self.rpc.request_airdrop(&payer, RESERVE_LAMPORTS).map_err(rpc_error(action))?;
        }
        Ok(())
    }

    fn create_mint(&self, mint: &Keypair) -> Result<(), LocalnetError> {
        let action = "create the dollar token";
        let found =
            self.rpc.get_account_with_commitment(&self.mint, self.rpc.commitment()).map_err(rpc_error(action))?;
        if let Some(account) = found.value {
            let problem = match Mint::unpack(&account.data) {
                Ok(mint) if mint.mint_authority.contains(&self.authority.pubkey()) => return Ok(()),
                Ok(_) => "is a token with another mint authority".to_owned(),
                Err(error) => format!("is not a token's mint: {error}"),
            };
            return Err(LocalnetError::Account { address: self.mint, problem });
        }
        let payer = self.authority.pubkey();
        let rent = self.rpc.get_minimum_balance_for_rent_exemption(Mint::LEN).map_err(rpc_error(action))?;
        let space = u64::try_from(Mint::LEN).expect("a mint is 82 bytes");
        let create = system::create_account(&payer, &self.mint, rent, space, &TOKEN_PROGRAM);
        let initialize = token::initialize_mint2(&TOKEN_PROGRAM, &self.mint, &payer, None, QUOTE_DECIMALS)
            .expect("the token program's own address is one that it accepts");
        self.send(action, &[create, initialize], &[&self.authority, mint])
    }

    fn send(
        &self,
        action: &str,
        instructions: &[Instruction],
        signers: &(impl Signers + ?Sized),
    ) -> Result<(), LocalnetError> {
        let number = self.transactions.fetch_add(1, Ordering::Relaxed) % COMPUTE_UNITS;
        let limit = ComputeBudgetInstruction::set_compute_unit_limit(COMPUTE_UNITS + number);
        let instructions: Vec<_> = std::iter::once(limit).chain(instructions.iter().cloned()).collect();
        let blockhash = self.rpc.get_latest_blockhash().map_err(rpc_error(action))?;
        let payer = self.authority.pubkey();
        let transaction = Transaction::new_signed_with_payer(&instructions, Some(&payer), signers, blockhash);
        // The node answers when it has executed the transaction. Waiting for more would wait for a block.
        self.rpc.send_transaction(&transaction).map_err(rpc_error(action))?;
        Ok(())
    }
}

/// Says what was being done when a request failed.
fn rpc_error(action: &str) -> impl Fn(RpcError) -> LocalnetError + '_ {
    move |source| LocalnetError::Rpc { action: action.to_owned(), source: Box::new(source) }
}
