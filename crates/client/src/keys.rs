//! A key that signs and pays, from a file that nobody else can read.

use std::path::Path;

use solana_keypair::{Keypair, read_keypair_file};

/// Why a key file is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file, or it may not be read.
    #[error("key file {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It is a directory or the like.
    #[error("key file {0} is not a file")]
    NotAFile(String),
    /// Somebody else could have read or changed it.
    #[error("key file {path} has the permissions {mode:03o}: others can read or change it. Say: chmod 600 {path}")]
    NotPrivate {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// It does not hold a key in the format of Solana's own tools.
    #[error("key file {0}: {1}")]
    Malformed(String, String),
}

/// Reads a key in the format of Solana's own tools.
///
/// # Errors
/// When the file is missing, malformed, or readable by anyone but its owner.
pub fn read(path: &Path) -> Result<Keypair, KeyError> {
    let metadata =
        std::fs::metadata(path).map_err(|source| KeyError::Read { path: path.display().to_string(), source })?;
    if !metadata.is_file() {
        return Err(KeyError::NotAFile(path.display().to_string()));
    }
    require_private(path, &metadata)?;
    read_published(path)
}

/// As [`read`], of a key that everybody knows anyway: those of local networks.
///
/// # Errors
/// When the file is missing or malformed.
pub fn read_published(path: &Path) -> Result<Keypair, KeyError> {
    read_keypair_file(path).map_err(|error| KeyError::Malformed(path.display().to_string(), error.to_string()))
}

#[cfg(unix)]
fn require_private(path: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::NotPrivate { path: path.display().to_string(), mode }) }
}

#[cfg(not(unix))]
fn require_private(_: &Path, _: &std::fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use solana_keypair::write_keypair_file;
    use solana_signer::Signer;

    use super::*;

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        let key = Keypair::new();
        write_keypair_file(&key, &path).unwrap();
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o640, 0o604, 0o644, 0o620] {
            set(mode);
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        set(0o600);
        assert_eq!(read(&path).unwrap().pubkey(), key.pubkey());
        set(0o400);
        assert!(read(&path).is_ok());
    }

    #[test]
    fn a_missing_or_malformed_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        assert!(read(&path).unwrap_err().to_string().contains("key.json"));
        std::fs::write(&path, "[1,2]").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("key.json"));
    }
}
