//! Who signs what.

use std::path::{Path, PathBuf};

use ballast_client::keys::{self, KeyError};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::config::ExchangeConfig;

/// A part that a key plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Pays fees and rent.
    Payer,
    /// Administers the exchange.
    Admin,
    /// May upgrade the program.
    UpgradeAuthority,
    /// The program's own key.
    Program,
}

/// The parts' public keys: all that planning needs.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    /// Pays fees and rent.
    pub payer: Pubkey,
    /// Administers the exchange.
    pub admin: Pubkey,
    /// May upgrade the program.
    pub upgrade_authority: Pubkey,
    /// Whether the program's own key is at hand.
    pub program: Option<Pubkey>,
}

/// The keys.
pub struct Keys {
    payer: Keypair,
    admin: Keypair,
    upgrade_authority: Keypair,
    program: Option<Keypair>,
}

/// Why keys are not used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file is missing, malformed or readable by others.
    #[error("{0}: {1}")]
    File(&'static str, KeyError),
    /// Nobody pays.
    #[error("no payer: say --payer FILE, or payer under [keys]")]
    NoPayer,
    /// Public keys are for local networks.
    #[error("keys.published is for a cluster on this machine; {0} is not")]
    Published(String),
}

/// Files named on the command line, before those of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// The payer's.
    pub payer: Option<PathBuf>,
    /// The admin's.
    pub admin: Option<PathBuf>,
    /// The upgrade authority's.
    pub upgrade_authority: Option<PathBuf>,
    /// The program's.
    pub program: Option<PathBuf>,
}

impl Keys {
    /// One key for all parts, as on a local network.
    pub fn all(key: &Keypair, program: Option<Keypair>) -> Keys {
        let copy = || key.insecure_clone();
        Keys { payer: copy(), admin: copy(), upgrade_authority: copy(), program }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn read(config: &ExchangeConfig, named: &Named, url: &str) -> Result<Keys, KeysError> {
        let files = &config.keys;
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|host| url.starts_with(host));
        if files.published && !local {
            return Err(KeysError::Published(url.to_owned()));
        }
        let read = |what, named: &Option<PathBuf>, configured: &Option<PathBuf>| {
            let published = named.is_none() && files.published;
            let read = |path: &Path| if published { keys::read_published(path) } else { keys::read(path) };
            let path = named.as_deref().or(configured.as_deref());
            path.map(|path| read(path).map_err(|error| KeysError::File(what, error))).transpose()
        };
        let payer = read("the payer", &named.payer, &files.payer)?.ok_or(KeysError::NoPayer)?;
        let admin = read("the admin", &named.admin, &files.admin)?.unwrap_or_else(|| payer.insecure_clone());
        let upgrade_authority = read("the upgrade authority", &named.upgrade_authority, &files.upgrade_authority)?
            .unwrap_or_else(|| admin.insecure_clone());
        let program = read("the program", &named.program, &files.program)?;
        Ok(Keys { payer, admin, upgrade_authority, program })
    }

    /// The public keys.
    pub fn roles(&self) -> Roles {
        Roles {
            payer: self.payer.pubkey(),
            admin: self.admin.pubkey(),
            upgrade_authority: self.upgrade_authority.pubkey(),
            program: self.program.as_ref().map(Keypair::pubkey),
        }
    }

    /// The payer, then the others that are asked for, each once.
    pub fn signers(&self, roles: &[Role]) -> Vec<&(dyn Signer + Sync)> {
        let mut keys: Vec<&Keypair> = vec![&self.payer];
        for role in roles {
            let key = match role {
                Role::Payer => Some(&self.payer),
                Role::Admin => Some(&self.admin),
                Role::UpgradeAuthority => Some(&self.upgrade_authority),
                Role::Program => self.program.as_ref(),
            };
            keys.extend(key.filter(|key| keys.iter().all(|known| known.pubkey() != key.pubkey())));
        }
        keys.into_iter().map(|key| key as &(dyn Signer + Sync)).collect()
    }
}
