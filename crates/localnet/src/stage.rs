//! A node with a founded exchange: where replays and demonstrations begin.

use std::path::PathBuf;

use ballast_client::{addresses, addresses::PROGRAM_ID, instructions};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{
    Blocks, Faucet, Localnet, LocalnetConfig, LocalnetError, ProgramFile,
    bulk::{Bulk, Job},
    exchange::{Deployment, found},
    market_config::ExchangeConfig,
};

/// Node, faucet, exchange.
pub struct Stage {
    /// The node; its blocks are made by hand.
    pub localnet: Localnet,
    /// SOL and dollars.
    pub faucet: Faucet,
    /// Sends many transactions.
    pub bulk: Bulk,
    /// What the exchange was founded by.
    pub config: ExchangeConfig,
    /// The exchange.
    pub deployment: Deployment,
}

/// What the node is started with.
pub struct StageOptions {
    /// The compiled program.
    pub program: PathBuf,
    /// Port of the JSON-RPC server; 0 takes any free one.
    pub rpc_port: u16,
    /// Port of the WebSocket server; 0 takes any free one.
    pub ws_port: u16,
    /// The chain's time at the first block, in unix seconds. `None` is the system's time.
    pub genesis_time: Option<i64>,
}

impl Stage {
    /// Starts the node and founds the exchange.
    ///
    /// # Errors
    /// When a port is taken, the program is missing, or the configuration is refused.
    pub fn set(config: ExchangeConfig, options: StageOptions) -> Result<Self, LocalnetError> {
        let localnet = Localnet::start(LocalnetConfig {
            rpc_port: options.rpc_port,
            ws_port: options.ws_port,
            blocks: Blocks::Manual,
            genesis_time: options.genesis_time,
            programs: vec![ProgramFile { id: PROGRAM_ID, path: options.program, upgrade_authority: None }],
            ..LocalnetConfig::default()
        })?;
        let faucet = Faucet::connect(localnet.rpc_url())?;
        let bulk = Bulk::new(localnet.rpc_url(), localnet.clock().clone());
        let deployment = found(&localnet, &faucet, &bulk, &config)?;
        Ok(Stage { localnet, faucet, bulk, config, deployment })
    }
}

/// Gives an owner SOL and dollars; returns what opens margin account `number` and deposits the dollars in it.
///
/// # Errors
/// When the faucet fails.
pub fn open_account<'a>(
    deployment: &Deployment,
    faucet: &Faucet,
    key: &'a Keypair,
    number: u16,
    lamports: u64,
    atoms: u64,
) -> Result<(Pubkey, Job<'a>), LocalnetError> {
    let (owner, keys) = (key.pubkey(), &deployment.keys);
    faucet.airdrop(&owner, lamports)?;
    let source = faucet.mint_to(&owner, atoms)?;
    let margin = addresses::margin_account(&keys.exchange, &owner, number);
    let instructions = vec![
        instructions::open_margin_account(&owner, &owner, &keys.exchange, number),
        instructions::deposit(&owner, keys, &margin, &source, atoms),
    ];
    Ok((margin, Job { what: format!("open an account for {owner}"), instructions, signers: vec![key] }))
}
