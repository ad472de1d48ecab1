//! The key that signs and pays, from a file that nobody else can read.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use solana_keypair::{Keypair, read_keypair_file};

/// Reads a key in the format of Solana's own tools.
///
/// # Errors
/// When the file is missing, malformed, or readable by anyone but its owner.
pub fn read(path: &Path) -> Result<Keypair> {
    let named = || format!("key file {}", path.display());
    let metadata = std::fs::metadata(path).with_context(named)?;
    ensure!(metadata.is_file(), "{} is not a file", named());
    require_private(path, &metadata)?;
    read_keypair_file(path).map_err(|error| anyhow!("{}: {error}", named()))
}

#[cfg(unix)]
fn require_private(path: &Path, metadata: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    ensure!(
        mode & 0o077 == 0,
        "key file {0} has the permissions {mode:03o}: others can read or change it. Say: chmod 600 {0}",
        path.display()
    );
    Ok(())
}

#[cfg(not(unix))]
fn require_private(_: &Path, _: &std::fs::Metadata) -> Result<()> {
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
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("key.json"));
        std::fs::write(&path, "[1,2]").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("key.json"));
    }
}
