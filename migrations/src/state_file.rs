//! What cannot be derived from keys and configuration: the address of the lookup table, which depends on the slot of its
//! creation. Kept beside the configuration, by cluster (its genesis hash) and exchange.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

/// The file.
#[derive(Clone, Debug, Default)]
pub struct StateFile {
    path: PathBuf,
    known: BTreeMap<String, BTreeMap<String, Known>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Known {
    lookup_table: String,
}

impl StateFile {
    /// The file's usual place: beside the configuration.
    pub fn beside(config: &Path) -> PathBuf {
        config.with_extension("state.json")
    }

    /// Reads it; a file that does not exist knows nothing.
    ///
    /// # Errors
    /// When it cannot be read or is malformed.
    pub fn read(path: PathBuf) -> io::Result<StateFile> {
        let known = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(StateFile { path, known })
    }

    /// The exchange's lookup table on a cluster.
    pub fn lookup_table(&self, genesis: &str, exchange: &Pubkey) -> Option<Pubkey> {
        self.known.get(genesis)?.get(&exchange.to_string())?.lookup_table.parse().ok()
    }

    /// Remembers the exchange's lookup table, on disk.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remember(&mut self, genesis: &str, exchange: &Pubkey, table: &Pubkey) -> io::Result<()> {
        let known = Known { lookup_table: table.to_string() };
        self.known.entry(genesis.to_owned()).or_default().insert(exchange.to_string(), known);
        let text = serde_json::to_string_pretty(&self.known).map_err(io::Error::other)?;
        fs::write(&self.path, text + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_remembered_by_cluster_and_exchange() {
        let folder = tempfile::tempdir().unwrap();
        let path = StateFile::beside(&folder.path().join("x.toml"));
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let mut file = StateFile::read(path.clone()).unwrap();
        file.remember("one", &key(1), &key(2)).unwrap();
        file.remember("other", &key(1), &key(3)).unwrap();
        let file = StateFile::read(path).unwrap();
        assert_eq!(file.lookup_table("one", &key(1)), Some(key(2)));
        assert_eq!(file.lookup_table("other", &key(1)), Some(key(3)));
        assert_eq!(file.lookup_table("one", &key(2)), None);
    }
}
